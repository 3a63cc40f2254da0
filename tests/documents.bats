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

@test "documents: each block is run by a test, or a test says why not" {
    run -0 document unlisted "$TESTS"/{documents,recipes}.bats "$TESTS"/systemd/documents.bats
}

@test "documents: not run are" {
    not_run 'tincan.1/EXAMPLES/5' "it takes a virtual machine; tests/client.bats reaches vsock where it can be had"
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
