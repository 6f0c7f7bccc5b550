"""A process with a second thread, and children of it that wait: `standing.py [--server HOST:PORT] WAIT...`.

Each WAIT is a child, and what it waits for. It says so, waits, and is killed when a line comes on stdin.

Those that stand still:
`lock`: a threading.Lock that the other thread holds at the fork.
`mutex`: the same, a pthread_mutex_t.
`answer`: it asks on its parent's connection, whose answers a thread of the parent reads.

Those that are healthy, each waiting for something that may come:
`sleep`, `turns` (a condition with a time-out, again and again), `pipe`, `accept`, `children`, `semaphore` and `queue` (shared
with the parent), `pool` (idle workers of multiprocessing's), `term` (an event that a signal handler sets), `pause`,
`poll` (an own pair of sockets), `select`, `asyncio`, `threads` (its own, idle), `channel` (an eventfd in an epoll instance,
made for it by its parent).
"""

import argparse
import asyncio
import ctypes
import multiprocessing
import os
import select
import signal
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from saying import say

arguments = argparse.ArgumentParser(description=__doc__)
arguments.add_argument("--server", help="HOST:PORT of a server that sends back what it gets")
arguments.add_argument("waits", nargs="+", metavar="WAIT")
options = arguments.parse_args()

PR_SET_PDEATHSIG = 1  # prctl(2)

context = multiprocessing.get_context("fork")
libc = ctypes.CDLL(None)
# Larger than any pthread_mutex_t; zero is unlocked.
mutex = ctypes.create_string_buffer(128)
lock = threading.Lock()
held = threading.Event()
reader, writer = os.pipe()
answered, answers = os.pipe()
listener = socket.create_server(("127.0.0.1", 0))
semaphore = context.Semaphore(0)
jobs = context.Queue()
epoll = select.epoll()
wakes = os.eventfd(0)
epoll.register(wakes, select.EPOLLIN)


def hold():
    with lock:
        libc.pthread_mutex_lock(mutex)
        held.set()
        threading.Event().wait()


def turns():
    condition = threading.Condition()
    while True:
        with condition:
            condition.wait(0.2)


def children():
    child = os.fork()
    if child == 0:
        # Ends when the others do.
        os.close(writer)
        os.read(reader, 1)
        os._exit(0)
    os.waitpid(child, 0)


def term():
    event = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: event.set())
    event.wait()


def poll():
    one, _other = socket.socketpair()
    poller = select.poll()
    poller.register(one, select.POLLIN)
    poller.poll()


def looping_select():
    while True:
        select.select([reader], [], [], 0.3)


def threads():
    executor = ThreadPoolExecutor(3)
    for _ in range(3):
        executor.submit(int)
    os.read(reader, 1)


def answer(connection):
    connection.sendall(b"from the child")
    os.read(answered, 1)
    connection.recv(64)


HEALTHY = {
    "sleep": lambda: time.sleep(3600),
    "turns": turns,
    "pipe": lambda: os.read(reader, 1),
    "accept": listener.accept,
    "children": children,
    "semaphore": semaphore.acquire,
    "queue": jobs.get,
    "term": term,
    "pause": signal.pause,
    "poll": poll,
    "select": looping_select,
    "asyncio": lambda: asyncio.run(asyncio.sleep(3600)),
    "threads": threads,
    "channel": lambda: epoll.poll(),
}
STALLED = {"lock": lock.acquire, "mutex": lambda: libc.pthread_mutex_lock(mutex)}


def connect():
    """A connection, and a thread that reads all that comes on it."""
    host, port = options.server.rsplit(":", 1)
    connection = socket.create_connection((host, int(port)))
    begun = threading.Event()

    def read():
        while data := connection.recv(64):
            if data == b"from the parent":
                begun.set()
            else:
                os.write(answers, b"x")

    threading.Thread(target=read, daemon=True).start()
    connection.sendall(b"from the parent")
    begun.wait()
    return connection


def start(wait, connection):
    child = os.fork()
    if child == 0:
        # Whoever kills the parent should not leave the child behind.
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if wait == "answer":
            answer(connection)
        else:
            (HEALTHY | STALLED)[wait]()
        os._exit(0)
    return child


def main():
    threading.Thread(target=hold, daemon=True).start()
    held.wait()
    connection = connect() if options.server else None
    pool = context.Pool(2) if "pool" in options.waits else None
    children = []
    for wait in options.waits:
        if wait == "pool":
            pids = [worker.pid for worker in pool._pool]
        else:
            pids = [start(wait, connection)]
            children += pids
        for pid in pids:
            say(role="parent", wait=wait, child=pid)
    say(role="parent", ready=True)
    sys.stdin.readline()
    for pid in children:
        os.kill(pid, signal.SIGKILL)
    if pool:
        # One that is killed, it replaces.
        pool.terminate()
        pool.join()
    os._exit(0)


main()
