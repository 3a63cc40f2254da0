#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The documents show what is so: their blocks are run as they are printed, and what they show is what
# comes out, but for times, ports and process ids (MAY_DIFFER in helpers/documents.py). Those of
# RECIPES.md are run in recipes.bats; those that need a booted system in tests/systemd/documents.bats.

load helpers/common
load helpers/documents
load helpers/client_common

setup() {
    TOP=${TESTS%/*}
    cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
    stop_started
}

need_tincand() {
    [[ -x $TINCAND ]] || skip "tincand is not built; it needs libsystemd (Debian: libsystemd-dev)"
}

@test "documents: the pictures are what make pictures makes of the drawings" {
    local picture
    for picture in "$TOP"/*/*.svg; do
        "$TOP/packaging/draw" "${picture%.svg}.txt" | cmp - "$picture"
        python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' "$picture"
    done
}

@test "documents: links resolve, lines have 110 columns at most, and the README 150 lines" {
    local file link
    for file in "$TOP"/{,*/}*.md; do
        [[ $file != */build/* ]] || continue
        while read -r link; do
            [[ $link = http* || -e ${file%/*}/${link%#*} ]] || fail "$file has a link to $link"
        done < <(grep -oP '\]\(\K[^)]+' "$file")
        run -1 env LC_ALL=C.UTF-8 grep -nE '^.{111}' "$file"
    done
    assert [ "$(wc -l <"$TOP/README.md")" -le 150 ]
}

@test "documents: each block is run by a test, or a test says why not" {
    run -0 document unlisted "$TESTS"/{documents,recipes}.bats "$TESTS"/systemd/documents.bats
}

@test "documents: not run are" {
    not_run 'README.md/Install/1' "make check-packages builds the packages so, installs, upgrades and removes them"
    not_run 'README.md/Install/2' "it would make a user here; tests/install.bats installs, tests/systemd/run has the user"
    not_run 'tincan.1/EXAMPLES/5' "it takes a virtual machine; tests/client.bats reaches vsock where it can be had"
}

@test "documents: README: a TCP check passes although the server hangs, and tincan fails" {
    need_tincand
    open_place
    serve_at 4040
    kill -STOP "$STARTED"
    in_place "$BASH" -c ': <>/dev/tcp/127.0.0.1/4040'
    run -1 in_place tincan -W 100ms -m hello
    kill -CONT "$STARTED"
    assert_output --partial timeout
}

@test "documents: README: quickstart" {
    need systemd-socket-activate expect
    open_place
    PLACE_FOLDER=$TOP shows 'README.md/Try it/2'
    PLACE_FOLDER=$TOP run -0 in_place env TERM=dumb LC_ALL=C.UTF-8 expect -c '
        set timeout 60
        log_user 0
        spawn ./quickstart
        log_user 1
        foreach line {wörld q} {
            expect "> " { send "$line\r" } timeout { exit 1 }
        }
        expect eof'
    tr -d '\r' <<<"$output" | document compare 'README.md/Try it/1' '|$ ./quickstart||'
}

@test "documents: README: inetd" {
    PROGRAM=${TESTS%/*}/build/launchers/openbsd-inetd/usr/sbin/inetd
    [[ -x $PROGRAM ]] || skip "openbsd-inetd is not there; tests/helpers/fetch-launchers gets it"
    open_place
    shows 'README.md/Run it/4'
    start become_in_place "$PROGRAM" -d 2>inetd.log
    wait_until 20 in_place tincan -q -m '' 2>/dev/null
    run -0 in_place tincan -m hello
    assert_output hello
}

@test "documents: README: tcpserver, s6, socat, ncat" {
    need tcpserver s6-ipcserver socat ncat
    open_place
    serves 'README.md/Run it/5' 1
    SERVES_AT=unix:/run/tincan.sock serves 'README.md/Run it/5' 2
    serves 'README.md/Run it/5' 3
    serves 'README.md/Run it/5' 4
}

@test "documents: README: the client" {
    need_tincand
    open_place
    serve_at 4040
    shows 'README.md/The client/1'
    shows 'README.md/The client/2'
}

@test "documents: tincan(1): messages" {
    need_tincand
    open_place
    serve_at 4040 --max-bytes 8M
    printf 'one\ntwo\n' >lines
    head -c 5M /dev/zero | tr '\0' x >file
    shows 'tincan.1/EXAMPLES/1'
    shows 'tincan.1/EXAMPLES/2'
    shows 'tincan.1/EXAMPLES/3'
    cmp file copy
    shows 'tincan.1/EXAMPLES/4'
}

@test "documents: tincan(1): probes" {
    need jq
    need_tincand
    open_place
    serve_at 4040
    shows 'tincan.1/EXAMPLES/6'
    shows 'tincan.1/EXAMPLES/9'
    shows 'tincan.1/EXAMPLES/11' '|-c 1000|-c 10|'
}

@test "documents: tincan(1): a path that alters, a limit, a load" {
    need_tincand
    open_place
    serve_by become_in_place --on '127.0.0.1#4041' to-crlf
    shows 'tincan.1/EXAMPLES/7'
    serve_at 4042 --max-bytes 64k
    # The manual leaves a line out.
    local left_out='closed: the server accepted the connection and closed it without a reply: it may be'
    left_out+=' at its limit of connections, or it refused the message'
    shows 'tincan.1/EXAMPLES/8' "|(closed)|(closed) $left_out|"
    serve_at 4043
    shows 'tincan.1/EXAMPLES/10' '|-c 20000|-c 2000|' '|20000 sent, 20000|2000 sent, 2000|'
}

@test "documents: tincan-handler(8)" {
    need systemd-socket-activate socat
    open_place
    shows 'tincan-handler.8/EXAMPLES/1'
    serves 'tincan-handler.8/EXAMPLES/2' 1
    serves 'tincan-handler.8/EXAMPLES/2' 2
}

@test "documents: tincand(8)" {
    need_tincand
    open_place
    serves 'tincand.8/EXAMPLES/1' 1 "|/tmp/|$BATS_TEST_TMPDIR/|"
    grep -v 'bytes=0' served | document compare 'tincand.8/EXAMPLES/1' "|/tmp/|$BATS_TEST_TMPDIR/|"
}
