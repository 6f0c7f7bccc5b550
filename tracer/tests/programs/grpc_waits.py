"""A gRPC child that waits for a server which never answers: `grpc_waits.py HOST:PORT` of one that does.

The parent has a thread of its own, calls, and forks with gRPC's fork support on (set from outside). The child's call has
its own channel, and its own threads: it waits, and does not stand still. It is killed when a line comes on stdin.
"""

import multiprocessing
import os
import socket
import sys
import threading

import grpc

from greeting import greet
from saying import say

# It is connected to, and says nothing.
silent = socket.create_server(("127.0.0.1", 0))


def child_main():
    say(role="child", parent=os.getppid())
    greet(grpc.insecure_channel(f"127.0.0.1:{silent.getsockname()[1]}"), "child", 3600)


def main():
    threading.Thread(target=threading.Event().wait, daemon=True).start()
    say(role="parent", **greet(grpc.insecure_channel(sys.argv[1]), "parent"))
    child = multiprocessing.get_context("fork").Process(target=child_main)
    child.start()
    say(role="parent", wait="grpc", child=child.pid, ready=True)
    sys.stdin.readline()
    child.kill()
    child.join()
    os._exit(0)


main()
