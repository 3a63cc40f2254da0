# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Blocks of the documents (helpers/documents.py), run as they are printed: after helpers/common.
#
# `open_place` makes a place where that harms nobody: network and mounts of its own, with what
# `make install` installs in /usr/local, and the hosts of the examples, which are this one.

document() {
    python3 "$TESTS/helpers/documents.py" "$@"
}

# not_run NAME REASON: a block that no test runs.
not_run() {
    [[ -n $2 ]]
}

# shows NAME [EDIT]...: the block, run in the place, shows what comes out.
shows() {
    run -0 in_place python3 "$TESTS/helpers/documents.py" run "$@"
}

# serves NAME NUMBER [EDIT]...: that command of the block goes on serving, on port 4040, and logs to the
# file `served`.
serves() {
    start become_in_place "$BASH" -c "exec $(document command "$@")" 2>served
    wait_until 20 in_place tincan -q -m '' 2>/dev/null || {
        cat served
        return 1
    }
    run -0 in_place tincan -m hello
    assert_output hello
    kill "$STARTED"
    wait "$STARTED" || true
}

open_place() {
    need nsenter
    need_own_network
    PLACE_ROOT=$BATS_FILE_TMPDIR/place
    [[ -d $PLACE_ROOT ]] || make_install "$PLACE_ROOT"
    start unshare --net --mount --propagation private "$BASH" -euc '
        mount -t overlay -o "lowerdir=$1/usr/local:/usr/local" overlay /usr/local
        printf "127.0.0.1 localhost server.example server.example.org host\n::1 localhost\n" >"$2/hosts"
        mount --bind "$2/hosts" /etc/hosts
        ip link set lo up
        touch "$2/place"
        exec tail -f /dev/null' bash "$PLACE_ROOT" "$BATS_TEST_TMPDIR" 2>"$BATS_TEST_TMPDIR/place.log"
    PLACE=$STARTED
    wait_until 20 place_is_open || skip "no place for examples can be made here: $(<"$BATS_TEST_TMPDIR/place.log")"
}

place_is_open() {
    [[ -e $BATS_TEST_TMPDIR/place ]] || ! kill -0 "$PLACE" 2>/dev/null && [[ -e $BATS_TEST_TMPDIR/place ]]
}

# in_place COMMAND...: in the place, or, where none was opened, here.
in_place() {
    (become_in_place "$@")
}

become_in_place() {
    local enter=()
    [[ -z ${PLACE-} ]] || enter=(nsenter --net --mount -t "$PLACE")
    exec "${enter[@]}" env -C "$BATS_TEST_TMPDIR" HOME="$BATS_TEST_TMPDIR" \
        PATH="/usr/local/sbin:/usr/local/bin:$PATH" "$@"
}

# serve_at PORT [OPTION]...: tincand, in the place.
serve_at() {
    start become_in_place tincand --quiet --listen "[::]:$1" "${@:2}" 2>/dev/null
    wait_until 10 in_place tincan -q -m '' "127.0.0.1:$1"
}
