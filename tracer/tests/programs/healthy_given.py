"""Healthy: one process asks a web server and gives the connection to another, which reads the answer; and the server reads
a request and leaves the answer to a child, which takes its time.

`child`, `closed`, `program`, `writer`: who reads is a child, a child while the parent has closed its copy, a program that has
it as its standard input, or the parent of who asks.
"""

import os
import socket
import subprocess
import sys
import time

from saying import end_of, say

LONG = 1.5  # seconds: longer than a child may take to close what it inherited
CLIENTS = 3  # while one is served, another comes
REQUEST = b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"


def serve(listener):
    """Reads each request, and forks for its answer."""
    for _ in range(CLIENTS):
        client, _ = listener.accept()
        client.recv(4096)
        if os.fork() == 0:
            time.sleep(LONG)
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
            os._exit(0)
        client.close()
    for _ in range(CLIENTS):
        os.wait()


def read(stream):
    while stream.recv(4096):
        pass


def ask(port, reader):
    stream = socket.create_connection(("127.0.0.1", port))
    if reader == "writer":
        child = os.fork()
        if child == 0:
            stream.sendall(REQUEST)
            os._exit(0)
        read(stream)
        return end_of(child)
    stream.sendall(REQUEST)
    if reader == "program":
        return subprocess.run(["cat"], stdin=stream, stdout=subprocess.DEVNULL).returncode
    child = os.fork()
    if child == 0:
        read(stream)
        os._exit(0)
    if reader == "closed":
        stream.close()
    return end_of(child)


listener = socket.create_server(("127.0.0.1", 0))
port = listener.getsockname()[1]
server = os.fork()
if server == 0:
    serve(listener)
    os._exit(0)
listener.close()
for _ in range(CLIENTS):
    say(role="parent", child_exit=ask(port, sys.argv[1]))
say(role="parent", child_exit=end_of(server))
