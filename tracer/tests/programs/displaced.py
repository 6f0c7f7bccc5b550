"""A thread waits in a call, and another replaces or closes the number that it waits on: the call goes on with what was there.

Begins with the first line of its standard input. Prints, for each call that waited, its number and the inode it was on.
"""

import fcntl
import json
import os
import select
import socket
import sys
import threading
import time

NULL = os.open("/dev/null", os.O_RDWR)
READ, ACCEPT4, RECVFROM, EPOLL_WAIT = 0, 288, 45, 232


def replaces(fd):
    os.dup2(NULL, fd)


def closes(fd):
    os.close(fd)
    assert fcntl.fcntl(NULL, fcntl.F_DUPFD, fd) == fd


def case(number, fd, call, displace, wake):
    """Has a thread wait in `call` on `fd`, displaces that meanwhile, and wakes the thread."""
    inode = os.fstat(fd).st_ino
    waiting = threading.Thread(target=call)
    waiting.start()
    while not open(f"/proc/self/task/{waiting.native_id}/syscall").read().startswith(f"{number} "):
        time.sleep(0.001)
    displace(fd)
    wake()
    waiting.join()
    print(json.dumps([number, inode]), flush=True)


sys.stdin.readline()
for displace in replaces, closes:
    here, there = socket.socketpair()
    case(RECVFROM, here.fileno(), lambda: here.recv(1), displace, lambda: there.send(b"x"))
    counter = os.eventfd(0)
    other = os.dup(counter)
    case(READ, counter, lambda: os.read(counter, 8), displace, lambda: os.eventfd_write(other, 1))
    events = select.epoll()
    awaited, there = socket.socketpair()
    events.register(awaited, select.EPOLLIN)
    case(EPOLL_WAIT, events.fileno(), events.poll, displace, lambda: there.send(b"x"))
    listener = socket.create_server(("127.0.0.1", 0))
    address = listener.getsockname()
    case(ACCEPT4, listener.fileno(), listener.accept, displace, lambda: socket.create_connection(address))
