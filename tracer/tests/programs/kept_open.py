"""A connection that a child got by a fork and does not use.

`closed HOST:PORT`: the parent closes it, and the child keeps its copy.
`closed-by-both HOST:PORT`: healthy: the child closes its copy, too.
`closed-and-awaited HOST:PORT`: healthy: the child waits for what comes on it, with an epoll instance of its own.
`closed-when-ended HOST:PORT`: the server ends it; select(2) tells the parent, which then closes it without a read.
`executed HOST:PORT`: the child executes a program, which does not know of it; the parent goes on using it.
`close-on-exec HOST:PORT`: healthy: the same, and the descriptor closes on exec.
"""

import os
import select
import socket
import subprocess
import sys
import time

from saying import end_of, say

GRACE = 1.5  # seconds: longer than a child may take to close what it inherited


def ask(stream):
    stream.sendall(b"hello")
    return stream.recv(16)


def closed(stream, mode):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writer)
        if mode == "closed-by-both":
            stream.close()
        if mode == "closed-and-awaited":
            loop = select.epoll()
            loop.register(stream, select.EPOLLIN)
        os.read(reader, 1)
        os._exit(0)
    say(role="parent", fd=stream.fileno(), child=child)
    os.close(reader)
    if mode == "closed-when-ended":
        select.select([stream], [], [])
    stream.close()
    time.sleep(GRACE)
    with open(os.devnull):
        pass
    os.close(writer)
    say(role="parent", child_exit=end_of(child))


def executed(stream, leaks):
    stream.set_inheritable(leaks)
    child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, close_fds=False)
    say(role="parent", fd=stream.fileno(), child=child.pid)
    time.sleep(GRACE)
    ask(stream)
    child.stdin.close()
    say(role="parent", child_exit=child.wait())


def main():
    mode, where = sys.argv[1:]
    host, port = where.rsplit(":", 1)
    stream = socket.create_connection((host, int(port)))
    ask(stream)
    if mode.startswith("closed"):
        closed(stream, mode)
    else:
        executed(stream, mode == "executed")


main()
