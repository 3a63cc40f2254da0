# SPDX-License-Identifier: MIT
"""
Readers of logfmt that know nothing of each other, each as read_NAME(LINES): for each line the list
of its pairs of key and value. A reader raises Refused for a line that is not logfmt to it.
"""
import json
import os
import re
import shutil
import subprocess
import tempfile


class Refused(Exception):
    """A line is not logfmt; the text says which, and where."""


# --- a strict one, after the grammar of github.com/go-logfmt/logfmt ---

KEY = re.compile(rb'[^\x00-\x20="]+')
VALUE = re.compile(rb'[^\x00-\x20="]*')
QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


def read_strictly(lines):
    return [pairs_of(line) for line in lines]


def pairs_of(line):
    """A value in quotes is a string of JSON; without quotes it has no quote and no equals sign."""
    pairs, at = [], skip_blanks(line, 0)
    while at < len(line):
        key = match(KEY, line, at)
        at += len(key)
        value = b""
        if line[at:at + 1] == b"=":
            at += 1
            raw = match(QUOTED if line[at:at + 1] == b'"' else VALUE, line, at)
            at += len(raw)
            value = unquote(raw, line) if raw[:1] == b'"' else raw
        if at < len(line) and line[at] > 0x20:
            raise Refused(f"byte {at} of {line!r} stands behind a value")
        pairs.append((key.decode(), value.decode()))
        at = skip_blanks(line, at)
    return pairs


def skip_blanks(line, at):
    while at < len(line) and line[at] <= 0x20:
        at += 1
    return at


def match(pattern, line, at):
    found = pattern.match(line, at)
    if not found:
        raise Refused(f"byte {at} of {line!r}")
    return found[0]


def unquote(raw, line):
    try:
        return json.loads(raw).encode()
    except ValueError as error:
        raise Refused(f"{raw!r} of {line!r}: {error}") from error


# --- lnav, which refuses nothing, but leaves the quotes on what it can't unquote ---


def have_lnav():
    return shutil.which("lnav")


def read_with_lnav(lines):
    """lnav takes a line for logfmt only if it has a time, and passes over values that are empty."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "log")
        with open(path, "wb") as log:
            log.writelines(b"time=2001-02-03T04:05:06Z %s\n" % line for line in lines)
        output = subprocess.run(
            ["lnav", "-n", "-c", ";SELECT fields FROM logfmt_log", "-c", ":write-json-to -", path],
            stdout=subprocess.PIPE, check=True, env={**os.environ, "HOME": folder}).stdout
    return [[(key, str(value)) for key, value in (record["fields"] or {}).items()]
            for record in json.loads(output)]


# --- go-logfmt itself ---

GO_PACKAGES = "/usr/share/gocode"  # golang-github-go-logfmt-logfmt-dev
GO_READER = """
package main

import (
	"encoding/json"
	"log"
	"os"

	"github.com/go-logfmt/logfmt"
)

func main() {
	lines := [][][2]string{}
	decoder := logfmt.NewDecoder(os.Stdin)
	for decoder.ScanRecord() {
		pairs := [][2]string{}
		for decoder.ScanKeyval() {
			pairs = append(pairs, [2]string{string(decoder.Key()), string(decoder.Value())})
		}
		lines = append(lines, pairs)
	}
	if decoder.Err() != nil {
		log.Fatal(decoder.Err())
	}
	json.NewEncoder(os.Stdout).Encode(lines)
}
"""


def have_go():
    return shutil.which("go") and os.path.isdir(f"{GO_PACKAGES}/src/github.com/go-logfmt/logfmt")


def read_with_go(lines):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "reader.go")
        with open(path, "w", encoding="ascii") as source:
            source.write(GO_READER)
        result = subprocess.run(
            ["go", "run", path], input=b"".join(line + b"\n" for line in lines), capture_output=True,
            check=False, env={**os.environ, "HOME": folder, "GOCACHE": f"{folder}/cache",
                              "GOPATH": GO_PACKAGES, "GO111MODULE": "off"})
    if result.returncode:
        raise Refused(result.stderr.decode())
    return [[tuple(pair) for pair in pairs] for pairs in json.loads(result.stdout)]
