#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The Makefile: `make install`, all of it or nothing; and what is built again when, in a copy of the
# sources.

setup() {
    load helpers/common
    ROOT="$BATS_TEST_TMPDIR/a root"
    mkdir "$ROOT"
    TOP=${TESTS%/*}
}

# copy_sources: a copy of what `make` needs, in the current folder.
copy_sources() {
    mkdir "$BATS_TEST_TMPDIR/copy"
    cd "$BATS_TEST_TMPDIR/copy" || return
    cp -R "$TOP"/{Makefile,common,handler,tincand,client,units,packaging,tests,*.md,LICENSE} .
}

# own_make ...: make without the variables of the one that runs the tests, and quick.
own_make() {
    env -u MAKEFLAGS -u MAKELEVEL make -j 2 CFLAGS=-O0 "$@"
}

# makes_again TARGET VARIABLE=VALUE...: TARGET is up to date, but not when these are set as well; and then
# it is.
makes_again() {
    run -0 own_make "$1"
    refute_output --partial ' -o '
    run -0 own_make "$@"
    assert_output --partial " -o $1 "
    run -0 own_make "$@"
    refute_output --partial ' -o '
    own_make -s "$1"
}

@test "what is installed is uninstalled, without a file or a folder of tincan's left" {
    run -0 make_install "$ROOT"
    [ -x "$ROOT/usr/local/sbin/tincan-handler" ]
    run -0 make -s -C "$TOP" uninstall DESTDIR="$ROOT"
    run -0 find "$ROOT" ! -type d -o -name '*tincan*'
    assert_output ''
}

@test "uninstalling leaves what it did not install, also in the folders of tincan" {
    local file shared=("prefix=/usr" "docdir=/usr/share/doc")
    run -0 make_install "$ROOT" "${shared[@]}"
    mkdir -p "$ROOT/usr/share/doc/other"
    for file in doc/other/README doc/examples/mine.conf doc/README; do
        echo mine >"$ROOT/usr/share/$file"
    done
    mkdir -p "$ROOT/usr/lib/systemd/system/tincan.socket.d"
    echo mine >"$ROOT/usr/lib/systemd/system/tincan.socket.d/mine.conf"
    run -0 make -s -C "$TOP" uninstall DESTDIR="$ROOT" "${shared[@]}"
    run -0 bash -c 'cd "$1" && find . -type f | sort' - "$ROOT"
    assert_output "./usr/lib/systemd/system/tincan.socket.d/mine.conf
./usr/share/doc/README
./usr/share/doc/examples/mine.conf
./usr/share/doc/other/README"
}

@test "uninstalling what is not there succeeds" {
    run -0 make -s -C "$TOP" uninstall DESTDIR="$ROOT"
    assert_output ''
}

# before_removal LEFT: does in the root what the RPM package of tincand does before LEFT of it are left.
before_removal() {
    printf '#!/bin/sh\n[ "$1" = stop ] || exec %q --root=%q "$@"\n' \
        "$(command -v systemctl)" "$ROOT" >"$BATS_TEST_TMPDIR/systemctl"
    chmod +x "$BATS_TEST_TMPDIR/systemctl"
    sed -n '/^%preun -n tincand$/,/^%postun/ { /^%/d; p }' "$TOP/packaging/rpm/tincan.spec.in" |
        PATH=$BATS_TEST_TMPDIR:$PATH sh -eu -s "$1"
}

@test "the RPM package leaves no instance enabled when it is removed, and each when it is upgraded" {
    need systemctl
    local wanted="$ROOT/etc/systemd/system/sockets.target.wants"
    make_install "$ROOT" prefix=/usr
    systemctl --quiet --root="$ROOT" enable tincand@1.socket tincand@2.socket
    before_removal 1
    run -0 ls "$wanted"
    assert_output $'tincand@1.socket\ntincand@2.socket'
    before_removal 0
    run ls "$wanted"
    refute_output --partial tincand
}

@test "whatever the umask, all may read what is installed" {
    umask 077
    run -0 make_install "$ROOT"
    run -0 find "$ROOT/usr" ! -perm -a=r -o -type d ! -perm -a=x
    assert_output ''
}

@test "where a folder can't be made, nothing is installed, and it says where" {
    touch "$ROOT/share"
    run ! make_install "$ROOT" prefix= datarootdir=/share
    assert_output --partial "cannot install to $ROOT/share/man/man1: $ROOT/share can't be written to; nothing was installed"
    run -0 find "$ROOT" -mindepth 1
    assert_output "$ROOT/share"
}

@test "on a read-only file system nothing is installed, and it says where" {
    need unshare
    local own_mounts=(unshare --mount)
    [ "$(id -u)" -eq 0 ] || own_mounts+=(--map-root-user)
    "${own_mounts[@]}" true 2>/dev/null ||
        skip "no mount namespace can be made here: that takes CAP_SYS_ADMIN, or user namespaces"
    mkdir "$ROOT/local"
    export -f make_install
    run ! "${own_mounts[@]}" bash -c '
        mount -t tmpfs -o ro none "$1/local" &&
        make_install "$1" prefix=/local sysconfdir=/etc' - "$ROOT"
    assert_output --partial "cannot install to $ROOT/local/bin: $ROOT/local can't be written to; nothing was installed"
    run -0 find "$ROOT" -mindepth 1
    assert_output "$ROOT/local"
}

@test "a changed header is compiled into the programs, and into those of the tests" {
    copy_sources
    own_make -s build/tests/frame-test build/tests/tincan-handler-breakout
    run -0 own_make build/tests/frame-test build/tests/tincan-handler-breakout
    refute_output --partial ' -o '
    touch common/frame.h
    run -0 own_make build/tests/frame-test build/tests/tincan-handler-breakout
    for made in obj/common/frame.o obj/tests/frame-test.o tests/frame-test handler-obj/handler/exchange.o \
        handler-obj/tests/breakout.o tests/tincan-handler-breakout; do
        assert_output --partial " -o build/$made "
    done
    refute_output --partial ' -c -o build/obj/common/clock.o '
}

@test "what was compiled or linked by another command is made again, and only that" {
    copy_sources
    own_make -s build/tincan-handler build/obj/common/tag.o
    makes_again build/tincan-handler LDFLAGS=-Wl,-O1
    makes_again build/tincan-handler HANDLER_LDFLAGS=
    makes_again build/tincan-handler SANDBOX=none
    makes_again build/handler-obj/common/tag.o HANDLER_CC='gcc -pipe'
    makes_again build/obj/common/tag.o CC='gcc -pipe'
    makes_again build/obj/common/tag.o CFLAGS=-O1
    makes_again build/obj/common/tag.o CPPFLAGS=-DNDEBUG
    makes_again build/obj/common/tag.o HARDEN=
}

@test "units are made again when they are to name other paths" {
    copy_sources
    run -0 own_make -s units
    run -0 own_make units sbindir=/elsewhere
    run -0 grep -c '^ExecStart=/elsewhere/tincan-handler' build/units/systemd/tincan@.service
}

@test "it builds without musl, libedit and libsystemd, and tells of the latter" {
    copy_sources
    run -0 own_make -s HANDLER_CC=gcc LIBEDIT=no LIBSYSTEMD=no
    assert_output --partial 'tincand: left out, as pkg-config finds no libsystemd'
    assert_output --partial 'line editing with libedit: no'
    run -0 bash -c 'printf "hello\0" | build/tincan-handler --quiet | tr "\0" .'
    assert_output hello.
    run -0 build/tincan --version
    run -0 own_make -s HANDLER_CC=gcc LIBEDIT=no LIBSYSTEMD=no install DESTDIR="$ROOT"
    run -0 find "$ROOT" -name '*tincand*'
    assert_output ''
}

@test "for another machine the handler is left to the compiler for that, with the sandbox it can have" {
    local machine
    copy_sources
    printf '#!/bin/sh\n[ "$*" != -dumpmachine ] || exec echo "$MACHINE-linux-gnu"\nexec gcc "$@"\n' >other-cc
    chmod +x other-cc
    for machine in riscv32:none riscv64:seccomp s390x:seccomp; do
        export MACHINE=${machine%:*}
        run -0 own_make -s CC=./other-cc --eval='show: ; @echo $(HANDLER_CC) $(SANDBOX)' show
        assert_output "./other-cc ${machine#*:}"
    done
}

@test "programs are position independent and fortified, unless HARDEN or the user's flags say otherwise" {
    need readelf
    copy_sources
    own_make -s build/tincan-handler build/tests/deny
    run -0 readelf -h build/tincan-handler build/tests/deny
    assert_equal "$(grep -c 'Type:.*DYN' <<<"$output")" 2
    run -0 readelf -l build/tincan-handler
    refute_output --partial interpreter
    run -0 own_make build/obj/common/text.o CFLAGS=-O2
    assert_output --partial '_FORTIFY_SOURCE=3'
    run -0 own_make build/obj/common/text.o CFLAGS=-O2 CPPFLAGS='-Werror -D_FORTIFY_SOURCE=1'
    refute_output --partial '_FORTIFY_SOURCE=3'
    run -0 own_make build/obj/common/text.o CFLAGS='-O0 -Werror'
    refute_output --partial '_FORTIFY_SOURCE'
    run -0 own_make build/tincan-handler build/tests/deny CFLAGS=-fno-pie LDFLAGS=-no-pie HARDEN=
    run -0 readelf -h build/tincan-handler build/tests/deny
    assert_equal "$(grep -c 'Type:.*EXEC' <<<"$output")" 2
}

@test "compile_commands.json has every C file, and what it says compiles" {
    copy_sources
    own_make -s compile_commands.json
    run -0 python3 - <<'PYTHON'
import json, pathlib, subprocess
commands = json.load(open("compile_commands.json"))
listed = {entry["file"] for entry in commands}
there = {str(path) for path in pathlib.Path().glob("**/*.c")}
# One line editor and one sandbox of two are chosen.
assert len(there - listed) == 2 and not listed - there, listed ^ there
for entry in commands[:2] + commands[-2:]:
    subprocess.run(entry["command"] + " -fsyntax-only", shell=True, check=True, cwd=entry["directory"])
PYTHON
}

@test "make help names every target that is for people" {
    run -0 make -s -C "$TOP" help
    while read -r target; do
        case $target in
        FORCE | units | no-tincand | can-install | check-programs | fuzz-programs) ;;
        *) assert_line --regexp "^([a-z]+ )*$target .*[a-z]" ;;
        esac
    done < <(make -np -C "$TOP" help | sed -n 's/^\.PHONY: //p' | tr ' ' '\n')
}
