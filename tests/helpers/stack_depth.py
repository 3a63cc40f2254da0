#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
stack_depth.py FILE.ci...: the deepest path of calls of a program, from what gcc wrote of each file with
-fcallgraph-info=su. Prints `stack=BYTES` and the functions on the path with the frame of each. The frames
of the C library and of calls through pointers are not known and not counted. Fails if a function calls
itself, also by others, or has a frame whose size is not known before it runs.
"""
import pathlib
import re
import sys


def read(files):
    """The frames of functions, and the functions that each one calls."""
    frames, calls = {}, {}
    for file in files:
        for line in pathlib.Path(file).read_text("utf-8").splitlines():
            if node := re.match(r'node: { title: "(.*?)" label: ".*\\n(\d+) bytes \((.*)\)" }', line):
                frames[node[1]] = int(node[2])
                if node[3] != "static":
                    sys.exit(f"the frame of {node[1]} is {node[3]}")
            elif edge := re.match(r'edge: { sourcename: "(.*?)" targetname: "(.*?)"', line):
                calls.setdefault(edge[1], set()).add(edge[2])
    return frames, calls


def deepest(name, frames, calls, found, above=()):
    """The deepest path from a function on: its bytes, and the functions."""
    if name in above:
        sys.exit(f"{name} calls itself: {' > '.join(above)}")
    if name not in found:
        below = [deepest(one, frames, calls, found, (*above, name)) for one in calls.get(name, ()) if one in frames]
        size, path = max(below, default=(0, ()))
        found[name] = size + frames[name], (name, *path)
    return found[name]


def main():
    frames, calls = read(sys.argv[1:])
    found = {}
    size, path = max(deepest(name, frames, calls, found) for name in frames)
    print(f"stack={size}", " > ".join(f"{name.rpartition(':')[2]} {frames[name]}" for name in path))


if __name__ == "__main__":
    main()
