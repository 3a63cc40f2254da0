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
    : "${PROGRAM:=$(program_of "$1")}"
    PORT=$(free_port)
    if logs_to_syslog "$1"; then
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
    PROGRAM=$TESTS/helpers/marked start_launcher "$1" --
    hands_over "${2:-$1}" "${AT[@]}"
}

# above_limit NAME ROW: what the launcher does with connections above its limit is what the row says.
above_limit() {
    LIMIT=1 start_launcher "$1" --timeout=60s
    run -0 python3 "$TESTS/helpers/at_limit.py" "${AT[@]}"
    in_tables "| $2 | $output |"
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
    above_limit xinetd 'xinetd | `instances = N` | none'
}

@test "launching: openbsd-inetd above its limit" {
    above_limit openbsd-inetd 'openbsd-inetd | `nowait.N` a minute | 256'
}

@test "launching: inetutils-inetd above its limit" {
    above_limit inetutils-inetd 'inetutils-inetd | `nowait.N` a minute | 40'
}

@test "launching: rlinetd above its limit" {
    above_limit rlinetd 'rlinetd | `instances N` | 40'
}

@test "launching: tcpserver above its limit" {
    above_limit tcpserver 'tcpserver | `-c N` | 40'
}

@test "launching: tcpsvd above its limit" {
    above_limit tcpsvd 'tcpsvd | `-c N` | 30'
}

@test "launching: s6-ipcserver above its limit" {
    above_limit s6-ipcserver 's6-ipcserver | `-c N` | 40'
}

@test "launching: socat above its limit" {
    above_limit socat 'socat | `max-children=N` | none'
}

@test "launching: ncat above its limit" {
    above_limit ncat 'ncat | `-m N` | 100'
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
