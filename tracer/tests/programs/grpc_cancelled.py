"""A fork while a call is under way, with gRPC's fork support on (set from outside): the child cancels its parent's call.

`grpc_cancelled.py HOST:PORT`: forks when a line comes on stdin, which is to say that the server has begun with the call.
The child only ends.
"""

import os
import signal
import sys
import threading

import grpc

from greeting import SLOWLY, call, greet
from saying import end_of, say

DEADLINE = 5  # seconds: longer than the server takes


def main():
    channel = grpc.insecure_channel(sys.argv[1])
    # The connection is settled before the fork: what both say of settings would end it.
    say(role="parent", first=greet(channel, "parent"))
    caller = threading.Thread(target=lambda: say(role="parent", **call(channel, SLOWLY, "parent", DEADLINE)))
    caller.start()
    sys.stdin.readline()
    child = os.fork()
    if child == 0:
        say(role="child")
        os._exit(0)
    say(role="parent", child=child)
    caller.join()
    os.kill(child, signal.SIGKILL)
    say(role="parent", child_exit=end_of(child))
    os._exit(0)


main()
