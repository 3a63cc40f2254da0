#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # what bats and the helpers set
# The configurations in client/RECIPES.md, with the programs that they are for, where Debian has them.

load helpers/common
load helpers/client_common
load helpers/documents

setup() {
    cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
    stop_started
}

@test "recipes not run" {
    not_run 'RECIPES.md/Envoy/1' "Debian has no Envoy"
    not_run 'RECIPES.md/node_exporter, from a timer of systemd/3' "make check-prometheus has Prometheus evaluate it"
    not_run 'RECIPES.md/blackbox_exporter/1' "the exporter would be a package of 30 MB for one test; tried by hand"
}

# Unpacked by fetch-launchers, as Debian's package would start a service; or installed.
HAPROXY=${TESTS%/*}/build/launchers/haproxy/usr/sbin/haproxy
[ -x "$HAPROXY" ] || HAPROXY=haproxy

# haproxy_in_front SERVER: HAProxy as the recipe has it, with its one server there, at unix:echo.
haproxy_in_front() {
    {
        printf 'global\n    stats socket %s/admin level admin\n' "$PWD"
        document show 'RECIPES.md/HAProxy/1' | sed -e "s|bind :4040|bind unix@$PWD/echo|" -e '/server two/d' \
            -e "s|192.0.2.11:4040|$1|" -e 's|inter 2s|inter 100ms|'
    } >haproxy.cfg
    "$HAPROXY" -c -q -f haproxy.cfg
    start "$HAPROXY" -db -q -f haproxy.cfg
}

# server_is STATUS CHECK: what HAProxy thinks of its server, and what the last check came to.
server_is() {
    [[ $(echo 'show stat' | socat - UNIX-CONNECT:admin 2>/dev/null |
        python3 -c '
import csv, sys
for row in csv.DictReader(sys.stdin):
    if row["svname"] == "one":
        print(row["status"], row["check_status"].strip("* "))') == "$1 $2" ]]
}

# at ADDRESS TINCAND-OR-BEHAVIOUR: the server there from now on.
at() {
    if [[ $2 == tincand ]]; then
        start "$TINCAND" --quiet --listen "$1"
    else
        start python3 "$SCRIPTED_SERVER" --on "${1/:/#}" address "$2"
    fi
    SERVER=$STARTED
}

# replace ADDRESS TINCAND-OR-BEHAVIOUR: the server there is another from now on.
replace() {
    kill "$SERVER"
    wait "$SERVER" || true
    at "$@"
}

@test "HAProxy holds a server for up that echoes, and for down one that alters or is gone" {
    need "$HAPROXY" socat
    [[ -x $TINCAND ]] || skip "tincand is not built; it needs libsystemd (Debian: libsystemd-dev)"
    local address behaviour
    address=127.0.0.1:$(free_port)
    haproxy_in_front "$address"
    wait_until 60 server_is DOWN L4CON
    at "$address" tincand
    wait_until 60 server_is UP L7OK
    "$TINCAN" -q -c 3 -i 1ms "unix:$PWD/echo"
    for behaviour in flip:3 strip-high-bit to-crlf tag:x extra:x close-after-reading; do
        replace "$address" "$behaviour"
        echo "with $behaviour" >&2
        wait_until 60 server_is DOWN L7RSP
        run "$TINCAN" -c 1 "unix:$PWD/echo"
        assert_failure 1
        replace "$address" tincand
        wait_until 60 server_is UP L7OK
    done
}

@test "systemd has nothing to say of the timer's units" {
    need systemd-analyze
    document show 'RECIPES.md/node_exporter, from a timer of systemd/1' | sed "s|/usr/local/bin/tincan|$TINCAN|" >tincan-probe@x.service
    document show 'RECIPES.md/node_exporter, from a timer of systemd/2' >tincan-probe@x.timer
    grep -q "^ExecStart=$TINCAN " tincan-probe@x.service
    grep -q '^OnCalendar=' tincan-probe@x.timer
    run -0 systemd-analyze verify --man=no ./tincan-probe@x.service ./tincan-probe@x.timer
    assert_output ''
}

@test "the timer's command writes a file that parses" {
    serve echo
    local command
    command=$(document show 'RECIPES.md/node_exporter, from a timer of systemd/1' | sed -n 's/^ExecStart=//p')
    command=${command/'/usr/local/bin/tincan'/$TINCAN}
    command=${command/'/var/lib/node_exporter'/$PWD}
    command=${command//%i/$ADDRESS}
    # shellcheck disable=SC2086 # it is a command with arguments
    run -0 ${command/-c 10/-c 2 -i 1ms}
    "$TESTS/helpers/probe_reports.py" prometheus "tincan-$ADDRESS.prom" | grep -qx "tincan_success{target=\"$ADDRESS\"} 1"
}

@test "keepalived's and Nagios' commands are as the client wants them" {
    serve echo
    local command
    command=$(document show 'RECIPES.md/keepalived/1' | sed -n 's/.*misc_path "\(.*\)"$/\1/p')
    command=${command/'/usr/local/bin/tincan'/$TINCAN}
    # shellcheck disable=SC2086 # it is a command with arguments
    run -0 ${command/192.0.2.11:4040/$ADDRESS}
    command=$(document show 'RECIPES.md/Nagios, Icinga, Naemon, Checkmk and others with such plugins/1' | sed -n 's/.*command_line *//p')
    command=${command/'/usr/local/bin/tincan'/$TINCAN -i 1ms}
    command=${command/'$ARG1$'/4000} command=${command/'$ARG2$'/5000}
    # shellcheck disable=SC2086
    run -0 ${command/'$HOSTADDRESS$'/$ADDRESS}
    assert_output --partial 'TINCAN OK - 5 of 5'
}
