"""PyMySQL: a connection that crosses a fork. `mysql_shared.py PORT MODE`; the work is bounded in time.

`turns`, `at-once`: parent and child both ask on it. `closes`: the child closes its copy of the connection object, which
says COM_QUIT, and the parent asks again. `exits`: healthy: the child only exits, which drops its copy without a goodbye.
"""

import os
import sys

import pymysql

from asking import SECONDS, ask, use
from saying import end_of, say, within


def child_main(connection, mode):
    if mode == "closes":
        connection.close()
    elif mode != "exits":
        use(connection, "child", 1000)
        os._exit(0)
    say(role="child", done=mode)
    sys.exit(0)


def main():
    port, mode = sys.argv[1:]
    connection = pymysql.connect(host="127.0.0.1", port=int(port), user="test")
    say(role="parent", fd=connection._sock.fileno(), wrong=int(ask(connection, 1) != 1))
    child = os.fork()
    if child == 0:
        child_main(connection, mode)
    if mode == "at-once":
        use(connection, "parent", 5000)
    say(role="parent", child=child, child_exit=end_of(child))
    if mode == "turns":
        use(connection, "parent", 5000)
    if mode in ("closes", "exits"):
        say(role="parent", second=within(SECONDS, lambda: ask(connection, 2)))
    # Before the connection object goes: no goodbye on what may be broken.
    os._exit(0)


main()
