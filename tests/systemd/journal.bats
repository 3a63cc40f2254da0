# SPDX-License-Identifier: MIT
# What an operator reads, and what happens where there is nothing to write it to.

setup() {
    load common
    fresh
}

teardown() {
    restore
}

@test "a hundred connections are a hundred lines, with level, peer and result, and no other" {
    run -0 load_tool flood --count=100 --parallel=8 127.0.0.1:4040
    assert_output answered=100
    wait_until 20 logged 100
    wait_until 30 no_instances
    run -0 journal -o cat -u 'tincan@*'
    assert_equal "${#lines[@]}" 100
    run -0 journal -o cat -u 'tincan@*' -p notice..notice -t tincan-handler
    assert_equal "$(grep -cE '^peer=127\.0\.0\.1:[0-9]+ result=echoed ' <<<"$output")" 100
    # Each message has a number of its own. A port of the client may be used twice.
    assert_equal "$(grep -oE ' message="message [0-9]+ ' <<<"$output" | sort -u | wc -l)" 100
}

@test "nor does the socket's unit add lines of its own" {
    run -0 load_tool flood --count=100 --parallel=8 127.0.0.1:4040
    wait_until 20 logged 100
    run -0 journal -o cat -u tincan.socket
    assert_output ''
}

@test "what a peer does wrong is a warning, and a check of the port is not logged" {
    run -0 load_tool ask 127.0.0.1:4040 'bad\xff\0'
    run -0 load_tool ask --half-close 127.0.0.1:4040 ''
    wait_until 20 logged 1
    wait_until 30 no_instances
    run -0 journal -o cat -p warning..warning -u 'tincan@*'
    assert_output --regexp '^peer=127\.0\.0\.1:[0-9]+ result=invalid-utf8 bytes=3 usec=[0-9]+ offset=3 byte=0xff message="bad"$'
}

@test "a drop-in with LogLevelMax=debug shows the checks of the port, and harms nothing" {
    printf '[Service]\nLogLevelMax=debug\n' | drop_in tincan@.service
    run -0 load_tool ask --half-close 127.0.0.1:4040 ''
    run -0 load_tool ask 127.0.0.1:4040 'hello\0'
    assert_output 'hello\x00'
    wait_until 20 logged 2
    run -0 journal -o cat -p debug..debug -t tincan-handler
    assert_output --regexp '^peer=127\.0\.0\.1:[0-9]+ result=eof bytes=0 '
    assert_all_well
}

@test "control characters of a message arrive escaped, in one line" {
    run -0 load_tool ask 127.0.0.1:4040 'a\x1b[2Jb\nc\rd\te\x07\xc2\x9bf\xe2\x80\xaeg<3>"\\\0'
    wait_until 20 logged 1
    run -0 outcomes
    assert_equal "${#lines[@]}" 1
    assert_output --partial 'message="a\\x1b[2Jb\\x0ac\\x0dd\\x09e\\x07\\xc2\\x9bf\\xe2\\x80\\xaeg<3>'
    run -1 grep -P '[^\x20-\x7e]' <<<"$output"
}

@test "without /dev/log the echo still works, and is logged" {
    rm /dev/log
    run "$TINCAN" -m hello 127.0.0.1
    ln -s /run/systemd/journal/dev-log /dev/log
    assert_success
    assert_output hello
    wait_until 10 logged 1
}

@test "with the journal stopped the echo still works" {
    local units=(systemd-journald.socket systemd-journald-dev-log.socket systemd-journald.service)
    systemctl stop "${units[@]}"
    run load_tool flood --count=20 --parallel=4 127.0.0.1:4040
    systemctl start "${units[@]}"
    assert_success
    assert_output answered=20
    assert_all_well
}

@test "with the journal hung the echo still works" {
    local journald
    journald=$(shown systemd-journald.service MainPID)
    kill -STOP "$journald"
    run timeout 60 python3 "$LOAD" flood --count=20 --parallel=4 127.0.0.1:4040
    kill -CONT "$journald"
    assert_success
    assert_output answered=20
    assert_all_well
}
