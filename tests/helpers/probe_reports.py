#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Reads what probes are reported in, strictly, and holds it against an independent calculation.

usage: probe_reports.py json        JSON lines on standard input: each an object of a known type,
                                    the summary in agreement with the probes before it
       probe_reports.py plugin      the line of a monitoring plugin on standard input
       probe_reports.py prometheus FILE
                                    a file for the textfile collector; prints its samples
       probe_reports.py agree       text.out, json.out and check.out (of a plugin), with a .status and
                                    a .prom each, which are of the same probes; prints the outcomes
       probe_reports.py FIELD       the values of a field in JSON lines on standard input, a line each

What is wrong is said on standard error, and the exit status is then 1.
"""

import json
import math
import re
import sys

PHASES = ("others", "connect", "first_byte", "complete", "close", "time", "since_due", "rtt", "server", "late")


def require(condition, *what):
    if not condition:
        sys.exit("probe_reports: " + " ".join(map(str, what)))


def close_to(found, exact, error, *what):
    require(abs(found - exact) <= error * abs(exact) + 2e-6, *what, "is", found, "and not", exact)


def quantile(ordered, share):
    """The value at rank ceil(share * n)."""
    return ordered[max(1, math.ceil(share * len(ordered))) - 1]


def check_statistics(phase, found, values):
    values = sorted(values)
    require(found["count"] == len(values), phase, "count", found["count"], len(values))
    mean = sum(values) / len(values)
    deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))
    close_to(found["min"], values[0], 0, phase, "min")
    close_to(found["max"], values[-1], 0, phase, "max")
    close_to(found["avg"], mean, 1e-6, phase, "avg")
    close_to(found["stddev"], deviation, 1e-4, phase, "stddev")
    for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)):
        close_to(found[name], quantile(values, share), 0.01, phase, name)


def check_histogram(cells, times):
    require(sum(count for _, _, count in cells) == len(times), "the histogram's counts")
    for low, high, count in cells:
        inside = sum(low <= time < high for time in times)
        require(inside == count, "the cell from", low, "to", high, "has", count, "not", inside)
        require(high - low <= max(0.01 * low, 1.1e-6), "the cell from", low, "is too wide")


def read_objects(stream):
    objects = []
    for line in stream:
        entry = json.loads(line)
        require(isinstance(entry, dict) and "type" in entry, "no object with a type:", line)
        objects.append(entry)
    return objects


def check_json():
    objects = read_objects(sys.stdin)
    probes = [entry for entry in objects if entry["type"] == "probe"]
    summary = objects[-1]
    require(objects[0]["type"] == "begin", "the first object is no begin")
    require(summary["type"] == "summary", "the last object is no summary")
    require([p["seq"] for p in sorted(probes, key=lambda p: p["seq"])]
            == list(range(1, len(probes) + 1)), "the sequence has gaps")
    outcomes = {}
    for probe in probes:
        outcomes[probe["outcome"]] = outcomes.get(probe["outcome"], 0) + 1
    require(summary["outcomes"] == outcomes, "outcomes", summary["outcomes"], outcomes)
    for name in ("syns_resent", "segments_resent", "out_of_order"):
        require(summary[name] == sum(probe[name] for probe in probes), name)
    hit = [p for p in probes if p["syns_resent"] or p["segments_resent"] or p["out_of_order"]]
    require(summary["probes_hit"] == len(hit), "probes_hit", summary["probes_hit"], len(hit))
    local = outcomes.get("local_error", 0)
    echoed = [probe for probe in probes if probe["outcome"] == "echoed"]
    require(summary["echoed"] == len(echoed), "echoed", summary["echoed"], len(echoed))
    require(summary["local_errors"] == local, "local_errors")
    altered = outcomes.get("altered", 0) + outcomes.get("extra_bytes", 0)
    ended = len(probes) - local
    require(ended <= summary["sent"] <= ended + summary["unfinished"], "sent")
    require(summary["altered"] == altered, "altered")
    require(summary["lost"] == ended - len(echoed) - altered, "lost")
    lost = sorted(probe["seq"] for probe in probes
                  if probe["outcome"] not in ("echoed", "altered", "extra_bytes", "local_error"))
    outages = [[seq, seq] for seq in lost]
    for one, other in zip(outages, outages[1:]):
        if one[1] + 1 == other[0]:
            other[0], one[0] = one[0], 0
    outages = [outage for outage in outages if outage[0] > 0]
    if summary["outage_count"] == 0:
        outages = []  # in a flood there are none
    found = [[outage["first"], outage["last"]] for outage in summary["outages"]]
    require(found == outages[-16:], "outages", found, outages)
    require(summary["outage_count"] == len(outages), "outage_count")
    for phase in PHASES:
        of = echoed if phase != "late" else [p for p in probes if p["outcome"] != "local_error"]
        values = [p[phase + "_ms"] for p in of if p[phase + "_ms"] is not None]
        if values:
            check_statistics(phase, summary["ms"][phase], values)
    for probe in echoed:
        parts = (probe["others_ms"] or 0) + probe["connect_ms"] + probe["first_byte_ms"] + probe["complete_ms"]
        close_to(parts, probe["time_ms"], 1e-6, "the sum of phases")
        close_to(probe["late_ms"] + probe["time_ms"], probe["since_due_ms"], 1e-6, "since due")
    if "histogram" in summary:
        check_histogram(summary["histogram"], [probe["time_ms"] for probe in echoed])


NUMBER = r"-?[0-9]+(?:\.[0-9]+)?"
RANGE = rf"@?(?:(?:~|{NUMBER}):)?(?:{NUMBER})?"  # of monitoring-plugins' guidelines
PERFORMANCE = re.compile(
    rf"'([^'=]+)'=(?:({NUMBER})(s|ms|us|%|B|c)?|U)"
    rf";?({RANGE});?({RANGE});?({NUMBER})?;?({NUMBER})?"
)


def check_plugin():
    text = sys.stdin.read()
    require(text.endswith("\n") and text.count("\n") == 1, "it is not one line:", repr(text))
    head, bar, data = text.rstrip("\n").partition(" | ")
    require(re.fullmatch(r"TINCAN (OK|WARNING|CRITICAL|UNKNOWN) - [^|]+", head), "head:", head)
    require(bar, "there is no performance data")
    labels = []
    while data:
        match = PERFORMANCE.match(data)
        require(match, "performance data:", data)
        labels.append(match.group(1))
        data = data[match.end():]
        require(not data or data[0] == " ", "behind a value:", data)
        data = data[1:]
    require(len(set(labels)) == len(labels), "labels twice:", labels)
    print(*labels)


SAMPLE = re.compile(
    r"([a-zA-Z_:][a-zA-Z0-9_:]*)"
    r'\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*)\}'
    r" ([-+]?(?:[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|Inf|NaN))"
)
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "gauge": ("",), "counter": ("",)}


def check_buckets(name, series):
    """Cumulative, with rising bounds, the last one infinite and equal to the count."""
    for labels, buckets in series.items():
        bounds = [float(bound.replace("+Inf", "inf")) for bound, _ in buckets]
        counts = [count for _, count in buckets]
        require(bounds == sorted(set(bounds)) and bounds[-1] == math.inf, name, "bounds", bounds)
        require(counts == sorted(counts), name, labels, "counts", counts)


def check_prometheus(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    require(text.endswith("\n"), "the last line has no end")
    types, helps, seen, buckets, values = {}, set(), set(), {}, {}
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name = line.split(" ")[2]
            require(name not in helps, "HELP twice:", name)
            helps.add(name)
            continue
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            require(name in helps and name not in types, "TYPE without HELP, or twice:", name)
            require(kind in SUFFIXES, "type", kind)
            types[name] = kind
            continue
        if line.startswith("# ") and line == text.splitlines()[-1]:
            continue  # a comment, which marks the file as whole
        match = SAMPLE.fullmatch(line)
        require(match, "no sample:", line)
        sample, labels, value = match.groups()
        current = list(types)[-1]
        require(sample in [current + suffix for suffix in SUFFIXES[types[current]]],
                "a sample outside of its family:", line)
        labels = dict(LABEL.findall(labels))
        key = (sample, tuple(sorted(labels.items())))
        require(key not in seen, "twice:", line)
        seen.add(key)
        if sample.endswith("_bucket"):
            bound = labels.pop("le")
            series = (current, tuple(sorted(labels.items())))
            buckets.setdefault(series, []).append((bound, float(value)))
        values[key] = float(value)
        print(line)
    check_buckets("buckets", buckets)
    for (name, labels), entries in buckets.items():
        require(values[(name + "_count", labels)] == entries[-1][1], name, labels, "_count")


COUNTS = re.compile(
    r"^(\d+) sent, (\d+) echoed, (\d+) lost \(([\d.]+ %|-)\)(?:: ([^;\n]*))?((?:; \d+ [^;\n]*)*)$", re.M)


def read(name):
    with open(name, encoding="utf-8") as file:
        return file.read()


def agree_text(summary):
    text = read("text.out")
    if "unresolved" in summary["outcomes"]:
        require(text == "" and ": unresolved: " in read("text.err"), "the text:", text)
        require(summary["unfinished"] == 0, "unfinished:", summary["unfinished"])
        return
    sent, echoed, lost, loss, losses, others = COUNTS.search(text).groups()
    require([int(sent), int(echoed), int(lost)] == [summary[n] for n in ("sent", "echoed", "lost")],
            "the text:", text)
    ended = summary["echoed"] + summary["altered"] + summary["lost"]
    require(loss == (f"{summary['loss_percent']:.1f} %" if ended else "-"), "loss", loss)
    counts = {name: int(count) for count, name in re.findall(r"(\d+) ([a-z ]+)", losses or "")}
    rest = {name: int(count) for count, name in re.findall(r"; (\d+) ([a-z ]+[a-z])", others)}
    require(rest.pop("unfinished", 0) == summary["unfinished"], "unfinished", others)
    names = {"with extra bytes": "extra_bytes", "not sent for a local error": "local_error"}
    counts.update((names.get(name, name), count) for name, count in rest.items())
    counts.update({"echoed": summary["echoed"]} if summary["echoed"] else {})
    require(counts == summary["outcomes"], "the text:", counts, summary["outcomes"])
    lines = re.findall(r"^seq=\d+ +(?:\S+:\d+: )?(time=|[a-z ]+(?=:|$))", text, re.M)
    found = {name: lines.count(name.replace("_", " ")) for name in summary["outcomes"]}
    found.update({"echoed": lines.count("time=")} if summary["echoed"] else {})
    require(found == summary["outcomes"], "lines:", found)


def agree_plugin(summary, all_probes):
    line = read("check.out")
    if "unresolved" in summary["outcomes"]:
        require(line.startswith("TINCAN CRITICAL - ") and ": unresolved: " in line, line)
        return
    require(f" - {summary['echoed']} of {all_probes} echoed by " in line, line)
    loss = re.search(r"'loss'=(U|[\d.]+%);", line)[1]
    if summary["loss_percent"] is None:
        require(loss == "U", "loss of the plugin:", loss)
    else:
        close_to(float(loss[:-1]), summary["loss_percent"], 1e-6, "loss of the plugin")
    found = re.search(r"; (\d+) unfinished", line)
    require(int(found[1] if found else 0) == summary["unfinished"], line)
    require(("; interrupted" in line) == summary["interrupted"], line)
    wrong = [name.replace("_", " ") for name in summary["outcomes"] if name != "echoed"]
    require(bool(wrong) == any(f"; {name}: " in line for name in wrong), line)
    well = list(summary["outcomes"]) == ["echoed"] and summary["unfinished"] == 0
    require(line.startswith("TINCAN OK") == well == (read("check.status") == "0\n"), line)


def agree_prometheus(name, summary):
    text = read(name + ".prom")
    counts = re.findall(r'^tincan_probes_total\{.*outcome="(\w+)"\} (\d+)$', text, re.M)
    counts = {outcome: int(count) for outcome, count in counts if count != "0"}
    require(counts == summary["outcomes"], name, counts, summary["outcomes"])
    unfinished = re.search(r"^tincan_probes_unfinished\{.*\} (\d+)$", text, re.M)[1]
    require(int(unfinished) == summary["unfinished"], name, "unfinished", unfinished)
    success = re.search(r"^tincan_success\{.*\} ([01])$", text, re.M)[1]
    require((success == "1") == (read(name + ".status") == "0\n"), name, "success", success)


def check_agreement():
    summary = json.loads(read("json.out").splitlines()[-1])
    probes = sum(summary["outcomes"].values()) + summary["unfinished"]
    agree_text(summary)
    agree_plugin(summary, probes)
    for name in ("text", "json", "check"):
        agree_prometheus(name, summary)
    require(read("json.status") == read("text.status"), "the exit statuses differ")
    print(json.dumps(summary["outcomes"], sort_keys=True), "unfinished", summary["unfinished"],
          end=", interrupted\n" if summary["interrupted"] else "\n")


def main(arguments):
    if arguments == ["json"]:
        check_json()
    elif arguments == ["agree"]:
        check_agreement()
    elif arguments == ["plugin"]:
        check_plugin()
    elif len(arguments) == 2 and arguments[0] == "prometheus":
        check_prometheus(arguments[1])
    elif len(arguments) == 1:
        for entry in read_objects(sys.stdin):
            if arguments[0] in entry:
                print(json.dumps(entry[arguments[0]]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
