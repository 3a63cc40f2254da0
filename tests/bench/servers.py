# SPDX-License-Identifier: MIT
"""Starts, loads and ends the servers that are measured."""
import contextlib
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from contenders import BUILD

LOAD = str(BUILD / "bench/load")
FAILURES = ("refused", "reset", "short", "altered", "timeout")
PATIENCE = 30  # seconds for what takes one when all is well


class Failure(Exception):
    pass


def wait_until(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise Failure(f"not within {PATIENCE} s: {what}")
        time.sleep(0.01)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def pss_kib(pid, kind="Pss"):
    """The proportional set size of a process: its share of all pages that it has mapped. `Pss_Anon` is
    of those alone that are no part of a file, and does not depend on who else has mapped it."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith(f"{kind}:"))


def cpu_usec(pid):
    """The processor time of a process: of its threads to the nanosecond, or of those too that ended
    to the tick, whichever is more."""
    living = sum(
        int(path.read_text().split()[0]) / 1000 for path in Path(f"/proc/{pid}/task").glob("*/schedstat")
    )
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return max(living, (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK") * 1e6)


class Server:
    """A contender that listens, in a session of its own; `stop` ends all of that."""

    def __init__(self, contender, work):
        self.contender, self.work = contender, work
        self.port = free_port()
        self.processes, self.clients, self.failed = [], [], 0
        try:
            self.start()
        except BaseException:
            self.stop()
            raise

    def start(self):
        shared = self.contender.instances > 1
        for _ in range(self.contender.instances):
            self.processes.append(self.spawn(self.listener() if shared else None))
        wait_until(lambda: shared or self.is_listening(), f"{self.contender.name} listens")
        if self.contender.held:
            self.hold(self.contender.held)
        if self.contender.neighbour:
            flood = ["-d", "900000", "-c", "100000000", "-p", "1", "-s", "1000000"]
            self.client(LOAD, *flood, *self.address())

    def spawn(self, listener):
        words = self.contender.words(self.port, self.work)
        options = {"start_new_session": True, "cwd": self.work}
        if listener:
            words = ["/bin/sh", "-c", 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"', "-", *words]
            options |= {"pass_fds": [3], "preexec_fn": lambda: os.dup2(listener.fileno(), 3)}
        null = subprocess.DEVNULL
        try:
            return subprocess.Popen(words, stdin=null, stdout=null, stderr=null, **options)
        finally:
            if listener:
                listener.close()

    def listener(self):
        """One of several sockets that the kernel spreads connections over."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(4096)
        return listener

    def client(self, *words):
        pipe = subprocess.PIPE
        self.clients.append(subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True))
        return self.clients[-1]

    def hold(self, count, *options):
        """Opens that many connections. Returns their client, whose standard input ends them."""
        before = self.files()
        client = self.client(LOAD, "--hold", str(count), *options, *self.address())
        if client.stdout.readline() != f"held {count}\n":
            raise Failure(f"{self.contender.name} did not take {count} connections")
        wait_until(lambda: self.files() >= before + count, f"{self.contender.name} accepts all")
        return client

    def files(self):
        return len(os.listdir(f"/proc/{self.processes[0].pid}/fd"))

    def unread(self):
        """How many bytes, and connections, wait for the server to take them."""
        return sum(int(row[4].split(":")[1], 16) for row in self.sockets())

    def sockets(self):
        """The rows of the kernel's table that have its port as their own."""
        rows = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
        return [row for row in rows if row[1].endswith(f":{self.port:04X}")]

    def address(self):
        if self.contender.unix:
            return [f"unix:{self.work}/socket.{self.port}"]
        return ["127.0.0.1", str(self.port)]

    def is_listening(self):
        if self.processes[0].poll() is not None:
            raise Failure(f"{self.contender.name} ended with status {self.processes[0].returncode}")
        if self.contender.unix:
            return (self.work / f"socket.{self.port}").is_socket()
        return any(row[3] == "0A" for row in self.sockets())

    def cpu_usec(self):
        return sum(cpu_usec(process.pid) for process in self.processes)

    def load(self, *options):
        """What bench/load says of a while of exchanges, as numbers by name."""
        command = [LOAD, *map(str, options), *self.address()]
        result = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        pairs = (word.split("=") for word in result.stdout.split())
        done = {name: float(value) for name, value in pairs}
        if not done.get("exchanges"):
            raise Failure(f"no exchange went well with {' '.join(command)}: {result.stdout.strip()}")
        self.failed += sum(done[how] for how in FAILURES)
        return done

    def stop(self):
        for client in self.clients:
            client.kill()
            client.wait()
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(6)
            except subprocess.TimeoutExpired:
                pass
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
