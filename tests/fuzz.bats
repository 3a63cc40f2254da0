# SPDX-License-Identifier: MIT
# The quick form of `make fuzz`: it replays the inputs in the tree.

setup() {
    load helpers/common
}

# replay NAME: tries the inputs of a target.
replay() {
    run "$TINCAN_BUILD/fuzz/$1" "$TESTS/fuzz/corpus/$1.hex"
    assert_success
    assert_output --regexp '^[0-9]+ inputs$'
}

@test "fuzz: the decoder takes every input that was kept as the reference does" {
    replay frame
}

@test "fuzz: what reads addresses, tags, sizes, times and texts does what its header says" {
    replay parse
}

@test "fuzz: the handler sends nothing but the reply to a whole message, and ends, whatever the kernel does" {
    replay handler
}

@test "fuzz: the client calls nothing an echo but the message, and ends, whatever the server sends" {
    replay roundtrip
}

@test "fuzz: tincand's loop answers each peer with its own message and ends each connection in time" {
    [ -x "$TINCAN_BUILD/fuzz/tincand" ] || skip "tincand is not built; it needs libsystemd (Debian: libsystemd-dev)"
    replay tincand
}
