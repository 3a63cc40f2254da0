#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# `make install`: all of it or nothing.

setup() {
    load helpers/common
    ROOT=$BATS_TEST_TMPDIR/root
    mkdir "$ROOT"
}

# make_install VARIABLE=VALUE...
make_install() {
    make -s -C "$TESTS/.." install U="$BATS_TEST_TMPDIR/units" DESTDIR="$ROOT" "$@"
}

@test "what is installed is uninstalled, without a file left" {
    run -0 make_install
    [ -x "$ROOT/usr/local/sbin/tincan-handler" ]
    run -0 make -s -C "$TESTS/.." uninstall DESTDIR="$ROOT"
    run -0 find "$ROOT" ! -type d
    assert_output ''
}

@test "where a folder can't be made, nothing is installed, and it says where" {
    touch "$ROOT/share"
    run ! make_install prefix= datarootdir=/share
    assert_output --partial "cannot install to $ROOT/share/man/man1: $ROOT/share can't be written to; nothing was installed"
    run -0 find "$ROOT" -mindepth 1
    assert_output "$ROOT/share"
}

@test "on a read-only file system nothing is installed, and it says where" {
    need unshare
    unshare --map-root-user --mount true || skip "no namespaces here"
    mkdir "$ROOT/local"
    run ! unshare --map-root-user --mount bash -c "
        mount -t tmpfs -o ro none '$ROOT/local' &&
        make -s -C '$TESTS/..' install U='$BATS_TEST_TMPDIR/units' DESTDIR='$ROOT' \
            prefix=/local sysconfdir=/etc"
    assert_output --partial "cannot install to $ROOT/local/bin: $ROOT/local can't be written to; nothing was installed"
    run -0 find "$ROOT" -mindepth 1
    assert_output "$ROOT/local"
}
