"""Healthy: the parent opens and uses a connection, then hands it to its child and never touches it again."""

import os
import sys

import redis

from saying import end_of, say

client = redis.Redis(host="127.0.0.1", port=int(sys.argv[1]), single_connection_client=True)
client.ping()
say(role="parent", fd=client.connection._sock.fileno())
child = os.fork()
if child == 0:
    say(role="child", right=all(client.echo(str(n)) == str(n).encode() for n in range(50)))
    client.close()
    os._exit(0)
say(role="parent", child=child, child_exit=end_of(child))
# Without the interpreter's end, which would close the client.
os._exit(0)
