"""HTTP/2 over TLS, with h2: the child ends a request that its parent has under way.

`PORT`: of an HTTP/2 server over TLS.
"""

import os
import socket
import ssl
import sys

import h2.connection
import h2.errors
import h2.events

from saying import end_of, say

PORT = int(sys.argv[1])


def connect():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    return context.wrap_socket(socket.create_connection(("127.0.0.1", PORT)), server_hostname="service.test")


def headers(verb, path):
    return [(":method", verb), (":path", path), (":authority", "service.test"), (":scheme", "https")]


def ask(stream, session):
    """One request, to the end of its answer: the answer's status."""
    session.send_headers(1, headers("GET", "/there"), end_stream=True)
    stream.sendall(session.data_to_send())
    status = None
    while True:
        for event in session.receive_data(stream.recv(4096)):
            if isinstance(event, h2.events.ResponseReceived):
                status = int(dict(event.headers)[b":status"])
            if isinstance(event, h2.events.StreamEnded):
                return status


def main():
    stream = connect()
    session = h2.connection.H2Connection()
    session.initiate_connection()
    status = ask(stream, session)
    # Its body is not sent: it stays open.
    session.send_headers(3, headers("POST", "/upload"))
    stream.sendall(session.data_to_send())
    say(role="parent", fd=stream.fileno(), version=stream.version(), status=status)
    child = os.fork()
    if child == 0:
        session.reset_stream(3, h2.errors.ErrorCodes.CANCEL)
        stream.sendall(session.data_to_send())
        say(role="child", done=True)
        os._exit(0)
    say(role="parent", child=child, child_exit=end_of(child))
    os._exit(0)


main()
