#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2030,SC2031,SC2154 # what bats and the helpers set
# Probes of many targets in one run.

load helpers/common
load helpers/client_common

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    REPORTS=$TESTS/helpers/probe_reports.py
}

teardown() {
    stop_started
}

# serve_two: an echo server at $GOOD, and at $BAD nobody.
serve_two() {
    serve echo
    GOOD=$ADDRESS
    BAD=127.0.0.1:$(free_port)
}

@test "several targets are probed in turn, spread over the interval, each on its own schedule" {
    need jq
    serve_two
    "$TINCAN" --json -c 3 -i 90ms "$GOOD" "$BAD" "[::1]:${BAD##*:}" >out || true
    # When each was due, in ms after the first, to the nearest 30.
    run jq -sr '[.[] | select(.type == "probe") | {due: (.at * 1000 - .late_ms), seq, target}] | sort_by(.due)
        | .[0].due as $first | .[] | "\(.seq) \(.target) \((.due - $first) / 30 | round * 30)"' out
    assert_output "1 $GOOD 0
1 $BAD 30
1 [::1]:${BAD##*:} 60
2 $GOOD 90
2 $BAD 120
2 [::1]:${BAD##*:} 150
3 $GOOD 180
3 $BAD 210
3 [::1]:${BAD##*:} 240"
    # Each target's objects are those of a run with it alone.
    for target in "$GOOD" "$BAD"; do
        jq -c --arg target "$target" 'select(.target == $target)' out | "$REPORTS" json
    done
}

@test "each target has an aligned line in the end, and why it failed once" {
    serve_two
    run --separate-stderr "$TINCAN" -c 2 -i 10ms "$GOOD" "$BAD" nobody.invalid
    assert_failure 2
    assert_line --index 0 'Probing 3 targets with 56 bytes of text; times in ms'
    assert_line --regexp "^${GOOD} +seq=2 +time=[0-9.]+\$"
    assert_line --regexp "^${BAD} +seq=1 +refused: nobody is listening there"
    assert_line --regexp "^${BAD} +seq=2 +refused\$"
    assert_line --regexp '^nobody\.invalid +seq=1 +unresolved: .*; check the name and the resolver'
    assert_line '6 sent, 2 echoed, 4 lost (66.7 %): 2 unresolved, 2 refused'
    said ''
    run grep -A 3 '^target' <<<"$output"
    assert_line --index 0 --regexp '^target +sent +echoed +lost +loss +min +avg +max$'
    assert_line --index 1 --regexp "^$GOOD +2 +2 +0 +0\\.0 %( +[0-9]+\\.[0-9]{3}){3}\$"
    assert_line --index 2 --regexp "^$BAD +2 +0 +2 +100\\.0 % refused\$"
    assert_line --index 3 --regexp '^nobody\.invalid +2 +0 +2 +100\.0 % unresolved$'
    run ! grep -E '.{81}' <<<"$(grep -A 3 '^target' <<<"$output")"
}

@test "a name beyond ASCII is aligned by its characters" {
    LC_ALL=C.UTF-8 run "$TINCAN" -q -c 1 unix:/äöü unix:/abcd
    assert_line --regexp '^unix:/äöü {7}1 {6}0 '
    assert_line --regexp '^unix:/abcd {6}1 {6}0 '
    # Or by the bytes that are shown instead.
    run env LC_ALL=C "$TINCAN" -c 1 unix:/ü unix:/abcd
    assert_line --regexp '^unix:/.xc3.xbc seq=1 '
    assert_line --regexp '^unix:/abcd     seq=1 '
    run env LC_ALL=C.UTF-8 "$TINCAN" -q -c 1 $'unix:/ü\x01\xff' unix:/abcd
    assert_line --regexp '^unix:/ü.x01.xff {6}1 {6}0 '
    assert_line --regexp '^unix:/abcd {11}1 {6}0 '
}

@test "a name that is too long for the table has its counts behind it" {
    local long
    long=unix:/$(printf 'x%.0s' {1..60})
    run "$TINCAN" -q -c 1 "$long" unix:/y
    assert_line --regexp "^$long {6}1 {6}0 "
    assert_line --regexp '^unix:/y {25}1 {6}0 '
}

@test "--report-every and Ctrl-\\ have a line for each target" {
    serve_two
    start env --default-signal=INT,QUIT "$TINCAN" -i 200ms --report-every 500ms "$GOOD" "$BAD" >out
    wait_until 60 grep -qxE 'last [0-9.]+ s:' out
    kill -QUIT "$STARTED"
    wait_until 60 grep -qx -- '--- 2 targets ---' out
    kill -INT "$STARTED"
    wait "$STARTED" || true
    assert [ "$(grep -c '^target ' out)" -ge 3 ]
    assert_equal "$(grep -A 2 -m 1 '^target ' out | grep -cE "^($GOOD +[0-9]+ +[0-9]+ +0|$BAD +[0-9]+ +0) ")" 2
}

@test "the plugin's verdict is the worst of the targets, each of which has its values and says why" {
    serve_two
    run "$TINCAN" --check -c 2 -i 10ms "$GOOD" "$GOOD#x" "$BAD"
    assert_failure 3 # a wrong address is no finding
    run "$TINCAN" --check -c 2 -i 10ms "$GOOD" "$BAD"
    assert_failure 2
    assert_line --index 0 --partial "TINCAN CRITICAL - 1 of 2 targets OK; the worst: 0 of 2 echoed by $BAD; refused: "
    assert_line --index 0 --partial "'$GOOD loss'=0%;0;;0;100 "
    assert_line --index 0 --partial "'$BAD time'=U;;;0; '$BAD loss'=100%;0;;0;100"
    assert_line --index 1 --partial "CRITICAL - 0 of 2 echoed by $BAD; refused: "
    assert_equal "${#lines[@]}" 2
    head -n 1 <<<"$output" | "$REPORTS" plugin
    # A target has the name that it was given.
    run "$TINCAN" -4 --check -c 1 "$GOOD" "localhost:${BAD##*:}"
    assert_line --index 1 --partial "CRITICAL - 0 of 1 echoed by localhost:${BAD##*:}; refused: "
    # A warning is worse than an unknown state, and less than a critical one.
    serve late:1
    # Nothing can go to this one without the name of an interface.
    run "$TINCAN" --check -c 2 -i 10ms "$GOOD" '[fe80::1]:4040'
    assert_failure 3
    assert_line --index 0 --partial 'TINCAN UNKNOWN - 1 of 2 targets OK; the worst: 0 of 2 echoed by [fe80::1]:4040; local error: '
    run "$TINCAN" --check --warning 500ms -c 2 -i 10ms -W 20s '[fe80::1]:4040' "$GOOD" "$ADDRESS"
    assert_failure 1
    assert_line --index 0 --partial "TINCAN WARNING - 1 of 3 targets OK; the worst: 2 of 2 echoed by $ADDRESS in "
    run "$TINCAN" --check --warning 500ms -c 2 -i 10ms -W 20s "$GOOD" "$ADDRESS"
    assert_failure 1
    assert_output --partial "TINCAN WARNING - 1 of 2 targets OK; the worst: 2 of 2 echoed by $ADDRESS in "
    run "$TINCAN" -4 --check -c 2 -i 10ms "$GOOD" "localhost:${GOOD##*:}"
    assert_success
    assert_output --regexp '^TINCAN OK - 2 of 2 targets OK \| [^|]+$'
}

@test "each report has the same counts for each target" {
    need jq
    serve_two
    serve flip:3 echo flip:3 echo flip:3 echo
    local target report
    for report in --json --check --quiet; do
        "$TINCAN" $report --prometheus "out$report.prom" -c 2 -i 50ms "$GOOD" "$BAD" "$ADDRESS" nobody.invalid \
            >"out$report" 2>err || true
        "$REPORTS" prometheus "out$report.prom" >/dev/null
    done
    for target in "$GOOD" "$BAD" "$ADDRESS" nobody.invalid; do
        jq -r --arg target "$target" 'select(.type == "summary" and .target == $target)
            | .outcomes | to_entries[] | "\(.key) \(.value)"' out--json | sort >json
        for report in --json --check --quiet; do
            sed -n "s/^tincan_probes_total{target=\"${target//[.[\]]/\\&}\",outcome=\"\(.*\)\"} \([^0].*\)/\1 \2/p" \
                "out$report.prom" | sort | diff json -
        done
        case $target in
        "$GOOD") run ! grep "^[A-Z]* - .*by $target" out--check ;;
        *) grep -q "^CRITICAL - $(($(sed -n 's/^echoed //p' json) + 0)) of 2 echoed by $target" out--check ;;
        esac
        grep -qE "^$target +[12] +$(($(sed -n 's/^echoed //p' json) + 0)) " out--quiet
    done
}

@test "a file of targets has comments, blank lines, either kind of line end, and each target once" {
    serve_two
    printf '\xef\xbb\xbf%s\n' '# all of them' >list
    printf '%s\n' '' "$GOOD # the good one" "  $BAD"$'\t\r' $'\r' "$GOOD"$'\r' >>list
    printf '%s' "# not $BAD" $'\n' "localhost:${GOOD##*:}" >>list
    for from in list -; do
        run --separate-stderr "$TINCAN" -4 -q -c 1 --targets "$from" "$GOOD" <list
        assert_failure 1
        said ''
        assert_line '--- 3 targets ---'
        assert_line '3 sent, 2 echoed, 1 lost (33.3 %): 1 refused'
        assert_line --regexp "^$BAD +first at seq=1: refused: nobody is listening there"
    done
}

@test "what is no address in a file of targets is a target that fails, and the others are probed" {
    serve_two
    printf '%s\n' "$GOOD" 'two words:x' "$(head -c 300 /dev/zero | tr '\0' x)" $'\xff\x01' 'unix:' >list
    printf 'a\0b\n%s' "localhost:${GOOD##*:}" >>list
    run --separate-stderr "$TINCAN" -4 -q -c 1 --targets list
    assert_failure 2
    assert_line --partial '7 sent, 2 echoed, 5 lost (71.4 %): 5 unresolved'
    said "*tincan: the address 'two words:x': 'two words' has a blank*"
    # It is not sent, and so not unfinished.
    printf '%s\n' "$GOOD" 'two words:x' >short
    run "$TINCAN" -q -c 3 -i 10ms --targets short
    assert_line '4 sent, 3 echoed, 1 lost (25.0 %): 1 unresolved'
    run --separate-stderr "$TINCAN" -4 --check -c 1 --targets list
    assert_failure 2
    assert_output --partial 'TINCAN CRITICAL - 2 of 7 targets OK; the worst: '
    said ''
}

@test "targets come from a standard input that does not block, when they come" {
    python3 - >out <<'END'
import fcntl, os, struct, subprocess, termios
reading, writing = os.pipe()
os.set_blocking(reading, False)
client = subprocess.Popen([os.environ["TINCAN"], "-q", "-c", "1", "--targets", "-"], stdin=reading)
for line in (b"127.0.0.1:1\n127.0.", b"0.2:1\n"):
    os.write(writing, line)
    while client.poll() is None and struct.unpack("i", fcntl.ioctl(reading, termios.FIONREAD, b"    "))[0]:
        pass
os.close(writing)
assert client.wait() == 1
END
    grep -qx '2 sent, 0 echoed, 2 lost (100.0 %): 2 refused' out
}

@test "a line of a list of targets without end is a target that fails, but not if it ends with a comment" {
    {
        printf '127.0.0.1:1 #%s\n127.0.0.2:1%*s\n' "$(head -c 100000 /dev/zero | tr '\0' x)" 100000 x
        head -c 100M /dev/zero | tr '\0' x
        printf '\n127.0.0.3:1'
    } >list
    run "$TINCAN" -4 -q -c 1 --targets list
    assert_failure 2
    assert_line --partial '4 sent, 0 echoed, 4 lost (100.0 %): 2 unresolved, 2 refused'
}

@test "a list of targets that can't be read, or has none, is refused with the reason" {
    : >empty
    printf '# nothing\n\n' >comment
    local file why
    while read -r file why; do
        run --separate-stderr "$TINCAN" -c 1 --targets "$file"
        assert_failure 2
        said "tincan: $why"
        run "$TINCAN" --check --targets "$file"
        assert_failure 3
        assert_output "TINCAN UNKNOWN - $why"
    done <<'END'
/etc reading targets from /etc: Is a directory
missing reading targets from missing: No such file or directory
empty there is no target in empty
comment there is no target in comment
END
    run -2 "$TINCAN" --targets ''
    run -2 "$TINCAN" --targets=- </dev/null
    assert_output 'tincan: there is no target in standard input'
}

@test "several addresses are for probes only, and what is for one target is refused" {
    local option
    run -2 "$TINCAN" -m x one two
    assert_output --partial "there can be one address only; the second is 'two'"
    run -2 "$TINCAN" -c 1 one two 4040
    assert_output --partial "'4040' is no address; for a port write one:4040"
    for option in --flood --diagnose --sweep=1-2 --histogram; do
        run -2 "$TINCAN" $option one two
        assert_output --partial "--diagnose, --flood, --histogram and --sweep are for one target only"
        run -2 "$TINCAN" $option --all-addresses one
    done
    run -2 "$TINCAN" -c 1 -4 127.0.0.1 ::1
    assert_output --partial "::1 is an IPv6 address, which --ipv4 excludes"
    echo '[::1]:9' >list
    run "$TINCAN" -6 -q -c 1 --targets list
    assert_line '1 sent, 0 echoed, 1 lost (100.0 %): 1 refused'
}

@test "--all-addresses probes each address of a name as a target of its own" {
    need jq
    unshare -m true 2>/dev/null || skip "no mount namespace can be made here: that takes CAP_SYS_ADMIN"
    serve --on 127.0.0.2 echo
    local port=${ADDRESS##*:}
    printf '127.0.0.2 two.test\n127.0.0.3 two.test\n127.0.0.2 one.test\n' >hosts
    run --separate-stderr unshare -m sh -c 'mount --bind hosts /etc/hosts; exec "$@"' - \
        "$TINCAN" -c 2 -i 10ms --all-addresses "two.test:$port" "127.0.0.3:$port" "one.test:$port"
    assert_failure 1
    assert_line '--- 2 targets ---'
    assert_line --regexp "^127\.0\.0\.2:$port +2 +2 +0 "
    assert_line --regexp "^127\.0\.0\.3:$port +2 +0 +2 +100\.0 % refused"
    said ''
    # Both were found by one question, which took what it took.
    unshare -m sh -c 'mount --bind hosts /etc/hosts; exec "$@"' - \
        "$TINCAN" --json -c 1 --all-addresses "two.test:$port" >out || true
    run jq -s '[.[] | select(.type == "begin") | .resolve_ms] | length, (unique | length)' out
    assert_output $'2\n1'
}

@test "a target that does not answer delays no other, and its outage has its name" {
    need jq
    serve_two
    serve silent
    "$TINCAN" --json -c 20 -i 100ms -W 1s "$GOOD" "$ADDRESS" >out || true
    assert_equal "$(jq -s --arg target "$GOOD" '[.[] | select(.type == "probe" and .target == $target
        and .outcome == "echoed")] | length' out)" 20
    serve silent silent echo
    run "$TINCAN" -c 3 -i 100ms -W 1s "$GOOD" "$ADDRESS"
    assert_line --regexp "^$ADDRESS +1 outage:\$"
    assert_line --regexp "^$ADDRESS .* down 0.2 s, probes 1 to 2\$"
    refute_line --regexp "^$GOOD .*outage"
}

# with_silent_resolver SOURCES COMMAND...: runs it, as milliseconds() does, where names are looked up in
# SOURCES of nsswitch.conf(5): those of the file hosts, and of a resolver that takes questions and never
# answers, but sends the next of $SIGNALS.
with_silent_resolver() {
    local file
    need_own_network
    for file in hosts resolv.conf nsswitch.conf; do
        [ -e "/etc/$file" ] || skip "there is no /etc/$file to put another one over"
    done
    printf 'nameserver 127.0.0.1\n' >resolv.conf
    printf 'hosts: %s\n' "$1" >nsswitch.conf
    cat >silent.py <<'END'
import os, signal, socket, subprocess, sys
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
server.settimeout(60)
client = subprocess.Popen(["env", "--default-signal"] + sys.argv[1:])
for name in os.environ.get("SIGNALS", "").split():
    server.recv(512)
    client.send_signal(signal.Signals[name])
sys.exit(client.wait())
END
    milliseconds unshare -m -n sh -c 'ip link set lo up
        for file in hosts resolv.conf nsswitch.conf; do
            mount --bind "$file" "/etc/$file"
        done
        exec python3 silent.py "$@"' - "${@:2}"
}

@test "many names are asked for at the same time, and an endless resolver is waited for once" {
    : >hosts
    printf 'name%d.test\n' {1..500} >list
    with_silent_resolver dns "$TINCAN" -q -c 1 -W 1s --targets list
    assert_failure 2
    assert_line --regexp '^name500.test +first at seq=1: unresolved: no answer from the resolver within 1 s; '
    assert_line --partial '500 sent, 0 echoed, 500 lost (100.0 %): 500 unresolved'
    took_about 1000
}

@test "a signal ends the search for addresses with a sentence, and SIGQUIT waits for its end" {
    within_time
    : >hosts
    printf 'name%d.test\n' {1..500} >list
    SIGNALS='SIGQUIT SIGINT' with_silent_resolver dns "$TINCAN" -c 1 slow.test
    assert_failure 1
    assert_output ''
    said 'tincan: interrupted while finding the address of slow.test'
    took_about 0
    SIGNALS=SIGTERM with_silent_resolver dns "$TINCAN" --check --targets list
    assert_failure 3
    assert_output 'TINCAN UNKNOWN - interrupted while finding the address of each target'
    said ''
    took_about 0
    SIGNALS=SIGQUIT with_silent_resolver dns "$TINCAN" -q -c 1 -W 1s slow.test 127.0.0.1:9
    assert_failure 2
    (($(grep -c '^--- 2 targets ---' <<<"$output") == 2))
}

@test "live names are found behind those for which the resolver does not answer" {
    printf '127.0.0.1 live%d.test\n' {1..100} >hosts
    printf 'dead%d.test\n' {1..40} >list
    printf 'live%d.test:9\n' {1..100} >>list
    with_silent_resolver 'files dns' "$TINCAN" -q -c 1 -W 4s --targets list
    assert_line '140 sent, 0 echoed, 140 lost (100.0 %): 40 unresolved, 100 refused'
    # What needs no resolver does not wait for it, also where all questions that may be asked at once are
    # without an answer until the time is over.
    printf 'dead%d.test\n' {1..70} >list
    printf '127.0.0.1:%d\n' {1..10} >>list
    with_silent_resolver 'files dns' "$TINCAN" -q -c 1 -W 1s --targets list
    assert_line '80 sent, 0 echoed, 80 lost (100.0 %): 70 unresolved, 10 refused'
    # Few descriptors are no reason to find none.
    need prlimit
    printf 'live%d.test:9\n' {1..100} >list
    with_silent_resolver files prlimit --nofile=30:30 "$TINCAN" -q -c 1 --targets list
    assert_line '100 sent, 0 echoed, 100 lost (100.0 %): 100 refused'
}

# has_lines COUNT FILE: so many at least.
has_lines() {
    [ "$(wc -l <"$2")" -ge "$1" ]
}

# bats test_tags=limits
@test "many targets take little memory, and no more of it later" {
    [ -x "$TINCAND" ] || skip "tincand is not built"
    local port early late
    port=$(free_port 0.0.0.0)
    seq -f "127.0.1.%g:$port" 250 >list
    seq -f "127.0.2.%g:$port" 250 >>list
    start "$TINCAND" --quiet --listen="0.0.0.0:$port"
    wait_until 10 "$TINCAN" -q -m '' "127.0.0.1:$port" 2>/dev/null
    start "$TINCAN" -c 50 -i 300ms --targets list >lines
    wait_until 20 has_lines 1000 lines
    early=$(resident "$STARTED")
    wait_until 100 has_lines 22000 lines
    late=$(resident "$STARTED")
    echo "$early and $late kilobytes"
    assert [ "$early" -lt 60000 ]
    # On a busy machine more probes may run at a time later on: that is no leak of 400 bytes a probe.
    assert [ "$late" -lt $((early + early / 5)) ]
}

# resident PROCESS: its memory in kilobytes.
resident() {
    sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$1/status"
}

# bats test_tags=long
@test "counters go on when the list of targets is another, and its file is as large as it needs be" {
    serve_two
    python3 -c 'for n in range(3000): print(f"127.8.{n // 250}.{n % 250 + 1}:9")' >list
    "$TINCAN" -q -c 1 --targets list --prometheus metrics >/dev/null || true
    tac list | sed 'p; s/127.8/127.9/' >other
    run -1 timeout 100 "$TINCAN" -q -c 1 --targets other --prometheus metrics
    "$REPORTS" prometheus metrics >samples
    assert_equal "$(grep -c 'outcome="refused"} 2$' samples)" 3000
    assert_equal "$(grep -c 'outcome="refused"} 1$' samples)" 3000
    # What is no address spoils nothing for the others.
    printf '%s\n' "$GOOD" $'\xff' $'\xfe' "$(head -c 3000 /dev/zero | tr '\0' x)" 'a "b" \ c:d' >list
    run "$TINCAN" -q -c 1 --targets list --prometheus odd
    "$REPORTS" prometheus odd >samples
    assert_equal "$(grep -c '^tincan_success{target=' samples)" 5
    run "$TINCAN" --check -c 1 --targets list
    head -n 1 <<<"$output" | "$REPORTS" plugin
}

@test "targets whose names are not UTF-8 stay apart in each report" {
    need jq
    run "$TINCAN" -q -c 1 --json --prometheus file $'unix:./\xff' $'unix:./\xfe' unix:./ü
    jq -es 'map(.target) == ["unix:./\\xff", "unix:./\\xfe", "unix:./ü"]' <<<"$output"
    "$REPORTS" prometheus file >samples
    assert_equal "$(grep -F 'tincan_success{' samples)" 'tincan_success{target="unix:./\\xff"} 0
tincan_success{target="unix:./\\xfe"} 0
tincan_success{target="unix:./ü"} 0'
}

@test "what has no result is no success: a target with unfinished probes says so" {
    serve silent
    run "$TINCAN" -q -w 300ms -c 2 -i 100ms "$ADDRESS" "127.0.0.1:$(free_port)"
    assert_line --regexp "^$ADDRESS +2 +0 +0 +- 2 unfinished\$"
}

# bats test_tags=long
@test "ten thousand targets, with duplicates, comments and nonsense among them" {
    need_descriptors 4096
    serve --on 0.0.0.0 echo
    local port=${ADDRESS##*:}
    python3 - "$port" >list <<'END'
import sys
for number in range(9000):
    print(f"127.{number % 7}.{number // 250}.{number % 250 + 1}:{sys.argv[1]}", end=("\r\n", "\n")[number % 2])
    if number % 10 == 0:
        print("# a comment\n\n", f"127.0.0.1:{sys.argv[1]}", sep="")
    if number % 90 == 0:
        print("nonsense number", number, ": here")
END
    run --separate-stderr timeout 300 "$TINCAN" -q -c 1 -i 10s -W 2m --targets list
    assert_failure 2
    assert_line '--- 9100 targets ---'
    assert_line --regexp '^9100 sent, [5-9][0-9]{3} echoed, .*: 100 unresolved'
    assert_equal "$(grep -cE '^(127\.|nonsense).* +1 +[01] +[01] +[0-9.]+ %' <<<"$output")" 9100
}

@test "a name that is not resolved is down, as an address that does not answer is" {
    serve echo
    run "$TINCAN" --json -c 3 -i 10ms no-such-host.invalid "$ADDRESS"
    assert_failure 2
    jq -es '.[-2:] | map([.outages[] | [.first, .last]]) == [[[1, 3]], []]' <<<"$output"
}
