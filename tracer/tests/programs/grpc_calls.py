"""Calls methods of the Greeter on one channel, with metadata that is a secret, and says what was called and how it ended.

With --wait: after the first calls, waits for a line on stdin, and calls them again.
"""

import sys

import grpc

from greeting import METHOD
from saying import say

SECRET = "".join(["~Zq", "#Kw~"])
OTHER = "/helloworld.Greeter/NoSuchMethod"
NEW = "/helloworld.Greeter/AnotherOne"


def call(channel, method):
    stub = channel.unary_unary(method, request_serializer=None, response_deserializer=None)
    try:
        stub(b"\x0a\x01x", timeout=20, metadata=[("authorization", SECRET), ("x-tracking", SECRET)])
        status = "OK"
    except grpc.RpcError as error:
        status = error.code().name
    say(method=method, status=status)


def calls(*methods):
    for method in methods:
        call(channel, method)


channel = grpc.insecure_channel(sys.argv[1])
calls(METHOD, OTHER, METHOD)
if "--wait" in sys.argv:
    say(waiting=True)
    sys.stdin.readline()
    calls(METHOD, NEW, NEW)
