# SPDX-License-Identifier: MIT
"""What is done with a program while its calls fail: how it is started, and what the other ends of
its connections do."""

import os
from dataclasses import dataclass

LARGE = 9000  # more than small buffers can take
LARGER = 300000  # and more than those of the kernel's default

# What the program has to do without when the call fails, with whatever error.
OPTIONAL = {
    "handler": "setsockopt getsockopt getpeername close_range prctl shutdown socket connect"
               " madvise",
    "client": "close getsockname ioctl getrandom",
    "tincand": "setsockopt shutdown getsockname madvise getrandom",
}


@dataclass(frozen=True)
class Script:
    """The other end of a connection: a client of the servers, a server of the client."""
    text: bytes
    size: int = 0  # the text is repeated up to that many bytes; 0: once
    unended: bool = False  # without the null byte
    trailing: int = 0  # bytes behind the null byte
    refused: bool = False  # it gets no reply
    piece: int = 0  # sends so many bytes whenever the program may wait; 0: all at once
    then: str = "wait"  # when all is sent: or "shut" the sending side, or "leave"
    answer: str = "echo"  # a server's: or "altered", "cut", "more", "close", "none"

    def message(self):
        size = self.size or len(self.text)
        return (self.text * (size // len(self.text) + 1))[:size]


@dataclass(frozen=True)
class Scenario:
    name: str
    scripts: tuple
    arguments: tuple = ()  # of the program, besides its timeout
    # Where the connection, or tincand's listening socket, is handed over: on "stdin", the
    # descriptors 0 and 1; as two "pipes"; by "inetd", on 2 as well, so that the log goes to syslog;
    # by "systemd", on 3; or "none" is, and tincand listens by itself.
    wiring: str = "stdin"
    tcp: bool = False  # else AF_UNIX
    nonblocking: bool = False  # what is handed over to the handler
    probe: bool = False  # the client makes a probe for each script
    on_stdin: bool = False  # the client's message; else it is an argument
    buffer: int = 0  # of the handler's connection, in bytes; 0: the kernel's default
    status: int = os.EX_OK  # of the program's end when nothing fails


HELLO = Script(b"hello")
HANDLER = (
    Scenario("a message", (HELLO,)),
    Scenario("trailing bytes over TCP", (Script(b"hello", trailing=5000),), tcp=True),
    Scenario("pipes", (Script(b"hello", then="shut"),), wiring="pipes"),
    Scenario("inetd", (HELLO,), wiring="inetd"),
    Scenario("systemd", (HELLO,), wiring="systemd"),
    Scenario("in pieces", (Script(b"hello", piece=2),), nonblocking=True),
    Scenario("large", (Script(b"hello ", size=LARGE),), ("-m", "9000"), buffer=4096),
    Scenario("large, a reader behind", (Script(b"hello ", size=LARGE, trailing=3000, piece=7000),),
             buffer=4096, nonblocking=True),
    Scenario("not UTF-8", (Script(b"hel\xffo", trailing=5000, refused=True, piece=3000),),
             status=os.EX_DATAERR),
    Scenario("too long, inetd", (Script(b"hello", refused=True, then="shut"),), ("-m", "4"),
             wiring="inetd", status=os.EX_DATAERR),
    Scenario("no null byte", (Script(b"hel", unended=True, refused=True, then="shut"),),
             status=os.EX_DATAERR),
    Scenario("silence", (Script(b"hel", unended=True, refused=True),), status=os.EX_IOERR),
    Scenario("a peer that left", (Script(b"hello", then="leave"),), status=os.EX_IOERR),
)
CLIENT = (
    Scenario("a message over TCP", (HELLO,), tcp=True),
    Scenario("a message", (HELLO,)),
    Scenario("a line of standard input", (HELLO,), tcp=True, on_stdin=True),
    Scenario("large", (Script(b"hello ", size=LARGER, piece=100000),), ("--whole",), on_stdin=True),
    Scenario("in pieces", (Script(b"hello", piece=2),), tcp=True),
    Scenario("probes", (HELLO, HELLO), ("-c", "2", "-i10ms"), tcp=True, probe=True),
    Scenario("altered", (Script(b"hello", answer="altered"),), status=3),
    Scenario("more", (Script(b"hello", answer="more"),), status=3),
    Scenario("cut", (Script(b"hello", answer="cut"),), tcp=True, status=1),
    Scenario("closed", (Script(b"hello", answer="close"),), status=1),
    Scenario("silence", (Script(b"hello", answer="none"),), tcp=True, status=1),
)
FIRST, SECOND, THIRD = Script(b"first"), Script(b"second", piece=3), Script(b"third")
TINCAND = (
    Scenario("three", (FIRST, SECOND, THIRD), wiring="systemd"),
    Scenario("a large one", (FIRST, SECOND, Script(b"third ", size=LARGER, piece=100000)),
             wiring="systemd"),
    Scenario("trailing bytes over TCP", (FIRST, SECOND, Script(b"third", trailing=5000)),
             wiring="systemd", tcp=True),
    Scenario("refusals over TCP",
             (FIRST, Script(b"s\xff", refused=True, trailing=300, piece=200),
              Script(b"third", unended=True, refused=True, then="shut")), tcp=True),
    Scenario("silence and one that left",
             (Script(b"first", piece=3), Script(b"second", unended=True, refused=True),
              Script(b"third", then="leave")), wiring="systemd"),
    Scenario("inetd", (FIRST, SECOND, THIRD), wiring="inetd"),
    Scenario("its own socket", (FIRST, SECOND, THIRD), wiring="none"),
)
SCENARIOS = {"handler": HANDLER, "client": CLIENT, "tincand": TINCAND}
