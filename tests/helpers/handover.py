#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
handover.py NAME HOST PORT, or NAME PATH: asks handover.c, behind the launcher that listens there, and
prints the launcher's row of each of the two tables in units/LAUNCHING.md. By the marks of
helpers/marked it knows which of its own state the launcher passes on.
"""
import socket
import sys

NAME, *ADDRESS = sys.argv[1:]


def ask():
    """The report, without sending a byte: closing with unread input would destroy it."""
    connection = socket.socket(socket.AF_INET if ADDRESS[1:] else socket.AF_UNIX)
    connection.settimeout(20)
    connection.connect((ADDRESS[0], int(ADDRESS[1])) if ADDRESS[1:] else ADDRESS[0])
    with connection.makefile(encoding="ascii") as lines:
        return dict(line.rstrip("\n").partition(":")[::2] for line in lines)


REPORT = {subject: value.strip() for subject, value in ask().items()}
DESCRIPTORS = {int(key.split()[1]): kind for key, kind in REPORT.items() if key.startswith("desc")}
ENVIRONMENT = REPORT["environment"].split()
IGNORED = REPORT["ignored"].split()
BLOCKED = REPORT["blocked"].split()
PASSED_ON = {
    "environment": "MARKED" in ENVIRONMENT,
    "`PATH`": REPORT["PATH"].endswith(":/marked"),
    "ignored": "USR2" in IGNORED,
    "blocked": "USR1" in BLOCKED,
    "umask": REPORT["umask"] == "0027",
    "folder": REPORT["folder"].startswith("/tmp"),
    "limits": REPORT["limit of descriptors"] == "512",
    "files": any(fd > 2 and kind == "null" for fd, kind in DESCRIPTORS.items()),
}
# What says nothing of the connection.
OTHER = set("""INVOCATION_ID LANG MARKED MEMORY_PRESSURE_WATCH MEMORY_PRESSURE_WRITE PATH SYSTEMD_EXEC_PID
    USER""".split())


def connection():
    """Descriptors 0 and 1."""
    return DESCRIPTORS[0] if DESCRIPTORS[1] == "as 0" else f"{DESCRIPTORS[0]}, {DESCRIPTORS[1]}"


def standard_error():
    if DESCRIPTORS[2] == "as 0":
        return "**0**" if DESCRIPTORS[0] != "null" else "null"
    return "its own" if DESCRIPTORS[2] in ("file", "pipe") else DESCRIPTORS[2]


def above():
    return ", ".join(
        f"{fd}: {kind}" for fd, kind in sorted(DESCRIPTORS.items()) if fd > 2 and not kind.startswith(("as", "null"))
    )


def passed_on():
    passed = [name for name, kept in PASSED_ON.items() if kept]
    lost = [name for name, kept in PASSED_ON.items() if not kept]
    most = ("all but " + ", ".join(lost)) if lost else "all"
    timer = "; a timer" if REPORT["timer"] == "running" else ""
    return (most if len(lost) < len(passed) else ", ".join(passed)) + timer


def row(name, *cells):
    print(f"| {name} |" + "".join(f" {cell or '-'} |" for cell in cells))


row(NAME, connection(), standard_error(), above(), " ".join(name for name in IGNORED if name != "USR2"), passed_on())
# One row for all versions of socat, which is long.
row(NAME.partition(" 1.")[0], " ".join(name for name in ENVIRONMENT if name not in OTHER))
