# SPDX-License-Identifier: MIT
# Replies that a peer does not take, or takes late: both servers.

load helpers/daemon

# Serving.at(ADDRESS, OPTION...) in a script: tincand, or what starts a handler for each connection.
TINCAND_SERVES='
class Serving(Server):
    @classmethod
    def at(cls, address, *options):
        host = address.rpartition(":")[0]
        return cls(f"--listen={host}:{free_port(everywhere=True)}", *options)
'
HANDLER_SERVES='
class Serving:
    def __init__(self, address, *options):
        self.log = Log(tempfile.mktemp(prefix="log.", dir=TMPDIR))
        host = address.rpartition(":")[0]
        family = socket.AF_INET6 if "[" in host else socket.AF_INET
        self.listener = socket.create_server((host.strip("[]"), 0), family=family)
        self.address = f"{host}:{self.listener.getsockname()[1]}"
        self.command = [os.environ["HANDLER"], *options]
        self.handlers = []
        threading.Thread(target=self.serve, daemon=True).start()

    at = classmethod(lambda cls, *arguments: cls(*arguments))
    connect, lines, until_line = Server.connect, Server.lines, Server.until_line

    def serve(self):
        while True:
            connection = self.listener.accept()[0]
            with connection, open(self.log.path, "ab") as log:
                self.handlers.append(subprocess.Popen(
                    self.command, stdin=connection, stdout=connection, stderr=log))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for handler in self.handlers:
            handler.kill()
            handler.wait()
'

WHOLE='
def send_all(connection, data):
    try:
        connection.sock.sendall(data)
    except OSError:
        pass

with Serving.at("127.0.0.1:0", "--no-preview") as server:
    for size, trailing, late in [(1000000, 200000, 0.3), (1000000, 60000, 0.3), (60000, 200000, 0.3),
                                 (1000000, 2000000, 0.3), (1000000, 200000, 1.5), (60000, 2000000, 1.5)]:
        message = b"m" * size + b"\0"
        connection = server.connect()
        began = time.monotonic()
        sender = threading.Thread(target=send_all, args=(connection, message + b"t" * trailing))
        sender.start()
        time.sleep(late)
        connection.read_to_end()
        took = time.monotonic() - began
        whole = connection.received == message
        connection.close()
        sender.join()
        server.until_line(f"peer={connection.peer} result=.*")
        line, = server.lines(f"peer={connection.peer} result=.*")
        what = size, trailing, late, len(connection.received), line
        assert whole or "result=echoed" not in line, what
        if took < 1 and trailing <= 200000:
            assert whole, what
'

@test "reply: the handler's is whole, or not logged as echoed, whatever comes in behind the message" {
    SCRIPT_SECONDS=600 script <<<"$HANDLER_SERVES$WHOLE"
}

# bats test_tags=sandbox
@test "reply: what comes in when the handler's is sent, and not yet taken, does not destroy it" {
    need_tracer
    script <<<"$HANDLER_SERVES"'
import pathlib

trace = pathlib.Path(TMPDIR, "trace")

def has_stopped():
    return "stopped by SIGSTOP" in trace.read_text(encoding="ascii")

with Serving("127.0.0.1:0") as server:
    server.command[:0] = ["strace", "-D", "-o", str(trace), "-e", "inject=sendto:signal=SIGSTOP:when=1"]
    connection = server.connect(narrow=True)
    message = b"m" * 8000 + b"\0"
    trace.touch()
    connection.send(message)
    wait_until(lambda: server.handlers and has_stopped(), "the handler to stop")
    connection.send(b"late")
    server.handlers[0].send_signal(signal.SIGCONT)
    wait_until(lambda: server.handlers[0].poll() is not None, "the handler to end")
    assert connection.read_to_end() == CLEAN
    assert connection.received == message
'
}

@test "reply: tincand's is whole, or not logged as echoed, whatever comes in behind the message" {
    SCRIPT_SECONDS=600 script <<<"$TINCAND_SERVES$WHOLE"
}

UNTAKEN='
def server_end(connection):
    """The fields of its other end in the kernel, or None."""
    ports = connection.sock.getpeername()[1], connection.sock.getsockname()[1]
    for path in "/proc/net/tcp", "/proc/net/tcp6":
        with open(path, encoding="ascii") as table:
            for fields in [line.split() for line in table][1:]:
                if ports == tuple(int(end.split(":")[1], 16) for end in fields[1:3]):
                    return fields
    return None

for address in ["127.0.0.1:0", "[::1]:0"] if os.path.exists("/proc/net/if_inet6") else ["127.0.0.1:0"]:
    with Serving.at(address, "--timeout=3s") as server:
        held, kept = [], 0
        for _ in range(3):
            held.append(server.connect())
            held[-1].sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            held[-1].send(b"o" * MIB + b"\0")
            server.until_line(re.escape(f"peer={held[-1].peer}") + " .*")
            kept += server_end(held[-1]) is not None
        assert kept, "the kernel kept no reply"
        began = time.monotonic()
        for connection in held:
            wait_until(lambda: not server_end(connection), "the kernel to drop the reply")
        took = time.monotonic() - began
        assert took < 20, took  # by itself it does so after a minute or two
'

@test "reply: the kernel drops one of the handler of which a peer takes nothing for the timeout" {
    within_time # it has to be seen before it is gone
    SCRIPT_SECONDS=600 script <<<"$HANDLER_SERVES$UNTAKEN"
}

@test "reply: the kernel drops one of tincand of which a peer takes nothing for the timeout" {
    within_time
    SCRIPT_SECONDS=600 script <<<"$TINCAND_SERVES$UNTAKEN"
}
