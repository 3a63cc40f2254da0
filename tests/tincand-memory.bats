# SPDX-License-Identifier: MIT
# Memory of the persistent server: connections that wait for it continue as soon as there is room,
# and no source has it all. The server here is one that checks its own accounts after each step.

load helpers/daemon

setup() {
    [ -x "$TINCAND" ] || skip "tincand is not built; it needs libsystemd (Debian: libsystemd-dev)"
    [ ! -x "$TINCAN_BUILD/tests/tincand-checked" ] || TINCAND=$TINCAN_BUILD/tests/tincand-checked
}

# Peers. TINCAN_LATEST=0.1 on a machine that does nothing else.
PEERS='
LATEST = float(os.environ.get("TINCAN_LATEST", "5"))  # how late an answer may be, in seconds

def sends(server, data, **options):
    connection = server.connect(**options)
    connection.send(data)
    return connection

def answered(connection, data):
    started = time.monotonic()
    connection.read_to_end()
    took = time.monotonic() - started
    assert connection.received == data, f"{len(connection.received)} of {len(data)} bytes"
    assert took < LATEST, f"after {took:.3f} s"
'

# A server with room for one message of 64 KiB and a little more.
SMALL=$PEERS'
LEAST = 512 + 65536 + 1 + 4096 + 512

def small(extra, *options):
    return Server("--max-bytes=64k", f"--max-memory={LEAST + extra}", "--no-preview",
                  "--max-connections=1000", "--max-connections-per-source=1000", *options)
'

@test "tincand: when all holders of memory time out at once, a message that waits is answered" {
    script <<SCRIPT
$SMALL
for slow in 2, 4, 21:
    with small(0, "--timeout=2s") as server:
        server.signal(signal.SIGSTOP)
        held = [sends(server, b"f" * 30000) for _ in range(slow)]
        server.signal(signal.SIGCONT)
        time.sleep(1)
        waiting = sends(server, b"l" * 50000 + b"\0")
        for connection in held:
            connection.read_to_end()
        answered(waiting, b"l" * 50000 + b"\0")
SCRIPT
}

@test "tincand: when a holder of memory that waits for more leaves, the next is answered" {
    script <<SCRIPT
$SMALL
for leaver in range(2):
    with small(20000) as server:
        held = [sends(server, b"s" * 12000)]
        held[0].until_read()
        held[0].send(b"s" * 12000)
        held.append(sends(server, b"f" * 30000))
        waiting = sends(server, b"l" * 15000 + b"\0")
        time.sleep(0.2)
        held[leaver].reset()
        answered(waiting, b"l" * 15000 + b"\0")
SCRIPT
}

@test "tincand: a connection that lingers has no memory that another one waits for" {
    script <<SCRIPT
$SMALL
def needs_all():
    second = sends(server, b"s" * 40000)
    second.until_read()
    second.send(b"s" * 20000 + b"\0")
    answered(second, b"s" * 60000 + b"\0")

def lingers_beside_another():
    first = sends(server, b"f" * 65000 + b"\0behind")
    first.read_until_null()
    began = time.monotonic()
    needs_all()
    return first, began

with small(0) as server:
    assert still_lingers(lingers_beside_another)
    # This one lingers for as long as it does not read, for more than may be discarded is behind its message.
    deaf = sends(server, b"d" * 65000 + b"\0" + b"behind" * 20000, narrow=True)
    deaf.until_readable()
    needs_all()
    deaf.read_until_null()
SCRIPT
}

@test "tincand: two hundred messages that wait for memory are all answered when there is some" {
    script <<SCRIPT
$SMALL
with Server("--max-memory=2M", "--max-connections=1000", "--max-connections-per-source=1000") as server:
    held = []
    for _ in range(3):
        held.append(server.connect())
        server.fill(held[-1], b"x" * 900000)
    data = b"m" * 5000 + b"\0"
    waiting = [sends(server, data) for _ in range(200)]
    time.sleep(0.3)
    assert not waiting[-1].readable(0), "there was no lack of memory"
    for connection in held:
        connection.close()
    for connection in waiting:
        answered(connection, data)
SCRIPT
}

@test "tincand: in random schedules every message is answered when there is room for it" {
    # TINCAN_SCHEDULES=1000 TINCAN_LATEST=0.1 for a thorough run on a machine that does nothing else.
    SCRIPT_SECONDS=3600 script <<SCRIPT
$SMALL
import random
def play(server, chance):
    live = []  # [connection, data, bytes sent]
    for _ in range(chance.randrange(20, 60)):
        roll = chance.random()
        if roll < 0.45 or not live:
            size = chance.choice([0, 10, 3000, 5000, 20000, 60000, 65535])
            data = b"m" * size + b"\0"
            peer = server.connect(source=f"127.0.0.{chance.choice([1, 1, 2, 3, 4])}")
            peer.sock.setblocking(False)
            live.append([peer, data, 0])
        else:
            one = chance.choice(live)
            peer, data, sent = one
            if roll < 0.85 and sent < len(data):
                try:
                    one[2] += peer.sock.send(data[sent:sent + chance.choice([1, 4096, 30000, 70000])])
                except BlockingIOError:
                    pass
                except OSError:
                    live.remove(one)
            elif roll < 0.93 and sent < len(data):
                chance.choice([peer.close, peer.reset])()
                live.remove(one)
    whole = [one for one in live if one[2] == len(one[1])]
    for one in live:
        if one[2] < len(one[1]):
            chance.choice([one[0].close, one[0].reset])()
    started = time.monotonic()
    for peer, data, _ in whole:
        peer.sock.setblocking(True)
        peer.read_to_end()
        assert peer.received == data, f"{len(peer.received)} of {len(data)} bytes"
        assert time.monotonic() - started < LATEST, time.monotonic() - started

schedules = int(os.environ.get("TINCAN_SCHEDULES", "60"))
first = int(os.environ.get("TINCAN_SEED", "1"))
for seed in range(first, first + schedules):
    chance = random.Random(seed)
    if (seed - first) % 20 == 0:
        shares = chance.choice([500, 1000])
        server = Server("--max-bytes=64k", f"--max-memory={LEAST + chance.choice([0, 5000, 50000, 200000])}",
                        "--max-connections=1000", f"--max-connections-per-source={shares}", "--timeout=1h")
        server.__enter__()
    try:
        play(server, chance)
    except BaseException:
        print("seed", seed)
        server.__exit__(Failed, None, None)
        raise
    if (seed - first) % 20 == 19 or seed == first + schedules - 1:
        server.__exit__(None, None, None)
SCRIPT
}

# Peers that hold the memory, and exchanges of one that has nothing to do with them.
OTHERS=$PEERS'
def stall(server, sources, each):
    """Messages that never end, as far as the server takes them."""
    held = []
    for turn in range(each):
        for number in range(sources):
            held.append(server.connect(source=f"127.0.1.{1 + number}"))
            server.fill(held[-1], b"z" * (MIB - 1))
    return held

def others_are_served(server):
    for size in 4096, 100000, MIB:
        for _ in range(10):
            data = b"x" * size + b"\0"
            answered(sends(server, data), data)
'

@test "tincand: an address that sends messages without end takes no memory from others" {
    script <<SCRIPT
$OTHERS
with Server("--max-memory=8M", "--max-connections=400", nofile=(1000, 1000)) as server:
    held = stall(server, 1, 20)
    others_are_served(server)
SCRIPT
}

@test "tincand: nor do several addresses, whose slow connections are ended for others" {
    script <<SCRIPT
$OTHERS
with Server("--max-memory=24M", "--max-connections=400", nofile=(1000, 1000)) as server:
    held = stall(server, 14, 4)
    time.sleep(0.5)
    others_are_served(server)
    server.until_line('peer=.* result=timeout .*error="other peers needed its memory".*')
SCRIPT
}

# bats test_tags=long
@test "tincand: nor do a hundred addresses that all wait for memory" {
    script <<SCRIPT
$OTHERS
with Server("--max-memory=24M", "--max-connections=600", nofile=(1000, 1000)) as server:
    held = stall(server, 100, 4)
    for _ in range(10):
        data = b"x" * 60000 + b"\0"
        answered(sends(server, data), data)
SCRIPT
}

# bats test_tags=limits
@test "tincand: at the defaults, nor do 64 addresses that send messages without end, as its manual says" {
    [ "$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo)" -ge 1048576 ] || skip "with so little memory the default is less"
    script <<SCRIPT
$OTHERS
with Server(nofile=(1000, 1000)) as server:
    held = stall(server, 64, 5)
    data = b"x" * MIB + b"\0"
    for _ in range(3):
        answered(sends(server, data), data)
    assert server.rss() > 200 * MIB, f"{server.rss()} bytes are used"
SCRIPT
}

@test "tincand: a large message gets the memory of the one before, which has its pages already" {
    script <<SCRIPT
with Server("--quiet") as server:
    def faults():
        with open(f"/proc/{server.process.pid}/stat", encoding="ascii") as file:
            return int(file.read().rpartition(")")[2].split()[7])
    def echo(first):
        connection = server.connect()
        if first:  # comes by itself, so that it has other memory for now
            connection.send(b"m" * first)
            connection.until_read()
        connection.send(b"m" * (1000000 - first) + b"\\0")
        connection.read_to_end()
        assert connection.received == b"m" * 1000000 + b"\\0"
    for first in 0, 100, 20000:
        echo(first)
        before = faults()
        for _ in range(20):
            echo(first)
        assert faults() - before < 20 * 24, f"{faults() - before} page faults for 20 times 244 pages"
SCRIPT
}
