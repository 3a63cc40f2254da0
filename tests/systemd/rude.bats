# SPDX-License-Identifier: MIT
# What is the peer's fault never looks like a failure of the service, and what is a failure does.

setup() {
    load common
    fresh
    # A failed instance is gone at once; what it can still do is raise an alarm.
    mkdir -p /run/systemd/system
    printf '[Service]\nExecStart=touch /run/tincan-alarm\n' >/run/systemd/system/tincan-alarm.service
    rm -f /run/tincan-alarm
    mkdir -p "$CONFIGURED/tincan@.service.d"
    printf '[Unit]\nOnFailure=tincan-alarm.service\n' >"$CONFIGURED/tincan@.service.d/alarm.conf"
    systemctl daemon-reload
}

teardown() {
    restore
    rm -f /run/systemd/system/tincan-alarm.service
}

# in_journal WORDS: the journal has these words. Not all of it is filed under an instance: the journal
# can't ask a process of systemd that failed to become the handler, and has gone, for its unit.
in_journal() {
    journal -o cat | grep -qF -e "$1"
}

# assert_failed WORDS: an instance has failed, with these words in the journal; the socket has not.
assert_failed() {
    wait_until 20 [ -e /run/tincan-alarm ]
    assert [ "$(instance_failures)" -ge 1 ]
    wait_until 20 in_journal "$1"
    wait_until 30 no_instances
    run -0 systemctl is-active tincan.socket
    restore
    run -0 "$TINCAN" -m hello 127.0.0.1
    assert_output hello
}

# in_its_place BUILD [SETTING]: this build takes the place of the handler.
in_its_place() {
    local build=/usr/lib/tincan-tests/$1
    [ -x "$build" ] || skip "$1 is not built"
    printf '[Service]\nBindReadOnlyPaths=%s:/usr/sbin/tincan-handler\n%s\n' "$build" "${2:-}" |
        drop_in tincan@.service
}

# breakout CALL [SETTING]: the build that makes the call that the message asks for takes the place of
# the handler, as somebody would who had taken it over.
breakout() {
    in_its_place tincan-handler-breakout "${2:-}"
    run -0 load_tool ask 127.0.0.1:4040 'hello\0'
    assert_output 'hello\x00'
    run -0 load_tool ask 127.0.0.1:4040 "$1\\0"
    assert_output ''
    assert_failed status=31/SYS
}

@test "rude clients fail nothing: resets, garbage, no null byte, silence until the deadline" {
    with_options --timeout=1s
    load_tool flood --kind=vanishing --count=40 --parallel=4 127.0.0.1:4040
    load_tool flood --kind=garbage --count=20 --parallel=4 127.0.0.1:4040
    run -0 load_tool ask --half-close 127.0.0.1:4040 'no null byte'
    assert_output ''
    run -0 load_tool ask 127.0.0.1:4040 ''
    assert_output ''
    run -0 load_tool ask 127.0.0.1:4040 'hell'
    assert_output ''
    run -0 load_tool ask --half-close 127.0.0.1:4040 ''
    assert_output ''
    wait_until 30 no_instances
    run -0 outcomes
    assert_equal "$(grep -c 'result=invalid-utf8' <<<"$output")" 20
    assert_equal "$(grep -c 'result=timeout' <<<"$output")" 2
    assert_equal "$(grep -c 'result=echoed' <<<"$output")" 20
    assert_equal "$(grep -c 'result=eof bytes=12' <<<"$output")" 1
    assert_all_well
    assert [ ! -e /run/tincan-alarm ]
}

@test "a peer that never reads its reply fails nothing" {
    with_options --timeout=1s
    start python3 "$LOAD" deaf 127.0.0.1:4040
    wait_until 20 logged 1
    run -0 outcomes
    assert_output --regexp 'result=timeout bytes=1048576 '
    stop_started
    assert_all_well
    assert [ ! -e /run/tincan-alarm ]
}

@test "a handler that is missing is a failed unit" {
    printf '[Service]\nExecStart=\nExecStart=/usr/sbin/no-such-handler\n' | drop_in tincan@.service
    run -0 load_tool ask 127.0.0.1:4040 'hello\0'
    assert_output ''
    assert_failed /usr/sbin/no-such-handler
}

@test "a handler that is killed by a filter is a failed unit" {
    printf '[Service]\n%s\n' 'SystemCallFilter=~read readv recvfrom recvmsg' \
        SystemCallErrorNumber=kill | drop_in tincan@.service
    run -0 load_tool ask 127.0.0.1:4040 'hello\0'
    assert_output ''
    assert_failed status=31/SYS
}

@test "a handler with a wrong option is a failed unit, and says why" {
    with_options --timeout=never
    run -0 load_tool ask 127.0.0.1:4040 'hello\0'
    assert_output ''
    assert_failed 'cannot use "never" for --timeout'
}

@test "the unit lets a handler through that is linked with glibc, also with strict.conf" {
    in_its_place tincan-handler-glibc
    run -0 load_tool ask 127.0.0.1:4040 'hello\0'
    assert_output 'hello\x00'
    drop_in tincan@.service "$EXAMPLES/strict.conf"
    run -0 load_tool ask 127.0.0.1:4040 'hello\0'
    assert_output 'hello\x00'
    wait_until 10 logged 2
}

@test "a handler that calls socket(2) after the first byte is killed" {
    breakout socket
}

@test "a handler that calls openat(2) after the first byte is killed" {
    breakout openat
}

@test "a handler that calls execve(2) after the first byte is killed" {
    breakout execve
}

@test "it is its own sandbox that kills it, with or without a filter of the unit" {
    breakout socket 'SystemCallFilter='
}
