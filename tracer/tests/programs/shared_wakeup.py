"""One wake-up in the loops of a parent and its child: `eventfd` or `pipe`.

Each has an epoll instance of its own, on which it waits for the wake-up that the parent made and used before the fork.
The child reads what the parent wrote for itself.
"""

import os
import select
import sys

from saying import end_of, say


class Loop:
    def __init__(self, reader, writer):
        self.epoll = select.epoll()
        self.reader, self.writer = reader, writer
        self.epoll.register(reader, select.EPOLLIN)

    def write(self):
        os.write(self.writer, (1).to_bytes(8, sys.byteorder) if self.reader == self.writer else b"x")

    def turn(self):
        """Waits for the wake-up a moment, and takes it; whether it came."""
        if not self.epoll.poll(0.2):
            return False
        os.read(self.reader, 8)
        return True


def main():
    if sys.argv[1] == "eventfd":
        reader = writer = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
    else:
        reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    loop = Loop(reader, writer)
    loop.write()
    say(role="parent", fd=reader, woken=loop.turn())
    # Whose turn it is goes through these, from one to the other.
    to_child, to_parent = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        loop = Loop(reader, writer)
        loop.write()
        say(role="child", woken=loop.turn())
        os.write(to_parent[1], b"x")
        os.read(to_child[0], 1)
        say(role="child", took=loop.turn())
        os.write(to_parent[1], b"x")
        os._exit(0)
    os.read(to_parent[0], 1)
    say(role="parent", child=pid, woken_again=loop.turn())
    loop.write()
    os.write(to_child[1], b"x")
    os.read(to_parent[0], 1)
    say(role="parent", missed=not loop.turn(), child_exit=end_of(pid))


main()
