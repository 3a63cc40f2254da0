#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""binomial.py COUNT TRIALS LEAST MOST: fails unless COUNT of TRIALS is what chance makes of a
probability between LEAST and MOST.

Too few is what would come less than once in twenty million times at the probability LEAST, too
many the same at MOST: twenty such limits together have one false answer in a million runs at the
most, and of 2000 trials at 5 % anything from 52 to 156 is taken.
"""

import math
import sys

FALSE_ANSWER = 5e-8


def probability(successes, trials, chance):
    if chance in (0, 1):
        return float(successes == trials * chance)
    ways = math.lgamma(trials + 1) - math.lgamma(successes + 1) - math.lgamma(trials - successes + 1)
    return math.exp(ways + successes * math.log(chance) + (trials - successes) * math.log1p(-chance))


def range_of(trials, least, most):
    """The smallest and the largest count that chance may make of it."""
    low, tail = 0, probability(0, trials, least)
    while tail < FALSE_ANSWER:
        low += 1
        tail += probability(low, trials, least)
    high, tail = trials, probability(trials, trials, most)
    while tail < FALSE_ANSWER:
        high -= 1
        tail += probability(high, trials, most)
    return low, high


def main(count, trials, least, most):
    low, high = range_of(trials, least, most)
    if not low <= count <= high:
        sys.exit(f"{count} of {trials}, where {low} to {high} were expected")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]))
