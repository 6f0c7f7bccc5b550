"""Healthy: as inetd and mail servers do, a server's child greets the client, and executes the program that serves it.

It serves as many connections as it is told, from a client process of its own.
"""

import os
import socket
import sys

from saying import end_of, say

CLIENTS = int(sys.argv[1])


def be_client(port):
    right = 0
    for number in range(CLIENTS):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            with connection.makefile("rwb") as lines:
                greeted = lines.readline() == b"220 ready\r\n"
                lines.write(b"%d\n" % number)
                lines.flush()
                right += greeted and lines.readline() == b"%d\n" % number
    say(role="client", right=right, status="OK" if right == CLIENTS else "WRONG")


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
        accepted.sendall(b"220 ready\r\n")
        os.dup2(accepted.fileno(), 0)
        os.dup2(accepted.fileno(), 1)
        os.execvp("cat", ["cat"])
    accepted.close()
    children.append(child)
say(role="server", children=children, exits=[end_of(child) for child in children], client_exit=end_of(client))
