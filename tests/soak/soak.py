#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
soak.py clients [--count=N] [--parallel=N] [--path=PATH] HOST:PORT
    makes so many connections, by clients of all manners, checks every byte that comes back, and prints
    how many of them the server must log with which result. PATH is what happens between client and
    server: `clean`, `lossy` (packets are lost) or `broken` (also, clients are sent resets).
soak.py compare LOG EXPECTED...
    whether the lines of the log are those that the clients expect; prints a line for each result.

Where a client's leaving overtakes its message, more than one result is right: such a client counts as
`echoed|gone`, with `none` for no line. Peers that sent nothing are not counted, as units don't log them.
"""
import argparse
import collections
import errno
import pathlib
import random
import re
import sys
import time
from concurrent.futures import ProcessPoolExecutor

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "helpers"))
from player import OPEN, RESET, Failed, dial  # noqa: E402

LIMIT = 1 << 20  # of the server
TEXT = "wörld, 世界, 🌍, and back again. " * (LIMIT // 30)
BYTES = TEXT.encode()
RESULTS = ("echoed", "eof", "too-long", "invalid-utf8", "timeout", "gone", "error")
# A path that loses resets, or sends some, leaves more to chance.
ANY = "echoed|eof|gone|invalid-utf8|none|timeout|too-long"


class Broken(Exception):
    """The path ended the connection."""


def message(chance):
    """A text of a random size, from nothing to the limit; most are short."""
    most = chance.choice((0, 1, 100, 100, 100, 5000, 5000, 70000, LIMIT))
    size = chance.choice((most, chance.randrange(most + 1)))
    start = chance.randrange(len(BYTES) - size + 1)
    text = BYTES[start:start + size]
    return text.decode("utf-8", "ignore").encode() if size < LIMIT else b"x" * size


def ends_with(connection, expected, clean):
    """All that comes has to be this; on a path that breaks connections, it may be less before a reset."""
    end = connection.read_to_end()
    received = bytes(connection.received)
    if received == expected and (end != RESET or clean and not expected):
        return
    if not expected.startswith(received) or clean or end == OPEN:
        raise Failed(f"{len(received)} of {len(expected)} bytes came back, and {end}: {received[:60]!r}")
    raise Broken


# Clients: each returns the results that the server may log.


def polite(connection, chance, clean):
    text = message(chance) + b"\0"
    connection.send(text)
    ends_with(connection, text, clean)
    return "echoed"


def in_pieces(connection, chance, clean):
    text = message(chance) + b"\0"
    for cut in range(0, len(text), len(text) // 3 + 1):
        connection.send(text[cut:cut + len(text) // 3 + 1])
        time.sleep(0.001)
    if chance.random() < 0.5:
        connection.half_close()
    ends_with(connection, text, clean)
    return "echoed"


def slow_reader(connection, chance, clean):
    text = message(chance) + b"\0"
    connection.send(text)
    for _ in range(5):
        time.sleep(0.002)
        connection.received += connection.sock.recv(100)
    ends_with(connection, text, clean)
    return "echoed"


def talks_on(connection, chance, clean):
    text = message(chance)[:5000].decode("utf-8", "ignore").encode() + b"\0"
    connection.send(text + b"what comes next\0")
    connection.half_close()
    ends_with(connection, text, clean)
    return "echoed"


def half_a_message(connection, chance, clean):
    connection.send(b"half" + message(chance)[:5000])
    if not clean or chance.random() < 0.5:
        connection.half_close()
        ends_with(connection, b"", clean)
    return "eof"


def garbage(connection, chance, clean):
    connection.send(b"bad" + chance.choice((b"\xff", b"\xc0\xaf", b"\xed\xa0\x80")) + chance.randbytes(300))
    connection.half_close()
    ends_with(connection, b"", clean)
    return "invalid-utf8"


def endless(connection, _chance, clean):
    connection.send_until_refused(b"x" * 65536, 2 * LIMIT)
    ends_with(connection, b"", clean)
    return "too-long"


def nothing(_connection, _chance, clean):
    return "none" if clean else "none|timeout"  # a reset that takes the end from the server


def reset_early(connection, _chance, _clean):
    connection.send(b"hell")
    connection.reset()
    return "eof|none"


def reset_late(connection, chance, _clean):
    connection.send(message(chance) + b"\0")
    connection.reset()
    return "echoed|eof|gone|none"


def stalls(connection, _chance, clean):
    connection.send(b"hell")
    ends_with(connection, b"", clean)
    return "timeout"


# How often, of a thousand.
CLIENTS = {polite: 668, in_pieces: 100, slow_reader: 20, talks_on: 40, half_a_message: 60, garbage: 50, endless: 10,
           nothing: 20, reset_early: 20, reset_late: 10, stalls: 2}


def meet(address, client, chance, path):
    """One client's life."""
    try:
        connection = dial(f"tcp:{address}")
    except (ConnectionRefusedError, ConnectionResetError):
        if path != "broken":
            raise
        return "none"
    try:
        results = client(connection, chance, path != "broken")
        # What a lost reset would have ended, the deadline ends.
        return results if path == "clean" or "|" not in results else ANY
    except (Broken, OSError) as error:
        if path != "broken" or isinstance(error, TimeoutError):
            raise
        return ANY
    finally:
        connection.close()


def some(address, path, seed, count):
    """So many clients, one after the other."""
    chance = random.Random(seed)
    expected = collections.Counter()
    clients = chance.choices(list(CLIENTS), list(CLIENTS.values()), k=count)
    for number, client in enumerate(clients):
        try:
            results = meet(address, client, chance, path)
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                time.sleep(1)  # all ports are closing
                continue
            raise Failed(f"{client.__name__}, {number} of seed {seed}: {error}") from error
        except Failed as error:
            raise Failed(f"{client.__name__}, {number} of seed {seed}: {error}") from error
        expected[results] += 1
    return expected


def clients(arguments):
    parallel = min(arguments.parallel, arguments.count)
    shares = [arguments.count // parallel + (number < arguments.count % parallel) for number in range(parallel)]
    expected = collections.Counter()
    with ProcessPoolExecutor(parallel) as pool:
        running = [pool.submit(some, arguments.address, arguments.path, f"{arguments.path} {number}", share)
                   for number, share in enumerate(shares)]
        for one in running:
            expected += one.result()
    for results, count in sorted(expected.items()):
        print(results, count)


def compare(arguments):
    expected = collections.Counter()
    for file in arguments.expected:
        for line in pathlib.Path(file).read_text("ascii").splitlines():
            results, count = line.split()
            expected[frozenset(results.split("|"))] += int(count)
    logged = collections.Counter(
        match[1] for match in re.finditer(r" result=(\S+) bytes=(\d+) ",
                                          pathlib.Path(arguments.log).read_text("utf-8", "replace"))
        if match.groups() != ("eof", "0"))
    right = True
    for result in (*RESULTS, "all"):
        own = frozenset([result]) if result != "all" else None
        count = logged[result] if own else logged.total()
        least = sum(number for results, number in expected.items()
                    if (results == own if own else "none" not in results))
        most = sum(number for results, number in expected.items()
                   if (result in results if own else results != {"none"}))
        right &= least <= count <= most
        print(f"{result}={count} of {least}{'' if least == most else f' to {most}'}")
    sys.exit(0 if right else 1)


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("clients")
    one.set_defaults(run=clients)
    one.add_argument("--count", type=int, default=1000)
    one.add_argument("--parallel", type=int, default=8)
    one.add_argument("--path", choices=("clean", "lossy", "broken"), default="clean")
    one.add_argument("address")
    one = commands.add_parser("compare")
    one.set_defaults(run=compare)
    one.add_argument("log")
    one.add_argument("expected", nargs="+")
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
