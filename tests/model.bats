# SPDX-License-Identifier: MIT
# The quick form of `make model`: memory, sources and timeouts of tincand against a model of them.

@test "model: in random schedules memory, queues, limits and deadlines of tincand are those of the model" {
    load helpers/common
    [ -x "$TINCAN_BUILD/tests/model" ] || skip "tincand is not built; it needs libsystemd (Debian: libsystemd-dev)"
    run "$TINCAN_BUILD/tests/model" 2000 "$RANDOM"
    assert_success
    assert_output --regexp '^2000 schedules, [0-9]+ steps$'
}
