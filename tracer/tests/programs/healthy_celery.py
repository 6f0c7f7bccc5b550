"""Celery with forked workers and a Redis broker: tasks are sent, done and answered. usage: healthy_celery.py PORT"""

import os
import signal
import subprocess
import sys

from celery import Celery

from saying import say

TASKS = 20
broker = f"redis://127.0.0.1:{os.environ.get('BROKER_PORT') or sys.argv[1]}/0"
app = Celery("healthy_celery", broker=broker, backend=broker)


@app.task
def double(number):
    return 2 * number, os.getpid()


def main():
    # A process of its own: this one is a client that forks nothing more.
    command = [sys.executable, "-m", "celery", "-A", "healthy_celery", "worker", "-c", "2", "-P", "prefork", "-l", "error"]
    here = os.path.dirname(os.path.abspath(__file__))
    worker = subprocess.Popen(command, cwd=here, env={**os.environ, "BROKER_PORT": sys.argv[1]})
    results = [double.delay(number).get(timeout=60) for number in range(TASKS)]
    assert [result for result, _ in results] == [2 * number for number in range(TASKS)]
    say(role="parent", workers=len({pid for _, pid in results}))
    worker.send_signal(signal.SIGTERM)
    worker.wait()


if __name__ == "__main__":
    main()
