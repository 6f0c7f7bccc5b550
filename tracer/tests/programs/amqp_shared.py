"""pika: a connection to an AMQP server crosses a fork.

`turns PORT`: parent and child use one channel, one after the other.
`closes PORT`: the child closes the connection that it inherited, and the parent goes on using it.
`channel PORT`: the child closes the channel only.
`own PORT`: healthy: the child opens a connection of its own, and closes that.
`exits PORT`: healthy: the child only exits.
`handed PORT`: healthy: the parent opens the connection, and only the child uses and closes it.
"""

import os
import sys

import pika
import pika.adapters.select_connection

from saying import end_of, say, within

# Its epoll instance would be shared as well, and break first: that is another story.
pika.adapters.select_connection.SELECT_TYPE = "poll"

SECONDS = 5
MODE, PORT = sys.argv[1], int(sys.argv[2])


def connect():
    return pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", PORT, heartbeat=0))


def work(channel):
    name = channel.queue_declare("", exclusive=True).method.queue
    channel.basic_publish("", name, b"hello")
    return channel.basic_get(name, auto_ack=True)[2].decode()


def child_of(connection, channel):
    if MODE == "turns":
        return within(SECONDS, lambda: work(channel))
    if MODE == "closes":
        return within(SECONDS, connection.close)
    if MODE == "channel":
        return within(SECONDS, channel.close)
    if MODE == "own":
        with connect() as own:
            return work(own.channel())
    if MODE == "handed":
        done = work(channel)
        connection.close()
        return done
    return None


def main():
    connection = connect()
    channel = connection.channel()
    fd = connection._impl._transport._sock.fileno()
    say(role="parent", fd=fd, first=None if MODE == "handed" else work(channel))
    child = os.fork()
    if child == 0:
        say(role="child", done=child_of(connection, channel))
        os._exit(0)
    say(role="parent", child=child, child_exit=end_of(child))
    if MODE != "handed":
        say(role="parent", second=within(SECONDS, lambda: work(channel)))
    if MODE in ("own", "exits"):
        connection.close()
    os._exit(0)


main()
