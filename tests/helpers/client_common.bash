# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# What the client's tests share: `load helpers/client_common` after common.

SCRIPTED_SERVER=$TESTS/helpers/scripted_server.py

# serve [--on WHERE] BEHAVIOUR...: starts a scripted server, its address in $ADDRESS.
serve() {
    serve_by '' "$@"
}

# serve_by COMMAND ...: the same, through a command such as `unshare -n`, split at spaces.
serve_by() {
    local by=$1 file=$BATS_TEST_TMPDIR/address.$((SERVED += 1)) on=()
    shift
    if [[ $1 == --on ]]; then
        on=("$1" "$2")
        shift 2
    fi
    # shellcheck disable=SC2086 # it is a command with arguments
    start $by python3 "$SCRIPTED_SERVER" "${on[@]}" "$file" "$@"
    wait_until 60 test -e "$file"
    # shellcheck disable=SC2034 # for the tests
    ADDRESS=$(<"$file")
}
SERVED=0

# milliseconds COMMAND...: runs it through bats' `run` and sets $took, in milliseconds.
milliseconds() {
    within_time
    local begun=${EPOCHREALTIME/./}
    run --separate-stderr "$@"
    # shellcheck disable=SC2034 # for the tests
    took=$(((${EPOCHREALTIME/./} - begun) / 1000))
}

# took_about LEAST: it took so many milliseconds at least, and not so long as where it missed its time,
# as the times that it has by default are 5 and 10 s.
took_about() {
    ((took >= $1 && took < $1 + 4000))
}

# need_libedit: skips the test where the client was built without it.
need_libedit() {
    ldd "$TINCAN" | grep -q libedit || skip "this client was built without libedit"
}

# said PATTERN: fails unless the whole standard error of the last run matches the pattern of bash.
said() {
    # shellcheck disable=SC2053,SC2154 # it is a pattern; bats sets stderr
    if [[ $stderr != $1 ]]; then
        printf 'standard error does not match\n  %s\nbut is\n  %s\n' "$1" "$stderr"
        return 1
    fi
}
