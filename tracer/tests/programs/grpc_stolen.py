"""A child that reads what the server answers its parent, with GRPC_ENABLE_FORK_SUPPORT=0.

The child asks nothing: it only watches the state of the inherited channel, for which gRPC polls the connection. The parent
calls until an answer does not come, and says on which HTTP/2 stream that call was.
"""

import os
import sys

import grpc

from greeting import greet
from saying import end_of, say

CALLS = 50  # at most; one is mostly enough
DEADLINE = 3  # seconds


def main():
    channel = grpc.insecure_channel(sys.argv[1])
    say(role="parent", **greet(channel, "parent"))
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writer)
        channel.subscribe(lambda _state: None, try_to_connect=True)
        os.read(reader, 1)
        os._exit(0)
    say(role="parent", child=child)
    for number in range(1, CALLS + 1):
        outcome = greet(channel, "again", DEADLINE)
        if outcome["status"] != "OK":
            # A client's streams are 1, 3, 5, ... (RFC 9113, 5.1.1); the first call was before.
            say(role="parent", stream=2 * number + 1, failed=outcome["status"])
            break
    os.close(writer)
    say(role="parent", child_exit=end_of(child))
    os._exit(0)


main()
