# SPDX-License-Identifier: MIT
# The quick form of `make torture`: each system call goes wrong in each way, once, and the wall clock
# jumps in each scenario. A program that watches itself can't be traced, so this is for what ships.
# bats file_tags=sandbox

setup() {
    load helpers/common
    TORTURE=$TESTS/torture/torture
    CARELESS=$TINCAN_BUILD/tests/torture-careless
}

# torture OPTION... KIND PROGRAM: skips the test where nothing can be traced.
torture() {
    run "$TORTURE" "$@"
    [[ $output != SKIP:* ]] || skip "${output#SKIP: }"
}

# survives KIND PROGRAM: nothing that goes wrong makes it fail.
survives() {
    [ -x "$2" ] || skip "$2 is not built"
    within_time # a busy machine may make a run seem to hang
    torture -q "$1" "$2"
    assert_success
    assert_output --regexp ': [0-9]{3,} runs, .*; 0 lies, 0 leaks, 0 crashes, 0 hangs, 0 lost, 0 silent, 0 not run$'
}

# is_caught FAULT: torture finds that fault of the careless handler.
is_caught() {
    torture -q -t 1 -s 'a message' handler "$CARELESS" "$1"
    assert_failure 1
    assert_output --regexp "[;,] [1-9][0-9]* ${2:-$1}"
}

@test "torture: whatever system call fails, the handler does not lie, leak, hang, crash or lose an exchange" {
    survives handler "$HANDLER"
}

@test "torture: nor does the client" {
    survives client "$TINCAN"
}

@test "torture: nor does tincand, and a failing call costs no other connection" {
    survives tincand "$TINCAND"
}

@test "torture: a careful handler passes, and each fault of a careless one is found" {
    torture -q -s 'a message' handler "$CARELESS"
    assert_success
    for fault in lies leaks crashes hangs silent; do
        is_caught "$fault"
    done
    is_caught loses lost
    is_caught jumps lost
}

@test "torture: where no process can be traced it says SKIP and why" {
    run -0 "$TINCAN_BUILD/tests/deny" ptrace "$(command -v python3)" "$TORTURE" handler "$HANDLER"
    assert_output 'SKIP: no process can be traced here (ptrace(2))'
}
