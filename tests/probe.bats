#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016,SC2153,SC2154 # scripts for other shells; what bats and the helpers set
# The client's measuring mode: probes, what is reported of them, and what they exit with.

load helpers/common
load helpers/client_common

setup() {
    cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
    stop_started
}

# --- probes on a schedule ---

@test "-c sends so many probes, prints a line for each, and sums up" {
    serve echo
    run --separate-stderr "$TINCAN" -c 3 -i 10ms "$ADDRESS"
    assert_success
    assert_line --index 0 "Probing $ADDRESS with 56 bytes of text; times in ms"
    for sequence in 1 2 3; do
        assert_line --index "$sequence" --regexp "^56 bytes from $ADDRESS: seq=$sequence +connect=[0-9.]+ +first=[0-9.]+ +complete=[0-9.]+ +close=[0-9.]+ +time=[0-9.]+"
    done
    assert_line --index 4 "--- $ADDRESS ---"
    assert_line --index 5 '3 sent, 3 echoed, 0 lost (0.0 %)'
    assert_line --regexp '^time( +[0-9]+\.[0-9]{3}){8}$'
    said ''
}

@test "a closed port is: 1, with a summary" {
    local port
    port=$(free_port)
    run --separate-stderr "$TINCAN" -c 3 -i 10ms "127.0.0.1:$port"
    assert_failure 1
    assert_line --index 1 --regexp "^no echo from 127.0.0.1:$port: seq=1 +refused: nobody is listening there; "
    assert_line '3 sent, 0 echoed, 3 lost (100.0 %): 3 refused'
    said ''
}
