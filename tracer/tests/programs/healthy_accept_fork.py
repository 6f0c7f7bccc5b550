"""Healthy: a server that accepts, forks a child for each connection, and closes its own copy at once.

It serves as many connections as it is told, from a client process of its own.
"""

import os
import socket
import sys

from saying import end_of, say

CLIENTS = int(sys.argv[1])


def serve(connection):
    with connection, connection.makefile("rwb") as lines:
        for line in lines:
            lines.write(b"+" + line)
            lines.flush()


def be_client(port):
    right = 0
    for number in range(CLIENTS):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            with connection.makefile("rwb") as lines:
                lines.write(b"%d\n" % number)
                lines.flush()
                right += lines.readline() == b"+%d\n" % number
    say(role="client", right=right)


# Before the listener: the client inherits nothing.
ready, tell = os.pipe()
client = os.fork()
if client == 0:
    os.close(tell)
    be_client(int(os.read(ready, 16)))
    os._exit(0)
os.close(ready)
listener = socket.create_server(("127.0.0.1", 0))
os.write(tell, str(listener.getsockname()[1]).encode())
children = []
for _ in range(CLIENTS):
    accepted, _ = listener.accept()
    child = os.fork()
    if child == 0:
        serve(accepted)
        os._exit(0)
    accepted.close()
    children.append(child)
say(role="server", children=children, exits=[end_of(child) for child in children], client_exit=end_of(client))
