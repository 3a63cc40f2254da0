# SPDX-License-Identifier: MIT
"""What must hold, as bounds of ratios within rounds or of medians, and whether it does."""
import dataclasses
import os
import shutil
import statistics
import subprocess

import contenders
from contenders import BUILD

MET, MISSED, NOISY, LEFT_OUT, NO_ROOM = "met", "NOT MET", "too noisy", "left out", "no room"


@dataclasses.dataclass(frozen=True)
class Bound:
    """Of a `figure` of a contender in an experiment at x: the ratio to `base`, or where that is
    empty the figure itself, is at most (or `at_least`) the limit. With `room`, the bound says nothing
    where the processors were busy all the time, as the client is on them too."""

    what: str
    experiment: str
    contender: str
    figure: str
    limit: float
    base: str = ""
    x: object = ""
    at_least: bool = False
    room: bool = False

    def judge(self, experiments):
        """Returns the value, or None, and a verdict."""
        experiment = experiments.get(self.experiment)
        value = experiment and self.value(experiment.samples)
        if value is None:
            return None, LEFT_OUT
        met = value >= self.limit if self.at_least else value <= self.limit
        if experiment.noise():
            return value, NOISY
        if self.room and not met and experiment.samples.values(self.contender, "", "busy").median > 0.9:
            return value, NO_ROOM
        return value, MET if met else MISSED

    def value(self, samples):
        if self.base:
            summary = samples.ratios(self.contender, self.base, self.x, self.figure)
        else:
            summary = samples.values(self.contender, self.x, self.figure)
        return summary and summary.median

    def demand(self):
        return f"{'at least' if self.at_least else 'at most'} {self.limit:.4g}"


def bounds_of_launchers():
    for launcher in contenders.LAUNCHERS:
        yield Bound(
            f"{launcher}: rate, of the floor program's there",
            *("launchers", f"{launcher}: tincan-handler", "rate", 0.9, f"{launcher}: floor", 8, True),
        )
        yield Bound(
            f"{launcher}: rate, of `cat`'s there",
            *("launchers", f"{launcher}: tincan-handler", "rate", 1, f"{launcher}: cat", 8, True),
        )


def bounds_of_texts():
    for kind, limit in ("ASCII", 0.97), ("2-byte", 0.9), ("3-byte", 0.9), ("4-byte", 0.9), ("mixed", 0.9):
        for name, base in ("tcpserver: tincan-handler", "tcpserver: store"), ("tincand", "forking store"):
            yield Bound(
                f"{name.partition(':')[0]}: rate of 1 MiB of {kind} text, of storing and sending back",
                *("texts", name, "rate", limit, base, kind, True),
            )


def bounds_of_decoder(experiments):
    """Of text that is not ASCII: 1.5 GB/s or twice iconv, whichever is less."""
    yield Bound("decoder: ASCII, of memchr", "decoder", "decoder", "MB/s", 0.5, "memchr", "ASCII", True)
    samples = experiments["decoder"].samples if "decoder" in experiments else None
    for kind in ("2-byte", "3-byte", "4-byte", "mixed"):
        iconv = samples and samples.values("iconv", kind, "MB/s")
        limit = min(1500, 2 * iconv.median) if iconv else 1500
        yield Bound(f"decoder: {kind} text, MB/s", "decoder", "decoder", "MB/s", limit, "", kind, True)


def all_bounds(experiments):
    return [
        Bound("handler: spawn to exit, of the floor's", "process", "tincan-handler", "usec", 1.3, "floor"),
        Bound(
            "handler without sandbox: spawn to exit, of the floor's",
            *("process", "tincan-handler --no-sandbox", "usec", 1.05, "floor"),
        ),
        Bound("handler: page faults beyond the floor's 5", "process", "tincan-handler", "more faults", 4),
        *bounds_of_launchers(),
        Bound("tincand: rate, of the bare loop's", "servers", "tincand", "rate", 0.97, "bare loop", "", True),
        Bound(
            "tincand: p99 beside 10,000 idle connections, of that beside none",
            *("idle", "tincand, 10000 idle", "p99_usec", 1.1, "tincand, 0 idle"),
        ),
        Bound(
            "tincand: rate of two instances, of one's",
            *("servers", "tincand, two instances", "rate", 1.6, "tincand", "", True, True),
        ),
        *bounds_of_texts(),
        *bounds_of_decoder(experiments),
        Bound("handler that waits: KiB of memory", "waiting", "tincan-handler", "KiB", 100),
        Bound("handler: KiB of the stripped program", "binary", "tincan-handler", "KiB", 40),
        Flat(
            "tincand: processor time of a connection after many, of that of the first",
            *("served", "tincand", "cpu_usec_each", 1.05),
        ),
        Flat("tincand: memory after many, of that after the first", "served", "tincand", "KiB", 1),
    ]


class Flat(Bound):
    """The median of the later half of the figures along the x axis over that of the earlier half. The
    first figure is left out, as it is of a server that warms up."""

    def judge(self, experiments):
        value, _ = super().judge(experiments)
        if value is None:
            return None, LEFT_OUT
        return value, MET if value <= self.limit else MISSED

    def value(self, samples):
        xs = dict.fromkeys(x for name, x, _ in samples.rounds if name == self.contender and x)
        figures = [samples.values(self.contender, x, self.figure).median for x in xs]
        half = len(figures) // 2
        return statistics.median(figures[-half:]) / statistics.median(figures[:half]) if half else None


def stripped_kib():
    """The size of the handler without symbols, or None."""
    strip, copy = shutil.which("strip"), BUILD / "bench/stripped"
    if not strip:
        return None
    subprocess.run([strip, "-o", copy, BUILD / "tincan-handler"], check=True)
    return os.path.getsize(copy) / 1024
