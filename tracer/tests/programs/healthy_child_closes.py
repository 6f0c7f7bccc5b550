"""Healthy: the child only closes the connection that it inherited; the parent goes on using it."""

import os
import sys

import redis

from saying import end_of, say

client = redis.Redis(host="127.0.0.1", port=int(sys.argv[1]), single_connection_client=True)
client.ping()
number = client.connection._sock.fileno()
say(role="parent", fd=number)
child = os.fork()
if child == 0:
    os.close(number)
    say(role="child", closed=number)
    os._exit(0)
say(role="parent", child=child, child_exit=end_of(child), ping=client.ping())
client.close()
