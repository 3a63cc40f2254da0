#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016,SC2154 # scripts for other shells; what bats and the helpers set
# The client's conversation, in a pseudo-terminal.

load helpers/common
load helpers/client_common

setup() {
    need expect
    cd "$BATS_TEST_TMPDIR" || return
    export XDG_STATE_HOME=$PWD/state HOME=$PWD TERM=xterm NO_COLOR=1 LC_ALL=C.UTF-8
    HISTORY=$XDG_STATE_HOME/tincan/history
}

teardown() {
    stop_started
}

# play: runs the script of standard input, to which $ADDRESS is known as $address.
play() {
    { printf 'set address {%s}\n' "$ADDRESS" && cat; } >script.exp
    timeout 60 expect "$TESTS/helpers/client_chat.exp" script.exp
}

@test "the conversation reads as it should, and q ends it" {
    serve echo
    play <<'END'
chat --classic $address
see "> "
type "hello\r"
see "connection to server"
see "> "
type "q\r"
ends 0
screen_is "Type message, enter to send. 'q' to quit
> hello
Connected to $address
Sent message: hello
Received echo: hello
Closed connection to server
> q
"
END
}

@test "the handler converses" {
    serve "run:exec $HANDLER"
    play <<'END'
chat $address
see "> "
type "hello\r"
see "Received echo: hello\r\nClosed connection to server"
see "> "
type "again\r"
see "Received echo: again\r\nClosed connection to server"
see "> "
type "q\r"
ends 0
END
}

@test "the address is printed in the notation of its family" {
    serve --on ::1 echo
    play <<'END'
chat $address
see "> "
type "hello\r"
see "Connected to $address\r\n"
see "> "
type "q\r"
ends 0
END
    serve --on "unix:$PWD/socket" echo
    play <<'END'
chat $address
see "> "
type "hello\r"
see "Connected to $address\r\n"
see "> "
type "q\r"
ends 0
END
}

@test "a name is shown as the address that it led to" {
    need_localhost
    serve echo
    ADDRESS=localhost:${ADDRESS##*:} play <<'END'
chat -4 $address
see "> "
type "hello\r"
see "Connected to 127.0.0.1:"
see "> "
type "q\r"
ends 0
END
}

@test "nothing is connected before there is something to send" {
    ADDRESS=127.0.0.1:$(free_port)
    play <<'END'
chat $address
see "> "
type "q\r"
ends 0
screen_lacks "connecting"
END
}

@test "the end of input ends it on a row of its own" {
    serve echo
    play <<'END'
chat $address
see "> "
type "hello\r"
see "connection to server"
see "> "
type "\x04"
ends 0
if {![string match "*> *\n" $screen]} { fail "no newline at the end" }
END
}

@test "an empty line is an empty message" {
    serve echo
    play <<'END'
chat $address
see "> "
type "\r"
see "Sent message: \r\nReceived echo: \r\nClosed connection to server"
see "> "
type "q\r"
ends 0
END
}

@test "Ctrl-C ends it by SIGINT and leaves the terminal as it was" {
    serve echo
    cat >in_shell <<'END'
stty -g >before
"$TINCAN" "$1"
echo "status=$?"
stty -g >after
END
    play <<'END'
spawn -noecho bash -c "trap : INT; . ./in_shell" - $address
see "> "
type "half a mess"
see "mess"
type "\x03"
see "status=130\r\n"
ends 0
END
    cmp before after
}

@test "Ctrl-C during an exchange gives that up, and the next message is sent" {
    serve silent echo
    play <<'END'
chat $address
see "> "
type "hello\r"
see "Sent message: hello\r\n"
type "\x03"
see "getting an echo from $address: given up after "
see "Closed connection to server\r\n"
see "> "
type "again\r"
see "Received echo: again\r\n"
see "> "
type "q\r"
ends 1
END
}

@test "Ctrl-C gives up connecting, also where that comes first" {
    serve --on "unix:$PWD/socket" full
    play <<'END'
chat $address
see "> "
type "hello\r"
see " s, Ctrl-C gives up"
type "\x03"
see "tincan: connecting to $address: given up after "
see "> "
type "q\r"
ends 1
screen_lacks "Closed"
chat --connect-first $address
see " s, Ctrl-C gives up"
type "\x03"
see "tincan: connecting to $address: given up after "
ends 1
END
}

@test "Ctrl-C gives up finding the address" {
    need unshare
    need_nftables
    printf '#!/bin/sh\nexec unshare -nm "$TESTS/helpers/client_netns" "udp dport 53 drop" "$TINCAN" "$@"\n' >enter
    chmod +x enter
    ADDRESS=slow.example play <<'END'
spawn -noecho ./enter $address
see "> "
type "hello\r"
see " s, Ctrl-C gives up"
type "\x03"
see "tincan: finding the address of slow.example: given up after "
see "> "
type "q\r"
ends 1
screen_lacks "Connected"
END
}

@test "Ctrl-Z stops it, and continuing it shows the prompt again" {
    need_libedit
    serve echo
    play <<'END'
spawn -noecho bash --norc -i
type "PS1='shell: '; unset HISTFILE\r"
see "shell: "
type "\$TINCAN $address\r"
see "quit\r\n"
see "> "
type "\x1a"
see "Stopped"
see "shell: "
type "fg\r"
see "> "
type "hello\r"
see "Received echo: hello\r\n"
see "> "
type "q\r"
see "shell: "
type "exit\r"
ends 0
END
}

@test "a change of the window's size does no harm" {
    serve echo
    play <<'END'
set me [chat $address]
see "> "
type "hel"
see "hel"
stty rows 10 columns 40 < $spawn_out(slave,name)
exec kill -WINCH $me
type "lo\r"
see "Received echo: hello\r\n"
see "> "
type "q\r"
ends 0
END
}

@test "UTF-8 is typed, edited and echoed" {
    serve echo
    play <<'END'
chat $address
see "> "
type "wöx\x7frld €😀\r"
see "Sent message: wörld €😀\r\nReceived echo: wörld €😀\r\n"
see "> "
type "aö\x7f\r"
see "Sent message: a\r\n"
see "> "
type "q\r"
ends 0
END
}

@test "in the C locale a message is sent as it is, and shown in ASCII" {
    serve echo
    LC_ALL=C play <<'END'
chat $address
see "> "
type [encoding convertto utf-8 "wörld\r"]
see "Sent message: w\\xc3\\xb6rld\r\nReceived echo: w\\xc3\\xb6rld\r\nClosed"
see "> "
type "q\r"
ends 0
END
}

# Of the UTF-8 of U+06DB the second byte, and of U+201B the last, is 0x9b: in an 8-bit terminal that
# begins a control sequence.
@test "where the terminal is not UTF-8, no byte above ASCII gets there from a server" {
    need localedef
    localedef -i en_US -f ISO-8859-1 ./latin1 2>/dev/null ||
        skip "no locale of ISO-8859-1 can be made here (Debian: package locales)"
    local locale
    for locale in C POSIX latin1; do
        serve 'reply:\xdb\x9b2J\x9b1m\x80\x9f\xe2\x80\x9b\xc2\x9b\xc3\xb6'
        LOCPATH=$PWD:/usr/lib/locale LC_ALL=$locale play <<'END'
chat $address
see "> "
type "hello\r"
see "Received echo: \\xdb\\x9b2J\\x9b1m\\x80\\x9f\\xe2\\x80\\x9b\\xc2\\x9b\\xc3\\xb6\r\n"
see "> "
type "q\r"
ends 3
chat -m "hello" $address
ends 3
if {[regexp {[^\x00-\x7f]} $screen]} { fail "there are bytes above ASCII" }
END
    done
}

@test "the arrow up recalls a message, in this run and the next" {
    need_libedit
    serve echo
    play <<'END'
chat $address
see "> "
type "first\r"
see "connection to server"
see "> "
type "second wörld\r"
see "connection to server"
see "> "
type "\x1b\[A\x1b\[A"
see "first"
type "\r"
see "Received echo: first\r\n"
see "> "
type "q\r"
ends 0
chat $address
see "> "
type "\x1b\[A\x1b\[A"
see "second wörld"
type "\r"
see "Received echo: second wörld\r\n"
see "> "
type "q\r"
ends 0
END
    run cat "$HISTORY"
    assert_output $'_HiStOrY_V2_\nfirst\nsecond\\040wörld\nfirst\nsecond\\040wörld'
    assert_equal "$(stat -c %a "$HISTORY" "${HISTORY%/*}" "$XDG_STATE_HOME" | tr '\n' ' ')" '600 700 700 '
}

# bats test_tags=sandbox
@test "without a home there is no history, and nothing is made for one" {
    need_tracer
    need_libedit
    serve echo
    printf '#!/bin/sh\nexec env -u HOME XDG_STATE_HOME= strace -f -o trace -e trace=mkdir,openat %q "$@"\n' \
        "$TINCAN" >tincan
    chmod +x tincan
    TINCAN=$PWD/tincan play <<'END'
chat $address
see "> "
type "hello\r"
see "Received echo: hello\r\n"
see "> "
type "q\r"
ends 0
END
    run -1 grep -E 'mkdir|O_CREAT' trace
    run -0 grep -c O_RDONLY trace
}

@test "a history that can't be kept harms nothing" {
    serve echo
    : >state
    play <<'END'
chat $address
see "> "
type "hello\r"
see "Received echo: hello\r\nClosed connection to server"
see "> "
type "q\r"
ends 0
screen_lacks "istory"
END
}

@test "a long history is cut to its last thousand" {
    need_libedit
    serve echo
    mkdir -p "${HISTORY%/*}"
    { echo _HiStOrY_V2_ && seq 3000; } >"$HISTORY"
    play <<'END'
chat $address
see "> "
type "q\r"
ends 0
END
    { echo _HiStOrY_V2_ && seq 2001 3000; } | cmp - "$HISTORY"
    assert_equal "$(stat -c %a "$HISTORY")" 600
}

@test "two terminals keep the messages of both" {
    need_libedit
    serve echo
    play <<'END'
chat $address
see "> "
set one $spawn_id
chat $address
see "> "
set two $spawn_id
foreach message {alpha beta gamma} {
    foreach spawn_id [list $one $two] name {first second} {
        type "$message $name\r"
        see "Received echo: $message $name\r\n"
        see "> "
    }
}
foreach spawn_id [list $one $two] {
    type "q\r"
    ends 0
}
chat $address
see "> "
type "\x1b\[A"
see "gamma second"
type "\x1b\[A"
see "first"
type "\r"
see "Received echo: gamma first\r\n"
see "> "
type "q\r"
ends 0
END
    run cat "$HISTORY"
    assert_output $'_HiStOrY_V2_\nalpha\\040first\nalpha\\040second\nbeta\\040first\nbeta\\040second\ngamma\\040first\ngamma\\040second\ngamma\\040first'
}

@test "what a hostile server sends is shown escaped" {
    serve 'reply:\x1b]0;x\x07\x1b[2Jred\x9b1m\xc2\x9b\xe2\x80\xae\xe2\x81\xa6\xd8\x9c\xe2\x80\xa8\xef\xbf\xbe\n\t\x7f\xff\xc3\xb6'
    play <<'END'
chat $address
see "> "
type "hello\r"
see "Received echo: \\x1b\]0;x\\x07\\x1b\[2Jred\\x9b1m\\xc2\\x9b\\xe2\\x80\\xae\\xe2\\x81\\xa6\\xd8\\x9c\\xe2\\x80\\xa8\\xef\\xbf\\xbe\\x0a\\x09\\x7f\\xffö\r\n"
see "altered: "
see "> "
type "q\r"
ends 3
END
}

@test "one-shot output on a terminal is escaped, newlines and tabs passing" {
    serve echo
    play <<'END'
chat -m "a\tb\x1b\[31m\nc" $address
ends 0
screen_is "a\tb\\x1b\[31m\nc\n"
END
}

@test "a failed exchange says what failed and asks again" {
    serve truncate:2 flip:0 echo
    play <<'END'
chat $address
see "> "
type "hello\r"
see "Sent message: hello\r\ntincan: getting an echo from $address: truncated: "
see "Closed connection to server"
see "> "
type "hello\r"
see "Received echo: iello\r\ntincan: getting an echo from $address: altered: the byte at offset 0 was sent as 0x68 and came back as 0x69; it looks as if a single bit was flipped\r\n"
see "Closed connection to server"
see "> "
type "hello\r"
see "Received echo: hello\r\nClosed connection to server"
see "> "
type "q\r"
ends 3
END
}

@test "a refused connection is reported, and the prompt comes again" {
    ADDRESS=127.0.0.1:$(free_port)
    play <<'END'
chat $address
see "> "
type "hello\r"
see "tincan: connecting to $address: refused: "
see "> "
type "q\r"
ends 1
screen_lacks "Connected"
END
}

@test "a message that is too long is refused, and asked again" {
    serve echo
    play <<'END'
chat --max-bytes 4 $address
see "> "
type "hello\r"
see "tincan: not sent: the byte at offset 4 is over the limit of 4 bytes"
see "> "
type "four\r"
see "Received echo: four\r\n"
see "> "
type "q\r"
ends 2
END
}

@test "--connect-first connects, asks, and connects again" {
    serve echo
    play <<'END'
chat --classic --connect-first $address
see "> "
type "hello\r"
see "connection to server"
see "> "
type "q\r"
ends 0
screen_is "Connected to $address
Type message, enter to send. 'q' to quit
> hello
Sent message: hello
Received echo: hello
Closed connection to server
Connected to $address
Type message, enter to send. 'q' to quit
> q
Closed connection to server
"
END
}

@test "--connect-first without a server ends" {
    ADDRESS=127.0.0.1:$(free_port)
    play <<'END'
chat --connect-first $address
see "tincan: connecting to $address: refused: "
ends 1
screen_lacks "> "
END
}

@test "--connect-first takes a connection to itself for none" {
    need_own_sysctls
    cat >enter <<'END'
#!/bin/sh
ip link set lo up
sysctl -qw 'net.ipv4.ip_local_port_range=40000 40000'
exec "$TINCAN" --connect-first 127.0.0.1:40000
END
    chmod +x enter
    play <<'END'
spawn -noecho unshare -n ./enter
see "tincan: connecting to 127.0.0.1:40000: refused: "
ends 1
END
}

@test "with --quiet there are only the echoes" {
    serve echo
    play <<'END'
chat -q $address
type "hello\r"
see "hello\r\n"
see "hello\r\n"
type "q\r"
ends 0
screen_lacks "Type"
screen_lacks "> "
screen_lacks "Connected"
END
}

@test "a server that does not close is mentioned once" {
    serve stay-open
    play <<'END'
chat $address
see "> "
type "one\r"
see "leaves the connection open"
see "> "
type "two\r"
see "Received echo: two\r\n"
see "Closed connection to server"
see "> "
type "q\r"
ends 0
END
}

@test "a full standard output ends it" {
    serve echo
    play <<'END'
spawn -noecho bash -c {"$TINCAN" "$0" >/dev/full} $address
see "tincan: writing to standard output: No space left on device"
ends 2
END
}

@test "a signal that ends it leaves the terminal without bracketed paste" {
    need_libedit
    run -0 python3 - <<'SCRIPT'
import os, pty, signal
for number in signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM:
    pid, fd = pty.fork()
    if pid == 0:
        for each in signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM:
            signal.signal(each, signal.SIG_DFL)
        os.execv(os.environ["TINCAN"], ["tincan", "127.0.0.1:1"])
    seen = b""
    while b"\x1b[?2004h" not in seen or b"> " not in seen:
        seen += os.read(fd, 1000)
    os.kill(pid, number)
    try:
        while more := os.read(fd, 1000):
            seen += more
    except OSError:
        pass  # the other end is closed
    assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == number
    assert b"\x1b[?2004l" in seen, (number, seen)
SCRIPT
}
