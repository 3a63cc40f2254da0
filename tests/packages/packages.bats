#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The installed packages in a booted system: what installing, upgrading and removing them does.

setup() {
    load common
    clean
}

teardown() {
    stop_started
}

# enabled_and_listening SOCKET
enabled_and_listening() {
    run -0 systemctl is-enabled "$1"
    run -0 systemctl is-active "$1"
}

assert_all_off() {
    local unit
    for unit in $SOCKETS; do
        run systemctl is-enabled "$unit"
        assert_output disabled
        run systemctl is-active "$unit"
        assert_output inactive
    done
    run systemctl is-active tincand.service
    assert_output inactive
}

# shown UNIT PROPERTY
shown() {
    systemctl show --value -p "$2" "$1"
}

running() {
    [ -n "$(programs)" ]
}

not_running() {
    [ -z "$(programs)" ]
}

@test "nothing is enabled, started or listening after installation" {
    install_packages now
    assert_all_off
    run -0 programs
    assert_output ''
    run grep -L 'disable *= yes' /etc/xinetd.d/tincan /etc/xinetd.d/tincand
    assert_output ''
    # As a system does with all units when it boots for the first time.
    run -0 systemctl preset --preset-mode=enable-only tincan.socket tincand.socket tincand.service
    assert_all_off
}

@test "the units are sound and the user is there" {
    install_packages now
    run -0 systemd-analyze verify --man=no tincan.socket tincand.socket tincand@1.socket
    refute_output --partial tincan
    run -0 id -u _tincan
    [ "$output" -lt 1000 ]
}

@test "enabled, each socket echoes" {
    install_packages now
    for socket in $SOCKETS; do
        run -0 systemctl enable --now "$socket"
        echoes
    done
}

@test "no exchange fails while tincan-server is upgraded, and its socket is not touched" {
    install_packages now
    systemctl enable --now tincan.socket
    since=$(shown tincan.socket ActiveEnterTimestampMonotonic)
    talk
    install_packages next tincan-server
    none_failed
    enabled_and_listening tincan.socket
    assert_equal "$(shown tincan.socket ActiveEnterTimestampMonotonic)" "$since"
    run -0 tincan-handler --version
    assert_output --partial 99.0
}

@test "no exchange fails while tincand is upgraded, and the new one serves" {
    install_packages now
    systemctl enable --now tincand.socket
    talk
    since=$(shown tincand.socket ActiveEnterTimestampMonotonic)
    old=$(shown tincand.service MainPID)
    install_packages next tincand
    none_failed
    enabled_and_listening tincand.socket
    assert_equal "$(shown tincand.socket ActiveEnterTimestampMonotonic)" "$since"
    new=$(shown tincand.service MainPID)
    [ "$new" -ne 0 ] && [ "$new" -ne "$old" ]
    run -0 "/proc/$new/exe" --version
    assert_output --partial 99.0
}

@test "no exchange fails while instances of tincand are upgraded" {
    install_packages now
    systemctl enable --now tincand@1.socket
    talk
    old=$(shown tincand@1.service MainPID)
    install_packages next tincand
    none_failed
    enabled_and_listening tincand@1.socket
    [ "$(shown tincand@1.service MainPID)" -ne "$old" ]
}

# half_a_message: a connection at descriptor 5 on which the rest is still to come.
half_a_message() {
    exec 5<>/dev/tcp/127.0.0.1/4040
    printf 'wör' >&5
}

# the_rest: of the message is sent, and the whole comes back.
the_rest() {
    printf 'ld\0' >&5
    run -0 timeout 10 tr '\0' . <&5
    assert_output 'wörld.'
    exec 5>&-
}

@test "a client in the middle of a message when tincan-server is upgraded gets the echo" {
    install_packages now
    systemctl enable --now tincan.socket
    half_a_message
    wait_until 10 running
    install_packages next tincan-server
    the_rest
}

stopping() {
    [ "$(shown tincand.service ActiveState)" = deactivating ]
}

@test "a client in the middle of a message when tincand is upgraded has its grace to end it" {
    install_packages now
    systemctl enable --now tincand.socket
    half_a_message
    wait_until 10 running
    start install_packages next tincand
    wait_until 20 stopping
    the_rest
    wait "$STARTED"
    echoes
    run -0 tincand --version
    assert_output --partial 99.0
}

@test "what was not enabled is neither enabled nor started by an upgrade" {
    install_packages now
    install_packages next
    assert_all_off
}

@test "removal ends the listening, and those who are connected" {
    install_packages now
    systemctl enable --now tincan.socket
    exec 5<>/dev/tcp/127.0.0.1/4040
    wait_until 10 running
    run -0 dpkg --remove tincan-server
    wait_until 10 not_running
    exec 5>&-
    run -1 tincan -m hello 127.0.0.1
    assert_output --partial refused
    for socket in tincand.socket tincand@1.socket; do
        install_packages now tincand
        systemctl enable --now "$socket"
        echoes
        assert running
        run -0 dpkg --remove tincand
        wait_until 10 not_running
        run -1 tincan -m hello 127.0.0.1
        assert_output --partial refused
    done
}

@test "a removed package that comes back is enabled as it was" {
    install_packages now
    systemctl enable --now tincan.socket
    dpkg --remove tincan-server
    install_packages now tincan-server
    run -0 systemctl is-enabled tincan.socket
}

@test "purge leaves no unit, no process and no file but the user" {
    left_behind >before
    install_packages now
    systemctl enable --now tincan.socket
    echoes
    systemctl enable --now tincand.socket
    echoes
    systemctl enable tincand@2.socket
    run -0 dpkg --purge tincan-client tincan-server tincand
    run -0 programs
    assert_output ''
    run -0 systemctl list-units --all --plain --no-legend 'tincan*.socket' 'tincan*.service'
    refute_output --partial echo
    left_behind >after
    run -0 diff before after
    run -0 id -u _tincan
}

@test "what was purged can be installed again" {
    install_packages now
    systemctl enable --now tincan.socket
    dpkg --purge tincan-client tincan-server tincand
    install_packages now
    run systemctl is-enabled tincan.socket
    assert_output disabled
    systemctl enable --now tincan.socket
    echoes
}

journal_has() {
    journalctl --quiet --boot --output=cat --grep="$1" >/dev/null
}

@test "where the port is taken, installing works, enabling says why it does not" {
    start python3 -c 'if True:
        import socket, time
        s = socket.create_server(("::", 4040), family=socket.AF_INET6, dualstack_ipv6=True)
        open("taken", "w").close()
        while True: s.accept()'
    wait_until 10 [ -e taken ]
    run -0 install_packages now
    run systemctl enable --now tincan.socket
    [ "$status" -ne 0 ]
    assert_output --partial 'journalctl -xe'
    # systemd's own child says it, on its own time.
    wait_until 10 journal_has 'Failed to create listening socket .*: Address already in use'
    stop_started
    run -0 systemctl restart tincan.socket
    echoes
}

@test "a user of the name that is a person's is reported, and used" {
    userdel _tincan
    useradd --uid 1234 _tincan
    run -0 install_packages now
    assert_output --partial "the user '_tincan' exists, with uid 1234"
    systemctl enable --now tincan.socket
    echoes
    userdel _tincan
    run -0 install_packages now
    refute_output --partial "the user '_tincan' exists"
    run -0 id -u _tincan
    echoes
}

@test "a system user of the name, with whatever uid, is used without a word" {
    userdel _tincan
    useradd --system --uid 777 _tincan
    run -0 install_packages now
    refute_output --partial "the user '_tincan' exists"
    run -0 id -u _tincan
    assert_output 777
    systemctl enable --now tincan.socket
    echoes
    userdel _tincan
}

@test "a masked unit stays masked, and the package whole" {
    systemctl mask tincan.socket tincand.service
    run -0 install_packages now
    run -0 install_packages next
    for unit in tincan.socket tincand.service; do
        run systemctl is-enabled "$unit"
        assert_output masked
    done
    run systemctl start tincan.socket
    assert_output --partial masked
    run -0 dpkg --audit
    assert_output ''
    systemctl unmask tincan.socket tincand.service
    systemctl enable --now tincan.socket
    echoes
}

@test "the packages' own tests pass under autopkgtest" {
    local name
    # From Debian 13 on, `null` no longer says that the system it is in may be broken. This one may.
    run -0 autopkgtest --ignore-restrictions=isolation-container \
        "$PACKAGES"/now/tincan{-client,-server,d}_*.deb "$PACKAGES"/now/*.dsc -- null
    for name in pipe activation xinetd upgrade; do
        assert_line --regexp "^$name +PASS"
    done
}
