# SPDX-License-Identifier: MIT
# Many connections at once, one after the other, and held: what is turned away is turned away by the
# limits that the unit states, and nothing fails or stays behind.
# bats file_tags=flood

COUNT=$(cat /var/lib/tincan-tests/flood)

setup() {
    load common
    fresh
}

teardown() {
    restore
}

# flood KIND: COUNT clients, 32 at a time; then met[OUTCOME] is how many met it.
flood() {
    local line
    declare -gA met=([answered]=0 [turned-away]=0 [left]=0 [unanswered]=0)
    run -0 load_tool flood --kind="$1" --count="$COUNT" --parallel=32 127.0.0.1:4040
    echo "$output"
    refute_line --regexp '^(wrong|unreachable)='
    for line in "${lines[@]}"; do
        met[${line%=*}]=${line#*=}
    done
    wait_until 120 no_instances
}

# from the journal, without the numbers: how often a connection was refused for the limits
refusals() {
    journal -o cat -u tincan.socket | grep -c '^tincan.socket: Too many incoming connections ([0-9]*)' ||
        true
}

@test "of $COUNT connections as fast as they go each is answered, or refused by the stated limit" {
    flood polite
    assert_equal "$((met[answered] + met[turned-away]))" "$COUNT"
    assert_equal "${met[turned-away]}" "$(refused)"
    assert_equal "$(refusals)" "$(refused)"
    assert_equal "$((met[answered] + $(refused)))" "$COUNT"
    assert [ "${met[answered]}" -ge $((COUNT / 2)) ]
    wait_until 30 logged "${met[answered]}"
    assert_equal "$(outcomes | grep -c ' result=echoed ')" "${met[answered]}"
    assert_all_well
}

@test "of $COUNT connections, of which half vanish in the middle, the other half is answered" {
    flood vanishing
    assert_equal "${met[left]}" "$((COUNT / 2))"
    assert_equal "$((met[answered] + met[turned-away]))" "$((COUNT / 2))"
    assert [ "${met[turned-away]}" -le "$(refused)" ]
    assert [ "${met[answered]}" -ge $((COUNT / 4)) ]
    assert_all_well
}

@test "$COUNT connections that all send garbage get no byte, and fail nothing" {
    flood garbage
    assert_equal "${met[unanswered]}" "$COUNT"
    wait_until 30 logged "$((COUNT - $(refused)))"
    assert_equal "$(outcomes | grep -c ' result=invalid-utf8 ')" "$((COUNT - $(refused)))"
    assert_all_well
}

@test "a source that hogs all it may have does not keep another out" {
    local limit
    limit=$(shown tincan.socket MaxConnectionsPerSource)
    hold "$((limit + 6))" 127.0.0.2
    wait_until 30 connected "$limit"
    wait_until 30 refused_so_far 6
    run -0 load_tool ask --from=127.0.0.2 127.0.0.1:4040 'hello\0'
    assert_output ''
    run -0 "$TINCAN" -m hello 127.0.0.1
    assert_output hello
    run -0 journal -o cat -u tincan.socket
    assert_line --regexp "Too many incoming connections \([0-9]+\) from source .*127\.0\.0\.2"
    stop_started
    wait_until 60 connected 0
    run -0 load_tool ask --from=127.0.0.2 127.0.0.1:4040 'hello\0'
    assert_output 'hello\x00'
    assert_all_well
}

# dropped: whether systemd has logged that it dropped a connection.
dropped() {
    journal -o cat -u tincan.socket | grep -q 'dropping connection'
}

@test "at the limit of all connections the next is refused, and served when there is room again" {
    local limit of_one source
    limit=$(shown tincan.socket MaxConnections)
    of_one=$(shown tincan.socket MaxConnectionsPerSource)
    for ((source = 0; source * of_one < limit; source++)); do
        hold "$of_one" "127.0.1.$((source + 1))"
    done
    wait_until 60 connected "$limit"
    run -1 --separate-stderr "$TINCAN" -W 60s -m hello 127.0.0.1
    assert_output ''
    wait_until 60 dropped
    run -0 journal -o cat -u tincan.socket
    assert_line --partial "Too many incoming connections ($limit), dropping connection."
    kill "$STARTED"
    wait_until 60 connected "$((limit - of_one))"
    run -0 "$TINCAN" -W 60s -m hello 127.0.0.1
    assert_output hello
    stop_started
    assert_all_well
}
