# SPDX-License-Identifier: MIT
# tincand.socket and its service as they are first used, looked at and configured.

setup_file() {
    load tincand
    systemd-sysusers
    systemctl daemon-reload
}

setup() {
    load tincand
    begin
}

teardown() {
    finish
    ip address del 192.0.2.1/32 dev lo 2>/dev/null || true
}

@test "tincand: after systemctl enable --now tincand.socket the client gets its echo, on IPv4 and IPv6" {
    systemctl stop tincand.socket
    run -0 systemctl enable --now tincand.socket
    run -0 "$TINCAN" -m 'hello wörld' 127.0.0.1
    assert_output 'hello wörld'
    run -0 "$TINCAN" -m hello '[::1]'
    assert_output hello
    run -0 systemctl disable tincand.socket
    assert_serving
}

@test "tincand: systemctl enable --now tincand.service enables the socket, and serves" {
    systemctl stop tincand.socket
    run -0 systemctl enable --now tincand.service
    run -0 systemctl is-enabled tincand.socket
    run -0 systemctl is-active tincand.socket tincand.service
    run -0 systemctl disable tincand.service tincand.socket
    assert_serving
}

@test "tincand: the service starts with the first connection, and not before" {
    run -3 systemctl is-active tincand.service
    assert_serving
}

@test "tincand: systemctl status says that it is ready, and its numbers" {
    run -0 load_tool flood --count=10 127.0.0.1:4040
    run -0 load_tool ask 127.0.0.1:4040 'bad\xff\0'
    wait_until 30 status_is '^open 0, echoed 10, 1 invalid-utf8$'
    run -0 systemctl status tincand.service
    assert_output --partial 'active (running)'
    assert_output --partial 'Status: "open 0, echoed 10, 1 invalid-utf8"'
    hold 3
    wait_until 30 status_is '^open 3, '
    assert_serving
}

@test "tincand: each exchange is one record of the journal, with fields" {
    run -0 load_tool ask --from=127.9.8.7 127.0.0.1:4040 'hello\0'
    wait_until 20 recorded 1
    run -0 records _SYSTEMD_UNIT=tincand.service SYSLOG_IDENTIFIER=tincand
    assert_equal "$(grep -c '^TINCAN_RESULT=' <<<"$output")" 1
    assert_line "$EXCHANGE"
    assert_line PRIORITY=5
    assert_line TINCAN_RESULT=echoed
    assert_line TINCAN_BYTES=5
    assert_line --regexp '^TINCAN_USEC=[0-9]+$'
    assert_line --regexp '^TINCAN_PEER=127\.9\.8\.7:[0-9]+$'
    assert_line --regexp '^MESSAGE=peer=127\.9\.8\.7:[0-9]+ result=echoed bytes=5 usec=[0-9]+ message="hello"$'
    assert_serving
}

@test "tincand: a hundred exchanges are a hundred records, and no other line but of the start" {
    run -0 load_tool flood --count=100 --parallel=8 127.0.0.1:4040
    assert_output answered=100
    wait_until 20 recorded 100 TINCAN_RESULT=echoed
    run -0 journal -o cat -u tincand.service
    assert_equal "$(grep -c '^peer=127' <<<"$output")" 100
    assert_equal "$(grep -v '^peer=' <<<"$output" | sort)" "$(sort <<'LINES'
Starting tincand.service - tincan echo service, one process for all connections...
listening on [::]:4040
Started tincand.service - tincan echo service, one process for all connections.
LINES
)"
    run -0 journal -o cat -u tincand.socket
    assert_output ''
    assert_serving
}

@test "tincand: a check of the port is not logged, and what a peer does wrong is a warning" {
    run -0 load_tool ask --half-close 127.0.0.1:4040 ''
    run -0 load_tool ask 127.0.0.1:4040 'bad\xff\0'
    wait_until 20 recorded 1
    run -0 records
    assert_equal "$(grep -c '^TINCAN_RESULT=' <<<"$output")" 1
    assert_line TINCAN_RESULT=invalid-utf8
    assert_line PRIORITY=4
    assert_serving
}

@test "tincand: systemd has nothing to say against the units" {
    run -0 systemd-analyze verify --man=no tincand.socket tincand.service "${INSTANCES[@]}" \
        tincand@1.service
    assert_output ''
    systemctl daemon-reexec
    assert_serving
    run -0 journal -o cat _PID=1 -p warning
    refute_output --partial tincan
}

@test "tincand: systemd has nothing to say against any example, and the echo works with each" {
    local file unit
    for file in "$EXAMPLES"/*.conf; do
        unit=$(unit_of "$file")
        [[ $unit = tincand* ]] || unit=tincand.socket
        grep -q "$unit\.d/" "$file" || continue
        configure "$unit" "$file"
        run -0 systemd-analyze verify --man=no tincand.socket tincand.service
        assert_output ''
        [[ $file = */allowed-networks.conf ]] || assert_serving
        begin
    done
}

@test "tincand: the exposure of the service is 0.3 at most, as a file and as it runs" {
    run -0 exposure --offline=true /usr/lib/systemd/system/tincand.service
    assert_output --regexp '^[0-9]+$'
    assert [ "$output" -le 3 ]
    assert_serving
    run -0 exposure tincand.service
    assert_output --regexp '^[0-9]+$'
    assert [ "$output" -le 3 ]
}

@test "tincand: the process has no privilege, no network of its own, no more threads and descriptors than said" {
    assert_serving
    local pid
    pid=$(shown tincand.service MainPID)
    run -0 cat "/proc/$pid/status"
    refute_line --regexp '^[UG]id:.*\b0\b'
    assert_line --regexp '^NoNewPrivs:\s1$'
    assert_line --regexp '^Seccomp:\s2$'
    assert_line --regexp '^Threads:\s2$'
    for set in Inh Prm Eff Bnd Amb; do
        assert_line --regexp "^Cap$set:\s0000000000000000\$"
    done
    run -0 ls "/proc/$pid/fd"
    assert [ "${#lines[@]}" -le 12 ]
    assert_not_equal "$(readlink "/proc/$pid/ns/net")" "$(readlink /proc/self/ns/net)"
    run -0 grep 'Max core file size' "/proc/$pid/limits"
    assert_line --regexp 'size +0 +0 '
}

@test "tincand: with every system call that is not listed killing it, it serves all the same" {
    printf '[Service]\nSystemCallErrorNumber=kill\n' | configure tincand.service
    run -0 timeout 60 systemctl start tincand.service
    run -0 load_tool flood --count=100 --parallel=8 127.0.0.1:4040
    assert_output answered=100
    head -c 1048576 /dev/zero | tr '\0' x >"$BATS_TEST_TMPDIR/message"
    "$TINCAN" --whole 127.0.0.1 <"$BATS_TEST_TMPDIR/message" >"$BATS_TEST_TMPDIR/reply"
    run -0 cmp -n 1048576 "$BATS_TEST_TMPDIR/message" "$BATS_TEST_TMPDIR/reply"
    load_tool flood --kind=garbage --count=20 127.0.0.1:4040
    load_tool flood --kind=vanishing --count=20 127.0.0.1:4040
    wait_until 20 recorded 100 TINCAN_RESULT=echoed
    run -0 systemctl restart tincand.service
    assert_serving
    assert_equal "$(shown tincand.service NRestarts)" 0
    assert_equal "$(shown tincand.service Result)" success
}

@test "tincand: a reply that is read late arrives whole though much came behind the message" {
    run -0 load_tool trail 127.0.0.1:4040
    assert_output 300001
}

@test "tincand: it is started, and logs, while systemd itself logs all it does" {
    systemctl log-level debug
    run "$TINCAN" -m hello 127.0.0.1
    systemctl log-level info
    assert_output hello
    wait_until 20 recorded 1 TINCAN_RESULT=echoed
    assert_serving
}

@test "tincand: starting its socket stops tincan.socket, and the other way round" {
    for _ in 1 2 3; do
        run -0 systemctl start tincan.socket
        run -3 systemctl is-active tincand.socket
        assert_line inactive
        run -3 systemctl is-active tincand.service
        run -0 "$TINCAN" -m hello 127.0.0.1
        assert_output hello
        run -3 systemctl is-active tincand.service
        run -0 systemctl start tincand.socket
        run -3 systemctl is-active tincan.socket
        assert_line inactive
        assert_serving
    done
}

@test "tincand: enabling the other while connections are open stops the one, which finishes them" {
    hold 2
    systemctl start tincand.service
    wait_until 30 connections 2
    run -0 systemctl start tincan.socket
    run -0 "$TINCAN" -m hello 127.0.0.1
    assert_output hello
    run -3 systemctl is-active tincand.service
    assert_output inactive
    hold 2 127.0.0.2
    run -0 systemctl start tincand.socket
    assert_serving
}

@test "tincand: instances of tincand@ share the port, and replace the single one" {
    assert_serving
    run -0 systemctl start "${INSTANCES[@]}"
    run -3 systemctl is-active tincand.socket tincand.service
    run -0 load_tool flood --count=200 --parallel=8 127.0.0.1:4040
    assert_output answered=200
    wait_until 20 recorded 201 TINCAN_RESULT=echoed
    wait_until 20 recorded 20 _SYSTEMD_UNIT=tincand@1.service TINCAN_RESULT=echoed
    wait_until 20 recorded 20 _SYSTEMD_UNIT=tincand@2.service TINCAN_RESULT=echoed
    run -0 systemctl restart tincand@1.service
    run -0 load_tool flood --count=200 --parallel=8 127.0.0.1:4040
    assert_output answered=200
    run -0 systemctl start tincand.socket
    run -3 systemctl is-active "${INSTANCES[@]}" tincand@1.service tincand@2.service
    assert_serving
}

@test "tincand: an AF_UNIX socket is served, and with tincand-unix.conf its peers' users are known" {
    configure tincand.socket "$EXAMPLES/unix.conf"
    as_user() {
        setpriv --reuid=4242 --clear-groups "$TINCAN" -m hello unix:/run/tincan.sock
    }
    run -0 as_user
    assert_output hello
    wait_until 20 recorded 1
    run -0 records
    assert_line --regexp '^TINCAN_PEER=unix:uid=65534,pid=[0-9]+$'
    configure tincand.service "$EXAMPLES/tincand-unix.conf"
    run -0 as_user
    assert_output hello
    wait_until 20 recorded 2
    run -0 records
    assert_line --regexp '^TINCAN_PEER=unix:uid=4242,pid=[0-9]+$'
    assert_serving
}

@test "tincand: localhost.conf serves only this machine" {
    ip address add 192.0.2.1/32 dev lo
    run -0 "$TINCAN" -m hello 192.0.2.1
    configure tincand.socket "$EXAMPLES/localhost.conf"
    run -1 "$TINCAN" -m hello 192.0.2.1
    run -0 "$TINCAN" -m hello '[::1]'
    assert_serving
}

@test "tincand: allowed-networks.conf keeps others out, though the service has a network of its own" {
    configure tincand.socket "$EXAMPLES/allowed-networks.conf"
    ip address add 192.0.2.1/32 dev lo
    run -0 load_tool ask --from=192.0.2.1 192.0.2.1:4040 'hello\0'
    assert_output 'hello\x00'
    ip address add 198.51.100.1/32 dev lo
    run load_tool ask --timeout=2 --from=198.51.100.1 198.51.100.1:4040 'hello\0'
    ip address del 198.51.100.1/32 dev lo
    assert_failure 1
    assert_serving
}

@test "tincand: quiet.conf of its own: no exchange is logged" {
    configure tincand.service "$EXAMPLES/tincand-quiet.conf"
    run -0 load_tool flood --count=20 127.0.0.1:4040
    load_tool flood --kind=garbage --count=20 127.0.0.1:4040
    run -0 systemctl stop tincand.service
    run -0 records
    assert_output ''
    assert_serving
}

@test "tincand: a fifth connection waits where four are allowed, and is served when one leaves" {
    serve_with --max-connections=4 --max-connections-per-source=4
    hold 4
    wait_until 30 connections 4
    start python3 "$LOAD" ask 127.0.0.1:4040 'hello\0' >"$BATS_TEST_TMPDIR/reply"
    local fifth=$STARTED
    wait_until 30 queued 1
    run -0 cat "$BATS_TEST_TMPDIR/reply"
    assert_output ''
    kill "${STARTED_ALL[0]}"
    wait "$fifth"
    run -0 cat "$BATS_TEST_TMPDIR/reply"
    assert_output 'hello\x00'
    assert_serving
}

@test "tincand: with 16 descriptors it serves, and peers that are too many wait" {
    printf '[Service]\nLimitNOFILE=16\n' | configure tincand.service
    run -0 "$TINCAN" -m hello 127.0.0.1
    assert_output hello
    serve_with --max-connections-per-source=3
    printf '[Service]\nLimitNOFILE=16\n' | configure tincand.service /dev/stdin
    run -0 load_tool flood --count=200 --parallel=16 127.0.0.1:4040
    assert_output answered=200
    assert_serving
}

@test "tincand: after idle exit the next connection starts it again" {
    serve_with --idle-exit=1s
    local turn
    for turn in 1 2 3; do
        run -0 "$TINCAN" -m "hello $turn" 127.0.0.1
        assert_output "hello $turn"
        wait_until 60 is_in_state tincand.service inactive
        assert_equal "$(shown tincand.service Result)" success
        run -0 systemctl is-active tincand.socket
    done
    assert_equal "$(shown tincand.service NRestarts)" 0
    assert_serving
}

@test "tincand: a connection that comes while it is about to exit for idleness is served" {
    serve_with --idle-exit=1ms
    run -0 load_tool flood --count=30 --parallel=1 127.0.0.1:4040
    assert_output answered=30
    assert_serving
}

@test "tincand: a wrong option fails the unit with 64 and a sentence, and is not tried again for ever" {
    # On a busy machine the shipped 50 starts need more than the shipped 10 s.
    printf '%s\n' '[Unit]' StartLimitIntervalSec=1h StartLimitBurst=5 \
        '[Service]' ExecStart= 'ExecStart=/usr/sbin/tincand --timeout=never' |
        configure tincand.service
    run -1 systemctl start tincand.service
    assert_equal "$(shown tincand.service ActiveState)" failed
    assert_equal "$(shown tincand.service ExecMainStatus)" 64
    assert_equal "$(shown tincand.service NRestarts)" 0
    wait_until 20 said tincand.service 'cannot use "never" for --timeout'
    run -0 systemctl is-active tincand.socket
    run -0 load_tool ask 127.0.0.1:4040 'hello\0'
    assert_output ''
    wait_until 60 is_in_state tincand.socket failed
    assert_equal "$(shown tincand.socket Result)" service-start-limit-hit
    begin
    assert_serving
}

@test "tincand: too few descriptors fail the unit with a sentence that says what to do" {
    printf '[Service]\nLimitNOFILE=12\n' | configure tincand.service
    run -1 systemctl start tincand.service
    assert_equal "$(shown tincand.service ExecMainStatus)" 64
    wait_until 20 said tincand.service 'raise it (LimitNOFILE= in the unit'
    begin
    assert_serving
}

@test "tincand: a datagram socket by mistake is named" {
    printf '[Socket]\nListenStream=\nListenDatagram=4040\n' | configure tincand.socket
    run -1 systemctl start tincand.service
    assert_equal "$(shown tincand.service ExecMainStatus)" 64
    wait_until 20 said tincand.service \
        'cannot use the socket handed over as tincand.socket: it is not a stream socket'
    begin
    assert_serving
}

@test "tincand: Accept=yes by mistake is refused by systemd, and elsewhere named by tincand" {
    run -1 configure tincand.socket <<<$'[Socket]\nAccept=yes'
    wait_until 20 said tincand.socket 'Refusing.'
    rm -r "$CONFIGURED/tincand.socket.d"
    systemctl daemon-reload
    begin
    printf '[Socket]\nListenStream=127.0.0.1:4045\nAccept=yes\n' >/run/systemd/system/misused.socket
    sed '/^Requires=/d' /usr/lib/systemd/system/tincand.service >/run/systemd/system/misused@.service
    systemctl daemon-reload
    systemctl start misused.socket
    run -0 load_tool ask 127.0.0.1:4045 'hello\0'
    assert_output ''
    wait_until 20 said 'misused@*' 'it is a connection, not a listening socket'
    systemctl stop misused.socket
    rm /run/systemd/system/misused*
    begin
    assert_serving
}

@test "tincand: a limit of descriptors that systemd may not give is no obstacle" {
    printf '[Service]\nLimitNOFILE=100000000\n' | configure tincand.service
    assert_serving
}
