"""Installs a seccomp filter of its own, which answers shutdown(2) with EPERM, and then shuts a socket down."""

import ctypes
import socket
import struct

from saying import say

PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2
SHUTDOWN, EPERM, ERRNO, ALLOW = 48, 1, 0x00050000, 0x7FFF0000
LOAD_NUMBER, EQUALS, RETURN = 0x20, 0x15, 0x06


def instruction(code, yes, no, value):
    return struct.pack("HBBI", code, yes, no, value)


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


filter = ctypes.create_string_buffer(
    instruction(LOAD_NUMBER, 0, 0, 0)
    + instruction(EQUALS, 0, 1, SHUTDOWN)
    + instruction(RETURN, 0, 0, ERRNO | EPERM)
    + instruction(RETURN, 0, 0, ALLOW)
)
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
program = Program(4, ctypes.addressof(filter))
assert libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) == 0

one, other = socket.socketpair()
try:
    one.shutdown(socket.SHUT_WR)
    say(role="first", result="shut down")
except PermissionError:
    say(role="first", result="refused")
