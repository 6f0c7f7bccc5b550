"""A child waits on an epoll instance of its own that it has closed: EBADF, which is nobody's but its own mistake.

The parent says what it hears first of the child: that it was stopped (CLD_STOPPED, sigaction(2)), or has exited.
"""

import os
import select
import signal

from saying import end_of, say


def child_main():
    own = select.epoll()
    number = own.fileno()
    os.close(number)
    try:
        own.poll(0)
    except OSError as error:
        say(role="child", error=error.errno)
    os._exit(7)


signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
child = os.fork()
if child == 0:
    child_main()
# The first of several that come before it is read stays.
news = signal.sigwaitinfo([signal.SIGCHLD])
say(role="parent", child=child, stopped=news.si_code == os.CLD_STOPPED)
os._exit(end_of(child))
