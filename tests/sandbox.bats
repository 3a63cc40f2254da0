# SPDX-License-Identifier: MIT
# The handler's own sandbox. That the exchange works inside it is what all other tests of the handler
# show; these show that nothing else does. It is not part of builds that watch themselves.
# bats file_tags=sandbox

setup() {
    load helpers/common
    BREAKOUT=$TINCAN_BUILD/tests/tincan-handler-breakout
}

teardown() {
    stop_started
}

# start_waiting COMMAND...: starts a handler that waits for input; its id is in $STARTED.
start_waiting() {
    mkfifo "$BATS_TEST_TMPDIR/in"
    exec {INPUT}<>"$BATS_TEST_TMPDIR/in"
    "$@" <&"$INPUT" >/dev/null 2>"$BATS_TEST_TMPDIR/log" 3>&- 4>&- &
    STARTED=$!
    STARTED_ALL+=("$STARTED")
    wait_until 60 filters_calls "$STARTED"
}

# filters_calls PID: it has more filters than this shell, which in a container has some as well. They
# are counted from Linux 5.9 on.
filters_calls() {
    local field=Seccomp_filters
    grep -q "^$field:" "/proc/$1/status" || field=Seccomp
    [ "$(sed -n "s/^$field:\t//p" "/proc/$1/status")" -gt "$(sed -n "s/^$field:\t//p" "/proc/$$/status")" ]
}

@test "sandbox: before the first byte is read, calls are filtered and privileges can't be gained" {
    start_waiting "$HANDLER"
    run -0 cat "/proc/$STARTED/status"
    assert_line --regexp '^Seccomp:\s+2$'
    assert_line --regexp '^NoNewPrivs:\s+1$'
}

@test "sandbox: before the first byte is read, no descriptor is open that is not needed" {
    [ "$(id -u)" -eq 0 ] || skip "only root can look into a process that can't be traced"
    exec 10</dev/null 200</dev/null
    # shellcheck disable=SC2016 # is the inner shell's
    start_waiting bash -c 'exec "$0" 3</dev/null' "$HANDLER"
    run -0 ls "/proc/$STARTED/fd"
    assert_output $'0\n1\n2'
}

@test "sandbox: a message can't be found in a core dump" {
    run -0 bash -c 'ulimit -c unlimited; cd "$1"; exec python3 - "$2"' - "$BATS_TEST_TMPDIR" "$HANDLER" <<'PYTHON'
import os, re, signal, subprocess, sys, time
handler = subprocess.Popen([sys.argv[1]], stdin=-1)
deadline = time.monotonic() + 10
def filters(pid):
    status = open(f"/proc/{pid}/status").read()
    return int(re.search(r"Seccomp(_filters)?:\s+(\d+)\n(?!Seccomp)", status)[2])
while filters(handler.pid) <= filters("self"):
    if time.monotonic() > deadline:
        sys.exit("the handler does not filter its calls")
os.kill(handler.pid, signal.SIGABRT)
status = os.waitpid(handler.pid, 0)[1]
print("signal", os.WTERMSIG(status), "core", os.WCOREDUMP(status))
PYTHON
    assert_output 'signal 6 core False'
}

@test "sandbox: a handler taken over by a message is killed at its first other call, and replies nothing" {
    for call in socket openat execve; do
        run -0 python3 "$TESTS/helpers/spawn.py" --send "$call\0" -- "$BREAKOUT"
        assert_line signal=31
        assert_line reply=
    done
    run -0 python3 "$TESTS/helpers/spawn.py" --send 'harmless\0' -- "$BREAKOUT"
    assert_line 'reply=harmless\x00'
}

@test "sandbox: --no-sandbox lets the same calls through" {
    run -0 python3 "$TESTS/helpers/spawn.py" --send 'socket\0' -- "$BREAKOUT" --no-sandbox
    assert_line status=0
    assert_line 'reply=socket\x00'
}

@test "sandbox: where the kernel has no seccomp the echo works, and the log says so once" {
    run -0 python3 "$TESTS/helpers/spawn.py" --send 'hello\0' -- \
        "$TINCAN_BUILD/tests/deny" prctl "$HANDLER"
    assert_line 'reply=hello\x00'
    assert_line --regexp '^stderr=peer=.* result=echoed .* sandbox="none: Function not implemented" '
}

@test "sandbox: calls that a kernel may lack are not missed" {
    for calls in close_range close_range,getpeername,madvise clock_gettime; do
        run -0 python3 "$TESTS/helpers/spawn.py" --send 'hello\0' -- \
            "$TINCAN_BUILD/tests/deny" "$calls" "$HANDLER"
        assert_line 'reply=hello\x00'
        assert_line status=0
    done
}

@test "sandbox: where other descriptors can't be closed the log says so" {
    run -0 python3 "$TESTS/helpers/spawn.py" --send 'hello\0' -- \
        "$TINCAN_BUILD/tests/deny" close_range "$HANDLER"
    assert_line --regexp \
        '^stderr=peer=.* result=echoed .* sandbox="open descriptors: Function not implemented" '
}

# breakout_under LAUNCHER: the taken over handler answers what is harmless; what breaks out gets
# nothing, and is gone before it could write its log line.
breakout_under() {
    load helpers/launchers
    local address call
    export LAUNCHER=$1 RING=$BATS_TEST_TMPDIR RING_AT='' HANDLER=$BREAKOUT
    local problem
    problem=$(ring_problem)
    [ -z "$problem" ] || skip "$problem"
    : >"$RING/log"
    if logs_to_syslog "$1"; then
        start python3 "$TESTS/helpers/syslog_sink.py" "$RING/dev-log" "$RING/log"
        wait_until 60 [ -S "$RING/dev-log" ]
    fi
    start_server patient
    address=${RING_AT##*tcp:}
    for call in socket openat execve; do
        run -1 "$TINCAN" -m "$call" "$address"
        run -0 "$TINCAN" -m "harmless, not $call" "$address"
        wait_until 60 grep -q "harmless, not $call" "$RING/log"
    done
    run -0 grep -c 'result=' "$RING/log"
    assert_output 3
    stop_children "$STARTED"
}

@test "sandbox: under tcpserver a handler taken over by a message is killed" {
    breakout_under tcpserver
}

@test "sandbox: under xinetd a handler taken over by a message is killed" {
    breakout_under xinetd
}
