#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Launchers set up wrongly: the handler is handed what is no connection. It says so, in the log and
# by its exit status, and nobody is left waiting.

load helpers/common
load helpers/launchers

teardown() {
    stop_started
}

# start_activator OPTION...: starts systemd-socket-activate at $port; without --accept,
# it becomes the handler when something arrives, and so its exit status is the handler's.
start_activator() {
    need systemd-socket-activate
    port=$(free_port)
    start_with_log systemd-socket-activate -l "127.0.0.1:$port" "$@" "$HANDLER" --timeout=60s
}

start_with_log() {
    start log_into "$BATS_TEST_TMPDIR/log" "$@"
}

log_into() {
    exec 2>"$1" >/dev/null </dev/null "${@:2}"
}

receiving_datagrams() {
    grep -q " 0100007F:$(printf %04X "$1") 00000000:0000 07 " /proc/net/udp
}

# connect_in_vain: a client that sends a message gets an end or a reset, and in time, but no byte.
connect_in_vain() {
    run --separate-stderr timeout 60 python3 "$TESTS/helpers/book_client.py" 127.0.0.1 "$port" hello
    [ "$status" -ne 124 ] || fail "the client was left waiting"
    [[ $output != *hello* ]] || fail "the client got a reply: $output"
}

assert_handler_refused() {
    local refusal=0
    wait "$STARTED" || refusal=$?
    run cat "$BATS_TEST_TMPDIR/log"
    [ "$refusal" -eq 64 ] || fail "exit status $refusal, and the log: $output"
    assert_output --partial "$1"
    assert_output --regexp 'peer=[^ ]+ result=error bytes=0 '
}

@test "a listening socket on standard input is refused, and its client not left waiting" {
    start_activator --inetd
    wait_until 60 listening "$port"
    connect_in_vain
    assert_handler_refused "is a listening socket, not a connection; set Accept=yes"
}

@test "a listening socket passed with LISTEN_FDS is refused, and its client not left waiting" {
    start_activator
    wait_until 60 listening "$port"
    connect_in_vain
    assert_handler_refused "is a listening socket, not a connection; set Accept=yes"
}

@test "a datagram socket on standard input is refused" {
    run --separate-stderr "$HANDLER" --timeout=60s <>"/dev/udp/127.0.0.1/$(free_port)"
    assert_equal "$status" 64
    [[ $stderr == *"result=error"*"is not a stream socket"* ]] || fail "it said: $stderr"
}

@test "a datagram socket passed with LISTEN_FDS is refused" {
    start_activator --datagram
    wait_until 60 receiving_datagrams "$port"
    printf 'hello\0' >"/dev/udp/127.0.0.1/$port"
    assert_handler_refused "is not a stream socket"
}

@test "several sockets passed with LISTEN_FDS are refused" {
    local other
    other=$(free_port)
    start_activator -l "127.0.0.1:$other"
    wait_until 60 listening "$port"
    wait_until 60 listening "$other"
    connect_in_vain
    assert_handler_refused "LISTEN_FDS passes several sockets"
}

@test "LISTEN_FDS that was meant for another process is ignored" {
    run --separate-stderr bash -c \
        'printf "hello\0" | LISTEN_PID=$$ LISTEN_FDS=1 "$HANDLER" 3</dev/null | od -An -c'
    assert_success
    assert_output --regexp '^ +h +e +l +l +o +\\0$'
}

@test "LISTEN_FDS without LISTEN_PID is ignored" {
    run --separate-stderr bash -c \
        'printf "hello\0" | LISTEN_FDS=1 "$HANDLER" 3</dev/null | od -An -c'
    assert_success
    assert_output --regexp '^ +h +e +l +l +o +\\0$'
}
