#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts for other shells; what bats and the helpers set
# The client's measuring mode: probes, what is reported of them, and what they exit with.

load helpers/common
load helpers/client_common

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    REPORTS=$TESTS/helpers/probe_reports.py
    PROBE_TEST=$TINCAN_BUILD/tests/probe-test
}

teardown() {
    touch go # see start_on_slow_disk
    stop_started
}

# --- the parts, through their unit test program ---

@test "histogram: cells follow upon each other, and none is wider than its precision says" {
    "$PROBE_TEST" cells
}

@test "histogram: quantiles, mean and deviation agree with sorted values, on kind and unkind data" {
    "$PROBE_TEST" quantiles
}

@test "suspected cause: each known way of altering a message is named" {
    timeout 600 "$PROBE_TEST" causes
}

@test "pattern: each is a message at every size" {
    "$PROBE_TEST" patterns
}

# --- probes on a schedule ---

@test "-c sends so many probes, prints a line for each, and sums up" {
    within_time # the next is due 10 ms later
    serve echo
    run --separate-stderr "$TINCAN" -c 3 -i 10ms "$ADDRESS"
    assert_success
    assert_line --index 0 "Probing $ADDRESS with 56 bytes of text; times in ms"
    for sequence in 1 2 3; do
        assert_line --index "$sequence" --regexp "^seq=$sequence +time=[0-9.]+( +(connect|first|complete|close|late)=[0-9.]+)*\$"
    done
    assert_line --index 4 "--- $ADDRESS ---"
    assert_line --index 5 '3 sent, 3 echoed, 0 lost (0.0 %)'
    assert_line --regexp '^time( +[0-9]+\.[0-9]{3}){7}$'
    said ''
}

@test "a line for a probe fits 80 columns, and leaves out what is 0" {
    serve echo
    run "$TINCAN" -c 20 -i 1ms "$ADDRESS"
    run ! grep -E '^.{81}|=0\.000' <<<"$output"
    # Also with the time of day in front, unless the machine was busy.
    run "$TINCAN" -D -c 20 -i 1ms "$ADDRESS"
    assert_line --regexp '^\[[0-9.]+\] seq=20 .* time='
    run ! grep -E '^.{81}|=0\.000' <(grep -vE ' (late|complete)=' <<<"$output")
    # What is below a millisecond makes way for it.
    serve pauses:0,0.0002,0.0002
    in_phases() {
        "$TINCAN" -c 20 -i 1ms "$ADDRESS" | grep -E ' complete=[0-9.]+ +close='
    }
    wait_until 60 in_phases # a busy machine may see two phases as one
    run "$TINCAN" -D -c 20 -i 1ms "$ADDRESS"
    assert_line --regexp '^\[[0-9.]+\] seq=20 .* time='
    refute_line --regexp ' (complete|close)=0\.'
    serve late:0.05 pauses:0,0.0002,0.0002
    run "$TINCAN" --parallel 1 -c 5 -i 1ms "$ADDRESS"
    assert_line --regexp '^seq=2 .* late='
    refute_line --regexp ' (complete|close)=0\..* late='
    # Slow phases have fewer decimals.
    serve pauses:0.2,1.2,0.9
    run "$TINCAN" -c 1 "$ADDRESS"
    assert_line --regexp '^seq=1 +time=[0-9]{4}\.[0-9] +.* complete=[0-9.]+ +close='
    run ! grep -E '^.{81}|=[0-9.]{7}' <(grep -v ' late=' <<<"$output")
}

@test "a reason is given once, however long was waited, and another one is not hidden" {
    within_time
    serve silent silent drip:0.1 silent
    run "$TINCAN" -c 20 -i 200ms -w 2 "$ADDRESS"
    assert_failure 1
    assert_line --regexp '^seq=1 +timeout: no whole reply within [0-9.]+ s: 0 of 57 '
    assert_line --regexp '^seq=2 +timeout$'
    assert_line --regexp '^seq=3 +timeout: no whole reply within [0-9.]+ s: [1-9][0-9]* of 57 '
    assert_line --regexp '^seq=4 +timeout$'
}

@test "the summary has p99.9 of a thousand probes, and lateness where there is some" {
    serve echo
    run "$TINCAN" -q -f -c 1000 "$ADDRESS"
    assert_line --regexp '^ms .* p99 +p99\.9$'
    assert_line --regexp '^time( +[0-9]+\.[0-9]{2,3}){8}$'
    refute_line --regexp '^(late|since due) '
    serve late:0.1
    run "$TINCAN" -q --parallel 1 -c 3 -i 1ms "$ADDRESS"
    assert_line --regexp '^ms .* p99$'
    assert_line --regexp '^since due( +[0-9]+\.[0-9]{3}){7}$'
    assert_line --regexp '^late( +[0-9]+\.[0-9]{3}){7}$'
}

@test "an overdue probe has a line, and one that Ctrl-C ends then is lost" {
    serve echo silent
    start env --default-signal=INT "$TINCAN" -c 3 -i 500ms -W 1h "$ADDRESS" >out
    wait_until 60 grep -qx 'seq=2   no answer yet' out
    kill -INT "$STARTED"
    status=0
    wait "$STARTED" || status=$?
    assert_equal "$status" 1
    run ! grep -q 'seq=1   no answer yet' out
    (($(grep -c 'seq=2   no answer yet' out) == 1))
    grep -qE '^seq=2   timeout: no whole reply within [0-9.]+ s: 0 of 57 bytes had come back; ' out
    grep -qE '^3 sent, 1 echoed, [12] lost' out
}

@test "outages: lost probes that follow upon each other are one, in whatever order they end" {
    "$PROBE_TEST" outages
}

@test "an outage has a line when it is over, and one in the summary, with its length and probes" {
    within_time
    serve echo truncate:1 truncate:1 echo echo close echo
    run "$TINCAN" -c 14 -i 50ms "$ADDRESS"
    (($(grep -cx 'down 0.1 s, probes 2 to 3' <<<"$output") == 1))
    (($(grep -cx 'down 0.05 s, probe 6' <<<"$output") == 1))
    assert_line '2 outages:'
    assert_line --regexp '^[0-9-]{10} [0-9:]{8}  down 0\.1 s, probes 2 to 3$'
    serve echo truncate:1
    run "$TINCAN" -c 12 -i 50ms "$ADDRESS"
    assert_line --regexp '  down 0\.5[0-9]{2} s so far, probes 2 to 12$'
    (($(grep -c 'down ' <<<"$output") == 1))
    serve echo truncate:1 truncate:1 echo
    run "$TINCAN" --json -c 5 -i 50ms "$ADDRESS"
    "$REPORTS" json <<<"$output"
    [[ $("$REPORTS" outages <<<"$output") == '[{"first": 2, "last": 3, "at": '*', "seconds": 0.1, "over": true}]' ]]
}

@test "a loss is 0 or 100 % only where it is exactly that" {
    serve close-after-reading echo
    run -1 "$TINCAN" -q -f -c 2500 "$ADDRESS"
    assert_line --partial '2499 echoed, 1 lost (0.1 %)'
    serve echo close-after-reading
    run -1 "$TINCAN" -q --rate 5000 -c 2500 "$ADDRESS" unix:/none
    assert_line --partial '1 echoed, 4999 lost (99.9 %)'
    assert_line --regexp "^$ADDRESS +2500 +1 +2499 +99.9 % "
    assert_line --regexp '^unix:/none +2500 +0 +2500 100.0 % '
}

@test "of many outages the last are listed, and all are counted" {
    local behaviours=()
    for _ in {1..20}; do
        behaviours+=(echo close-after-reading)
    done
    serve "${behaviours[@]}" echo
    run "$TINCAN" --json -c 41 -i 20ms --parallel 1 "$ADDRESS"
    "$REPORTS" json <<<"$output"
    assert_equal "$("$REPORTS" outage_count <<<"$output")" 20
}

@test "an outage that is not over has the length that has passed" {
    need jq
    serve echo close
    run "$TINCAN" -q -c 2 -i 500ms "$ADDRESS"
    assert_line --regexp '  down 0\.[0-4][0-9]{2} s so far, probe 2$'
    serve close
    run "$TINCAN" -q --json -c 1 -i 1d "$ADDRESS"
    jq -e '.outages[0] | .seconds < 60 and .over == false' <<<"$output"
}

@test "an altered echo ends an outage, and a local error does not" {
    within_time
    serve echo truncate:1 truncate:1 flip:3
    run "$TINCAN" -c 14 -i 50ms "$ADDRESS"
    assert_line 'down 0.1 s, probes 2 to 3'
    assert_line --regexp '^[0-9-]{10} [0-9:]{8}  down 0\.1 s, probes 2 to 3$'
    serve truncate:1 flip:3
    run "$TINCAN" -c 2 -i 50ms "$ADDRESS"
    assert_line --regexp '  down 0\.05 s, probe 1$'
    serve truncate:1 flip:3
    run "$TINCAN" --json -c 2 -i 50ms "$ADDRESS"
    [[ $("$REPORTS" outages <<<"$output") == *'"over": true}]' ]]
    serve echo truncate:1
    start env --default-signal=INT "$TINCAN" -i 50ms "$ADDRESS" >out
    wait_until 60 grep -q '^seq=2 ' out
    prlimit --nofile=4 --pid "$STARTED"
    wait_until 60 grep -q '^seq=20 .*local error' out
    kill -INT "$STARTED"
    wait "$STARTED" || true
    (($(grep -c 'down ' out) == 1))
    grep -qE '  down [0-9.]+ s so far, probes? 2' out
}

@test "-D begins each line with the time" {
    serve echo silent
    local before now line
    before=$(date +%s)
    run "$TINCAN" -D -c 2 -i 1ms -W 2500ms "$ADDRESS"
    now=$(date +%s)
    for line in "${lines[@]:1:3}"; do
        [[ $line =~ ^\[([0-9]+)\.[0-9]{3}\]\ seq= ]]
        ((BASH_REMATCH[1] >= before && BASH_REMATCH[1] <= now))
    done
    [[ ${lines[2]} == *'seq=2   no answer yet' && ${lines[3]} == *'seq=2   timeout: '* ]]
}

@test "--report-every sums up each stretch by itself" {
    within_time
    serve echo
    run "$TINCAN" -q -c 60 -i 20ms --report-every 300ms "$ADDRESS"
    assert_success
    assert_line --index 0 --regexp '^last 0\.[3-9] s: min/avg/max [0-9.]+/[0-9.]+/[0-9.]+; [0-9]+ sent, [0-9]+ echoed, 0 lost \(0\.0 %\)(; [0-9]+ unfinished)?$'
    run "$TINCAN" --json -c 60 -i 20ms --report-every 300ms "$ADDRESS"
    python3 - "$output" <<'PYTHON'
import json, sys
objects = [json.loads(line) for line in sys.argv[1].splitlines()]
recent = [each for each in objects if each["type"] == "recent"]
assert len(recent) >= 2 and sum(each["echoed"] for each in recent) <= objects[-1]["echoed"] == 60, objects
probes = 0
for each in objects:
    probes += each["type"] == "probe"
    if each["type"] == "recent":
        assert each["echoed"] == each["ms"]["time"]["count"] == probes, each
        assert each["sent"] == probes + each["unfinished"], each
        assert not {"failed_addresses", "outages", "resolve_ms"} & each.keys(), each
        probes = 0
PYTHON
}

@test "--report-every counts the probes that are running as sent and unfinished" {
    need jq
    serve silent
    run "$TINCAN" -q -i 20ms -W 1h -w 900ms --report-every 300ms "$ADDRESS"
    grep -qE '^last [0-9.]+ s: ([1-9][0-9]*) sent, 0 echoed, 0 lost \(-\); \1 unfinished$' <<<"$output"
    run "$TINCAN" -q -i 20ms -W 1h -w 900ms --report-every 300ms "$ADDRESS" unix:/y
    grep -qE "^$ADDRESS +([1-9][0-9]*) +0 +0 +- \\1 unfinished\$" <<<"$(grep -A 2 -m 1 '^last' <<<"$output")"
    run --separate-stderr "$TINCAN" --json -q -i 20ms -W 1h -w 900ms --report-every 300ms "$ADDRESS"
    jq -es '.[0] | .type == "recent" and .sent > 0 and .unfinished == .sent' <<<"$output"
}

@test "probes begin by the clock, however slow the answers are" {
    serve late:0.5
    milliseconds "$TINCAN" --json -c 5 -i 50ms "$ADDRESS"
    assert_success
    "$REPORTS" json <<<"$output"
    ((took >= 700 && took < 2500))
    # Each was under way while the ones before it were, and none began before its time.
    run "$REPORTS" late_ms <<<"$output"
    for late in "${lines[@]}"; do
        [[ $late == [0-9]*.* ]] && ((${late%.*} < 400))
    done
}

@test "with --parallel 1 a slow answer makes the next probe late, and the delay is reported" {
    within_time
    serve late:1 echo
    run --separate-stderr "$TINCAN" --json --parallel 1 -c 3 -i 50ms "$ADDRESS"
    assert_success
    "$REPORTS" json <<<"$output"
    python3 - "$output" <<'PYTHON'
import json, sys
first, second, third = [json.loads(line) for line in sys.argv[1].splitlines()][1:4]
assert first["time_ms"] >= 1000 and first["late_ms"] < 900, first
assert second["late_ms"] >= 940 and second["since_due_ms"] >= second["late_ms"], second
assert second["time_ms"] < 900 and third["late_ms"] >= 890, (second, third)
PYTHON
}

@test "the phases of a probe are what the server makes them" {
    within_time
    serve pauses:0.2,0.1,0.3
    run --separate-stderr "$TINCAN" --json -c 1 "$ADDRESS"
    assert_success
    python3 - "$output" <<'PYTHON'
import json, sys
probe = json.loads(sys.argv[1].splitlines()[1])
at = least = 0
for phase, pause in (("first_byte_ms", 200), ("complete_ms", 100), ("close_ms", 300)):
    at += probe[phase]
    least += pause
    # Who sees the beginning of a phase late sees it short, and the one before it long.
    assert at >= least and pause / 2 < probe[phase] < pause + 400, (phase, probe)
assert 300 <= probe["time_ms"] < 700 and probe["connect_ms"] < 400, probe
PYTHON
}

@test "-w ends the run, and a probe that had its time is lost" {
    serve silent
    milliseconds "$TINCAN" -c 1 -w 1200ms "$ADDRESS"
    assert_failure 1
    # The probe begins a little later than the run.
    assert_line --regexp '^seq=1 +timeout: no whole reply within 1\.[012][0-9]* s'
    took_about 1200
}

@test "a probe that the deadline meets young is unfinished, and not lost" {
    within_time
    serve echo silent
    run "$TINCAN" -i 600ms -w 1100ms "$ADDRESS"
    assert_success
    assert_line '2 sent, 1 echoed, 0 lost (0.0 %); 1 unfinished'
    serve echo silent
    run "$TINCAN" -c 2 -i 600ms -w 1100ms "$ADDRESS"
    assert_failure 1
}

@test "-W is each probe's own time" {
    within_time
    serve silent echo
    run "$TINCAN" -W 1s -c 2 -i 10ms "$ADDRESS"
    assert_failure 1
    assert_line --regexp '^seq=1 +timeout: no whole reply within 1 s: 0 of 57 bytes had come back; all bytes sent were delivered \(acknowledged\)$'
    assert_line '2 sent, 1 echoed, 1 lost (50.0 %): 1 timeout'
}

@test "-i alone probes until it is interrupted" {
    serve echo
    start env --default-signal=INT "$TINCAN" -i 20ms "$ADDRESS" >out 2>err
    wait_until 60 grep -q 'seq=3 ' out
    kill -INT "$STARTED"
    wait "$STARTED"
    grep -q '^[0-9]* sent, [0-9]* echoed, 0 lost (0.0 %)' out
    grep -q '^time ' out
    [[ ! -s err ]]
}

@test "a signal that is ignored from the start does not end it" {
    serve echo 'run:until test -e go; do :; done; exec head -c 57' echo
    start sh -c 'trap "" INT; exec "$@" >out' - "$TINCAN" -i 20ms -c 20 -W 1h "$ADDRESS"
    wait_until 60 grep -q 'seq=1 ' out
    kill -INT "$STARTED"
    : >go
    wait "$STARTED"
    grep -q '^20 sent, 20 echoed' out
}

@test "an interruption within a young probe leaves it unfinished, and without an echo is: 1" {
    within_time
    serve silent
    start env --default-signal=INT "$TINCAN" -c 1 "$ADDRESS" >out
    wait_until 60 grep -q Probing out
    kill -INT "$STARTED"
    status=0
    wait "$STARTED" || status=$?
    assert_equal "$status" 1
    grep -qE '^(1 sent, 0 echoed, 0 lost \(-\); 1 unfinished|0 sent, .*; 1 unfinished \(1 not sent\))$' out
}

@test "a signal ends a run whose output nobody reads" {
    [[ -r /proc/self/syscall ]] || skip "this kernel does not tell what a process waits in"
    local options
    serve echo
    for options in '-f --json' '-i 1ms' '-i 1ms --json'; do
        # shellcheck disable=SC2086 # several
        run timeout -s KILL 60 python3 - "$TINCAN" $options "$ADDRESS" <<'PYTHON'
import fcntl, os, signal, subprocess, sys, time
for sig in signal.SIGINT, signal.SIGTERM:
    signal.signal(sig, signal.SIG_DFL)
reader, writer = os.pipe()
fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
process = subprocess.Popen(sys.argv[1:], stdout=writer)

def blocked():
    """It is writing (1, on ARM 64) to its standard output, at 20 looks in a row."""
    looks = [open(f"/proc/{process.pid}/syscall").read().split()
             for _ in range(20) if not time.sleep(0.02)]
    return all(look[0] in ("1", "64") and look[1] == "0x1" and look == looks[0] for look in looks)

while not blocked():
    pass
process.send_signal(signal.SIGINT)
sys.exit(process.wait())
PYTHON
        assert_failure 1
    done
}

# more_than COUNT: whether more probes than that have been printed.
more_than() {
    (($(grep -c 'seq=' out) > $1))
}

@test "SIGQUIT counts the probes that are running as sent and unfinished" {
    serve silent
    start env --default-signal=QUIT,INT "$TINCAN" -i 10ms -W 1h "$ADDRESS" >out
    wait_until 60 grep -q 'seq=5 .*no answer yet' out
    kill -QUIT "$STARTED"
    wait_until 60 grep -qE '^([0-9]+) sent, 0 echoed, 0 lost \(-\); \1 unfinished$' out
    kill -INT "$STARTED"
    wait "$STARTED" || true
}

@test "SIGQUIT prints a summary, and the run goes on" {
    serve echo
    start env --default-signal=QUIT,INT "$TINCAN" -i 20ms "$ADDRESS" >out
    wait_until 60 grep -q 'seq=2 ' out
    kill -QUIT "$STARTED"
    wait_until 60 grep -q ' sent, ' out
    wait_until 60 more_than "$(($(grep -c 'seq=' out) + 1))"
    kill -INT "$STARTED"
    wait "$STARTED"
    (($(grep -c ' sent, ' out) == 2))
}

@test "an interruption before all of -c is: 1" {
    serve echo
    start env --default-signal=INT "$TINCAN" -c 1000 -i 20ms "$ADDRESS" >out
    wait_until 60 grep -q 'seq=2 ' out
    kill -INT "$STARTED"
    status=0
    wait "$STARTED" || status=$?
    assert_equal "$status" 1
    grep -qE '^[0-9]+ sent, [0-9]+ echoed, 0 lost \(0\.0 %\); [0-9]+ unfinished \([0-9]+ not sent\)' out
}

# --- messages ---

@test "-s is the size, and each pattern comes back" {
    local pattern
    serve echo
    for pattern in text ascii utf8 crlf iac random:42; do
        run --separate-stderr "$TINCAN" -c 1 -s 3001 -P "$pattern" "$ADDRESS"
        assert_success
        assert_line --index 0 "Probing $ADDRESS with 3001 bytes of $pattern; times in ms"
    done
}

@test "-s 0 is the empty message" {
    serve echo
    run "$TINCAN" -c 1 -s 0 "$ADDRESS"
    assert_success
    assert_line --partial ' with 0 bytes of '
}

@test "a pattern file is the message, and -s repeats it" {
    serve echo
    printf 'wörld\n' >file
    run "$TINCAN" -c 1 -P file:file "$ADDRESS"
    assert_success
    assert_line --partial ' with 7 bytes of file:file;'
    run "$TINCAN" -c 1 -P file:file -s 100 "$ADDRESS"
    assert_success
    assert_line --partial ' with 100 bytes of file:file;'
}

@test "-m is the message of all probes" {
    serve echo
    run "$TINCAN" -c 2 -i 1ms -m hello "$ADDRESS"
    assert_success
    assert_line --partial ' with 5 bytes of the given text;'
}

@test "a seed gives the same message each time, and another one another" {
    local seed sum sums=()
    for seed in 1 1 2; do
        serve 'run:head -c 101 >copy; cat copy'
        run "$TINCAN" -c 1 -s 100 -P "random:$seed" "$ADDRESS"
        assert_success
        sum=$(cksum <copy)
        sums+=("$sum")
    done
    [[ ${sums[0]} == "${sums[1]}" && ${sums[0]} != "${sums[2]}" ]]
}

@test "a pattern file that can't be sent is refused before anything is sent" {
    local port
    port=$(free_port) # nobody listens: an attempt would be reported
    printf 'ab\0c' >null
    printf 'ab\377c' >invalid
    printf 'ab\303' >unfinished
    : >empty
    head -c 100 /dev/zero | tr '\0' x >long
    while IFS='|' read -r file complaint; do
        run --separate-stderr "$TINCAN" -c 1 --max-bytes 99 -P "file:$file" "127.0.0.1:$port"
        assert_failure 2
        assert_output ''
        said "tincan: the pattern file '$file': $complaint"
    done <<'END'
null|not sent: the byte at offset 2 is 0x00, which would end the message there
invalid|not sent: the byte at offset 2 is 0xff, which makes the text invalid UTF-8
unfinished|not sent: the byte at offset 3 is missing: *
empty|not sent: the file is empty
long|not sent: the byte at offset 99 is over the limit of 99 bytes; *
missing|No such file or directory
.|Is a directory
END
}

# --- outcomes ---

# outcome BEHAVIOUR STATUS PATTERN [OPTION...]: a server that behaves so makes this of a probe.
outcome() {
    local behaviour=$1 expected=$2 pattern=$3 counts="1 lost (100.0 %): 1 ${3%%:*}"
    shift 3
    ((expected != 3)) || counts="0 lost (0.0 %); 1 ${pattern%%:*}"
    serve "$behaviour"
    run --separate-stderr "$TINCAN" -c 1 "$@" "$ADDRESS"
    assert_failure "$expected"
    assert_line --index 1 --regexp "^seq=1 +$pattern"
    assert_line "1 sent, 0 echoed, ${counts/1 extra/1 with extra}"
    said ''
}

@test "a closed port is: refused, 1, with a summary" {
    local port
    port=$(free_port)
    run --separate-stderr "$TINCAN" -c 3 -i 10ms "127.0.0.1:$port"
    assert_failure 1
    assert_line --index 1 --regexp "^seq=1 +refused: nobody is listening there; "
    assert_line '3 sent, 0 echoed, 3 lost (100.0 %): 3 refused'
    said ''
}

@test "closed without a reply is: closed" {
    outcome close-after-reading 1 'closed: the server accepted the connection and closed it'
}

@test "a message over 1 MiB that is refused may be over the server's limit" {
    outcome limited:1048576 1 'closed: .*; the message is over 1 MiB, the default limit of a server' -s 1048577
}

@test "no reply in time is: timeout" {
    outcome silent 1 'timeout: no whole reply within 1 s: 0 of 57 bytes had come back; all bytes sent were delivered \(acknowledged\)$' -W 1s
}

@test "a reset is: reset" {
    outcome reset-at-once 1 'reset: the server, or a firewall on the way to it, reset the connection without a reply'
    outcome reset-in-reply:5 1 'reset: .*5 of 57 bytes had come back'
}

@test "an end before the null byte is: truncated, and a segment's size is recognised" {
    outcome truncate:5 1 'truncated: .*5 of 57 bytes had come back$'
    outcome truncate:1448 1 'truncated: .*it looks as if it was cut at the size of a TCP segment' -s 4000
}

@test "bytes behind the reply are: extra bytes, 3" {
    outcome extra:zzz 3 'extra bytes: at least 3 bytes came after'
    # For programs its name has no space.
    run "$TINCAN" -q --json --prometheus file -c 1 "$ADDRESS"
    assert_equal "$("$REPORTS" outcomes <<<"$output")" '{"extra_bytes": 1}'
    run "$REPORTS" prometheus file
    assert_line "tincan_probes_total{target=\"$ADDRESS\",outcome=\"extra_bytes\"} 1"
    assert_line "tincan_probes_total{target=\"$ADDRESS\",outcome=\"local_error\"} 0"
}

@test "another byte at an offset is: altered, 3, with both bytes" {
    outcome flip:31 3 'altered: the byte at offset 31 was sent as 0x69 and came back as 0x68; it looks as if a single bit was flipped$'
}

@test "LF to CRLF is: altered, at the first line ending, with the suspected cause" {
    outcome to-crlf 3 'altered: the byte at offset 55 was sent as 0x0a and came back as 0x0d; it looks as if line endings were rewritten \(LF to CRLF\)$'
}

@test "a stripped 8th bit is: altered, with the suspected cause" {
    outcome strip-high-bit 3 'altered: the byte at offset 2 was sent as 0xc2 and came back as 0x42; it looks as if the 8th bit of every byte was stripped$' -P utf8
}

@test "another case is: altered, with the suspected cause" {
    outcome upper 3 'altered: the byte at offset 1 .*; it looks as if the case was changed \(to upper\)$'
}

@test "telnet's doubling of 0xff is: altered, with the suspected cause" {
    outcome telnet 3 'altered: .*; it looks as if it was converted from UTF-8 to Latin-1, and telnet doubled' -P iac
}

@test "normalized text and bytes in front are: altered, with the suspected cause" {
    local behaviour option cause
    while IFS='|' read -r behaviour option cause; do
        serve "$behaviour"
        # shellcheck disable=SC2086 # several
        run -3 "$TINCAN" -c 1 $option "$ADDRESS"
        assert_output --partial "it looks as if $cause"
        run -3 "$TINCAN" -m "$(printf 'e\xcc\x81\xc3\xa9')" "$ADDRESS"
        assert_output --partial "it looks as if $cause"
    done <<TABLE
normalize:NFC|-P utf8|its characters were put together (Unicode NFD to NFC)
normalize:NFD|-P utf8|its characters were taken apart (Unicode NFC to NFD)
run:printf '220 ready\\r\\n'; exec $HANDLER|-P ascii|a line was put in front of it, such as a banner
run:printf 'PROXY TCP4 192.0.2.1 192.0.2.2 5 6\\r\\n'; exec $HANDLER|-P ascii|a header of the PROXY protocol was put in front of it
run:printf '\\r\\n\\r\\n\\0more'; exec $HANDLER|-P ascii|a header of the PROXY protocol, version 2, was put in front of it
TABLE
}

@test "normalized Hangul is: altered, with the suspected cause, also where the reply is too long to be read" {
    local text
    serve normalize:NFD
    for text in 한글 '가 to 힣 é' "$(printf '%0999d' 0 | sed 's/0/말/g')"; do
        run -3 "$TINCAN" -m "$text" "$ADDRESS"
        assert_output --partial 'it looks as if its characters were taken apart (Unicode NFC to NFD)'
    done
    serve normalize:NFC
    run -3 "$TINCAN" -m "$(printf '\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab\xe1\x84\x80\xe1\x85\xb3 e\xcc\x81')" "$ADDRESS"
    assert_output --partial 'it looks as if its characters were put together (Unicode NFD to NFC)'
}

@test "a cut at a segment's size is: altered, with the suspected cause" {
    outcome shorter:1460 3 'altered: the reply is shorter: it ends at offset 1460 .*; it looks as if it was cut at the size of a TCP segment' -s 4000
}

@test "a server that does not close is waited for a second at most, and is no failure" {
    serve stay-open
    milliseconds "$TINCAN" -c 1 "$ADDRESS"
    assert_success
    assert_line --regexp ' close=-$'
    assert_line '1 left open: the server leaves the connection open after its reply: each takes a second more'
    took_about 1000
    run -0 "$TINCAN" -c 1 -W 300ms "$ADDRESS"
    refute_line --partial 'left open'
}

@test "a reply without end is: altered, at once" {
    serve endless
    start "$TINCAN" --json -c 1 -W 20s "$ADDRESS" >out
    status=0
    wait "$STARTED" || status=$?
    assert_equal "$status" 3
    assert_equal "$("$REPORTS" outcome <out)" '"altered"'
    assert_equal "$("$REPORTS" offset <out)" 56
}

@test "a server that never reads is: timeout, and so is one that drips" {
    serve never-read drip:0.1
    milliseconds "$TINCAN" -c 1 -s 16M -W 300ms "$ADDRESS"
    assert_failure 1
    assert_line --partial 'seq=1   timeout: '
    took_about 300
    milliseconds "$TINCAN" -c 1 -W 500ms "$ADDRESS"
    assert_failure 1
    assert_line --regexp 'seq=1 +timeout: no whole reply within 0\.5 s: [1-6] of 57 bytes had come back; all bytes sent were delivered \(acknowledged\)$'
    took_about 500
}

@test "a large message comes back from a server that sends as it reads" {
    serve as-it-reads
    run "$TINCAN" -c 1 -s 32M -W 60s "$ADDRESS"
    assert_success
    assert_line '1 sent, 1 echoed, 0 lost (0.0 %)'
}

@test "what a hostile server replies reaches no terminal" {
    local reply report
    for reply in '\x1b]0;pwned\x07\x1b[2J\xc2\x9b31m\xe2\x80\xae' \
        'HTTP/1.1 \x9b31m\xe2\x80\xae|evil\xff\x1b[31m'; do
        serve "reply:$reply"
        for report in '' -q --json --check --histogram; do
            # shellcheck disable=SC2086 # none or one
            run env LC_ALL=C.UTF-8 "$TINCAN" -c 1 $report "$ADDRESS"
            assert_output --partial altered
            LC_ALL=C run ! grep -q '[^ -~]' <<<"$output"
        done
    done
    run env LC_ALL=C.UTF-8 "$TINCAN" --check -c 1 "$ADDRESS"
    assert_output --partial 'HTTP/1.1 \x9b31m\xe2\x80\xae evil\xff\x1b[31m'
    assert_output --regexp '^[^|]+ \|[^|]+$'
    # Nor does the name of a target.
    run env LC_ALL=C.UTF-8 "$TINCAN" --check -c 1 $'unix:/\e\xff|ü' unix:/other
    assert_output --partial "'unix:/\x1b\xff ü time'=U"
    LC_ALL=C.UTF-8 run ! grep -v '^[ -~ü]*$' <<<"$output"
}

@test "a server's limit on messages is named, where it is the usual one" {
    [[ -x $TINCAND ]] || skip "tincand is not built; it needs libsystemd (Debian: libsystemd-dev)"
    local address
    address=127.0.0.1:$(free_port)
    start "$TINCAND" --quiet --listen "$address"
    wait_until 60 "$TINCAN" -q -m '' "$address" 2>/dev/null
    run "$TINCAN" -q -c 1 -s 1M "$address"
    assert_success
    run "$TINCAN" -c 1 -s 1048577 "$address"
    assert_failure 1
    assert_line --regexp 'seq=1 +(closed|reset): .*; the message is over 1 MiB, the default limit of a server(;|$)'
}

@test "of several outcomes each is counted, and the worst gives the status" {
    serve echo truncate:1 echo close-after-reading truncate:1 echo
    run "$TINCAN" -c 6 -i 20ms "$ADDRESS"
    assert_failure 1
    assert_line '6 sent, 3 echoed, 3 lost (50.0 %): 1 closed, 2 truncated'
    serve echo truncate:1 flip:0 echo
    run "$TINCAN" -c 4 -i 20ms "$ADDRESS"
    assert_failure 3
    assert_line '4 sent, 2 echoed, 1 lost (25.0 %): 1 truncated; 1 altered'
}

@test "an address of a link is reported with its interface" {
    need jq
    run "$TINCAN" --json -c 1 '[fe80::1%lo]:9'
    assert_failure 1
    assert_equal "$(jq -c 'select(.type == "begin").peers' <<<"$output")" '["[fe80::1%lo]:9"]'
}

@test "a name without an address is: 2, before any probe" {
    run --separate-stderr "$TINCAN" -c 1 no-such-host.invalid
    assert_failure 2
    assert_output ''
    said 'tincan: finding the address of no-such-host.invalid: unresolved: *'
}

@test "a text that can't be sent is refused before anything is sent" {
    local text complaint
    while IFS='|' read -r text complaint; do
        run --separate-stderr "$TINCAN" -c 1 --max-bytes 9 -m "$(printf '%b' "$text")" 127.0.0.1:1
        assert_failure 2
        assert_output ''
        said "tincan: $complaint"
    done <<'END'
ab\0377c|not sent: the byte at offset 2 is 0xff, which makes the text invalid UTF-8
ab\0303|not sent: the byte at offset 3 is missing: *
0123456789|not sent: the byte at offset 9 is over the limit of 9 bytes; *
END
}

@test "a name without an address is reported in JSON and to Prometheus, too" {
    echo old >file
    run --separate-stderr "$TINCAN" --json --prometheus file -c 1 no-such-host.invalid
    assert_failure 2
    said 'tincan: finding the address of no-such-host.invalid: unresolved: *'
    assert_equal "$("$REPORTS" type <<<"$output" | xargs)" 'begin summary'
    assert_equal "$("$REPORTS" outcomes <<<"$output")" '{"unresolved": 1}'
    run "$REPORTS" prometheus file
    assert_success
    assert_line 'tincan_success{target="no-such-host.invalid"} 0'
    assert_line 'tincan_probes_total{target="no-such-host.invalid",outcome="unresolved"} 1'
    run --separate-stderr "$TINCAN" --json --sweep 1-9 no-such-host.invalid
    assert_failure 2
    [[ $("$REPORTS" not_connected <<<"$output") == '"finding the address of '* ]]
    run "$TINCAN" --check --prometheus file no-such-host.invalid
    assert_failure 2
}

@test "-w is the time for finding the address too" {
    serve_inside echo
    # A name server that takes questions and answers none.
    start nsenter -n -t "$STARTED" python3 -c 'import socket, time
server = socket.socket(type=socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
open("bound", "w").close()
time.sleep(60)'
    wait_until 60 test -e bound
    milliseconds nsenter -n -m -r -w -t "${STARTED_ALL[0]}" "$TINCAN" -c 1 -w 400ms slow.test
    assert_failure 2
    said 'tincan: finding the address of slow.test: unresolved: no answer from the resolver within 0.4 s; *'
    took_about 400
}

@test "a full backlog of a unix socket is: filtered" {
    serve --on "unix:$PWD/socket" full
    milliseconds "$TINCAN" -c 1 -W 300ms "$ADDRESS"
    assert_failure 1
    assert_line --partial 'filtered: no answer within 0.3 s; its queue of connections is full: '
    took_about 300
}

@test "probes go to unix sockets, and through hybrid vsock to guests" {
    serve --on "unix:$PWD/socket" echo hybrid:7 hybrid:8
    run "$TINCAN" -c 1 "$ADDRESS"
    assert_success
    run "$TINCAN" -c 1 "$ADDRESS#7"
    assert_success
    assert_line --partial "seq=1   time="
    run "$TINCAN" -c 1 "$ADDRESS#7"
    assert_failure 1
    assert_line --partial "seq=1   handshake: it closed the connection"
}

# serve_inside [--rules RULES] BEHAVIOUR...: a server in a network namespace of its own, with
# two-addresses.test, whose packets obey the rules on arrival.
serve_inside() {
    need nsenter
    need_nftables
    local rules=accept
    if [[ $1 == --rules ]]; then
        rules=$2
        shift 2
    fi
    printf '#!/bin/sh\nexec unshare -nm %q %q "$@"\n' "$TESTS/helpers/client_netns" "$rules" >enter
    chmod +x enter
    serve_by ./enter "$@"
}

@test "an address that fails is reported, the next one is tried, and the run stays with it" {
    serve_inside echo
    run --separate-stderr nsenter -n -m -r -w -t "$STARTED" "$TINCAN" -c 3 -i 100ms \
        "two-addresses.test:${ADDRESS##*:}"
    assert_success
    assert_line --regexp "^Probing two-addresses\.test:[0-9]+ \(\[::1\]:[0-9]+, 127\.0\.0\.1:[0-9]+, found in [0-9.]+ ms\)"
    assert_line --partial "seq=1   $ADDRESS: time="
    assert_line --partial "seq=3   time="
    said 'tincan: connecting to \[::1\]:*: refused: *; trying the next address'
    run --separate-stderr nsenter -n -m -r -w -t "$STARTED" "$TINCAN" -c 2 -i 1ms two-addresses.test:1
    assert_failure 1
    assert_line '2 sent, 0 echoed, 2 lost (100.0 %): 2 refused'
    assert_line --regexp '^failed address \[::1\]:1: refused in 2 probes, .*; failed address 127\.0\.0\.1:1: refused in 2 probes,'
    ((${#stderr_lines[@]} == 1))
    refute_regex "$stderr" 'trying the next'
    run --separate-stderr nsenter -n -m -r -w -t "$STARTED" "$TINCAN" --check -c 2 -i 1ms \
        "two-addresses.test:${ADDRESS##*:}"
    assert_output --regexp '^TINCAN OK - .*; failed address \[::1\]:[0-9]+: refused in '
    said ''
}

@test "a sweep names the address that failed, and its times are those of the one that answered" {
    need jq
    within_time
    serve_inside --rules 'ip6 daddr ::1 tcp flags syn drop' echo
    local mode
    for mode in --sweep=1-2 --diagnose; do
        run --separate-stderr nsenter -n -m -r -w -t "$STARTED" "$TINCAN" --json "$mode" \
            "two-addresses.test:${ADDRESS##*:}"
        jq -es '.[-1].failed_addresses | map([.peer[:5], .outcome, .probes, .lost_ms >= 250]) ==
            [["[::1]", "filtered", 1, true]]' <<<"$output"
        jq -es 'map(select(.type == "size").time_ms) | max < 250' <<<"$output"
        run --separate-stderr nsenter -n -m -r -w -t "$STARTED" "$TINCAN" -q "$mode" \
            "two-addresses.test:${ADDRESS##*:}"
        assert_line --regexp '^failed address \[::1\]:[0-9]+: filtered in 1 probe, which lost 0\.[0-9]+ s$'
    done
}

@test "an address that does not answer leaves time for the next one" {
    need jq
    within_time
    serve_inside --rules 'ip6 daddr ::1 tcp flags syn drop' echo
    run --separate-stderr nsenter -n -m -r -w -t "$STARTED" "$TINCAN" --json -c 2 -i 1s -W 1500ms \
        "two-addresses.test:${ADDRESS##*:}"
    assert_success
    said 'tincan: connecting to \[::1\]:*: filtered: no answer within 0.*([0-9]) s; *; trying the next address'
    # Its time is that of the probe that met it, and of no other, and apart from the live one's.
    jq -se '[.[] | select(.seq)] | .[0].others_ms >= 250 and .[0].connect_ms < 250 and
        .[0].time_ms >= 250 and .[1].others_ms == null and .[1].time_ms < 250' <<<"$output"
}

@test "a name server that does not answer is: unresolved, within the time" {
    serve_inside --rules 'udp dport 53 drop; tcp dport 53 drop' echo
    milliseconds nsenter -n -m -r -w -t "$STARTED" "$TINCAN" -c 1 -W 700ms some.example
    assert_failure 2
    assert_output ''
    said 'tincan: finding the address of some.example: unresolved: *'
    took_about 700
}

@test "the time for which a name server was waited in vain is reported as any other" {
    need jq
    within_time
    serve_inside --rules 'udp dport 53 drop; tcp dport 53 drop' echo
    run --separate-stderr nsenter -n -m -r -w -t "$STARTED" \
        "$TINCAN" --json --prometheus file -c 1 -W 300ms slow.test
    assert_failure 2
    said '*: unresolved: no answer from the resolver within 0.3 s; *'
    jq -se '[.[].resolve_ms] | length == 2 and all(. >= 300 and . < 4300)' <<<"$output"
    awk '$1 ~ "^tincan_resolve_seconds{" { found = $2 >= 0.3 && $2 < 4.3 } END { exit !found }' file
}

# with_hosts COMMAND...: runs it where the lines of standard input are /etc/hosts, as bats' `run`.
with_hosts() {
    unshare -m true 2>/dev/null || skip "no mount namespace can be made here: that takes CAP_SYS_ADMIN"
    cat >hosts
    run --separate-stderr unshare -m sh -c 'mount --bind hosts /etc/hosts; exec "$@"' - "$@"
}

@test "probes that wait for a dead address go on to the one that another one uses" {
    local port
    port=$(free_port 0.0.0.0)
    serve --on "127.0.0.3#$port" echo
    serve --on "127.0.0.2#$port" full
    with_hosts "$TINCAN" -c 5 -i 100ms -W 4s "dead-first.test:$port" <<'END'
127.0.0.2 dead-first.test
127.0.0.3 dead-first.test
END
    assert_success
    assert_line '5 sent, 5 echoed, 0 lost (0.0 %)'
    said 'tincan: connecting to 127.0.0.2:*: filtered: no answer within 0.*([0-9]) s; *; trying the next address'
}

@test "-I is where probes come from" {
    serve only-from:127.0.0.9
    run "$TINCAN" -c 1 -I 127.0.0.9 "$ADDRESS"
    assert_success
    run "$TINCAN" -c 1 -I 127.0.0.8 "$ADDRESS"
    assert_failure 1
    run "$TINCAN" -c 1 -I 192.0.2.77 "$ADDRESS"
    assert_failure 2
    assert_line --partial 'local error: Cannot assign requested address: this machine does not have the address of -I; the server was not asked'
    assert_line '0 sent, 0 echoed, 0 lost (-); 1 not sent for a local error'
}

@test "ports used up are: local errors, counted apart" {
    need_own_sysctls
    serve_inside late:0.3
    nsenter -n -t "$STARTED" sysctl -qw 'net.ipv4.ip_local_port_range=40000 40003'
    run --separate-stderr nsenter -n -m -r -w -t "$STARTED" "$TINCAN" --json -c 12 -i 1ms "$ADDRESS"
    assert_failure 2
    "$REPORTS" json <<<"$output"
    python3 - "$output" <<'PYTHON'
import json, sys
summary = json.loads(sys.argv[1].splitlines()[-1])
assert summary["local_errors"] > 0 and summary["lost"] == 0, summary
assert summary["sent"] == summary["echoed"] == 12 - summary["local_errors"], summary
assert summary["ms"]["time"]["count"] == summary["echoed"], summary
PYTHON
}

# bats test_tags=sandbox
@test "a run that can't wait says why, and --check in its line" {
    need_tracer
    serve echo
    run --separate-stderr strace -f -o /dev/null -e inject=ppoll:error=ENOMEM:when=3 \
        "$TINCAN" -q -c 5 -i 50ms "$ADDRESS"
    assert_failure 2
    said 'tincan: waiting for events: Cannot allocate memory'
    run --separate-stderr strace -f -o /dev/null -e inject=ppoll:error=ENOMEM:when=3 \
        "$TINCAN" --check -c 5 -i 50ms "$ADDRESS"
    assert_failure 3
    assert_output --partial '; waiting for events: Cannot allocate memory |'
    said ''
}

@test "names that nobody answers for hold up no other target, however few descriptors there are" {
    need jq
    local limit at=()
    serve_inside --rules 'udp dport 53 drop; tcp dport 53 drop' echo
    printf '%s\n' "$ADDRESS" host{1..60}.test >list
    # They are asked for again after 10 s; a question takes that long, too.
    for limit in 127 128 129 130; do
        nsenter -n -m -r -w -t "$STARTED" "$BASH" -c 'ulimit -n "$1"; exec "${@:2}"' - $limit \
            "$TINCAN" --json --targets list -i 500ms -W 1s -w 14s >out.$limit 2>/dev/null &
        at+=($!)
    done
    wait "${at[@]}" || true
    for limit in 127 128 129 130; do
        jq -se --arg target "$ADDRESS" 'map(select(.target == $target and .seq)) |
            length > 20 and all(.[]; .late_ms < 4000)' out.$limit
    done
}

@test "a name that can't be looked up for lack of descriptors is UNKNOWN to --check" {
    serve_inside echo
    local limit said lacking=0
    # From where nothing can be prepared to where a connection can be made.
    for limit in {6..24}; do
        # shellcheck disable=SC2016 # is the inner shell's
        said=$(nsenter -n -m -r -w -t "$STARTED" env ASAN_OPTIONS=detect_leaks=0 "$BASH" -c \
            'ulimit -n "$1"; exec "${@:2}"' - "$limit" "$TINCAN" --check -c 1 two-addresses.test:1 2>&1) || true
        [[ $said != *'finding the address of '* ]] || ((lacking += 1))
        [[ $said != 'TINCAN CRITICAL - finding'* ]]
    done
    ((lacking > 0))
    [[ $said = 'TINCAN CRITICAL - 0 of 1 echoed by '*'; refused: '* ]]
}

@test "a connection to itself is no server: refused" {
    need_own_sysctls
    serve_inside echo
    nsenter -n -t "$STARTED" sysctl -qw 'net.ipv4.ip_local_port_range=40000 40000'
    run nsenter -n -m -r -w -t "$STARTED" "$TINCAN" -c 1 127.0.0.1:40000
    assert_failure 1
    assert_line '1 sent, 0 echoed, 1 lost (100.0 %): 1 refused'
}

# --- load ---

@test "a flood echoes all, prints no line for each, and leaves no port behind" {
    serve echo
    run --separate-stderr "$TINCAN" -f -c 500 "$ADDRESS"
    assert_success
    assert_line --index 1 "--- $ADDRESS ---"
    assert_line '500 sent, 500 echoed, 0 lost (0.0 %)'
    said ''
    # Waiting on our side (06 is TIME_WAIT), the server being the remote end; one or two may be the
    # other ends of what another test left, which had got the same port.
    run awk -v port="$(printf ':%04X$' "${ADDRESS##*:}")" '$4 == "06" && $3 ~ port' /proc/net/tcp
    ((${#lines[@]} < 5))
}

@test "--parallel is how many are under way at once" {
    serve late:0.5
    milliseconds "$TINCAN" -f --parallel 10 -c 20 "$ADDRESS"
    assert_success
    took_about 1000 # and not 10 s
}

@test "a flood that is refused ends at its deadline, and at an interruption" {
    local port
    port=$(free_port)
    milliseconds timeout -s KILL 60 "$TINCAN" -f -w 300ms "127.0.0.1:$port"
    assert_failure 1
    # The deadline may come within a probe.
    assert_line --regexp '^[0-9]+ sent, 0 echoed, [0-9]+ lost \(100\.0 %\): [0-9]+ refused(; [0-9]+ unfinished)?$'
    took_about 300
    start env --default-signal=INT "$TINCAN" -f --json -w 60s "127.0.0.1:$port" >out
    wait_until 60 grep -q '"seq":9' out
    kill -INT "$STARTED"
    status=0
    wait "$STARTED" || status=$?
    assert_equal "$status" 1
    assert_equal "$("$REPORTS" interrupted <out)" true
}

@test "failures in a flood are counted, and the first of each kind is explained" {
    serve echo truncate:3 echo truncate:4 echo
    run "$TINCAN" -f --parallel 1 -c 10 "$ADDRESS"
    assert_failure 1
    assert_line '10 sent, 8 echoed, 2 lost (20.0 %): 2 truncated'
    assert_line --regexp '^first at seq=2: truncated: .* 3 of 57 bytes had come back'
}

@test "statistics of a flood agree with its raw samples" {
    serve echo
    "$TINCAN" -f -c 3000 --json --histogram "$ADDRESS" >out
    "$REPORTS" json <out
    (($(wc -l <out) == 3002))
}

@test "a flood on a terminal shows a status line, and elsewhere none" {
    need script
    serve late:0.01
    script -qec "$TINCAN -f --parallel 2 -c 200 $ADDRESS >out" /dev/null >terminal </dev/null
    grep -qE '[0-9]+/s  echoed [0-9]+  lost 0  p99 [0-9.]+ ms  \[[#.]{20}\] [0-9]+ %, [0-9]+:[0-9]{2} left' terminal
    # It is taken away in the end.
    [[ $(tail -c 4 terminal) == $'\r\e[K' ]]
}

@test "a flood whose objects go to a terminal shows no status line between them" {
    need script
    serve late:0.01
    script -qec "$TINCAN -f --json --parallel 2 -c 100 $ADDRESS" /dev/null >terminal </dev/null
    (($(grep -c '^{"type":' terminal) == 102))
    run ! grep -q $'\e' terminal
}

@test "more in parallel than descriptors is refused, with the limit" {
    need prlimit
    run --separate-stderr prlimit --nofile=50:50 "$TINCAN" -f --parallel 60 -c 100 127.0.0.1:1
    assert_failure 2
    assert_output ''
    said 'tincan: --parallel: 60 connections at once need as many descriptors, and the limit (ulimit -n) leaves [34][0-9]'
}

@test "a flood without --parallel does with fewer descriptors, and says so" {
    need prlimit
    serve late:0.05
    run --separate-stderr prlimit --nofile=20:20 "$TINCAN" -f -c 40 "$ADDRESS"
    assert_success
    assert_line '40 sent, 40 echoed, 0 lost (0.0 %)'
    said 'tincan: at most [1-9] probes at once instead of 32, because the limit of descriptors (ulimit -n) allows no more'
    run --separate-stderr prlimit --nofile=20:20 "$TINCAN" -i 1ms -c 40 "$ADDRESS"
    assert_success
    said 'tincan: at most [1-9] probes at once instead of 40, because *'
    run --separate-stderr prlimit --nofile=9:9 "$TINCAN" -f -c 2 "$ADDRESS"
    said 'tincan: at most 1 probe at once instead of 2, because *'
    run --separate-stderr prlimit --nofile=20:20 "$TINCAN" --check -i 1ms -c 40 "$ADDRESS"
    assert_success
    said '' # a monitoring system may take it for the line
}

@test "to say why a probe had no local address takes no descriptor for good" {
    need prlimit
    run --separate-stderr prlimit --nofile=20:20 "$TINCAN" -I 192.0.2.77 -c 40 -i 1ms 127.0.0.1:1
    assert_failure 2
    assert_line --index 1 --partial 'this machine does not have the address of -I'
    assert_line 'seq=40  local error'
}

@test "the soft limit of descriptors is raised to the hard one" {
    need prlimit
    serve late:0.1
    run --separate-stderr prlimit --nofile=20:200 "$TINCAN" -f --parallel 100 -c 100 "$ADDRESS"
    assert_success
}

# --- sizes ---

@test "--sweep finds the size at which replies stop" {
    serve limited:4096
    run --separate-stderr "$TINCAN" --sweep 1-100000 "$ADDRESS"
    assert_failure 1
    assert_line --index 0 "Sweeping $ADDRESS from 1 to 100000 bytes of text; times in ms"
    assert_line 'the largest that works: 4096 bytes; the smallest that fails: 4097 bytes (closed)'
    assert_line "a round number: it may be the server's limit on messages"
    assert_line --regexp '^ +4097 bytes  closed  \(3 tries\)$'
    assert_line --regexp '^closed: the server accepted the connection and closed it without a reply'
    said ''
    serve limited:1
    run -1 "$TINCAN" --sweep 0-5 "$ADDRESS"
    assert_line 'the largest that works: 1 byte; the smallest that fails: 2 bytes (closed)'
    serve limited:0
    run -1 "$TINCAN" --sweep 0-5 "$ADDRESS"
    assert_line 'the largest that works: 0 bytes; the smallest that fails: 1 byte (closed)'
}

@test "--sweep finds a black hole" {
    serve black-hole:1400
    run --separate-stderr "$TINCAN" -W 500ms --sweep 1399-1402 "$ADDRESS"
    assert_failure 1
    assert_line 'the largest that works: 1400 bytes; the smallest that fails: 1401 bytes (timeout)'
    # On the loopback device, where a packet has room for it, with the headers of IPv4 and TCP.
    assert_line --regexp '^packets over 14(41|53) bytes may be dropped on the way back \(path MTU\)$'
}

@test "--sweep blames no path MTU where a larger message is no larger packet" {
    local address
    serve black-hole:100000
    address=$ADDRESS
    serve --on "unix:$PWD/socket" black-hole:100000
    for address in "$address" "$ADDRESS"; do
        run -1 "$TINCAN" -q -W 300ms --sweep 99999-100001 "$address"
        assert_line 'the largest that works: 100000 bytes; the smallest that fails: 100001 bytes (timeout)'
        refute_output --partial 'packets over'
    done
}

@test "--sweep shows the path of a pattern so that it does nothing to a terminal" {
    printf x >$'a\e[31mb'
    run "$TINCAN" --sweep 1-2 -P $'file:a\e[31mb' 127.0.0.1:1
    assert_line --index 0 'Sweeping 127.0.0.1:1 from 1 to 2 bytes of file:a\x1b[31mb; times in ms'
}

@test "--sweep says that all sizes work, or none" {
    serve echo
    run "$TINCAN" --sweep 0-5000 "$ADDRESS"
    assert_success
    assert_line 'nothing fails up to 5000 bytes'
    serve close-after-reading
    run "$TINCAN" --sweep 10-5000 "$ADDRESS"
    assert_failure 1
    assert_line 'nothing works, not even 10 bytes (closed)'
    serve flip:0
    run "$TINCAN" --sweep 10-5000 "$ADDRESS"
    assert_failure 3
}

@test "--sweep is not misled by a chance loss" {
    serve echo reset-at-once truncate:1 limited:100
    run "$TINCAN" --sweep 1-200 "$ADDRESS"
    assert_failure 1
    assert_line --partial '(3 tries)'
    assert_line 'the largest that works: 100 bytes; the smallest that fails: 101 bytes (closed)'
    serve reset-at-once truncate:1 echo
    run "$TINCAN" --sweep 1-200 "$ADDRESS"
    assert_success
    assert_line --regexp '^ +1 byte   echoed  time=[0-9.]+  \(at try 3\)$'
}

@test "--sweep does not forgive an altered echo" {
    serve echo flip:0 echo
    run -3 "$TINCAN" --sweep 10-20 "$ADDRESS"
    assert_line --regexp '^ +20 bytes  echoed  time=[0-9.]+  \(at try 2; 1 altered\)$'
    assert_line 'nothing fails up to 20 bytes; 1 of 3 tries came back altered'
    serve echo flip:0 echo
    run -3 "$TINCAN" --sweep 10-20 --json "$ADDRESS"
    jq -es 'map([.tries, .altered]) == [[1, 0], [2, 1], [3, 1]]' <<<"$output"
    # Nor where the size fails for another reason.
    serve echo extra:x close-after-reading
    run -3 "$TINCAN" --sweep 10-11 "$ADDRESS"
    assert_line --regexp '^ +11 bytes  closed  \(3 tries; 1 altered\)$'
    assert_line 'the largest that works: 10 bytes; the smallest that fails: 11 bytes (closed); 1 of 4 tries came back altered'
}

@test "--sweep does not blame a size when it can't connect" {
    local port
    port=$(free_port)
    run "$TINCAN" --sweep 10-5000 "127.0.0.1:$port"
    assert_failure 1
    assert_line "--- 127.0.0.1:$port --- (not finished)"
    assert_line 'could not connect at 10 bytes: nothing is known of this size'
    assert_line --partial 'refused: nobody is listening there'
    refute_output --partial 'nothing works'
    # Behind the smallest size, nobody listens in the guest any more.
    serve --on "unix:$PWD/socket" hybrid:7 hybrid:8
    run "$TINCAN" --json --sweep 10-5000 "$ADDRESS#7"
    assert_failure 1
    assert_equal "$("$REPORTS" largest_that_works <<<"$output")" 10
    assert_equal "$("$REPORTS" smallest_that_fails <<<"$output")" ''
    assert_equal "$("$REPORTS" unfinished <<<"$output")" true
    assert_equal "$("$REPORTS" interrupted <<<"$output")" false
    [[ $("$REPORTS" not_connected <<<"$output") == '"handshake: it closed the connection'* ]]
}

@test "--sweep can be read by programs" {
    serve limited:64
    run "$TINCAN" --json --sweep 1-100 "$ADDRESS"
    assert_failure 1
    assert_equal "$("$REPORTS" largest_that_works <<<"$output")" 64
    assert_equal "$("$REPORTS" smallest_that_fails <<<"$output")" 65
}

# --- reports ---

# four_reports OPTION...: three runs at the same time, to ${ADDRESSES[@]}, which are reported as text, in
# JSON and as a plugin, and each to Prometheus. Prints what all four agree on.
four_reports() {
    local report started=() addresses=("${ADDRESSES[@]}")
    rm -f ./*.prom
    local -A format=([text]='' [json]=--json [check]=--check)
    for report in text json check; do
        # shellcheck disable=SC2086 # one or none
        "${BY[@]}" "$TINCAN" "$@" ${format[$report]} --prometheus "$report.prom" "${addresses[0]}" \
            >"$report.out" 2>"$report.err" 3>&- &
        addresses=("${addresses[@]:1}")
        started+=("$!")
    done
    for report in text json check; do
        wait "${started[0]}" && echo 0 >"$report.status" || echo "$?" >"$report.status"
        started=("${started[@]:1}")
    done
    run "$REPORTS" agree
    assert_success
}

# serve_three BEHAVIOUR...: a server for each of them.
serve_three() {
    BY=() ADDRESSES=()
    while ((${#ADDRESSES[@]} < 3)); do
        serve "$@"
        ADDRESSES+=("$ADDRESS")
    done
}

@test "text, JSON, plugin and Prometheus agree on each outcome" {
    within_time
    serve_three echo close-after-reading silent reset-at-once truncate:3 flip:3 echo extra:zz stay-open
    four_reports -c 9 -i 20ms -W 2s
    assert_output '{"altered": 1, "closed": 1, "echoed": 3, "extra_bytes": 1, "reset": 1, "timeout": 1, "truncated": 1} unfinished 0'
    ADDRESSES=("127.0.0.1:$(free_port)"{,,})
    four_reports -c 2 -i 1ms
    assert_output '{"refused": 2} unfinished 0'
    four_reports -c 2 -i 1ms -I 192.0.2.77
    assert_output '{"local_error": 2} unfinished 0'
    ADDRESSES=(no-such-host.invalid{,,})
    four_reports -c 3
    assert_output '{"unresolved": 1} unfinished 0'
    serve --on "unix:$PWD/hybrid" hybrid:7
    ADDRESSES=("$ADDRESS#8"{,,})
    four_reports -c 1
    assert_output '{"handshake": 1} unfinished 0'
    serve --on "unix:$PWD/full" full
    ADDRESSES=("$ADDRESS"{,,})
    four_reports -c 1 -W 100ms
    assert_output '{"filtered": 1} unfinished 0'
    unshare -n true 2>/dev/null || skip "no network namespaces here, for: unreachable"
    BY=(unshare -n) ADDRESSES=(192.0.2.1{,,})
    four_reports -c 1
    assert_output '{"unreachable": 1} unfinished 0'
}

@test "text, JSON, plugin and Prometheus agree on what the end of the run left unfinished" {
    within_time
    # Of a count, those that were not sent count too.
    serve_three echo
    four_reports -c 5 -i 1h -w 300ms
    assert_output '{"echoed": 1} unfinished 4'
    serve_three silent
    four_reports -c 2 -i 1h -w 300ms
    assert_output '{} unfinished 2'
    # So no loss is known, which is not a loss of 0.
    grep -qF " 'loss'=U;" check.out
    tail -n 1 json.out | jq -e '.loss_percent == null'
    run "$TINCAN" --check -c 2 -i 1h -w 300ms --critical-loss @0:10 "$ADDRESS"
    assert_output --partial " unfinished | 'time'=U;;;0; 'loss'=U;;@10;0;100"
    refute_output --partial exceeds
    run -3 "$TINCAN" --check -c 1 -I 192.0.2.77 --critical-loss @0:10 "$ADDRESS"
    assert_output --partial ' | '
    refute_output --partial exceeds
    # A hang that somebody ends is a loss.
    BY=(timeout --preserve-status -s INT 1.6)
    four_reports -c 4 -i 1h
    assert_output '{"timeout": 1} unfinished 3, interrupted'
}

@test "a timestamp follows the clock, where that is set in the run" {
    need cc
    # The clock is ahead by 10^6 s once there is a file of this name.
    cat >clock.c <<'END'
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, clock, now);

    if (clock == CLOCK_REALTIME && access("ahead", F_OK) == 0)
        now->tv_sec += 1000000;
    return result;
}
END
    cc -shared -fPIC -o clock.so clock.c
    export ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0
    serve echo echo 'run:touch ahead; exec head -c 57'
    local before now written
    before=$(date +%s)
    run "$TINCAN" --json -c 1 "$ADDRESS"
    LD_PRELOAD=$PWD/clock.so run "$TINCAN" --json --prometheus file -c 2 -i 1ms "$ADDRESS"
    assert_success
    now=$(date +%s)
    run "$REPORTS" at <<<"$output"
    ((${lines[0]%.*} >= before && ${lines[0]%.*} <= now))
    ((${lines[2]%.*} >= before + 1000000 && ${lines[2]%.*} <= now + 1000000))
    run "$REPORTS" prometheus file
    written=$(grep -oP '^tincan_written_timestamp_seconds\S* \K[0-9]+' <<<"$output")
    ((written >= before + 1000000))
}

@test "--json is an object a line, which jq reads, and its statistics are right" {
    need jq
    serve echo flip:3 truncate:2 pauses:0.01,0.01,0.01 echo
    run --separate-stderr "$TINCAN" --json --histogram -c 40 -i 20ms "$ADDRESS"
    assert_failure 3
    said ''
    "$REPORTS" json <<<"$output"
    assert_equal "$(jq -c 'select(.type == "probe" and .seq == 2) | [.outcome, .offset, .sent, .received, .suspected_cause]' \
        <<<"$output")" '["altered",3,32,33,"a single bit was flipped"]'
    assert_equal "$(jq -r 'select(.type == "summary").outcomes.truncated' <<<"$output")" 1
    # Each line by itself is an object.
    assert_equal "$(jq -R 'fromjson | type' <<<"$output" | sort | uniq -c | tr -d ' ')" '42"object"'
}

@test "--json -q is the summary alone" {
    serve echo
    run "$TINCAN" --json -q -c 3 -i 1ms "$ADDRESS"
    assert_success
    ((${#lines[@]} == 1))
    assert_equal "$("$REPORTS" echoed <<<"$output")" 3
}

@test "-q is the summary alone, with the first failure of each kind" {
    serve echo truncate:1
    run "$TINCAN" -q -c 3 -i 20ms "$ADDRESS"
    assert_failure 1
    assert_line --index 0 "--- $ADDRESS ---"
    assert_line --regexp '^first at seq=2: truncated: '
}

@test "-q prints its summary where no probe left this machine either" {
    serve echo
    run "$TINCAN" -q -c 2 -i 1ms -I 192.0.2.77 "$ADDRESS"
    assert_failure 2
    assert_line --partial '2 not sent for a local error'
}

@test "a probe's line comes when the probe is over" {
    serve echo silent
    start "$TINCAN" -c 2 -i 1ms -W 1h "$ADDRESS" >out
    wait_until 60 grep -q 'seq=1 ' out
    run ! grep -q 'seq=2 ' out
}

@test "--histogram draws how times are distributed" {
    within_time
    serve echo late:1 echo
    run "$TINCAN" -q --histogram -c 20 -i 20ms "$ADDRESS"
    assert_success
    assert_line --regexp '^ +[0-9.]+ to +[0-9.]+ ms +[0-9]+ +[0-9.]+ % #+$'
    python3 - "$output" <<'PYTHON'
import re, sys
rows = re.findall(r"^ *([\d.]+) to +([\d.]+) ms +(\d+) +([\d.]+) % (#*)$", sys.argv[1], re.M)
assert sum(int(row[2]) for row in rows) == 20, rows
assert all(one[1] == other[0] for one, other in zip(rows, rows[1:])), rows
assert int(rows[-1][2]) == 1 and float(rows[-1][1]) > 1000, rows
longest = max(rows, key=lambda row: int(row[2]))
assert len(longest[4]) == max(len(row[4]) for row in rows) and max(map(len, sys.argv[1].splitlines())) <= 90
PYTHON
}

@test "colour is for terminals, and not with NO_COLOR" {
    need script
    local port
    port=$(free_port)
    TERM=xterm NO_COLOR='' script -qec "$TINCAN -c 1 127.0.0.1:$port" /dev/null >terminal </dev/null || true
    grep -q $'\e\[31mrefused' terminal
    TERM=xterm NO_COLOR=1 script -qec "$TINCAN -c 1 127.0.0.1:$port" /dev/null >terminal </dev/null || true
    run ! grep -q $'\e' terminal
    grep -q refused terminal
    TERM=xterm NO_COLOR='' run "$TINCAN" -c 1 "127.0.0.1:$port"
    refute_output --partial $'\e'
}

@test "--check is one line with performance data, and 0 when all is well" {
    serve echo
    run --separate-stderr "$TINCAN" --check -i 1ms --warning 5000 --critical 10s "$ADDRESS"
    assert_success
    assert_output --regexp "^TINCAN OK - 5 of 5 echoed by $ADDRESS in [0-9.]+ ms on average \| 'time'=[0-9.]+ms;5000;10000;0; 'loss'=0%;0;;0;100 'connect'=[0-9.]+ms;;;0; "
    said ''
    assert_equal "$("$REPORTS" plugin <<<"$output")" 'time loss connect first_byte complete close'
}

@test "--check floods five times, or until a given deadline" {
    serve echo
    run -0 "$TINCAN" --check -f "$ADDRESS"
    assert_output --partial 'TINCAN OK - 5 of 5 echoed by '
    run -2 "$TINCAN" --check -f -w 1s "127.0.0.1:$(free_port)"
    assert_output --regexp '^TINCAN CRITICAL - 0 of [0-9]{2,} echoed by '
}

@test "--check warns above its limits, and is critical above the others" {
    serve late:0.05
    run "$TINCAN" --check -c 1 --warning 10 --critical 5000 "$ADDRESS"
    assert_failure 1
    assert_output --partial 'TINCAN WARNING - '
    run "$TINCAN" --check -c 1 --warning 10 --critical 20ms "$ADDRESS"
    assert_failure 2
    assert_output --partial 'TINCAN CRITICAL - '
    "$REPORTS" plugin <<<"$output"
}

@test "--check takes ranges as monitoring plugins have them, and names the limit that was exceeded" {
    serve late:0.05
    local status exceeds options performance
    while IFS='|' read -r status exceeds options performance; do
        # shellcheck disable=SC2086 # several
        run "-$status" "$TINCAN" --check -c 1 $options "$ADDRESS"
        assert_output --regexp "on average$exceeds \\| 'time'=[0-9.]+ms;$performance;0; "
        "$REPORTS" plugin <<<"$output"
    done <<'TABLE'
0||--warning 10:9s --critical 5:|10:9000;5:
1|; exceeds --warning=20|--warning 20ms --critical 9s|20;9000
1|; exceeds --warning=5000:|--warning 5s: --critical ~:9s|5000:;~:9000
2|; exceeds --critical=@20:9000|--warning 20 --critical @20:9s|20;@20:9000
0||--warning @0:20 --critical @0:10ms|@20;@10
TABLE
    serve truncate:1 echo
    run -1 "$TINCAN" --check -c 2 -i 1ms --warning-loss 10:20% "$ADDRESS"
    assert_output --regexp "on average; exceeds --warning-loss=10:20; truncated: .*'loss'=50%;10:20;;0;100"
}

@test "--check says what was lost: a warning at first, critical above the limit or when it is all" {
    serve echo truncate:1 echo
    run "$TINCAN" --check -c 4 -i 20ms "$ADDRESS"
    assert_failure 1
    assert_output --regexp '^TINCAN WARNING - 3 of 4 echoed by .*; truncated: the connection ended .* .loss.=25%;0;;0;100'
    serve echo truncate:1 echo
    run "$TINCAN" --check -c 4 -i 20ms --warning-loss 30% --critical-loss 50 "$ADDRESS"
    assert_success
    assert_output --partial "'loss'=25%;30;50;0;100"
    serve echo truncate:1 echo
    run "$TINCAN" --check -c 4 -i 20ms --critical-loss 20 "$ADDRESS"
    assert_failure 2
    serve truncate:1
    run "$TINCAN" --check -c 2 -i 1ms "$ADDRESS"
    assert_failure 2
    assert_output --partial "| 'time'=U;;;0; 'loss'=100%"
    "$REPORTS" plugin <<<"$output"
}

@test "--check warns of probes that the deadline left unfinished, and Prometheus of no success" {
    within_time
    serve echo echo silent
    run --separate-stderr "$TINCAN" --check -c 3 -i 1ms -w 900ms --prometheus file "$ADDRESS"
    assert_failure 1
    assert_output --regexp '^TINCAN WARNING - 2 of 3 echoed by .* on average; 1 unfinished \| '
    "$REPORTS" plugin <<<"$output"
    run "$REPORTS" prometheus file
    assert_line "tincan_success{target=\"$ADDRESS\"} 0"
    assert_line "tincan_probes_unfinished{target=\"$ADDRESS\"} 1"
    # Those that did not even begin are as unfinished.
    serve echo
    run "$TINCAN" --check -c 3 -i 1h -w 2s "$ADDRESS"
    assert_failure 1
    assert_output --partial '1 of 3 echoed by '
    assert_output --partial '; 2 unfinished | '
}

@test "--check that is interrupted is: unknown, and Prometheus has no success" {
    within_time # the first echo comes before the second probe begins
    serve echo 'run:touch reached; exec cat >/dev/null'
    start env --default-signal=INT "$TINCAN" --check -c 2 -i 500ms --prometheus file "$ADDRESS" >out
    wait_until 60 test -e reached
    kill -INT "$STARTED"
    status=0
    wait "$STARTED" || status=$?
    assert_equal "$status" 3
    grep -q '^TINCAN UNKNOWN - 1 of 2 echoed by .*; 1 unfinished; interrupted | ' out
    run "$REPORTS" prometheus file
    assert_line "tincan_success{target=\"$ADDRESS\"} 0"
}

@test "--check that can't write the Prometheus file is unknown, unless it is critical" {
    local reply expected begins
    while read -r reply expected begins; do
        serve "run:touch reached; while test -d folder; do :; done; $reply -c 57"
        mkdir folder
        start "$TINCAN" --check -c 1 --prometheus folder/file "$ADDRESS" >out 2>err
        wait_until 60 test -e reached
        rm -r reached folder
        status=0
        wait "$STARTED" || status=$?
        assert_equal "$status" "$expected"
        grep -qE "^TINCAN $begins of 1 echoed by .*; writing 'folder/file': No such file or directory \\| " out
        assert [ ! -s err ]
    done <<'END'
head 3 UNKNOWN - 1
: 2 CRITICAL - 0
END
}

@test "--check is critical when an echo was altered" {
    serve echo flip:1 echo
    run "$TINCAN" --check -c 4 -i 20ms --warning-loss 90 "$ADDRESS"
    assert_failure 2
    assert_output --partial 'altered: the byte at offset 1'
}

@test "--check that can't begin says so in its line: unknown, or critical without an address" {
    run --separate-stderr "$TINCAN" --check -c none
    assert_failure 3
    assert_output --partial "TINCAN UNKNOWN - --count: 'none' is not a count"
    said ''
    # Wherever --check is on the line, but not where it is the value of another option.
    run "$TINCAN" -c none --nonsense localhost --check
    assert_failure 3
    run "$TINCAN" -c none -P --check
    assert_failure 2
    run --separate-stderr "$TINCAN" -P file:missing --check
    assert_failure 3
    assert_output --partial "TINCAN UNKNOWN - the pattern file 'missing': "
    run --separate-stderr "$TINCAN" --check no-such-host.invalid
    assert_failure 2
    assert_output --partial 'TINCAN CRITICAL - finding the address of no-such-host.invalid: '
    said ''
}

@test "--prometheus writes a file that parses, with what happened" {
    serve echo truncate:1 echo
    run "$TINCAN" -q --prometheus ./tincan.prom -c 5 -i 20ms "$ADDRESS"
    assert_failure 1
    run "$REPORTS" prometheus tincan.prom
    assert_success
    assert_line "tincan_success{target=\"$ADDRESS\"} 0"
    assert_line "tincan_probes_total{target=\"$ADDRESS\",outcome=\"echoed\"} 4"
    assert_line "tincan_probes_total{target=\"$ADDRESS\",outcome=\"truncated\"} 1"
    assert_line "tincan_probe_duration_seconds_count{target=\"$ADDRESS\",phase=\"time\"} 4"
    # Nothing else was left there, and others may read it.
    assert_equal "$(find . -name '*prom*')" ./tincan.prom
    assert_equal "$(stat -c %a tincan.prom)" "$(umask 022; printf %o $((0666 & ~0$(umask))))"
}

# probed COUNT [ADDRESS]: a run writes that the counters of the file are at so many echoes.
probed() {
    run "$TINCAN" -q --prometheus file -c 2 -i 1ms "${2:-$ADDRESS}"
    assert_success
    run "$REPORTS" prometheus file
    assert_success
    assert_line "tincan_probes_total{target=\"${2:-$ADDRESS}\",outcome=\"echoed\"} $1"
    assert_line "tincan_probe_duration_seconds_count{target=\"${2:-$ADDRESS}\",phase=\"time\"} $1"
    assert_line "tincan_probe_duration_seconds_bucket{target=\"${2:-$ADDRESS}\",phase=\"time\",le=\"+Inf\"} $1"
}

@test "counters for Prometheus go on from the file, for the same target" {
    serve echo
    local first second
    probed 2
    first=$(grep -oP '_sum\{.*"time"\} \K.*' file)
    probed 4
    second=$(grep -oP '_sum\{.*"time"\} \K.*' file)
    python3 -c 'import sys; sys.exit(not 0 < float(sys.argv[1]) < float(sys.argv[2]))' "$first" "$second"
    # Of each run is what tells of that: this one fails, and the next does not.
    run "$TINCAN" -q --prometheus file -c 1 -i 1ms -I 192.0.2.77 "$ADDRESS"
    "$REPORTS" prometheus file | grep -qF "tincan_success{target=\"$ADDRESS\"} 0"
    probed 6
    assert_line "tincan_success{target=\"$ADDRESS\"} 1"
    assert_line "tincan_probes_total{target=\"$ADDRESS\",outcome=\"local_error\"} 1"
    probed 2 "localhost:${ADDRESS##*:}"
}

@test "failures of addresses go on for Prometheus, also of those that the target has no more" {
    serve echo
    local address series="tincan_address_failures_total{target=\"$ADDRESS\",address="
    probed 2
    run ! grep '^tincan_address_failures_total' file # it has one address only
    for address in 127.0.0.1:1:5 "$ADDRESS:2" 127.0.0.1:2:0; do
        sed -i "1i $series\"${address%:*}\"} ${address##*:}" file
    done
    sed -i '1i tincan_address_failures_total{target="other",address="127.0.0.1:1"} 7' file
    for address in 4 6; do
        probed "$address"
        run grep '^tincan_address_failures_total' file
        assert_output "$series\"$ADDRESS\"} 2
$series\"127.0.0.1:1\"} 5"
    done
}

@test "counters for Prometheus begin anew where the file is not whole, not the user's, or not numbers" {
    serve echo
    probed 2
    truncate -s -1 file # all but the last line's end
    probed 2
    sed -i 's/; format [0-9]*/; format 0/' file
    probed 2
    sed 's/^# HELP tincan_probe_duration/# @/' file | tr @ '\0' >null
    mv null file
    probed 2
    sed -i 's/} .*/} -inf/' file
    probed 2
    probed 4
    chmod 0 file # root reads it still
    run "$TINCAN" -q --prometheus file -c 1 "$ADDRESS"
    assert_success
    ((EUID == 0)) || skip "only root can make a file somebody else's"
    probed 2 "localhost:${ADDRESS##*:}"
    chown 12345 file
    probed 2 "localhost:${ADDRESS##*:}"
}

@test "through a symbolic link the Prometheus file is written where that leads" {
    serve echo
    mkdir folder other
    ln -s ../other/link folder/link
    ln -s target other/link
    local echoed
    for echoed in 2 4; do
        run "$TINCAN" -q --prometheus folder/link -c 2 -i 1ms "$ADDRESS"
        assert_success
        [[ -L folder/link && -L other/link && ! -L other/target ]]
        grep -qF "outcome=\"echoed\"} $echoed" other/target
    done
    ln -s loop loop
    run --separate-stderr "$TINCAN" --prometheus loop -c 1 "$ADDRESS"
    assert_failure 2
    said "tincan: writing 'loop': Too many levels of symbolic links"
}

@test "in a long run the Prometheus file is written every ten seconds" {
    # Only the first probe fails; so the first file says that not all succeeded, and the next that they do.
    serve reset-at-once echo
    start env --default-signal=INT "$TINCAN" -q -i 100ms --prometheus file "$ADDRESS" >out
    wait_until 60 test -e file
    # The run goes on, and has reported no end.
    kill -0 "$STARTED"
    [[ ! -s out ]]
    "$REPORTS" prometheus file >samples
    python3 - <<'PYTHON'
import re
text = open("samples").read()
seconds = float(re.search(r"^tincan_run_seconds\{.*\} (.*)$", text, re.M)[1])
echoed = int(re.search(r'^tincan_probes_total\{.*outcome="echoed"\} (.*)$', text, re.M)[1])
assert 10 <= seconds < 60 and 10 <= echoed <= 10 * seconds + 2, (seconds, echoed)
assert re.search(r"^tincan_success\{.*\} 0$", text, re.M)
PYTHON
    wait_until 60 grep -q '^tincan_success{.*} 1$' file
    kill -INT "$STARTED"
    status=0
    wait "$STARTED" || status=$?
    ((status == 1))
    run ! cmp -s samples <("$REPORTS" prometheus file)
}

# start_on_slow_disk OPTION...: probes once an hour, and writes the file for Prometheus. To the client it
# is eleven seconds later for each byte of the file `later`. What renames first creates `held` and waits
# for `go`, unless the client ends before. Each adds a byte to `tries`; where there is `broken`, it fails.
# A signal interrupts the first wait for a process; the second creates `go`.
start_on_slow_disk() {
    need cc
    cat >slow.c <<'END'
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now)
{
    struct stat later;
    int result = (int)syscall(SYS_clock_gettime, clock, now);

    if (clock == CLOCK_MONOTONIC && stat("later", &later) == 0)
        now->tv_sec += 11 * later.st_size;
    return result;
}

int rename(const char *from, const char *to)
{
    pid_t parent = getppid();
    int tries = open("tries", O_WRONLY | O_CREAT | O_APPEND, 0600);

    (void)!write(tries, "x", 1);
    close(tries);
    if (access("broken", F_OK) == 0) {
        errno = EIO;
        return -1;
    }
    if (mkdir("held", 0700) == 0)
        while (access("go", F_OK) < 0 && getppid() == parent)
            usleep(1000);
    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

pid_t waitpid(pid_t process, int *status, int options)
{
    static int waits;

    if (options == 0 && ++waits == 1) {
        errno = EINTR;
        return -1;
    }
    if (options == 0)
        close(open("go", O_WRONLY | O_CREAT, 0600));
    return (pid_t)syscall(SYS_wait4, process, status, options, NULL);
}
END
    cc -shared -fPIC -o slow.so slow.c
    ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0 LD_PRELOAD=$PWD/slow.so start \
        env --default-signal=INT "$TINCAN" -q -i 1h --prometheus file "$@" "$ADDRESS" >out 2>err
}

@test "what writes the Prometheus file holds no connection open" {
    serve 'run:touch reached; cat >/dev/null; touch ended'
    start_on_slow_disk -W 15s
    wait_until 60 test -e reached
    printf x >>later
    wait_until 60 test -e held
    printf x >>later # the time is over for the probe
    wait_until 60 test -e ended
}

@test "the last Prometheus file is that of the end, whatever interrupts the wait for the one before" {
    serve 'run:head -c 57; touch reached'
    start_on_slow_disk
    wait_until 60 test -e reached
    printf x >>later
    wait_until 60 test -e held
    printf x >>later
    kill -INT "$STARTED"
    wait "$STARTED"
    wait_until 60 sh -c '! ls .file.* 2>/dev/null'
    run ! grep '^tincan_run_seconds{.*} 1[0-9]\.' file
}

@test "a Prometheus file that can't be written for a while is written later, and that is reported once" {
    local tries=''
    serve 'run:head -c 57; touch reached'
    touch broken go
    start_on_slow_disk
    wait_until 60 test -e reached
    for tries in x xx; do
        printf x >>later
        wait_until 60 grep -sqx "$tries" tries
    done
    rm broken
    printf x >>later
    wait_until 60 test -e file
    touch broken
    kill -INT "$STARTED"
    status=0
    wait "$STARTED" || status=$?
    assert_equal "$status" 2
    run sort -u err
    assert_output "tincan: writing 'file': Input/output error"
    assert_equal "$(wc -l <err)" 2
}

@test "a Prometheus file that can't be written any more is reported, and the status is 2" {
    mkdir folder
    serve echo
    start env --default-signal=INT "$TINCAN" -i 20ms --prometheus folder/file "$ADDRESS" >out 2>err
    wait_until 60 grep -q 'seq=1 ' out
    rmdir folder
    kill -INT "$STARTED"
    status=0
    wait "$STARTED" || status=$?
    assert_equal "$status" 2
    assert_equal "$(<err)" "tincan: writing 'folder/file': No such file or directory"
    grep -q '^[0-9]* sent, ' out
}

@test "a label's quotes and backslashes are escaped" {
    serve --on "unix:$PWD/a\"b\\c" echo
    run "$TINCAN" -q --prometheus file -c 1 "$ADDRESS"
    assert_success
    run "$REPORTS" prometheus file
    assert_success
    assert_line --partial 'a\"b\\c"} 1'
}

@test "a label is UTF-8 even where the address is not" {
    serve --on "unix:$PWD/socket" echo
    ln -s socket a$'\xff'b
    run "$TINCAN" -q --prometheus file -c 1 "unix:$PWD/a"$'\xff'b
    assert_success
    run "$REPORTS" prometheus file
    assert_success
    assert_line --partial '/a\\xffb"} 1'
}

@test "the Prometheus file is replaced as a whole" {
    serve echo
    echo old >file
    ln file same
    run "$TINCAN" -q --prometheus file -c 1 "$ADDRESS"
    assert_success
    assert_equal "$(<same)" old
    "$REPORTS" prometheus file >/dev/null
}

@test "a Prometheus file that can't be written is an error before any probe" {
    mkdir folder
    for path in missing/file folder; do
        run --separate-stderr "$TINCAN" -c 1 --prometheus "$path" 127.0.0.1:1
        assert_failure 2
        assert_output ''
        said "tincan: writing '$path': *"
    done
}

@test "a pipe that nobody reads any more ends it quietly" {
    serve echo
    run --separate-stderr timeout 60 bash -c '"$0" -i 10ms "$1" | head -n 2; exit "${PIPESTATUS[0]}"' \
        "$TINCAN" "$ADDRESS"
    assert_failure 141
    said ''
    run --separate-stderr timeout 60 bash -c \
        'trap "" PIPE; "$0" --json -f --parallel 32 "$1" | head -n 2; exit "${PIPESTATUS[0]}"' "$TINCAN" "$ADDRESS"
    ((status < 2))
    said ''
}

@test "where nobody reads from the start and SIGPIPE is ignored, no probe is made: 1" {
    serve echo
    run timeout 60 python3 -c 'import os, subprocess, sys
reader, writer = os.pipe()
os.close(reader)
sys.exit(subprocess.run(sys.argv[1:], stdout=writer, restore_signals=False).returncode)' \
        "$TINCAN" -c 3 "$ADDRESS"
    assert_failure 1
    assert_output ''
}

@test "a full standard output is an error" {
    serve echo
    run --separate-stderr bash -c '"$0" -c 1 "$1" >/dev/full' "$TINCAN" "$ADDRESS"
    assert_failure 2
    said 'tincan: writing to standard output: No space left on device'
}

@test "a closed standard output is an error" {
    serve echo
    run --separate-stderr bash -c '"$0" -c 1 "$1" >&-' "$TINCAN" "$ADDRESS"
    assert_failure 2
    said 'tincan: writing to standard output: Bad file descriptor'
}

@test "probes are the same in a locale that is not UTF-8" {
    serve echo
    LC_ALL=C run "$TINCAN" -q -c 1 -P utf8 -s 500 "$ADDRESS"
    assert_success
}

# --- the command line ---

@test "each option's wrong value is named" {
    while IFS='|' read -r option value complaint; do
        run --separate-stderr "$TINCAN" "$option" "$value"
        assert_failure 2
        assert_output ''
        said "tincan: $complaint; see tincan --help"
    done <<'END'
-c|0|--count: '0' is not a count from 1 to *
-c|-1|--count: '-1' is not a count from 1 to *
-c|1k|--count: '1k' is not a count from 1 to *
-c||--count: '' is not a count from 1 to *
-c|99999999999999999999|--count: '99999999999999999999' is not a count *
-i|0|--interval: '0' is not a time from 1ms to 1d
-i|999us|--interval: '999us' is not a time from 1ms to 1d
-i|2d|--interval: '2d' is not a time from 1ms to 1d
-i|-1|--interval: '-1' is not a time from 1ms to 1d
-i||--interval: '' is not a time from 1ms to 1d
-i|1x|--interval: '1x' is not a time from 1ms to 1d
-i|inf|--interval: 'inf' is not a time from 1ms to 1d
-W|0|--timeout: '0' is not a time from 1ms to 1d
-w|0|--deadline: '0' is not a time from 1ms to 1d
-s|-1|--size: '-1' is not a size from 0 to 1G
-s|2G|--size: '2G' is not a size from 0 to 1G
-P|latin|--pattern: 'latin' is none of text, ascii, utf8, crlf, iac, random:SEED, file:PATH
-P|random:|--pattern: 'random:' needs a whole number below 2^64 as its seed
-P|random:x|--pattern: 'random:x' needs a whole number below 2^64 as its seed
-P|random:18446744073709551616|--pattern: 'random:18446744073709551616' needs a whole *
-P|file:|--pattern: 'file:' needs the path of a file
--parallel|0|--parallel: '0' is not a number from 1 to 1000000
--sweep|5|--sweep: '5' is not two sizes FROM-TO, *
--sweep|5-5|--sweep: '5-5' is not two sizes FROM-TO, *
--sweep|9-5|--sweep: '9-5' is not two sizes FROM-TO, *
--sweep|1-2G|--sweep: '1-2G' is not two sizes FROM-TO, *
--warning|x|--warning: 'x' is not a range of times up to 1d, in ms unless a unit is given
--critical|-1|--critical: '-1' is not a range of times up to 1d, in ms unless a unit is given
--warning|20:10|--warning: '20:10' is not a range of times *
--warning|:|--warning: ':' is not a range of times *
--warning|@|--warning: '@' is not a range of times *
--warning-loss|0:~|--warning-loss: '0:~' is not a range of shares *
--rate|1000001|--rate: '1000001' is not a number from 1 to 1000000
--warning-loss|101|--warning-loss: '101' is not a range of shares from 0 to 100 percent
--critical-loss|nan|--critical-loss: 'nan' is not a range of shares from 0 to 100 percent
--critical-loss|0x10|--critical-loss: '0x10' is not a range of shares *
--warning-loss|@1e1:2e1%|--warning-loss: '@1e1:2e1%' is not a range of shares *
--critical-loss|5.|--critical-loss: '5.' is not a range of shares *
--critical-loss|5%%|--critical-loss: '5%%' is not a range of shares *
--critical-loss|100.1|--critical-loss: '100.1' is not a range of shares *
--parallel|-5|--parallel: '-5' is not a number from 1 to 1000000
--parallel|1000001|--parallel: '1000001' is not a number from 1 to 1000000
--prometheus||--prometheus: '' is not the path of a file
END
}

@test "--rate goes beyond a thousand probes a second, on a schedule" {
    serve echo
    # Under load all are late, and some are lost, but each is due at its time.
    run "$TINCAN" --json -q --rate 2000 -c 400 "$ADDRESS"
    jq -e '.sent == 400 and .echoed > 0 and .seconds >= 0.1995' <<<"$output"
    "$TINCAN" --json --rate 3 -c 2 "$ADDRESS" >out
    jq -es '[.[] | select(.type == "probe") | .at - .late_ms / 1000] | (.[1] - .[0] - 1/3 | fabs) < 0.002' out
}

@test "--json with -m and nothing more probes once" {
    serve echo
    run -0 timeout 60 "$TINCAN" --json -m 'wörld' "$ADDRESS"
    jq -es 'map(.type) == ["begin", "probe", "summary"] and .[2].echoed == 1' <<<"$output"
}

@test "--diagnose tries each pattern and sizes, and says in one sentence what is wrong" {
    local behaviour status diagnosis
    while IFS='|' read -r behaviour status diagnosis; do
        serve "$behaviour"
        run "-$status" "$TINCAN" -q --diagnose --sweep 1-3000 -W 500ms "$ADDRESS"
        assert_output "--- $ADDRESS ---
$diagnosis"
    done <<'TABLE'
echo|0|text of every kind comes back intact; nothing fails up to 3000 bytes
to-crlf|3|some text is altered (text, ascii, crlf, iac): line endings were rewritten (LF to CRLF); nothing fails up to 3000 bytes
normalize:NFC|3|some text is altered (utf8): its characters were put together (Unicode NFD to NFC); nothing fails up to 3000 bytes
limited:2048|1|text of every kind comes back intact; messages of 2049 bytes and more fail: a round number: it may be the server's limit on messages
shorter:1000|3|text of every kind comes back intact; messages of 1001 bytes and more fail: replies are cut after 1000 bytes
limited:1|1|no text comes back intact: closed: the server accepted the connection and closed it without a reply: it may be at its limit of connections, or it refused the message
reply:x|3|no text comes back intact: altered: the byte at offset 0 was sent as 0x54 and came back as 0x78
silent|1|no text comes back intact: timeout: no whole reply within 0.5 s: 0 of 257 bytes had come back; all bytes sent were delivered (acknowledged)
TABLE
    run -1 "$TINCAN" -q --diagnose "127.0.0.1:$(free_port)"
    assert_output --partial 'no connection: refused: nobody is listening there'
}

@test "--diagnose counts what failed by chance, and does not call that all right" {
    serve echo limited:0 echo limited:0 limited:0 echo
    run -1 "$TINCAN" -q --diagnose --sweep 1-3000 "$ADDRESS"
    assert_line 'text of every kind comes back intact; nothing fails up to 3000 bytes; 3 of 11 tries failed for no reason in the message (closed)'
    serve echo flip:0 echo limited:0 flip:0 echo
    run -3 "$TINCAN" -q --diagnose --sweep 1-3000 "$ADDRESS"
    assert_line 'text of every kind comes back; nothing fails up to 3000 bytes; 1 of 11 tries failed for no reason in the message (closed); 2 of 11 tries came back altered'
    serve echo
    run -0 "$TINCAN" --sweep 1-2 "$ADDRESS"
    assert_line --regexp '^ +1 byte   echoed '
    assert_line --regexp '^ +2 bytes  echoed '
}

@test "--diagnose as JSON has the patterns, then the sizes, and the sentence" {
    serve to-crlf
    run -3 "$TINCAN" --json --diagnose "$ADDRESS"
    jq -es '[.[] | select(.pattern) | [.pattern, .outcome]] == [["text", "altered"], ["ascii", "altered"],
        ["utf8", "echoed"], ["crlf", "altered"], ["iac", "altered"], ["random:1", "echoed"]]
        and ([.[] | select(.type == "size" and (.pattern | not)).size] == [1, 65536])
        and (.[-1].diagnosis | startswith("some text is altered (text, ascii, crlf, iac): line endings"))' <<<"$output"
}

@test "options that contradict each other are refused" {
    local options
    for options in '-f -i 1' '-f --rate 5' '-i 1 --rate 5' '--sweep 1-9 --rate 5' '--diagnose -P text' '--diagnose -m x' '--diagnose -c 3' \
        '--diagnose --check' '-m x --classic' '-c 1 -0' '-c 1 --whole' '-c 1 --connect-first' '-c 1 -m x -s 5' \
        '-c 1 -m x -P ascii' '--sweep 1-9 -m x' '--sweep 1-9 -c 3' '--sweep 1-9 -f' \
        '--sweep 1-9 -i 1' '--sweep 1-9 -s 5' '--sweep 1-9 --parallel 2' '--sweep 1-9 --check' \
        '--sweep 1-9 --prometheus x' '--sweep 1-9 --histogram' '--sweep 1-9 -D' '--diagnose --report-every 1s' '--check --json' \
        '--check --histogram' '--check --report-every 1s' '--check -D' '-c 1 --warning 5' '-c 1 --critical-loss 5' \
        '--check --warning 5 --critical 4' '--check --warning-loss 5 --critical-loss 4'; do
        # shellcheck disable=SC2086 # several
        run "$TINCAN" $options </dev/null
        [[ $options == *--check* ]] && assert_failure 3 || assert_failure 2
        assert_output --partial '; see tincan --help'
    done
}

@test "each topic of help fits a screen" {
    local topic
    for topic in '' =probe =report; do
        run -0 "$TINCAN" "--help$topic"
        (($(wc -l <<<"$output") <= 24))
        run ! grep -E '.{81}' <<<"$output"
    done
    run -0 "$TINCAN" --help=all
    assert_output "$("$TINCAN" --help && echo && "$TINCAN" --help=probe && echo && "$TINCAN" --help=report)"
    run --separate-stderr "$TINCAN" --help=nonsense
    assert_failure 2
    said "tincan: --help: 'nonsense' is not a topic; *"
}
