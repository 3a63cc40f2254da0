#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016,SC2153,SC2154 # scripts for other shells; what bats and the helpers set
# The client without a terminal: one-shot and batch, against servers that behave well or badly.

load helpers/common
load helpers/client_common

setup() {
    cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
    stop_started
}

# --- what it prints and how it ends when all is well ---

@test "an echo of -m goes to standard output with a newline" {
    serve echo
    run --separate-stderr "$TINCAN" -m 'hello wörld' "$ADDRESS"
    assert_success
    assert_output 'hello wörld'
    said ''
}

@test "each line is a message, and the echoes come in order" {
    serve echo
    run --separate-stderr "$TINCAN" "$ADDRESS" <<<$'one\ntwo\nthree'
    assert_success
    assert_output $'one\ntwo\nthree'
    said ''
}

@test "the last line may lack its newline" {
    serve echo
    run "$TINCAN" "$ADDRESS" < <(printf 'one\ntwo')
    assert_success
    assert_output $'one\ntwo'
}

@test "an empty line is an empty message" {
    serve echo
    "$TINCAN" "$ADDRESS" < <(printf 'a\n\nb\n') >out
    printf 'a\n\nb\n' | cmp - out
}

@test "an empty text is a message" {
    serve echo
    "$TINCAN" -m '' "$ADDRESS" >out
    printf '\n' | cmp - out
}

@test "without input nothing is sent" {
    run --separate-stderr "$TINCAN" "127.0.0.1:$(free_port)" </dev/null
    assert_success
    assert_output ''
    said ''
}

@test "an echo is written before the next line is there" {
    serve echo
    mkfifo lines
    start sh -c '"$0" "$1" <lines >out' "$TINCAN" "$ADDRESS"
    exec {lines}>lines
    echo first >&"$lines"
    wait_until 60 grep -qx first out
    echo second >&"$lines"
    wait_until 60 grep -qx second out
    exec {lines}>&-
    wait "$STARTED"
}

@test "-0 separates messages and echoes by null bytes" {
    serve echo
    "$TINCAN" -0 "$ADDRESS" < <(printf 'one\ntwo\0\0three') >out
    printf 'one\ntwo\0\0three\0' | cmp - out
}

@test "--whole takes all of the input as one message and adds nothing" {
    serve echo
    "$TINCAN" --whole "$ADDRESS" < <(printf 'one\ntwo\n') >out
    printf 'one\ntwo\n' | cmp - out
}

@test "--whole without input is one empty message" {
    serve close-after-reading
    run "$TINCAN" --whole "$ADDRESS" </dev/null
    assert_failure 1
}

@test "--quiet prints no echo" {
    serve echo
    run --separate-stderr "$TINCAN" -q "$ADDRESS" <<<hello
    assert_success
    assert_output ''
    said ''
}

@test "bytes that a terminal would obey go to a file as they are" {
    serve 'reply:\x1b[31mred\xe2\x80\xae\x07'
    "$TINCAN" -m $'\e[31mred\xe2\x80\xae\a' "$ADDRESS" >out
    printf '\033[31mred\342\200\256\007\n' | cmp - out
}

@test "the book's tag is accepted and shown" {
    serve tagged
    run --separate-stderr "$TINCAN" -m hello "$ADDRESS"
    assert_success
    assert_output --regexp "^\('127\.0\.0\.1', [0-9]+\): hello$"
    said ''
}

@test "the book's tag is accepted over IPv6" {
    serve --on ::1 tagged
    run "$TINCAN" -m hello "$ADDRESS"
    assert_success
    assert_output --regexp "^\('::1', [0-9]+, 0, 0\): hello$"
}

@test "every form of tag is accepted" {
    local tag
    for tag in "('127.0.0.1', 54321): " "('::1', 5, 0, 0): " '(2, 1024): ' "'name': " "'': " \
        "b'\\x00name': " "\"it's\": " "'a\\'b': "; do
        serve "tag:$tag"
        run --separate-stderr "$TINCAN" -m hello "$ADDRESS"
        assert_success
        assert_output "${tag}hello"
    done
}

@test "what only resembles a tag is an alteration" {
    local tag
    for tag in "('127.0.0.1', 54321):" "('127.0.0.1', 54321) " '5: ' 'name: ' "('a'; 5): " \
        "('a', 5: " "'a: " "$(printf "'%0300d': " 0)" "'é': " '(): '; do
        serve "tag:$tag"
        run --separate-stderr "$TINCAN" -m hello "$ADDRESS"
        assert_failure 3
        assert_output ''
        said '*: altered: *'
    done
}

@test "a message that begins like a tag may come back without one" {
    serve echo
    run "$TINCAN" -m "('a', 1): hello" "$ADDRESS"
    assert_success
    assert_output "('a', 1): hello"
}

@test "a large message comes back through a server that echoes as it reads" {
    serve as-it-reads
    head -c 50331648 /dev/zero | tr '\0' x >message # base64 and the like would take longer
    head -c 16777216 /dev/zero | tr '\0' y >>message
    "$TINCAN" -W 60s --max-bytes 64M --whole "$ADDRESS" <message >out
    cmp message out
}

@test "a reply that drips in within the time is an echo" {
    serve drip:0.02
    run "$TINCAN" -m hello "$ADDRESS"
    assert_success
    assert_output hello
}

@test "the handler echoes" {
    serve "run:exec $HANDLER"
    run --separate-stderr "$TINCAN" "$ADDRESS" <<<$'hello\n\nwörld'
    assert_success
    assert_output $'hello\n\nwörld'
}

@test "the handler's tag is accepted" {
    serve "run:exec $HANDLER --tag"
    run --separate-stderr "$TINCAN" -m hello "$ADDRESS"
    assert_success
    assert_output --regexp "^\('127\.0\.0\.1', [0-9]+\): hello$"
}

@test "the handler echoes a message of its limit" {
    serve "run:exec $HANDLER"
    head -c 1048576 /dev/zero | tr '\0' x >message
    "$TINCAN" --whole "$ADDRESS" <message >out
    cmp message out
}

@test "a message over the handler's limit gets no echo" {
    serve "run:exec $HANDLER --max-bytes 1k"
    run --separate-stderr "$TINCAN" -m "$(printf '%02000d' 0)" "$ADDRESS"
    assert_failure 1
    said 'tincan: getting an echo from 127.0.0.1:*: @(closed|reset): *it refused the message'
}

# --- addresses ---

@test "an address in brackets reaches an IPv6 server" {
    serve --on ::1 echo
    [[ $ADDRESS == '[::1]:'* ]]
    run "$TINCAN" -m hello "$ADDRESS"
    assert_success
}

@test "a name is resolved" {
    need_localhost
    serve echo
    run "$TINCAN" -m hello "localhost:${ADDRESS##*:}"
    assert_success
    assert_output hello
}

@test "-4 reaches the IPv4 address of a name, and -6 does not" {
    need_localhost
    serve echo
    run "$TINCAN" -4 -m hello "localhost:${ADDRESS##*:}"
    assert_success
    run "$TINCAN" -6 -m hello "localhost:${ADDRESS##*:}"
    assert_failure
}

@test "a unix socket is reached by its path" {
    serve --on "unix:$PWD/socket" echo
    run "$TINCAN" -m hello "$ADDRESS"
    assert_success
    assert_output hello
}

@test "a unix socket is reached by its abstract name" {
    serve --on "unix:@tincan-test-$$-$BATS_TEST_NUMBER" echo
    run "$TINCAN" -m hello "$ADDRESS"
    assert_success
    assert_output hello
}

@test "a vsock address is tried, or this machine has no vsock" {
    run --separate-stderr "$TINCAN" -W 1s -m hello vsock:1:59999
    assert_failure
    said 'tincan: connecting to vsock:1:59999: @(refused|unreachable|filtered|local error): *'
}

@test "a guest's port is reached through its hypervisor's socket" {
    serve --on "unix:$PWD/socket" hybrid:52
    run --separate-stderr "$TINCAN" -m hello "$ADDRESS#52"
    assert_success
    assert_output hello
}

# bats test_tags=sandbox
@test "a hypervisor is asked again where a call was interrupted" {
    need_tracer
    serve --on "unix:$PWD/socket" hybrid:52
    for call in sendto recvfrom; do
        for error in EINTR EAGAIN; do
            run -0 strace -f -o /dev/null -e "inject=$call:error=$error:when=1" "$TINCAN" -m hello "$ADDRESS#52"
            assert_output hello
        done
    done
}

# bats test_tags=sandbox
@test "an answer of the resolver is read again where that was interrupted" {
    need_tracer
    serve echo
    run -0 strace -f -o trace -e trace=recvfrom -e inject=recvfrom:error=EINTR:when=1 \
        "$TINCAN" -m hello "localhost:${ADDRESS#*:}"
    assert_output hello
    grep -q 'EINTR.*INJECTED' trace
}

# bats test_tags=sandbox
@test "a hypervisor that has closed before it is asked is: handshake" {
    need_tracer
    serve --on "unix:$PWD/socket" silent
    run --separate-stderr strace -f -o /dev/null -e inject=sendto:error=EPIPE:when=1 "$TINCAN" -m hello "$ADDRESS#52"
    assert_failure 1
    said "tincan: connecting to $ADDRESS#52: handshake: it closed the connection instead of *"
}

@test "a hypervisor that does not put through is: handshake" {
    serve --on "unix:$PWD/socket" hybrid:52 greet:ERROR 'greet:OK 1 2' 'greet:OK ' 'greet:XK 1' silent
    run --separate-stderr "$TINCAN" -m hello "$ADDRESS#53"
    assert_failure 1
    said "tincan: connecting to $ADDRESS#53: handshake: it closed the connection instead of *"
    for _ in 1 2 3 4; do
        run --separate-stderr "$TINCAN" -m hello "$ADDRESS#52"
        assert_failure 1
        said "tincan: connecting to $ADDRESS#52: handshake: it did not say OK to CONNECT; *"
    done
    milliseconds "$TINCAN" -W 300ms -m hello "$ADDRESS#52"
    assert_failure 1
    said "tincan: connecting to $ADDRESS#52: handshake: it did not say OK to CONNECT within 0.3 s"
    took_about 300
}

@test "-I chooses the address that the server sees" {
    serve tagged
    run "$TINCAN" -I 127.0.0.9 -m hello "$ADDRESS"
    assert_success
    assert_output --regexp "^\('127\.0\.0\.9', [0-9]+\): hello$"
    run --separate-stderr "$TINCAN" -I 192.0.2.77 -m hello "$ADDRESS"
    assert_failure 2
    said "tincan: connecting to $ADDRESS: local error: Cannot assign requested address: this machine does not have the address of -I; *"
}

@test "-I chooses the interface" {
    serve echo
    run --separate-stderr "$TINCAN" -I lo -m hello "$ADDRESS"
    assert_success
    assert_output hello
    run --separate-stderr "$TINCAN" -I no-such-if -m hello "$ADDRESS"
    assert_failure 2
    said "tincan: --source: 'no-such-if' is neither an IP address nor an interface *"
    # An address may have its interface with it.
    serve --on ::1 echo
    run --separate-stderr "$TINCAN" -I ::1%lo -m hello "$ADDRESS"
    assert_success
    run --separate-stderr "$TINCAN" -I ::1%no-such-if -m hello "$ADDRESS"
    assert_failure 2
    said "tincan: --source: '::1%no-such-if' is neither an IP address nor an interface *"
}

@test "an address that can't be is refused, naming what is wrong" {
    while IFS='|' read -r address complaint; do
        run --separate-stderr "$TINCAN" -m x "$address"
        assert_failure 2
        assert_equal "$stderr" "tincan: the address '$address': $complaint; see tincan --help"
    done <<'END'
localhost:0|'0' is not a port from 1 to 65535
localhost:65536|'65536' is not a port from 1 to 65535
localhost:http|'http' is not a port from 1 to 65535; give the number of a service, not its name
localhost:|'' is not a port from 1 to 65535
localhost:99999999999999999999|'99999999999999999999' is not a port from 1 to 65535
:4040|the host is missing
1:2:3|'1:2:3' is not an IPv6 address
1:2:3:4:5:6:7:8:99|'1:2:3:4:5:6:7:8:99' is not an IPv6 address; for port 99 of 1:2:3:4:5:6:7:8 write [1:2:3:4:5:6:7:8]:99
http://localhost|'http://localhost' can't be used; only tcp:// may stand in front
TCP://udp://localhost|'udp://localhost' can't be used; only tcp:// may stand in front
localhost 4040|'localhost 4040' has a blank; for a port write HOST:PORT
[::1|an address in brackets is written [IPV6] or [IPV6]:PORT
[::1]4040|an address in brackets is written [IPV6] or [IPV6]:PORT
[localhost]:4040|'localhost' is not an IPv6 address
unix:|the path of the socket is missing
unix:@|the path of the socket is missing
vsock:2|a vsock address is written vsock:CID:PORT
vsock:x:1|'x' is not a context id from 0 to 4294967294
vsock:2:4294967296|'4294967296' is not a vsock port from 0 to 4294967294
END
    address=unix:/$(printf '%0120d' 0)
    run --separate-stderr "$TINCAN" -m x "$address"
    assert_failure 2
    said "*'${address#unix:}' is too long for the path of a socket*"
}

@test "where an IPv6 address may have been meant to have a port, brackets are proposed" {
    run --separate-stderr "$TINCAN" -W 1s -m x ::1:4040
    assert_failure 1
    said "tincan: connecting to [[]::1:4040]:4040: *; for port 4040 of ::1 write [[]::1]:4040"
    for address in ::1 '[::1]:1'; do
        run -1 --separate-stderr "$TINCAN" -W 1s -m x "$address"
        [[ $stderr != *write* ]] || fail "$stderr"
    done
}

@test "an address of the other family is named" {
    while read -r option address family by; do
        # shellcheck disable=SC2086 # an option and its value
        run --separate-stderr "$TINCAN" ${option/=/ } -m x "$address"
        assert_failure 2
        host=${address#[} host=${host%]:1}
        said "tincan: $host is an $family address, which $by excludes; *"
    done <<'END'
-4 [::1]:1 IPv6 --ipv4
-4 fe80::1%lo IPv6 --ipv4
-6 127.0.0.1 IPv4 --ipv6
-I=127.0.0.1 ::1 IPv6 --source
END
}

@test "a path of a unix socket may fill the address" {
    local path
    path=/$(printf '%0106d' 0)
    run --separate-stderr "$TINCAN" -m x "unix:$path"
    assert_failure 1
    said "tincan: connecting to unix:$path: refused: there is no such socket; *"
}

# --- input that is no message ---

@test "a line with a null byte is refused, and the next line is sent" {
    serve echo
    run --separate-stderr "$TINCAN" "$ADDRESS" < <(printf 'one\nt\0o\nthree\n')
    assert_failure 2
    assert_output $'one\nthree'
    said 'tincan: line 2: not sent: the byte at offset 1 is 0x00, *'
}

@test "a line of invalid UTF-8 is refused, naming line, offset and byte" {
    serve echo
    run --separate-stderr "$TINCAN" "$ADDRESS" < <(printf 'one\nab\377c\nthree\n')
    assert_failure 2
    assert_output $'one\nthree'
    said 'tincan: line 2: not sent: the byte at offset 2 is 0xff, *UTF-8'
}

@test "a line that ends within a character is refused" {
    serve echo
    run --separate-stderr "$TINCAN" "$ADDRESS" < <(printf 'ab\303\nthree\n')
    assert_failure 2
    assert_output three
    said 'tincan: line 1: not sent: the byte at offset 3 is missing: *'
}

@test "a line over the limit is refused, and the next line is sent" {
    serve echo
    run --separate-stderr "$TINCAN" --max-bytes 4 "$ADDRESS" < <(printf 'four\nfives\nsix\n')
    assert_failure 2
    assert_output $'four\nsix'
    said 'tincan: line 2: not sent: the byte at offset 4 is over the limit of 4 bytes; *'
}

@test "a line without end takes no memory beyond the limit" {
    serve echo
    run --separate-stderr python3 - "$TINCAN" "$ADDRESS" <<'PYTHON'
import os, resource, subprocess, sys
client = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE)
for _ in range(400):
    client.stdin.write(b"x" * 1000000)
client.stdin.write(b"\nlast\n")
client.stdin.close()
_, status, used = os.wait4(client.pid, 0)
print("kilobytes", used.ru_maxrss, file=sys.stderr) if used.ru_maxrss > 150000 else None
sys.exit(os.waitstatus_to_exitcode(status))
PYTHON
    assert_failure 2
    assert_output last
    said 'tincan: line 1: not sent: the byte at offset 1048576 is over the limit of 1048576 bytes; *'
}

@test "with --whole, input over the limit is not read to its end" {
    run --separate-stderr timeout 60 "$TINCAN" --whole --max-bytes 1k 127.0.0.1:1 </dev/zero
    assert_failure 2
    said 'tincan: not sent: the byte at offset 1024 is over the limit of 1024 bytes; *'
}

@test "with -0 a refused message is named by its number" {
    serve echo
    run --separate-stderr "$TINCAN" -0 "$ADDRESS" < <(printf 'one\0\200')
    assert_failure 2
    said 'tincan: message 2: not sent: the byte at offset 0 is 0x80, *'
}

@test "a text of -m that is no UTF-8 is refused" {
    run --separate-stderr "$TINCAN" -m $'a\xc0' 127.0.0.1:1
    assert_failure 2
    said 'tincan: not sent: the byte at offset 1 is 0xc0, *'
}

@test "input that can't be read is an error" {
    run --separate-stderr "$TINCAN" 127.0.0.1:1 </
    assert_failure 2
    said 'tincan: reading standard input: Is a directory'
    run --separate-stderr bash -c '"$0" 127.0.0.1:1 <&-' "$TINCAN"
    assert_failure 2
    said 'tincan: reading standard input: Bad file descriptor'
}

# --- output that fails ---

@test "a full standard output is an error" {
    serve echo
    run --separate-stderr bash -c '"$0" "$1" >/dev/full <<<$'\''one\ntwo'\' "$TINCAN" "$ADDRESS"
    assert_failure 2
    said 'tincan: writing to standard output: No space left on device'
}

@test "a closed standard output is an error" {
    serve echo
    run --separate-stderr bash -c '"$0" -m hello "$1" >&-' "$TINCAN" "$ADDRESS"
    assert_failure 2
    said 'tincan: writing to standard output: Bad file descriptor'
}

@test "a connection takes the number of no stream that is closed" {
    serve silent
    start bash -c 'exec "$0" -m hello "$1" <&- >&- 2>&-' "$TINCAN" "$ADDRESS"
    files() {
        readlink "/proc/$STARTED/fd/"{0..9}
    }
    wait_until 60 eval 'files | grep -q ^socket:'
    [ "$(files | head -n 3 | uniq)" = /dev/null ]
}

@test "a slow reader that made standard output non-blocking gets all of it" {
    serve echo
    head -c 1000000 /dev/zero | tr '\0' x >message
    python3 - "$TINCAN" --whole "$ADDRESS" >out <<'PYTHON'
import os, subprocess, sys
ours, theirs = os.pipe()
os.set_blocking(theirs, False)
with open("message", "rb") as message:
    client = subprocess.Popen(sys.argv[1:], stdin=message, stdout=theirs)
os.close(theirs)
while part := os.read(ours, 1000):
    os.write(1, part)
sys.exit(client.wait())
PYTHON
    cmp message out
}

@test "help and version to a full standard output are errors" {
    run --separate-stderr bash -c '"$0" --help >/dev/full' "$TINCAN"
    assert_failure 2
    run --separate-stderr bash -c '"$0" --version >/dev/full' "$TINCAN"
    assert_failure 2
}

@test "a pipe that nobody reads ends it by SIGPIPE, without a word" {
    serve echo
    run --separate-stderr bash -c 'yes | "$0" "$1" | head -n 1; exit "${PIPESTATUS[1]}"' \
        "$TINCAN" "$ADDRESS"
    assert_failure 141
    assert_output y
    said ''
}

@test "with SIGPIPE ignored, a pipe that nobody reads ends it quietly too" {
    serve echo
    run --separate-stderr timeout 60 bash -c \
        'trap "" PIPE; yes 2>/dev/null | "$0" "$1" | head -n 1; exit "${PIPESTATUS[1]}"' \
        "$TINCAN" "$ADDRESS"
    assert_success
    assert_output y
    said ''
}

# --- the outcomes ---

@test "nobody listening is: refused" {
    local port
    port=$(free_port)
    run --separate-stderr "$TINCAN" -m hello "127.0.0.1:$port"
    assert_failure 1
    assert_output ''
    said "tincan: connecting to 127.0.0.1:$port: refused: nobody is listening there; *"
}

@test "the first and the last port are ports" {
    need_own_network
    for port in 1 65535; do
        run --separate-stderr unshare --net "$BASH" -c 'ip link set lo up && "$TINCAN" -m hello "$1"' - "127.0.0.1:$port"
        assert_failure 1
        said "tincan: connecting to 127.0.0.1:$port: refused: nobody is listening there; *"
    done
}

@test "a connection to itself is no server: refused" {
    need_own_sysctls
    namespace 'accept' echo
    inside sysctl -qw 'net.ipv4.ip_local_port_range=40000 40000'
    # The kernel takes 0.0.0.0 for 127.0.0.1.
    for host in 127.0.0.1 0.0.0.0 '\[::\]'; do
        run --separate-stderr inside "$TINCAN" -m hello "${host//\\/}:40000"
        assert_failure 1
        said "tincan: connecting to $host:40000: refused: *"
    done
}

@test "closed without a reply, the message read, is: closed" {
    serve close-after-reading
    run --separate-stderr "$TINCAN" -m hello "$ADDRESS"
    assert_failure 1
    assert_output ''
    said "tincan: getting an echo from $ADDRESS: closed: the server accepted the connection and \
closed it without a reply: it may be at its limit of connections, or it refused the message"
}

@test "closed at once, as launchers at their limit do, names the limit" {
    serve close
    run --separate-stderr "$TINCAN" -m "$(printf '%0100000d' 0)" "$ADDRESS"
    assert_failure 1
    said "tincan: getting an echo from $ADDRESS: @(closed|reset): *limit of connections*"
}

@test "a reset before a reply is: reset" {
    serve reset-at-once
    run --separate-stderr "$TINCAN" -m hello "$ADDRESS"
    assert_failure 1
    said "tincan: getting an echo from $ADDRESS: reset: the server, or a firewall on the way to it, reset the connection without *"
}

@test "a reset within the reply is: reset, with what had come" {
    serve reset-in-reply:3
    run --separate-stderr "$TINCAN" -m hello "$ADDRESS"
    assert_failure 1
    said "tincan: getting an echo from $ADDRESS: reset: *: 3 of 6 bytes had come back"
}

@test "a reset after the whole reply is no failure" {
    serve reset-after-reply
    run --separate-stderr "$TINCAN" -m hello "$ADDRESS"
    assert_success
    assert_output hello
    said ''
}

@test "an end before the null byte is: truncated, with what had come" {
    serve truncate:3
    run --separate-stderr "$TINCAN" -m hello "$ADDRESS"
    assert_failure 1
    said "tincan: getting an echo from $ADDRESS: truncated: *: 3 of 6 bytes had come back"
}

@test "a missing null byte alone is: truncated" {
    serve truncate:5
    run --separate-stderr "$TINCAN" -m hello "$ADDRESS"
    assert_failure 1
    said "*: truncated: *: 5 of 6 bytes had come back"
}

@test "another byte is: altered, with its offset and both values" {
    serve flip:4
    run --separate-stderr "$TINCAN" -m hello "$ADDRESS"
    assert_failure 3
    assert_output ''
    said "tincan: getting an echo from $ADDRESS: altered: the byte at offset 4 was sent as 0x6f and \
came back as 0x6e; it looks as if a single bit was flipped"
}

@test "another byte behind a tag is named by its offset in the message" {
    serve tagged-flip:4
    run --separate-stderr "$TINCAN" -m hello "$ADDRESS"
    assert_failure 3
    said '*: altered: the byte at offset 4 was sent as 0x6f and came back as 0x6e; it looks as if a single bit was flipped'
}

@test "what may have altered the text is named for lines, too" {
    serve to-crlf
    run --separate-stderr "$TINCAN" -0 "$ADDRESS" < <(printf 'a\nb\0')
    assert_failure 3
    said "tincan: message 1: *; it looks as if line endings were rewritten (LF to CRLF)"
}

@test "a longer reply is: altered" {
    serve longer:xyz
    run --separate-stderr "$TINCAN" -m hello "$ADDRESS"
    assert_failure 3
    said '*: altered: the reply is longer: it goes on at offset 5, where the message ends; it looks as if something was added after it'
}

@test "a shorter reply is: altered" {
    serve shorter:2
    run --separate-stderr "$TINCAN" -m hello "$ADDRESS"
    assert_failure 3
    said '*: altered: the reply is shorter: it ends at offset 2 of a message of 5 bytes'
}

@test "a reply without end is cut off as: altered" {
    serve endless
    run --separate-stderr timeout 60 "$TINCAN" -W 20s -m hello "$ADDRESS"
    assert_failure 3
    said '*: altered: the reply is longer: *'
}

@test "bytes behind the null byte are: extra bytes" {
    serve extra:zzz late-extra:zz
    run --separate-stderr "$TINCAN" "$ADDRESS" <<<$'hello\nagain'
    assert_failure 3
    assert_output ''
    said $'*line 1: *: extra bytes: at least 3 bytes came after *\n*line 2: *: extra bytes: at least 2 bytes came after *'
}

@test "so are they where the server has closed, and the reply was received without them" {
    serve urgent-extra:more
    yes hello | head -n 50 >lines
    run --separate-stderr "$TINCAN" "$ADDRESS" <lines
    assert_failure 3
    assert_output ''
}

@test "an address of a link needs its interface, and the reason says so" {
    unshare -n true 2>/dev/null || skip "no network namespaces here"
    run --separate-stderr unshare -n "$TINCAN" -m hello fe80::1
    assert_failure 2
    said '*: local error: Invalid argument: an address of a link needs its interface, as in fe80::1%eth0; the server was not asked'
    run --separate-stderr unshare -n "$TINCAN" -m hello 'fe80::1%nosuch'
    assert_failure 2
    said "*: unresolved: this machine has no interface 'nosuch'; *"
    # No other address takes one, whether there is such an interface or not.
    run --separate-stderr "$TINCAN" -m hello '[::1%lo]:4040'
    assert_failure 2
    said "tincan: finding the address of ::1%lo: unresolved: ::1 is not an address of a link, and takes no interface; leave out '%lo'"
}

@test "it is said whether the address of -I lacks an interface, or is of another one" {
    need_own_network
    local arguments reason
    while IFS='|' read -r arguments reason; do
        # shellcheck disable=SC2086 # several
        run --separate-stderr unshare -n sh -c 'ip link set lo up
            ip link add name one type veth peer name other || exit 9
            for end in one other; do
                ip link set "$end" addrgenmode none up
                ip address add fe80::5 dev "$end" nodad
            done
            exec "$@"' - "$TINCAN" -m hello $arguments
        ((status != 9)) || skip "this kernel has no veth"
        assert_failure 2
        said "tincan: connecting to *: local error: Invalid argument: $reason; the server was not asked"
    done <<'END'
-I fe80::5 ::1|the address of -I is of a link and needs its interface, as in fe80::1%eth0
-I fe80::5 fe80::5%one|the address of -I is of a link and needs its interface, as in fe80::1%eth0
-I fe80::5%one fe80::5%other|-I is of another interface than this address of a link
-I other fe80::5%one|-I is of another interface than this address of a link
END
}

@test "a machine without IPv6 is not said to have no ports left" {
    need_own_sysctls
    run --separate-stderr unshare -n "$BASH" -c 'ip link set lo up
        sysctl -qw net.ipv6.conf.all.disable_ipv6=1; exec "$TINCAN" -m hello ::1'
    assert_failure 2
    said '*: local error: Cannot assign requested address: this machine has no IPv6 address from which to reach it; the server was not asked'
}

@test "a server of another protocol is named, with what it answered" {
    serve 'greet:220 mail.example ESMTP' 'run:head -c6 >/dev/null; printf "HTTP/1.1 400 Bad Request\r\n\r\n"' \
        'reply:\x15\x03\x03' 'greet:what is longer than the message'
    local is='it is no echo server: it answered'
    run --separate-stderr "$TINCAN" -W 500ms -m hello "$ADDRESS"
    said "*: timeout: no whole reply within 0.5 s: $is \"220 mail.example ESMTP\", as an SMTP or FTP server does; *"
    run --separate-stderr "$TINCAN" -m hello "$ADDRESS"
    said "*: truncated: the connection ended before the null byte: $is \"HTTP/1.1 400 Bad Request\", as an HTTP server does"
    run --separate-stderr "$TINCAN" -m hello "$ADDRESS"
    said "*: altered: $is \"\\\\x15\\\\x03\\\\x03\", as a TLS server does"
    run --separate-stderr "$TINCAN" -W 500ms -m hello "$ADDRESS"
    said "*: timeout: no whole reply within 0.5 s: 32 bytes had come, more than the message has; *"
    # Also where the message begins with the same letter. What came is no part of the message that was cut.
    serve "run:head -c6 >/dev/null; printf 'HTTP/1.1 400 Bad Request\r\n\r\n%0484d' 0"
    run --separate-stderr "$TINCAN" -m Hello "$ADDRESS"
    said "*: altered: $is \"HTTP/1.1 400 Bad Request\", as an HTTP server does"
    serve "run:head -c2002 >/dev/null; printf 'HTTP/1.1 400 Bad Request\r\n\r\n%0484d' 0"
    run --separate-stderr "$TINCAN" -m "$(printf 'H%02000d' 0)" "$ADDRESS"
    said "*: truncated: *: $is \"HTTP/1.1 400 Bad Request\", as an HTTP server does"
    # Whoever echoes, too, is an echo server.
    serve 'run:printf "220 ready\n"; head -c6'
    run --separate-stderr "$TINCAN" -m hello "$ADDRESS"
    said "*: altered: the byte at offset 0 was sent as 0x68 and came back as 0x32; it looks as if a line was put in front of it, such as a banner"
}

@test "tcp:// may stand in front of a host" {
    serve echo
    run -0 "$TINCAN" -m hello "tcp://$ADDRESS"
    assert_output hello
}

@test "no reply in time is: timeout" {
    serve silent
    milliseconds "$TINCAN" -W 300ms -m hello "$ADDRESS"
    assert_failure 1
    said "tincan: getting an echo from $ADDRESS: timeout: no whole reply within 0.3 s: 0 of 6 bytes had come back; all bytes sent were delivered (acknowledged)"
    took_about 300
}

# bats test_tags=sandbox
@test "a reply that is there but can't be read is: timeout, however often it is tried" {
    need_tracer
    serve echo
    run --separate-stderr strace -f -o /dev/null -e inject=recvfrom:error=EAGAIN timeout 60 "$TINCAN" -W 300ms -m hello "$ADDRESS"
    assert_failure 1
    said "*: timeout: no whole reply within 0.3 s: 0 of 6 bytes had come back; all bytes sent were delivered (acknowledged)"
}

# bats test_tags=sandbox
@test "a message that is sent but can't be waited for is: local error, which does not deny it" {
    need_tracer
    serve echo
    run --separate-stderr strace -o /dev/null -e inject=poll:error=ENOMEM "$TINCAN" -m hello "$ADDRESS"
    assert_failure 2
    said "tincan: getting an echo from $ADDRESS: local error: Cannot allocate memory"
}

@test "a reply that drips past the time is: timeout, with what had come" {
    serve drip:0.12
    milliseconds "$TINCAN" -W 600ms -m hello,hello,hello "$ADDRESS"
    assert_failure 1
    said "*: timeout: no whole reply within 0.6 s: [1-5] of 18 bytes had come back; all bytes sent were delivered (acknowledged)"
    took_about 600
}

@test "a server that never reads is: timeout, with what had been sent" {
    serve never-read
    head -c 33554432 /dev/zero | tr '\0' x >message
    milliseconds "$TINCAN" -W 500ms --max-bytes 32M --whole "$ADDRESS" <message
    assert_failure 1
    said "*: timeout: no whole reply within 0.5 s: +([0-9]) of 33554433 bytes had been sent and 0 of *"
    took_about 500
}

@test "a reply that comes while the message is still going out is read" {
    serve early-reply:nothing
    head -c 1048576 /dev/zero | tr '\0' x >message
    run --separate-stderr "$TINCAN" --whole "$ADDRESS" <message
    assert_failure 1
    said "*: truncated: *7 of 1048577 bytes had come back*"
}

@test "a unix socket whose backlog is full is asked again until there is room" {
    run -0 timeout 120 python3 - "$TINCAN" <<'PYTHON'
import re, socket, subprocess, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind("socket")
listener.listen(0)
queued, full = [], False
while not full:
    queued.append(socket.socket(socket.AF_UNIX))
    queued[-1].setblocking(False)
    full = queued[-1].connect_ex("socket") != 0
client = subprocess.Popen([sys.argv[1], "-W60s", "-mhello", "unix:socket"], stdout=subprocess.PIPE)

def pauses():
    """How often it has slept: between its attempts, as nothing else happens."""
    with open(f"/proc/{client.pid}/status", encoding="ascii") as status:
        return int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status.read(), re.M)[1])

while pauses() < 50:
    pass
for one in queued:
    one.close()
message = b""
while not message:
    connection = listener.accept()[0]
    message = connection.recv(64)
connection.sendall(message)
connection.close()
assert client.communicate()[0] == b"hello\n"
assert client.returncode == 0
PYTHON
}

@test "a full backlog of a unix socket is: filtered" {
    serve --on "unix:$PWD/socket" full
    milliseconds "$TINCAN" -W 300ms -m hello "$ADDRESS"
    assert_failure 1
    said "tincan: connecting to $ADDRESS: filtered: no answer within 0.3 s; *"
    took_about 300
}

@test "a server that does not close is no failure, and is mentioned once" {
    serve stay-open
    run --separate-stderr "$TINCAN" "$ADDRESS" <<<$'one\ntwo'
    assert_success
    assert_output $'one\ntwo'
    said 'tincan: the server leaves the connection open after its reply: *'
    ((${#stderr_lines[@]} == 1))
}

@test "a server that does not close is waited for a second at most, and not past the time" {
    serve stay-open
    milliseconds "$TINCAN" -q -m hello "$ADDRESS"
    assert_success
    said ''
    took_about 1000
    milliseconds "$TINCAN" -q -W 500ms -m hello "$ADDRESS"
    assert_success
    ((took >= 500 && took < 1000))
}

@test "a name without an address is: unresolved, in the resolver's words" {
    milliseconds "$TINCAN" -m hello no-such-host.invalid
    assert_failure 2
    said 'tincan: finding the address of no-such-host.invalid: unresolved: *'
    ((took < 14000))
}

@test "after a failed line the next ones go on, and the worst status wins" {
    serve echo truncate:1 echo
    run --separate-stderr "$TINCAN" "$ADDRESS" <<<$'one\ntwo\nthree'
    assert_failure 1
    assert_output $'one\nthree'
    said 'tincan: line 2: *'

    serve flip:0 truncate:1 echo
    run --separate-stderr "$TINCAN" "$ADDRESS" < <(printf 'one\ntwo\nthree\n\377\n')
    assert_failure 3
    assert_output three
    ((${#stderr_lines[@]} == 3))
}

@test "no descriptor left is: local error" {
    need prlimit
    serve echo
    mkfifo lines
    # The leak checker, where there is one, needs descriptors.
    ASAN_OPTIONS=detect_leaks=0 start sh -c 'exec "$0" "$1" <lines >out 2>err' "$TINCAN" "$ADDRESS"
    exec {lines}>lines
    echo first >&"$lines"
    wait_until 60 grep -qx first out
    prlimit --pid "$STARTED" --nofile=3:3
    echo second >&"$lines"
    exec {lines}>&-
    status=0
    wait "$STARTED" || status=$?
    assert_equal "$status" 2
    grep -q '^tincan: line 2: connecting to .*: local error: Too many open files' err
}

@test "stopping and continuing it harms nothing" {
    serve 'run:head -c 12 >message; until test -e go; do :; done; exec cat message'
    start sh -c 'exec "$0" -m hello,hello -W 1h "$1" >out' "$TINCAN" "$ADDRESS"
    for _ in 1 2 3; do
        kill -STOP "$STARTED"
        wait_until 60 grep -q '^State:.*stopped' "/proc/$STARTED/status"
        kill -CONT "$STARTED"
        wait_until 60 grep -q '^State:.*sleeping' "/proc/$STARTED/status"
    done
    : >go
    wait "$STARTED"
    grep -qx hello,hello out
}

@test "C is as good a locale as any" {
    serve echo
    LC_ALL=C run "$TINCAN" -m 'wörld' "$ADDRESS"
    assert_success
    assert_output wörld
}

# --- network faults, each in a network namespace of its own ---

# namespace RULES BEHAVIOUR...: a server in a namespace whose packets obey the rules on arrival.
namespace() {
    need nsenter
    need_nftables
    local rules=$1
    shift
    printf '#!/bin/sh\nexec unshare -nm %q %q "$@"\n' "$TESTS/helpers/client_netns" "$rules" >enter
    chmod +x enter
    serve_by ./enter "$@"
}

inside() {
    nsenter -n -m -r -w -t "$STARTED" "$@"
}

@test "a dropped connection attempt is: filtered" {
    namespace 'tcp dport 4040 drop' echo
    milliseconds inside "$TINCAN" -W 400ms -m hello 127.0.0.1
    assert_failure 1
    said 'tincan: connecting to 127.0.0.1:4040: filtered: no answer within 0.@(4|399|398) s; *'
    took_about 400
}

@test "the time without an answer is what it was, where the kernel gives up first" {
    need_own_sysctls
    namespace 'ip daddr 127.0.0.9 tcp dport 4040 drop' echo
    inside sysctl -qw net.ipv4.tcp_syn_retries=1
    run --separate-stderr inside "$TINCAN" -W 60s -m hello 127.0.0.9
    assert_failure 1
    said 'tincan: connecting to 127.0.0.9:4040: filtered: no answer within [1-9].*([0-9]) s; *'
}

@test "a rejection as prohibited is: unreachable" {
    namespace 'tcp dport 4040 reject with icmpx type admin-prohibited' echo
    run --separate-stderr inside "$TINCAN" -W 5s -m hello 127.0.0.1
    assert_failure 1
    said 'tincan: connecting to 127.0.0.1:4040: unreachable: No route to host; *'
    run --separate-stderr inside "$TINCAN" -W 5s -m hello ::1
    assert_failure 1
    said 'tincan: connecting to \[::1\]:4040: unreachable: *'
}

@test "a rejection by reset is: refused" {
    namespace 'tcp dport 4040 reject with tcp reset' echo
    run --separate-stderr inside "$TINCAN" -m hello 127.0.0.1
    assert_failure 1
    said 'tincan: connecting to 127.0.0.1:4040: refused: *'
}

@test "no route is: unreachable" {
    namespace 'accept' echo
    run --separate-stderr inside "$TINCAN" -m hello 192.0.2.1
    assert_failure 1
    said 'tincan: connecting to 192.0.2.1:4040: unreachable: Network is unreachable; *'
}

@test "a dead IPv6 address leaves time for the IPv4 address" {
    namespace 'meta nfproto ipv6 tcp dport != 0 drop' echo
    milliseconds inside "$TINCAN" -W 3s -m hello "two-addresses.test:${ADDRESS##*:}"
    assert_success
    assert_output hello
    ((took >= 250 && took < 3000))
}

@test "when all addresses fail, the last error and the count are reported" {
    namespace 'meta nfproto ipv6 tcp dport != 0 drop' echo
    run --separate-stderr inside "$TINCAN" -W 2s -m hello two-addresses.test:1
    assert_failure 1
    said 'tincan: connecting to 127.0.0.1:1: refused: * (the last of 2 addresses tried)'
}

@test "a name server that does not answer takes no more than the time" {
    namespace 'udp dport 53 drop' echo
    milliseconds inside "$TINCAN" -W 500ms -m hello slow.test
    assert_failure 2
    said 'tincan: finding the address of slow.test: unresolved: no answer from the resolver within 0.5 s; *'
    took_about 500
}

@test "a name that can't be looked up for lack of descriptors is not taken for an unknown one" {
    namespace accept echo
    local limit complaint lacking=0 found=0
    # From where the program can't be loaded to where nothing is amiss.
    for limit in {4..24}; do
        # shellcheck disable=SC2016 # is the inner shell's
        complaint=$(inside env ASAN_OPTIONS=detect_leaks=0 "$BASH" -c 'ulimit -n "$1"; exec "${@:2}"' - \
            "$limit" "$TINCAN" -m hello two-addresses.test:1 2>&1) || true
        case $complaint in
        'tincan: finding the address of two-addresses.test: local error: Too many open files: no descriptor '*)
            ((lacking += 1))
            ;;
        'tincan: connecting to 127.0.0.1:1: refused: '*)
            ((found += 1))
            ;;
        tincan:*)
            echo "$limit: $complaint"
            return 1
            ;;
        esac
    done
    ((lacking > 0 && found > 0))
}

# one_thread PID: whether the process has only its first thread.
one_thread() {
    [ "$(ls "/proc/$1/task")" = "$1" ]
}

# sockets_of PID: how many the process has open.
sockets_of() {
    find "/proc/$1/fd" -lname 'socket:*' | wc -l
}

# bats test_tags=limits, valgrind
@test "an address that is found too late is freed, and so is its socket" {
    need valgrind
    namespace 'accept' echo
    local server=$STARTED lines status=0 before after
    # A name server that answers when `late` is there: 127.0.0.1, and no IPv6 address.
    start nsenter -n -t "$server" python3 -c 'import os, socket, time
server = socket.socket(type=socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
open("bound", "w").close()
while True:
    query, client = server.recvfrom(512)
    while not os.path.exists("late"):
        time.sleep(0.01)
    end = query.index(b"\0", 12) + 5
    found = query[end - 4:end - 2] == b"\0\1"
    answer = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4\x7f\0\0\1" if found else b""
    server.sendto(query[:2] + b"\x81\x80\0\1\0" + bytes([found, 0, 0, 0, 0]) + query[12:end] + answer, client)'
    wait_until 60 test -e bound
    mkfifo lines
    # shellcheck disable=SC2016 # is the inner shell's
    start nsenter -n -m -r -w -t "$server" sh -c 'exec "$@" <lines 2>errors' sh \
        valgrind --quiet --leak-check=full --error-exitcode=99 "$TINCAN" -W 500ms late.test
    before=$(sockets_of "$STARTED")
    exec {lines}>lines
    echo hello >&"$lines"
    wait_until 60 grep -q 'unresolved: no answer from the resolver' errors
    : >late
    wait_until 60 one_thread "$STARTED"
    after=$(sockets_of "$STARTED")
    exec {lines}>&-
    wait "$STARTED" || status=$?
    cat errors
    assert_equal "$after" "$before"
    assert_equal "$status" 2
}

@test "no ephemeral port left is: local error" {
    need_own_sysctls
    namespace 'accept' silent
    inside sysctl -qw 'net.ipv4.ip_local_port_range=40000 40000'
    local server=$STARTED
    start nsenter -n -m -r -w -t "$server" "$TINCAN" -W 20s -m hello "$ADDRESS"
    wait_until 60 nsenter -n -t "$server" bash -c 'grep -q ":9C40 .* 01 " /proc/net/tcp'
    run --separate-stderr nsenter -n -m -r -w -t "$server" "$TINCAN" -m hello "$ADDRESS"
    assert_failure 2
    said "tincan: connecting to $ADDRESS: local error: Cannot assign requested address: all local ports to that address are in use, *"
}

@test "the server closes first, so no port stays behind on our side" {
    namespace 'accept' echo
    for _ in 1 2 3; do inside "$TINCAN" -q -m hello "$ADDRESS"; done
    run inside bash -c 'awk -v port="$(printf %04X "$1")" "\$4 == \"06\" && \$3 ~ port" /proc/net/tcp' \
        - "${ADDRESS##*:}"
    assert_output ''
}

# --- the command line ---

@test "help goes to standard output" {
    run --separate-stderr "$TINCAN" --help
    assert_success
    assert_line --index 0 --partial 'Usage: tincan'
    said ''
}

@test "the version is shown" {
    run --separate-stderr "$TINCAN" -V
    assert_success
    assert_output --regexp '^tincan [0-9]+\.[0-9]+\.[0-9]+$'
}

@test "each option's wrong value is named" {
    local value
    for value in 0 -1 1x '' 25h 1e3 99999999999999999999; do
        run --separate-stderr "$TINCAN" --timeout "$value" -m x
        assert_failure 2
        said "tincan: --timeout: '$value' is not a time from 1ms to 1d; see tincan --help"
    done
    for value in -1 1x '' 2G 99999999999999999999; do
        run --separate-stderr "$TINCAN" --max-bytes "$value" -m x
        assert_failure 2
        said "tincan: --max-bytes: '$value' is not a size from 0 to 1G; see tincan --help"
    done
}

@test "options that exclude each other are refused" {
    local options
    for options in '-m x -0' '-m x --whole' '-0 --whole' '-4 -6' '--connect-first -m x' \
        '--connect-first -0' '-4 unix:/nowhere' '-I lo unix:/nowhere' '-6 -I 127.0.0.1'; do
        # shellcheck disable=SC2086 # several
        run --separate-stderr "$TINCAN" $options </dev/null
        assert_failure 2
        said 'tincan: *; see tincan --help'
    done
}

@test "an unknown option is named" {
    run --separate-stderr "$TINCAN" -qZ
    assert_failure 2
    said "tincan: there is no option '-Z'; *"
    run --separate-stderr "$TINCAN" --nonsense
    assert_failure 2
    said "tincan: there is no option '--nonsense', or it is short for several; *"
    run --separate-stderr "$TINCAN" --quiet=yes
    assert_failure 2
    said "tincan: the option takes no value: '--quiet=yes'; *"
    run --separate-stderr "$TINCAN" -m
    assert_failure 2
    said "tincan: the option '-m' needs a value; *"
    run --separate-stderr "$TINCAN" --message
    assert_failure 2
    said "tincan: the option '--message' needs a value; *"
}

@test "a second address is refused" {
    run --separate-stderr "$TINCAN" -m x localhost elsewhere
    assert_failure 2
    said "tincan: there can be one address only; the second is 'elsewhere'; *"
    run --separate-stderr "$TINCAN" -m x localhost 4041
    said "tincan: there can be one address only; the second is '4041'; for a port write localhost:4041; *"
    run --separate-stderr "$TINCAN" -m x ::1 4041
    said "tincan: there can be one address only; the second is '4041'; for a port write \[::1\]:4041; *"
    run --separate-stderr "$TINCAN" -m x localhost:1 4041
    said "tincan: there can be one address only; the second is '4041'; see tincan --help"
}

@test "escape sequences on the command line are not repeated as such" {
    run --separate-stderr "$TINCAN" -m x $'\e[2J:0'
    assert_failure 2
    said '*\\x1b[[]2J:0*'
}
