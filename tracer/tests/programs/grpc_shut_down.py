"""A child whose teardown of gRPC shuts its parent's connection down: grpcio 1.49 with GRPC_ENABLE_FORK_SUPPORT=0.

The child closes the channel, which then waits for threads that did not cross the fork; the parent calls again as soon as
/proc shows that the connection is not established any more, and kills the child.
"""

import os
import signal
import sys
import time

import grpc

from greeting import greet
from saying import end_of, say

PATIENCE = 60  # seconds
ESTABLISHED = "01"  # TCP_ESTABLISHED, include/net/tcp_states.h


def is_established(server):
    """Whether there is a connection to the server, from /proc: no call on the descriptor."""
    port = f":{int(server.rsplit(':', 1)[1]):04X}"
    lines = []
    for table in ("/proc/self/net/tcp", "/proc/self/net/tcp6"):
        with open(table) as rows:
            lines += [row.split() for row in rows]
    return any(line[2].endswith(port) and line[3] == ESTABLISHED for line in lines)


def main():
    server = sys.argv[1]
    channel = grpc.insecure_channel(server)
    say(role="parent", **greet(channel, "parent"))
    child = os.fork()
    if child == 0:
        say(role="child")
        channel.close()
        os._exit(0)
    say(role="parent", child=child)
    end = time.monotonic() + PATIENCE
    while is_established(server) and time.monotonic() < end:
        time.sleep(0.01)
    say(role="parent", again=greet(channel, "again", 10))
    os.kill(child, signal.SIGKILL)
    say(role="parent", child_exit=end_of(child))
    os._exit(0)


main()
