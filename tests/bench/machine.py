# SPDX-License-Identifier: MIT
"""What the figures were measured on."""
import datetime
import gzip
import os
import platform
import re
import subprocess
from pathlib import Path

from contenders import BUILD, UNPACKED

PACKAGES = (
    "musl-tools libc6 busybox busybox-static bash python3 ucspi-tcp xinetd openbsd-inetd inetutils-inetd s6"
    " systemd socat ncat libevent-dev libuv1-dev libunistring-dev libsystemd0"
).split()


def output_of(*command):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        return done.stdout.strip()
    except OSError:
        return ""


def unpacked_version(package):
    """The version of a package that was unpacked beside the tests, or nothing."""
    path = UNPACKED / package / "usr/share/doc" / package / "changelog.Debian.gz"
    if not path.exists():
        return ""
    with gzip.open(path, "rt", errors="replace") as file:
        return re.search(r"\(([^)]*)\)", file.readline()).group(1)


def versions():
    form = "${Package} ${Version} ${db:Status-Status}\n"
    lines = output_of("dpkg-query", "-W", "-f", form, *PACKAGES).splitlines()
    installed = {words[0]: words[1] for words in map(str.split, lines) if words[-1] == "installed"}
    found = {name: installed.get(name) or unpacked_version(name) for name in PACKAGES}
    return {name: version for name, version in found.items() if version}


def describe():
    cpu = re.search(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    memory = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": cpu.group(1) if cpu else platform.machine(),
        "processors": len(os.sched_getaffinity(0)),
        "virtual": output_of("systemd-detect-virt") or "unknown",
        "memory GiB": round(int(memory.group(1)) / 2**20, 1),
        "kernel": f"{platform.system()} {platform.release()}",
        "system": output_of("sh", "-c", '. /etc/os-release && echo "$PRETTY_NAME"'),
        "load before": round(os.getloadavg()[0], 2),
        "tincan": output_of(str(BUILD / "tincan"), "--version").splitlines()[0],
        "versions": versions(),
    }
