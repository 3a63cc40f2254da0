#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
at_limit.py LIMIT HOST PORT, or LIMIT PATH: what becomes of connections above the limit of a launcher
that starts LIMIT handlers at a time, or, of an inetd, in a minute. Prints what the launcher does with
them: `waits` (it is served when another has ended), `closed`, `closed, then refused`, or `served`. All
LIMIT connections before that must be served at the same time.
"""
import socket
import sys
import time

LIMIT = int(sys.argv[1])
ADDRESS = (sys.argv[2], int(sys.argv[3])) if sys.argv[3:] else sys.argv[2]
PATIENCE = 20


def connect():
    connection = socket.socket(socket.AF_INET if sys.argv[3:] else socket.AF_UNIX)
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


def complete(connection):
    """Ends a message that was begun; whether the reply comes."""
    connection.sendall(b"o\0")
    return connection.recv(100) == b"hello\0"


def rest():
    """What becomes of further ones after one that was closed."""
    # The listening socket is not yet closed when that connection is.
    end = time.monotonic() + 2
    while time.monotonic() < end:
        try:
            connect().close()
        except ConnectionRefusedError:
            return "closed, then refused"
        except (ConnectionResetError, BlockingIOError):
            pass
    return "closed"


held = [connect() for _ in range(LIMIT)]
for one in held:
    one.sendall(b"hell")
above = connect()
above.settimeout(0.3)
came = reply(above)
last = held.pop()
if not complete(last):
    sys.exit(f"the launcher did not serve {LIMIT} at a time")
last.close()
above.settimeout(PATIENCE)
if came is None:
    print("waits" if above.recv(100) == b"hello\0" else "lost")
else:
    print("served" if came else rest())
