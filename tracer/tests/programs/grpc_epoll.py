"""gRPC's poisoned epoll, with GRPC_ENABLE_FORK_SUPPORT=0: the child registers its connection to a second server on the
inherited epoll instance, with a pointer into its own heap; the parent, which goes on calling the first, is told of it.
"""

import os
import signal
import sys
import time

import grpc

from greeting import greet
from saying import end_of, say

LONG = 3  # seconds of calls by the parent, if it lives


def child(server):
    # It may wait for what its parent has read.
    signal.alarm(2 * LONG)
    # From here on its heap is at addresses where its parent has none.
    _grown = [bytes(1000) for _ in range(50_000)]
    outcome = greet(grpc.insecure_channel(server), "child", LONG)
    say(role="child", **outcome)
    os._exit(0)


def main():
    first, second = sys.argv[1:]
    channel = grpc.insecure_channel(first)
    say(role="parent", **greet(channel, "parent"))
    pid = os.fork()
    if pid == 0:
        child(second)
    say(role="parent", child=pid)
    end = time.monotonic() + LONG
    while time.monotonic() < end:
        greet(channel, "again", 1)
    say(role="parent", child_exit=end_of(pid))
    os._exit(0)


main()
