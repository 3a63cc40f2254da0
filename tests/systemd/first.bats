# SPDX-License-Identifier: MIT
# The service as it is first used: enabled, asked, looked at.

setup_file() {
    load common
    systemd-sysusers
    systemctl daemon-reload
    systemctl enable --now tincan.socket
}

setup() {
    load common
    fresh
}

teardown() {
    restore
}

@test "after systemctl enable --now tincan.socket the client gets its echo" {
    systemctl disable --now tincan.socket
    run -0 systemctl enable --now tincan.socket
    run -0 systemctl is-enabled tincan.socket
    run -0 "$TINCAN" -m 'hello wörld' 127.0.0.1
    assert_output 'hello wörld'
}

@test "systemctl status counts the connections" {
    for _ in 1 2 3; do "$TINCAN" -q -m hello 127.0.0.1; done
    run -0 systemctl status tincan.socket
    assert_output --partial 'active (listening)'
    assert_output --partial "Accepted: $((ACCEPTED + 3));"
}

@test "the log has the peer's real address" {
    "$TINCAN" -q -m hello 127.0.0.1
    wait_until 10 logged 1
    run -0 outcomes
    assert_output --regexp '^peer=127\.0\.0\.1:[0-9]+ result=echoed bytes=5 usec=[0-9]+ message="hello"$'
    run -0 load_tool ask --from=127.9.8.7 127.0.0.1:4040 'hello\0'
    wait_until 10 logged 2
    run -0 outcomes
    assert_line --index 1 --regexp '^peer=127\.9\.8\.7:[0-9]+ result=echoed '
}

@test "IPv6 is served, and logged" {
    run -0 "$TINCAN" -m hello '[::1]'
    assert_output hello
    wait_until 10 logged 1
    run -0 outcomes
    assert_output --regexp '^peer=\[::1\]:[0-9]+ result=echoed '
}

@test "a mebibyte comes back whole" {
    head -c 1048576 /dev/zero | tr '\0' x >"$BATS_TEST_TMPDIR/message"
    "$TINCAN" --whole 127.0.0.1 <"$BATS_TEST_TMPDIR/message" >"$BATS_TEST_TMPDIR/reply"
    run -0 cmp -n 1048576 "$BATS_TEST_TMPDIR/message" "$BATS_TEST_TMPDIR/reply"
}

@test "the process that serves a connection has no privilege, no new ones, and few descriptors" {
    hold 1
    wait_until 10 connected 1
    local pid unit
    unit=$(systemctl list-units --plain --no-legend 'tincan@*' | awk '{ print $1 }')
    pid=$(shown "$unit" MainPID)
    wait_until 20 grep -q '^Name:\stincan-handler$' "/proc/$pid/status" # till then it is systemd's child
    run -0 cat "/proc/$pid/status"
    refute_line --regexp '^[UG]id:.*\b0\b'
    assert_line --regexp '^Groups:\s*([0-9]+ ?)?$'
    assert_line --regexp '^NoNewPrivs:\s1$'
    assert_line --regexp '^Seccomp:\s2$'
    for set in Inh Prm Eff Bnd Amb; do
        assert_line --regexp "^Cap$set:\s0000000000000000\$"
    done
    run -0 ls "/proc/$pid/fd"
    assert [ "${#lines[@]}" -le 4 ]
}
