#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The documents show what is so: their blocks are run as they are printed, and what they show is what
# comes out, but for times, ports and process ids (MAY_DIFFER in helpers/documents.py). Those of
# RECIPES.md are run in recipes.bats; those that need a booted system in tests/systemd/documents.bats.

load helpers/common
load helpers/documents
load helpers/client_common

# An edit: a busy machine is not as fast as the limits in the documents ask.
LENIENT='|--warning 100ms --critical 500ms|--warning 9s --critical 10s|'

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

# options_of PROGRAM: the long options that its --help has.
options_of() {
    { "$@" --help; [[ $1 != "$TINCAN" ]] || "$1" --help=all; } |
        grep -oP '(^ +(-., )?|, )--\K[a-z][a-z-]+' | sort -u
}

@test "documents: the manuals have the options that --help has, and no others" {
    need_tincand
    local program manual
    while read -r program manual; do
        assert_equal "$(options_of "$program")" "$(grep '^\.It.* Fl -' "$TOP/$manual" |
            grep -oP 'Fl -\K[a-z][a-z-]+' | sort -u)"
    done <<TABLE
$TINCAN client/tincan.1
$HANDLER handler/tincan-handler.8
$TINCAND tincand/tincand.8
TABLE
}

@test "documents: the manuals have the results, outcomes and system calls that the sources have" {
    local results calls outcomes each
    results=$(grep -oP '^    \[RESULT_\w+\] = \{"\K[a-z0-9-]+' "$TOP/handler/result.c")
    for each in $results; do
        grep -qx "\.It Cm $each" "$TOP/handler/tincan-handler.8" || fail "$each"
        sed -n '/TINCAN_RESULT=/,/PRIORITY=/p' "$TOP/tincand/tincand.8" | grep -qw -e "$each" || fail "$each"
    done
    outcomes=$(grep -oP '\[OUTCOME_\w+\] = "\K[a-z ]+' "$TOP/client/net/outcome.c" | grep -vx echoed | sort)
    assert_equal "$outcomes" "$(sed -n '/^\.Sh DIAGNOSTICS/,$s/^\.It //p' "$TOP/client/tincan.1" | sort)"
    # Those of this machine: `#ifdef` has what others have instead or as well.
    calls=$(sed '/^#else$/,/^#endif$/d; /^#ifdef __NR_poll$/d; /^#ifdef/,/^#endif$/d' \
        "$TOP/handler/sandbox_seccomp.c" | grep -oP 'ALLOW\(__NR_\K\w+' | sort)
    assert_equal "$calls" "$(sed -n 's/^\.Fn \(\w*\).*/\1/p' "$TOP/handler/tincan-handler.8" | sort)"
    assert_equal "$(wc -w <<<"$calls")" 11 # eleven, as README.md and the manual write it
    grep -q 'eleven system calls' "$TOP/README.md" "$TOP/handler/tincan-handler.8"
}

@test "documents: the log line of the manuals is the handler's" {
    local manual
    printf 'hello world\0' |
        REMOTE_ADDR=192.0.2.7 REMOTE_PORT=51234 "$HANDLER" 2>line >/dev/null
    sed -i 's/usec=[0-9]*/usec=N/; s/ sandbox="none: built without"//' line
    for manual in handler/tincan-handler.8 tincand/tincand.8; do
        grep -m 1 '^peer=192' "$TOP/$manual" | sed 's/usec=[0-9]*/usec=N/' | cmp - line
    done
}

@test "documents: the limits in the README and the manuals are those of units and programs" {
    local socket=$TOP/units/systemd/tincan.socket.in
    assert_equal "$(sed -n 's/^MaxConnections.*=//p' "$socket" | paste -sd' ')" '256 64'
    grep -q 'at most 256 and 64 from one address' "$TOP/README.md"
    grep -q 'allow 256 connections at a time, and 64 of one source' <(tr '\n' ' ' <"$TOP/handler/tincan-handler.8")
    grep -qx 'tincan stream .* nowait\.6000 .* --timeout=30s' "$TOP/units/inetd/tincan.conf.in"
    run -0 "$HANDLER" --help
    assert_line --regexp '--max-bytes=.*default 1M'
    assert_line --regexp '--timeout=.*default 300s'
    grep -q 'last longer than 300 s (`--timeout`), or hold more than 1 MiB (`--max-bytes`)' "$TOP/README.md"
}

@test "documents: tincan(1): nothing to send, and --check" {
    run -0 "$TINCAN" no-such-host.invalid </dev/null
    assert_output ''
    run -2 "$TINCAN" --check no-such-host.invalid
    assert_output --partial 'TINCAN CRITICAL - finding the address of no-such-host.invalid: unresolved'
    run -3 "$TINCAN" --check --warning 2s --critical 1s
    assert_output --partial 'TINCAN UNKNOWN - --warning is above --critical'
    run -0 "$TINCAN" --help=report
    assert_line --regexp 'defaults -c 5 -i 200ms -w 10s'
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
    shows 'README.md/The client/2' "$LENIENT"
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
    within_time # for --check, 20 ms
    need jq
    need_tincand
    open_place
    serve_at 4040
    shows 'tincan.1/EXAMPLES/6'
    shows 'tincan.1/EXAMPLES/10' "$LENIENT" '|;100;500;|;9000;10000;|'
    shows 'tincan.1/EXAMPLES/12' '|-c 1000|-c 10|'
    serve_at 4043
    shows 'tincan.1/EXAMPLES/13'
}

@test "documents: tincan(1): a path that alters, a limit, a load" {
    need_tincand
    open_place
    serve_by become_in_place --on '127.0.0.1#4041' to-crlf
    shows 'tincan.1/EXAMPLES/7'
    shows 'tincan.1/EXAMPLES/9'
    serve_at 4042 --max-bytes 64k
    # The manual leaves a line out.
    local left_out='closed: the server accepted the connection and closed it without a reply: it may be'
    left_out+=' at its limit of connections, or it refused the message'
    shows 'tincan.1/EXAMPLES/8' "|(closed)|(closed) $left_out|"
    serve_at 4043
    shows 'tincan.1/EXAMPLES/11' '|-c 20000|-c 2000|' '|20000 sent, 20000|2000 sent, 2000|'
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

@test "documents: the rows of LAYERS.md are targets, and none has failed" {
    local target
    run -1 grep FAILED "$TESTS/LAYERS.md"
    while read -r target; do
        grep -qE "^$target:.* ## " "$TESTS/tests.mk" "$TESTS/fuzz/fuzz.mk" "$TOP/packaging/packaging.mk" ||
            fail "make $target"
        grep -q "^    \"$target\": " "$TESTS/layers" || fail "$target is unknown to tests/layers"
    done < <(grep -oP '^\| `make \K[^`]+' "$TESTS/LAYERS.md")
}

# numbers: of each row FILE|PATTERN|WORDS, the source has the pattern, and tincand(8) the words.
numbers() {
    local source pattern text
    while IFS='|' read -r source pattern text; do
        grep -qE "$pattern" "$TOP/$source" || fail "$source: $pattern"
        tr '\n' ' ' <"$TOP/tincand/tincand.8" | grep -qF -- "$text" || fail "$text"
    done
}

@test "documents: the numbers in tincand(8) are those of the sources" {
    numbers <<'TABLE'
tincand/memory.h|^#define MEMORY_RATE +64$|moves less than 64 kB a second
tincand/memory.h|^#define MEMORY_PAUSE_USEC +UINT64_C.500000.$|pauses for more than half a second
tincand/memory.h|^#define MEMORY_READ_MIN +..size_t.4096.$|less than 4096 bytes that has arrived whole
tincand/log_queue.c|^#define RING_SIZE +..size_t.1 << 20.$|more than 1 MiB of lines wait
tincand/log_queue.c|^#define STUCK_USEC +500000$|does not take within half a second
tincand/tincand_options.c|^#define GRACE_DEFAULT +UINT64_C.5000000.$|The default is 5s
TABLE
}

@test "documents: tincand(8): all addresses, the users of a path, and an ignored signal" {
    need_tincand
    local port
    port=$(free_port 0.0.0.0)
    run -71 timeout 20 "$TINCAND" -l "[::]:$port" -l "0.0.0.0:$port"
    assert_output --partial "0.0.0.0:$port"
    (umask 077 && trap '' HUP && exec "$TINCAND" -q -l "[::]:$port" -l "unix:$PWD/path" 2>/dev/null) 3>&- &
    STARTED=$! STARTED_ALL+=($!)
    wait_until 20 "$TINCAN" -q -m '' "127.0.0.1:$port" 2>/dev/null
    assert_equal "$(stat -c %a path)" 700
    kill -HUP "$STARTED"
    run -0 "$TINCAN" -m hello "127.0.0.1:$port"
    assert_output hello
    run -0 "$TINCAN" -m hello "[::1]:$port"
}

@test "documents: the tests that SECURITY.md names are there" {
    run -0 python3 "$TESTS/helpers/named_tests.py" "$TESTS/../SECURITY.md" "$TESTS" 20
    assert_output ''
}
