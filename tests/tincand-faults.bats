# SPDX-License-Identifier: MIT
# The persistent server when system calls fail; and what a memory checker says about it.

load helpers/daemon

# What a tracer is used for: a fault(SERVER, CALL, ERROR, WHEN) around what is to meet it.
FAULT='
@contextmanager
def traced(server, *options):
    """Meanwhile strace follows the server, with these options."""
    tracer = subprocess.Popen(["strace", "-f", "-o", "/dev/null", "-p", str(server.process.pid), *options],
                              stderr=subprocess.PIPE, text=True)
    try:
        while "attached" not in (line := tracer.stderr.readline()):
            assert line, "strace ended"
        yield
    finally:
        tracer.terminate()
        tracer.communicate()

def fault(server, call, error, when="1"):
    """Meanwhile this call of the server fails, the first time or so."""
    return traced(server, "-e", f"inject={call}:error={error}:when={when}")
'

# bats test_tags=sandbox
@test "tincand: a connection that can't be accepted costs nobody else anything" {
    need_tracer
    script <<SCRIPT
$FAULT
with Server() as server:
    for error in "ECONNABORTED", "EPERM", "EPROTO", "EINTR", "ENOMEM", "ENOBUFS", "ENFILE", "EMFILE":
        with fault(server, "accept4", error):
            server.echo()
            server.echo()
SCRIPT
}

# bats test_tags=sandbox
@test "tincand: what it says of a connection that can't be accepted depends on the cause" {
    need_tracer
    script <<SCRIPT
$FAULT
for error, advice in (("EMFILE", "raise that limit"), ("ENFILE", "raise fs.file-max"),
                      ("EPERM", "a firewall or"), ("ENOMEM", "the machine is short of memory")):
    with Server() as server, fault(server, "accept4", error):
        server.echo()
        server.until_line(f"tincand: cannot accept connections .* in the kernel's queue; {advice}.*")
SCRIPT
}

# bats test_tags=sandbox
@test "tincand: what it says of an address that it can't listen on depends on the cause" {
    need_tracer
    script <<SCRIPT
with socket.socket(socket.AF_UNIX) as dead:
    dead.bind(f"{TMPDIR}/s")
for call, error, advice in (("unlink", "EACCES", "Permission denied; .*in folders of other users.*"),
                            ("socket", "EAFNOSUPPORT", "Address family .*; .*RestrictAddressFamilies=.*")):
    server = Server(f"--listen=unix:{TMPDIR}/s", ready=False,
                    before=("strace", "-f", "-o", "/dev/null", "-e", f"inject={call}:error={error}"))
    assert server.end() == 71
    server.until_line(f"tincand: cannot listen on unix:.*: {advice}")
SCRIPT
}

# bats test_tags=sandbox
@test "tincand: when no connection waits any more it does not ask again" {
    need_tracer
    script <<SCRIPT
$FAULT
trace = os.path.join(TMPDIR, "trace")
with Server() as server:
    with traced(server, "-e", "trace=accept4", "-o", trace):
        for _ in range(10):
            server.echo()
calls = open(trace).read().splitlines()
vain = sum("EAGAIN" in call for call in calls)
assert vain <= len(calls) - vain == 10, (vain, len(calls))
SCRIPT
}

# bats test_tags=sandbox
@test "tincand: a connection that the event loop can't wait for is ended, and no other" {
    need_tracer
    script <<SCRIPT
$FAULT
with Server() as server:
    for error in "ENOSPC", "ENOMEM":
        with fault(server, "epoll_ctl", error):
            refused = server.connect()
            assert refused.read_to_end() == CLEAN and not refused.received
            server.until_line(f'peer={refused.peer} result=error bytes=0 .*'
                              'error="cannot wait for the connection: .*')
            held, = server.hold(1, b"hel")
            held.send(b"lo\0")
            held.read_to_end()
            assert held.received == b"hello\0"
SCRIPT
}

# bats test_tags=sandbox
@test "tincand: what was echoed is logged as that, although what trails it can't be waited for" {
    need_tracer
    script <<SCRIPT
$FAULT
with Server() as server:
    with fault(server, "epoll_ctl", "ENOMEM"):
        server.signal(signal.SIGSTOP)
        connection = server.connect()
        connection.send(b"hello\0and more")
        server.signal(signal.SIGCONT)
        connection.read_to_end()
        assert connection.received == b"hello\0"
        server.until_line(f"peer={connection.peer} result=.*")
        server.until_line(f"peer={connection.peer} result=echoed bytes=5 .*")
    server.echo()
SCRIPT
}

# bats test_tags=sandbox
@test "tincand: [::] asks for IPv4 as well, whatever net.ipv6.bindv6only says" {
    need_tracer
    [ -e /proc/net/if_inet6 ] || skip "there is no IPv6 here"
    script <<'SCRIPT'
trace = f"{TMPDIR}/trace"
with Server(f"--listen=[::]:{free_port(everywhere=True)}",
            before=("strace", "-D", "-f", "-e", "trace=setsockopt", "-o", trace)) as server:
    server.echo()
assert "IPV6_V6ONLY, [0]" in open(trace, encoding="ascii").read()
SCRIPT
}

# bats test_tags=sandbox
@test "tincand: it closes nothing twice, which could be another's by then" {
    need_tracer
    script <<'SCRIPT'
trace = f"{TMPDIR}/trace"
with Server(before=("strace", "-D", "-f", "-e", "trace=close", "-o", trace)) as server:
    held, = server.hold(1, b"hel")
    server.signal(signal.SIGTERM)
    server.manager.until("STOPPING=1")
    held.close()
    assert server.end() == 0
with open(trace, encoding="ascii") as file:
    closed = [line for line in file if "close(" in line]
assert closed and not any("EBADF" in line for line in closed), closed
SCRIPT
}

# bats test_tags=sandbox
@test "tincand: it goes on accepting although watching its socket failed once" {
    need_tracer
    script <<SCRIPT
$FAULT
for when in "1", "1..2":
    with Server("--max-connections=1") as server:
        held, = server.hold(1, b"hel")
        with fault(server, "epoll_ctl", "ENOMEM", when):
            held.close()
            server.until_line("peer=.* result=eof .*")
            server.exchange(b"hello\0")  # which may be the one that can't be waited for
            server.echo()
SCRIPT
}

# bats test_tags=sandbox
@test "tincand: a call that fails in an exchange ends that exchange, or is made again" {
    need_tracer
    script <<SCRIPT
$FAULT
with Server() as server:
    for call, error, reply in [("recvfrom", "EIO", b""), ("recvfrom", "EINTR", b"hello\0"),
                               ("recvfrom", "ENOMEM", b"hello\0"), ("sendto", "ENOBUFS", b""),
                               ("sendto", "EINTR", b"hello\0"), ("sendto", "EAGAIN", b"hello\0"),
                               ("sendto", "EPIPE", b""), ("shutdown", "ENOTCONN", b"hello\0")]:
        with fault(server, call, error):
            connection = server.connect()
            connection.send(b"hello\0")
            end = connection.read_to_end()
            assert end != OPEN and connection.received == reply, (call, error, end, connection.received)
            server.echo()
    server.until_line('peer=.* result=error .*error="cannot read the message: Input/output error".*')
    server.until_line('peer=.* result=error .*error="cannot send the reply: No buffer space.*')
SCRIPT
}

# bats test_tags=sandbox
@test "tincand: a timer or signal that fails once costs nobody anything" {
    need_tracer
    script <<SCRIPT
$FAULT
for error in "EAGAIN", "ENOMEM", "ENOBUFS", "EIO":
    for call in "timerfd_settime", "read":
        with Server("--timeout=1s", "--idle-exit=1h") as server:
            held, = server.hold(1, b"hel")
            with fault(server, call, error, "1..3"):
                peer = server.connect()
                assert peer.read_to_end() == CLEAN  # at its deadline, which needs the timer
                server.echo()
            server.until_line("peer=.* result=timeout .*", 2)
            with fault(server, "read", error):
                assert server.stop() == 0
SCRIPT
}

# bats test_tags=sandbox
@test "tincand: where the event loop fails for good, exchanges in progress are finished" {
    need_tracer
    script <<SCRIPT
$FAULT
with Server("--grace=20s") as server:
    held, = server.hold(1, b"hel")
    with fault(server, "timerfd_settime", "ENOSYS", "1+"):
        server.signal(signal.SIGTERM)
        time.sleep(1.5)  # until another timer is over
        held.send(b"lo\\0")
        held.read_to_end()
        assert held.received == b"hello\\0", held.received
        status = server.end()
        assert status == 71, (status, server.lines(".*"))
    server.until_line(".*cannot go on: the event loop failed: .*")
SCRIPT
}

# bats test_tags=sandbox
@test "tincand: a call of the thread that logs fails, and nothing but a line is lost" {
    need_tracer
    script <<SCRIPT
$FAULT
for call, error in [("futex", "ENOMEM"), ("futex", "ENOSYS"), ("poll", "ENOMEM"), ("read", "EIO"),
                    ("clock_nanosleep", "EINTR"), ("write", "ENOMEM")]:
    with Server() as server:
        with fault(server, call, error, "1..20"):
            for turn in range(40):
                server.echo()
            server.until_line("peer=.* result=echoed .*", 20)
            assert server.stop() == 0, (call, error)
SCRIPT
}

# bats test_tags=sandbox
@test "tincand: a limit of descriptors that can't be read, or not be raised, is not taken for another" {
    need_tracer
    cd "$BATS_TEST_TMPDIR"
    # The C library makes the first of these calls.
    run -64 timeout 60 strace -o trace -e inject=prlimit64:error=EPERM:when=2 "$TINCAND" --listen=unix:socket
    assert_output --partial 'cannot read the limit of descriptors: Operation not permitted'
    run -0 grep -c 'NOFILE.*INJECTED' trace
    ulimit -Sn 64
    run -64 timeout 60 strace -o trace -e inject=prlimit64:error=EPERM:when=3 "$TINCAND" --listen=unix:socket -c 100
    assert_output --partial 'cannot serve 100 connections with a limit of 64 descriptors'
    run -0 grep -c 'NOFILE.*INJECTED' trace
}

# bats test_tags=sandbox
@test "tincand: it ends although it can't wake the thread that logs" {
    need_tracer
    script <<SCRIPT
$FAULT
with Server() as server:
    with fault(server, "write", "EIO", "1+"):
        server.echo()
        assert server.stop() == 0
SCRIPT
}

# bats test_tags=limits
@test "tincand: without memory for a message that exchange ends, and no other" {
    script <<'SCRIPT'
with Server("--max-bytes=3M") as server:  # for which no memory is kept
    with open(f"/proc/{server.process.pid}/statm", encoding="ascii") as file:
        size = int(file.read().split()[0]) * resource.getpagesize()
    limits = resource.prlimit(server.process.pid, resource.RLIMIT_AS)
    resource.prlimit(server.process.pid, resource.RLIMIT_AS, (size + MIB // 2, limits[1]))
    connection = server.connect()
    connection.send(b"x" * MIB)
    assert connection.read_to_end() in (CLEAN, RESET)
    server.until_line('peer=.* result=error .*error="cannot get memory for the message: .*')
    server.echo()
    resource.prlimit(server.process.pid, resource.RLIMIT_AS, limits)
    server.echo("x" * MIB)
SCRIPT
}

# bats test_tags=limits
@test "tincand: a connection that is accepted and for which there is no memory is logged" {
    need_descriptors 4100
    script <<'SCRIPT'
with Server("--max-connections=4000", "--max-connections-per-source=4000", nofile=(4100, 4100)) as server:
    server.echo()
    limits = resource.prlimit(server.process.pid, resource.RLIMIT_AS)
    resource.prlimit(server.process.pid, resource.RLIMIT_AS, (MIB, limits[1]))  # less than it has
    held = [server.connect() for _ in range(50)]
    while not any(connection.readable(0) for connection in held):
        held += [server.connect() for _ in range(50)]
    def counted():
        return f", {sum(peer.readable(0) for peer in held)} error" in server.manager.status()
    for _ in range(2):
        wait_until(counted, "the status to count those without memory")
        held.append(server.connect())
        wait_until(lambda: held[-1].readable(0), "one more to be refused")
    for connection in held:
        if connection.readable(0):
            assert connection.read_to_end() in (CLEAN, RESET)
            server.until_line(f'peer={connection.peer} result=error bytes=0 .*error="cannot get memory for .*')
    resource.prlimit(server.process.pid, resource.RLIMIT_AS, limits)
    server.manager.until_status(r", \d+ error")
    for connection in held:
        connection.close()
SCRIPT
}

# Exchanges of all kinds; 24,000 of them: TINCAN_EXCHANGES=24000 tests/run --filter-tags valgrind
# tests/tincand-faults.bats
# bats test_tags=limits, valgrind
@test "tincand: valgrind finds no error and no leak" {
    need valgrind
    SCRIPT_SECONDS=3600 script <<'SCRIPT'
listener = socket.create_server(("127.0.0.1", 0))
with Server("--max-connections-per-source=200", "--max-memory=2M", "--max-bytes=1M", fds={3: listener},
            before=VALGRIND) as server:
    exchanges = int(os.environ.get("TINCAN_EXCHANGES", "600"))
    for turn in range(exchanges):
        vary(server, turn)
    peers = server.hold(3, b"x" * 100000) + server.hold(1, b"x" * MIB + b"\0", narrow=True)
    status = server.stop_at_once()
    assert status == 0 and not server.lines("==.*"), (status, server.lines("==.*"))
SCRIPT
}

# bats test_tags=limits, valgrind
@test "tincand: nor where it listens on a name" {
    need valgrind
    need_localhost
    script <<'SCRIPT'
with Server(f"--listen=localhost:{free_port(True)}", before=VALGRIND) as server:
    status = server.stop_at_once()
    assert status == 0 and not server.lines("==.*"), (status, server.lines("==.*"))
SCRIPT
}

@test "tincand: a connection without memory for its source is ended and logged, and no other" {
    need cc
    export SHORT=$BATS_TEST_TMPDIR/short ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0
    # There is no memory for a source while there is a file of this name.
    cc -shared -fPIC -o "$BATS_TEST_TMPDIR/short.so" -x c - <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <search.h>
#include <stdlib.h>
#include <unistd.h>

void *tsearch(const void *key, void **root, int (*compare)(const void *, const void *))
{
    void *(*real)(const void *, void **, int (*)(const void *, const void *)) = dlsym(RTLD_NEXT, "tsearch");

    return access(getenv("SHORT"), F_OK) == 0 ? NULL : real(key, root, compare);
}
END
    LD_PRELOAD=$BATS_TEST_TMPDIR/short.so script <<'SCRIPT'
with Server() as server:
    open(os.environ["SHORT"], "w").close()
    refused = server.connect()
    refused.read_to_end()
    assert not refused.received
    server.until_line(f'peer={refused.peer} result=error bytes=0 .*error=".*Cannot allocate memory".*')
    os.unlink(os.environ["SHORT"])
    held, = server.hold(1, b"hel")  # another connection of this source
    server.echo()
    open(os.environ["SHORT"], "w").close()
    held.send(b"lo\0")
    held.read_to_end()
    assert held.received == b"hello\0"
SCRIPT
}
