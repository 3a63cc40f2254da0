#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""corpus.py unpack FILE FOLDER: writes the inputs in FILE, a line of hexadecimal digits each, to files
in FOLDER. corpus.py pack FOLDER FILE: the other way, the shortest first."""

import hashlib
import pathlib
import sys


def unpack(source, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for line in source.read_text().split():
        content = bytes.fromhex(line)
        (folder / hashlib.sha1(content).hexdigest()).write_bytes(content)


def pack(folder, target):
    inputs = {path.read_bytes() for path in folder.iterdir() if path.is_file()} - {b""}
    target.write_text("".join(f"{content.hex()}\n" for content in sorted(inputs, key=lambda c: (len(c), c))))


{"unpack": unpack, "pack": pack}[sys.argv[1]](*map(pathlib.Path, sys.argv[2:]))
