"""A child calls on a number that is no socket any more, and stays until a line comes on standard input."""

import os
import socket

server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
peer, _ = server.accept()
client.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
if os.fork() == 0:
    os.dup2(os.open("/dev/null", os.O_RDONLY), client.fileno())
    try:
        client.send(b"x")
    except OSError:
        pass
    os.read(0, 1)
    os._exit(0)
os.wait()
