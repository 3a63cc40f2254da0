# SPDX-License-Identifier: MIT
# What the documents show of systemd, run as it is printed; tests/documents.bats is of the rest. The
# programs are in /usr here, as with packages, where the documents say /usr/local.

setup() {
    load common
    load ../helpers/documents
    fresh
}

teardown() {
    systemctl disable --now tincan.socket tincand.socket 'tincand@1.socket' 'tincand@2.socket'
    rm -rf "$CONFIGURED"/tincan*.d
    restore
}

@test "documents: tincan-handler(8) under systemd" {
    document shown 'tincan-handler.8/EXAMPLES/3' '|/usr/local/|/usr/|' | drop_in tincan@.service
    run -0 bash -c "$(document command 'tincan-handler.8/EXAMPLES/3' 2)"
    run -1 "$TINCAN" -q --sweep 65536-65537
    assert_output --partial 'the smallest that fails: 65537 bytes'
}

@test "documents: tincand(8) under systemd" {
    shows 'tincand.8/EXAMPLES/2'
    shows 'tincand.8/EXAMPLES/3'
    run -0 "$TINCAN" -m hello
    assert_output hello
}
