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

# serves NAME NUMBER [EDIT]...: that command of the block goes on serving, on port 4040 or at $SERVES_AT,
# and logs to the file `served`.
serves() {
    start become_in_place "$BASH" -c "exec $(document command "$@")" 2>served
    wait_until 20 in_place tincan -q -m '' "${SERVES_AT:-127.0.0.1}" 2>/dev/null || {
        cat served
        return 1
    }
    run -0 in_place tincan -m hello "${SERVES_AT:-127.0.0.1}"
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
        mkdir "$2/memory"
        mount -t tmpfs tmpfs "$2/memory"
        mkdir "$2/memory/etc" "$2/memory/work"
        mount -t overlay -o "lowerdir=/etc,upperdir=$2/memory/etc,workdir=$2/memory/work" overlay /etc
        mount -t overlay -o "lowerdir=$1/usr/local:/usr/local" overlay /usr/local
        mount -t tmpfs tmpfs /run
        printf "127.0.0.1 localhost server.example server.example.org host\n::1 localhost\n" >/etc/hosts
        ln -s "$(command -v env)" /run/sudo
        ip link set lo up
        touch "$2/place"
        exec tail -f /dev/null' bash "$PLACE_ROOT" "$BATS_TEST_TMPDIR" 2>place.log
    PLACE=$STARTED
    wait_until 20 place_is_open || skip "no place for examples can be made here: $(<place.log)"
}

place_is_open() {
    [[ -e place ]] || ! kill -0 "$PLACE" 2>/dev/null && [[ -e place ]]
}

# in_place COMMAND...: in the place, or, where none was opened, here.
in_place() {
    (become_in_place "$@")
}

become_in_place() {
    local enter=()
    [[ -z ${PLACE-} ]] || enter=(nsenter --net --mount --root -t "$PLACE")
    exec "${enter[@]}" env -C "${PLACE_FOLDER:-$BATS_TEST_TMPDIR}" HOME="$BATS_TEST_TMPDIR" \
        PATH="/usr/local/sbin:/usr/local/bin:$PATH:/run" "$@"
}

# serve_at PORT [OPTION]...: tincand, in the place.
serve_at() {
    start become_in_place tincand --quiet --listen "[::]:$1" "${@:2}" 2>/dev/null
    wait_until 10 in_place tincan -q -m '' "127.0.0.1:$1"
}
