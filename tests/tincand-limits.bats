# SPDX-License-Identifier: MIT
# The limits of the persistent server: connections, sources, memory, descriptors; and that one peer
# costs the others nothing, however it behaves or leaves.

load helpers/daemon

# --- connections -----------------------------------------------------------------------------

@test "tincand: above --max-connections peers wait in the kernel's queue, and cost nothing there" {
    script <<'SCRIPT'
with Server("--max-connections=2", "--max-connections-per-source=2") as server:
    held = server.hold(2)
    third, fourth = server.connect(), server.connect()
    for connection in third, fourth:
        connection.send(b"hello\0")
    server.watch(0.5)
    assert not third.readable(0) and not fourth.readable(0)
    held[0].send(b"first\0")
    for connection, reply in (held[0], b"first\0"), (third, b"hello\0"), (fourth, b"hello\0"):
        assert connection.read_to_end() == CLEAN and connection.received == reply
    held[1].close()
SCRIPT
}

@test "tincand: many more peers than --max-connections are all served" {
    script <<'SCRIPT'
with Server("--max-connections=3", "--max-connections-per-source=3") as server:
    load(server, 2000, parallel=100)
SCRIPT
}

@test "tincand: a source that has its share is closed at once, others are served" {
    script <<'SCRIPT'
with Server("--max-connections=100", "--max-connections-per-source=2") as server:
    held = server.hold(2)
    for _ in range(3):
        refused = server.connect()
        assert refused.read_to_end() == CLEAN and not refused.received
    server.echo(source="127.0.0.2")
    server.manager.until_status("open 2, echoed 1, 3 turned away")
    held[0].close()
    server.until_line("peer=.* result=eof .*")
    server.echo()
assert len(server.lines()) == 4  # of those that were turned away there is none
SCRIPT
}

@test "tincand: the share of a source is a quarter unless given" {
    script <<'SCRIPT'
with Server("--max-connections=8") as server:
    held = server.hold(2)
    refused = server.connect()
    assert refused.read_to_end() == CLEAN
    held += server.hold(2, source="127.0.0.2")
    refused = server.connect(source="127.0.0.2")
    assert refused.read_to_end() == CLEAN
SCRIPT
}

@test "tincand: a /64 network of IPv6 is one source, as is an IPv4 peer of an IPv6 socket" {
    need_own_network
    script unshare --net bash -c 'ip link set lo up &&
        ip address add 2001:db8::1/64 dev lo nodad && ip address add 2001:db8::2/64 dev lo nodad &&
        ip address add 2001:db8:0:1::1/64 dev lo nodad && exec "$@"' - <<'SCRIPT'
with Server("--max-connections=100", "--max-connections-per-source=1", "--listen=[::]:4040") as server:
    held = [server.connect(source="2001:db8::1", address="[2001:db8::1]:4040")]
    refused = server.connect(source="2001:db8::2", address="[2001:db8::1]:4040")
    assert refused.read_to_end() == CLEAN
    server.echo(source="2001:db8:0:1::1", address="[2001:db8::1]:4040")
    server.echo(source="127.0.0.1", address="127.0.0.1:4040")
    held.append(server.connect(source="127.0.0.1", address="127.0.0.1:4040"))
    refused = server.connect(source="127.0.0.1", address="127.0.0.1:4040")
    assert refused.read_to_end() == CLEAN
    server.echo(source="127.0.0.2", address="127.0.0.1:4040")
SCRIPT
}

@test "tincand: the source of a unix socket's peer is its user" {
    [ "$(id -u)" -eq 0 ] || skip "only root can be another user"
    script <<'SCRIPT'
with Server("--max-connections=100", "--max-connections-per-source=1",
            "--listen=unix:@tincan-test-%d" % os.getpid()) as server:
    held = server.connect()
    refused = server.connect()
    assert refused.read_to_end() == CLEAN
    os.seteuid(65534)
    server.echo()
    os.seteuid(0)
SCRIPT
}

@test "tincand: one slow peer and one huge one do not delay a thousand quick ones" {
    script <<'SCRIPT'
with Server("--quiet", "--max-connections-per-source=100") as server:
    dripping, stalled, huge = server.hold(2, b"d") + server.hold(1)
    stalled, = server.hold(1, b"x" * MIB + b"\0", narrow=True)
    done = threading.Event()

    def drip():
        while not done.wait(0.01):
            dripping.send(b"d")

    def flood():
        while not done.is_set():
            server.exchange(b"x" * MIB + b"\0")

    others = [threading.Thread(target=drip), threading.Thread(target=flood)]
    for thread in others:
        thread.start()
    try:
        result = load(server, 1000, parallel=4)
    finally:
        done.set()
        for thread in others:
            thread.join()
    assert int(result["p99_usec"]) < 2000000, result
SCRIPT
}

@test "tincand: when very many deadlines are over at the same time, all of them are kept" {
    script <<'SCRIPT'
with Server("--timeout=3s", "--max-connections=500") as server:
    peers = [peer for turn in range(4) for peer in server.hold(100, source=f"127.0.0.{turn + 1}")]
    server.signal(signal.SIGSTOP)
    time.sleep(3.1)  # longer than each of them has
    server.signal(signal.SIGCONT)
    for peer in peers:
        assert peer.read_to_end() == CLEAN
    server.until_line("peer=.* result=timeout bytes=0 .*", 400)
    server.echo()
SCRIPT
}

# --- memory ----------------------------------------------------------------------------------

# Half-sent messages are to use up what a favourite leaves: of 1 MiB, and messages of 256 KiB, some
# 760 KiB. LARGE of them are 1 MiB and more.
LARGE='
QUARTER = MIB // 4
OPTIONS = ("--max-memory=1M", "--max-bytes=256k")

def use_up(server, data=b"x" * (QUARTER - 1)):
    """Half-sent messages for which there is too little memory."""
    held = server.hold(6)
    for connection in held:
        connection.send(data)
    wait_until(lambda: waiting(held) < 3 * QUARTER, "memory to be used up")
    return held

def starved(held):
    return [connection for connection in held if connection.unread()]
'

@test "tincand: when the memory is used up, small messages are served, the rest costs nothing" {
    script <<SCRIPT
$LARGE
with Server(*OPTIONS) as server:
    held = use_up(server)
    for _ in range(100):
        server.echo("x" * 1000)
    server.watch(0.5)
    assert starved(held)
SCRIPT
}

@test "tincand: input above --max-memory waits, and goes on when memory is given back" {
    script <<SCRIPT
$LARGE
with Server(*OPTIONS) as server:
    held = use_up(server)
    waited = starved(held)
    for connection in held:
        if connection not in waited:
            connection.close()
    for connection in waited:
        connection.send(b"\0")
    for connection in waited:
        assert connection.read_to_end() == CLEAN
        assert connection.received == b"x" * (QUARTER - 1) + b"\0", len(connection.received)
SCRIPT
}

@test "tincand: messages that have used up the memory together are still served, one by one" {
    script <<SCRIPT
$LARGE
with Server(*OPTIONS) as server:
    held = use_up(server)
    threads = [threading.Thread(target=connection.send, args=(b"\0",)) for connection in held]
    for thread in threads:
        thread.start()
    for connection in held:
        assert connection.read_to_end() == CLEAN
        assert connection.received == b"x" * (QUARTER - 1) + b"\0", len(connection.received)
SCRIPT
}

@test "tincand: a peer that waits for memory and resets its connection is noticed" {
    script <<SCRIPT
$LARGE
with Server(*OPTIONS) as server:
    held = use_up(server)
    gone, *_ = starved(held)
    gone.reset()
    server.until_line(f"peer={gone.peer} result=eof .*")
    server.watch(0.3)
SCRIPT
}

@test "tincand: peers that wait for memory and end their half cost nothing, and are served" {
    script <<SCRIPT
$LARGE
with Server(*OPTIONS) as server:
    held = use_up(server)
    waited = starved(held)
    for connection in waited:
        connection.send(b"\0")
        connection.half_close()
    server.watch(0.3)
    for connection in held:
        if connection not in waited:
            connection.close()
    for connection in waited:
        assert connection.read_to_end() == CLEAN and len(connection.received) == QUARTER
SCRIPT
}

@test "tincand: the deadline holds for those who wait for memory" {
    script <<SCRIPT
$LARGE
with Server(*OPTIONS, "--timeout=5s") as server:
    held = use_up(server)
    assert starved(held)
    for connection in held:
        assert connection.read_to_end() in (CLEAN, RESET) and not connection.received
    server.until_line("peer=.* result=timeout bytes=.*", len(held))
    server.echo()
SCRIPT
}

# bats test_tags=limits
@test "tincand: --max-memory is kept, however many send large messages" {
    script <<'SCRIPT'
with Server("--max-memory=8M", "--max-connections-per-source=100") as server:
    server.echo()
    before = server.rss()
    held = [peer for host in range(1, 7) for peer in server.hold(10, source=f"127.0.0.{host}")]
    for connection in held:
        server.fill(connection, b"x" * MIB)
    wait_until(lambda: server.rss() > before + 6 * MIB, "memory to be used")
    server.watch(0.5)
    assert server.rss() < before + 10 * MIB, server.rss() - before
    for connection in held:
        connection.close()
    # 1 MiB is kept for a large message, and the heap has gaps.
    wait_until(lambda: server.rss() < before + 4 * MIB, "memory to be given back")
SCRIPT
}

@test "tincand: nothing of a message is in the reply to another, with a tag or without" {
    script <<'SCRIPT'
import random
chance = random.Random(4)
for options in (), ("--tag",):
    with Server("--quiet", "--max-connections-per-source=500", *options) as server:
        for size in 100000, 1, 70000, 0, 300, 5, 256, 255, 65536, 2, 65535:
            letter = chr(chance.randrange(97, 123)).encode()
            reply = server.exchange(letter * size + b"\0")
            tag, _, rest = reply.rpartition(b": ")
            assert rest == letter * size + b"\0", (size, reply[:60])
        # Many at the same time, a piece of each in turn
        flights = []
        for number in range(60):
            data = (b"%d," % number) * chance.choice([1, 50, 5000, 20000]) + b"\0"
            flights.append((server.connect(), data))
        for part in range(4):
            chance.shuffle(flights)
            for connection, data in flights:
                size = len(data) // 4 + 1
                connection.send(data[part * size:(part + 1) * size])
        for connection, data in flights:
            connection.read_to_end()
            tag = b"('127.0.0.1', %d): " % connection.sock.getsockname()[1] if options else b""
            assert connection.received == tag + data, (data[:20], connection.received[:60])
SCRIPT
}

@test "tincand: --tag puts the peer in front of the reply, of whatever family, long or slowly read" {
    script <<'SCRIPT'
path, port = f"{TMPDIR}/s", free_port(everywhere=True)
with Server("--tag", f"--listen=[::]:{port}", f"--listen=unix:{path}") as server:
    peer = server.connect(address=f"127.0.0.1:{port}")
    for connection, tag in [
            (peer, "('127.0.0.1', %d): " % peer.sock.getsockname()[1]),
            (peer := server.connect(address=f"[::1]:{port}"), "('::1', %d, 0, 0): " %
             peer.sock.getsockname()[1]),
            (server.connect(address=f"unix:{path}"),
             f"'unix:uid={os.getuid()},pid={os.getpid()}': "),
            (peer := server.connect(address=f"127.0.0.1:{port}", narrow=True),
             "('127.0.0.1', %d): " % peer.sock.getsockname()[1])]:
        message = b"x" * MIB + b"\0" if connection is peer else b"hello\0"
        connection.send(message)
        connection.read_to_end()
        assert connection.received == tag.encode() + message, connection.received[:60]
SCRIPT
}

# --- descriptors -----------------------------------------------------------------------------

# bats test_tags=limits
@test "tincand: a limit of 16 descriptors is enough to serve" {
    script <<'SCRIPT'
with Server("--max-connections-per-source=16", nofile=(16, 16)) as server:
    load(server, 1000, parallel=32)
    peers = [server.connect() for _ in range(12)]  # more than it can have
    server.watch(0.3)
    for connection in peers:
        connection.send(b"hello\0")
        assert connection.read_to_end() == CLEAN and connection.received == b"hello\0"
assert not server.lines(".*cannot.*")
SCRIPT
}

@test "tincand: a limit of descriptors that is too small exits 64 and says what is needed" {
    script <<'SCRIPT'
said = refusal("--max-connections=100", nofile=(64, 64))
assert "cannot serve 100 connections with a limit of 64 descriptors, of which " in said, said
said = refusal(nofile=(12, 12))
assert "cannot serve 1 connection with a limit of 12 descriptors" in said, said
SCRIPT
}

@test "tincand: the soft limit of descriptors is raised for --max-connections" {
    script <<'SCRIPT'
with Server("--max-connections=100", "--max-connections-per-source=100", nofile=(20, 200)) as server:
    server.hold(50)
    server.echo()
SCRIPT
}

@test "tincand: the limit of descriptors is raised where it is too low, and only there" {
    script <<'SCRIPT'
# 85 connections, one listening socket, and 14 of its own.
for soft, raised in (100, False), (101, False), (99, True):
    with Server("--max-connections=85", nofile=(soft, 1000)) as server:
        assert resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE) == (
            1000 if raised else soft, 1000), soft
SCRIPT
}

@test "tincand: without descriptors it rests, complains once a second, and resumes" {
    script <<'SCRIPT'
with Server("--max-connections-per-source=100") as server:
    limits = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (server.fds() + 2, limits[1]))
    held = server.hold(2)
    began = time.monotonic()
    queued = [server.connect() for _ in range(5)]
    for connection in queued:
        connection.send(b"hello\0")
    complaint = "tincand: cannot accept connections for the moment: Too many open files; .*"
    server.until_line(complaint)
    server.watch(2.5)
    server.until_line(complaint, 2)
    assert len(server.lines(complaint)) <= 1 + time.monotonic() - began, server.lines(complaint)
    held[0].send(b"held\0")
    held[0].read_to_end()
    assert held[0].received == b"held\0"
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, limits)
    for connection in queued:
        connection.read_to_end()
        assert connection.received == b"hello\0"
SCRIPT
}

# --- leaving ---------------------------------------------------------------------------------

@test "tincand: a peer that closes, resets or ends its half in any state costs nothing more" {
    script <<'SCRIPT'
def receiving(server):
    return server.hold(1, b"hel")[0]

def replying(server):
    connection = server.connect(narrow=True)
    connection.send(b"x" * MIB + b"\0")
    connection.until_readable()
    return connection

def lingering(server):
    connection = server.connect()
    connection.send(b"bad\xff")
    connection.until_readable()
    return connection

with Server("--timeout=1h", "--max-connections-per-source=100") as server:
    server.echo()
    idle = server.fds()
    for state, result in (receiving, "eof"), (replying, "gone"), (lingering, "invalid-utf8"):
        for leave in Connection.close, Connection.reset:
            connection = state(server)
            with server.resting():
                leave(connection)
                server.until_line(f"peer={connection.peer} result={result} .*")
                wait_until(lambda: server.fds() == idle, "the descriptor to be closed")
                time.sleep(0.2)  # in which it could spin
    for state, result, reply in [(receiving, "eof", 0), (lingering, "invalid-utf8", 0)]:
        connection = state(server)
        connection.half_close()
        assert connection.read_to_end() == CLEAN and len(connection.received) == reply
        server.until_line(f"peer={connection.peer} result={result} .*")
    connection = replying(server)
    connection.half_close()
    server.watch(0.3)
    assert connection.read_to_end() == CLEAN and len(connection.received) == MIB + 1
    wait_until(lambda: server.fds() == idle, "all descriptors to be closed")
SCRIPT
}

@test "tincand: thousands that leave at the same time cost little more each than one" {
    need_descriptors 4100
    # Where each event has all the others fetched again, that is seconds of processor time.
    script <<'SCRIPT'
with Server("--quiet", "--max-connections=4000", "--max-connections-per-source=4000",
            nofile=(4100, 4100)) as server:
    held = server.hold(3000)
    used, before = server.cpu(), server.fds()
    server.process.send_signal(signal.SIGSTOP)
    for connection in held:
        connection.close()
    server.process.send_signal(signal.SIGCONT)
    wait_until(lambda: server.fds() <= before - 3000, "all of them to be gone")
    assert server.cpu() - used < 1, server.cpu() - used
SCRIPT
}

# bats test_tags=limits
@test "tincand: thousands at the same time leave no memory behind" {
    need_descriptors 4100
    script <<'SCRIPT'
with Server("--quiet", "--max-connections=4000", "--max-connections-per-source=4000",
            nofile=(4100, 4100)) as server:
    server.echo()
    idle, before = server.fds(), server.rss()
    held = server.hold(3000, b"abc")
    assert server.rss() > before + MIB // 2, (before, server.rss())
    for connection in held:
        connection.close()
    wait_until(lambda: server.fds() == idle, "all of them to be gone")
    server.echo()
    assert server.rss() < before + MIB // 8, (before, server.rss())
SCRIPT
}

@test "tincand: ten thousand connections of all kinds leave no descriptor behind" {
    script <<'SCRIPT'
with Server("--max-connections-per-source=200") as server:
    server.echo()
    idle = server.fds()
    for turn in range(10000):
        vary(server, turn)
    wait_until(lambda: server.fds() == idle, f"{server.fds()} descriptors to be {idle}")
    server.manager.until_status("STATUS=open 0, ")
SCRIPT
}

# bats test_tags=limits
@test "tincand: a hundred thousand exchanges take no more memory than ten thousand" {
    # Quiet, as the log's spools, of fixed size, are used as far as the logger lags behind. How much
    # malloc holds back varies by a large buffer or two, at any time, and then stays; a leak grows in
    # each of the four parts.
    script <<'SCRIPT'
with Server("--quiet") as server:
    load(server, 200, size=500000)
    load(server, 10000)
    used = [server.rss()]
    for part in range(4):
        load(server, 25000)
        used.append(server.rss())
    assert min(after - before for before, after in zip(used, used[1:])) < MIB // 8, used
    load(server, 200, size=500000)
    assert server.rss() < used[0] + 4 * MIB, (used, server.rss())
SCRIPT
}

# bats test_tags=sandbox
@test "tincand: on a small machine the limit of memory is a quarter of what there is" {
    need_tracer
    # sysinfo(2) begins with the uptime, three loads and the memory.
    local machine
    machine=$(python3 -c 'import struct; print(struct.pack("=QQQQQ", 1, 0, 0, 0, 64 << 20).hex())')
    run -64 strace -o /dev/null -e inject=sysinfo:poke_exit=@arg1="$machine" \
        "$TINCAND" --max-bytes=128M --listen="unix:$BATS_TEST_TMPDIR/s"
    assert_output --partial 'with 16777216 bytes (--max-memory)'
}
