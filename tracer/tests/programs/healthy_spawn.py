"""Healthy: the founding case with spawn instead of fork: the child is a new program."""

import multiprocessing
import sys

import grpc

from greeting import greet
from saying import say


def child_main(server):
    with grpc.insecure_channel(server) as channel:
        say(role="child", **greet(channel, "child"))


if __name__ == "__main__":
    channel = grpc.insecure_channel(sys.argv[1])
    say(role="parent", **greet(channel, "parent"))
    process = multiprocessing.get_context("spawn").Process(target=child_main, args=(sys.argv[1],))
    process.start()
    process.join()
    say(role="parent", child=process.pid, child_exit=process.exitcode)
    say(role="parent", **greet(channel, "again"))
    channel.close()
