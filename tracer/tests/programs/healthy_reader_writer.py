"""Healthy: of one stream to an echo server, the child only writes and the parent only reads."""

import os
import socket
import sys

from saying import end_of, say

host, port = sys.argv[1].rsplit(":", 1)
LINE = b"to and fro\n"
LINES = 100

stream = socket.create_connection((host, int(port)))
say(role="parent", fd=stream.fileno())
child = os.fork()
if child == 0:
    for _ in range(LINES):
        stream.sendall(LINE)
    say(role="child", wrote=LINES * len(LINE))
    os._exit(0)
got = 0
while got < LINES * len(LINE):
    got += len(stream.recv(64))
say(role="parent", child=child, child_exit=end_of(child), read=got)
