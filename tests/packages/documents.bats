# SPDX-License-Identifier: MIT
# The blocks of the documents work as they are printed where the packages were installed, which put the
# programs into /usr. tests/documents.bats and tests/systemd/documents.bats run them after `make install`.

setup() {
    load common
    load ../helpers/documents
    clean
    install_packages now
    ln -sf "$(command -v env)" /run/sudo
    grep -q server.example /etc/hosts || echo '127.0.0.1 server.example server.example.org host' >>/etc/hosts
}

teardown() {
    stop_started
}

@test "documents: with packages, README: systemd, a process for each connection, one for all, another port" {
    wait_until 20 shows 'README.md/Run it/1'
    shows 'README.md/Run it/2'
    echoes
    systemctl stop tincand.socket tincand.service
    shows 'README.md/Run it/3'
    run -0 tincan -m hello 127.0.0.1:5050
}

@test "documents: with packages, README: inetd, with the path that it names" {
    local conf=/usr/share/doc/tincan-server/examples/tincan.conf
    run -0 document show 'README.md/Run it/4'
    grep -q "With packages it is \`$conf\`" "${TESTS%/*}/README.md"
    shows 'README.md/Run it/4' "|/usr/local/share/doc/tincan/examples/tincan.conf|$conf|"
    run -0 awk '$1 == "tincan" { print $6 }' /etc/inetd.conf
    assert_output /usr/sbin/tincan-handler
    sed -i '/^tincan /d' /etc/services
    rm /etc/inetd.conf
}

@test "documents: with packages, README: tcpserver, s6, socat, ncat" {
    serves 'README.md/Run it/5' 1
    SERVES_AT=unix:/run/tincan.sock serves 'README.md/Run it/5' 2
    serves 'README.md/Run it/5' 3
    serves 'README.md/Run it/5' 4
}

@test "documents: with packages, README and tincan(1): the client" {
    systemctl start tincand.socket
    shows 'README.md/The client/1'
    shows 'README.md/The client/2' '|--warning 100ms --critical 500ms|--warning 9s --critical 10s|'
    printf 'one\ntwo\n' >lines
    head -c 500K /dev/zero | tr '\0' x >file
    shows 'tincan.1/EXAMPLES/1'
    shows 'tincan.1/EXAMPLES/2'
    shows 'tincan.1/EXAMPLES/3'
    cmp file copy
    shows 'tincan.1/EXAMPLES/6'
}

@test "documents: with packages, tincan-handler(8)" {
    shows 'tincan-handler.8/EXAMPLES/1'
    serves 'tincan-handler.8/EXAMPLES/2' 1
    serves 'tincan-handler.8/EXAMPLES/2' 2
    mkdir -p /etc/systemd/system/tincan@.service.d
    document shown 'tincan-handler.8/EXAMPLES/3' >/etc/systemd/system/tincan@.service.d/override.conf
    run -0 bash -c "$(document command 'tincan-handler.8/EXAMPLES/3' 2)"
    run -1 tincan -q --sweep 65536-65537
    assert_output --partial 'the smallest that fails: 65537 bytes'
}

@test "documents: with packages, tincand(8)" {
    serves 'tincand.8/EXAMPLES/1' 1
    shows 'tincand.8/EXAMPLES/2'
    shows 'tincand.8/EXAMPLES/3'
    echoes
}
