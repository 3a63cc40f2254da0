# SPDX-License-Identifier: MIT
"""What is compared, and how each figure is measured."""
import dataclasses
import math
import os
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import contenders
from contenders import AGAIN, BUILD, Contender
from samples import Samples
from servers import Failure, Server, cpu_usec, pss_kib, wait_until

RATE = {"rate": "connections a second", "median_usec": "median µs", "p99_usec": "p99 µs"}


@dataclasses.dataclass
class Experiment:
    """A comparison of contenders at each place `xs` of the x axis, which is `x_title`. `figures` are
    the kinds with their units, the most important one first. A round measures all contenders once, in
    the other direction than the round before. `tolerance` is by how much twins may differ."""

    name: str
    title: str
    contenders: list
    figures: dict
    rounds: int
    xs: list = dataclasses.field(default_factory=lambda: [""])
    x_title: str = ""
    tolerance: float = 0.05
    samples: Samples = dataclasses.field(default_factory=Samples)
    failures: dict = dataclasses.field(default_factory=dict)
    missing: dict = dataclasses.field(default_factory=dict)

    def run(self):
        for contender in self.contenders:
            if contender.missing():
                self.missing[contender.name] = contender.missing()
        self.contenders = [c for c in self.contenders if c.name not in self.missing]
        with tempfile.TemporaryDirectory() as work:
            self.measure(Path(work))

    def measure(self, work):
        """Plays the rounds on servers that run all the while."""
        servers = []
        try:
            for contender in list(self.contenders):
                self.attempt(contender, lambda: servers.append(Server(contender, work)))
            for number in range(self.rounds):
                for x in self.xs:
                    for server in servers[:: -1 if number % 2 else 1]:
                        self.attempt(server.contender, lambda: self.add(server, x, number))
        finally:
            for server in servers:
                server.stop()
                if server.failed:
                    self.failures[server.contender.name] = f"{server.failed:.0f} connections failed"

    def attempt(self, contender, action):
        try:
            action()
        except (Failure, OSError) as error:
            self.failures[contender.name] = str(error)

    def add(self, server, x, number):
        for figure, value in self.sample(server, x).items():
            self.samples.add(server.contender.name, x, figure, number, value)

    def sample(self, server, x):
        raise NotImplementedError

    def twins(self):
        names = [contender.name for contender in self.contenders]
        return [(name, name + AGAIN) for name in names if name + AGAIN in names]

    def noise(self):
        """Where twins came out unequal, or too far apart to tell: sentences."""
        figure, found = next(iter(self.figures)), []
        for name, again in self.twins():
            for x in self.xs:
                ratio = self.samples.ratios(again, name, x, figure)
                if ratio is None or self.is_noisy(ratio):
                    value = f"{ratio.median:.2f} ({ratio.low:.2f}–{ratio.high:.2f})" if ratio else "none"
                    at = f" at {x}" if x != "" else ""
                    found.append(f"{name}{at}: its twin has {value} of its {self.figures[figure]}")
        return found

    def is_noisy(self, ratio):
        """Whether the ratio of twins, or what its quartiles leave open of it, is off by too much."""
        open_range = (ratio.high - ratio.low) / math.sqrt(self.rounds)
        return max(abs(ratio.median - 1), open_range / 2) > self.tolerance


@dataclasses.dataclass
class Rates(Experiment):
    """Exchanges for `msec` at a time; `options` for bench/load, with the x value behind the last."""

    msec: int = 250
    options: tuple = ()
    cpu: bool = False

    def sample(self, server, x):
        before, begin = server.cpu_usec() if self.cpu else 0, time.monotonic()
        options = [*self.options, *([x] if x != "" else [])]
        done = server.load("-c", 1000000, "-d", self.msec, *options)
        if self.cpu:
            used = server.cpu_usec() - before
            done["cpu_usec_each"] = used / done["exchanges"]
            usec = (time.monotonic() - begin) * 1e6 * len(os.sched_getaffinity(0))
            done["busy"] = (used + done["cpu_usec"]) / usec
        return {figure: done[figure] for figure in (*self.figures, "busy") if figure in done}


TEXTS = {
    "ASCII": "abcdefgh",
    "2-byte": "é",
    "3-byte": "€",
    "4-byte": "😀",
    "mixed": "naïve café, 5 € 😀; ",
}


class Texts(Rates):
    def sample(self, server, x):
        done = server.load("-c", 1000000, "-d", self.msec, "-p", 1, "-s", 1 << 20, "-x", TEXTS[x])
        return {figure: done[figure] for figure in self.figures}


class Processes(Experiment):
    def measure(self, work):
        commands = [" ".join(contender.words()) for contender in self.contenders]
        command = [str(BUILD / "bench/spawn"), str(self.rounds), *commands]
        output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
        lines = [line.split() for line in output.splitlines()]
        # The floor comes first, as the others are compared with it.
        for number, place, usec, faults in sorted(lines, key=lambda line: int(line[1])):
            name = self.contenders[int(place)].name
            self.samples.add(name, "", "usec", int(number), float(usec))
            self.samples.add(name, "", "faults", int(number), int(faults))
            floor = self.samples.rounds[contenders.FLOOR.name, "", "faults"][int(number)]
            self.samples.add(name, "", "more faults", int(number), int(faults) - floor)


class Decoder(Experiment):
    """The program declares its contenders itself."""

    def measure(self, work):
        command = [str(BUILD / "bench/decoder"), str(self.rounds)]
        output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
        for kind, name, number, rate in (line.split("\t") for line in output.splitlines()):
            self.samples.add(name, kind, "MB/s", int(number), float(rate))
        names = dict.fromkeys(line.split("\t")[1] for line in output.splitlines())
        self.contenders = [Contender(name, "", "memchr") for name in names]
        if "libunistring" not in names:
            self.missing["libunistring"] = "unistr.h"


class Waiting(Experiment):
    """The memory of one handler that waits for input."""

    def measure(self, work):
        for number in range(self.rounds):
            for contender in self.contenders:
                self.samples.add(contender.name, "", "KiB", number, self.waiting(contender))

    def waiting(self, contender):
        ours, its = socket.socketpair()
        with ours, its, subprocess.Popen(
            contender.words(), stdin=its, stdout=its, stderr=subprocess.DEVNULL
        ) as process:
            its.close()
            used = -1
            while used != (used := cpu_usec(process.pid)) or used == 0:  # it does nothing more
                time.sleep(0.05)
            kib = pss_kib(process.pid)
            ours.shutdown(socket.SHUT_WR)
        return kib


class Connections(Experiment):
    """The memory that `held` connections take of a persistent server, each."""

    held = 10000

    def sample(self, server, x):
        server.load("-c", 2000)
        before = pss_kib(server.processes[0].pid)
        options = ["--byte"] if x == "busy" else []
        client = server.hold(self.held, *options)
        wait_until(lambda: server.unread() == 0, "all bytes are read")
        during = pss_kib(server.processes[0].pid)
        files = server.files() - self.held
        client.stdin.close()
        client.wait()
        wait_until(lambda: server.files() <= files, "all connections are closed")
        return {"bytes": (during - before) * 1024 / self.held}


class Served(Experiment):
    """What a connection costs after many: x is how many were served before."""

    each = 10000

    def sample(self, server, x):
        before = server.cpu_usec()
        done = server.load("-c", self.each)
        return {
            "cpu_usec_each": (server.cpu_usec() - before) / self.each,
            "rate": done["rate"],
            "KiB": pss_kib(server.processes[0].pid, "Pss_Anon"),
        }


@dataclasses.dataclass
class Flood(Experiment):
    """The rate of clients at one server."""

    count: int = 20000

    def measure(self, work):
        server = Server(contenders.TINCAND, work)
        try:
            for number in range(self.rounds):
                for client in self.contenders[:: -1 if number % 2 else 1]:
                    self.attempt(client, lambda: self.one(server, client, number))
        finally:
            server.stop()

    def one(self, server, client, number):
        words = client.but(command=client.command.replace("COUNT", str(self.count))).words(server.port)
        begin = time.monotonic()
        done = subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        rate = self.count / (time.monotonic() - begin)
        if done.returncode:
            raise Failure(f"{client.name}: status {done.returncode}: {done.stderr.decode()[-200:]}")
        self.samples.add(client.name, "", "rate", number, rate)


@dataclasses.dataclass
class OneMessage(Flood):
    """The time from start to end of a client that sends one message."""

    count: int = 1

    def one(self, server, client, number):
        super().one(server, client, number)
        rounds = self.samples.rounds[client.name, "", "rate"]
        self.samples.add(client.name, "", "usec", number, 1e6 / rounds[number])


BENCH_LOOP = Contender(
    "bare client loop", "{build}/bench/load -a 0 -c COUNT -p 32 -s 56 127.0.0.1 {port}"
)
FLOODS = [
    BENCH_LOOP,
    BENCH_LOOP.again(),
    Contender(
        "tincan --flood", "{build}/tincan -f -q --parallel 32 -c COUNT -s 56 127.0.0.1:{port}", "bare client loop"
    ),
]
ONES = [
    Contender("load", "{build}/bench/load -c 1 -p 1 127.0.0.1 {port}"),
    Contender("load again", "{build}/bench/load -c 1 -p 1 127.0.0.1 {port}", "load"),
    Contender("tincan -m", "{build}/tincan -m hello 127.0.0.1:{port}", "load"),
    Contender("Python", "python3 {here}/client.py {port}", "load"),
]


def all_experiments(quick):
    """Those of a full run, or of one of a minute."""

    def pick(full, short):
        return short if quick else full

    few = ("tcpserver", "openbsd-inetd", "systemd-socket-activate")
    launched = [c for c in contenders.LAUNCHED if not quick or c.name.split(":")[0] in few]
    sizes = [1, 64, 1024, 16384, 65536, 262144, 1048576]
    parallel = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]
    handlers = contenders.HANDLERS
    return [
        Processes(
            "process",
            "One process per connection: spawn to exit",
            handlers,
            {"usec": "µs", "faults": "page faults", "more faults": "page faults beyond the floor's"},
            pick(500, 40),
            tolerance=0.03,
        ),
        Rates(
            "launchers",
            "Under super-servers, by how many connections at a time",
            launched + pick([contenders.INTERNAL], []),
            RATE,
            pick(7, 3),
            pick([1, 8, 64], [8]),
            "at a time",
            msec=pick(250, 60),
            options=("-e", "-s", "56", "-p"),
        ),
        Rates(
            "servers",
            "Persistent servers, 32 connections at a time",
            contenders.SERVERS,
            RATE | {"cpu_usec_each": "µs of processor time"},
            pick(11, 3),
            msec=pick(500, 120),
            cpu=True,
        ),
        Rates(
            "sizes",
            "By size of the message in bytes, one at a time",
            contenders.STORING,
            RATE,
            pick(7, 2),
            pick(sizes, [1, 65536]),
            "bytes",
            msec=pick(250, 60),
            options=("-p", "1", "-s"),
        ),
        Texts(
            "texts",
            "Messages of 1 MiB by kind of text, one at a time",
            contenders.STORING,
            RATE,
            pick(11, 3),
            list(TEXTS)[: pick(None, 2)],
            "text",
            msec=pick(300, 100),
        ),
        Rates(
            "parallel",
            "By how many connections at a time",
            contenders.GROWING,
            RATE,
            pick(5, 2),
            pick(parallel, [1, 64]),
            "at a time",
            msec=pick(250, 60),
            options=("-p",),
        ),
        Rates(
            "idle",
            "Beside idle connections, one at a time",
            pick(contenders.IDLE, contenders.IDLE[:4]),
            {"p99_usec": "p99 µs", "median_usec": "median µs", "rate": "connections a second"},
            pick(15, 3),
            msec=pick(500, 100),
            options=("-p", "1"),
            tolerance=0.1,
        ),
        Rates(
            "neighbour",
            "Beside a client that sends messages of 1 MB all the while, 8 at a time",
            contenders.NEIGHBOUR,
            RATE,
            pick(7, 2),
            msec=pick(400, 100),
            options=("-p", "8"),
        ),
        Waiting(
            "waiting",
            "Memory of one handler that waits (proportional set size)",
            handlers,
            {"KiB": "KiB"},
            pick(5, 1),
            tolerance=0.25,
        ),
        Connections(
            "connections",
            "Memory of tincand per connection, of 10,000",
            [contenders.TINCAND.but(base="")],
            {"bytes": "bytes"},
            pick(3, 1),
            ["idle", "busy"],
            "connections",
        ),
        Served(
            "served",
            "tincand after many connections",
            [contenders.TINCAND.but(base="")],
            {
                "cpu_usec_each": "µs of processor time",
                "rate": "connections a second",
                "KiB": "KiB of anonymous memory",
            },
            1,
            [10000 * i for i in range(pick(11, 3))],
            "served before",
        ),
        Decoder(
            "decoder",
            "The decoder, 1 MiB at a time",
            [],
            {"MB/s": "MB/s"},
            pick(101, 11),
            list(TEXTS),
            "text",
        ),
        Flood(
            "flood",
            "Clients that flood tincand, 32 at a time",
            FLOODS,
            {"rate": "connections a second"},
            pick(9, 2),
            count=pick(20000, 2000),
        ),
        OneMessage(
            "client",
            "A client that sends one message: start to end",
            ONES,
            {"usec": "µs"},
            pick(50, 10),
        ),
    ]
