# SPDX-License-Identifier: MIT
# $SOAK connections to the installed units in a booted system; tests/systemd/run --soak runs this.

setup() {
    load ../systemd/tincand
    load soak
}

teardown() {
    path clean
    finish
    rm -rf "$CONFIGURED/tincan@.service.d"
    systemctl daemon-reload
}

at_server() {
    "$@"
}

server_log() {
    journal -o cat -t "$LOGS"
}

@test "soak: systemd, a process for each connection" {
    LOGS=tincan-handler
    fresh
    with_options --timeout=10s
    ip link set lo mtu 1500
    soak_server 1 8192
    assert_equal "$(refused)" 0
    assert_all_well
}

@test "soak: systemd, one process for all" {
    LOGS=tincand
    begin
    serve_with --timeout=10s --max-connections-per-source=1000
    configure tincand.service "$EXAMPLES/tincand-every-record.conf"
    "$TINCAN" -q -m 'started' 127.0.0.1
    begin_journal
    soak_server "$(shown tincand.service MainPID)" 4096
    assert_serving
}
