# SPDX-License-Identifier: MIT
"""Writes what was measured: report.md and its beginning, summary.md; report.json; and a plot of each
experiment."""
import json
import shutil
import subprocess
import textwrap

import bounds
from contenders import AGAIN


def number(value):
    """About three digits of it."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def spread(summary, form=number):
    if summary is None:
        return "-"
    return f"{form(summary.median)} ({form(summary.low)}–{form(summary.high)})"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|---|" + "--:|" * (len(head) - 1)]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def at(x):
    return f"{x:,}" if isinstance(x, int) else str(x)


def ratio(value):
    return f"{value:.2f}"


def ratio_table(experiment):
    """Contenders by x: the ratio of the first figure to the base's, with quartiles."""
    figure = next(iter(experiment.figures))
    rows = [
        [f"{contender.name} / {contender.base}"]
        + [
            spread(experiment.samples.ratios(contender.name, contender.base, x, figure), ratio)
            for x in experiment.xs
        ]
        for contender in experiment.contenders
        if contender.base
    ]
    return table([f"ratio of {experiment.figures[figure]}", *map(at, experiment.xs)], rows) if rows else ""


def figure_table(experiment, figure, unit):
    rows = [
        [contender.name, *(spread(experiment.samples.values(contender.name, x, figure)) for x in experiment.xs)]
        for contender in experiment.contenders
    ]
    return table([unit, *map(at, experiment.xs)], rows)


def section(experiment):
    parts = [f"## {experiment.title}\n"]
    along = f"; columns: {experiment.x_title}" if experiment.x_title else ""
    parts.append(f"{experiment.rounds} rounds; medians, and quartiles in brackets{along}.\n")
    parts += [f"**Too noisy to be believed.** {sentence}.\n" for sentence in experiment.noise()[:3]]
    parts.append(f"![{experiment.title}]({experiment.name}.svg)\n")
    parts.append(ratio_table(experiment))
    parts += [figure_table(experiment, figure, unit) for figure, unit in experiment.figures.items()]
    parts += [f"Left out: {name}, because there is no {what}.\n" for name, what in experiment.missing.items()]
    parts += [f"Failed: {name}: {why}.\n" for name, why in experiment.failures.items()]
    return "\n".join(part for part in parts if part)


def bounds_table(judged):
    rows = []
    for bound, value, verdict in judged:
        rows.append([bound.what, number(value), bound.demand(), verdict])
    return table(["bound", "measured", "demanded", ""], rows)


def believable(experiments):
    noisy = [experiment.name for experiment in experiments if experiment.noise()]
    if not noisy:
        return "Each contender that ran twice under two names came out equal."
    return (
        "**This run was too noisy to be believed**: a contender that ran twice under two names came out"
        f" unequal in {', '.join(noisy)}. Repeat it on a machine that does nothing else."
    )


def summary(experiments, machine, judged, seconds):
    """What was measured where, and the bounds."""
    facts = {name: value for name, value in machine.items() if name != "versions"}
    facts["versions"] = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    facts["the run took"] = f"{seconds:.0f} s"
    lines = [f"{name}: {value}" for name, value in facts.items()]
    return "\n".join(
        [
            "# tincan, measured by `make bench`\n",
            *(textwrap.fill(line, 108, initial_indent="- ", subsequent_indent="  ") for line in lines),
            "\n" + textwrap.fill(believable(experiments), 110) + "\n",
            bounds_table(judged),
        ]
    )


# --- Plots ---


def plotted(experiment):
    """The contenders without the twins."""
    return [contender for contender in experiment.contenders if not contender.name.endswith(AGAIN)]


def place_of_bar(contender, x):
    """The cluster and the series of a bar: a cluster is a super-server, a kind of text, or a contender."""
    group, colon, name = contender.name.partition(": ")
    if isinstance(x, str) and x:
        return x, contender.name
    return (group, name) if colon else (contender.name, "")


def middle(experiment):
    return experiment.xs[len(experiment.xs) // 2]


def bars(experiment):
    """The first figure as clusters of bars; of several numbers on the x axis, for the middle one."""
    figure, xs, cells = next(iter(experiment.figures)), experiment.xs, {}
    for contender in plotted(experiment):
        for x in xs if isinstance(xs[0], str) else [middle(experiment)]:
            summary = experiment.samples.values(contender.name, x, figure)
            cells[place_of_bar(contender, x)] = summary.median if summary else "NaN"
    numbers = [value for value in cells.values() if value != "NaN"]
    steep = max(numbers, default=1) > 30 * min(numbers, default=1)
    least = min(numbers, default=1) / 2
    scale = f"set logscale y\nset yrange [{least}:*]" if steep else "set yrange [0:*]"
    clusters = list(dict.fromkeys(cluster for cluster, _ in cells))
    series = list(dict.fromkeys(name for _, name in cells))
    data = "\n".join(
        f'"{cluster}" ' + " ".join(str(cells.get((cluster, name), "NaN")) for name in series) for cluster in clusters
    )
    plots = ", ".join(
        f'$data using {2 + i}:xtic(1) title "{name}"' for i, name in enumerate(series)
    )
    key = "set key outside below" if len(series) > 1 else "unset key"
    return (
        f"$data << END\n{data}\nEND\n{key}\nset style data histogram\nset style histogram cluster gap 1\n"
        f"set style fill solid 0.8\nset xtics rotate by -30\n{scale}\nplot {plots}\n"
    )


def lines(experiment):
    """The first figure along the x axis, with quartiles."""
    figure = next(iter(experiment.figures))
    blocks, plots = [], []
    for i, contender in enumerate(plotted(experiment)):
        rows = [(x, experiment.samples.values(contender.name, x, figure)) for x in experiment.xs]
        rows = [f"{x} {s.median} {s.low} {s.high}" for x, s in rows if s]
        if rows:
            blocks.append(f"$d{i} << END\n" + "\n".join(rows) + "\nEND\n")
            plots.append(f'$d{i} with yerrorlines title "{contender.name}"')
    scale = "set logscale xy\n" if experiment.xs[0] else "set yrange [0:*]\n"
    axis = f'set xlabel "{experiment.x_title}"\nset key outside below\n'
    return "".join(blocks) + scale + axis + "plot " + ", ".join(plots) + "\n" if plots else ""


def plot(experiment, folder):
    along = isinstance(experiment.xs[-1], int) and experiment.name != "launchers"
    script = (lines if along else bars)(experiment)
    unit = next(iter(experiment.figures.values()))
    title = experiment.title
    if not along and isinstance(middle(experiment), int):
        title += f": {middle(experiment)}"
    head = (
        "set terminal svg size 900,540 noenhanced background '#ffffff'\n"
        f'set output "{folder / experiment.name}.svg"\nset title "{title}"\n'
        f'set ylabel "{unit}"\nset grid ytics\n'
    )
    subprocess.run(["gnuplot"], input=head + script, text=True, check=False)


def write(experiments, machine, folder, seconds):
    """Returns what was judged: the bounds with value and verdict."""
    by_name = {experiment.name: experiment for experiment in experiments}
    judged = [(bound, *bound.judge(by_name)) for bound in bounds.all_bounds(by_name)]
    what = summary(experiments, machine, judged, seconds)
    (folder / "summary.md").write_text(what)
    (folder / "report.md").write_text("\n".join([what, *map(section, experiments)]))
    data = {
        "machine": machine,
        "seconds": round(seconds),
        "noise": {experiment.name: experiment.noise() for experiment in experiments},
        "bounds": [
            {"bound": bound.what, "demanded": bound.demand(), "measured": value, "verdict": verdict}
            for bound, value, verdict in judged
        ],
        "experiments": {
            experiment.name: {
                "title": experiment.title,
                "left_out": experiment.missing,
                "failures": experiment.failures,
                "samples": experiment.samples.as_list(),
            }
            for experiment in experiments
        },
    }
    (folder / "report.json").write_text(json.dumps(data, indent=1))
    if shutil.which("gnuplot"):
        for experiment in experiments:
            if experiment.samples.rounds:
                plot(experiment, folder)
    return judged
