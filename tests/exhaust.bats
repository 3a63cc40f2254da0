# SPDX-License-Identifier: MIT
# The quick form of `make exhaust`: the decoder against an independent reference and Python's decoder.

setup() {
    load helpers/common
    EXHAUST=$TINCAN_BUILD/tests/exhaust
}

# strings FIRST VALID MESSAGES: all strings of four bytes that begin with one byte, and how many of
# them are UTF-8 with and without U+0000.
strings() {
    run "$EXHAUST" strings "$1"
    assert_success
    assert_output --regexp "^strings 16777216 valid $2 messages $3 feeds [0-9]+\$"
}

@test "exhaust: every string of four bytes gets the reference's verdict in every split, by kind of first byte" {
    strings 0x00 2650112 0
    strings 0x7f 2650112 2597503
    strings 0xc2 1171456 1155136
    strings 0xed 262144 260096
    strings 0xf4 65536 65536
    strings 0xf5 0 0
}

@test "exhaust: every sequence across blocks of 8 to 64 bytes gets it too, at every limit, and nothing behind is read" {
    run "$EXHAUST" blocks
    assert_success
    assert_output --regexp '^feeds [0-9]+$'
}

@test "exhaust: Python's strict decoder agrees on mutated texts" {
    need python3
    run "$TESTS/exhaust/python_opinion.py" "$EXHAUST" 100000 "$RANDOM"
    assert_success
    assert_output --regexp '^texts 100000 complete [0-9]+ invalid [0-9]+ more [0-9]+$'
}
