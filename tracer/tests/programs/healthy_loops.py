"""Healthy programs with an event loop, or what looks like one, and children.

`asyncio`: a parent with a running loop forks a child, which makes its own.
`pool`: a pool of workers, which all read one pipe.
`queue`: workers that take work from one queue, and give results to another.
`signals`: a loop with a self-pipe for signals; its child writes to the inherited pipe once, and makes its own loop.
"""

import asyncio
import multiprocessing
import multiprocessing.pool
import os
import select
import signal
import sys

from saying import end_of, say

WORKERS = 4
PIECES = 200


async def ticks(count):
    for _ in range(count):
        await asyncio.sleep(0.05)
        await asyncio.to_thread(os.getpid)  # its end wakes the loop through its own pair
    return count


async def with_a_child():
    await ticks(5)
    pid = os.fork()
    if pid == 0:
        say(role="child", ticks=own_loop())
        os._exit(0)
    say(role="parent", ticks=await ticks(30), child_exit=end_of(pid))


def own_loop():
    # The parent's loop runs in this thread as far as asyncio knows: a thread of its own has none yet.
    with multiprocessing.pool.ThreadPool(1) as threads:
        return threads.apply(lambda: asyncio.run(ticks(30)))


def square(number):
    return number * number


def pool():
    with multiprocessing.get_context("fork").Pool(WORKERS) as workers:
        say(role="parent", sum=sum(workers.map(square, range(PIECES), chunksize=1)))


def work(todo, done):
    for number in iter(todo.get, None):
        done.put(number * number)


def queue():
    context = multiprocessing.get_context("fork")
    todo, done = context.SimpleQueue(), context.SimpleQueue()
    workers = [context.Process(target=work, args=(todo, done)) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    total = 0
    for number in range(PIECES):
        todo.put(number)
        total += done.get()
    for worker in workers:
        todo.put(None)
    for worker in workers:
        worker.join()
    say(role="parent", sum=total)


def signals():
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    epoll = select.epoll()
    epoll.register(reader, select.EPOLLIN)
    signal.set_wakeup_fd(writer)
    signal.signal(signal.SIGUSR1, lambda *_: None)

    def wake():
        os.kill(os.getpid(), signal.SIGUSR1)
        epoll.poll(1)
        return len(os.read(reader, 64))

    woken = sum(wake() for _ in range(5))
    pid = os.fork()
    if pid == 0:
        # What a library's fork handler may do: whoever waits looks again.
        os.write(writer, b"x")
        signal.set_wakeup_fd(-1)
        epoll.close()
        say(role="child", ticks=asyncio.run(ticks(20)))
        os._exit(0)
    woken += sum(wake() for _ in range(20))
    say(role="parent", woken=woken, child_exit=end_of(pid))


def main():
    mode = sys.argv[1]
    if mode == "asyncio":
        asyncio.run(with_a_child())
    else:
        {"pool": pool, "queue": queue, "signals": signals}[mode]()


if __name__ == "__main__":
    main()
