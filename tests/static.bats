#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What can be read from the programs without running them: how they are hardened, and of the handler, the
# size and the stack. Sanitizers change all of that.

load helpers/common

# programs: those that were built.
programs() {
    local program
    for program in "$HANDLER" "$TINCAN" "$TINCAND"; do
        [ ! -x "$program" ] || echo "$program"
    done
}

need_hardened() {
    need readelf
    grep -q -e -fPIE "$TINCAN_BUILD/COMPILE.command" || skip "the programs were built with another HARDEN"
}

# bats test_tags=sandbox
@test "static: each program is position independent, and nothing of it is both writable and executable" {
    need_hardened
    local program
    for program in $(programs); do
        run -0 readelf -hldW "$program"
        assert_line --regexp '^ *Type: +DYN '
        assert_line --regexp 'FLAGS_1.* PIE'
        assert_line --regexp '^ *GNU_STACK .* RW +0x'
        refute_line --regexp '^ *(LOAD|GNU_STACK) .* RWE '
        refute_line --regexp 'TEXTREL|RPATH|RUNPATH'
    done
}

# musl leaves a static program's table writable, whatever its header says; no call goes through it.
# bats test_tags=sandbox
@test "static: each program's table of addresses is complete at the start, and marked as read-only from then on" {
    need_hardened
    local program
    for program in $(programs); do
        run -0 readelf -ldW "$program"
        assert_line --regexp '^ *GNU_RELRO '
        assert_line --regexp '\(FLAGS\).*BIND_NOW'
        assert_line --regexp 'FLAGS_1.* NOW'
    done
    run -0 readelf -rW "$HANDLER"
    refute_output --regexp 'JU?MP_SLOT?|GLOB_DAT'
}

# bats test_tags=sandbox
@test "static: stacks are guarded, and calls of glibc fortified" {
    need_hardened
    local program
    for program in $(programs); do
        run -0 readelf -sW "$program"
        assert_output --partial __stack_chk_fail
        [ "$program" = "$HANDLER" ] || assert_line --regexp ' __[a-z]+_chk'
    done
}

# bats test_tags=sandbox
@test "static: the handler has 24 KiB of code of its own at most, which takes 4 KiB of stack at most" {
    need size
    gcc -fcallgraph-info=su -c -x c /dev/null -o "$BATS_TEST_TMPDIR/empty.o" 2>/dev/null ||
        skip "gcc is not installed, or can't write graphs of calls (it can from 10 on)"
    run -0 make -s -C "${TESTS%/*}" CC=gcc MEASURED="$BATS_TEST_TMPDIR/measured" handler-size
    assert_line --index 1 --regexp '^stack=[0-9]+ main '
    assert [ "$(grep -oP '^code=\K\d+' <<<"$output")" -le 24576 ]
    assert [ "$(grep -oP '^stack=\K\d+' <<<"$output")" -le 4096 ]
}

# With it the handler would be a quarter larger. In musl, inet_ntop(3) calls it, too.
# bats test_tags=sandbox
@test "static: nothing of the handler calls printf, or inet_ntop" {
    need nm
    [ -d "$TINCAN_BUILD/handler-obj" ] || skip "what the handler is linked from is not there"
    run -0 nm -u "$TINCAN_BUILD"/handler-obj/{common,handler}/*.o
    assert_line --regexp '^ +U send$'
    refute_output --regexp 'printf|inet_ntop'
}

# bats test_tags=sandbox
@test "static: with a stack of 32 KiB the handler serves" {
    run -0 bash -c 'ulimit -s 32 && printf "hello\0" | env -i "$HANDLER" 2>&1 >/dev/null' -
    assert_output --regexp '^peer=- result=echoed bytes=5 '
}
