# The prompt of a bash in a test: a whole line first, so that it can be waited for.
PS1='bash awaits a command\n$ '
