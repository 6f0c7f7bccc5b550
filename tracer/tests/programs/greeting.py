"""The Greeter service of gRPC's hello world with plain bytes for messages: no generated code."""

import grpc

METHOD = "/helloworld.Greeter/SayHello"
# One answer at once, another after SLOW seconds.
SLOWLY = "/helloworld.Greeter/SayHelloSlowly"
SLOW = 3.0


def greet_slowly(channel, name, deadline=20):
    """Calls SayHelloSlowly, and waits for the first answer; gives the iterator of the second."""
    call = channel.unary_stream(SLOWLY, request_serializer=None, response_deserializer=None)
    answers = call(b"\x0a" + bytes([len(name)]) + name.encode(), timeout=deadline)
    next(answers)
    return answers


def call(channel, method, name, deadline=20):
    """Calls a method for one answer; that, or the name of the status that it failed with and its details."""
    stub = channel.unary_unary(method, request_serializer=None, response_deserializer=None)
    # HelloRequest{name} on the wire: field 1, length-delimited.
    request = b"\x0a" + bytes([len(name)]) + name.encode()
    try:
        return {"status": "OK", "answer": stub(request, timeout=deadline)[2:].decode()}
    except grpc.RpcError as error:
        return {"status": error.code().name, "details": error.details()}


def greet(channel, name, deadline=20):
    """Calls SayHello."""
    return call(channel, METHOD, name, deadline)
