#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# $SOAK connections through two launchers and to tincand, in a network of their own; `make soak` runs this
# and tests/soak/systemd.bats.

load ../helpers/common
load ../helpers/launchers
load soak

setup() {
    export RING=$BATS_TEST_TMPDIR SOAK=${SOAK:-5000}
    need_nftables
    need_own_sysctls
    start unshare --net tail -f /dev/null
    NETWORK=$STARTED
    wait_until 60 apart
    at_server ip link set lo up mtu 1500
    at_server sysctl -qw net.unix.max_dgram_qlen=10000 net.ipv4.ip_local_port_range='10000 65000'
}

teardown() {
    stop_ring
}

apart() {
    [ "$(readlink "/proc/$NETWORK/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}

at_server() {
    nsenter --net -t "$NETWORK" "$@"
}

server_log() {
    cat "$RING/log"
}

serves() {
    [ -n "$(at_server ss -Hltn 'sport = 4040')" ]
}

# soaked LAUNCHER KIB OPTION...: it and what it starts take $SOAK connections.
soaked() {
    local problem
    export LAUNCHER=$1 PROGRAM
    problem=$(ring_problem)
    [ -z "$problem" ] || skip "$problem"
    PROGRAM=$(program_of "$1")
    : >"$RING/log"
    if logs_to_syslog "$1"; then
        start at_server python3 "$TESTS/helpers/syslog_sink.py" "$RING/dev-log" "$RING/log"
        wait_until 60 [ -S "$RING/dev-log" ]
    fi
    start nsenter --net -t "$NETWORK" "$BASH" -c '. "$TESTS/helpers/launchers.bash"; into_log "become_$LAUNCHER" "$@"' \
        - 4040 --timeout=10s "${@:3}"
    wait_until 60 serves
    soak_server "$STARTED" "$2"
}

@test "soak: tcpserver" {
    soaked tcpserver 256
}

@test "soak: xinetd" {
    soaked xinetd 1024
}

@test "soak: tincand" {
    soaked tincand 4096 --max-connections-per-source=1000
}
