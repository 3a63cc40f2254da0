# SPDX-License-Identifier: MIT
"""Starts a program on connections to its peers."""

import fcntl
import os
import select
import signal
import socket

# What the environment in which torture was started must not say to a program.
UNSET = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "WATCHDOG_USEC",
         "WATCHDOG_PID", "JOURNAL_STREAM", "REMOTE_ADDR", "REMOTE_HOST", "TCPREMOTEIP",
         "NCAT_REMOTE_ADDR", "SOCAT_PEERADDR")


class Site:
    """An address of this process's own: `text` as tincan(1) has it, and a socket unless closed."""

    def __init__(self, name, kind=socket.SOCK_STREAM):
        self.address, self.socket = ("127.0.0.1", 0), None
        self.family = socket.AF_UNIX if name else socket.AF_INET
        if name:
            self.address = f"\0tincan-torture-{os.getpid()}-{name}".encode()
            self.text = f"unix:@{self.address[1:].decode()}"
        if name == "own":
            return
        self.socket = socket.socket(self.family, kind)
        self.socket.bind(self.address)
        self.socket.setblocking(False)
        if kind == socket.SOCK_STREAM:
            self.socket.listen(128)
        if not name:
            self.address = self.socket.getsockname()
            self.text = "{}:{}".format(*self.address)

    def connect(self):
        """Returns a connection to it, or None."""
        connection = socket.socket(self.family)
        try:
            connection.connect(self.address)
            return connection
        except OSError:
            connection.close()
            return None

    def accept(self):
        """Returns a connection of the queue, or None."""
        try:
            return self.socket.accept()[0]
        except OSError:
            return None

    def empty_queue(self):
        while self.socket and (connection := self.accept()):
            connection.close()


class Sites:
    """The addresses that the runs of this process share, one run after the other."""

    def __init__(self):
        self.local, self.tcp = Site("server"), Site("")
        self.own = Site("own")  # nothing is open: tincand listens there by itself
        self.syslog = Site("syslog", socket.SOCK_DGRAM)

    def of(self, scenario):
        """Returns where peers connect to tincand, or the client's server listens."""
        if scenario.wiring == "none":
            return self.own
        return self.tcp if scenario.tcp else self.local


class Start:
    """A started program; it begins when begin() is called. What is ours of it:"""

    def __init__(self, kind, words, scenario, msec, sites, peers):
        self.output = self.log = None  # of its standard output, the client's only, and error
        self._handed = {}  # objects with fileno(), by the program's descriptor
        self._kind, self._scenario, self._sites, self._peers = kind, scenario, sites, peers
        {"handler": self._hand_connection, "tincand": self._hand_listener,
         "client": self._hand_input}[kind]()
        if kind == "client":
            self.output = self._capture(1)
        if 2 not in self._handed:
            self.log = self._capture(2)
        self._start(words + self._arguments(f"{msec}ms"))

    # --- what is handed over ---

    def _hand(self, end):
        wiring = self._scenario.wiring
        numbers = {"systemd": [3], "inetd": [0, 1, 2]}.get(wiring, [0, 1])
        self._handed.update(dict.fromkeys(numbers, end))

    def _pair(self):
        """Returns a new connection: the peer's end and the program's."""
        if not self._scenario.tcp:
            return socket.socketpair()
        ours = self._sites.tcp.connect()
        select.select([self._sites.tcp.socket], [], [])
        return ours, self._sites.tcp.accept()

    def _hand_connection(self):
        if self._scenario.wiring == "pipes":
            (source, out), (into, sink) = _pipe(), _pipe()
            self._handed.update({0: into, 1: out})
            self._peers[0].connect(source, sink)
            return
        ours, end = self._pair()
        for one in ours, end:
            if self._scenario.buffer:
                for option in socket.SO_SNDBUF, socket.SO_RCVBUF:
                    one.setsockopt(socket.SOL_SOCKET, option, self._scenario.buffer)
        end.setblocking(not self._scenario.nonblocking)
        self._peers[0].connect(ours, ours)
        self._hand(end)

    def _hand_listener(self):
        """The peers' connections wait in the queue of the socket that is handed over."""
        site = self._sites.of(self._scenario)
        if site is self._sites.own:
            return
        for peer in self._peers:
            connection = site.connect()
            peer.connect(connection, connection)
        self._hand(site.socket.dup())

    def _hand_input(self):
        if self._scenario.on_stdin:
            file = os.memfd_create("input")
            os.write(file, self._peers[0].message[:-1])
            os.lseek(file, 0, os.SEEK_SET)
            self._handed[0] = os.fdopen(file, "rb")

    def _capture(self, number):
        ours, self._handed[number] = _pipe()
        os.set_blocking(ours.fileno(), False)
        return ours

    # --- the process ---

    def _arguments(self, timeout):
        site, scenario = self._sites.of(self._scenario), self._scenario
        if self._kind == "client":
            message = [] if scenario.on_stdin else ["-m", self._peers[0].message[:-1]]
            return ["-W", timeout, *scenario.arguments, site.text, *message]
        grace = [f"--grace={timeout}"] if self._kind == "tincand" else []
        listen = ["-l", site.text] if scenario.wiring == "none" else []
        return ["-t", timeout, *grace, *scenario.arguments, *listen]

    def _start(self, words):
        waits, self._go = _pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                self._go.close()
                self._become(words, waits)
            finally:
                os._exit(126)
        waits.close()
        for end in self._handed.values():
            end.close()

    def begin(self):
        self._go.close()

    def _become(self, words, waits):
        """The child: becomes the program when it may begin."""
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        environment = {key: value for key, value in os.environ.items() if key not in UNSET}
        if 3 in self._handed:
            environment.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
        with open(os.devnull, "r+b", 0) as null:
            numbers = range(max(3, *self._handed) + 1) if 3 in self._handed else range(3)
            high = [fcntl.fcntl(self._handed.get(number, null).fileno(), fcntl.F_DUPFD_CLOEXEC, 10)
                    for number in numbers]
            waits.read()
            for number in numbers:
                os.dup2(high[number], number)
            os.execve(words[0], words, environment)


def _pipe():
    source, sink = os.pipe()
    return os.fdopen(source, "rb", 0), os.fdopen(sink, "wb", 0)
