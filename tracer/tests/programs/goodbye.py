"""The child ends the connection that it inherited, and the parent goes on using it.

`pg DSN`: with psycopg2, the child closes its copy of the connection object, which says Terminate.
`shutdown HOST:PORT`: on a plain connection, the child shuts the socket down.
`drop DSN`: healthy: the child drops its copy without a goodbye.
"""

import os
import socket
import sys

from saying import end_of, say, within

SECONDS = 5


def postgres(dsn, goodbye):
    import psycopg2

    connection = psycopg2.connect(dsn)
    connection.autocommit = True

    def ask():
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return cursor.fetchone()[0]

    def child():
        if goodbye:
            connection.close()
        else:
            os.close(connection.fileno())

    return connection.fileno(), ask, child


def plain(address):
    host, port = address.rsplit(":", 1)
    stream = socket.create_connection((host, int(port)))

    def ask():
        stream.sendall(b"hello")
        return stream.recv(16).decode()

    return stream.fileno(), ask, lambda: stream.shutdown(socket.SHUT_RDWR)


def main():
    mode, where = sys.argv[1:]
    fd, ask, goodbye = plain(where) if mode == "shutdown" else postgres(where, mode == "pg")
    say(role="parent", fd=fd, first=ask())
    child = os.fork()
    if child == 0:
        goodbye()
        say(role="child", done=mode)
        os._exit(0)
    say(role="parent", child=child, child_exit=end_of(child))
    say(role="parent", second=within(SECONDS, ask))
    os._exit(0)


main()
