"""gRPC over TLS, with a library that brings its own OpenSSL: BoringSSL, linked into it.

`ADDRESS`: of a TLS server whose certificate nobody knows. It is tried once.
"""

import os
import sys
import threading

import grpc

from saying import say

tried = threading.Event()
channel = grpc.secure_channel(sys.argv[1], grpc.ssl_channel_credentials())


def seen(state):
    if state is grpc.ChannelConnectivity.TRANSIENT_FAILURE:
        tried.set()


channel.subscribe(seen, try_to_connect=True)
say(role="parent", tried=tried.wait(20))
os._exit(0)
