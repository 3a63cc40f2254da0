# SPDX-License-Identifier: MIT
# The units and the example drop-ins: correct, as tight as they are said to be, and each in use.

UNITS=/usr/lib/systemd/system

setup() {
    load common
    fresh
}

teardown() {
    restore
    ip address del 192.0.2.1/32 dev lo 2>/dev/null || true
    ip address del 198.51.100.1/32 dev lo 2>/dev/null || true
}

# assert_verified UNIT...: nothing is to be said about it, by the checker or by systemd itself.
assert_verified() {
    run -0 systemd-analyze verify --man=no "$@"
    assert_output ''
    run -0 journal -o cat _PID=1 -p warning
    refute_output --partial tincan
}

# use UNIT NAME: adds the example to the unit.
use() {
    assert [ -f "$EXAMPLES/$2.conf" ]
    drop_in "$1" "$EXAMPLES/$2.conf"
    assert_verified tincan.socket tincan@.service
}

@test "systemd has nothing to say against the units, when it verifies them and when it loads them" {
    assert_verified tincan.socket tincan@.service
    systemctl daemon-reexec
    assert_verified "$UNITS/tincan.socket" "$UNITS/tincan@.service"
}

@test "no limit on the rate of connections fails the socket, or slows it down unsaid" {
    assert_equal "$(shown tincan.socket TriggerLimitIntervalUSec)" 0
    # before systemd 255 there is no such limit
    run -0 shown tincan.socket PollLimitIntervalUSec
    assert [ "${output:-0}" = 0 ]
}

@test "systemd has nothing to say against any example" {
    local file unit
    for file in "$EXAMPLES"/*.conf; do
        unit=$(unit_of "$file")
        [[ $unit = tincand* ]] || use "$unit" "$(basename "$file" .conf)"
        restore
    done
}

@test "the exposure of the service is 2.0 at most" {
    run -0 exposure --offline=true "$UNITS/tincan@.service"
    assert_output --regexp '^[0-9]+$'
    assert [ "$output" -le 20 ]
}

@test "the exposure of an instance, as systemd runs it, is 2.0 at most" {
    hold 1
    wait_until 10 connected 1
    run -0 exposure "$(systemctl list-units --plain --no-legend 'tincan@*' | awk '{ print $1 }')"
    assert_output --regexp '^[0-9]+$'
    assert [ "$output" -le 20 ]
}

@test "with strict.conf the exposure is 0.2 at most, and the echo still works, and is logged" {
    use tincan@.service strict
    run -0 exposure --offline=true "$UNITS/tincan@.service"
    assert_output --regexp '^[0-9]+$'
    assert [ "$output" -le 2 ]
    run -0 "$TINCAN" -m hello 127.0.0.1
    assert_output hello
    wait_until 10 logged 1
    run -0 outcomes
    assert_output --regexp '^peer=127\.0\.0\.1:[0-9]+ result=echoed '
    load_tool flood --kind=garbage --count=20 --parallel=4 127.0.0.1:4040
    head -c 1048576 /dev/zero | tr '\0' x >"$BATS_TEST_TMPDIR/message"
    "$TINCAN" --whole 127.0.0.1 <"$BATS_TEST_TMPDIR/message" >"$BATS_TEST_TMPDIR/reply"
    run -0 cmp -n 1048576 "$BATS_TEST_TMPDIR/message" "$BATS_TEST_TMPDIR/reply"
    hold 1
    wait_until 10 connected 1
    run -0 exposure "$(systemctl list-units --plain --no-legend 'tincan@*' | awk '{ print $1 }')"
    assert [ "$output" -le 2 ]
    stop_started
    assert_all_well
}

@test "localhost.conf: only this machine is served" {
    use tincan.socket localhost
    ip address add 192.0.2.1/32 dev lo
    run -0 "$TINCAN" -m hello 127.0.0.1
    assert_output hello
    run -0 "$TINCAN" -m hello '[::1]'
    assert_output hello
    run -1 "$TINCAN" -m hello 192.0.2.1
    run -0 ss -Hltn 'sport = :4040'
    refute_line --regexp '(0\.0\.0\.0|\*|\[::\]):4040'
    restore
    run -0 "$TINCAN" -m hello 192.0.2.1
}

@test "allowed-networks.conf: a peer in one of the networks is served, and no other" {
    use tincan.socket allowed-networks
    local inside
    inside=$(load_tool member "$(shown tincan.socket IPAddressAllow)")
    ip address add "$inside/32" dev lo
    ip address add 198.51.100.1/32 dev lo
    run -0 load_tool ask --from="$inside" "$inside:4040" 'hello\0'
    ip address del "$inside/32" dev lo
    assert_output 'hello\x00'
    run -1 load_tool ask --timeout=2 --from=198.51.100.1 198.51.100.1:4040 'hello\0'
    restore
    run -0 load_tool ask --from=198.51.100.1 198.51.100.1:4040 'hello\0'
    assert_output 'hello\x00'
}

# echoes_to_user UID PATH
echoes_to_user() {
    run -0 setpriv --reuid="$1" --clear-groups "$TINCAN" -m hello "unix:$2"
    assert_output hello
}

@test "unix.conf: a path is served, and with unix-users.conf its peers' users are logged" {
    use tincan.socket unix
    use tincan@.service unix-users
    local path user
    path=$(sed -n 's/^ListenStream=\(\/.*\)/\1/p' "$EXAMPLES/unix.conf")
    assert [ -S "$path" ]
    for user in 0 4242 4243; do
        echoes_to_user "$user" "$path"
    done
    wait_until 10 logged 3
    run -0 outcomes
    for user in 0 4242 4243; do
        assert_line --regexp "^peer=\"unix:uid=$user,pid=[0-9]+\" result=echoed "
    done
    rm "$CONFIGURED/tincan@.service.d/unix-users.conf"
    systemctl daemon-reload
    echoes_to_user 4242 "$path"
    wait_until 10 logged 4
    run -0 outcomes
    assert_line --regexp '^peer="unix:uid=65534,pid=[0-9]+" result=echoed '
}

@test "unix-users.conf costs an exposure of 0.2 at most" {
    use tincan@.service unix-users
    run -0 exposure --offline=true "$UNITS/tincan@.service"
    assert_output --regexp '^[0-9]+$'
    assert [ "$output" -le 22 ]
}

@test "a path of one's own is served beside the port, by a drop-in of two lines" {
    printf '[Socket]\nListenStream=/run/tincan.sock\n' | drop_in tincan.socket
    run -0 "$TINCAN" -m hello unix:/run/tincan.sock
    assert_output hello
    run -0 "$TINCAN" -m hello 127.0.0.1
    assert_output hello
    rm -f /run/tincan.sock
}

# The port is not 4040 here: all systems on a machine have the same ports of vsock.
@test "vsock.conf: the socket listens, and where this machine reaches itself by vsock, echoes" {
    local port=$((1024 + RANDOM * 32768 + RANDOM))
    sed "s/4040/$port/" "$EXAMPLES/vsock.conf" | drop_in tincan.socket
    assert_verified tincan.socket tincan@.service
    run -0 systemctl is-active tincan.socket
    run -0 systemctl show -p Listen tincan.socket
    assert_output --partial "vsock::$port "
    if timeout 2 "$TINCAN" -q -m '' "vsock:1:$port" 2>/dev/null; then
        run -0 "$TINCAN" -m hello "vsock:1:$port"
        assert_output hello
    fi
}

@test "tagged.conf: replies have the peer in front" {
    use tincan@.service tagged
    run -0 load_tool ask --from=127.0.0.7 127.0.0.1:4040 'hello\0'
    assert_output --regexp "^\('127\.0\.0\.7', [0-9]+\): hello\\\\x00\$"
}

@test "quiet.conf: nobody's message is in the journal, and neither is their being there" {
    use tincan@.service quiet
    run -0 load_tool flood --count=20 127.0.0.1:4040
    assert_output answered=20
    load_tool flood --kind=garbage --count=20 127.0.0.1:4040
    wait_until 30 no_instances
    run -0 journal -o cat -u 'tincan@*'
    assert_output ''
}

@test "quiet.conf does not hide a handler that is broken" {
    use tincan@.service quiet
    printf '[Service]\nExecStart=\nExecStart=/usr/sbin/no-such-handler\n' | drop_in tincan@.service
    run -0 load_tool ask 127.0.0.1:4040 'hello\0'
    assert_output ''
    wait_until 30 no_instances
    assert [ "$(instance_failures)" -ge 1 ]
}

@test "the echo works, and is logged once, while systemd itself logs all it does" {
    systemctl log-level debug
    run "$TINCAN" -m hello 127.0.0.1
    systemctl log-level info
    assert_success
    assert_output hello
    wait_until 10 logged 1
    run -0 outcomes
    assert_equal "${#lines[@]}" 1
    assert_equal "$(instance_failures)" 0
}

@test "strict.conf, tagged.conf and a list of networks work together" {
    use tincan@.service strict
    use tincan@.service tagged
    use tincan.socket localhost
    run -0 load_tool ask 127.0.0.1:4040 'hello\0'
    assert_output --regexp "^\('127\.0\.0\.1', [0-9]+\): hello\\\\x00\$"
}

@test "the echo works where the kernel has no seccomp" {
    printf '[Service]\nSystemCallFilter=\nSystemCallFilter=~seccomp\nSystemCallErrorNumber=ENOSYS\n' |
        drop_in tincan@.service
    run -0 "$TINCAN" -m hello 127.0.0.1
    assert_output hello
    wait_until 10 logged 1
    assert_equal "$(instance_failures)" 0
}

@test "in a read-only root that holds nothing but the handler the echo works, and is logged" {
    local root=/var/lib/tincan-tests/root
    mkdir -p "$root/usr/sbin"
    cp "$HANDLER" "$root/usr/sbin/"
    printf '[Service]\nRootDirectory=%s\nReadOnlyPaths=/\n' "$root" | drop_in tincan@.service
    run -0 "$TINCAN" -m hello 127.0.0.1
    assert_output hello
    wait_until 10 logged 1
    assert_equal "$(instance_failures)" 0
}
