# SPDX-License-Identifier: MIT
# The decoder alone, through its unit test program.

setup() {
    load helpers/common
    FRAME_TEST=$TINCAN_BUILD/tests/frame-test
}

@test "frame: every sequence of three bytes, and every four that could be a character, gets the right verdict at the right byte" {
    "$FRAME_TEST" sequences
}

@test "frame: every character of Unicode is a message, in any split" {
    "$FRAME_TEST" characters
}

@test "frame: the limit holds at every length, in any split" {
    "$FRAME_TEST" limit
}

@test "frame: a null, high or invalid byte is found at its offset" {
    "$FRAME_TEST" offsets
}

@test "frame: a verdict is final" {
    "$FRAME_TEST" final
}
