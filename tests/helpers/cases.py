#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
The table of cases: what a server of the protocol must do with each of them, whoever launches it.

    cases.py options SERVER      the options that the server of that name is to be started with
    cases.py groups              the names of the groups of cases
    cases.py play --handover=KIND --server NAME=ADDRESS... --log=FILE [--times=N]
                  [--together=N] GROUP...

An ADDRESS is tcp:HOST:PORT, unix:PATH, or spawn:KIND for the handler as our own child ($HANDLER).
Each case of a group is played once, or so many times, one after the other or so many together.
Exit status: 0 if all went as the table says.
"""
import argparse
import itertools
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from player import CLEAN, RESET, Failed, Log, Server, Spawner, play

LIMIT = 1 << 20

# Cases name the server they are for. Only those about the deadline, which end in a timeout however
# slow the machine is, meet an impatient one.
OPTIONS = {
    "patient": ("--max-bytes=1M", "--timeout=60s"),
    "impatient": ("--max-bytes=1M", "--timeout=1s"),
    "misled": ("--timeout=abc",),
}


@dataclass(frozen=True)
class Case:
    """Steps, and what must come of them. After the steps the peer reads until the end."""

    name: str
    steps: tuple
    result: str  # as logged
    bytes: int = None  # message bytes as logged; None: whatever it was
    reply: bytes = b""
    end: tuple = (CLEAN,)
    server: str = "patient"
    needs: frozenset = frozenset()  # what the way of handing over must have; see HANDOVERS
    narrow: bool = False  # there is no room for a reply that is not read
    reads: bool = True  # else the peer leaves after its steps
    silent: bool = False  # the peer neither reads nor closes until the end is logged
    stays: bool = False  # the peer reads the reply, but closes only when the handler has ended
    says: str = ""  # no outcome is logged, but this sentence
    wrong: int = None  # the byte that is logged as wrong; None: whatever it was, or none


# Steps


def send(data):
    return lambda connection: connection.send(data)


def send_read(data):
    """Sends bytes and waits until the server, or the relay before it, has read them."""

    def step(connection):
        connection.send(data)
        connection.until_read()

    return step


def pause(seconds):
    return lambda _connection: time.sleep(seconds)


def urgent(byte):
    return lambda connection: connection.send_urgent(byte)


def drip(pieces, seconds):
    """Sends a byte at a time, with pauses, and must be stopped by the server before the last."""

    def step(connection):
        for _ in range(pieces):
            if connection.readable(seconds):
                return
            connection.send(b"x")
        raise Failed(f"the server let {pieces} bytes pass, one per {seconds} s")

    return step


def flood(most):
    """Sends without end, and must be stopped by the server before `most` bytes."""

    def step(connection):
        if connection.send_until_refused(b"x" * 65536, most) >= most:
            raise Failed(f"the server took {most} bytes")

    return step


def half_close(connection):
    connection.half_close()


def reset(connection):
    connection.reset()


def close(connection):
    connection.close()


def until_reply_begins(connection):
    connection.until_readable()


# What launchers hand over, and what can't be promised where a relay stands in between


@dataclass(frozen=True)
class Wanted:
    """The reply, and the ends and results, that are right."""

    reply: bytes
    ends: tuple  # none: there is no end while the peer waits for one
    results: tuple
    bytes: int = None
    whole: bool = True  # whether all of the reply must arrive, or only nothing else
    line: bool = True  # whether there must be a log line
    stays: bool = False  # whether the peer closes only after it
    wrong: int = None  # the byte in the line


def may_lose_reply(wanted):
    return replace(wanted, whole=False, ends=(CLEAN, RESET),
                   results=(*wanted.results, "gone", "eof"), bytes=None, wrong=None)


def is_left_waiting(wanted):
    return replace(wanted, ends=())


def may_lose_line(wanted):
    return replace(wanted, line=False, stays=False)


@dataclass(frozen=True)
class Handover:
    """One way of handing a connection over: how the log names its peers, and what it lacks."""

    peers: str
    direct: bool = False  # whether it is the handler's process that holds the connection open
    lacks: dict = field(default_factory=dict)  # from what a case needs to what is right without

    def adapt(self, case):
        """What must come of the case here."""
        wanted = Wanted(case.reply, case.end, (case.result,), case.bytes, stays=case.stays,
                        wrong=case.wrong)
        for need in case.needs & self.lacks.keys():
            wanted = self.lacks[need](wanted)
        return wanted


# What cases need: that the end of the peer's half, its bytes after those that decide, or its slow
# reading are no obstacle, nor are bytes that come when the handler has ended; that the handler may find
# it reset before the reply, and log that; that it has the connection even if it does nothing with it.
HALF_CLOSE, MORE_BYTES, SLOW_READER, LATE_BYTES, RESET_BEFORE, ACCEPTED = range(6)

HANDOVERS = {
    # The connection itself.
    "tcp": Handover(r"127\.0\.0\.1:\d+", direct=True),
    # The listening socket, by one who goes on listening when the server has ended.
    "tcp-waited-for": Handover(r"127\.0\.0\.1:\d+", direct=True,
                               lacks={ACCEPTED: is_left_waiting}),
    "unix": Handover(r"unix:uid=\d+,pid=\d+"),
    # Two pipes to the peer itself.
    "pipes": Handover("-"),
    # socat, which with its option end-close lets the handler end by itself. When it has, and socat is
    # slow, bytes for it that can't be written end socat before it has passed on the reply.
    "relayed-socketpair": Handover(r"127\.0\.0\.1:\d+", lacks={LATE_BYTES: may_lose_reply}),
    # ncat leaves as soon as the peer's half ends, or its child's input is closed, with whatever
    # reply is still in the pipe; and as soon as its child's output ends, with bytes unread, so that
    # a reset cuts the reply. What a slow peer's connection has no room for it drops (7.93: short
    # sends are not continued). When the peer is gone before the handler starts, it does not start.
    "relayed-pipes": Handover(r"127\.0\.0\.1:\d+", lacks={
        HALF_CLOSE: may_lose_reply,
        MORE_BYTES: may_lose_reply,
        SLOW_READER: may_lose_reply,
        RESET_BEFORE: may_lose_line,
    }),
}


# The table


def echo(text, **fields):
    data = text.encode()
    return Case(repr(text[:20]), (send(data + b"\0"),), "echoed", len(data), data + b"\0", **fields)


def refuse(name, data, result, accepted, more=False):
    """What is refused is drained. With more, the peer is still sending then."""
    needs = {MORE_BYTES} if more else ()
    wrong = data[accepted] if result == "invalid-utf8" else None
    return Case(name, (send(data),), result, accepted, wrong=wrong, needs=frozenset(needs))


def trail(name, *steps, needs=(), end=(CLEAN,)):
    """The message "hi" and more: the steps begin with what comes right behind it."""
    first, *rest = steps
    return Case(name, (send(b"hi\0" + first), *rest), "echoed", 2, b"hi\0", end=end,
                needs=frozenset(needs))


def splits(data):
    """Every way to cut the bytes in two."""
    return [(data[:cut], data[cut:]) for cut in range(1, len(data))]


LETTERS = "aé€😀"  # one byte to four
PLAIN = "hello world"

ODD_TEXTS = {
    "byte order mark": "\ufeffhello",
    "noncharacters": "\ufdd0\uffff\ufffe\U0001ffff\U0010ffff",
    "bidirectional controls": "\u202egnihtyna\u202c \u2066x\u2069",
    "combining": "e" + "\u0301" * 60,
    "joiners and selectors": "👩\u200d👩\u200d👧 ❤\ufe0f",
    "private use, unassigned, replacement": "\ue000\U000f0000\u0378\ufffd",
    "the first and last of each length": "\x01\x7f\x80\u07ff\u0800\uffff\U00010000\U0010ffff",
    "around the surrogates": "\ud7ff\ue000",
    "line ends": "\u2028\u2029\x85\r\n",
}

# Bytes that are no UTF-8, and how many of them may stand before that can be known.
INVALID = {
    "stray continuation": (b"\x80", 0),
    "stray continuation, highest": (b"\xbf", 0),
    "continuation too many": (b"\xc3\xa9\xa9", 2),
    "overlong of two, C0": (b"\xc0\x80", 0),
    "overlong of two, C1": (b"\xc1\xbf", 0),
    "overlong of three": (b"\xe0\x80\xaf", 1),
    "overlong of three, highest": (b"\xe0\x9f\xbf", 1),
    "overlong of four": (b"\xf0\x80\x80\xaf", 1),
    "overlong of four, highest": (b"\xf0\x8f\xbf\xbf", 1),
    "lowest surrogate": (b"\xed\xa0\x80", 1),
    "highest surrogate": (b"\xed\xbf\xbf", 1),
    "above U+10FFFF": (b"\xf4\x90\x80\x80", 1),
    **{f"{byte:02X}": (bytes([byte, 0x80, 0x80, 0x80]), 0) for byte in (0xF5, 0xFF)},
    "two bytes, the second no continuation": (b"\xc3A", 1),
    "three bytes, the third no continuation": (b"\xe2\x82A", 2),
    "four bytes, the fourth no continuation": (b"\xf0\x9f\x98A", 3),
    "two, cut by another character": (b"\xc3\xc3\xa9", 1),
}
# These are as good as any text until the null byte comes.
TRUNCATED = {
    "one of two": b"\xc3",
    "one of three": b"\xe2",
    "two of three": b"\xe2\x82",
    "one of four": b"\xf0",
    "two of four": b"\xf0\x9f",
    "three of four": b"\xf0\x9f\x98",
}
BEFORE = "é!".encode()


def refuse_split(name, data, accepted):
    """The data refused in one piece, and in two cut at each byte that is still sent."""
    yield refuse(name, BEFORE + data, "invalid-utf8", len(BEFORE) + accepted)
    for first, second in splits(BEFORE + data):
        if len(first) <= len(BEFORE) + accepted:
            yield Case(f"{name}, cut after {len(first)}", (send_read(first), send(second)),
                       "invalid-utf8", len(BEFORE) + accepted, wrong=data[accepted])


FORGERIES = {
    "a line feed": "x\npeer=192.0.2.1:1 result=echoed bytes=1 usec=1",
    "a carriage return": "x\rpeer=192.0.2.1:1 result=echoed bytes=1 usec=1",
    "a quote": 'x" result=error message="y',
    "a backslash": "\\x22\\",
    "escape sequences": "\x1b]0;title\x07\x1b[2J\x9b2J",
    "bidirectional override": "\u202eresult",
    "line separators": "x\u2028y\u2029z\x85w",
    "every control character": "".join(map(chr, range(1, 32))) + "\x7f",
    "a priority": "<3>x\n<3>y",
}
MIB = "x" * LIMIT
WIDE = "€" * (LIMIT // 3) + "x" * (LIMIT % 3)
WRITING = b"x" * LIMIT + b"\0"

# By name, what makes the cases: those of a MiB take long, and one group is played at a time.
GROUPS = {
    "hello": lambda: [echo(PLAIN)],
    "utf-8": lambda: [echo(letter) for letter in LETTERS] + [echo(LETTERS), echo("Grüße, 世界! 🥫")],
    "empty": lambda: [echo("")],
    "split": lambda: [
        replace(echo(LETTERS), name=f"cut after {len(first)} bytes",
                steps=(send_read(first), send(second)))
        for first, second in splits(LETTERS.encode() + b"\0")
    ],
    "byte-at-a-time": lambda: [
        replace(echo(LETTERS + PLAIN), name="byte at a time",
                steps=tuple(send_read(bytes([byte])) for byte in (LETTERS + PLAIN).encode())
                + (send(b"\0"),))
    ],
    "limit": lambda: [echo(MIB), echo(WIDE)],
    "over-limit": lambda: [
        refuse("one over", MIB.encode() + b"x", "too-long", LIMIT),
        refuse("one over, complete", MIB.encode() + b"x\0", "too-long", LIMIT, more=True),
        refuse("32 KiB more", MIB.encode() + b"x" * 32769, "too-long", LIMIT, more=True),
    ],
    "flood": lambda: [
        Case("without end", (flood(64 * LIMIT),), "too-long", LIMIT, end=(CLEAN, RESET))
    ],
    "trailing": lambda: [
        trail("50 bytes in the same segment", b"y" * 50),
        trail("bytes that are no UTF-8", b"\xff\xfe"),
        trail("null bytes", b"\0" * 7),
        trail("20 KiB", b"y" * 20480, needs=(MORE_BYTES,)),
        # When the handler closes, much of the reply has not left yet: a reset would destroy it.
        Case("20 KiB after a MiB, read slowly", (send(WRITING + b"y" * 20480),), "echoed", LIMIT,
             WRITING, narrow=True, needs=frozenset({MORE_BYTES, SLOW_READER})),
    ],
    "trailing-mib": lambda: [
        Case("100 bytes after a MiB", (send(WRITING + b"y" * 100),), "echoed", LIMIT, WRITING,
             needs=frozenset({MORE_BYTES}))
    ],
    "trailing-late": lambda: [
        trail("20 ms later", b"", pause(0.02), send(b"y" * 50), needs=(MORE_BYTES, LATE_BYTES),
              end=(CLEAN, RESET)),
    ],
    "second-message": lambda: [
        trail("at once", b"two\0"),
        trail("20 ms later", b"", pause(0.02), send(b"two\0"), needs=(MORE_BYTES, LATE_BYTES),
              end=(CLEAN, RESET)),
    ],
    "half-close": lambda: [
        Case("at once", (send(b"hi\0"), half_close), "echoed", 2, b"hi\0",
             needs=frozenset({HALF_CLOSE})),
        Case("after a MiB", (send(WRITING), half_close), "echoed", LIMIT, WRITING,
             needs=frozenset({HALF_CLOSE})),
    ],
    "eof": lambda: [
        Case("no byte", (half_close,), "eof", 0),
        Case("one byte", (send(b"a"), half_close), "eof", 1),
        Case("many bytes", (send(b"a" * 70000), half_close), "eof", 70000),
        Case("half a character", (send(b"a\xc3"), half_close), "eof", 2),
        Case("closed at once", (close,), "eof", 0, reads=False),
    ],
    "reset-reading": lambda: [
        Case("reset while reading", (send_read(b"abc"), reset), "eof", 3, reads=False,
             needs=frozenset({RESET_BEFORE}))
    ],
    "reset-writing": lambda: [
        Case("reset while writing", (send(WRITING), until_reply_begins, reset), "gone", LIMIT,
             narrow=True, reads=False)
    ],
    "invalid": lambda: [case for name, (data, accepted) in INVALID.items()
                        for case in refuse_split(name, data, accepted)],
    "invalid-late": lambda: [
        refuse("after much text", b"x" * 100000 + b"\xff", "invalid-utf8", 100000),
        refuse("in the last place", b"x" * (LIMIT - 1) + b"\xff", "invalid-utf8", LIMIT - 1),
    ],
    "truncated": lambda: [case for name, data in TRUNCATED.items()
                          for case in refuse_split(name, data + b"\0", len(data))],
    "odd": lambda: [replace(echo(text), name=name) for name, text in ODD_TEXTS.items()],
    "forgery": lambda: [replace(echo(text), name=name) for name, text in FORGERIES.items()],
    "silence": lambda: [Case("silence", (), "timeout", 0, server="impatient")],
    "silence-later": lambda: [
        Case("half a message", (send(b"hell"),), "timeout", 4, server="impatient")
    ],
    "drip": lambda: [
        Case("drip", (drip(100, 0.1),), "timeout", server="impatient", end=(CLEAN, RESET))
    ],
    "stalled": lambda: [
        Case("never reads", (send(WRITING),), "timeout", LIMIT, server="impatient", narrow=True,
             silent=True)
    ],
    "urgent": lambda: [
        Case("urgent byte", (send_read(b"he"), urgent(b"!"), send(b"llo\0")), "echoed", 5,
             b"hello\0")
    ],
    "conforming": lambda: [replace(echo(PLAIN), stays=True)] * 10,
    "misled": lambda: [
        Case("a bad option", (send(b"hello\0"),), "", server="misled", end=(CLEAN, RESET),
             says='cannot use "abc" for --timeout', needs=frozenset({ACCEPTED}))
    ],
}
# Ten handlers that linger for a second each would take longer.
QUICK = {"conforming": 9}


# The client of the book


def run_book_client(address, text):
    """Starts the client against an address and returns its process."""
    arguments = address.split(":", 1)[1].rsplit(":", 1)
    client = os.path.join(os.path.dirname(__file__), "book_client.py")
    return subprocess.Popen([sys.executable, client, *arguments, text], stdout=subprocess.PIPE)


def check_book_client(servers):
    server, text = servers["patient"], "Grüße aus der Dose"
    if server.spawner:
        process = server.spawner.serve(server.options, lambda at: run_book_client(at, text))
    else:
        process = run_book_client(server.address, text)
    output = process.communicate(timeout=30)[0]
    if output.decode() != text + "\n" or process.returncode != 0:
        raise Failed(f"the client printed {output!r} and ended with {process.returncode}")


# Command line


def failure_of(case, servers):
    try:
        play(case, servers[case.server])
    except Failed as failure:
        return f"{case.name}: {failure}"
    return None


def play_group(name, servers, times, together):
    """Plays a group, so many cases at a time, and returns whether all went well."""
    started = time.monotonic()
    failures = 0
    with ThreadPoolExecutor(together) as pool:
        cases = iter(GROUPS[name]() * times)
        # Three failures are enough to see what is wrong, and they may be slow.
        while failures < 3 and (batch := list(itertools.islice(cases, together))):
            for failure in pool.map(lambda case: failure_of(case, servers), batch):
                if failure:
                    failures += 1
                    print(f"{name}: {failure}", file=sys.stderr)
    took = time.monotonic() - started
    if took > QUICK.get(name, took):
        failures += 1
        print(f"{name}: {took:.1f} s; the server lingers", file=sys.stderr)
    return failures == 0


def make_servers(arguments):
    log = Log(arguments.log)
    servers = {}
    for pair in arguments.server:
        name, _, address = pair.partition("=")
        kind = address.removeprefix("spawn:")
        spawner = Spawner(kind, os.environ["HANDLER"], log) if kind != address else None
        servers[name] = Server(name, address, OPTIONS[name], HANDOVERS[arguments.handover], log,
                               spawner)
    return servers


def parse_arguments():
    parser = argparse.ArgumentParser(description="The table of cases.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("options").add_argument("name", choices=OPTIONS)
    commands.add_parser("groups")
    playing = commands.add_parser("play")
    playing.add_argument("--handover", choices=HANDOVERS, required=True)
    playing.add_argument("--server", action="append", required=True, metavar="NAME=ADDRESS")
    playing.add_argument("--log", required=True)
    playing.add_argument("--times", type=int, default=1, metavar="N")
    playing.add_argument("--together", type=int, default=1, metavar="N")
    playing.add_argument("group", nargs="+", choices=[*GROUPS, "book-client"], metavar="GROUP")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    if arguments.command == "options":
        print(*OPTIONS[arguments.name], sep="\n")
        return 0
    if arguments.command == "groups":
        print(*GROUPS, sep="\n")
        return 0
    servers = make_servers(arguments)
    well = True
    for name in arguments.group:
        if name == "book-client":
            check_book_client(servers)
        else:
            well &= play_group(name, servers, arguments.times, arguments.together)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
