"""The child of a Popen uses its parent's connection in preexec_fn, before it executes its program.

`pg DSN`: one psycopg2 connection. `redis PORT`: one redis-py connection. `only-child …`: the parent does not use it again.
"""

import os
import subprocess
import sys

from saying import say, within

SECONDS = 5


def postgres(dsn):
    import psycopg2

    connection = psycopg2.connect(dsn)
    connection.autocommit = True

    def ask(number):
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s", (number,))
            return cursor.fetchone()[0]

    return connection.fileno(), ask


def redis(port):
    from redis import Redis

    client = Redis(host="127.0.0.1", port=int(port), single_connection_client=True)
    return client.connection._sock.fileno(), lambda number: int(client.echo(str(number)))


def main():
    *once, mode, where = sys.argv[1:]
    fd, ask = {"pg": postgres, "redis": redis}[mode](where)
    say(role="parent", fd=fd, first=ask(1))
    child = subprocess.Popen(["true"], preexec_fn=lambda: say(role="child", asked=ask(2)))
    say(role="parent", child=child.pid, child_exit=child.wait())
    if not once:
        say(role="parent", second=within(SECONDS, lambda: ask(3)))
    os._exit(0)


main()
