"""The gRPC server: prints its port when it is ready, and when it begins with a slow call; stops when its stdin closes."""

import sys
import time
from concurrent import futures

import grpc

from greeting import METHOD, SLOW, SLOWLY
from saying import say


def say_hello(request, _context):
    reply = b"Hello, " + request[2:]
    return b"\x0a" + bytes([len(reply)]) + reply


def say_hello_slowly(request, context):
    say(begun=SLOWLY)
    yield say_hello(request, context)
    time.sleep(SLOW)
    yield say_hello(request, context)


class Greeter(grpc.GenericRpcHandler):
    def service(self, details):
        if details.method == SLOWLY:
            return grpc.unary_stream_rpc_method_handler(say_hello_slowly)
        if details.method != METHOD:
            return None
        return grpc.unary_unary_rpc_method_handler(say_hello)


server = grpc.server(futures.ThreadPoolExecutor(max_workers=4), handlers=[Greeter()])
port = server.add_insecure_port("127.0.0.1:0")
server.start()
say(ready=True, port=port)
sys.stdin.read()
server.stop(grace=None).wait()
