# SPDX-License-Identifier: MIT
# What LAUNCHING.md says of systemd; tests/launching.bats is of the other launchers.

setup() {
    load common
    load ../helpers/launching
}

teardown() {
    systemctl stop tincan-launching.socket 'tincan-launching*.service' || true
    systemctl reset-failed
    rm -f /run/systemd/system/tincan-launching*
    systemctl daemon-reload
}

# start_socket ACCEPT [SETTING]...: starts a socket of its own with a service that has these settings.
# Lines of SOCKET are for the socket.
start_socket() {
    local instance=''
    [ "$1" = no ] || instance=@
    printf '[Socket]\nListenStream=127.0.0.1:5050\nAccept=%s\n%s\n' "$1" "${SOCKET-}" \
        >/run/systemd/system/tincan-launching.socket
    printf '%s\n' "${@:2}" >"/run/systemd/system/tincan-launching$instance.service"
    systemctl daemon-reload
    systemctl start tincan-launching.socket
}

# row_of ROW ACCEPT [SETTING]...: systemd with these settings hands over what the rows say.
row_of() {
    start_socket "$2" '[Service]' 'ExecStart=/usr/lib/tincan-tests/handover' "${@:3}"
    hands_over "$1" 127.0.0.1 5050
}

# connect COUNT: connects so often, and waits for each to be closed.
connect() {
    local number
    for ((number = 0; number < $1; number++)); do
        load_tool ask 127.0.0.1:5050 'hello\0' || return
    done
}

# failed_instances COUNT
failed_instances() {
    [ "$(systemctl list-units --all --plain --no-legend 'tincan-launching@*' | grep -c failed)" -eq "$1" ]
}

@test "launching: what systemd hands over with Accept=yes and StandardInput=socket" {
    row_of 'systemd, Accept=yes, StandardInput=socket' yes StandardInput=socket
}

@test "launching: what systemd hands over with StandardError=journal as well" {
    row_of 'systemd, the same and StandardError=journal' yes StandardInput=socket StandardError=journal
}

@test "launching: what systemd hands over with Accept=yes alone" {
    row_of 'systemd, Accept=yes alone' yes
}

@test "launching: what systemd hands over with Accept=no" {
    row_of 'systemd, Accept=no' no
}

@test "launching: a socket that meets its trigger limit refuses everybody until it is restarted" {
    SOCKET=$'TriggerLimitIntervalSec=1h\nTriggerLimitBurst=5' \
        start_socket yes '[Service]' ExecStart=/usr/sbin/tincan-handler StandardInput=socket
    run connect 20
    wait_until 20 [ "$(shown tincan-launching.socket Result)" = trigger-limit-hit ]
    run -1 "$TINCAN" -m hello 127.0.0.1:5050
    assert_output --partial refused
    systemctl reset-failed
    systemctl restart tincan-launching.socket
    run -0 "$TINCAN" -m hello 127.0.0.1:5050
    assert_output hello
}

@test "launching: failed instances stay unless CollectMode= removes them" {
    start_socket yes '[Service]' ExecStart=/bin/false StandardInput=socket
    connect 5
    wait_until 20 failed_instances 5
    systemctl reset-failed
    systemctl stop tincan-launching.socket
    start_socket yes '[Unit]' CollectMode=inactive-or-failed '[Service]' ExecStart=/bin/false StandardInput=socket
    connect 5
    wait_until 20 failed_instances 0
}

# in_force PROPERTY VALUE: of the socket; VALUE may be a pattern.
in_force() {
    # shellcheck disable=SC2053 # a pattern
    [[ $(shown tincan-launching.socket "$1") = $2 ]] || fail "$1 is $(shown tincan-launching.socket "$1")"
}

# Before systemd 255 a socket has no poll limit.
has_poll_limit() {
    [ -n "$(shown tincan-launching.socket PollLimitBurst)" ]
}

@test "launching: what systemd limits unless it is set" {
    start_socket yes '[Service]' ExecStart=/usr/sbin/tincan-handler StandardInput=socket
    in_force MaxConnections 64
    in_force MaxConnectionsPerSource '[06]*'
    in_force TriggerLimitIntervalUSec 2s
    in_force TriggerLimitBurst 200
    ! has_poll_limit || { in_force PollLimitIntervalUSec 2s && in_force PollLimitBurst 150; }
}

@test "launching: above its poll limit a socket is ignored for a while, and nothing is logged" {
    SOCKET=$'PollLimitIntervalSec=3s\nPollLimitBurst=3' \
        start_socket yes '[Service]' ExecStart=/usr/sbin/tincan-handler StandardInput=socket
    has_poll_limit || return 0
    begin_journal
    connect 6
    assert [ $((${EPOCHREALTIME/./} - ${BEGAN/./})) -ge 2500000 ]
    in_force ActiveState active
    run -0 journal -o cat -u tincan-launching.socket
    assert_output ''
}

@test "launching: a socket whose address was changed listens nowhere until it is restarted" {
    start_socket yes '[Service]' ExecStart=/usr/sbin/tincan-handler StandardInput=socket
    sed -i s/5050/5051/ /run/systemd/system/tincan-launching.socket
    systemctl daemon-reload
    run -1 "$TINCAN" -m hello 127.0.0.1:5050
    run -1 "$TINCAN" -m hello 127.0.0.1:5051
    systemctl restart tincan-launching.socket
    run -0 "$TINCAN" -m hello 127.0.0.1:5051
    run -1 "$TINCAN" -m hello 127.0.0.1:5050
}

@test "launching: a socket that is restarted too often fails until reset-failed" {
    start_socket yes '[Service]' ExecStart=/usr/sbin/tincan-handler StandardInput=socket
    local restarts
    for ((restarts = 0; restarts < 100; restarts++)); do
        systemctl restart tincan-launching.socket || break
    done
    assert [ "$restarts" -lt 100 ]
    run -1 systemctl restart tincan-launching.socket
    systemctl reset-failed tincan-launching.socket
    systemctl restart tincan-launching.socket
    run -0 "$TINCAN" -m hello 127.0.0.1:5050
}
