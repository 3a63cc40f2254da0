# SPDX-License-Identifier: MIT
"""
What the scripts in tests/tincand*.bats are made of: the persistent server as a child, a service
manager for it, and peers. A script fails by an exception; all that it started ends with it.
"""
import ctypes
import faulthandler
import fcntl
import os
import re
import resource
import signal
import socket
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager

from player import (CLEAN, OPEN, PATIENCE, RESET, Connection, Failed, Log, TcpConnection,
                    UnixConnection, wait_until)

TMPDIR = os.environ.get("BATS_TEST_TMPDIR") or tempfile.mkdtemp()
MIB = 1 << 20
VALGRIND = ("valgrind", "--quiet", "--leak-check=full", "--show-leak-kinds=all",
            "--errors-for-leak-kinds=all", "--error-exitcode=99")
NOTHING_SPENT = 0.25  # of a processor, at the most, for a server that only waits

# A script that hangs says where, and ends, and so does what it started.
faulthandler.dump_traceback_later(float(os.environ.get("SCRIPT_SECONDS", "600")), exit=True)


def free_port(everywhere=False):
    """A TCP port of 127.0.0.1, or of all addresses, that is given to nobody else for a minute; see
    common.bash."""
    family, host = (socket.AF_INET6, "::") if everywhere else (socket.AF_INET, "127.0.0.1")
    with socket.create_server((host, 0), family=family, dualstack_ipv6=everywhere) as listener:
        port = listener.getsockname()[1]
        for peer in ("127.0.0.1", "::1") if everywhere else ("127.0.0.1",):
            with socket.create_connection((peer, port)):
                listener.accept()[0].close()
        return port


class Manager:
    """A service manager: the datagrams of sd_notify(3), and when they came."""

    def __init__(self, path=None):
        self.path = path or tempfile.mktemp(prefix="notify.", dir=TMPDIR)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path.replace("@", "\0") if path else self.path)
        self.messages = []
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while True:
            text = self.socket.recv(1 << 16).decode()
            self.messages.append((time.monotonic(), text.split("\n")))

    def times(self, line):
        """When a line that matches came."""
        return [when for when, lines in list(self.messages)
                if any(re.fullmatch(line, one) for one in lines)]

    def until(self, line):
        """Waits for a line that matches."""
        wait_until(lambda: self.times(line), f"{line!r} in {self.messages[-3:]}")

    def status(self):
        texts = [one for _, lines in list(self.messages) for one in lines
                 if one.startswith("STATUS=")]
        return texts[-1] if texts else ""

    def until_status(self, part):
        """Waits for a STATUS= that has this part, a regular expression, now or later."""
        wait_until(lambda: re.search(part, self.status()), f"{part!r} in {self.status()!r}")


class Server:
    """
    tincand as our child, on a TCP port of 127.0.0.1 unless `fds` or an option says otherwise.

    fds: descriptors it is handed, by number; from 3 on LISTEN_FDS counts them. closed: of
    0, 1 and 2. stderr: a file or descriptor in place of the log. nofile: (soft, hard). before: a
    command to be run through.
    """

    def __init__(self, *options, fds=None, closed=(), stderr=None, environment=None, nofile=None,
                 before=(), ready=True, manager=None):
        self.manager = manager or Manager()
        self.log = Log(tempfile.mktemp(prefix="log.", dir=TMPDIR))
        self.options = list(options)
        self.address = self.choose_address(fds or {})
        self.process = self.start(fds or {}, closed, stderr, environment or {}, nofile, before)
        if ready:
            wait_until(lambda: self.manager.times("READY=1") or self.process.poll() is not None,
                       "the server to be ready")
            if self.process.poll() is not None:
                raise Failed(f"it ended with {self.process.returncode}: {self.log.since(0)}")

    def choose_address(self, fds):
        for option in self.options:
            if option.startswith("--listen="):
                return option.removeprefix("--listen=")
        for fd in fds.values():
            if isinstance(fd, socket.socket) and fd.family == socket.AF_INET:
                return "%s:%d" % fd.getsockname()
        if fds:
            return None
        self.options.append(f"--listen=127.0.0.1:{free_port()}")
        return self.options[-1].removeprefix("--listen=")

    def start(self, fds, closed, stderr, environment, nofile, before):
        high = {number: fcntl.fcntl(fd, fcntl.F_DUPFD, 200) for number, fd in fds.items()}
        handed = max([number - 2 for number in high if number > 2], default=0)

        def prepare():
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
            for number in signal.SIGHUP, signal.SIGINT, signal.SIGTERM:
                signal.signal(number, signal.SIG_DFL)  # the tests may have been started by nohup
            for number, fd in high.items():
                os.dup2(fd, number)
            for fd in closed:
                os.close(fd)
            if nofile:
                resource.setrlimit(resource.RLIMIT_NOFILE, nofile)

        # The C library fills memory that is given out, so that nothing relies on its being zero.
        variables = {**os.environ, "NOTIFY_SOCKET": self.manager.path, "MALLOC_PERTURB_": "85"}
        if handed:
            variables["LISTEN_FDS"] = str(handed)
        shell = ["bash", "-c", 'LISTEN_PID=${LISTEN_PID:-$$} exec "$0" "$@"', *before]
        with open(self.log.path, "ab") as log:
            process = subprocess.Popen(
                [*shell, os.environ["TINCAND"], *self.options], stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=stderr if stderr is not None else log,
                env={**variables, **environment}, preexec_fn=prepare, pass_fds=range(3, 3 + handed))
        for fd in high.values():
            os.close(fd)
        return process

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        """A server that still runs at the end of a script that went well has to end well."""
        try:
            if kind is None and self.process.poll() is None:
                status = self.stop_at_once()
                assert status == 0, f"in the end {status}: {self.log.since(0)[-5:]}"
            if kind is not None and self.process.poll() is not None:
                print(f"the server had ended with {self.process.returncode}: {self.log.since(0)[-5:]}")
        finally:
            if self.process.poll() is None:
                self.process.kill()
            self.process.wait()

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self, *signals):
        for number in signals or (signal.SIGTERM,):
            self.signal(number)
        return self.end()

    def stop_at_once(self):
        """Ends it by a second SIGTERM, which must not come while the first is still pending."""
        self.signal(signal.SIGTERM)
        wait_until(lambda: self.manager.times("STOPPING=1") or self.process.poll() is not None,
                   "the server to stop")
        return self.stop(signal.SIGTERM)

    def end(self):
        """The exit status of a server that is to end."""
        return self.process.wait(PATIENCE)

    # What it uses

    def fds(self):
        """How many descriptors it has while it waits: at work it may have one more."""
        for _ in range(1000):
            before = self.schedule()
            count = len(os.listdir(f"/proc/{self.process.pid}/fd"))
            if before == self.schedule() and "S (sleeping)" in before:
                break
            time.sleep(0.001)
        return count

    def schedule(self):
        """Whether its main thread sleeps, and how often it has."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return "".join(line for line in file if line.startswith("State:") or "ctxt" in line)

    def of_threads(self, name):
        """What the kernel says in the file of that name of each of its threads."""
        for task in os.listdir(f"/proc/{self.process.pid}/task"):
            with open(f"/proc/{self.process.pid}/task/{task}/{name}", encoding="ascii") as file:
                yield file.read()

    def wakeups(self):
        """How often its threads have gone to sleep."""
        return sum(int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", status, re.M)[1])
                   for status in self.of_threads("status"))

    def cpu(self):
        """The processor time that its threads have used, in seconds."""
        return sum(int(times.split()[0]) for times in self.of_threads("schedstat")) / 1e9

    def sleeps(self):
        """Whether all its threads do."""
        return {stat.rpartition(")")[2].split()[0] for stat in self.of_threads("stat")} == {"S"}

    def rss(self):
        """The resident memory of no file, in bytes. That of files is its own or shared with other
        tests' servers, which come and go."""
        with open(f"/proc/{self.process.pid}/smaps_rollup", encoding="ascii") as file:
            return sum(int(line.split()[1]) * 1024 for line in file if line.startswith("Anonymous:"))

    @contextmanager
    def resting(self):
        """Around what costs the server, which waits meanwhile, next to no processor time. A thread
        that never sleeps may get little of a busy machine, but does not sleep in the end either."""
        started, used = time.monotonic(), self.cpu()
        yield
        used, took = self.cpu() - used, time.monotonic() - started
        assert used < NOTHING_SPENT * took, f"{used:.3f} s of processor time in {took:.3f} s"
        wait_until(self.sleeps, "all threads to sleep")

    def watch(self, seconds):
        """Measures for so long that it rests."""
        with self.resting():
            time.sleep(seconds)

    # Peers

    def connect(self, source=None, narrow=False, address=None):
        return connect(address or self.address, source, narrow)

    def echo(self, text="hello", **options):
        """One exchange, which has to go well."""
        reply = self.exchange(text.encode() + b"\0", **options)
        assert reply == text.encode() + b"\0", f"{len(reply)} bytes came back: {reply[:60]!r}"

    def exchange(self, data, **options):
        """All that comes back for these bytes until the end."""
        connection = self.connect(**options)
        connection.send(data)
        connection.read_to_end()
        connection.close()
        return bytes(connection.received)

    def hold(self, count, data=b"", **options):
        """TCP connections that have been accepted, and that data read, if nothing forbids it."""
        held = [self.connect(**options) for _ in range(count)]
        for connection in held:
            wait_until(connection.is_accepted, f"{count} connections to be accepted")
            if data:
                connection.send(data)
                connection.until_read()
        return held

    def fill(self, connection, data):
        """Sends these bytes, and waits until the server has read them or leaves the rest unread."""
        left = memoryview(data)
        connection.sock.setblocking(False)
        while left or connection.unread():
            try:
                left = left[connection.sock.send(left):]
            except BlockingIOError:
                pass
            except (BrokenPipeError, ConnectionResetError):
                break
            if self.leaves_unread(connection):
                break

    def leaves_unread(self, connection):
        """Whether it sleeps although there is something to be read from this TCP connection."""
        before = self.schedule()
        received = connection.received_unread()
        time.sleep(0.002)
        return received and "S (sleeping)" in before and before == self.schedule()

    # Its log

    def lines(self, pattern=r"peer=.*"):
        return [text for text in (line.decode() for line in self.log.since(0))
                if re.fullmatch(pattern, text)]

    def until_line(self, pattern, count=1):
        wait_until(lambda: len(self.lines(pattern)) >= count,
                   f"{count} of {pattern!r} in {self.log.since(0)[-5:]}")


def connect(address, source=None, narrow=False):
    """Connects to an address of --listen, from an address or port if one is given."""
    if address.startswith("unix:"):
        path = address.removeprefix("unix:")
        sock = socket.socket(socket.AF_UNIX)
        sock.connect("\0" + path[1:] if path[0] == "@" else path)
        return UnixConnection(sock)
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    if narrow:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
    if source:
        sock.bind((source, 0))
    sock.connect((host, int(port)))
    if ":" in host:
        return Connection(sock, "[%s]:%d" % sock.getsockname()[:2])
    return TcpConnection(sock)


def waiting(connections):
    """The bytes they sent that the server has not read."""
    return sum(connection.unread() for connection in connections)


def load(server, count, parallel=16, size=64, sources=16):
    """So many exchanges by the load generator, which all have to go well; what it printed."""
    where = [server.address] if server.address.startswith("unix:") else server.address.split(":")
    result = subprocess.run(
        [os.environ["LOAD"], f"-c{count}", f"-p{parallel}", f"-s{size}", f"-a{sources}", *where],
        stdout=subprocess.PIPE, check=False, text=True)
    assert result.returncode == 0, result.stdout
    return dict(pair.split("=") for pair in result.stdout.split())


def still_lingers(attempt):
    """Whether a server still holds the connection that attempt() returns, with the earliest time at which
    it may have begun to linger. Tried again where the second is over for which it lingers."""
    for _ in range(9):
        peer, began = attempt()
        held, spent = peer.is_accepted(), time.monotonic() - began
        peer.close()
        if held or spent < 1:
            return held
    return False


def refusal(*options, **how):
    """What a server says that must not start, with exit status 64."""
    server = Server(*options, ready=False, **how)
    with server:
        status = server.end()
        text = "\n".join(line.decode() for line in server.log.since(0))
        assert status == 64, f"exit status {status}: {text}"
        assert not server.manager.times("READY=1")
        return text


# One of each kind of connection, good and bad, over and done with when they return.


def vary(server, turn):
    connection = server.connect(source=f"127.0.0.{1 + turn % 16}")
    kinds[turn % len(kinds)](connection)
    connection.close()


def sends(data, reply=b"", then=None):
    def kind(connection):
        connection.send(data)
        if then:
            then(connection)
        connection.read_to_end()
        assert connection.received == reply, f"{data[:30]!r}: {connection.received[:30]!r}"

    return kind


def leaves(data, how):
    def kind(connection):
        connection.send(data)
        how(connection)

    return kind


LONG = b"long" * 20000 + b"\0"
kinds = [
    sends(b"hello\0", b"hello\0"),
    sends(b"\0", b"\0"),
    sends(LONG, LONG),
    sends(b"half", then=Connection.half_close),
    sends(b"hello\0", b"hello\0", then=Connection.half_close),
    sends(b"bad\xff", then=Connection.half_close),
    sends(b"hello\0more", b"hello\0", then=Connection.half_close),
    leaves(b"", Connection.close),
    leaves(b"abc", Connection.close),
    leaves(b"abc", Connection.reset),
    leaves(b"hello\0", Connection.reset),
    leaves(LONG, Connection.reset),
]
