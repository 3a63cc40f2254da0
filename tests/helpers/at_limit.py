#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
at_limit.py HOST PORT, or PATH: what becomes of connections above the limit of a launcher that starts
one handler at a time, or, of an inetd, one a minute. Prints what the launcher does with them: `waits`
(it is served when the first has ended), `closed`, or `closed, then refused`.
"""
import socket
import sys
import time

ADDRESS = (sys.argv[1], int(sys.argv[2])) if sys.argv[2:] else sys.argv[1]
PATIENCE = 20


def connect():
    connection = socket.socket(socket.AF_INET if sys.argv[2:] else socket.AF_UNIX)
    connection.settimeout(PATIENCE)
    connection.connect(ADDRESS)
    return connection


def reply(connection):
    """What comes until the end or a reset; None if nothing comes for a while."""
    try:
        connection.sendall(b"hello\0")
        return connection.recv(100)
    except (ConnectionResetError, BrokenPipeError):
        return b""
    except TimeoutError:
        return None


first = connect()
first.sendall(b"hell")
second = connect()
second.settimeout(0.3)
came = reply(second)
if came is None:
    first.sendall(b"o\0")
    second.settimeout(PATIENCE)
    served = first.recv(100) == b"hello\0"
    first.close()
    print("waits" if served and second.recv(100) == b"hello\0" else "lost")
elif came:
    print("served")
else:
    # The listening socket is not yet closed when the second connection is.
    end = time.monotonic() + 2
    done = "closed"
    while done == "closed" and time.monotonic() < end:
        try:
            connect().close()
        except ConnectionRefusedError:
            done = "closed, then refused"
        except ConnectionResetError:
            pass
    print(done)
