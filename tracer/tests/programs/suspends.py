"""A program that tidies up before it stops at Ctrl-Z: asks for a line on its terminal, and stops itself then.

It says when it is ready, when it asks, what it got, and when it goes on; it ends at the end of its input.
"""

import os
import signal

from saying import say


def on_stop(*_):
    say(asks=True)
    say(got=os.read(0, 100).decode().strip())
    os.kill(os.getpid(), signal.SIGSTOP)
    say(goes_on=True)


signal.signal(signal.SIGTSTP, on_stop)
say(ready=True)
while os.read(0, 100):
    pass
