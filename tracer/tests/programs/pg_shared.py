"""psycopg2: parent and child use one connection, in turns or at once. The work is bounded in time."""

import argparse
import os

import psycopg2

from asking import ask, use
from saying import end_of, say

arguments = argparse.ArgumentParser(description=__doc__)
arguments.add_argument("dsn")
arguments.add_argument("--at-once", action="store_true", help="both use it at the same time")
options = arguments.parse_args()


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
