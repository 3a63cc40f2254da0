# SPDX-License-Identifier: MIT
# tincand stopped, killed, hung and left without its journal, under load: whoever connects is served.
# bats file_tags=restart

# As many as the other floods have, and more, as they go quicker.
FLOOD=$((4 * $(cat /var/lib/tincan-tests/flood)))
# How often tincand is restarted or killed meanwhile: forty times, but for a small flood.
TIMES=$((FLOOD < 800 ? FLOOD / 20 : 40))
HANGING=/usr/lib/tincan-tests/tincand-hang

setup_file() {
    load tincand
    systemd-sysusers
    systemctl daemon-reload
}

setup() {
    load tincand
    begin
}

teardown() {
    [ -z "${JOURNALD-}" ] || kill -CONT "$JOURNALD"
    finish
}

# flood_while TIMES COMMAND: $FLOOD exchanges, 16 at a time, and the command so often among them.
flood_while() {
    run -0 load_tool flood --count="$FLOOD" --parallel=16 --meanwhile="$2" --times="$1" \
        127.0.0.1:4040
    echo "$output"
    assert_line "meanwhile=$1"
}

# kill_and_wait UNIT: writes a program that kills the service and waits until it is there again; its
# path is in $KILL.
kill_and_wait() {
    KILL=$BATS_TEST_TMPDIR/kill
    cat >"$KILL" <<SCRIPT
restarts() {
    systemctl show --value -p NRestarts "$1"
}
before=\$(restarts)
systemctl kill --kill-who=main --signal=KILL "$1" || exit
until [ "\$(restarts)" -gt "\$before" ] && systemctl is-active --quiet "$1"; do :; done
SCRIPT
}

# met OUTCOME: how many clients of the flood met it.
met() {
    sed -n "s/^$1=//p" <<<"$output" | grep . || echo 0
}

@test "tincand: not one of $FLOOD exchanges is lost or altered while it is restarted $TIMES times" {
    flood_while "$TIMES" 'systemctl restart tincand.service'
    assert_equal "$output" "answered=$FLOOD
meanwhile=$TIMES"
    assert_equal "$(shown tincand.service NRestarts)" 0
    assert_serving
}

@test "tincand: kill -9, $TIMES times among $FLOOD exchanges, loses none but those in flight" {
    kill_and_wait tincand.service
    flood_while "$TIMES" "sh $KILL"
    refute_line --regexp '^(wrong|unreachable)='
    assert_equal "$(($(met answered) + $(met turned-away)))" "$FLOOD"
    assert [ "$(met turned-away)" -le $((16 * TIMES)) ]
    assert_equal "$(shown tincand.service NRestarts)" "$TIMES"
    assert_serving
}

@test "tincand: not one of $FLOOD exchanges is lost while systemd is re-executed and loads its units again" {
    flood_while 10 'sh -c "systemctl daemon-reexec && systemctl daemon-reload"'
    assert_equal "$(met answered)" "$FLOOD"
    assert_equal "$(shown tincand.service NRestarts)" 0
    assert_serving
}

@test "tincand: instances that are restarted and killed in turn lose none but those in flight" {
    systemctl start "${INSTANCES[@]}"
    flood_while 10 'systemctl restart tincand@1.service tincand@2.service'
    assert_equal "$(met answered)" "$FLOOD"
    kill_and_wait tincand@2.service
    flood_while 10 "sh $KILL"
    refute_line --regexp '^(wrong|unreachable)='
    assert [ "$(met turned-away)" -le $((16 * 10)) ]
    systemctl start tincand.socket
    assert_serving
}

@test "tincand: a connection that has begun is served before a restart, and the next after it" {
    start python3 "$LOAD" ask --wait-for="$BATS_TEST_TMPDIR/go" 127.0.0.1:4040 'hello\0' \
        >"$BATS_TEST_TMPDIR/reply"
    local begun=$STARTED pid
    wait_until 30 connections 1
    pid=$(shown tincand.service MainPID)
    systemctl restart --no-block tincand.service
    wait_until 30 is_in_state tincand.service deactivating
    touch "$BATS_TEST_TMPDIR/go"
    wait "$begun"
    run -0 cat "$BATS_TEST_TMPDIR/reply"
    assert_output 'hello\x00'
    run -0 "$TINCAN" -m hello 127.0.0.1
    assert_output hello
    assert_not_equal "$(shown tincand.service MainPID)" "$pid"
    assert_serving
}

@test "tincand: peers that hold their connections do not keep it from stopping in time" {
    hold 20
    wait_until 30 connections 20
    run -0 systemctl stop tincand.service
    assert_equal "$(shown tincand.service Result)" success
    assert_serving
}

# spent PID: processor time, in hundredths of a second.
spent() {
    cut -d ' ' -f 14 "/proc/$1/stat"
}

# spun PID TIME: it has spent much more than that.
spun() {
    [ "$(spent "$1")" -gt $(($2 + 20)) ]
}

@test "tincand: when its loop hangs the watchdog kills it, and who waited meanwhile is served" {
    [ -x "$HANGING" ] || skip "the build of tincand that hangs is not there"
    printf '[Service]\nExecStart=\nExecStart=%s\nWatchdogSec=5s\n' "$HANGING" |
        configure tincand.service
    run -0 "$TINCAN" -m hello 127.0.0.1
    assert_output hello
    local pid
    pid=$(shown tincand.service MainPID)
    start python3 "$LOAD" ask 127.0.0.1:4040 'hang\0' >"$BATS_TEST_TMPDIR/hanged"
    local hanged=$STARTED
    wait_until 30 spun "$pid" "$(spent "$pid")"
    run -0 "$TINCAN" -m 'still there?' 127.0.0.1
    assert_output 'still there?'
    wait "$hanged"
    run -0 cat "$BATS_TEST_TMPDIR/hanged"
    assert_output ''
    assert_equal "$(shown tincand.service NRestarts)" 1
    wait_until 20 said tincand.service "Failed with result 'watchdog'"
    assert_serving
}

# pings COUNT: waits until the service has pinged the watchdog so often.
pings() {
    local turn last
    for ((turn = 0; turn < $1; turn++)); do
        last=$(shown tincand.service WatchdogTimestampMonotonic)
        wait_until 60 pinged_after "$last"
    done
}

pinged_after() {
    [ "$(shown tincand.service WatchdogTimestampMonotonic)" != "$1" ]
}

# assert_unmoved PID: it is the process that it was, and it serves and logs.
assert_unmoved() {
    assert_equal "$(shown tincand.service MainPID)" "$1"
    run -0 load_tool ask --from=127.0.0.9 127.0.0.1:4040 'later\0'
    assert_output 'later\x00'
    wait_until 60 said_later
    assert_serving
}

said_later() {
    journal -o cat "$EXCHANGE" | grep -q '^peer=127\.0\.0\.9:.*message="later"'
}

@test "tincand: with the journal stopped it serves, the watchdog is content, and later lines come again" {
    local units=(systemd-journald.socket systemd-journald-dev-log.socket systemd-journald.service) pid
    printf '[Service]\nWatchdogSec=5s\n' | configure tincand.service
    assert_serving
    pid=$(shown tincand.service MainPID)
    systemctl stop "${units[@]}"
    run load_tool flood --count="$FLOOD" --parallel=16 127.0.0.1:4040
    pings 3 || true
    systemctl start "${units[@]}"
    assert_success
    assert_output "answered=$FLOOD"
    assert_unmoved "$pid"
}

@test "tincand: with the journal hung it serves, the watchdog is content, and later lines come again" {
    local pid count=6000 # more lines than there is memory for
    printf '[Service]\nWatchdogSec=5s\n' | configure tincand.service
    assert_serving
    pid=$(shown tincand.service MainPID)
    JOURNALD=$(shown systemd-journald.service MainPID)
    kill -STOP "$JOURNALD"
    run load_tool flood --count="$count" --parallel=16 127.0.0.1:4040
    pings 3 || true
    wait_until 20 status_is 'log lines lost$' || true
    kill -CONT "$JOURNALD"
    assert_success
    assert_output "answered=$count"
    assert_unmoved "$pid"
    # What did not fit into the memory for it is counted.
    assert status_is 'log lines lost$'
}
