# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # what bats sets
# What runs the tests: how it prints and counts their results.

load helpers/common

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    TESTED_PATH=${PATH//"$BATS_LIBEXEC:"/} # where bats' own parts are not found
    printf '@test "%s" { %s; }\n' first true second 'echo because; false' third 'skip reasons' >one.bats
    printf '@test "%s" { %s; }\n' fourth true >two.bats
}

# run_tests STATUS [ARGUMENT]...: tests/run, as if it was not started by one of its tests.
run_tests() {
    run "-$1" env -i PATH="$TESTED_PATH" TINCAN_BUILD="$PWD/build" CI="${CI_HERE-}" \
        "$TESTS/run" "${@:2}"
}

@test "run: results of all files are one TAP, with what failed explained, and a count" {
    run_tests 1 "$PWD/one.bats" "$PWD/two.bats"
    assert_equal "$(grep -cE '^(not )?ok [1-4] (first|second|third|fourth) in ' <<<"$output")" 4
    assert_output --regexp $'\nnot ok [1-4] second in [^\n]*\n# [^\n]*\n# [^\n]*\n# because\n'
    assert_line 1..4
    assert_equal "${lines[-1]}" '2 passed, 1 failed, 1 skipped'
    run cat build/tests/tests.tap
    assert_line 1..4
}

@test "run: each group of the table of cases is played through each launcher" {
    local groups group
    groups=$(PYTHONPATH=$TESTS/helpers python3 -m cases groups)
    [ -n "$groups" ]
    for group in $groups; do
        grep -qE "^    play.*[ _]$group( |\$)" "$TESTS/launcher.bats.in" || fail "$group is not played"
    done
}

@test "run: options choose tests, and where all pass it succeeds" {
    run_tests 0 --filter 'ir[sd]' "$PWD/one.bats"
    assert_equal "${lines[-1]}" '1 passed, 0 failed, 1 skipped'
}

@test "run: no test, a skip in CI, and a file that can't be run are failures" {
    run_tests 1 --filter nothing "$PWD/one.bats"
    assert_equal "${lines[-1]}" '0 passed, 0 failed, 0 skipped'
    CI_HERE=true run_tests 1 --filter third "$PWD/one.bats"
    assert_line 'a skip is a failure where CI is set'
    echo 'setup_file() { false; }' >>two.bats
    run_tests 1 "$PWD/two.bats"
    assert_line --partial 'setup_file failed'
    run_tests 1 "$PWD/three.bats"
    assert_output --partial 'three.bats" does not exist'
}

@test "run: on a terminal one line is renewed, and only what failed is printed" {
    need script
    run script -qec "env -i PATH='$TESTED_PATH' TINCAN_BUILD='$PWD/build' '$TESTS/run' '$PWD/one.bats' '$PWD/two.bats'" \
        /dev/null
    assert_failure 1
    assert_output --regexp $'\r\e\\[K4 of 4, 1 failed, [0-9]+ s\r\e\\[K2 passed, 1 failed, 1 skipped'
    assert_output --partial $'\r\e[Knot ok '
    refute_output --partial 'first'
}
