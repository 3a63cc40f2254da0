#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What units/LAUNCHING.md says of launchers other than systemd itself (see tests/systemd/launching.bats),
# and its service. A test that fails shows the row of the table as it would be right.

load helpers/common
load helpers/launchers
load helpers/launching

setup() {
    export RING=$BATS_TEST_TMPDIR
}

teardown() {
    stop_ring
}

# need_versions_of_page: other versions of the launchers may have other habits.
need_versions_of_page() {
    # shellcheck source=/dev/null
    [[ $(. /etc/os-release && echo "$ID ${VERSION_ID-}") == debian\ 1[23] ]] ||
        skip "the tables are of the launchers in Debian 12 and 13"
}

# start_launcher NAME [OPTION]...: its address is in AT.
start_launcher() {
    local problem
    export LAUNCHER=$1
    problem=$(ring_problem)
    [ -z "$problem" ] || skip "$problem"
    need_versions_of_page
    : >"$RING/log"
    # shellcheck disable=SC2034 # for become_*
    PROGRAM=${STARTER:-$(program_of "$1")}
    PORT=$(free_port)
    if logs_to_syslog "$1" && [ ! -S "$RING/dev-log" ]; then
        start python3 "$TESTS/helpers/syslog_sink.py" "$RING/dev-log" "$RING/log"
        wait_until 20 [ -S "$RING/dev-log" ]
    fi
    start into_log "become_$1" "$PORT" "${@:2}"
    if [ "$1" = s6-ipcserver ]; then
        AT=("$RING/socket.$PORT")
        wait_until 20 listening_at_path "${AT[0]}"
    else
        AT=(127.0.0.1 "$PORT")
        wait_until 20 listening "$PORT"
    fi
}

# row_of NAME [ROW]: the launcher starts handover.c, and that reports what the rows of the tables say.
row_of() {
    export MARKED_PROGRAM TINCAND
    HANDLER=$TINCAN_BUILD/tests/handover TINCAND=$HANDLER
    MARKED_PROGRAM=$(program_of "$1") || true
    STARTER=$TESTS/helpers/marked start_launcher "$1" --
    hands_over "${2:-$1}" "${AT[@]}"
}

# above_limit NAME SETTING DEFAULT: what the launcher does with connections above its limit is what the
# row says, and so is how many it allows where that is not set: `none` is shown for more than 60. Of two
# starts or more, openbsd-inetd allows one less.
above_limit() {
    local number=$3 above
    LIMIT=1 start_launcher "$1" --timeout=60s
    run -0 python3 "$TESTS/helpers/at_limit.py" 1 "${AT[@]}"
    in_tables "| $1 | $2 | $3 | $output |"
    above=$output
    case $3 in
    none | 'more than 60') number=60 above=served ;;
    256) number=255 ;;
    esac
    LIMIT=default start_launcher "$1" --timeout=60s
    run -0 python3 "$TESTS/helpers/at_limit.py" "$number" "${AT[@]}"
    assert_output "$above"
}

# above_limit_of_one NAME: the launcher closes the second connection of one user or address.
above_limit_of_one() {
    OF_ONE=1 start_launcher "$1" --timeout=60s
    run -0 python3 "$TESTS/helpers/at_limit.py" 1 "${AT[@]}"
    assert_output closed
}

@test "launching: what systemd-socket-activate --accept --inetd hands over" {
    row_of systemd-inetd 'systemd-socket-activate --accept --inetd'
}

@test "launching: what systemd-socket-activate --accept hands over" {
    row_of systemd-native 'systemd-socket-activate --accept'
}

@test "launching: what systemd-socket-activate hands over when it does not accept" {
    row_of tincand-systemd systemd-socket-activate
}

@test "launching: what xinetd hands over" {
    row_of xinetd
}

@test "launching: what xinetd hands over with wait = yes" {
    row_of tincand-xinetd 'xinetd, wait = yes'
}

@test "launching: what openbsd-inetd hands over" {
    row_of openbsd-inetd
}

@test "launching: what openbsd-inetd hands over with wait" {
    row_of tincand-openbsd-inetd 'openbsd-inetd, wait'
}

@test "launching: what inetutils-inetd hands over" {
    row_of inetutils-inetd
}

@test "launching: what inetutils-inetd hands over with wait" {
    row_of tincand-inetutils-inetd 'inetutils-inetd, wait'
}

@test "launching: what rlinetd hands over" {
    row_of rlinetd
}

@test "launching: what tcpserver hands over" {
    row_of tcpserver
}

@test "launching: what tcpsvd hands over" {
    row_of tcpsvd
}

@test "launching: what s6-ipcserver hands over" {
    row_of s6-ipcserver
}

socat_version() {
    socat -V | sed -n 's/^socat version \([0-9]*\.[0-9]*\).*/\1/p'
}

@test "launching: what socat hands over" {
    need socat
    row_of socat "socat $(socat_version)"
}

@test "launching: what socat hands over with nofork" {
    need socat
    row_of socat-nofork "socat $(socat_version), nofork"
}

@test "launching: what ncat hands over" {
    row_of ncat
}

@test "launching: xinetd above its limit" {
    above_limit xinetd '`instances = N`' none
}

@test "launching: openbsd-inetd above its limit" {
    above_limit openbsd-inetd '`nowait.N` a minute' 256
}

@test "launching: inetutils-inetd above its limit" {
    above_limit inetutils-inetd '`nowait.N` a minute' 'more than 60'
}

@test "launching: rlinetd above its limit" {
    above_limit rlinetd '`instances N`' 40
}

@test "launching: tcpserver above its limit" {
    above_limit tcpserver '`-c N`' 40
}

@test "launching: tcpsvd above its limit" {
    above_limit tcpsvd '`-c N`' 30
}

@test "launching: s6-ipcserver above its limit" {
    above_limit s6-ipcserver '`-c N`' 40
}

@test "launching: socat above its limit" {
    above_limit socat '`max-children=N`' none
}

@test "launching: ncat above its limit" {
    above_limit ncat '`-m N`' 100
}

@test "launching: with pipes,stderr socat passes standard error on to the peer, unless it is --quiet" {
    need socat
    local option port peer
    for option in '' --quiet; do
        # socat keeps the handler's ends of the pipes open, and at times misses that it has ended.
        for _ in 1 2 3; do
            port=$(free_port)
            start socat "TCP-LISTEN:$port,bind=127.0.0.1,reuseaddr" "EXEC:$HANDLER${option:+ $option},pipes,stderr"
            wait_until 20 listening "$port"
            exec {peer}<>"/dev/tcp/127.0.0.1/$port"
            printf 'hello\0' >&"$peer"
            run timeout 20 tr '\0' '\n' <&"$peer"
            exec {peer}>&-
            ((status == 124)) || break
        done
        assert_success
        assert_line --index 0 hello
        if [ -z "$option" ]; then
            assert_line --partial 'result=echoed'
        else
            assert_output hello
        fi
    done
}

@test "launching: xinetd, s6-ipcserver and tcpsvd limit one user or address, where that is set" {
    above_limit_of_one xinetd
    above_limit_of_one s6-ipcserver
    above_limit_of_one tcpsvd
}

@test "launching: xinetd stops the service for 10 s above 50 connections a second, unless cps is set" {
    within_time # it counts those of a second
    XINETD_RATE='' start_launcher xinetd --timeout=60s
    run -0 python3 - "${AT[@]}" <<'SCRIPT'
import socket, sys
served = []
try:
    while len(served) < 1000:
        served.append(socket.create_connection((sys.argv[1], int(sys.argv[2])), 20))
except ConnectionRefusedError:
    pass
replies = 0
for connection in served:
    try:
        connection.sendall(b"hello\0")
        replies += connection.recv(100) == b"hello\0"
    except OSError:
        pass
print(replies)
SCRIPT
    assert [ "$output" -ge 50 ]
    assert [ "$output" -lt 100 ]
    wait_until 20 grep -q 'Restarting in 10 seconds' "$RING/log"
}

@test "launching: inetutils-inetd sleeps for a second when a service ends meanwhile" {
    start_launcher inetutils-inetd
    local began=$EPOCHREALTIME
    for _ in 1 2 3; do
        # shellcheck disable=SC2153 # the client
        run -0 "$TINCAN" -W 60s -m hello "${AT[0]}:${AT[1]}"
    done
    assert [ $((${EPOCHREALTIME/./} - ${began/./})) -ge 1500000 ]
}

@test "launching: the manuals of the inetds say that the service is off for ten minutes" {
    local name manual
    for name in openbsd-inetd inetutils-inetd; do
        # shellcheck disable=SC2153
        manual=$(echo "$LAUNCHERS/$name"/usr/share/man/man8/*inetd.8.gz)
        [ -e "$manual" ] || skip "$name is not there with its manual; tests/helpers/fetch-launchers gets it"
        run -0 zcat "$manual"
        assert_output --regexp 'ten[[:space:]]+minutes|10[[:space:]]+minutes'
    done
}

# asks_for_names OPTIONS PORT...: before tcpserver with these options starts the service, it asks servers
# on these ports, and no others. Where it asks the DNS it fails at once: that is a broadcast address.
asks_for_names() {
    local -x DNSCACHEIP=255.255.255.255 TCPSERVER_NAMES=$1
    rm -f "$RING/trace"
    STARTER=$RING/traced start_launcher tcpserver
    run -0 "$TINCAN" -W 60s -m hello "${AT[0]}:${AT[1]}"
    stop_ring
    assert_equal "$(sed -nE '/execve\("[^"]*tincan-handler"/q; s/.*htons\((53|113)\).*/\1/p' "$RING/trace" |
        sort -u | xargs)" "${*:2}"
}

# bats test_tags=sandbox
@test "launching: tcpserver asks the DNS and the ident server first, unless it has -H -R -l 0" {
    need_tracer
    printf '#!/bin/sh\nexec strace -f -o %q -e trace=connect,sendto,execve tcpserver "$@"\n' "$RING/trace" >"$RING/traced"
    chmod +x "$RING/traced"
    asks_for_names '' 113 53
    asks_for_names '-H -l 0' 113
    asks_for_names '-R -l 0' 53
    asks_for_names '-H -R' 53
    asks_for_names '-H -R -l 0'
}

# bats test_tags=limits
@test "launching: a silent handler takes 50 to 100 KiB, as the README and inetd's line say" {
    [ "$(getconf PAGESIZE)" -eq 4096 ] && grep -q musl-gcc "$TINCAN_BUILD/HANDLER_COMPILE.command" ||
        skip "that is said of a handler that is linked with musl, and of pages of 4 KiB"
    [ "$(id -u)" -eq 0 ] || skip "only root can look into a process that can't be traced"
    grep -q '| milliseconds of systemd.s time, and 100 KiB |' "${TESTS%/*}/README.md"
    grep -q 'takes about 100 KiB' "${TESTS%/*}/units/inetd/tincan.conf.in"
    run -0 python3 - <<'SCRIPT'
import fcntl, os, re, socket, subprocess, termios, time
ours, its = socket.socketpair()
with subprocess.Popen([os.environ["HANDLER"]], stdin=its, stdout=its, stderr=subprocess.DEVNULL) as handler, ours:
    its.close()
    ours.send(b"h")
    while fcntl.ioctl(ours, termios.TIOCOUTQ, b"\0\0\0\0") != b"\0\0\0\0":
        time.sleep(0.01)  # until it has read that
    about = "".join(open(f"/proc/{handler.pid}/{name}").read() for name in ("status", "smaps_rollup"))
# Of its own, page tables, and the 16 KiB of its stack in the kernel.
print(16 + sum(int(size) for size in re.findall(r"^(?:Anonymous|VmPTE):\s*(\d+) kB", about, re.M)))
SCRIPT
    assert [ "$output" -ge 50 ]
    assert [ "$output" -le 100 ]
}

@test "launching: the tests that the page names are there" {
    run -0 python3 "$TESTS/helpers/named_tests.py" "$LAUNCHING" "$TESTS" 20
    assert_output ''
}

# capitals [SPAWN-OPTION]...: what the page's service does, as spawn.py shows it.
capitals() {
    run python3 "$TESTS/helpers/spawn.py" "$@" -- "$BATS_TEST_TMPDIR/capitals"
}

@test "launching: the page's service is held by none of the traps that it names" {
    need cc
    within_time # of the inherited timer, to cancel it
    sed -n '/^```c$/,/^```$/p' "$LAUNCHING" | grep -v '^```' >"$BATS_TEST_TMPDIR/capitals.c"
    cc -Wall -Wextra -Wconversion -Werror -O2 -D_GNU_SOURCE -DSECONDS=1 \
        -o "$BATS_TEST_TMPDIR/capitals" "$BATS_TEST_TMPDIR/capitals.c"
    local situation
    for situation in '' '--at 3' '--stderr connection' '--stderr closed' '--nonblock --pause 0.2' \
        '--sigpipe ignored' '--inherit-timer 0.1 --pause 0.3'; do
        # shellcheck disable=SC2086 # options
        capitals $situation --send 'hello\nmore'
        assert_line status=0
        assert_line 'reply=HELLO\n'
        assert_line end=eof
    done
    for situation in --block-signals --ignore-signals '--stderr connection'; do
        # shellcheck disable=SC2086
        capitals $situation --send hello
        assert_line status=65
        assert_line reply=
    done
    capitals --stderr connection --send "$(printf 'x%.0s' {1..600})"
    assert_line status=65
    assert_line reply=
    capitals --reset
    assert_line status=65
    run -64 bash -c 'exec "$1" <&-' - "$BATS_TEST_TMPDIR/capitals"
}
