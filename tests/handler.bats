# SPDX-License-Identifier: MIT
# The handler under conditions that a launcher or a system can put it in. What it does with bytes
# is in the table of cases (helpers/cases.py), which the launchers' tests run.

setup() {
    load helpers/common
}

# spawn [OPTION]... -- [HANDLER-OPTION]...: runs the handler through spawn.py.
spawn() {
    local options=()
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    run -0 python3 "$TESTS/helpers/spawn.py" "${options[@]}" -- "$HANDLER" "$@"
}

# assert_echo TEXT: the last spawn ended as it should with TEXT as the whole reply.
assert_echo() {
    assert_line status=0
    assert_line "reply=$1\x00"
    assert_line end=eof
}

# refute_reply: the last spawn sent its peer nothing.
refute_reply() {
    assert_line reply=
}

# seconds_below NUMBER: the last spawn's process took less than that.
seconds_below() {
    local seconds
    seconds=$(sed -n 's/^seconds=//p' <<<"$output")
    assert awk "BEGIN { exit !($seconds < $1) }"
}

# --- by hand ---------------------------------------------------------------------------------

@test "handler: on a terminal it echoes what is typed, Ctrl-@ and Ctrl-D at the end" {
    run -0 python3 - "$HANDLER" <<'PYTHON'
import os, pty, subprocess, sys
ours, theirs = pty.openpty()
process = subprocess.Popen([sys.argv[1], "--quiet"], stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL)
os.close(theirs)
os.write(ours, b"typed\0\4")
seen = b""
while b"typed\0" not in seen:  # the terminal shows a null byte that is typed as ^@
    seen += os.read(ours, 1000)
assert process.wait(60) == 0
PYTHON
}

@test "handler: piped bytes come back on standard output and one line is logged on standard error" {
    run -0 --separate-stderr bash -c 'printf "hello\0" | "$HANDLER" | od -An -c'
    assert_output --regexp '^ +h +e +l +l +o +\\0$'
    assert_regex "$stderr" '^peer=- result=echoed bytes=5 usec=[0-9]+( sandbox="none: built without")? message="hello"$'
}

@test "handler: what ends before the null byte is not echoed, and exits 65" {
    run -65 --separate-stderr bash -c 'printf hello | "$HANDLER"'
    assert_output ''
    assert_regex "$stderr" '^peer=- result=eof bytes=5 '
}

@test "handler: no input at all exits 65" {
    run -65 --separate-stderr "$HANDLER" </dev/null
    assert_output ''
    assert_regex "$stderr" '^peer=- result=eof bytes=0 '
}

@test "handler: a file works as input and another as output" {
    printf 'a\nb\0' >"$BATS_TEST_TMPDIR/in"
    run -0 bash -c '"$HANDLER" <"$1/in" >"$1/out"' - "$BATS_TEST_TMPDIR"
    cmp "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/out"
}

# bats test_tags=long
@test "handler: a message comes back whole, whatever part of it the first read takes" {
    run -0 python3 - "$HANDLER" <<'END'
import subprocess, sys
for size in range(700, 800):
    message = bytes(33 + n % 91 for n in range(size)) + b"\0"
    for option, tag in ("--no-preview", b""), ("--tag", b"'-': "):
        done = subprocess.run([sys.argv[1], "--quiet", option], input=message + b"behind", stdout=subprocess.PIPE)
        assert done.stdout == tag + message, (size, option, done)
END
}

@test "handler: a directory as input exits 74 and says so" {
    run -74 "$HANDLER" </
    assert_output --regexp 'result=error .*error="cannot read the message: Is a directory"'
}

@test "handler: a full disk as output exits 74 and says so" {
    run -74 bash -c 'printf "hello\0" | "$HANDLER" >/dev/full'
    assert_output --regexp 'result=error .*error="cannot send the reply: No space left on device"'
}

@test "handler: a reader that is gone is result=gone and 74, with SIGPIPE ignored or not" {
    for disposition in '' "trap '' PIPE"; do
        run -74 bash -c "$disposition"'
            exec 3> >(:); wait $!
            printf "hello\0" | "$HANDLER" >&3'
        assert_output --regexp 'result=gone '
    done
}

# --- descriptors -----------------------------------------------------------------------------

@test "handler: every combination of closed descriptors 0, 1 and 2 ends at once, with 64 if 0 or 1 is closed" {
    for closed in '' '2>&-' '1>&-' '1>&- 2>&-' '0<&-' '0<&- 2>&-' '0<&- 1>&-' '0<&- 1>&- 2>&-'; do
        run timeout 60 bash -c "printf 'hello\0' | { exec $closed; \"\$HANDLER\"; }"
        case $closed in
        *0* | *1*) assert_equal "$closed: $status" "$closed: 64" ;;
        *) assert_equal "$closed: $status" "$closed: 0" ;;
        esac
    done
}

@test "handler: a closed input or output is named" {
    run -64 bash -c '"$HANDLER" <&-'
    assert_output --partial 'result=error bytes=0 '
    assert_output --partial 'standard input is closed'
    run -64 bash -c '"$HANDLER" >&- </dev/null'
    assert_output --partial 'standard output is closed'
}

@test "handler: with standard error closed the echo is whole and nothing else is sent" {
    spawn --stderr closed --send 'hello\0' --
    assert_echo hello
}

@test "handler: where standard error is the connection, no diagnostic reaches the peer" {
    spawn --stderr connection --send 'hello\0' --
    assert_echo hello
    spawn --stderr connection --send 'bad\xff' -- --timeout 5s
    assert_line status=65
    refute_reply
    spawn --stderr connection --send 'hello\0' -- --timeout never
    assert_line status=64
    refute_reply
    spawn --stderr connection --kind listening --
    assert_line status=64
}

# bats test_tags=sandbox
@test "handler: where nothing shows that standard error is not the connection, it gets no diagnostic" {
    spawn_denied() {
        run -0 python3 "$TESTS/helpers/spawn.py" --stderr connection --send 'hello\0' -- \
            "$TINCAN_BUILD/tests/deny" "$1" "$HANDLER" --timeout never
        assert_line status=64
        refute_reply
    }
    spawn_denied fstat:0,fstat:1,newfstatat:0,newfstatat:1
    spawn_denied fstat:2,newfstatat:2
}

@test "handler: where standard error is the connection, the log goes to syslog" {
    "$TESTS/helpers/private-log" /nonexistent true || skip "a private /dev/log can't be made"
    "$TESTS/helpers/private-log" "$BATS_TEST_TMPDIR/syslog" \
        python3 - "$HANDLER" "$BATS_TEST_TMPDIR/syslog" <<'PYTHON'
import re, socket, subprocess, sys
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sink:
    sink.bind(sys.argv[2])
    sink.settimeout(60)
    ours, theirs = socket.socketpair()
    with subprocess.Popen([sys.argv[1]], stdin=theirs, stdout=theirs, stderr=theirs) as handler:
        ours.sendall(b"hello\0")
        line = sink.recv(1000).decode()
assert re.fullmatch(rf"<29>tincan-handler\[{handler.pid}\]: peer=.* result=echoed bytes=5 .*", line), line
PYTHON
}

@test "handler: where the connection is on standard error alone, it gets no diagnostic" {
    local closed command
    for closed in '' '<&-' '>&-' '<&- >&-'; do
        for command in 'exec "$0"' 'exec "$0" --timeout never'; do
            run -0 python3 "$TESTS/helpers/spawn.py" --at 2 --stderr connection -- \
                "$BASH" -c "$command $closed" "$HANDLER"
            assert_line --regexp 'status=6[45]'
            refute_reply
        done
    done
}

@test "handler: a user who sends both streams into one pipe gets both" {
    run -0 bash -c 'printf "hello\0" | "$HANDLER" 2>&1 | tr "\0" "\n"'
    assert_line --index 0 hello
    assert_line --index 1 --partial 'result=echoed '
}

@test "handler: where standard error is the journal, lines have their level" {
    spawn --journal --send 'hello\0' --
    assert_line --regexp '^stderr=<5>peer=127\.0\.0\.1:[0-9]+ result=echoed '
    spawn --journal --send 'hello' --half-close --
    assert_line --regexp '^stderr=<4>peer=.* result=eof bytes=5 '
    spawn --journal --half-close --
    assert_line --regexp '^stderr=<7>peer=.* result=eof bytes=0 '
    spawn --journal -- --timeout x
    assert_line --regexp '^stderr=<3>cannot use "x" for --timeout'
}

@test "handler: a JOURNAL_STREAM that is not standard error means nothing" {
    spawn --env JOURNAL_STREAM=1:2 --send 'hello\0' --
    assert_line --regexp '^stderr=peer='
}

@test "handler: a hung logger delays nothing" {
    spawn --stderr stuck --send 'hello\0' --
    assert_echo hello
    seconds_below 5
    spawn --stderr full --send 'hello\0' --
    assert_echo hello
}

@test "handler: LISTEN_FDS=1 for this process means descriptor 3" {
    spawn --at 3 --send 'hello\0' --
    assert_echo hello
}

@test "handler: LISTEN_PID of another process is ignored" {
    spawn --at 3 --listen-pid 1 --
    assert_line status=65 # it read /dev/null on descriptor 0
    refute_reply
}

@test "handler: a connection that is non-blocking is waited on, without spinning" {
    spawn --nonblock --pause 1 --send 'hel' --send 'lo\0' --
    assert_echo hello
    assert awk "BEGIN { exit !($(sed -n 's/^cpu=//p' <<<"$output") < 0.5) }"
    spawn --nonblock --no-read --send "$(printf 'x%.0s' {1..100000})\0" -- --timeout 300ms
    assert_line status=74
    assert_line --partial 'result=timeout '
}

@test "handler: a hundred stray descriptors harm nothing" {
    spawn --extra-descriptors 100 --send 'hello\0' --
    assert_echo hello
}

# --- the deadline ----------------------------------------------------------------------------

@test "handler: silence ends at the deadline with result=timeout and 74" {
    spawn -- --timeout 300ms
    assert_line status=74
    refute_reply
    assert_line --partial 'result=timeout bytes=0 '
}

# bats test_tags=sandbox
@test "handler: at the deadline it takes nothing more from its peer" {
    need_tracer
    mkfifo "$BATS_TEST_TMPDIR/in"
    run -74 timeout 60 strace -o "$BATS_TEST_TMPDIR/trace" "$HANDLER" --timeout 300ms <>"$BATS_TEST_TMPDIR/in"
    run grep -E '^(recvfrom|shutdown)' "$BATS_TEST_TMPDIR/trace"
    assert_failure 1
}

@test "handler: a byte now and then does not renew the deadline" {
    local drip=()
    for _ in {1..200}; do
        drip+=(--send x)
    done
    spawn --pause 0.05 "${drip[@]}" -- --timeout 500ms
    assert_line status=74
    assert_line --partial 'result=timeout '
    seconds_below 9
}

@test "handler: a peer that takes nothing of a large reply is gone by the deadline" {
    for connection in tcp unix; do
        spawn --connection $connection --no-read --send "$(printf 'x%.0s' {1..100000})\0" -- \
            --timeout 500ms
        assert_line status=74
        assert_line --partial 'result=timeout bytes=100000 '
    done
}

# bats test_tags=sandbox
@test "handler: whether the peer is gone, or sending failed otherwise, is what the kernel says" {
    need_tracer
    local error result
    while read -r error result; do
        run -74 timeout 60 strace -o /dev/null -e "inject=write:error=$error:when=1" "$HANDLER" --no-sandbox \
            < <(printf 'hello\0')
        assert_output --regexp "result=$result "
    done <<-'END'
	ECONNRESET gone
	ETIMEDOUT gone
	EHOSTUNREACH gone
	ENETDOWN gone
	EIO error
	ENOBUFS error
	END
}

@test "handler: a peer that resets during the reply is result=gone and 74" {
    spawn --reply-then-reset 1000 --send "$(printf 'x%.0s' {1..100000})\0" --
    assert_line status=74
    assert_line --partial 'result=gone bytes=100000 '
}

@test "handler: a reset while it reads is result=eof and 65" {
    spawn --send 'hello' --reset --
    assert_line status=65
    assert_line --partial 'result=eof bytes='
}

@test "handler: the deadline works with every signal blocked or SIGALRM ignored by the parent" {
    for inherited in --block-signals --ignore-signals; do
        spawn $inherited -- --timeout 300ms
        assert_line status=74
        assert_line --partial 'result=timeout '
    done
}

@test "handler: a timer inherited from the parent does not cut the exchange short" {
    within_time
    spawn --inherit-timer 1 --pause 1.5 --send 'hello\0' --
    assert_echo hello
}

@test "handler: interrupted calls are made again" {
    # The leak checker at the end of a sanitizer build can't stand signals without end.
    spawn --env ASAN_OPTIONS=detect_leaks=0 --interrupt 0.001 --pause 0.02 --send 'h' --send 'e' --send 'llo\0' --
    assert_echo hello
}

@test "handler: SIGTERM ends it at once without part of a reply or a line in the log" {
    local input pid status=0
    mkfifo "$BATS_TEST_TMPDIR/in"
    exec {input}<>"$BATS_TEST_TMPDIR/in"
    printf hello >&"$input"
    "$HANDLER" <&"$input" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/log" 3>&- &
    pid=$! # which is another one once `wait_until` has waited
    wait_until 60 grep -q tincan-handler "/proc/$pid/comm"
    kill "$pid"
    wait "$pid" || status=$?
    assert_equal "$status" 143
    refute [ -s "$BATS_TEST_TMPDIR/out" ]
    refute [ -s "$BATS_TEST_TMPDIR/log" ]
}

# --- limits of the system --------------------------------------------------------------------

# bats test_tags=limits
@test "handler: no descriptor left for the log costs the log, not the echo" {
    spawn --stderr connection --limit nofile=3 --send 'hello\0' --
    assert_echo hello
}

# bats test_tags=limits
@test "handler: too little memory for the message limit exits 71 and says so; enough is enough" {
    spawn --limit as=8000000 --send 'hello\0' -- --max-bytes 64M
    assert_line status=71
    refute_reply
    assert_line --partial 'result=error bytes=0'
    assert_line --partial 'cannot map memory for the message: Out of memory'
    spawn --limit as=8000000 --limit stack=65536 --limit data=65536 --send 'hello\0' --
    assert_line status=71
    spawn --limit as=8000000 --limit stack=65536 --send 'hello\0' --
    assert_echo hello
}

# bats test_tags=limits
@test "handler: a limit of 1G costs a small message no memory" {
    run -0 python3 - "$HANDLER" <<'PYTHON'
import array, fcntl, re, subprocess, sys, termios
handler = subprocess.Popen([sys.argv[1], "-m", "1G"], stdin=-1, stdout=-1)
handler.stdin.write(b"hello")
handler.stdin.flush()
unread = array.array("i", [5])
while unread[0]:
    fcntl.ioctl(handler.stdin, termios.FIONREAD, unread)
status = open("/proc/%d/status" % handler.pid).read()
handler.communicate(b"\0")
print("peak kB below 1000:", int(re.search(r"VmHWM:\s+(\d+)", status)[1]) < 1000)
PYTHON
    assert_line 'peak kB below 1000: True'
}

@test "handler: an endless stream is refused at the limit" {
    run -65 bash -c 'yes | "$HANDLER" --max-bytes 10'
    assert_output --partial 'result=too-long bytes=10 '
}

@test "handler: input on the connection of the reply alone is not waited for again and again" {
    run -0 python3 - "$HANDLER" <<'PYTHON'
import os, socket, subprocess, sys
(ours, message), (noise, reply) = socket.socketpair(), socket.socketpair()
reply.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
noise.sendall(b"noise")
handler = subprocess.Popen([sys.argv[1], "-t", "2s"], stdin=message, stdout=reply)
ours.sendall(b"x" * 150000 + b"\0")
_, status, usage = os.wait4(handler.pid, 0)
print("status", status >> 8, "spent little:", usage.ru_utime + usage.ru_stime < 0.5)
PYTHON
    assert_line 'status 74 spent little: True'
}

# --- the environment -------------------------------------------------------------------------

@test "handler: an empty environment, a huge one and no argv at all harm nothing" {
    spawn --clear-env --send 'hello\0' --
    assert_echo hello
    spawn --env "REMOTE_HOST=$(printf 'x%.0s' {1..100000})" --connection pair --send 'hello\0' --
    assert_echo hello
    run -0 bash -c 'printf "hello\0" | python3 -c "import ctypes, os
libc = ctypes.CDLL(None)
libc.execve(os.environb[b\"HANDLER\"], None, None)" | od -An -c'
    assert_line --regexp '^ +h +e +l +l +o +\\0$'
}

@test "handler: on pipes the peer is what the launcher says, of whatever family" {
    local variables
    while read -r environment peer; do
        IFS=, read -ra variables <<<"$environment"
        run -0 --separate-stderr env "${variables[@]}" bash -c 'printf "x\0" | "$HANDLER" >/dev/null'
        assert_regex "$stderr" "^peer=${peer//[.[\]]/\\&} result="
    done <<'TABLE'
REMOTE_ADDR=192.0.2.1,REMOTE_PORT=40 192.0.2.1:40
REMOTE_ADDR=2001:db8::1,REMOTE_PORT=40 [2001:db8::1]:40
REMOTE_ADDR=2001:DB8:0:0:1:0:0:01,REMOTE_PORT=65535 [2001:db8::1:0:0:1]:65535
REMOTE_ADDR=1:0:3:0:0:0:7:0,REMOTE_PORT=40 [1:0:3::7:0]:40
REMOTE_ADDR=1:0:3:4:5:0:7:0,REMOTE_PORT=40 [1:0:3:4:5:0:7:0]:40
REMOTE_ADDR=1:2:3:4:5:6::,REMOTE_PORT=40 [1:2:3:4:5:6::]:40
REMOTE_ADDR=::,REMOTE_PORT=40 [::]:40
REMOTE_ADDR=::ffff:192.0.2.1,REMOTE_PORT=40 192.0.2.1:40
TCPREMOTEIP=192.0.2.2,TCPREMOTEPORT=41 192.0.2.2:41
NCAT_REMOTE_ADDR=192.0.2.3,NCAT_REMOTE_PORT=42 192.0.2.3:42
SOCAT_PEERADDR=[0000:0000:0000:0000:0000:0000:0000:0001],SOCAT_PEERPORT=43 [::1]:43
REMOTE_HOST=192.0.2.4 192.0.2.4:0
TCPREMOTEIP=host.example,TCPREMOTEPORT=44 host.example
TCPREMOTEIP=192.0.2.5,TCPREMOTEPORT=junk 192.0.2.5:0
TABLE
}

@test "handler: the tag has nothing of an address but what the launcher says" {
    run -0 env REMOTE_ADDR=2001:db8::1 REMOTE_PORT=40 bash -c 'printf "x\0" | "$HANDLER" -q -T | tr "\0" "!"'
    assert_output "('2001:db8::1', 40, 0, 0): x!"
    run -0 env REMOTE_ADDR=192.0.2.1 REMOTE_PORT=40 bash -c 'printf "x\0" | "$HANDLER" -q -T | tr "\0" "!"'
    assert_output "('192.0.2.1', 40): x!"
}

@test "handler: the kernel's word on the peer goes before the launcher's" {
    spawn --env REMOTE_ADDR=192.0.2.1 --env REMOTE_PORT=1 --send 'x\0' --
    assert_line --regexp '^stderr=peer=127\.0\.0\.1:'
    spawn --env SOCAT_PEERADDR=192.0.2.1 --env SOCAT_PEERPORT=1 --connection unix --send 'x\0' --
    assert_line --regexp "^stderr=peer=\"unix:uid=$(id -u),pid=[0-9]+\" "
}

@test "handler: the relay of a socketpair is asked whom it relays, else its own name is shown" {
    spawn --env SOCAT_PEERADDR=192.0.2.1 --env SOCAT_PEERPORT=1 --connection pair --send 'x\0' --
    assert_line --regexp '^stderr=peer=192\.0\.2\.1:1 '
    spawn --connection pair --send 'x\0' --
    assert_line --regexp '^stderr=peer="unix:uid='
}

@test "handler: an IPv4 peer of an IPv6 socket is named as IPv4, an IPv6 peer in brackets" {
    spawn --connection tcp6 --send 'x\0' --
    assert_line --regexp '^stderr=peer=\[::1\]:[0-9]+ '
}

@test "handler: a peer name with control characters is escaped" {
    run -0 --separate-stderr env REMOTE_HOST=$'a\nb result=echoed \e[31m"\xff' \
        bash -c 'printf "x\0" | "$HANDLER" >/dev/null'
    assert_regex "$stderr" '^peer="a\\\\x0ab result=echoed \\\\x1b\[31m\\\\x22\\\\xff" result=echoed bytes=1 '
    run -0 env REMOTE_HOST=$'it\'s\n' bash -c 'printf "x\0" | "$HANDLER" -q -T | tr "\0" "!"'
    assert_output "'it\\\\x27s\\\\x0a': x!"
}

# --- options ---------------------------------------------------------------------------------

@test "handler: option values that are negative, huge or no numbers exit 64, naming option and value" {
    while read -r option value; do
        run -64 "$HANDLER" "$option=$value" </dev/null
        assert_output --regexp "^tincan-handler: cannot use \"$value\" for $option: give a .*"
    done <<'TABLE'
--max-bytes -1
--max-bytes 0
--max-bytes 1025M
--max-bytes 99999999999999999999999
--max-bytes 1X
--max-bytes 1kk
--max-bytes ten
--max-bytes
--timeout -5
--timeout 0
--timeout 8d
--timeout 99999999999999999999999
--timeout 5x
--timeout 1.s
--timeout soon
--timeout
TABLE
}

@test "handler: unknown options and arguments exit 64, naming them" {
    refuses_wrong_options tincan-handler "$HANDLER"
}

@test "handler: sizes take k, M and G, times us, ms, s, m, h and d" {
    run -65 bash -c 'head -c 3000 /dev/zero | tr "\0" x | "$HANDLER" -m 2k'
    assert_output --partial 'result=too-long bytes=2048 '
    for size in 1M 1G 7K; do
        run -0 bash -c 'printf "x\0" | "$HANDLER" -q -m "$1" >/dev/null' - $size
    done
    for time in 5000us 300ms 1s 2m 1h 1d 0.5 1.5s; do
        run -65 "$HANDLER" --timeout $time </dev/null
    done
}

@test "handler: --tag puts the peer in front of the reply as Python prints a socket address" {
    spawn --send 'hello\0' -- --tag
    assert_line --regexp "^reply=\('127\.0\.0\.1', [0-9]+\): hello\\\\x00$"
    spawn --connection tcp6 --send 'hello\0' -- -T
    assert_line --regexp "^reply=\('::1', [0-9]+, 0, 0\): hello\\\\x00$"
    run -0 bash -c 'printf "hello\0" | "$HANDLER" -q -T | tr "\0" "!"'
    assert_output "'-': hello!"
}

@test "handler: --no-preview logs no byte of the message" {
    spawn --send 'secret\0' -- --no-preview
    assert_echo secret
    refute_output --regexp 'stderr=.*(secret|message=)'
}

@test "handler: the time in which it discards input is not in usec" {
    spawn --send 'hi\0more' -- --no-preview
    assert_line --regexp ' result=echoed bytes=2 '
    python3 - "$output" <<'SCRIPT'
import re, sys
seconds, usec = (float(re.search(name + r"=([\d.]+)", sys.argv[1])[1]) for name in ("seconds", "usec"))
assert seconds - usec / 1e6 > 0.9, (seconds, usec)  # it discards for a second
SCRIPT
}

@test "handler: --quiet logs errors only" {
    spawn --send 'hello\0' -- --quiet
    assert_echo hello
    refute_line --regexp '^stderr='
    spawn --kind listening -- --quiet
    assert_line --regexp '^stderr=peer=- result=error '
}

@test "handler: printable ASCII is logged as it is, but for quotes and the backslash" {
    spawn --send ' !"#$%&'\''()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNO\0' --
    assert_line --partial 'message=" !\\x22#$%&\\x27()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNO"'
    spawn --send 'PQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~\0' --
    assert_line --partial 'message="PQRSTUVWXYZ[\\x5c]^_`abcdefghijklmnopqrstuvwxyz{|}~"'
}

@test "handler: the preview is cut after 64 bytes" {
    spawn --send "$(printf 'x%.0s' {1..65})\0" --
    assert_line --regexp 'message="x{64}\.\.\."$'
    spawn --send "$(printf 'x%.0s' {1..64})\0" --
    assert_line --regexp 'message="x{64}"$'
}

@test "handler: --help and --version answer on standard output" {
    run -0 "$HANDLER" --help
    assert_line --partial 'Usage: tincan-handler'
    run -0 "$HANDLER" -V
    assert_output --regexp '^tincan-handler [0-9]+\.[0-9]+\.[0-9]+$'
}

# --- what ships --------------------------------------------------------------------------------

# bats test_tags=limits
@test "handler: it is linked statically, so that no loader and no library is opened" {
    need readelf
    run -0 readelf --program-headers --wide "$HANDLER"
    refute_output --partial INTERP
    run -0 readelf --dynamic --wide "$HANDLER"
    refute_output --partial NEEDED
}
