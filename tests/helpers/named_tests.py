#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""named_tests.py PAGE TESTS LEAST: prints what a page names as a test that is none. A page names tests
in lines that begin with `Test:` or `Tests:`, in backticks: titles in the folder TESTS, or `make TARGET`.
Fails if there are fewer than LEAST.
"""

import pathlib
import re
import sys


def main():
    page, tests = (pathlib.Path(argument) for argument in sys.argv[1:3])
    known = set()
    for file in [*tests.rglob("*.bats"), *tests.glob("*.in")]:
        known |= set(re.findall(r'^@test "(.*)" \{$', file.read_text(), re.M))
    for file in tests.rglob("*.mk"):
        for target in re.findall(r"^([a-z-]+):.* ## ", file.read_text(), re.M):
            known.add(f"make {target}")
    named = []
    for line in re.findall(r"^ *Tests?: ((?:.+\n)+?)(?=\n)", page.read_text(), re.M):
        named += re.findall(r"`(.+?)`", " ".join(line.split()))
    print(*(name for name in named if name not in known), sep="\n")
    sys.exit(len(named) < int(sys.argv[3]))


main()
