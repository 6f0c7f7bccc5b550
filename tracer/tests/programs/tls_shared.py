"""Python's ssl: a TLS session crosses a fork.

`turns PORT`: parent and child use one session, one after the other.
`unwraps PORT`: the child ends the session that it inherited, and the parent goes on using it.
`own PORT`: healthy: the child has a session of its own, and ends that.
`exits PORT`: healthy: the child only exits.
"""

import os
import socket
import ssl
import sys

from saying import end_of, say, within

SECONDS = 5
MODE, PORT = sys.argv[1], int(sys.argv[2])


def connect():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context.wrap_socket(socket.create_connection(("127.0.0.1", PORT)), server_hostname="service.test")


def ask(stream):
    stream.sendall(b"hello")
    return stream.recv(16).decode()


def child_of(stream):
    if MODE == "turns":
        return within(SECONDS, lambda: ask(stream))
    if MODE == "unwraps":
        return within(SECONDS, lambda: str(stream.unwrap() is not None))
    if MODE == "own":
        with connect() as own:
            done = ask(own)
            own.unwrap()
            return done
    return None


def main():
    stream = connect()
    say(role="parent", fd=stream.fileno(), version=stream.version(), first=ask(stream))
    child = os.fork()
    if child == 0:
        say(role="child", done=child_of(stream))
        os._exit(0)
    say(role="parent", child=child, child_exit=end_of(child))
    say(role="parent", second=within(SECONDS, lambda: ask(stream)))
    os._exit(0)


main()
