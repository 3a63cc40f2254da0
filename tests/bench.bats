#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# That `make bench` works. What comes out is for people to judge.

setup() {
    load helpers/common
    BENCH=${TESTS}/bench
}

@test "bench: a round of each kind ends in a report with ratios, bounds, and the names of what is missing" {
    mkdir "$BATS_TEST_TMPDIR/bin"
    for tool in env python3 sh bash strip; do
        ln -s "$(command -v "$tool")" "$BATS_TEST_TMPDIR/bin/"
    done
    PATH=$BATS_TEST_TMPDIR/bin run -0 "$(command -v python3)" "$BENCH/run" --quick --rounds 1 \
        --only process,neighbour --to "$BATS_TEST_TMPDIR/report"
    assert_output --regexp "handler: page faults beyond the floor's 5 \| -?[0-9]+ \| at most 4 \| "
    assert_output --partial "tcpserver: rate, of \`cat\`'s there | - | at least 1 | left out |"
    run -0 cat "$BATS_TEST_TMPDIR/report/report.md"
    assert_output --regexp 'tincan-handler / floor \| [0-9.]+ '
    assert_output --partial 'Left out: busybox cat, because there is no busybox.'
    if [ -x "$TINCAND" ]; then assert_output --regexp 'tincand, noisy neighbour / tincand \| [0-9.]+ '; fi
    run -0 jq -r '.experiments.process.samples | map(.contender) | unique | length' \
        "$BATS_TEST_TMPDIR/report/report.json"
    [ "$output" -ge 5 ]
}

# verdict RATE...: of a bound that a contender meets, by the rates of the twin of the other in each round.
verdict() {
    PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$BENCH run -0 python3 - "$@" <<'SCRIPT'
import sys
from bounds import Bound
from contenders import Contender
from experiments import Experiment
base = Contender("base", "")
all = [base, base.again(), Contender("fast", "", "base")]
experiment = Experiment("e", "", all, {"rate": "a second"}, len(sys.argv) - 1)
for number, rate in enumerate(sys.argv[1:]):
    for name, value in ("base", 100), ("base again", float(rate)), ("fast", 200):
        experiment.samples.add(name, "", "rate", number, value)
print(*Bound("", "e", "fast", "rate", 1.5, "base", "", True).judge({"e": experiment}))
SCRIPT
}

@test "bench: figures are called noisy where a contender that runs twice comes out unequal" {
    verdict 98 101 103
    assert_output '2.0 met'
    verdict 80 81 82
    assert_output '2.0 too noisy'
    verdict 50 100 150
    assert_output '2.0 too noisy'
}
