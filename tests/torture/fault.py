# SPDX-License-Identifier: MIT
"""What goes wrong in a run."""

import signal
from dataclasses import dataclass

import calls
from scenarios import OPTIONAL

SIGNALS = signal.SIGTERM, signal.SIGALRM, signal.SIGSTOP
DAY = 86400


@dataclass(frozen=True)
class Fault:
    kind: str = "nothing"  # or "error", "cut" to one byte, "signal", "jump" of the wall clock
    thread: int = 0  # it happens at this thread's
    nth: int = 0  # call, counted from 1, of this
    number: int = -1
    lasting: bool = False  # an error: at all such calls from then on; a cut: at all transfers
    error: str = ""
    signal: int = 0
    before: bool = False  # the signal comes before the call; else while it is made
    seconds: int = 0  # by which the clock jumps once it has been read

    def __str__(self):
        where = f"{calls.find(self.number).name} #{self.nth}"
        where += " of another thread" if self.thread else ""
        if self.kind == "error":
            done = ", though done" if self.error[0] == "+" else ""
            lasting = ", from then on" if self.lasting else ""
            return f"{where}: {self.error.lstrip('+')}{done}{lasting}"
        if self.kind == "cut":
            return f"{'all transfers' if self.lasting else where}: one byte"
        if self.kind == "signal":
            when = "before" if self.before else "meanwhile"
            return f"{where}: {signal.Signals(self.signal).name} {when}"
        if self.kind == "jump":
            return f"the wall clock jumps by {self.seconds} s"
        return "nothing"

    def is_harmless(self, passed, kind):
        """Returns whether a program of that kind has to do what it does without the fault; `passed`
        says that a lasting error ended."""
        if self.kind == "error":
            call = calls.find(self.number)
            return (call.name in OPTIONAL[kind].split()
                    or ((passed or not self.lasting) and calls.is_passing(call, self.error)))
        return self.kind != "signal" or self.signal == signal.SIGSTOP


def at_call(thread, number, nth):
    """Yields what can go wrong at a call."""
    call = calls.find(number)
    for error in call.errors:
        for lasting in False, True:
            yield Fault("error", thread, nth, number, lasting, error)
    for sent in SIGNALS:
        for before in False, True:
            yield Fault("signal", thread, nth, number, signal=sent, before=before)
    if "t" in call.properties:
        yield Fault("cut", thread, nth, number)


def at_calls(counts, skipped):
    """Yields what can go wrong at all calls: a dict of how many, by thread and number. Leaves out
    the first of them, which `skipped` counts."""
    for (thread, number), count in counts.items():
        for nth in range(skipped.get((thread, number), 0) + 1, count + 1):
            yield from at_call(thread, number, nth)
    yield Fault("cut", lasting=True)
    for seconds in DAY, -DAY:
        yield Fault("jump", seconds=seconds)
