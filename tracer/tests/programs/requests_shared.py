"""requests: parent and child have one Session, which keeps its connection open, and ask at once until a page is swapped.

usage: requests_shared.py PORT     the server answers /echo/WORD with /echo/WORD
"""

import os
import sys

import requests

from saying import end_of, say, within

ROUNDS = 500
SECONDS = 20
session = requests.Session()


def ask(word):
    path = f"/echo/{word}"
    return session.get(f"http://127.0.0.1:{sys.argv[1]}{path}", timeout=2).text == path


def swapped(role):
    """Whether it got the other's page, or an answer that it could not read. With no answer at all it has not."""
    try:
        return not all(ask(f"{role}{number}") for number in range(ROUNDS))
    except requests.exceptions.Timeout:
        return False
    except requests.exceptions.RequestException:
        return True


def main():
    assert ask("first")
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.read(reader, 1)
        say(role="child", swapped=within(SECONDS, lambda: swapped("child")))
        os._exit(0)
    os.write(writer, b".")
    say(role="parent", swapped=within(SECONDS, lambda: swapped("parent")))
    say(role="parent", child=child, child_exit=end_of(child))
    os._exit(0)


main()
