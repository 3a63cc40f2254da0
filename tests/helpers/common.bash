# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# What every test file begins with: `load helpers/common`.
#
# TINCAN_BUILD names the folder of the programs under test (default: build at the top), so that the
# same tests run against what ships and against the sanitizer builds.

bats_require_minimum_version 1.5.0

# load_library NAME: loads it part by part, as its own load.bash starts a process for each part, in
# every test.
load_library() {
    local parts=("${BATS_LIB_PATH%%:*}/$1"/src/*.bash) part
    if [ -e "${parts[0]}" ]; then
        for part in "${parts[@]}"; do
            # shellcheck source=/dev/null
            . "$part"
        done
    else
        bats_load_library "$1"
    fi
}
load_library bats-support
load_library bats-assert

TESTS=${TINCAN_TESTS:-$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)}
export TESTS
export TINCAN_BUILD=${TINCAN_BUILD:-${TESTS%/*}/build}
export HANDLER=$TINCAN_BUILD/tincan-handler
export TINCAN=$TINCAN_BUILD/tincan
export TINCAND=$TINCAN_BUILD/tincand
# Python's standard streams carry the bytes of the tests, whatever the locale. What it compiles stays
# out of the sources.
export PYTHONIOENCODING=utf-8:surrogateescape PYTHONPYCACHEPREFIX=$TINCAN_BUILD/tests/pycache PYTHONDONTWRITEBYTECODE=

# make_install ROOT [VARIABLE=VALUE]...: installs the programs under test as they are (-o: make shall not
# bring them up to date), with units that name where they will be.
make_install() {
    make -s -C "${TESTS%/*}" -o all install B="$TINCAN_BUILD" U="${BATS_TEST_TMPDIR-$BATS_FILE_TMPDIR}/units" \
        DESTDIR="$1" "${@:2}"
}

# need COMMAND...: skips the test, naming the first command that is not installed.
need() {
    local command
    for command; do
        command -v "$command" >/dev/null || skip "$command is not installed"
    done
}

# need_tracer: skips the test where strace is missing, or may not trace.
need_tracer() {
    need strace
    strace -o /dev/null true || skip "strace can't trace here"
}

need_localhost() {
    getent ahostsv4 localhost >/dev/null || skip "the name localhost has no address here"
}

# need_own_network: skips the test where no network namespace can be made or set up: its loopback is down.
need_own_network() {
    need unshare ip
    unshare --net --mount ip link set lo up 2>/dev/null ||
        skip "no network namespace can be made and set up here: that takes CAP_SYS_ADMIN and CAP_NET_ADMIN"
}

# need_nftables: skips the test where a network namespace can have no rules.
need_nftables() {
    need nft
    need_own_network
    unshare --net nft add table inet tincan-test 2>/dev/null || skip "this kernel has no nftables"
}

# need_own_sysctls: skips the test where the settings of a network namespace can't be changed.
need_own_sysctls() {
    need sysctl
    need_own_network
    unshare --net sysctl -qw net.ipv4.tcp_timestamps=1 2>/dev/null || skip "/proc/sys can't be written to here"
}

# need_descriptors COUNT: raises the limit of open descriptors to that; skips the test where it can't be.
need_descriptors() {
    [ "$(ulimit -Sn)" = unlimited ] || [ "$(ulimit -Sn)" -ge "$1" ] || ulimit -Sn "$1" 2>/dev/null ||
        skip "$1 open descriptors are too many here: the hard limit (ulimit -Hn) is $(ulimit -Hn)"
}

# wait_until SECONDS COMMAND...: runs COMMAND until it succeeds; fails when the time is over.
wait_until() {
    local deadline=$((${EPOCHREALTIME/./} + $1 * 1000000))
    shift
    until "$@"; do
        if ((${EPOCHREALTIME/./} > deadline)); then
            echo "waited in vain for: $*" >&2
            return 1
        fi
        read -r -t 0.02 <> <(:) || true
    done
}

# within_time: has bats try this test again if it fails, as it bounds a time from above, which a busy
# machine may exceed; what is broken fails each time.
within_time() {
    # shellcheck disable=SC2034 # for bats
    BATS_TEST_RETRIES=9
}

# start COMMAND...: runs COMMAND in the background, its id in $STARTED; `stop_started`, which
# belongs in a teardown, ends all that were started so, and only those: the id of one that has ended
# may be another process's by now.
start() {
    "$@" 3>&- 4>&- &
    STARTED=$!
    STARTED_ALL+=("$STARTED")
}

stop_started() {
    local pid
    for pid in $(still_running); do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    STARTED_ALL=()
}

# still_running: the ids of those that were started and have not ended.
still_running() {
    local pid
    for pid in $(jobs -pr); do
        [[ " ${STARTED_ALL[*]} " != *" $pid "* ]] || echo "$pid"
    done
}
STARTED_ALL=()

# free_port [ADDRESS]: prints a TCP port of 127.0.0.1, or of ADDRESS (0.0.0.0 for all IPv4
# addresses), that nobody listens on and that the kernel gives to nobody else for a minute: a connection to it was closed on our side just now (TIME_WAIT), which
# keeps it from being picked, while a listener with SO_REUSEADDR may still bind it.
free_port() {
    python3 - "${1:-127.0.0.1}" <<'PYTHON'
import socket, sys
listener = socket.create_server((sys.argv[1], 0))
client = socket.create_connection(listener.getsockname())
accepted, _ = listener.accept()
accepted.close()
client.close()
print(listener.getsockname()[1])
PYTHON
}

# refuses_wrong_options NAME PROGRAM: a server exits 64 for what both servers do not take, and says why.
refuses_wrong_options() {
    local option problem
    run -64 "$2" extra --nonsense </dev/null
    assert_output "$1: cannot use the argument \"extra\": only options are taken; see --help"
    while read -r option problem; do
        run -64 "$2" "$option" </dev/null
        assert_output "$1: cannot use the option \"$option\": $problem; see --help"
    done <<'TABLE'
--nonsense there is no such option, or it is short for several
-x there is no such option, or it is short for several
-qx there is no such option, or it is short for several
--t there is no such option, or it is short for several
-m it needs a value
--max-bytes it needs a value
--tag=1 it takes no value
TABLE
}
