# SPDX-License-Identifier: MIT
"""
Plays one case of cases.py against a server and says what was wrong.

A connection is made to `tcp:HOST:PORT` or `unix:PATH`, where a launcher or a persistent server
listens; or, at `spawn:KIND`, the handler is started here, on a TCP connection, a socketpair or two
pipes, and its exit status is checked too.
"""
import fcntl
import os
import re
import select
import socket
import struct
import subprocess
import termios
import time
from dataclasses import dataclass

import sock_diag

# How long anything may take that is to happen at all. Nothing waits this long when all is well.
PATIENCE = 120

CLEAN, RESET, OPEN = "a clean end of file", "a reset", "an open connection"

EXIT_STATUS = {
    "echoed": 0,
    "eof": 65,
    "too-long": 65,
    "invalid-utf8": 65,
    "timeout": 74,
    "gone": 74,
    "error": 74,
}


class Failed(Exception):
    """Something was not as the case says; the text tells what."""


def wait_until(condition, what):
    """Returns the first true value of condition(); fails when it never comes."""
    deadline = time.monotonic() + PATIENCE
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise Failed(f"waited {PATIENCE} s in vain for {what}")
        time.sleep(0.002)
    return value


def can_read(file, seconds):
    """Whether within that time a read from the file would not block. Unlike select(2), with any descriptor."""
    poll = select.poll()
    poll.register(file, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


# Connections


class Connection:
    """What a case does with a connection; the base is a connected stream socket."""

    process = None  # the handler, where it is our child

    def __init__(self, sock, peer):
        self.sock = sock
        self.peer = peer  # how the server's log must name us
        self.received = bytearray()
        sock.settimeout(PATIENCE)

    def send(self, data):
        """Sends; whether the server took it or had gone shows in its reply and its log."""
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def send_until_refused(self, chunk, most):
        """Sends chunk after chunk until the server hangs up; returns the number of bytes sent."""
        sent = 0
        while sent < most and not self.readable(0):
            try:
                sent += self.sock.send(chunk)
            except (BrokenPipeError, ConnectionResetError):
                break
        return sent

    def send_urgent(self, byte):
        """Sends one byte out of band, where this kind of connection has such bytes."""
        try:
            self.sock.send(byte, socket.MSG_OOB)
        except OSError:
            pass

    def unread(self):
        """The bytes we sent that the process at the other end has not read yet."""
        raise NotImplementedError

    def until_read(self):
        wait_until(lambda: self.unread() == 0, "the server to read what was sent")

    def readable(self, seconds):
        return can_read(self.sock, seconds)

    def until_readable(self):
        if not self.readable(PATIENCE):
            raise Failed("the server sent nothing")

    def half_close(self):
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self):
        """Ends the connection in both directions at once, by RST where there is such a thing."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def read_some(self):
        return self.sock.recv(1 << 16)

    def read_until_null(self):
        while b"\0" not in self.received:
            if not (data := self.read_some()):
                break
            self.received += data

    def read_to_end(self):
        """Reads until the end of the connection and returns how it ended."""
        try:
            while data := self.read_some():
                self.received += data
        except ConnectionResetError:
            return RESET
        except TimeoutError:
            return OPEN
        return CLEAN

    def close(self):
        self.sock.close()

    def exit_status(self):
        """The handler's exit status; None where it is not our child."""
        return end_of(self.process) if self.process else None


class TcpConnection(Connection):
    def __init__(self, sock):
        host, port = sock.getsockname()
        super().__init__(sock, f"{host}:{port}")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.ends = sock.getpeername(), sock.getsockname()

    def server_end(self):
        """What the kernel knows of the server's end; None when it is gone."""
        return sock_diag.ask(*self.ends) or sock_diag.search(*self.ends)

    def unread(self):
        return unsent(self.sock) or self.received_unread()

    def received_unread(self):
        """The bytes that the server's end has received, and its process has not read."""
        end = self.server_end()
        return end.unread if end else 0

    def is_accepted(self):
        return (end := self.server_end()) is not None and end.held

    def until_let_go(self):
        """Waits until no process has the server's end open, without closing ours."""
        wait_until(lambda: not self.is_accepted(),
                   "the server's process to let go of the connection")


class UnixConnection(Connection):
    def __init__(self, sock):
        super().__init__(sock, f"unix:uid={os.getuid()},pid={os.getpid()}")

    def unread(self):
        return unsent(self.sock)


class PipeConnection(Connection):
    """Two pipes. No reset, no urgent bytes: those steps do what comes nearest."""

    def __init__(self, to_server, from_server):  # pylint: disable=super-init-not-called
        self.to_server, self.from_server = to_server, from_server
        self.peer = "-"
        self.received = bytearray()

    def send(self, data):
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(self.to_server, left):]
        except BrokenPipeError:
            pass

    def send_until_refused(self, chunk, most):
        sent = 0
        while sent < most and not self.readable(0):
            try:
                sent += os.write(self.to_server, chunk)
            except BrokenPipeError:
                break
        return sent

    def send_urgent(self, byte):
        pass

    def unread(self):
        count = fcntl.ioctl(self.to_server, termios.FIONREAD, b"\0" * 4)
        return struct.unpack("i", count)[0]

    def readable(self, seconds):
        return can_read(self.from_server, seconds)

    def half_close(self):
        os.close(self.to_server)
        self.to_server = -1

    def reset(self):
        self.close()

    def read_some(self):
        if not self.readable(PATIENCE):
            raise TimeoutError
        return os.read(self.from_server, 1 << 16)

    def close(self):
        for fd in (self.to_server, self.from_server):
            if fd >= 0:
                os.close(fd)
        self.to_server = self.from_server = -1


def unsent(sock):
    """SIOCOUTQ: the bytes that the peer has not acknowledged (TCP) or not read (AF_UNIX)."""
    return struct.unpack("i", fcntl.ioctl(sock, termios.TIOCOUTQ, b"\0" * 4))[0]


def dial(address, narrow=False):
    """
    Connects to `tcp:HOST:PORT` or `unix:PATH`. A narrow connection has so little room that a
    long reply can't be sent unless it is read: the segment size bounds the server's send buffer.
    """
    family, _, rest = address.partition(":")
    sock = socket.socket(socket.AF_UNIX if family == "unix" else socket.AF_INET)
    if narrow:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    if family == "unix":
        sock.connect(rest)
        return UnixConnection(sock)
    if narrow:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
    host, _, port = rest.rpartition(":")
    sock.connect((host, int(port)))
    return TcpConnection(sock)


# The handler as our own child


def tcp_pair(narrow):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        connection = dial(f"tcp:127.0.0.1:{listener.getsockname()[1]}", narrow)
        return connection, listener.accept()[0]


def socket_pair(_narrow):
    ours, theirs = socket.socketpair()
    return UnixConnection(ours), theirs


class Spawner:
    """Starts the handler for each connection, as a launcher would that hands over `kind`."""

    def __init__(self, kind, handler, log):
        self.kind, self.handler, self.log = kind, handler, log

    def start(self, options, stdin, stdout):
        environment = {"PATH": os.environ["PATH"]}
        with open(self.log.path, "ab") as log:
            return subprocess.Popen([self.handler, *options], stdin=stdin, stdout=stdout,
                                    stderr=log, env=environment)

    def open(self, options, narrow=False):
        """Returns a connection to a new handler."""
        if self.kind == "pipe":
            process = self.start(options, subprocess.PIPE, subprocess.PIPE)
            connection = PipeConnection(os.dup(process.stdin.fileno()),
                                        os.dup(process.stdout.fileno()))
            process.stdin.close()
            process.stdout.close()
        else:
            make_pair = tcp_pair if self.kind == "tcp" else socket_pair
            connection, theirs = make_pair(narrow)
            with theirs:
                process = self.start(options, theirs, theirs)
        connection.process = process
        return connection

    def serve(self, options, start_client):
        """Serves one connection of a client, which start_client(ADDRESS) starts and returns."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            client = start_client(f"tcp:127.0.0.1:{listener.getsockname()[1]}")
            sock = listener.accept()[0]
        with sock:
            if self.kind == "tcp":
                end_of(self.start(options, sock, sock))
            else:
                connection = self.open(options)
                relay_once(sock, connection)
                connection.close()
                end_of(connection.process)
        return client


def relay_once(sock, connection):
    """Passes a message on from a socket, and what comes back."""
    message = bytearray()
    while b"\0" not in message and (data := sock.recv(4096)):
        message += data
    connection.send(message)
    connection.read_to_end()
    sock.sendall(connection.received)


def end_of(process):
    """The exit status of our child, which must end; it is killed when it does not."""
    try:
        return process.wait(PATIENCE)
    except subprocess.TimeoutExpired as error:
        process.kill()
        process.wait()
        raise Failed("the handler does not end") from error


# Logs

LINE = re.compile(
    r"(?:<\d+>tincan(?:-handler|d)\[\d+\]: )?peer=(?P<quote>\x22?)(?P<peer>[^ \x22]+)(?P=quote)"
    r" result=(?P<result>[a-z0-9-]+)"
    r" bytes=(?P<bytes>\d+) usec=\d+(?: offset=(?P<offset>\d+) byte=(?P<byte>0x[0-9a-f]{2}))?"
    r'(?: error="[\x20\x21\x23-\x7e]*")?(?: sandbox="none: built without")?'
    r'(?: message="[\x20\x21\x23-\x7e]*")?'
)


class Log:
    """A log file that the server, or the collector of its datagrams, appends to."""

    def __init__(self, path):
        self.path = path
        with open(path, "ab"):
            pass  # it is there from now on

    def size(self):
        """The bytes up to the end of the last whole line: another may be half written."""
        with open(self.path, "rb") as log:
            return log.read().rfind(b"\n") + 1

    def since(self, start):
        """The whole lines after the first `start` bytes."""
        with open(self.path, "rb") as log:
            log.seek(start)
            return log.read().split(b"\n")[:-1]

    def outcomes(self, start, peers):
        """The handler's lines since `start`, each fit for a log and about one of the `peers`."""
        found = []
        for line in self.since(start):
            if b"result=" not in line:
                continue  # the launcher's own
            match = LINE.fullmatch(line.decode("latin-1"))
            if not match or not re.fullmatch(peers, match["peer"]):
                raise Failed(f"not a log line of ours: {line!r}")
            found.append(match)
        return found


# Playing


@dataclass(frozen=True)
class Server:
    """Where to connect, and what its launcher hands over."""

    name: str
    address: str
    options: tuple
    handover: object
    log: Log
    spawner: Spawner = None

    def open(self, narrow=False):
        if self.spawner:
            return self.spawner.open(self.options, narrow)
        return dial(self.address, narrow)


def logged(server, peer, start):
    """Waits for the log line about `peer` and returns it; there must be one only."""
    lines = wait_until(
        lambda: [line for line in server.log.outcomes(start, server.handover.peers)
                 if line["peer"] == peer],
        f"a log line with peer={peer} in {server.log.since(start)[-5:]}")
    if len(lines) > 1:
        raise Failed(f"{len(lines)} log lines for one connection: {[line[0] for line in lines]}")
    return lines[0]


def require(wanted, what, got):
    """Fails unless the value got is among those wanted."""
    if got not in wanted:
        shown = repr(got if not isinstance(got, (bytes, bytearray)) else bytes(got[:80]))
        raise Failed(f"{what}: {shown}, not {' or '.join(repr(one)[:100] for one in wanted)}")


def is_part(some, whole):
    """Whether `some` is `whole` with bytes left out, or all of it."""
    rest = iter(whole)
    return all(byte in rest for byte in some)


def check_reply(wanted, connection):
    end = connection.read_to_end()
    received = bytes(connection.received)
    if wanted.whole or not is_part(received, wanted.reply):
        require([wanted.reply], f"{len(received)} bytes came back", received)
    require(wanted.ends, "after the reply came", end)


def check_nothing_came(connection):
    """For a connection that nobody accepts, so that it does not end."""
    if connection.readable(0):
        raise Failed(f"the peer, whom nobody accepts, got {connection.read_some()!r}")


def check_diagnostic(case, server, start):
    wait_until(lambda: case.says.encode() in b"\n".join(server.log.since(start)),
               f"{case.says!r} in the log {server.log.since(start)}")


def check_line(wanted, line):
    require(wanted.results, "the logged result is", line["result"])
    if wanted.bytes is not None:
        require([wanted.bytes], "the logged bytes are", int(line["bytes"]))
    if line["result"] == "invalid-utf8":
        require([line["bytes"]], "the offset of the wrong byte is", line["offset"])
    if wanted.wrong is not None:
        require([f"0x{wanted.wrong:02x}"], "the wrong byte is", line["byte"])


def check_exit(wanted, connection):
    status = connection.exit_status()
    if status is not None:
        require([wanted], "the exit status is", status)


def play(case, server):
    """Plays the case; raises Failed if anything is not as it says."""
    wanted = server.handover.adapt(case)
    start = server.log.size()
    connection = server.open(case.narrow)
    try:
        for step in case.steps:
            step(connection)
        if case.says:
            check_diagnostic(case, server, start)
        if not wanted.ends:
            check_nothing_came(connection)
        elif case.reads and not case.silent:
            check_reply(wanted, connection)
        if case.silent or wanted.stays and not case.says:
            logged(server, connection.peer, start)
        if case.stays and server.handover.direct:
            connection.until_let_go()
    finally:
        connection.close()
    if case.says:
        check_exit(64, connection)
    elif wanted.line:
        line = logged(server, connection.peer, start)
        check_line(wanted, line)
        check_exit(EXIT_STATUS[line["result"]], connection)
        logged(server, connection.peer, start)  # still one, now that the process has ended
