# SPDX-License-Identifier: MIT
"""The figures of a comparison, by contender, place on the x axis, kind of figure, and round."""
import collections
import statistics

Summary = collections.namedtuple("Summary", "median low high")  # low and high: the quartiles


def summarize(values):
    """The median of some numbers and their quartiles, or None if there are none."""
    if not values:
        return None
    if len(values) == 1:
        return Summary(values[0], values[0], values[0])
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return Summary(median, low, high)


class Samples:
    def __init__(self):
        self.rounds = collections.defaultdict(dict)

    def add(self, contender, x, figure, number, value):
        self.rounds[contender, x, figure][number] = value

    def values(self, contender, x, figure):
        return summarize(list(self.rounds.get((contender, x, figure), {}).values()))

    def ratios(self, contender, base, x, figure):
        """The ratios within each round, so that what the machine did besides falls out."""
        one = self.rounds.get((contender, x, figure), {})
        other = self.rounds.get((base, x, figure), {})
        return summarize([one[number] / other[number] for number in one if other.get(number)])

    def as_list(self):
        return [
            {"contender": contender, "x": x, "figure": figure, "rounds": list(values.values())}
            for (contender, x, figure), values in self.rounds.items()
        ]
