"""Healthy: redis-py with its default pool, which opens another connection in the child. usage: healthy_redis_pool.py PORT"""

import os
import sys

import redis

from saying import end_of, say

client = redis.Redis(port=int(sys.argv[1]))
client.ping()
child = os.fork()
right = all(client.echo(str(number)) == str(number).encode() for number in range(50))
if child == 0:
    say(role="child", right=right)
    os._exit(0)
say(role="parent", right=right, child=child, child_exit=end_of(child))
