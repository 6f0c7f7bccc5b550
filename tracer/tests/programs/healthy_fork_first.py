"""Healthy: the child is forked before the parent's first channel; both call the same server."""

import os
import sys

import grpc

from greeting import greet
from saying import end_of, say

server = sys.argv[1]


def call(role):
    with grpc.insecure_channel(server) as channel:
        say(role=role, **greet(channel, role))


child = os.fork()
if child == 0:
    call("child")
    os._exit(0)
call("parent")
say(role="parent", child=child, child_exit=end_of(child))
