#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
at_limit.py LIMIT HOST PORT, or LIMIT PATH: what becomes of connections above the limit of a launcher
that starts LIMIT handlers at a time, or, of an inetd, in a minute. Prints what the launcher does with
them: `waits` (it is served when another has ended), `closed`, `closed, then refused`, or `served`. All
LIMIT connections before that must be served at the same time.
"""
import sys
import time

from player import dial

LIMIT = int(sys.argv[1])
ADDRESS = f"tcp:{sys.argv[2]}:{sys.argv[3]}" if sys.argv[3:] else f"unix:{sys.argv[2]}"


def reply(connection, data, seconds):
    """What comes in so many seconds after this was sent; nothing at an end or a reset, None if it does not end."""
    connection.send(data)
    connection.sock.settimeout(seconds)
    try:
        return connection.read_some()
    except ConnectionResetError:
        return b""
    except TimeoutError:
        return None


def rest():
    """What becomes of further ones after one that was closed."""
    # The listening socket is not yet closed when that connection is.
    end = time.monotonic() + 2
    while time.monotonic() < end:
        try:
            dial(ADDRESS).close()
        except ConnectionRefusedError:
            return "closed, then refused"
        except (ConnectionResetError, BlockingIOError):
            pass
        time.sleep(0.02)
    return "closed"


held = [dial(ADDRESS) for _ in range(LIMIT)]
for one in held:
    one.send(b"hell")
for one in held:
    one.until_read()
above = dial(ADDRESS)
came = reply(above, b"hello\0", 1)
last = held.pop()
if reply(last, b"o\0", 60) != b"hello\0":
    sys.exit(f"the launcher did not serve {LIMIT} at a time")
last.close()
if came:
    print("served")
elif came is None and reply(above, b"", 60) == b"hello\0":
    print("waits")
else:
    print(rest())
