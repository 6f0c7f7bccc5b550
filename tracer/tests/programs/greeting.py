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


def greet(channel, name, deadline=20):
    """Calls SayHello; the answer, or the name of the status that it failed with and its details."""
    call = channel.unary_unary(METHOD, request_serializer=None, response_deserializer=None)
    # HelloRequest{name} on the wire: field 1, length-delimited.
    request = b"\x0a" + bytes([len(name)]) + name.encode()
    try:
        return {"status": "OK", "answer": call(request, timeout=deadline)[2:].decode()}
    except grpc.RpcError as error:
        return {"status": error.code().name, "details": error.details()}
