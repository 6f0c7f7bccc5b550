"""A fork while a request is under way, and a child that lives on and touches nothing.

`pg-async DSN`: a psycopg2 connection that waits for nothing. `pg-thread DSN`: another thread waits for the answer.
`grpc HOST:PORT`: a streaming call. `answered DSN`: healthy: the answer is there before the fork.
"""

import os
import select
import sys
import threading

from saying import end_of, say

SLOW = 3.0  # seconds: longer than a child may take to close what it inherited


def ready(connection):
    import psycopg2.extensions as pg

    while (state := connection.poll()) != pg.POLL_OK:
        sets = ([connection], []) if state == pg.POLL_READ else ([], [connection])
        select.select(*sets, [])


def pg_async(dsn):
    import psycopg2

    connection = psycopg2.connect(dsn, async_=True)
    ready(connection)
    cursor = connection.cursor()
    cursor.execute("SELECT pg_sleep(%s)", (SLOW,))
    # The query is sent by the first poll at the latest.
    connection.poll()
    # The cursor is what the answer is for.
    return connection, lambda: ready(cursor.connection)


def pg_thread(dsn):
    import psycopg2

    connection, other = psycopg2.connect(dsn), psycopg2.connect(dsn)
    other.autocommit = True

    def ask():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(%s)", (SLOW,))

    asker = threading.Thread(target=ask, daemon=True)
    asker.start()
    with other.cursor() as cursor:
        running = 0
        while not running:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
            running = cursor.fetchone()[0]
    return connection, asker.join


def answered(dsn):
    import time

    import psycopg2

    connection = psycopg2.connect(dsn)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")

    def wait():
        time.sleep(SLOW)
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    return connection, wait


def grpc_stream(server):
    import grpc

    from greeting import greet_slowly

    channel = grpc.insecure_channel(server)
    answers = greet_slowly(channel, "parent")
    return channel, lambda: say(role="parent", second=next(answers).decode())


def main():
    mode, where = sys.argv[1:]
    modes = {"pg-async": pg_async, "pg-thread": pg_thread, "answered": answered, "grpc": grpc_stream}
    holder, answer = modes[mode](where)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writer)
        os.read(reader, 1)
        os._exit(0)
    os.close(reader)
    fd = holder.fileno() if hasattr(holder, "fileno") else None
    say(role="parent", fd=fd, child=child)
    answer()
    os.close(writer)
    say(role="parent", child_exit=end_of(child))
    os._exit(0)


main()
