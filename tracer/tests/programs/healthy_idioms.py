"""Healthy: what well-known servers do with inherited numbers on purpose.

`program`: as Dovecot's master, it puts a pipe under the number of a connection and executes a program, which finds out by a
call that fails what it was given. `flush`: as Exim, it closes the number so that nothing is flushed to the client, and
executes a program. `split`: as rsync, it greets in both directions, and then has one process write and another read.
"""

import ctypes
import errno
import os
import socket
import sys

from saying import end_of, say

LINES = 20
ACCEPTS = """
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
sys.exit(0 if libc.accept(int(sys.argv[1]), None, None) == -1 and ctypes.get_errno() == int(sys.argv[2]) else 1)
"""


def echo(listener):
    """Gives back what it gets."""
    client, _ = listener.accept()
    while data := client.recv(4096):
        client.sendall(data)


def program(stream):
    number = stream.fileno()
    end, _ = os.pipe()
    os.dup2(end, number)
    os.execv(sys.executable, [sys.executable, "-c", ACCEPTS, str(number), str(errno.ENOTSOCK)])


def flush(stream):
    number = stream.detach()
    os.close(number)
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.write(number, b"later\n", 6) == -1 and ctypes.get_errno() == errno.EBADF
    os.execv("/bin/true", ["true"])


def split(stream):
    left = LINES * len(b"line\n")
    while left:
        left -= len(stream.recv(left))
    os._exit(0)


def main():
    work = {"program": program, "flush": flush, "split": split}[sys.argv[1]]
    listener = socket.create_server(("127.0.0.1", 0))
    server = os.fork()
    if server == 0:
        echo(listener)
        os._exit(0)
    stream = socket.create_connection(listener.getsockname())
    listener.close()
    stream.sendall(b"hello\n")
    assert stream.recv(100) == b"hello\n"
    child = os.fork()
    if child == 0:
        work(stream)
    if work is split:
        for _ in range(LINES):
            stream.sendall(b"line\n")
    status = "OK" if end_of(child) == 0 else "the child failed"
    stream.close()
    say(role="parent", status=status, server_exit=end_of(server))


main()
