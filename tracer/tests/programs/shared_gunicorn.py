"""An application that asks Redis, on a connection that it opens when it is loaded, and answers with its worker's number."""

import os

import redis

client = redis.Redis(port=int(os.environ["REDIS_PORT"]), single_connection_client=True, socket_timeout=10)
client.ping()


def application(_environ, start_response):
    client.incr("asked")
    body = str(os.getpid()).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
