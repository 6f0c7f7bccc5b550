"""The parent closes its connection, and a child that was forked while it was open keeps it, or not.

`pinned.py HOST:PORT [--closes]`
"""

import os
import socket
import sys
import time

from saying import end_of, say

GRACE = 1.5  # seconds: longer than a child may take to close what it inherited

host, port = sys.argv[1].rsplit(":", 1)
stream = socket.create_connection((host, int(port)))
stream.sendall(b"hello")
stream.recv(16)
reader, writer = os.pipe()
child = os.fork()
if child == 0:
    os.close(writer)
    if "--closes" in sys.argv:
        stream.close()
    os.read(reader, 1)
    os._exit(0)
say(role="parent", fd=stream.fileno(), child=child)
os.close(reader)
stream.close()
time.sleep(GRACE)
with open(os.devnull):
    pass
os.close(writer)
say(role="parent", child_exit=end_of(child))
