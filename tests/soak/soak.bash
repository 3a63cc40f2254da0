# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# What the soaks share: after helpers/common. `at_server COMMAND...` is the file's own: it runs a command in
# the network where the server listens on 127.0.0.1:4040.

# soak.py ARGUMENT...
soak() {
    at_server python3 "$TESTS/soak/soak.py" "$@"
}

# path clean|lossy|broken: what becomes of packets from now on.
path() {
    local loss='tcp dport 4040 numgen random mod 100 == 0 drop; tcp sport 4040 numgen random mod 100 == 0 drop'
    local reset='tcp dport 4040 numgen random mod 1000 == 0 reject with tcp reset'
    case $1 in
    clean) loss='' reset='' ;;
    lossy) reset='' ;;
    esac
    at_server nft -f - <<NFT
table inet soak
delete table inet soak
table inet soak {
    chain arriving {
        type filter hook input priority 0;
        $loss; $reset
    }
}
NFT
}

# connections PATH COUNT NAME: so many, on such a path; what they expect of the log is in the file NAME.
connections() {
    path "$1"
    soak clients --path="$1" --count="$2" 127.0.0.1:4040 >"$BATS_TEST_TMPDIR/expected.$3"
}

# uses PID: how many descriptors and KiB of memory of its own it has.
uses() {
    echo "$(find "/proc/$1/fd" -mindepth 1 | wc -l) $(awk '/^Private_/ { sum += $2 } END { print sum }' "/proc/$1/smaps_rollup")"
}

# same_descriptors PID COUNT
same_descriptors() {
    [ "$(find "/proc/$1/fd" -mindepth 1 | wc -l)" -eq "$2" ]
}

# log_is_right: the server's log, which `server_log` of the file prints, is what the clients expect.
log_is_right() {
    server_log >"$BATS_TEST_TMPDIR/log.now"
    soak compare "$BATS_TEST_TMPDIR/log.now" "$BATS_TEST_TMPDIR"/expected.* >"$BATS_TEST_TMPDIR/counts"
}

# soak_server PID KIB: $SOAK connections, half of them on a clean path, a quarter on one that loses packets,
# and a quarter on one that also resets. Afterwards the process has as many descriptors as before, and at
# most KIB more memory, and the log is right.
soak_server() {
    local before after
    connections clean 200 first
    wait_until 60 log_is_right
    before=$(uses "$1")
    connections broken $((SOAK / 4)) broken
    connections lossy $((SOAK / 4)) lossy
    connections clean $((SOAK / 2)) clean
    wait_until 120 log_is_right || {
        cat "$BATS_TEST_TMPDIR/counts"
        return 1
    }
    wait_until 60 same_descriptors "$1" "${before% *}"
    after=$(uses "$1")
    {
        echo "descriptors and KiB before $before, after $after"
        cat "$BATS_TEST_TMPDIR/counts"
    } | sed "s/^/# $BATS_TEST_DESCRIPTION: /" >&3
    assert [ "${after#* }" -le $((${before#* } + $2)) ]
}
