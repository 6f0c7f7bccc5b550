"""The founding case: a parent calls a server, then a child makes its own channel to it, and calls.

The cures by environment (GRPC_ENABLE_FORK_SUPPORT) are set from outside.
"""

import argparse
import multiprocessing
import os
import socket
import sys

import grpc

from greeting import greet
from saying import end_of, say

arguments = argparse.ArgumentParser(description=__doc__)
arguments.add_argument("server", help="HOST:PORT")
arguments.add_argument("--cure", choices=["none", "close", "with"], default="none")
arguments.add_argument("--second", help="HOST:PORT of the server that the child calls instead")
arguments.add_argument("--fork", choices=["multiprocessing", "os"], default="multiprocessing")
arguments.add_argument("--take-number", metavar="HOST:PORT", help="the child connects to this on the freed number")
arguments.add_argument("--wait", action="store_true", help="before the fork, wait for a line on stdin")
arguments.add_argument("--parent-again", action="store_true", help="the parent calls once more after the child")
arguments.add_argument("--deadline", type=float, default=10, help="seconds, for the calls after the fork")
options = arguments.parse_args()


def connection_number(server):
    """The number of this process' connection to the server, from /proc: no call on the descriptor."""
    port = f":{int(server.rsplit(':', 1)[1]):04X}"
    inodes = set()
    for table in ("/proc/self/net/tcp", "/proc/self/net/tcp6"):
        with open(table) as lines:
            inodes |= {line.split()[9] for line in lines if line.split()[2].endswith(port)}
    for number in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{number}")
        except FileNotFoundError:  # the directory's own
            continue
        if target.startswith("socket:[") and target[8:-1] in inodes:
            return int(number)
    return None


def take(number, server):
    """Opens sockets until one has the number, and connects that one."""
    others = []
    while True:
        taker = socket.socket()
        if taker.fileno() == number:
            break
        if taker.fileno() > number:
            raise SystemExit(f"number {number} is not free")
        others.append(taker)
    host, port = server.rsplit(":", 1)
    taker.connect((host, int(port)))
    say(role="child", took=number)
    return taker


def child_main(number):
    say(role="child", parent=os.getppid())
    taker = take(number, options.take_number) if options.take_number else None
    server = options.second or options.server
    outcome = greet(grpc.insecure_channel(server), "child", options.deadline)
    say(role="child", call=2, taken=taker is not None, **outcome)


def fork_child(number):
    if options.fork == "multiprocessing":
        process = multiprocessing.get_context("fork").Process(target=child_main, args=(number,))
        process.start()
        process.join()
        return process.pid, process.exitcode
    pid = os.fork()
    if pid == 0:
        child_main(number)
        os._exit(0)
    return pid, end_of(pid)


def main():
    if options.cure == "with":
        with grpc.insecure_channel(options.server) as channel:
            outcome = greet(channel, "parent")
            number = connection_number(options.server)
    else:
        channel = grpc.insecure_channel(options.server)
        outcome = greet(channel, "parent")
        number = connection_number(options.server)
        if options.cure == "close":
            channel.close()
    say(role="parent", call=1, fd=number, **outcome)
    if options.wait:
        say(role="parent", waiting=True)
        sys.stdin.readline()
    pid, code = fork_child(number)
    say(role="parent", child=pid, child_exit=code)
    if options.parent_again:
        say(role="parent", call=3, **greet(channel, "again", options.deadline))


if __name__ == "__main__":
    main()
    # A channel that two processes used may never shut down: its end is not what is tested.
    os._exit(0)
