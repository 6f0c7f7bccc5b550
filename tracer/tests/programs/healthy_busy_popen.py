"""Healthy: many programs started, in subprocess' and multiprocessing's ways, while gRPC calls are under way.

Run it with GRPC_ENABLE_FORK_SUPPORT=0: gRPC's fork handlers may hang when a thread calls at that moment.
"""

import multiprocessing
import os
import subprocess
import sys
import threading

import grpc

from greeting import greet, greet_slowly
from saying import say

PROGRAMS = 40


def spawned():
    pass


def main():
    channel = grpc.insecure_channel(sys.argv[1])
    done = threading.Event()
    failed = []

    def call_often():
        while not done.is_set():
            failed.extend(answer for answer in [greet(channel, "busy")] if answer["status"] != "OK")

    answers = greet_slowly(channel, "parent")
    caller = threading.Thread(target=call_often)
    caller.start()
    for number in range(PROGRAMS):
        # By vfork, by fork, and by vfork with all descriptors.
        ways = [{}, {"preexec_fn": os.getpid}, {"close_fds": False}]
        subprocess.run(["/bin/true"], check=True, **ways[number % len(ways)])
    process = multiprocessing.get_context("spawn").Process(target=spawned)
    process.start()
    process.join()
    second = next(answers).decode()
    done.set()
    caller.join()
    say(role="parent", second=second, status=failed[0]["status"] if failed else "OK", spawned=process.exitcode)
    channel.close()


if __name__ == "__main__":
    main()
