"""redis-py: parent and child use one connection, in turns or at once. The work is bounded in time."""

import argparse
import os

import redis

from saying import end_of, say, within

arguments = argparse.ArgumentParser(description=__doc__)
arguments.add_argument("port", type=int)
arguments.add_argument("--at-once", action="store_true", help="both use it at the same time")
arguments.add_argument("--tls", action="store_true", help="the server speaks TLS, with a certificate that nobody knows")
options = arguments.parse_args()

ROUNDS = 200
SECONDS = 5


def ask_often(client, role):
    """How many answers were wrong: another's, or none."""
    return sum(client.echo(f"{role}-{round}") != f"{role}-{round}".encode() for round in range(ROUNDS))


def use(client, role):
    say(role=role, wrong=within(SECONDS, lambda: ask_often(client, role)))


def main():
    # Its default pool, by contrast, opens another connection in a child.
    tls = {"ssl": True, "ssl_cert_reqs": "none", "ssl_check_hostname": False} if options.tls else {}
    client = redis.Redis(host="127.0.0.1", port=options.port, single_connection_client=True, **tls)
    use(client, "parent")
    say(role="parent", fd=client.connection._sock.fileno())
    child = os.fork()
    if child == 0:
        use(client, "child")
        os._exit(0)
    if options.at_once:
        use(client, "parent")
    say(role="parent", child=child, child_exit=end_of(child))
    if not options.at_once:
        use(client, "parent")
    # Before the connection object goes: no goodbye on what may be broken.
    os._exit(0)


main()
