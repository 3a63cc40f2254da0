#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # what bats and the helpers set
# What a real Prometheus and node_exporter make of the client's files, by the recipe and its rules.

load ../helpers/common
load ../helpers/client_common
load ../helpers/documents

setup() {
    local name
    cd "$BATS_TEST_TMPDIR" || return
    for name in prometheus prometheus-node-exporter; do # unpacked by fetch-launchers, or installed
        PATH=${TESTS%/*}/build/launchers/$name/usr/bin:$PATH
    done
    need prometheus promtool prometheus-node-exporter
    mkdir collector
    document show 'RECIPES.md/node_exporter, from a timer of systemd/3' >rules.yml
}

teardown() {
    stop_started
}

# timer: what the timer of the recipe runs, with ten probes at once, and objects on standard output.
timer() {
    local command
    command=$(document show 'RECIPES.md/node_exporter, from a timer of systemd/1' | sed -n 's/^ExecStart=//p')
    command=${command/'/usr/local/bin/tincan'/$TINCAN}
    command=${command/'/var/lib/node_exporter'/$PWD/collector}
    command=${command//%i/$ADDRESS}
    # shellcheck disable=SC2086 # it is a command with arguments
    ${command/-q -c 10/--json -c 10 -i 1ms} || (($? == 1 || $? == 3))
}

# start_prometheus: with the file prometheus.yml, and what is in the folder `data`.
start_prometheus() {
    PROMETHEUS=127.0.0.1:$(free_port)
    start prometheus --config.file=prometheus.yml --storage.tsdb.path=data --web.listen-address="$PROMETHEUS" \
        --log.level=error
    wait_until 60 promtool query instant "http://$PROMETHEUS" 1 >/dev/null 2>&1
}

# value EXPRESSION [TIME]: of the one series that it gives.
value() {
    promtool query instant ${2:+--time="$2"} "http://$PROMETHEUS" "$1" | sed -n 's/.* => \(\S*\) @.*/\1/p'
}

is_value() {
    [[ $(value "$1") == "$2" ]]
}

@test "promtool finds nothing to say of the metrics, nor of the recipe's rules" {
    serve echo truncate:1 flip:1 echo
    timer >/dev/null
    run -0 promtool check metrics <collector/*.prom
    assert_output ''
    run -0 promtool check rules rules.yml
    assert_output --partial 'SUCCESS: 4 rules found'
}

@test "over 30 minutes of the timer's runs, increase and histogram_quantile are the true numbers" {
    local behaviours=() run begun expression
    for run in {1..100}; do
        behaviours+=(echo echo late:0.004)
        ((run % 10)) || behaviours[-1]=truncate:1
    done
    serve "${behaviours[@]}"
    begun=$(($(date +%s) / 60 * 60 - 3000))
    for run in {0..29}; do
        timer >"run.$run"
        sed -n "/^tincan/s/\$/ $((begun + 60 * run))/p" collector/*.prom >>samples
    done
    echo '# EOF' >>samples
    promtool tsdb create-blocks-from openmetrics samples data >/dev/null
    echo 'scrape_configs: []' >prometheus.yml
    start_prometheus
    for expression in 'increase(tincan_probes_total{outcome="echoed"}[29m])' \
        'increase(tincan_probes_total{outcome="truncated"}[29m])' \
        'increase(tincan_probe_duration_seconds_sum{phase="time"}[29m])' \
        'histogram_quantile(0.5, rate(tincan_probe_duration_seconds_bucket{phase="time"}[29m]))' \
        'histogram_quantile(0.9, rate(tincan_probe_duration_seconds_bucket{phase="time"}[29m]))'; do
        value "$expression" "$((begun + 29 * 60))"
    done >values
    cat values
    python3 - <<'PYTHON'
import json, math
probes = [probe for run in range(1, 30) for probe in map(json.loads, open(f"run.{run}")) if probe["type"] == "probe"]
times = sorted(probe["time_ms"] / 1000 for probe in probes if probe["outcome"] == "echoed")
echoed, truncated, seconds, *quantiles = map(float, open("values"))
assert round(echoed, 6) == len(times) and round(truncated, 6) == len(probes) - len(times) > 5, (echoed, truncated)
assert abs(seconds - sum(times)) < 1e-6, (seconds, sum(times))
bounds = [step * 10.0 ** power for power in range(-5, 1) for step in (1, 2.5, 5)]
for share, found in zip((0.5, 0.9), quantiles):
    # It can't be exact within a bucket, but it is the right one.
    exact = times[math.ceil(share * len(times)) - 1]
    upper = min(bound for bound in bounds if bound >= exact)
    lower = max([0] + [bound for bound in bounds if bound < upper])
    assert lower * 0.99 <= found <= upper * 1.01, (share, found, exact)
PYTHON
}

@test "the alerts of the recipe fire and end, with node_exporter and Prometheus" {
    local exporter
    serve close-after-reading{,,,,,,,,,} echo
    exporter=127.0.0.1:$(free_port)
    start prometheus-node-exporter --collector.disable-defaults --collector.textfile \
        --collector.textfile.directory="$PWD/collector" --web.listen-address="$exporter" --log.level=error
    sed -i 's/for: .*/for: 1s/; s/> 180/> 5/' rules.yml
    cat >prometheus.yml <<END
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: [rules.yml]
scrape_configs: [{job_name: node, static_configs: [{targets: ['$exporter']}]}]
END
    start_prometheus
    timer >/dev/null
    wait_until 60 is_value 'count(ALERTS{alertstate="firing",alertname="TincanFails"})' 1
    wait_until 60 is_value 'count(ALERTS{alertstate="firing",alertname="TincanIsSilent"})' 1
    assert_equal "$(value node_textfile_scrape_error)" 0
    timer >/dev/null
    wait_until 60 is_value 'count(ALERTS{alertstate="firing",alertname="TincanFails"})' ''
    wait_until 60 is_value 'tincan_probes_total{outcome="echoed"}' 10
    wait_until 60 is_value 'increase(tincan_probes_total{outcome="echoed"}[1m]) > bool 0' 1
    wait_until 60 is_value 'count(ALERTS{alertstate="firing",alertname="TincanIsSilent"})' 1
}
