"""What all programs share: one JSON line per thing done, and work that ends."""

import json
import os
import threading


def say(**fields):
    """Prints one JSON line with this process' number, in one write: two processes share stdout."""
    line = json.dumps({"pid": os.getpid(), **fields}) + "\n"
    os.write(1, line.encode())


def within(seconds, work):
    """Does the work in a thread and returns what it returned, or "hung" when that takes too long.

    The thread cannot be ended: leave the process with `os._exit` after a "hung".
    """
    result = ["hung"]

    def run():
        try:
            result[0] = work()
        except Exception as error:  # whatever it is, it is this program's result
            result[0] = f"{type(error).__name__}: {error}".strip()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    return result[0]


def end_of(child):
    """Waits for the child; its exit status as a shell gives it."""
    _, status = os.waitpid(child, 0)
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
