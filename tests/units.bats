# SPDX-License-Identifier: MIT
# The files for the launchers, as they are installed.

setup_file() {
    load helpers/common
    export ROOT=$BATS_FILE_TMPDIR/root
    make_install "$ROOT" prefix=/usr sysconfdir=/etc
}

setup() {
    load helpers/common
    SOCKET=$ROOT/usr/lib/systemd/system/tincan.socket
    SERVICE=$ROOT/usr/lib/systemd/system/tincan@.service
    XINETD=$ROOT/etc/xinetd.d/tincan
}

# setting FILE NAME: the value of NAME = VALUE in a unit or xinetd file.
setting() {
    sed -n "s/^ *$2 *= *//p" "$1"
}

@test "units: systemd-analyze verify has nothing to say of the socket and the service" {
    need systemd-analyze
    verify_units "$BATS_TEST_TMPDIR"
}

# verify_units FOLDER: copies the units there, with a handler that exists, and has them verified.
verify_units() {
    sed "s|/usr/sbin/tincan-handler|$HANDLER|" "$SERVICE" >"$1/tincan@.service"
    cp "$SOCKET" "$1/"
    run -0 systemd-analyze verify --man=no "$1/tincan.socket" "$1/tincan@.service"
    assert_output ''
}

@test "units: systemd-analyze verify has nothing to say of any drop-in" {
    need systemd-analyze
    local drop_in folder unit
    for drop_in in "$ROOT"/usr/share/doc/tincan/examples/systemd/*.conf; do
        folder=$BATS_TEST_TMPDIR/${drop_in##*/}
        unit=$(sed -n 's|^# To /etc/systemd/system/\(.*\)/$|\1|p' "$drop_in")
        assert [ -n "$unit" ]
        mkdir -p "$folder/$unit"
        sed "s|/usr/sbin/tincan-handler|$HANDLER|" "$drop_in" >"$folder/$unit/${drop_in##*/}"
        verify_units "$folder"
    done
}

# allowed_calls WORD...: the system calls that these names and groups of SystemCallFilter= stand for.
allowed_calls() {
    local word
    for word; do
        case $word in
        @*)
            # shellcheck disable=SC2046 # they are words
            allowed_calls $(systemd-analyze syscall-filter --no-pager "$word" | sed -n 's/^ \+\([@a-z0-9_]\+\)$/\1/p')
            ;;
        *) echo "$word" ;;
        esac
    done
}

# Left out are those for --listen, one of the handler's part, and one that the C library makes as prlimit64.
@test "units: tincand.service allows each system call that tincand names" {
    [[ -x $TINCAND ]] || skip "tincand is not built; it needs libsystemd (Debian: libsystemd-dev)"
    need systemd-analyze
    local unit=$ROOT/usr/lib/systemd/system/tincand.service calls=$BATS_TEST_TMPDIR/calls
    # shellcheck disable=SC2046 # they are words
    allowed_calls $(sed -n 's/^SystemCallFilter=//p' "$unit") bind listen lstat unlink setitimer setrlimit |
        sort -u >"$calls.allowed"
    systemd-analyze syscall-filter --no-pager | sed -n 's/^ \+\([a-z0-9_]\+\)$/\1/p' | sort -u >"$calls.known"
    nm -D --undefined-only "$TINCAND" | awk '{ sub("@.*", "", $2); print $2 }' | sort -u |
        comm -12 - "$calls.known" >"$calls"
    assert grep -qx recv "$calls"
    run -0 comm -23 "$calls" "$calls.allowed"
    assert_output ''
}

# exposure FILE...: what systemd-analyze security says of the service made of these files, times ten.
exposure() {
    cat "$@" >"$BATS_TEST_TMPDIR/tincan@.service"
    systemd-analyze security --offline=true --no-pager "$BATS_TEST_TMPDIR/tincan@.service" |
        sed -n 's/.*Overall exposure level.*: \([0-9]*\)\.\([0-9]\).*/\1\2/p'
}

@test "units: the exposure of the service is 2.0 at most, and 0.2 with strict.conf" {
    need systemd-analyze
    assert [ "$(exposure "$SERVICE")" -le 20 ]
    assert [ "$(exposure "$SERVICE" "$ROOT/usr/share/doc/tincan/examples/systemd/strict.conf")" -le 2 ]
}

@test "units: an instance is allowed far more memory than its longest message takes" {
    local allowed
    allowed=$(setting "$SERVICE" MemoryMax)
    assert [ $((${allowed%M} << 20)) -ge $((8 << 20)) ]
    # No limit is set, so the longest message is the default of 1 MiB.
    assert_equal "$(setting "$SERVICE" ExecStart)" /usr/sbin/tincan-handler
}

# bats test_tags=limits
@test "units: an instance needs no more memory than it is allowed for a message of 12M, as its manual says" {
    local message=$BATS_TEST_TMPDIR/message
    { head -c 12M /dev/zero | tr '\0' x; printf '\0'; } >"$message"
    python3 - "$(setting "$SERVICE" MemoryMax)" "$message" <<'SCRIPT'
import os, resource, subprocess, sys
subprocess.run([os.environ["HANDLER"], "-m", "12M"], stdin=open(sys.argv[2]), check=True,
               stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
assert 11 << 10 <= used <= int(sys.argv[1].removesuffix("M")) << 10, used
SCRIPT
}

@test "units: the installed files name the installed handler" {
    for file in "$SERVICE" "$XINETD" "$ROOT"/usr/share/doc/tincan/examples/{*.run,*.conf}; do
        run -0 grep -o '/usr/sbin/tincan-handler' "$file"
    done
    run -1 grep -r '@[a-z]*@' "$ROOT/usr/lib" "$ROOT/etc" "$ROOT/usr/share/doc/tincan/examples"
}

@test "units: what a client does wrong is no failure of the service, and no instance stays behind" {
    assert_equal "$(setting "$SERVICE" SuccessExitStatus)" 'DATAERR IOERR'
    assert_equal "$(setting "$SERVICE" CollectMode)" inactive-or-failed
    assert_equal "$(setting "$SERVICE" StandardError)" journal
    assert_equal "$(setting "$SOCKET" TriggerLimitIntervalSec)" 0
}

@test "units: systemd and xinetd have the same limits, and xinetd is off until it is turned on" {
    assert_equal "$(setting "$XINETD" instances)" "$(setting "$SOCKET" MaxConnections)"
    assert_equal "$(setting "$XINETD" per_source)" "$(setting "$SOCKET" MaxConnectionsPerSource)"
    assert_equal "$(setting "$XINETD" disable)" yes
}

@test "units: the line for inetd has a timeout, and its comment says how many handlers that allows" {
    local line options rate seconds
    line=$(grep '^tincan ' "$ROOT/usr/share/doc/tincan/examples/tincan.conf")
    rate=$(sed -E 's/.* nowait\.([0-9]+) .*/\1/' <<<"$line")
    options=${line#* tincan-handler }
    seconds=$(sed -nE 's/.*--timeout=([0-9]+)s.*/\1/p' <<<"$options")
    assert [ "$seconds" -lt 60 ]
    run -0 bash -c 'grep "^#" "$1" | tr -d "\n#"' - "$ROOT/usr/share/doc/tincan/examples/tincan.conf"
    assert_output --partial " $rate a minute, each for at most $seconds s, are $((rate * seconds / 60)) handlers."
    # shellcheck disable=SC2016,SC2086 # for another shell; a list of options without spaces
    run -0 bash -c 'printf "x\0" | "$HANDLER" "$@" | tr -d "\0"' - $options --quiet
    assert_output x
}

need_root_for_user() {
    [ "$(id -u)" -eq 0 ] || skip "only root can start what changes its user"
}

# open_run_script NAME: makes a run script that starts a handler where all users can reach it, as
# the script drops privileges; its folder is in $OPEN.
open_run_script() {
    OPEN=$(mktemp -d)
    chmod 755 "$OPEN"
    cp "$HANDLER" "$OPEN/"
    sed "s|/usr/sbin/tincan-handler|$OPEN/tincan-handler|" \
        "$ROOT/usr/share/doc/tincan/examples/$1" >"$OPEN/run"
}

@test "units: the tcpserver run script serves" {
    need tcpserver
    need_root_for_user
    local port
    port=$(free_port 0.0.0.0) # tcpserver binds all addresses
    open_run_script tcpserver.run
    PORT=$port start bash "$OPEN/run"
    wait_until 60 "$TINCAN" -q -m '' "127.0.0.1:$port" 2>/dev/null
    run -0 "$TINCAN" -m hello "127.0.0.1:$port"
    assert_output hello
}

@test "units: the s6 run script serves" {
    need s6-ipcserver
    need_root_for_user
    open_run_script s6-ipcserver.run
    SOCKET=$OPEN/socket start bash "$OPEN/run"
    wait_until 60 "$TINCAN" -q -m '' "unix:$OPEN/socket" 2>/dev/null
    run -0 "$TINCAN" -m hello "unix:$OPEN/socket"
    assert_output hello
}

# lines_logged COUNT: of exchanges that went well.
lines_logged() {
    [ "$(grep -c 'result=echoed' "$BATS_TEST_TMPDIR/log")" -eq "$1" ]
}

@test "units: under socat, as the manual starts it, each exchange is logged" {
    need socat
    local options port
    for options in nofork shut-down,end-close; do
        grep -qF ",$options" "${TESTS%/*}/handler/tincan-handler.8"
        port=$(free_port)
        start socat "TCP-LISTEN:$port,bind=127.0.0.1,reuseaddr,fork,max-children=256,backlog=100" \
            "EXEC:$HANDLER,$options" 2>"$BATS_TEST_TMPDIR/log"
        wait_until 10 "$TINCAN" -q -m '' "127.0.0.1:$port" 2>/dev/null
        run -0 "$TINCAN_BUILD/bench/load" -c 400 -p 16 -a 1 127.0.0.1 "$port"
        wait_until 20 lines_logged 401
    done
}

@test "units: uninstall leaves no file behind" {
    cp -r "$ROOT" "$BATS_TEST_TMPDIR/root"
    make -s -C "${TESTS%/*}" uninstall DESTDIR="$BATS_TEST_TMPDIR/root" prefix=/usr sysconfdir=/etc
    run -0 find "$BATS_TEST_TMPDIR/root" -type f
    assert_output ''
}

teardown() {
    stop_started
    [ -z "${OPEN:-}" ] || rm -rf "$OPEN"
}
