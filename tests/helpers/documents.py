#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
The blocks of the documents: what is indented or fenced in Markdown, and the literal parts of the
manuals' EXAMPLES. A block's name is DOCUMENT/HEADING/NUMBER, such as README.md/Try it/1.

    documents.py list                   the names of all blocks
    documents.py show NAME [EDIT]...    a block
    documents.py command NAME NUMBER [EDIT]...  one of its commands
    documents.py shown NAME [EDIT]...   what its commands are shown to print
    documents.py run NAME [EDIT]...     runs it, and compares that with what they print
    documents.py compare NAME [EDIT]... compares that, or a block without prompts, with standard input
    documents.py unlisted TEST...       the blocks that no test names, and the names that are no block's

In a block with prompts (`$ `, or `# ` for root) what follows a command is what it is shown to print. In
a block without prompts each line is a command, two spaces and `#` begin a remark, and nothing is compared.
A command goes on behind a backslash or a bar at the end of its line. A command that is shown to print
something must print that; others must succeed. An EDIT is |FROM|TO|, done to the block before: what
has to be another on this machine. MAY_DIFFER says what may differ from one run to the next.
"""
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
DOCUMENTS = ("README.md", "client/RECIPES.md", "client/tincan.1", "handler/tincan-handler.8", "tincand/tincand.8")

# Times and what is counted by them, ports and processes, and where a line is folded.
MAY_DIFFER = (
    # Phases that round to 0, and probes that are late, come and go.
    (r" +(late|complete|close)=\d+\.\d{3}", ""),
    (r"\n(complete|close|since due|late)( +\d+\.\d{3})+", ""),
    (r"( *\d+\.\d{3} to +\d+\.\d{3} ms .*%.*(\n|$))+", "HISTOGRAM\n"),
    (r"\d+\.\d+(?= m?s\b| echoes a second|ms;)", "TIME"),
    (r"\b\d+\.\d{3}\b", "TIME"),
    (r"usec=\d+", "usec=N"),
    (r"(?<=127\.0\.0\.1:)\d{5}\b", "PORT"),
    (r"\s+", " "),
)


def markdown_blocks(text):
    """Pairs of a heading and the lines of a block below it."""
    heading, block, fenced = "", [], False
    for line in [*text.split("\n"), "#"]:
        if line.startswith("```") or not fenced and block and line.strip() and not line.startswith("    "):
            while block and not block[-1]:
                block.pop()
            if block:
                yield heading, block
            block = []
            fenced = line.startswith("```") and not fenced
        elif fenced:
            block.append(line)
        if not fenced and line.startswith("    ") or block and not line:
            block.append(line[4:])
        elif not fenced and line.startswith("#"):
            heading = line.lstrip("#").strip()


def shown_as(line):
    """A line of a literal part of a manual, as it is shown."""
    line = re.sub(r"^\\&", "", line)
    for escape, char in ((r"\(aq", "'"), (r"\(dq", '"'), (r"\-", "-"), (r"\&", ""), (r"\e", "\\")):
        line = line.replace(escape, char)
    return line


def manual_blocks(text):
    examples = text.split("\n.Sh EXAMPLES\n", 1)[1].split("\n.Sh ", 1)[0]
    for match in re.finditer(r"^\.Bd .*\n((?:.*\n)*?)\.Ed$|^\.Dl (.*)$", examples, re.M):
        yield "EXAMPLES", [shown_as(line) for line in (match[1] or match[2]).rstrip("\n").split("\n")]


def blocks():
    """All blocks by name."""
    found = {}
    for document in DOCUMENTS:
        find = markdown_blocks if document.endswith(".md") else manual_blocks
        for heading, block in find((TOP / document).read_text("utf-8")):
            name, number = f"{pathlib.Path(document).name}/{heading}", 1
            while f"{name}/{number}" in found:
                number += 1
            found[f"{name}/{number}"] = block
    return found


def edited(block, edits):
    text = "\n".join(block)
    for edit in edits:
        _, old, new, _ = edit.split(edit[0])
        if old not in text:
            sys.exit(f"there is no {old!r} in the block, which is\n{text}")
        text = text.replace(old, new)
    return text.split("\n")


def is_prompted(block):
    return any(line.startswith(("$ ", "# ")) for line in block)


def session(block):
    """Pairs of a command and what it is shown to print."""
    prompted = is_prompted(block)
    pairs, goes_on = [], False
    for line in block:
        if not prompted:
            line = re.sub(r"  +# .*", "", line)
        if goes_on:
            pairs[-1][0] += "\n" + line
        elif not prompted or line.startswith(("$ ", "# ")):
            pairs.append([line[2:] if prompted else line, ""])
        else:
            pairs[-1][1] += line + "\n"
            continue
        goes_on = line.endswith(("\\", "|"))
    return pairs


def without_differences(text):
    for pattern, replacement in MAY_DIFFER:
        text = re.sub(pattern, replacement, text)
    return text.strip()


def compare(title, shown, printed):
    if without_differences(shown) == without_differences(printed):
        return True
    print(f"{title}\nis shown as\n{shown}\nbut is\n{printed}\nor, but for what may differ,\n"
          f"{without_differences(shown)}\nand\n{without_differences(printed)}")
    return False


def run(block):
    well = True
    for command, shown in session(block):
        done = subprocess.run(["bash", "-o", "pipefail", "-c", command], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        printed = done.stdout.decode("utf-8", "replace")
        if shown:
            well &= compare(command, shown, printed)
        elif done.returncode:
            print(f"{command}\nended with {done.returncode}, and printed\n{printed}")
            well = False
    return well


def unlisted(files):
    """A test names a block in quotes, behind the word for what is done with it."""
    named = set()
    for file in files:
        named |= set(re.findall(r"""\w '([\w.-]+/[^'/]*/\d+)'""", pathlib.Path(file).read_text("utf-8")))
    there = blocks().keys()
    print(*(f"no test names {name}" for name in there - named),
          *(f"a test names {name}, which is no block" for name in named - there), sep="\n")
    return named == there


def main():
    what, *arguments = sys.argv[1:]
    if what == "list":
        print(*blocks(), sep="\n")
        return 0
    if what == "unlisted":
        return 0 if unlisted(arguments) else 1
    if what == "command":
        print(session(edited(blocks()[arguments[0]], arguments[2:]))[int(arguments[1]) - 1][0])
        return 0
    block = edited(blocks()[arguments[0]], arguments[1:])
    shown = "".join(text for _, text in session(block)) if is_prompted(block) else "\n".join(block) + "\n"
    if what in ("show", "shown"):
        print("\n".join(block) if what == "show" else shown.rstrip("\n"))
        return 0
    return 0 if (compare(arguments[0], shown, sys.stdin.read()) if what == "compare" else run(block)) else 1


if __name__ == "__main__":
    sys.exit(main())
