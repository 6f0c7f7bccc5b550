"""psycopg2: parent and child use one connection, in turns or at once. The work is bounded in time."""

import argparse
import os

import psycopg2

from saying import end_of, say, within

arguments = argparse.ArgumentParser(description=__doc__)
arguments.add_argument("dsn")
arguments.add_argument("--at-once", action="store_true", help="both use it at the same time")
options = arguments.parse_args()

ROUNDS = 20
SECONDS = 5


def ask(connection, number):
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s", (number,))
        return cursor.fetchone()[0]


def ask_often(connection, first):
    """How many answers were wrong: another's, or none."""
    return sum(ask(connection, first + round) != first + round for round in range(ROUNDS))


def use(connection, role, first):
    say(role=role, wrong=within(SECONDS, lambda: ask_often(connection, first)))


def main():
    connection = psycopg2.connect(options.dsn)
    connection.autocommit = True
    say(role="parent", fd=connection.fileno(), wrong=int(ask(connection, 1) != 1))
    child = os.fork()
    if child == 0:
        use(connection, "child", 1000)
        os._exit(0)
    if options.at_once:
        use(connection, "parent", 5000)
    say(role="parent", child=child, child_exit=end_of(child))
    if not options.at_once:
        use(connection, "parent", 5000)
    # Before the connection object goes: no goodbye on what may be broken.
    os._exit(0)


main()
