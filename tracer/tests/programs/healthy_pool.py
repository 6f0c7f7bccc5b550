"""A pool of forked processes: each opens a Redis connection of its own. usage: healthy_pool.py PORT"""

import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor

import redis

from saying import say

client = None


def connect(port):
    global client
    client = redis.Redis(port=port)


def work(number):
    client.set(f"key{number}", number)
    return int(client.get(f"key{number}")), os.getpid()


def main():
    port = int(sys.argv[1])
    parent = redis.Redis(port=port)
    parent.ping()
    parent.close()
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(3, mp_context=context, initializer=connect, initargs=(port,)) as pool:
        results = list(pool.map(work, range(30)))
    assert [number for number, _ in results] == list(range(30))
    say(role="parent", workers=len({pid for _, pid in results}))


if __name__ == "__main__":
    main()
