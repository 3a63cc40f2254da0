# SPDX-License-Identifier: MIT
"""One run of a program in a scenario, with a fault; and what can be seen of it from outside."""

import ctypes
import os
import select
import signal
import socket
import struct
import time

import calls
from peer import Peer
from start import Sites, Start
from tracer import Process

GRACE = 3.0  # seconds longer than its timeouts: a program lingers, retries and pauses
CUTS_MAX = 5000  # so many transfers does a lasting cut cut: enough to fill any buffer
STORM = 200  # after so many calls an error that means "again" passes, if nothing bounds the wait
REFUSALS_ENOUGH = 3  # after so many failures to accept a connection, no more is waited for
READ_SIZE = 1 << 16


class Workplace:
    """What a process needs for its runs, one after the other."""

    def __init__(self):
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
        child = (ctypes.c_uint64 * 16)(1 << signal.SIGCHLD - 1)
        self.signals = ctypes.CDLL(None).signalfd(-1, child, os.O_NONBLOCK | os.O_CLOEXEC)
        self.sites = Sites()


class Hits:
    """What the fault met; but for the first two only of an error."""

    def __init__(self):
        self.all = 0
        self.loading = False  # while the program was loaded
        self.elsewhere = 0  # at calls that are for no connection of tincand's
        self.for_any = 0  # at calls that any connection may have needed
        self.on = set()  # at a call for these connections of tincand's, numbered from 0
        self.log = False  # what the log needs
        self.passed = False  # the error ended, though it was to last
        self.bounded = False  # a call for which the program has a deadline


class Run:
    def __init__(self, workplace, kind, words, scenario, fault, msec):
        """Makes the run of the program, which begins with these words and has that timeout."""
        self.kind, self.scenario, self.fault = kind, scenario, fault
        self.in_main = False  # the program has begun, and not only its C library
        self.loading = {}  # calls of the main thread before that, by number
        self.hung = False  # it did not end in time, or a connection of tincand's did not
        self.accepted = 0  # of tincand's connections; they are accepted in their order
        self.terminated = False  # SIGTERM was sent to end the run
        self.peers = [Peer(script, kind == "client") for script in scenario.scripts]
        self.output, self.log = bytearray(), bytearray()
        self.hits = Hits()
        self.wall_readings = 0
        self.process = Process(self._on_entry, self._on_exit, fault.kind == "jump")
        self._owners = {}  # connections, numbered from 0, of tincand's descriptors
        self._streams = {0, 1, 2, 3}  # descriptors where a transfer may be cut
        self._for_log = {2}  # descriptors that only the log needs
        self._workplace, self._sites = workplace, workplace.sites
        self._patience = msec / 1000
        self._deadline = self._after(2 if kind == "tincand" else 1)
        self._make(words, msec)
        self.status = self.process.status

    def _after(self, times):
        return time.monotonic() + self._patience * times + GRACE

    def _make(self, words, msec):
        start = Start(self.kind, words, self.scenario, msec, self._sites, self.peers)
        self._captures = [(start.output, self.output), (start.log, self.log)]
        try:
            self.process.attach(start.pid)
            for peer in self.peers:
                peer.step()
            start.begin()
            while self.process.status is None:
                self._wait()
                self._bound()
            while self._poll(self._polls(), 0):
                self._step_others()
        finally:
            self.process.kill()
            self._sites.of(self.scenario).empty_queue()
            for end in *self.peers, *(capture for capture, _ in self._captures if capture):
                end.close()

    # --- waiting ---

    def _next_server(self):
        """Returns the peer of the client's next connection, or None."""
        unconnected = (peer for peer in self.peers if not peer.connected)
        return next(unconnected, None) if self.kind == "client" else None

    def _polls(self):
        """Yields what is waited for, but for what the program does."""
        if self._next_server():
            yield self._sites.of(self.scenario).socket.fileno(), select.POLLIN
        for capture, _ in self._captures:
            if capture and not capture.closed:
                yield capture.fileno(), select.POLLIN
        yield self._sites.syslog.socket.fileno(), select.POLLIN
        for peer in self.peers:
            yield from peer.polls()

    @staticmethod
    def _poll(polls, seconds):
        poll, wanted = select.poll(), {}
        for descriptor, events in polls:
            wanted[descriptor] = wanted.get(descriptor, 0) | events
            poll.register(descriptor, wanted[descriptor])
        return [descriptor for descriptor, _ in poll.poll(max(0, seconds) * 1000)]

    def _wait(self):
        """Waits for something to happen, and handles it: what the program did until it stopped, and
        only then what it does next."""
        signals = self._workplace.signals
        polls = [(signals, select.POLLIN)]
        if not self.process.busy():
            self._connect_peers()
            polls += self._polls()
        ready = self._poll(polls, self._deadline - time.monotonic())
        if ready and ready != [signals]:
            self._step_others()
        if signals in ready:
            os.read(signals, READ_SIZE)
        self.process.step()

    def _connect_peers(self):
        """tincand may have its own socket by now."""
        if self.kind != "tincand" or self.process.status is not None:
            return
        for peer in self.peers:
            if not peer.connected:
                connection = self._sites.own.connect()
                if not connection:
                    return
                peer.connect(connection, connection)

    def _step_others(self):
        """Does all that can be done without waiting, but for the program."""
        server = self._next_server()
        if server and (connection := self._sites.of(self.scenario).accept()):
            server.connect(connection, connection)
        for peer in self.peers:
            peer.step()
        for capture, written in self._captures:
            if capture and not capture.closed:
                data = capture.read(READ_SIZE)
                written += data or b""
                if data == b"":
                    capture.close()
        try:
            while True:
                self.log += self._sites.syslog.socket.recv(READ_SIZE) + b"\n"
        except BlockingIOError:
            pass

    # --- the end ---

    def _is_over(self, number):
        """Returns whether the connection needs nothing more of the server."""
        waits_in_vain = (number >= self.accepted and self.fault.lasting
                         and calls.find(self.fault.number).name == "accept4"
                         and self.hits.elsewhere >= REFUSALS_ENOUGH)
        peer = self.peers[number]
        ended = number < self.accepted if peer.script.then == "leave" else peer.ended
        return ended or waits_in_vain

    def _end_server(self):
        """tincand ends by SIGTERM, when its connections have ended or should have."""
        late = time.monotonic() >= self._deadline
        over = [self._is_over(number) for number in range(len(self.peers))]
        if self.terminated or not (late or all(over)):
            return
        self.hung = late and not all(over[:self.accepted])
        self.terminated = True
        os.kill(self.process.pid, signal.SIGTERM)
        self._deadline = self._after(2)

    def _bound(self):
        if self.process.status is None and self.kind == "tincand":
            self._end_server()
        if self.process.status is None and time.monotonic() >= self._deadline:
            self.hung = True
            self.process.kill()

    # --- what a call is for ---

    @staticmethod
    def _descriptor(thread):
        """Returns the descriptor that the call is about, or -1."""
        call = calls.find(thread.number)
        if "d" not in call.properties:
            return -1
        argument = thread.arguments[2 if call.name == "epoll_ctl" else 0]
        return ctypes.c_int(argument).value

    def _is_for_log(self, call, thread):
        """Returns whether the log may be lost when the call goes wrong."""
        if self._descriptor(thread) in self._for_log:
            return True
        if self.kind == "handler":  # it polls its log without waiting, and only that
            polls_log = (call.name == "ppoll" and thread.arguments[2] != 0
                         or call.name == "poll" and thread.arguments[2] & 1 << 31 == 0)
            return (polls_log or call.name in ("socket", "connect")
                    or self.scenario.wiring == "inetd" and call.name == "fstat")
        only_log = call.name in ("futex", "socket", "connect", "eventfd2")
        return self.kind == "tincand" and (thread.index > 0 or only_log)

    def _is_bounded(self, thread):
        """Returns whether the program has a deadline for what the call does. What the client waits
        for at its standard descriptors is its user, and tincand's loop keeps its deadlines."""
        descriptor = self._descriptor(thread)
        if self.kind == "client":
            return descriptor > 2 or (descriptor < 0 and self.peers[0].connected)
        return self.kind == "handler" or descriptor in self._owners

    def _note_hit(self, thread):
        hits, call = self.hits, calls.find(thread.number)
        hits.all += 1
        hits.loading |= not self.in_main
        if self.fault.kind != "error":
            return  # nothing may be lost by it
        owner = self._owners.get(self._descriptor(thread))
        hits.for_any += (call.name in ("mmap", "brk")
                         or call.name in ("epoll_wait", "epoll_pwait") and self.fault.lasting)
        if owner is None:
            hits.elsewhere += 1
        else:
            hits.on.add(owner)
        hits.bounded |= self._is_bounded(thread)
        hits.log |= self._is_for_log(call, thread)

    # --- the fault ---

    def _fail(self, thread):
        call, error = calls.find(thread.number), self.fault.error
        if calls.is_wakeup(call, thread.arguments):
            return
        if (self.hits.all >= STORM and calls.is_passing(call, error)
                and not self._is_bounded(thread)):
            self.hits.passed = True
            return
        self._note_hit(thread)
        if call.name == "brk":  # returns the end of the heap, not an error
            self.process.change(thread, thread.number, (0,) * 6)
        elif error[0] == "+":
            self.process.override(thread, -calls.error_number(error))
        else:
            self.process.replace(thread, -calls.error_number(error))

    def _cut_parts(self, thread, parts, count, number, flags):
        """Makes another call with one byte of the first part that has any."""
        for part in range(parts, parts + 16 * count, 16):
            if self.process.peek(thread, part + 8) > 0:
                self._note_hit(thread)
                start = self.process.peek(thread, part)
                self.process.change(thread, number, (thread.arguments[0], start, 1, flags, 0, 0))
                return

    def _cut(self, thread):
        """Makes it a transfer of one byte."""
        call, arguments, peek = calls.find(thread.number), thread.arguments, self.process.peek
        if "t" not in call.properties or self._descriptor(thread) not in self._streams:
            return
        if call.name == "sendmsg":
            parts, count = peek(thread, arguments[1] + 16), peek(thread, arguments[1] + 24)
            self._cut_parts(thread, parts, count, calls.SYS_SENDTO, arguments[2])
        elif call.name == "writev":
            self._cut_parts(thread, arguments[1], arguments[2], calls.SYS_WRITE, 0)
        elif arguments[2] > 1:
            self._note_hit(thread)
            self.process.change(thread, thread.number, (*arguments[:2], 1, *arguments[3:]))

    def _is_time(self, thread):
        fault = self.fault
        if fault.kind == "cut" and fault.lasting:
            return self.hits.all < CUTS_MAX
        if thread.number != fault.number:
            return False
        if fault.lasting and self.hits.all > 0:
            return True
        return thread.index == fault.thread and thread.counts[thread.number] == fault.nth

    def _inject(self, thread):
        if self.fault.kind == "error":
            self._fail(thread)
        elif self.fault.kind == "cut":
            self._cut(thread)
        elif self.fault.kind == "signal":
            self._note_hit(thread)
            if self.fault.before:
                self.process.postpone(thread)
            os.kill(self.process.pid, self.fault.signal)

    # --- the calls ---

    def _note_beginning(self, call, thread):
        """The programs look at their standard descriptors first; the C library does not."""
        if call.name in ("fstat", "newfstatat", "fcntl") and thread.arguments[0] <= 2:
            self.in_main = True
            self.loading = {**thread.counts, thread.number: thread.counts[thread.number] - 1}

    def _allow_pieces(self, call):
        """Lets the peers send their next piece when the program may wait for it."""
        reads = self.kind == "handler" and not self.scenario.nonblocking
        if "w" in call.properties and (reads or "t" not in call.properties):
            for peer in self.peers:
                peer.allow()

    def _redirect(self, thread):
        """Has the socket connect to our syslog: that of the machine is not for tests."""
        name = self._sites.syslog.address
        address = struct.pack("H", socket.AF_UNIX) + name
        arguments = (thread.arguments[0], self.process.push(thread, address), len(address), 0, 0, 0)
        self.process.change(thread, thread.number, arguments)

    def _on_entry(self, thread):
        call = calls.find(thread.number)
        if not self.in_main:
            self._note_beginning(call, thread)
        self._allow_pieces(call)
        if call.name == "connect" and self.kind != "client":
            self._redirect(thread)
        if self._is_time(thread):
            self._inject(thread)

    def _jump(self, thread):
        """Changes what the program has read of the wall clock, but for the first time."""
        address = calls.wall_time(calls.find(thread.number), thread.arguments)
        if self.fault.kind != "jump" or not address:
            return
        if self.wall_readings:
            self._note_hit(thread)
            self.process.poke(thread, address, self.process.peek(thread, address) + self.fault.seconds)
        self.wall_readings += 1

    def _on_exit(self, thread, result):
        """Follows what becomes of descriptors, and lets the clock jump."""
        name = calls.find(thread.number).name
        self._jump(thread)
        if name == "close":
            self._owners.pop(thread.arguments[0], None)
            self._streams.discard(thread.arguments[0])
            self._for_log.discard(thread.arguments[0])
        elif result < 0:
            return
        elif name == "accept4":
            self._owners[result] = self.accepted
            self.accepted += 1
            self._streams.add(result)
        elif name == "openat":
            self._streams.add(result)
        elif name == "socket" and thread.arguments[1] & 0xf == socket.SOCK_STREAM:
            self._streams.add(result)
        elif name in ("socket", "eventfd2") and self.kind != "client":
            self._for_log.add(result)  # a datagram socket, or what wakes the thread that logs
