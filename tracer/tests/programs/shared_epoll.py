"""One epoll instance in a parent and its child.

`told`: the child registers its pipe on the inherited instance; the parent's wait returns a number that it never registered.
`attached`: the same, after both have waited for a line on stdin.
`dies`: the same, and the parent dies of it, as one does that takes the data for a pointer.
`removed`: the child removes what the parent waits for.
`added`: the child registers a pipe on it, and nothing comes of it.
`loop-closed`: the child closes the asyncio loop that it inherited, with which its parent goes on.
`closes`: healthy: the child closes the instance.
`anew`: healthy: the child closes it, and makes one of its own, under the same number.
`handed-over`: healthy: the parent makes the instance, and only the child uses it.
"""

import asyncio
import os
import select
import signal
import sys
import time

from saying import end_of, say

GRACE = 1.5  # seconds: longer than a change must stand


def wait_for(epoll, seconds):
    """Waits in short turns, as a loop with timers does; what came.

    Of what it does not know it is told again at once. It takes a breath each time: a loop that turns as fast as it can
    makes more events than a debug build analyses, and what was lost lowers the confidence.
    """
    until = time.monotonic() + seconds
    came = []
    while time.monotonic() < until:
        told = [number for number, _ in epoll.poll(0.1)]
        came += told
        if told:
            time.sleep(0.002)
    return came


def child(mode, epoll, own, done):
    if mode == "attached":
        os.read(done, 1)
    if mode in ("told", "attached", "dies", "added"):
        # A number that the parent does not have.
        reader, writer = os.pipe()
        os.dup2(reader, 50)
        epoll.register(50, select.EPOLLIN)
        if mode != "added":
            os.write(writer, b"x")
    elif mode == "removed":
        epoll.unregister(own)
    elif mode == "closes":
        epoll.close()
    elif mode == "anew":
        number = epoll.fileno()
        epoll.close()
        epoll = select.epoll()
        assert epoll.fileno() == number
        reader, writer = os.pipe()
        epoll.register(reader, select.EPOLLIN)
        epoll.register(own, select.EPOLLIN)
        os.write(writer, b"x")
        wait_for(epoll, 0.1)
    elif mode == "handed-over":
        reader, writer = os.pipe()
        epoll.register(reader, select.EPOLLIN)
        os.write(writer, b"x")
        wait_for(epoll, GRACE)
    say(role="child", mode=mode)
    os.read(done, 1)
    os._exit(0)


def loop_closed():
    loop = asyncio.new_event_loop()
    loop.run_until_complete(asyncio.sleep(0.1))
    number = loop._selector.fileno()
    pid = os.fork()
    if pid == 0:
        loop.close()
        say(role="child", mode="loop-closed")
        os._exit(0)
    say(role="parent", fd=number, child=pid)
    for _ in range(int(GRACE / 0.1)):
        loop.run_until_complete(asyncio.sleep(0.1))
    say(role="parent", child_exit=end_of(pid))


def main():
    mode = sys.argv[1]
    if mode == "loop-closed":
        loop_closed()
        return
    epoll = select.epoll()
    own, _writer = os.pipe()
    done, finish = os.pipe()
    uses = mode != "handed-over"
    if uses:
        epoll.register(own, select.EPOLLIN)
        epoll.poll(0)
    number = epoll.fileno()
    pid = os.fork()
    if pid == 0:
        os.close(finish)
        child(mode, epoll, own, done)
    say(role="parent", fd=number, child=pid, waiting=mode == "attached")
    if mode == "attached":
        sys.stdin.readline()
        os.write(finish, b"x")
    came = wait_for(epoll, GRACE) if uses else []
    say(role="parent", came=sorted(set(came)))
    if mode == "dies":
        os.kill(os.getpid(), signal.SIGSEGV)
    if not uses:
        time.sleep(2 * GRACE)
    os.close(finish)
    say(role="parent", child_exit=end_of(pid))


main()
