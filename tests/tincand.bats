# SPDX-License-Identifier: MIT
# The persistent server as a process: how it gets options and sockets, is watched, and ends.
# What it does with bytes is in the table of cases (helpers/cases.py), which is played against it
# too; what limits it has, tests/tincand-limits.bats.

load helpers/daemon

# --- options ---------------------------------------------------------------------------------

@test "tincand: option values of nonsense exit 64, naming option and value" {
    while read -r option value; do
        refused "$option=$value"
        assert_output --partial "tincand: cannot use \"$value\" for $option: give a"
    done <<'TABLE'
--max-bytes 0
--max-bytes 1025M
--timeout abc
--timeout 8d
--max-connections 0
--max-connections -1
--max-connections 17M
--max-connections 99999999999999999999999
--max-connections many
--max-connections
--max-connections-per-source 0
--max-connections-per-source 1.5
--max-memory 0
--max-memory 1025G
--max-memory 1X
--grace 0
--grace -1s
--grace soon
--idle-exit 0
--idle-exit 8d
--idle-exit
--listen 127.0.0.1:0
--listen 127.0.0.1:65536
--listen 127.0.0.1:http
--listen :4040
--listen unix:
--listen unix:@
--listen vsock:1
--listen [::1
--listen
TABLE
}

@test "tincand: a path that is too long for a socket exits 64" {
    refused --listen="unix:/$(printf 'x%.0s' {1..108})"
    assert_output --partial 'is too long for the path of a socket'
}

@test "tincand: a port behind a path, which is for connecting, exits 64" {
    refused --listen=unix:/run/guest#4040
    assert_output --regexp '^tincand: cannot use "unix:/run/guest#4040" for --listen: give unix:PATH, without the port'
}

@test "tincand: more than 64 addresses to listen on exit 64" {
    local options=()
    for port in {1001..1065}; do
        options+=("--listen=127.0.0.1:$port")
    done
    refused "${options[@]}"
    assert_output --regexp '^tincand: cannot use "127\.0\.0\.1:1065" for --listen: give 64 addresses'
}

@test "tincand: unknown options and arguments exit 64, naming them" {
    refuses_wrong_options tincand "$TINCAND"
}

@test "tincand: less memory than the longest message needs exits 64; enough is enough" {
    local least
    refused --listen=unix:@never --max-bytes=64k --max-memory=64k
    assert_output --partial 'cannot receive messages of 65536 bytes (--max-bytes) with 65536'
    least=${output##* }
    assert [ "$least" -le $((69 << 10)) ] # the manual says 5k more
    refused --listen=unix:@never --max-bytes=64k --max-memory=$((least - 1))
    script <<SCRIPT
for tag in (), ("--tag",):
    with Server("--max-bytes=64k", "--max-memory=$least", *tag) as server:
        connection = server.connect()
        for _ in range(4):
            connection.send(b"x" * 16384)
            connection.until_read()
        connection.send(b"\0")
        connection.read_to_end()
        assert connection.received.endswith(b"x" * 65536 + b"\0"), len(connection.received)
SCRIPT
}

@test "tincand: --help and --version answer on standard output" {
    run -0 --separate-stderr "$TINCAND" --help
    assert_line --index 0 'Usage: tincand [OPTION]...'
    [ -z "$stderr" ]
    run -0 --separate-stderr "$TINCAND" -V
    assert_output --regexp '^tincand [0-9]+\.[0-9]+\.[0-9]+$'
    [ -z "$stderr" ]
}

@test "tincand: --help that can't be written exits 74" {
    run -74 bash -c '"$TINCAND" --help >/dev/full'
}

# --- sockets handed over ---------------------------------------------------------------------

@test "tincand: with nothing to listen on it exits 64 and says what to do" {
    local sentence='^tincand: there is nothing to listen on; give --listen=ADDRESS, or '
    for input in '</dev/null' '</etc/passwd' '<&-' '</' '< <(:)'; do
        run -64 bash -c "exec timeout 60 \"\$TINCAND\" $input"
        assert_output --regexp "$sentence"
    done
}

@test "tincand: LISTEN_FDS may pass several listening sockets of several families" {
    script <<'SCRIPT'
sockets = [socket.create_server(("127.0.0.1", 0)), socket.socket(socket.AF_UNIX)]
sockets[1].bind("\0tincan-test-%d" % os.getpid())
sockets[1].listen()
with Server(fds={3: sockets[0], 4: sockets[1]}) as server:
    server.echo()
    server.echo(address="unix:@tincan-test-%d" % os.getpid())
    server.until_line(r"peer=127\.0\.0\.1:\d+ result=echoed .*")
    server.until_line(r"""peer="unix:uid=\d+,pid=\d+" result=echoed .*""")
SCRIPT
}

@test "tincand: a socket on standard input is listened on where LISTEN_FDS passes none" {
    script <<'SCRIPT'
with socket.create_server(("127.0.0.1", 0)) as listener, Server(fds={0: listener}) as server:
    server.echo()
SCRIPT
}

@test "tincand: --listen adds to the sockets of LISTEN_FDS" {
    script <<'SCRIPT'
with socket.create_server(("127.0.0.1", 0)) as listener:
    with Server("--listen=unix:@tincan-test-%d" % os.getpid(), fds={3: listener}) as server:
        server.echo()
        server.echo(address="%s:%d" % listener.getsockname())
SCRIPT
}

@test "tincand: what is handed over and is no listening stream socket exits 64 and is named" {
    script <<'SCRIPT'
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
connection = listener.accept()[0]
wrong = [
    (socket.socket(socket.AF_INET, socket.SOCK_DGRAM), "it is not a stream socket"),
    (socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET), "it is not a stream socket"),
    (connection, "it is a connection, not a listening socket"),
    (socket.socketpair()[0], "it is a connection, not a listening socket"),
    (socket.socket(), "it is a connection, not a listening socket"),
]
for place, name in (0, "standard input"), (3, "unknown"):
    for fd, reason in wrong:
        said = refusal(fds={place: fd})
        assert f"cannot use the socket handed over as {name}: {reason}; " in said, said
    no_socket = refusal(fds={place: os.pipe()[0]})
    assert ("it is not a socket" if place else "there is nothing to listen on") in no_socket
said = refusal(fds={3: listener, 4: connection})
assert "it is a connection" in said, said
said = refusal(fds={3: connection}, environment={"LISTEN_FDNAMES": "web\n\x1b[31m"})
assert r"handed over as web\\x0a\\x1b[31m: it is a connection" in said, said
SCRIPT
}

@test "tincand: LISTEN_FDS that names closed descriptors, or is nonsense, exits 64" {
    script <<'SCRIPT'
with socket.create_server(("127.0.0.1", 0)) as listener:
    for count in "2", "1000000", "-1", "x", "":
        said = refusal(fds={3: listener}, environment={"LISTEN_FDS": count})
        assert "cannot use the sockets handed over: " in said, said
    said = refusal(fds={3: listener}, environment={"LISTEN_PID": "x"})
    assert "cannot use the sockets handed over: " in said, said
SCRIPT
}

@test "tincand: LISTEN_FDS meant for another process is ignored" {
    script <<'SCRIPT'
with socket.create_server(("127.0.0.1", 0)) as listener:
    said = refusal(fds={3: listener}, environment={"LISTEN_PID": "1"})
    assert "there is nothing to listen on" in said, said
SCRIPT
}

@test "tincand: every combination of closed descriptors 0, 1 and 2 harms nobody" {
    script <<'SCRIPT'
from itertools import combinations
for count in range(4):
    for closed in combinations(range(3), count):
        with Server("--listen=unix:@tincan-test-%d" % os.getpid(), closed=closed) as server:
            server.echo()
            assert server.exchange(b"bad\xff") == b"", closed
        assert server.process.returncode == 0, closed
SCRIPT
}

# --- its own sockets -------------------------------------------------------------------------

@test "tincand: it listens on several addresses of several families at once" {
    script <<'SCRIPT'
addresses = [f"127.0.0.1:{free_port()}", f"127.0.0.2:{free_port('127.0.0.2')}", f"unix:{TMPDIR}/s",
             "unix:@tincan-test-%d" % os.getpid()]
with Server(*[f"--listen={address}" for address in addresses]) as server:
    for address in addresses:
        server.echo(address=address)
        server.until_line(f"tincand: listening on {re.escape(address)}")
SCRIPT
}

@test "tincand: an IPv4 peer of an IPv6 socket is named as IPv4, an IPv6 peer in brackets" {
    [ -e /proc/net/if_inet6 ] || skip "there is no IPv6 here"
    script <<'SCRIPT'
port = free_port(everywhere=True)
with Server(f"--listen=[::]:{port}") as server:
    server.echo(address=f"127.0.0.1:{port}")
    server.until_line(r"peer=127\.0\.0\.1:\d+ result=echoed .*")
    server.echo(address=f"[::1]:{port}")
    server.until_line(r"peer=\[::1\]:\d+ result=echoed .*")
SCRIPT
}

# bats test_tags=sandbox
@test "tincand: where its log can't have a thread it exits 71 and says what that needs" {
    run -71 "$TINCAN_BUILD/tests/deny" clone,clone3 "$TINCAND" --listen=unix:socket
    assert_output --partial 'tincand: cannot start the thread that writes the log; it needs one more task (TasksMax='
}

@test "tincand: an address in use exits 71 and names the address" {
    script <<'SCRIPT'
with socket.create_server(("127.0.0.1", 0)) as other:
    address = "%s:%d" % other.getsockname()
    server = Server(f"--listen={address}", ready=False)
    assert server.end() == 71
    server.until_line(f"tincand: cannot listen on {address}: Address already in use; .*")
SCRIPT
}

@test "tincand: where one of several addresses can't be listened on, it doesn't start" {
    script <<'SCRIPT'
with socket.create_server(("127.0.0.1", 0)) as other:
    server = Server(f"--listen=unix:{TMPDIR}/s", "--listen=%s:%d" % other.getsockname(), ready=False)
    assert server.end() == 71
    assert not os.path.exists(f"{TMPDIR}/s")
SCRIPT
}

@test "tincand: a port whose connections are still closing can be listened on again" {
    script <<'SCRIPT'
option = f"--listen=127.0.0.1:{free_port()}"
for _ in range(3):
    with Server(option) as server:
        server.echo()
SCRIPT
}

@test "tincand: a host that does not resolve exits 71 and is named" {
    run -71 timeout 60 "$TINCAND" --listen=nowhere.invalid:4040
    assert_output --regexp '^tincand: cannot listen on nowhere\.invalid:4040: .*; check the name'
}

@test "tincand: a folder that is not there, and an address that is not ours, exit 71 with advice" {
    run -71 timeout 60 "$TINCAND" "--listen=unix:$BATS_TEST_TMPDIR/none/s"
    assert_output --partial 'No such file or directory; create the folder first'
    run -71 timeout 60 "$TINCAND" --listen=192.0.2.1:4040
    assert_output --partial 'Cannot assign requested address; no interface of this machine has this address'
    run -64 timeout 60 "$TINCAND" --listen=$'localhost:1\n<3>2\e'
    assert_output --regexp '^tincand: cannot use "localhost:1.*x0a<3>2.*x1b" for --listen: give an address [^'"$'\n'"']*$'
}

@test "tincand: a socket file that a dead server left behind is replaced, and removed at the end" {
    script <<'SCRIPT'
path = f"{TMPDIR}/s"
with socket.socket(socket.AF_UNIX) as dead:
    dead.bind(path)
    dead.listen()
with Server(f"--listen=unix:{path}") as server:
    server.echo()
assert not os.path.exists(path)
SCRIPT
}

@test "tincand: a server that was killed is no obstacle to the next" {
    script <<'SCRIPT'
for _ in range(2):
    server = Server(f"--listen=unix:{TMPDIR}/s")
    server.echo()
    assert server.stop(signal.SIGKILL) == -signal.SIGKILL
assert os.path.exists(f"{TMPDIR}/s")
SCRIPT
}

@test "tincand: a socket file that a server listens on is left to it" {
    script <<'SCRIPT'
os.symlink("s", f"{TMPDIR}/link")
with Server(f"--listen=unix:{TMPDIR}/s") as server:
    for name in "s", "link":
        other = Server(f"--listen=unix:{TMPDIR}/{name}", ready=False)
        assert other.end() == 71
        other.until_line(f"tincand: cannot listen on unix:.*/{name}: Address already in use; .*")
    server.echo()
SCRIPT
}

@test "tincand: a socket file that a busy server does not get round to accepting on is left to it" {
    script <<'SCRIPT'
with socket.socket(socket.AF_UNIX) as busy:
    busy.bind(f"{TMPDIR}/s")
    busy.listen(0)
    waiting = connect(f"unix:{TMPDIR}/s")
    os.symlink("s", f"{TMPDIR}/link")
    for name in "s", "link":
        other = Server(f"--listen=unix:{TMPDIR}/{name}", ready=False)
        assert other.end() == 71
        other.until_line(f"tincand: cannot listen on unix:.*/{name}: Address already in use; .*")
    assert os.path.exists(f"{TMPDIR}/s")
SCRIPT
}

@test "tincand: a file at the path that is no socket is not touched" {
    printf keep >"$BATS_TEST_TMPDIR/s"
    ln -s s "$BATS_TEST_TMPDIR/link"
    for name in s link; do
        run -71 timeout 60 "$TINCAND" "--listen=unix:$BATS_TEST_TMPDIR/$name"
        assert_output --partial "/$name: File exists; the file is no socket; remove it"
    done
    assert_equal "$(cat "$BATS_TEST_TMPDIR/link")" keep
}

@test "tincand: a socket file that has become another server's is left to it at the end" {
    script <<'SCRIPT'
with Server(f"--listen=unix:{TMPDIR}/s") as first:
    os.unlink(f"{TMPDIR}/s")
    with Server(f"--listen=unix:{TMPDIR}/s") as second:
        assert first.stop() == 0
        second.echo()
SCRIPT
}

# --- the end ---------------------------------------------------------------------------------

@test "tincand: SIGTERM, SIGINT and SIGHUP end an idle server at once, with 0" {
    script <<'SCRIPT'
for number in signal.SIGTERM, signal.SIGINT, signal.SIGHUP:
    with Server("--grace=1h") as server:
        server.echo()
        assert server.stop(number) == 0, number
        server.manager.until("STOPPING=1")
SCRIPT
}

@test "tincand: at SIGTERM it accepts no more and finishes the open exchanges" {
    script <<'SCRIPT'
with Server("--grace=1h") as server:
    receiving, = server.hold(1, b"hel")
    replying, = server.hold(1, b"x" * MIB + b"\0", narrow=True)
    server.signal(signal.SIGTERM)
    server.manager.until("STOPPING=1")
    try:
        server.connect().close()
        raise Failed("it still accepts")
    except ConnectionRefusedError:
        pass
    receiving.send(b"lo\0")
    assert receiving.read_to_end() == CLEAN and receiving.received == b"hello\0"
    assert replying.read_to_end() == CLEAN and replying.received == b"x" * MIB + b"\0"
    assert server.end() == 0
SCRIPT
}

@test "tincand: at SIGTERM it ends silent peers after the grace time, and says so" {
    script <<'SCRIPT'
with Server("--grace=400ms") as server:
    silent, stalled = server.hold(1, b"hel") + server.hold(1, b"x" * MIB + b"\0", narrow=True)
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began > 0.39
    server.until_line("peer=.* result=timeout bytes=3 .*")
    server.until_line(f"peer=.* result=timeout bytes={MIB} .*")
SCRIPT
}

@test "tincand: a second signal ends it at once" {
    script <<'SCRIPT'
with Server("--grace=1h") as server:
    silent = server.hold(1, b"hel")
    server.signal(signal.SIGTERM)
    server.manager.until("STOPPING=1")
    assert server.stop(signal.SIGINT) == 0
    server.until_line("peer=.* result=timeout bytes=3 .*")
SCRIPT
}

@test "tincand: at SIGTERM it serves those who wait in the queue of its own socket" {
    script <<'SCRIPT'
with Server("--max-connections-per-source=1000") as server:
    server.signal(signal.SIGSTOP)
    peers = [server.connect() for _ in range(600)]
    for peer in peers:
        peer.send(b"hello\0")
    server.signal(signal.SIGTERM)
    server.signal(signal.SIGCONT)
    for peer in peers:
        assert peer.read_to_end() == CLEAN and peer.received == b"hello\0"
    assert server.end() == 0
SCRIPT
}

@test "tincand: at SIGTERM it leaves those in the queue of a socket handed over to the next" {
    script <<'SCRIPT'
with socket.create_server(("127.0.0.1", 0)) as listener:
    with Server("--max-connections=1", fds={3: listener}) as first:
        held, = first.hold(1, b"hel")
        peers = [first.connect() for _ in range(20)]
        for peer in peers:
            peer.send(b"hello\0")
        first.signal(signal.SIGTERM)
        first.manager.until("STOPPING=1")
        held.send(b"lo\0")
        assert held.read_to_end() == CLEAN and held.received == b"hello\0"
        assert first.end() == 0
    with Server(fds={3: listener}) as second:
        for peer in peers:
            assert peer.read_to_end() == CLEAN and peer.received == b"hello\0"
SCRIPT
}

@test "tincand: --idle-exit ends it with 0 after so long without a connection, and not before" {
    script <<'SCRIPT'
began = time.monotonic()
with Server("--idle-exit=1500ms") as server:
    assert server.end() == 0
    assert time.monotonic() - began > 1.49
with Server("--idle-exit=1500ms") as server:
    held, = server.hold(1)
    time.sleep(2)  # longer than it may be idle
    began = time.monotonic()
    held.send(b"hello\0")
    held.read_to_end()
    assert held.received == b"hello\0"
    assert server.end() == 0
    assert time.monotonic() - began > 1.49
SCRIPT
}

# --- the log ---------------------------------------------------------------------------------

@test "tincand: one line is logged for each exchange, with all that the handler's has" {
    script <<'SCRIPT'
with Server() as server:
    for _ in range(100):
        server.echo("a\x1b\n")
    server.exchange(b"bad\xff")
    server.until_line(r"peer=127\.0\.0\.1:\d+ result=invalid-utf8 bytes=3 usec=\d+"
                      r" offset=3 byte=0xff message=\"bad\"")
    assert len(server.lines(r"peer=127\.0\.0\.1:\d+ result=echoed bytes=3 usec=\d+"
                            r" message=\"a\\\\x1b\\\\x0a\"")) == 100
assert len(server.lines()) == 101
SCRIPT
}

@test "tincand: --no-preview logs no byte of a message, --quiet nothing of what went well" {
    script <<'SCRIPT'
with Server("--no-preview") as server:
    server.echo("secret")
    server.until_line("peer=.* result=echoed bytes=6 .*")
assert not server.lines(".*(secret|message=).*")
with Server("--quiet") as server:
    server.echo()
    server.exchange(b"bad\xff")
assert not server.log.size(), server.log.since(0)
SCRIPT
}

# bats test_tags=long
@test "tincand: a reader of standard error that hangs holds nobody up, and learns what it missed" {
    script <<'SCRIPT'
reading, writing = os.pipe()
with Server("--no-preview", stderr=writing) as server:
    os.close(writing)
    load(server, 20000)
    server.manager.until_status(r"echoed 20000\b.*, \d+ log lines lost")
    lost = int(re.search(r"(\d+) log lines lost", server.manager.status())[1])
    kept = reported = 0
    with os.fdopen(reading) as lines:
        while reported < lost:
            line = lines.readline()
            kept += "result=echoed" in line
            if match := re.search(r"log lines lost before this one.*: (\d+)$", line):
                reported += int(match[1])
        assert kept + lost == 20000, (kept, lost, reported)
        server.echo("it goes")
        while "bytes=7 " not in lines.readline():
            pass
        assert reported == lost
SCRIPT
}

@test "tincand: a reader of standard error that hangs does not hold up the end" {
    script <<'SCRIPT'
reading, writing = os.pipe()
with Server(stderr=writing) as server:
    load(server, 20000)
    assert server.stop() == 0
SCRIPT
}

@test "tincand: standard error that is full, non-blocking or has no reader harms nobody" {
    script <<'SCRIPT'
with open("/dev/full", "w") as full, Server(stderr=full) as server:
    load(server, 1000)
    server.manager.until_status("1001 log lines lost")  # with the one that it listens
reading, writing = os.pipe()
os.close(reading)
with Server(stderr=writing) as server:
    load(server, 1000)
    server.manager.until_status("1001 log lines lost")
reading, writing = os.pipe()
os.set_blocking(writing, False)
with Server(stderr=writing) as server:
    load(server, 2000)  # more lines than fit the pipe, and not more than can wait
    with os.fdopen(reading) as lines:
        assert sum("result=echoed" in lines.readline() for _ in range(2001)) == 2000
SCRIPT
}

@test "tincand: a manager may listen on a name that is no path" {
    script <<'SCRIPT'
with Server(manager=Manager("@tincan-test-notify-%d" % os.getpid())) as server:  # which waits for READY=1
    server.echo()
SCRIPT
}

@test "tincand: it blocks the signals that it reads, and no others" {
    script <<'SCRIPT'
with Server() as server, open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
    blocked = int(re.search(r"^SigBlk:\s*(\w+)", status.read(), re.MULTILINE)[1], 16)
    wanted = sum(1 << number - 1 for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM))
    assert blocked == wanted, hex(blocked)
SCRIPT
}

@test "tincand: with standard error closed, or the listening socket, the log goes to syslog" {
    "$TESTS/helpers/private-log" /nonexistent true || skip "a private /dev/log can't be made"
    script "$TESTS/helpers/private-log" "$BATS_TEST_TMPDIR/syslog" <<'SCRIPT'
sink = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
sink.bind(f"{TMPDIR}/syslog")
sink.settimeout(PATIENCE)
with socket.create_server(("127.0.0.1", 0)) as listener:
    for how in {"closed": [2]}, {"fds": {0: listener}, "stderr": listener}:
        with Server(**how) as server:
            name = re.escape(f"tincand[{server.process.pid}]: ")
            sentence = sink.recv(1000).decode()
            assert re.fullmatch(f"<30>{name}listening on 127.*", sentence), sentence
            server.echo()
            line = sink.recv(1000).decode()
            assert re.fullmatch(f"<29>{name}peer=127.* result=echoed bytes=5 .*", line), line
SCRIPT
}

@test "tincand: a syslog that hangs, or that is gone, harms nobody" {
    "$TESTS/helpers/private-log" /nonexistent true || skip "a private /dev/log can't be made"
    script "$TESTS/helpers/private-log" "$BATS_TEST_TMPDIR/syslog" <<'SCRIPT'
sink = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
sink.bind(f"{TMPDIR}/syslog")
with Server(closed=[2]) as server:
    load(server, 3000)  # none of which is read
    sink.close()
    load(server, 1000)
with Server(closed=[2]) as server:  # nobody there from the beginning
    load(server, 1000)
SCRIPT
}

@test "tincand: where standard error is a stream to the journal, an exchange is a record of fields" {
    "$TESTS/helpers/private-log" /nonexistent true || skip "a /run of its own can't be made"
    script "$TESTS/helpers/private-log" /nonexistent <<'SCRIPT'
os.makedirs("/run/systemd/journal")
journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
journal.bind("/run/systemd/journal/socket")
journal.settimeout(PATIENCE)
stream, lines = socket.socketpair()
about = os.fstat(stream.fileno())
with Server(stderr=stream,
            environment={"JOURNAL_STREAM": f"{about.st_dev}:{about.st_ino}"}) as server:
    server.connect().send(b"a\xff\0")
    fields = dict(field.split("=", 1) for field in journal.recv(4096).decode().splitlines())
    message = fields.pop("MESSAGE")
    assert re.fullmatch(r"peer=\S+ result=invalid-utf8 bytes=1 usec=\d+ .*", message), message
    assert int(fields.pop("TINCAN_USEC")) == int(re.search(r"usec=(\d+)", message)[1])
    assert fields.pop("TINCAN_PEER") == re.search(r"peer=(\S+)", message)[1].strip('"')
    assert re.fullmatch("[0-9a-f]{32}", fields.pop("MESSAGE_ID"))
    assert fields == {"PRIORITY": "4", "SYSLOG_IDENTIFIER": "tincand", "TINCAN_RESULT": "invalid-utf8",
                      "TINCAN_BYTES": "1"}, fields
    line = lines.recv(1000).decode()
    assert re.fullmatch(r"<6>listening on .*\n", line), line
    journal.close()
    load(server, 1000)  # the journal is gone, and nobody is harmed
    server.manager.until_status("1000 log lines lost")
    lost, notices = 0, lines.makefile()
    while lost < 1000:
        lost += int(re.fullmatch(r"<4>log lines lost before this one, .*: (\d+)\n", notices.readline())[1])
SCRIPT
}

# --- a service manager -----------------------------------------------------------------------

@test "tincand: a syslog that is slow, or starts later, gets every line it can" {
    "$TESTS/helpers/private-log" /nonexistent true || skip "a private /dev/log can't be made"
    script "$TESTS/helpers/private-log" "$BATS_TEST_TMPDIR/syslog" <<'SCRIPT'
lines = []

def read_all(until, pause):
    """Lines of the syslog, until one has this in it."""
    lines.clear()
    while not lines or until not in lines[-1]:
        lines.append(sink.recv(2000).decode())
        time.sleep(pause)

with Server(closed=[2]) as server:
    server.echo()
    server.manager.until_status("2 log lines lost")  # as there is no syslog yet
    sink = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sink.bind(f"{TMPDIR}/syslog")
    sink.settimeout(PATIENCE)
    reader = threading.Thread(target=read_all, args=('"last"', 0.001))
    reader.start()
    for _ in range(300):
        server.echo()
    server.echo("last")
    reader.join()
    echoed = [line for line in lines if 'message="hello"' in line]
    assert len(echoed) == 300, (len(echoed), lines[-1])
    assert any("log lines lost before this one, because the logger did not take them: 2" in line for line in lines)
    # It hangs until the socket and the queue are full; the notice counts what is lacking.
    load(server, 6000)
    time.sleep(2)
    reader = threading.Thread(target=read_all, args=("end of test", 0))
    reader.start()
    wait_until(lambda: any("log lines lost" in line for line in lines), "a notice")
    server.echo("end of test")
    reader.join()
    notices = re.findall("log lines lost before this one.*: ([0-9]+)", "\n".join(lines))
    lost = sum(int(number) for number in notices)
    written = len([line for line in lines if "result=echoed" in line and "end of" not in line])
    assert written + lost == 6000, (written, lost)
SCRIPT
}

@test "tincand: it reports to the service manager that it is ready, how it is, and that it stops" {
    script <<'SCRIPT'
with Server() as server:
    assert server.manager.messages[0][1] == ["READY=1", "STATUS=open 0, echoed 0"]
    held, = server.hold(1)
    server.echo()
    server.exchange(b"bad\xff")
    server.manager.until_status("STATUS=open 1, echoed 1, 1 invalid-utf8$")
    held.close()
    server.manager.until_status("STATUS=open 0, echoed 1, 1 eof, 1 invalid-utf8$")
    server.stop()
    server.manager.until("STOPPING=1")
    assert len(server.manager.times("READY=1")) == len(server.manager.times("STOPPING=1")) == 1
SCRIPT
}

@test "tincand: it reports its status once a second at most, and not at all while nothing happens" {
    within_time # from one to the next, if the first of them was read late
    script <<'SCRIPT'
with Server("--quiet") as server:
    while len(times := server.manager.times("STATUS=.*")) < 4:
        load(server, 100)
    assert all(later - earlier > 0.9 for earlier, later in zip(times, times[1:])), times
    server.manager.until_status("STATUS=open 0, .*")
    times = server.manager.times("STATUS=.*")
    server.watch(1.5)
    assert len(server.manager.times("STATUS=.*")) <= len(times) + 1
SCRIPT
}

@test "tincand: when all lines are written, nothing wakes it up" {
    script <<'SCRIPT'
with Server() as server:
    server.echo()
    server.until_line("peer=.* result=echoed .*")
    wakeups = server.wakeups()
    server.watch(0.5)
    assert server.wakeups() < wakeups + 10, (wakeups, server.wakeups())
SCRIPT
}

@test "tincand: the watchdog hears from it in time" {
    within_time
    script <<'SCRIPT'
with Server(environment={"WATCHDOG_USEC": "1000000"}) as server:
    wait_until(lambda: len(server.manager.times("WATCHDOG=1")) >= 5, "5 messages to the watchdog")
    times = server.manager.times("READY=1|WATCHDOG=1")
    assert all(later - earlier < 1 for earlier, later in zip(times, times[1:])), times
SCRIPT
}

@test "tincand: a watchdog's time that is nonsense, or meant for another process, harms nobody" {
    script <<'SCRIPT'
with Server(environment={"WATCHDOG_USEC": "600000", "WATCHDOG_PID": "1"}) as server:
    server.watch(0.7)
    assert not server.manager.times("WATCHDOG=1")
for usec in "0", "x", "-1":
    with Server(environment={"WATCHDOG_USEC": usec}) as server:
        server.echo()
SCRIPT
}

@test "tincand: a service manager that is not there harms nobody" {
    script <<'SCRIPT'
for path in "/nonexistent/notify", "relative", "", "@nobody":
    with Server(environment={"NOTIFY_SOCKET": path}, ready=False) as server:
        server.until_line("tincand: listening on .*")
        server.echo()
        assert server.stop() == 0
SCRIPT
}

# A service manager whose socket is full.
HUNG='
hung, path = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM), f"{TMPDIR}/hung"
hung.bind(path)

def fill():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.setblocking(False)
        try:
            while True:
                other.sendto(b"full", path)
        except BlockingIOError:
            pass
'

@test "tincand: a service manager that hangs holds nobody up" {
    script <<SCRIPT
$HUNG
with Server(environment={"NOTIFY_SOCKET": path}, ready=False) as server:
    server.until_line("tincand: listening on .*")
    server.echo()
    fill()
    until = time.monotonic() + 2.5  # in which the status is reported twice
    while time.monotonic() < until:
        load(server, 100)
SCRIPT
}

@test "tincand: a service manager that hung at the start gets READY=1 and the status later" {
    script <<SCRIPT
$HUNG
fill()
with Server(environment={"NOTIFY_SOCKET": path}, ready=False) as server:
    server.until_line("tincand: listening on .*")
    server.echo()
    hung.settimeout(PATIENCE)
    while (message := hung.recv(1000)) == b"full":
        pass
    assert message.startswith(b"READY=1\\nSTATUS=open "), message
    server.echo()
    while b"open 0, echoed 2" not in hung.recv(1000):
        pass
SCRIPT
}

@test "tincand: a refusal is logged at once, while the connection still lingers" {
    script <<'SCRIPT'
def refused():
    peer, began = server.connect(), time.monotonic()
    peer.send(b"bad\xff")
    server.until_line(f"peer={peer.peer} result=invalid-utf8 .*")
    return peer, began

with Server() as server:
    assert still_lingers(refused)
SCRIPT
}

@test "tincand: a reply that is read late arrives whole though much came behind the message" {
    script <<'SCRIPT'
with Server("--max-bytes=12M") as server:
    for size in (300_000, 12_000_000):  # one that the kernel takes at once, and one that it does not
        got = subprocess.run(["python3", f"{os.environ['TESTS']}/systemd/load.py", "trail", server.address,
                              f"--bytes={size}"], stdout=subprocess.PIPE, text=True, check=True).stdout
        assert got == f"{size + 1}\n", got
SCRIPT
}

@test "tincand: it lingers also where bytes come only after it began to reply" {
    script <<'SCRIPT'
def replied_to():
    peer, = server.hold(1, b"x" * 300000 + b"\0", narrow=True)
    peer.send(b"behind")
    peer.until_read()
    peer.read_until_null()
    began = time.monotonic()
    assert peer.read_to_end() == CLEAN
    return peer, began

with Server() as server:
    assert still_lingers(replied_to)
SCRIPT
}
