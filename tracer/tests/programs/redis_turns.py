"""A Redis connection that parent and child use in turns; the parent then waits for a line on stdin."""

import os
import socket
import sys

from saying import end_of, say

server = socket.create_connection(("127.0.0.1", int(sys.argv[1])))


def ping():
    server.sendall(b"*1\r\n$4\r\nPING\r\n")
    return server.recv(100).decode().strip()


say(role="parent", answer=ping())
child = os.fork()
if child == 0:
    say(role="child", answer=ping())
    os._exit(0)
end_of(child)
say(role="parent", answer=ping())
sys.stdin.readline()
os._exit(5)
