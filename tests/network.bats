#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2030,SC2031,SC2153,SC2154 # what bats and the helpers set, for each test alone
# Probes over networks and through middleboxes that do something to them: what is reported is what
# was configured. The server is tincand.

load helpers/common
load helpers/client_common
load helpers/network

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    REPORTS=$TESTS/helpers/probe_reports.py
}

teardown() {
    stop_started
}

# chance COUNT TRIALS LEAST MOST: as binomial.py says.
chance() {
    python3 "$TESTS/helpers/binomial.py" "$@"
}

# --- packets that are lost ---

# count JQ: how many probes in the file `out` are such.
count() {
    jq -n "[inputs | select(.type == \"probe\" and ($1))] | length" out
}

@test "of packets dropped at random as many probes are lost as must be, by what was dropped" {
    need jq
    hosts
    plug_in
    resend_after 5
    obey server 'meta l4proto tcp numgen random mod 100 < 5 drop'
    # A SYN is sent again after a second, the message after 5: within 0.9 s the loss of either is one
    # of the probe. Nothing else that the client sends is missed when it is lost.
    run on_client "$TINCAN" --json -c 2000 -i 2ms -W 900ms 192.0.2.2
    assert_failure 1
    printf '%s\n' "$output" >out
    "$REPORTS" json <out
    chance "$(count '.outcome == "filtered"')" 2000 0.05 0.05
    chance "$(count '.outcome == "timeout"')" 2000 0.0475 0.0475 # of the 95 % that connected
    assert_equal "$(count '.outcome | IN("echoed", "filtered", "timeout") | not')" 0
}

@test "of packets dropped on their way back, the answers to SYN are missed" {
    need jq
    hosts
    plug_in
    resend_after 5
    obey client 'meta l4proto tcp numgen random mod 100 < 5 drop'
    run on_client "$TINCAN" --json -c 2000 -i 2ms -W 900ms 192.0.2.2
    assert_failure 1
    printf '%s\n' "$output" >out
    chance "$(count '.outcome == "filtered"')" 2000 0.05 0.05
    # A lost reply is noticed at once, as the server's FIN comes without it, and is sent again;
    # unless the FIN is lost too, or what is sent again.
    chance "$(count '.outcome == "timeout"')" 2000 0 0.0475
    assert_equal "$(count '.outcome | IN("echoed", "filtered", "timeout") | not')" 0
}

@test "with time enough dropped packets lose no probe, but delay it by the time to send again" {
    need jq
    hosts
    plug_in
    resend_after 1
    obey server 'meta l4proto tcp numgen random mod 100 < 5 drop'
    run on_client "$TINCAN" --json -c 1000 -i 4ms -W 5s 192.0.2.2
    printf '%s\n' "$output" >out
    "$REPORTS" json <out
    # Within 5 s there are three attempts at least.
    chance "$(count '.outcome != "echoed"')" 1000 0 0.0003
    # Timers count ticks of the kernel's clock, of 10 ms at most.
    chance "$(count '.connect_ms != null and .connect_ms >= 990')" 1000 0.0499 0.05
    chance "$(count '.first_byte_ms != null and .first_byte_ms >= 990')" 1000 0.0497 0.05
    jq -se '.[-1].ms.time | .p50 < 990 and .p99 >= 990' out
}

# lossy SIDE PACKETS: every third of these packets that arrive at that side is dropped. Probes with
# text, as a plugin and as JSON in `text`, `line` and `out`, and how many were dropped of those in `dropped`.
lossy() {
    local rule="$2 numgen inc mod 3 == 2 counter drop"
    within_time # a busy machine is slow without a loss, and sends again what was not lost
    rm -f metrics # counters would go on from those of a try before
    hosts
    plug_in
    resend_after 1
    obey "$1" "$rule"
    on_client "$TINCAN" -c 3 -i 1ms -W 30s 192.0.2.2 >text
    on_client "$TINCAN" --check -c 3 -i 1ms -w 30s 192.0.2.2 >line
    "$REPORTS" plugin <line >/dev/null
    obey "$1" "$rule"
    on_client "$TINCAN" --json --prometheus metrics -c 20 -i 2ms -W 50s 192.0.2.2 >out
    "$REPORTS" json <out
    "$REPORTS" prometheus metrics >/dev/null
    "on_$1" nft list ruleset | grep -oP 'counter packets \K[0-9]+' >dropped
}

# resent KIND WORDS: the reports have as many segments of the kind as were dropped, in these words; and
# only probes that had some were slow.
resent() {
    assert_equal "$(jq -s ".[-1].$1" out)" "$(<dropped)"
    grep -qx "tincan_segments_total{target=\"192.0.2.2\",kind=\"$1\"} $(<dropped)" metrics
    jq -se "[.[] | select(.seq)] | all(.time_ms < 900 or .$1 > 0)" out
    grep -qE "^seq=.*  [0-9]+ $2" text
    grep -qE "^[0-9]+ $2, in [1-3] probes?$" text
    grep -qE "; [0-9]+ $2, in [1-3] probes? \|" line
}

@test "SYNs that are dropped are counted as sent again, and named where a probe was slow" {
    need jq
    lossy server 'tcp flags & (syn|ack) == syn'
    resent syns_resent 'SYNs? sent again'
}

@test "so are SYNs of which the answers are dropped" {
    need jq
    lossy client 'tcp flags & (syn|ack) == (syn|ack)'
    # The server sends its answer again by itself, too.
    jq -se '[.[] | select(.seq)] | all(.time_ms < 900 or .syns_resent > 0) and any(.syns_resent > 0)' out
}

@test "messages that are dropped are counted as segments sent again" {
    need jq
    lossy server 'tcp flags & (syn|psh) == psh'
    resent segments_resent 'segments? sent again'
}

@test "replies that are dropped are seen by what comes before them" {
    need jq
    lossy client 'tcp flags & (syn|psh) == psh'
    jq -se --argjson dropped "$(<dropped)" '[.[] | select(.seq)] | all(.time_ms < 900 or .out_of_order > 0) and
        (map(select(.out_of_order > 0)) | length | . > 0 and . <= $dropped)' out
    grep -qE '^[0-9]+ segments? out of order, in [1-3] probes?$' text
}

# --- packets that are rejected ---

@test "what a firewall does to connections is named" {
    hosts
    plug_in
    local address rule word limit
    # What ICMP says of a SYN is only heeded when connect(2) is done, as it may not be yet on a cable
    # without delay: then it is heeded a second later, when the SYN is sent again.
    while IFS='|' read -r address rule word; do
        obey server "tcp dport 4040 $rule"
        [[ $word == filtered ]] && limit=600ms || limit=10s
        run --separate-stderr on_client "$TINCAN" -c 1 -W "$limit" "$address"
        assert_failure 1
        assert_line --regexp "^seq=1 +$word: "
        assert_line "1 sent, 0 echoed, 1 lost (100.0 %): 1 $word"
        said ''
    done <<'END'
192.0.2.2|reject with tcp reset|refused
192.0.2.2|reject with icmp type net-unreachable|unreachable
192.0.2.2|reject with icmp type host-unreachable|unreachable
192.0.2.2|reject with icmp type admin-prohibited|unreachable
192.0.2.2|reject with icmp type port-unreachable|refused
192.0.2.2|drop|filtered
2001:db8::2|reject with tcp reset|refused
2001:db8::2|reject with icmpv6 type no-route|unreachable
2001:db8::2|reject with icmpv6 type addr-unreachable|unreachable
2001:db8::2|reject with icmpv6 type admin-prohibited|unreachable
2001:db8::2|reject with icmpv6 type port-unreachable|refused
2001:db8::2|drop|filtered
END
    obey server accept
    on_client "$TINCAN" -q -c 1 192.0.2.2
    on_client "$TINCAN" -q -c 1 2001:db8::2
}

@test "a connection whose packets are dropped once it stands is: timeout" {
    hosts
    plug_in
    obey server 'tcp dport 4040 tcp flags & (syn|psh) == psh drop'
    run on_client "$TINCAN" -c 1 -W 1s 192.0.2.2
    assert_failure 1
    assert_line --regexp '^seq=1 +timeout: no whole reply within 1 s: 0 of 57 bytes had come back; the last 57 bytes sent may not have been delivered \(not acknowledged\); [1-9][0-9]* segments? sent again$'
}

@test "a connection that is reset once it stands is: reset" {
    hosts
    plug_in
    obey server 'tcp dport 4040 tcp flags & (syn|psh) == psh reject with tcp reset'
    run on_client "$TINCAN" -c 1 192.0.2.2
    assert_failure 1
    assert_line --regexp '^seq=1 +reset: '
}

# --- addresses that are dead ---

# named ADDRESS...: from here on server.test has these addresses.
named() {
    printf '%s server.test\n' "$@" >hosts
}

# Runs a command on the client's host, where server.test is in /etc/hosts.
# shellcheck disable=SC2016 # for the shell inside
RESOLVING=(unshare -m sh -c 'mount --bind hosts /etc/hosts && exec nsenter -n -t "$@"' -)

# passed_over LIVE DEAD...: the median time of probes to server.test is that of the live address, and
# each report names those that are dead.
passed_over() {
    local live=$1 dead alone
    rm -f metrics # counters would go on from those of a try before
    alone=$(on_client "$TINCAN" --json -q -c 15 -i 20ms "$live" | jq .ms.time.p50)
    shift
    "${RESOLVING[@]}" "$CLIENT" "$TINCAN" --json -c 50 -i 30ms server.test >out 2>errors
    "$REPORTS" json <out
    jq -se --argjson alone "$alone" '.[-1].ms | .time.p50 < $alone + 2 and .others.min >= 250 and
        .connect.p99 < 250' out
    assert_equal "$(wc -l <errors)" $#
    "${RESOLVING[@]}" "$CLIENT" "$TINCAN" -c 2 -i 1ms --prometheus metrics server.test >text 2>/dev/null
    "$REPORTS" prometheus metrics >/dev/null
    "${RESOLVING[@]}" "$CLIENT" "$TINCAN" --check -c 1 server.test >line 2>/dev/null
    "$REPORTS" plugin <line >/dev/null
    # The average that the limits are for is without what was lost.
    [[ $(<line) =~ \'time\'=([0-9]+)\..*\'others\'=([0-9]+)\. ]]
    ((BASH_REMATCH[1] < 250 && BASH_REMATCH[2] >= 250))
    for dead; do
        jq -se --arg dead "$dead" '.[-1].failed_addresses | map(select(.peer == $dead)) |
            .[0].outcome == "filtered" and .[0].probes > 0 and .[0].lost_ms >= 250' out
        grep -qF "connecting to $dead: filtered: no answer within 0." errors
        grep -qF "failed address $dead: filtered in 2 probes, which lost 0." text
        grep -qF "; failed address $dead: filtered in 1 probe, which lost 0." line
        grep -qxF "tincan_address_failures_total{target=\"server.test\",address=\"$dead\"} 2" metrics
    done
}

@test "a dead address costs the first probes 250 ms, and each report names it" {
    need jq
    within_time
    hosts
    plug_in
    obey server 'ip6 daddr 2001:db8::2 tcp dport 4040 drop'
    named 192.0.2.2 2001:db8::2
    passed_over 192.0.2.2 '[2001:db8::2]:4040'
}

@test "so do two dead addresses of three, and the families take turns" {
    need jq
    within_time
    hosts
    plug_in
    on_server ip address add 2001:db8::3/64 dev cable nodad
    obey server 'ip6 daddr 2001:db8::2 tcp dport 4040 drop; ip daddr 192.0.2.2 tcp dport 4040 drop'
    named 2001:db8::2 2001:db8::3 192.0.2.2
    passed_over 2001:db8::3 '[2001:db8::2]:4040' '192.0.2.2:4040'
    assert_equal "$(jq -c 'select(.type == "begin").peers' out)" \
        '["[2001:db8::2]:4040","192.0.2.2:4040","[2001:db8::3]:4040"]'
}

# echoed_by PEER: a probe in `out` was.
echoed_by() {
    jq -se --arg peer "$1" 'any(.[]; .outcome == "echoed" and .peer == $peer)' out
}

# end_probes: ends the run that was started, whose summary is then in the file `out`.
end_probes() {
    kill -TERM "$STARTED"
    wait "$STARTED" || true
}

# far_away SECONDS DEAD: packets are under way for so long (over a plain cable a connection is there
# before the client waits for it), and server.test has two addresses, of which connections to DEAD (of nftables) are dropped.
far_away() {
    need jq
    hosts
    plug_in_slow "$1"
    obey server "$2 tcp dport 4040 drop"
    named 2001:db8::2 192.0.2.2
}

# first_echo_is_by PEER: it answers the one probe to server.test.
first_echo_is_by() {
    "${RESOLVING[@]}" "$CLIENT" "$TINCAN" --json -c 1 -W 20s server.test >out 2>errors
    echoed_by "$1"
}

@test "a dead address does not hide the answer of another one that is far away" {
    far_away 0.05 'ip6 daddr 2001:db8::2'
    first_echo_is_by 192.0.2.2:4040
}

@test "an address that is far away answers, although a dead one was tried after it" {
    far_away 0.2 'ip daddr 192.0.2.2'
    first_echo_is_by '[2001:db8::2]:4040'
}

@test "an address that is far away answers, although one before it is dead and one behind it fails" {
    far_away 0.3 'ip6 daddr 2001:db8::2'
    on_client ip route add unreachable 2001:db8::3
    named 2001:db8::2 192.0.2.2 2001:db8::3
    first_echo_is_by 192.0.2.2:4040
}

@test "what was tried beside the address that connected is closed then" {
    hosts
    plug_in
    on_server ip address add 192.0.2.3/24 dev cable
    obey server 'ip daddr 192.0.2.2 tcp dport 5050 drop'
    serve_by "nsenter -n -t $SERVER" --on 192.0.2.3#5050 silent
    named 192.0.2.2 192.0.2.3
    start "${RESOLVING[@]}" "$CLIENT" "$TINCAN" -c 1 -W 60s server.test:5050
    connections() {
        on_client ss -Htn state "$1" dport = :5050 | wc -l
    }
    wait_until 60 eval '[ "$(connections established)" = 1 ]'
    assert_equal "$(connections syn-sent)" 0
}

@test "a link's address is printed with its interface" {
    need jq
    hosts
    plug_in
    on_server ip address add fe80::2/64 dev cable nodad
    on_client ip address add fe80::1/64 dev cable nodad
    run -0 on_client "$TINCAN" --json -c 1 '[fe80::2%cable]:4040'
    jq -se '.[1].peer == "[fe80::2%cable]:4040"' <<<"$output"
    # tincand has the interface's number, as it asks for no names.
    start nsenter -n -t "$SERVER" "$TINCAND" --listen '[::]:5050' 2>log
    wait_until 60 on_client "$TINCAN" -q -m '' '[fe80::2%cable]:5050' 2>/dev/null
    wait_until 60 grep -q '^peer=\[fe80::1%[0-9][0-9]*\]:.* result=echoed ' log
}

@test "-I is the only interface that a connection may go through" {
    hosts
    plug_in
    on_client ip link set lo up
    run -0 on_client "$TINCAN" -I cable -m hello 192.0.2.2
    assert_output hello
    run -1 on_client "$TINCAN" -I lo -W 300ms -m hello 192.0.2.2
}

@test "neither an address nor a connection is blamed for what another one met" {
    need jq
    hosts
    plug_in
    for last in 3 4 5 6 7; do
        on_server ip address add "192.0.2.$last/24" dev cable
    done
    named 192.0.2.{2..7}
    # The first is refused when its second SYN comes; by then the fifth has just been tried. The last echoes at
    # once; and then when its second SYN comes, so that the fifth had its time, too.
    for drop in "" "ip daddr 192.0.2.7 tcp dport 4040 limit rate 1/hour burst 1 packets drop"; do
        obey server "ip daddr 192.0.2.2 tcp dport 4040 limit rate over 1/hour burst 1 packets reject with tcp reset;
            ip daddr 192.0.2.2-192.0.2.6 tcp dport 4040 drop; $drop"
        "${RESOLVING[@]}" "$CLIENT" "$TINCAN" --json -c 1 -W 20s server.test >out 2>errors
        echoed_by 192.0.2.7:4040
        jq -se '.[-1].failed_addresses | map(select(.outcome == "filtered")) | all(.[]; .lost_ms >= 250)' out
        jq -se ".[-1] | .syns_resent == 0${drop:+1} and .segments_resent == 0" out
    done
    jq -se '.[-1].failed_addresses | length == 5' out
}

@test "when the address in use begins to fail, each probe goes on to the others" {
    need jq
    hosts
    plug_in
    named 192.0.2.2 2001:db8::2
    start "${RESOLVING[@]}" "$CLIENT" "$TINCAN" --json -i 50ms -W 900ms server.test >out 2>errors
    wait_until 60 echoed_by '[2001:db8::2]:4040'
    obey server 'ip6 daddr 2001:db8::2 tcp dport 4040 drop'
    wait_until 60 echoed_by 192.0.2.2:4040
    end_probes
    jq -se 'all(.[] | select(.type == "probe"); .outcome == "echoed")' out
    jq -se '.[-1].failed_addresses[] | .peer == "[2001:db8::2]:4040" and .outcome == "filtered"' out
}

@test "an address that is in use is not left for one packet that is lost" {
    need jq
    hosts
    plug_in
    on_server ip address add 192.0.2.3/24 dev cable
    named 192.0.2.2 192.0.2.3
    start "${RESOLVING[@]}" "$CLIENT" "$TINCAN" --json -i 300ms server.test >out 2>errors
    wait_until 60 echoed_by 192.0.2.2:4040
    obey server 'ip daddr 192.0.2.2 tcp dport 4040 tcp flags syn limit rate 1/hour burst 1 packets drop'
    wait_until 60 eval 'jq -se "any(.[]; .outcome == \"echoed\" and .syns_resent == 1)" out'
    end_probes
    jq -se 'all(.[] | select(.type == "probe"); .peer == "192.0.2.2:4040")' out
    jq -se '.[-1].failed_addresses == []' out
}

@test "a line goes on to the other addresses, and to none that the name has no more" {
    hosts
    plug_in
    on_server ip address add 192.0.2.3/24 dev cable
    named 192.0.2.2 192.0.2.3
    mkfifo lines
    # shellcheck disable=SC2016 # for the shell inside
    start "${RESOLVING[@]}" "$CLIENT" sh -c 'exec "$0" server.test <lines >out 2>errors' "$TINCAN"
    exec {lines}>lines
    echo first >&"$lines"
    wait_until 60 grep -x first out
    obey server 'ip daddr 192.0.2.2 tcp dport 4040 reject with tcp reset'
    echo second >&"$lines"
    wait_until 60 grep -x second out
    obey server 'tcp dport 4040 reject with tcp reset'
    named 192.0.2.2
    echo third >&"$lines"
    wait_until 60 test -s errors
    exec {lines}>&-
    grep '^tincan: line 3: connecting to 192.0.2.2:4040: ' errors
    run ! grep 'addresses tried' errors
}

@test "when no address can be connected to, the name is resolved again" {
    need jq
    hosts
    plug_in
    obey server 'ip6 daddr 2001:db8::2 tcp dport 4040 drop'
    named 2001:db8::2
    start "${RESOLVING[@]}" "$CLIENT" "$TINCAN" --json -i 100ms -W 900ms server.test >out 2>errors
    wait_until 60 grep -q '"filtered"' out
    named 192.0.2.2
    wait_until 60 echoed_by 192.0.2.2:4040
}

@test "a name among many targets that could not be resolved is asked for again" {
    need jq
    hosts
    plug_in
    : >hosts
    start "${RESOLVING[@]}" "$CLIENT" "$TINCAN" --json -i 200ms -W 900ms server.test 192.0.2.9 >out 2>errors
    wait_until 60 grep -q '"unresolved"' out
    named 192.0.2.2
    wait_until 60 echoed_by 192.0.2.2:4040
}

# --- packets that are too big ---

# A size must fail three times, each for as long as -W: so the ranges end shortly above what works.

# black_hole ADDRESS BYTES HEADERS: where packets of more than BYTES vanish, the sweep finds the one
# size of message that is the limit: what the headers leave, less its null byte.
black_hole() {
    local largest=$(($2 - $3 - 1))
    obey server "meta length > $2 drop"
    run --separate-stderr on_client "$TINCAN" --sweep 1000-$((largest + 9)) -W 700ms "$1"
    assert_failure 1
    assert_line "the largest that works: $largest bytes; the smallest that fails: $((largest + 1)) bytes (timeout)"
    assert_line "packets over $2 bytes may be dropped on the way to the server (path MTU)"
    said ''
}

@test "--sweep finds the size over which packets vanish" {
    hosts
    plug_in
    black_hole 192.0.2.2 1300 $((20 + 20 + 12)) # IP, TCP, TCP's timestamps
    black_hole 2001:db8::2 1400 $((40 + 20 + 12))
}

@test "--sweep finds the size over which replies vanish" {
    hosts
    plug_in
    obey client 'meta length > 1200 drop'
    run on_client "$TINCAN" --json --sweep 1000-1160 -W 700ms 192.0.2.2
    assert_failure 1
    assert_equal "$("$REPORTS" largest_that_works <<<"$output")" $((1200 - 52 - 1))
    assert_equal "$("$REPORTS" outcome <<<"$output" | tail -n 1)" '"timeout"'
    assert_equal "$("$REPORTS" hint <<<"$output")" '"packets over 1200 bytes may be dropped on the way back (path MTU)"'
}

# --- delays ---

# For the times below: a probe may be slower than what delays it, as the machine may be busy, but not
# by more than this many milliseconds; and never quicker.
SLACK=900

# delayed JQ...: each of these expressions over the objects (as an array) is at least its value,
# and above it by less than the slack: `EXPRESSION=VALUE`.
delayed() {
    local each
    within_time
    for each; do
        jq -se "${each%=*} | . >= ${each##*=} and . < ${each##*=} + $SLACK" <<<"$output" || {
            echo "not so: $each within $SLACK, but $(jq -sc "${each%=*}" <<<"$output")" >&2
            return 1
        }
    done
}

@test "a cable that delays each packet is seen in the phases that cross it" {
    need jq
    hosts
    plug_in_slow 0.15
    run --separate-stderr on_client "$TINCAN" --json -c 5 -i 20ms 192.0.2.2
    assert_success
    "$REPORTS" json <<<"$output"
    delayed '.[-1].ms.connect.min=300' '.[-1].ms.connect.p99=297' '.[-1].ms.first_byte.min=300' \
        '.[-1].ms.first_byte.p99=297' '.[-1].ms.time.min=600' '.[-1].ms.time.p50=594' \
        '.[-1].ms.complete.max=0' '.[-1].ms.late.max=0'
}

# relay ACTION: tincand behind a relay that does this; its address is in $ADDRESS.
relay() {
    serve_tincand
    local file=$BATS_TEST_TMPDIR/relay
    rm -f "$file"
    start python3 "$TESTS/helpers/relay.py" "$file" "$ADDRESS" "$1"
    wait_until 60 test -e "$file"
    ADDRESS=$(<"$file")
}

# serve_tincand: tincand at $ADDRESS, its process $DAEMON.
serve_tincand() {
    [[ -x $TINCAND ]] || skip "tincand is not built; it needs libsystemd (Debian: libsystemd-dev)"
    ADDRESS=127.0.0.1:$(free_port)
    start "$TINCAND" --quiet --listen "$ADDRESS" --max-connections-per-source 900
    DAEMON=$STARTED
    wait_until 60 "$TINCAN" -q -m '' "$ADDRESS" 2>/dev/null
}

@test "a relay that waits before the first byte is seen in the first byte" {
    need jq
    relay late:0.3
    run --separate-stderr "$TINCAN" --json -c 3 -i 1ms "$ADDRESS"
    assert_success
    delayed '.[-1].ms.first_byte.min=300' '.[-1].ms.first_byte.max=300' '.[-1].ms.time.min=300' \
        '.[-1].ms.connect.max=0' '.[-1].ms.complete.max=0'
}

@test "a relay that waits before the last byte is seen in the completion" {
    need jq
    relay pause:0.3
    run --separate-stderr "$TINCAN" --json -c 3 -i 1ms "$ADDRESS"
    assert_success
    # Who sees the first byte late sees the completion short, but not the two together.
    delayed '.[-1].ms.complete.min=150' '[.[] | select(.seq) | .first_byte_ms + .complete_ms] | min=300' \
        '.[-1].ms.time.min=300' '.[-1].ms.connect.max=0'
}

@test "of replies that come later one by one, the percentiles are what they must be" {
    need jq
    # 1 to 100 times 15 ms; a percentile is off by 1 % at the most.
    relay ramp:0.015
    run --separate-stderr "$TINCAN" --json -c 100 -i 1ms "$ADDRESS"
    assert_success
    "$REPORTS" json <<<"$output"
    delayed '.[-1].ms.time.min=15' '.[-1].ms.time.p50=742' '.[-1].ms.time.p90=1336' \
        '.[-1].ms.time.p99=1470' '.[-1].ms.time.max=1500' '.[-1].ms.time.avg=757'
}

# --- middleboxes that alter messages ---

# altered ACTION OFFSET SENT RECEIVED CULPRIT [OPTION...]: through such a relay a probe is altered so.
altered() {
    local action=$1 expected
    expected=$(jq -nc '$ARGS.positional | ["altered", (.[:3][] | tonumber), .[3]]' --args "${@:2:4}")
    shift 5
    relay "$action"
    run --separate-stderr "$TINCAN" --json -c 1 "$@" "$ADDRESS"
    assert_failure 3
    said ''
    assert_equal "$(jq -c 'select(.type == "probe") | [.outcome, .offset, .sent, .received, .suspected_cause]' \
        <<<"$output")" "$expected"
}

@test "a relay that leaves all as it is alters nothing" {
    local pattern
    relay as-is
    for pattern in text ascii utf8 crlf iac random:7; do
        "$TINCAN" -q -c 1 -s 5000 -P "$pattern" "$ADDRESS"
    done
}

@test "a relay that makes LF CRLF is found out, on the way there and back" {
    need jq
    # The first line of the text ends at offset 55.
    altered crlf-there 55 10 13 'line endings were rewritten (LF to CRLF)' -s 200
    altered crlf-back 55 10 13 'line endings were rewritten (LF to CRLF)' -s 200
}

@test "a relay that strips the 8th bit is found out, on the way there and back" {
    need jq
    altered strip-there 2 194 66 'the 8th bit of every byte was stripped' -P utf8
    altered strip-back 2 194 66 'the 8th bit of every byte was stripped' -P utf8
}

@test "a relay that flips one bit is found out, wherever that is" {
    need jq
    altered flip-there:31 31 105 104 'a single bit was flipped'
    altered flip-back:0 0 84 85 'a single bit was flipped'
    altered flip-back:70000 70000 84 85 'a single bit was flipped' -s 100000
}

# --- load ---

# flood COUNT: so many exchanges, 32 at a time, with their samples in `out`. Prints how many KiB of
# memory client and server took more near the end than after the first 2000.
flood() {
    python3 - "$1" "$DAEMON" "$TINCAN" "$ADDRESS" <<'PYTHON'
import re, subprocess, sys
count, server, tincan, address = sys.argv[1:]

def memory(*pids):
    """What each process has, in KiB."""
    return [int(re.search(r"VmRSS:\s*(\d+) kB", open(f"/proc/{pid}/status").read())[1])
            for pid in pids]

client = subprocess.Popen([tincan, "-f", "--parallel", "32", "-c", count, "--json", "--histogram",
                           address], stdout=subprocess.PIPE)
with open("out", "wb") as out:
    for number, line in enumerate(client.stdout):
        out.write(line)
        if number == 2000:
            early = memory(client.pid, server)
        if number == int(count) - 1000: # the rest is more than a pipe holds: it can't have ended
            late = memory(client.pid, server)
print(*(after - before for before, after in zip(early, late)))
sys.exit(client.wait())
PYTHON
}

# TINCAN_EXCHANGES=200000 for a longer one. Sanitizers keep what was freed for a while.
# bats test_tags=limits
@test "a flood echoes all, agrees with its samples, and takes no memory at either end" {
    local exchanges=${TINCAN_EXCHANGES:-20000} client server
    serve_tincand
    flood "$exchanges" >growth
    "$REPORTS" json <out
    assert_equal "$(grep -c '"outcome":"echoed"' out)" "$exchanges"
    read -r client server <growth
    echo "grown by KiB: client $client, server $server" >&2
    ((client < 512 && server < 512))
}

@test "a flood through a network that drops packets verifies all that comes back" {
    need jq
    hosts
    plug_in
    obey server 'meta l4proto tcp numgen random mod 100 < 5 drop'
    on_client "$TINCAN" -f --parallel 64 -c 1500 -W 10s --json 192.0.2.2 >out || (($? == 1))
    "$REPORTS" json <out
    chance "$(count '.outcome != "echoed"')" 1500 0 0.0003
}
