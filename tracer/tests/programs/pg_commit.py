"""psycopg2: the child commits what its parent has begun, and the parent's rollback has no effect. usage: pg_commit.py DSN"""

import os
import sys

import psycopg2

from saying import end_of, say

connection = psycopg2.connect(sys.argv[1])
cursor = connection.cursor()
cursor.execute("CREATE TABLE kept (number int)")
connection.commit()
cursor.execute("INSERT INTO kept VALUES (1)")
child = os.fork()
if child == 0:
    connection.commit()
    say(role="child", done="commit")
    os._exit(0)
say(role="parent", child=child, child_exit=end_of(child))
connection.rollback()
cursor.execute("SELECT count(*) FROM kept")
say(role="parent", fd=connection.fileno(), kept=cursor.fetchone()[0])
