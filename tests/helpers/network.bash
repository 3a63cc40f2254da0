# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Two hosts with a cable between them: `load helpers/network` after common. The client's host is
# 192.0.2.1 and 2001:db8::1; the server's, where tincand listens on port 4040, 192.0.2.2 and
# 2001:db8::2. Each is a network namespace that lives as long as a process that `start` started.

# hosts: makes them, with the cable not yet plugged in.
hosts() {
    need nsenter nft ss
    [[ -x $TINCAND ]] || skip "tincand is not built; it needs libsystemd (Debian: libsystemd-dev)"
    need_own_sysctls
    host "$TINCAND" --quiet --listen '[::]:4040' --max-connections-per-source 900 \
        --grace 1ms
    SERVER=$STARTED
    wait_until 60 listening
    host tail -f /dev/null
    CLIENT=$STARTED
}

# host COMMAND...: starts it in a network namespace of its own.
host() {
    start unshare -n "$@"
    wait_until 60 apart "$STARTED"
}

apart() {
    [[ $(readlink "/proc/$1/ns/net") != "$(readlink /proc/self/ns/net)" ]]
}

listening() {
    [[ -n $(on_server ss -Hltn 'sport = 4040') ]]
}

on_client() {
    nsenter -n -t "$CLIENT" "$@"
}

on_server() {
    nsenter -n -t "$SERVER" "$@"
}

# plug_in: plugs in a cable.
plug_in() {
    ip link add name cable netns "$CLIENT" type veth peer name cable netns "$SERVER" ||
        skip "this kernel has no veth"
    set_addresses
}

# plug_in_slow SECONDS: plugs in one in which each packet is under way for so long.
plug_in_slow() {
    host tail -f /dev/null
    local middle=$STARTED
    ip link add name cable netns "$CLIENT" type veth peer name left netns "$middle" ||
        skip "this kernel has no veth"
    ip link add name cable netns "$SERVER" type veth peer name right netns "$middle"
    for end in left right; do
        nsenter -n -t "$middle" ip link set "$end" addrgenmode none up
    done
    start nsenter -n -t "$middle" python3 "$TESTS/helpers/slow_cable.py" left right "$1"
    set_addresses
    wait_until 60 on_client "$TINCAN" -q -m '' -W 3s 192.0.2.2 2>/dev/null
}

set_addresses() {
    local side
    for side in client server; do
        "on_$side" ip link set lo up
        "on_$side" ip link set cable addrgenmode none up
        # What packets carry and when they are sent again is not to depend on the machine.
        "on_$side" sysctl -qw net.ipv4.tcp_timestamps=1 net.ipv4.tcp_mtu_probing=0
    done
    on_client ip address add 192.0.2.1/24 dev cable
    on_server ip address add 192.0.2.2/24 dev cable
    on_client ip address add 2001:db8::1/64 dev cable nodad
    on_server ip address add 2001:db8::2/64 dev cable nodad
}

# resend_after SECONDS: both hosts send data that is not acknowledged again after this time at the
# earliest, and not after the usual 200 ms, which a busy machine may take for anything.
resend_after() {
    on_client ip route change 192.0.2.0/24 dev cable rto_min "$1s"
    on_server ip route change 192.0.2.0/24 dev cable rto_min "$1s"
}

# obey SIDE RULES: the packets that arrive at that side (client, server) pass these rules of nftables
# (separated by semicolons), and none that were there before.
obey() {
    "on_$1" nft -f - <<NFT || skip "nftables can't do that here"
flush ruleset
table inet faults {
    chain arriving {
        type filter hook input priority 0;
        $2;
    }
}
NFT
}
