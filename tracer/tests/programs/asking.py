"""Asking a database for numbers, to see whose answers come."""

from saying import say, within

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
