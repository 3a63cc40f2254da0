# SPDX-License-Identifier: MIT
# What the documents show of systemd, run as it is printed; tests/documents.bats is of the rest. The
# programs are in /usr here, as with packages, where the documents say /usr/local.

setup() {
    load common
    load ../helpers/documents
    fresh
    ln -sf "$(command -v env)" /run/sudo
}

teardown() {
    systemctl disable --now tincan.socket tincand.socket 'tincand@1.socket' 'tincand@2.socket'
    rm -rf "$CONFIGURED"/tincan*.d
    restore
}

@test "documents: README: a process for each connection" {
    wait_until 20 shows 'README.md/Run it/1'
}

@test "documents: README: one process for all" {
    shows 'README.md/Run it/2'
    run -0 "$TINCAN" -m hello
    assert_output hello
    run -0 shown tincand.service ActiveState
    assert_output active
}

@test "documents: README: another port" {
    shows 'README.md/Run it/3'
    run -0 "$TINCAN" -m hello 127.0.0.1:5050
    assert_output hello
}

@test "documents: tincan-handler(8) under systemd" {
    document shown 'tincan-handler.8/EXAMPLES/3' | drop_in tincan@.service
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
