#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""python_opinion.py PROGRAM COUNT [SEED]: makes COUNT mutated texts and compares the decoder, as
`PROGRAM verdicts` shows it, with Python's own: status and length. Prints its counts; at the first
difference it prints the text and exits 1."""

import random
import struct
import subprocess
import sys
from collections import Counter

BATCH = 10000
LONGEST = 300

# Where characters change their length or are none, and what people write.
RANGES = [(1, 0x7F), (0x20, 0x7E), (0x80, 0x7FF), (0x800, 0xD7FF), (0xE000, 0xFFFF), (0x10000, 0x10FFFF)]


def make_text(random):
    low, high = random.choice(RANGES)
    characters = [chr(random.randint(low, high)) for _ in range(random.randrange(40))]
    if random.random() < 0.5:
        characters.insert(random.randint(0, len(characters)), "ascii in between")
    return "".join(characters).encode()


def mutate(random, text, other):
    """One change of a text."""
    at = random.randint(0, len(text))
    kind = random.randrange(7)
    if kind == 0:  # a bit, or a byte at the end
        return text[:at] + bytes([(text[at] if at < len(text) else 0) ^ 1 << random.randrange(8)]) + text[at + 1 :]
    if kind == 1:  # any byte instead
        return text[:at] + random.randbytes(1) + text[at + 1 :]
    if kind == 2:  # a byte that leads or continues, in between
        return text[:at] + bytes([random.randint(0x80, 0xFF)]) + text[at:]
    if kind == 3:
        return text[:at] + text[at + 1 :]
    if kind == 4:
        return text[:at]
    if kind == 5:
        return text[:at] + b"\0" + text[at:]
    return text[:at] + other[random.randint(0, len(other)) :]


def texts(random, count):
    """Texts without a change, and with up to three."""
    other = b""
    for _ in range(count):
        text = original = make_text(random)
        for _ in range(random.randrange(4)):
            text = mutate(random, text, other)
        other = original
        yield text[:LONGEST]


def verdict(text):
    """What the decoder must say, by Python's strict decoder."""
    message, null, _ = text.partition(b"\0")
    try:
        message.decode()
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data" and not null:
            return f"more {len(message)}"
        # `end` is behind the bytes that could begin a character, unless the first can't.
        return f"invalid {error.start if error.reason == 'invalid start byte' else error.end}"
    return f"{'complete' if null else 'more'} {len(message)}"


def main(program, count, seed="1"):
    source = random.Random(int(seed))
    seen = Counter()
    for start in range(0, int(count), BATCH):
        batch = list(texts(source, min(BATCH, int(count) - start)))
        records = b"".join(struct.pack("!I", len(text)) + text for text in batch)
        run = subprocess.run([program, "verdicts"], input=records, capture_output=True, check=False)
        lines = run.stdout.decode().splitlines()
        for text, line in zip(batch, lines):
            if line != verdict(text):
                return f"the decoder says {line}, Python {verdict(text)}, of {text!r}"
            seen[line.split()[0]] += 1
        if run.returncode != 0 or len(lines) != len(batch):
            return f"exit status {run.returncode} after {len(lines)} texts of a batch, seed {seed}"
    print("texts", seen.total(), *(f"{status} {seen[status]}" for status in sorted(seen)))
    return 0


sys.exit(main(*sys.argv[1:]))
