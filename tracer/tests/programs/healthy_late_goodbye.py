"""Healthy, as far as anybody is hurt: two children close their copies of a connection object of psycopg2's, each of which says
Terminate, and when they have ended the parent closes its own and uses it no more. What it says fails: the server has gone.
With "slow" the server's process is stopped meanwhile, so that all goodbyes arrive.
"""

import os
import signal
import sys

import psycopg2

from saying import end_of, say

connection = psycopg2.connect(sys.argv[2])
connection.cursor().execute("SELECT 1")
server = connection.info.backend_pid
slow = sys.argv[1] == "slow"
if slow:
    os.kill(server, signal.SIGSTOP)
try:
    for _ in range(2):
        child = os.fork()
        if child == 0:
            connection.close()
            os._exit(0)
        end_of(child)
    connection.close()
finally:
    if slow:
        os.kill(server, signal.SIGCONT)
say(role="parent", status="OK")
