# SPDX-License-Identifier: MIT
# The servers on a machine with 64 MB, which is a cgroup with that limit here: peers that send large
# messages without end, from many addresses, make no exchange of another address fail.
# bats file_tags=limits

setup() {
    load helpers/daemon
    make_small_machine
}

teardown() {
    [ -z "${SMALL-}" ] || wait_until 60 rmdir "$SMALL"
}

# make_small_machine: a cgroup with 64 MB and no swap, its folder in $SMALL; skips the test where none
# can be made. Version 1 has it below the cgroup of this process; version 2 only lets the first one,
# which systemd prepares, have both processes and others below.
make_small_machine() {
    local own parent
    own=$(sed -n 's/^[0-9]*:memory://p' /proc/self/cgroup)
    for parent in "/sys/fs/cgroup/memory$own" /sys/fs/cgroup; do
        if [ -e "$parent/cgroup.subtree_control" ]; then
            echo +memory 2>/dev/null >"$parent/cgroup.subtree_control" || true # it may be there already
        fi
        export SMALL=$parent/tincan-test.$$
        mkdir "$SMALL" 2>/dev/null || continue
        if limit memory.limit_in_bytes 64M && limit memory.swappiness 0; then return; fi
        if limit memory.max 64M && limit memory.swap.max 0; then return; fi
        rmdir "$SMALL"
    done
    SMALL=
    skip "no cgroup with a limit of memory can be made below /sys/fs/cgroup here"
}

# limit FILE VALUE: sets it if there is such a file.
limit() {
    [ -e "$SMALL/$1" ] && echo "$2" 2>/dev/null >"$SMALL/$1"
}

# killed: how many processes the kernel has killed as there was no memory.
killed() {
    cat "$SMALL"/memory.{oom_control,events} 2>/dev/null | sed -n 's/^oom_kill //p'
}

# What scripts begin with: a command that goes on in the small machine, and peers.
PEERS='
small = ["sh", "-c", "echo $$ >\"$0/cgroup.procs\" && exec \"$@\"", os.environ["SMALL"]]

def send_without_end(address, source):
    try:
        while True:
            connection = connect(address, source)
            connection.send(b"z" * (MIB - 1))
            connection.read_to_end()
            connection.close()
    except OSError:
        pass  # the server has ended

def attack(address, sources, each):
    """Peers whose messages never end; they come again when the server ends their connection."""
    for number in range(sources * each):
        source = f"127.0.1.{1 + number % sources}"
        threading.Thread(target=send_without_end, args=(address, source), daemon=True).start()

def others_are_served(address, *sizes):
    held = [(connect(address), b"x" * size + b"\0") for size in sizes]
    for connection, data in held:
        connection.send(data)
    for connection, data in held:
        connection.read_to_end()
        assert connection.received == data, f"{len(connection.received)} of {len(data)} bytes"
'

@test "64 MB: tincand serves others while a hundred addresses send messages without end" {
    script <<SCRIPT
$PEERS
for sources, each, most in (100, 1, 60000), (8, 4, MIB):
    # 16M is what it takes by itself on such a machine.
    with Server("--max-memory=16M", "--max-connections=400", nofile=(1000, 1000), before=small) as server:
        attack(server.address, sources, each)
        server.until_line('peer=.* result=timeout .*error="other peers needed its memory".*')
        for _ in range(3):
            others_are_served(server.address, 100, 4000, 60000)
            others_are_served(server.address, most)
SCRIPT
    assert_equal "$(killed)" 0
}

@test "64 MB: with more --max-memory than there is the kernel ends tincand" {
    script <<SCRIPT
$PEERS
with Server("--max-memory=256M", "--max-connections=400", nofile=(1000, 1000), before=small) as server:
    attack(server.address, 100, 1)
    assert server.end() == -signal.SIGKILL
SCRIPT
    assert_equal "$(killed)" 1
}

@test "64 MB: of 60 messages without end tcpserver reads 40 at a time, and others are served beside 39" {
    need tcpserver
    script <<SCRIPT
$PEERS
def hold(connection):
    connection.send(b"z" * (MIB - 1))
    connection.until_read()

def used():
    for name in "memory.usage_in_bytes", "memory.current":
        if os.path.exists(path := os.path.join(os.environ["SMALL"], name)):
            with open(path, encoding="ascii") as file:
                return int(file.read())

def until_lines(result, count):
    wait_until(lambda: sum(f" result={result} ".encode() in line for line in log.since(0)) == count,
               f"{count} of {result} in {log.since(0)}")

address = f"127.0.0.1:{free_port()}"
log = Log(os.path.join(TMPDIR, "log"))
# The time is longer than this test can last, and the queue has room for all.
with open(log.path, "ab") as file, subprocess.Popen(
        [*small, "tcpserver", "-c40", "-b100", "-HR", "-l0", *address.split(":"), os.environ["HANDLER"],
         "--timeout=1h"], stderr=file) as tcpserver:
    try:
        hello = [os.environ["TINCAN"], "-mhello", address]
        wait_until(lambda: subprocess.run(hello, stderr=subprocess.DEVNULL).returncode == 0, "a first echo")
        peers = [connect(address, f"127.0.1.{1 + number}") for number in range(60)]
        served, queued = peers[:40], peers[40:]
        for peer in served:
            hold(peer)
        assert not any(peer.is_accepted() for peer in queued)
        for peer in served[:21]:
            peer.close()
        for peer in queued:
            hold(peer)
        # There are 39 messages now, and room for one handler.
        for size in 100, 60000, MIB:
            others_are_served(address, size)
        assert used() > 39 * MIB, f"{used()} bytes are in use"
        until_lines("echoed", 1 + 3)
        until_lines("eof", 21)
    finally:
        tcpserver.terminate()
SCRIPT
    assert_equal "$(killed)" 0
}
