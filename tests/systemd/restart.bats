# SPDX-License-Identifier: MIT
# systemd and the socket restarted under load: every connection is served whole, or not begun.
# bats file_tags=restart

# As many echoes as a flood has connections, but no more, as each repetition takes a second.
ECHOES=$(cat /var/lib/tincan-tests/flood)
[ "$ECHOES" -le 200 ] || ECHOES=200

setup() {
    load common
    fresh
}

teardown() {
    restore
}

# under_load COMMAND...: repeats the command, twenty times at most, until the echoes are through; what
# they met is in $output.
under_load() {
    local repeated=0
    start python3 "$LOAD" flood --count="$ECHOES" --parallel=8 127.0.0.1:4040 >"$BATS_TEST_TMPDIR/met"
    while [ "$repeated" -lt 20 ] && kill -0 "$STARTED" 2>/dev/null; do
        "$@"
        repeated=$((repeated + 1))
    done
    wait "$STARTED"
    run -0 cat "$BATS_TEST_TMPDIR/met"
    echo "repeated $repeated times; $output"
    assert [ "$repeated" -ge 3 ]
    refute_line --regexp '^wrong='
}

@test "$ECHOES echoes while systemd is re-executed over and over are all answered" {
    under_load systemctl daemon-reexec
    assert_output "answered=$ECHOES"
    assert_all_well
}

@test "$ECHOES echoes while systemd loads its units again and again are all answered" {
    under_load systemctl daemon-reload
    assert_output "answered=$ECHOES"
    assert_all_well
}

@test "$ECHOES echoes while the socket is restarted over and over are answered whole or not served at all" {
    under_load restart_socket
    assert_line --regexp '^answered=[1-9]'
    assert_all_well
}

@test "a connection that is being served survives a restart of the socket and of systemd" {
    start python3 "$LOAD" ask --wait-for="$BATS_TEST_TMPDIR/go" 127.0.0.1:4040 'hello\0' \
        >"$BATS_TEST_TMPDIR/reply"
    wait_until 20 connected 1
    systemctl restart tincan.socket
    systemctl daemon-reexec
    touch "$BATS_TEST_TMPDIR/go"
    wait "$STARTED"
    run -0 cat "$BATS_TEST_TMPDIR/reply"
    assert_output 'hello\x00'
    assert_all_well
}
