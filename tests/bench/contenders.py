# SPDX-License-Identifier: MIT
"""
What is measured, declared in one way. In commands and configurations stand {build} (the folder of
the programs), {here} (this folder), {port} and {socket} (where a server is to listen) and {config}
(the file that has the configuration).
"""
import dataclasses
import os
import pwd
import resource
import shutil
from pathlib import Path

# Commands are split at spaces, so a link that leads to a folder with a space stays as it is.
HERE = Path(os.path.abspath(__file__)).parent
BUILD = Path(os.path.abspath(os.environ.get("TINCAN_BUILD", "build")))
UNPACKED = HERE.parents[1] / "build" / "launchers"  # tests/helpers/fetch-launchers
USER = pwd.getpwuid(os.getuid()).pw_name
AGAIN = " again"
SPARE_FILES = 200
# tincand refuses to start with more connections than the limit of descriptors allows.
CONNECTIONS = min(12000, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - SPARE_FILES)


@dataclasses.dataclass(frozen=True)
class Contender:
    """`base` is the name of the contender that it is compared with. `held` connections are open and
    idle while it is measured; `neighbour` says that another client floods it; `instances` share the
    port. `log` is where it logs, if that matters."""

    name: str
    command: str
    base: str = ""
    config: str = ""
    needs: tuple = ()
    instances: int = 1
    held: int = 0
    neighbour: bool = False
    unix: bool = False

    def but(self, **changes):
        return dataclasses.replace(self, **changes)

    def again(self):
        """The twin, which must come out equal."""
        return self.but(name=self.name + AGAIN, base=self.name)

    def words(self, port="", work=Path()):
        where = {
            "build": BUILD,
            "here": HERE,
            "port": port,
            "socket": work / f"socket.{port}",
            "config": work / f"config.{port}",
            "user": USER,
        }
        if self.config:
            where["config"].write_text(self.config.format(**where))
        words = self.command.format(**where).split(" ")
        return [find(words[0]) or words[0], *words[1:]]

    def missing(self):
        """What isn't there that it needs, or nothing."""
        if self.held > resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE_FILES:
            return f"limit of {self.held + SPARE_FILES} open files"
        needed = [self.words()[0] if not self.config else self.command.split()[0], *self.needs]
        return next((name for name in needed if not find(name.format(build=BUILD))), "")


def find(program):
    """The path of a program or file, or None. A name with a slash is a super-server's package and
    its program: openbsd-inetd/inetd."""
    package, _, name = program.rpartition("/")
    if program.startswith("/"):
        return program if os.path.exists(program) else None
    if package:
        unpacked = UNPACKED / package / "usr/sbin" / name
        owned = Path(f"/var/lib/dpkg/info/{package}.list")
        if unpacked.exists():
            return str(unpacked)
        return shutil.which(name, path="/usr/sbin") if owned.exists() else None
    return shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")


# --- Handlers: one connection on standard input and output ---

HANDLER = "{build}/tincan-handler"
FLOOR = Contender("floor", "{build}/bench/floor")
FILTERED = Contender("floor with a filter of one instruction", "{build}/bench/floor filter", "floor")
HANDLERS = [
    FLOOR,
    FLOOR.again(),
    Contender("tincan-handler", HANDLER, "floor"),
    FILTERED,
    Contender("floor with as many system calls", "{build}/bench/floor calls", "floor"),
    Contender("tincan-handler --no-sandbox", HANDLER + " --no-sandbox", "floor"),
    Contender("tincan-handler, static glibc", "{build}/tests/tincan-handler-glibc", "floor"),
    Contender("tincan-handler, dynamic", "{build}/bench/handler-dynamic", "floor"),
    Contender("cat", "/bin/cat", "floor"),
    Contender("busybox cat", "busybox cat", "floor"),
    Contender("bash script", "/bin/bash {here}/handler.sh", "floor"),
    Contender("Python script", "/usr/bin/python3 {here}/handler.py", "floor"),
]

# --- Super-servers: what starts a handler for each connection ---

XINETD = """service bench
{{
    socket_type = stream
    protocol = tcp
    wait = no
    user = {user}
    bind = 127.0.0.1
    port = {port}
    instances = UNLIMITED
    per_source = UNLIMITED
    cps = 1000000 1
    """


def xinetd_service(command):
    server, _, arguments = command.partition(" ")
    line = f"server_args = {arguments}\n" if arguments else ""
    return XINETD + f"type = UNLISTED\nserver = {server}\n{line}}}}}\n"


def inetd_line(tcp):
    """What makes the line of inetd.conf of a handler's command; `tcp` is how it names IPv4."""

    def line(command):
        program, *arguments = command.split(" ")
        words = " ".join([program, program.rpartition("/")[2], *arguments])
        return f"127.0.0.1:{{port}} stream {tcp} nowait.1000000 {{user}} {words}\n"

    return line


# How each is started with a handler in place of HANDLER, or with a configuration that names it.
LAUNCHERS = {
    "tcpserver": ("tcpserver -q -H -R -l 0 -b 1024 -c 1024 127.0.0.1 {port} HANDLER", None),
    "xinetd": (
        "xinetd/xinetd -dontfork -f {config} -filelog /dev/null -pidfile {config}.pid",
        xinetd_service,
    ),
    "openbsd-inetd": ("openbsd-inetd/inetd -i {config}", inetd_line("tcp")),
    "inetutils-inetd": (
        "inetutils-inetd/inetutils-inetd -d --pidfile={config}.pid {config}",
        inetd_line("tcp4"),
    ),
    "s6-ipcserver": ("s6-ipcserver -c 1000 {socket} HANDLER", None),
    "systemd-socket-activate": (
        "systemd-socket-activate --accept --inetd -l 127.0.0.1:{port} HANDLER",
        None,
    ),
    "socat": ("socat TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork,backlog=1024 EXEC:HANDLER", None),
    "ncat": ("ncat -l -k -n -4 -m 1000 -e HANDLER 127.0.0.1 {port}", None),
}


def under(launcher, handler, base="floor"):
    """A handler under a launcher, compared with another one there. Where the connection is on
    standard error too, tincan-handler would log to the system's log, so it does not."""
    command, config = LAUNCHERS[launcher]
    program = handler.command
    if config and handler.name == "tincan-handler":
        program += " --quiet"
    return Contender(
        f"{launcher}: {handler.name}",
        command.replace("HANDLER", program),
        f"{launcher}: {base}" if handler.name != base else "",
        config(program) if config else "",
        (program.split()[0],),
        unix=launcher == "s6-ipcserver",
    )


CAT = Contender("cat", "/bin/cat")
TINCAN_HANDLER = Contender("tincan-handler", HANDLER)
STORE = Contender("store", "{build}/bench/store")
TCPSERVER = under("tcpserver", TINCAN_HANDLER)
LAUNCHED = [under("tcpserver", FLOOR), under("tcpserver", FLOOR).again()] + [
    under(launcher, handler)
    for launcher in LAUNCHERS
    for handler in (FLOOR, FILTERED, TINCAN_HANDLER, CAT)
    if (launcher, handler) != ("tcpserver", FLOOR)
    and (handler is not FILTERED or launcher in ("tcpserver", "inetutils-inetd"))
]
INTERNAL = Contender(
    "xinetd: internal echo",
    LAUNCHERS["xinetd"][0],
    "xinetd: floor",
    XINETD.replace("service bench", "service echo")
    + "type = INTERNAL UNLISTED\nid = echo-stream\n}}\n",
)

# --- Persistent servers ---

TINCAND = Contender(
    "tincand",
    "{build}/tincand --quiet --listen 127.0.0.1:{port} --timeout=600s"
    f" --max-connections={CONNECTIONS} --max-connections-per-source={CONNECTIONS}",
    "bare loop",
)
BARE = Contender("bare loop", "{build}/bench/bare {port}")
SERVERS = [
    BARE,
    BARE.again(),
    TINCAND,
    TINCAND.but(name="tincand, logging", command=TINCAND.command.replace(" --quiet", "")),
    TINCAND.but(
        name="tincand, two instances",
        command=TINCAND.command.replace(" --listen 127.0.0.1:{port}", ""),
        base="tincand",
        instances=2,
    ),
    Contender("libevent", "{build}/bench/libevent {port}", "bare loop"),
    Contender("libuv", "{build}/bench/libuv {port}", "bare loop"),
    Contender("Python, threads", "python3 {here}/server.py {port}", "bare loop"),
    Contender("Python, sequential", "python3 {here}/server.py {port} --sequential", "bare loop"),
]
STORE_LOOP = Contender("forking store", "{build}/bench/store {port}")
STORING = [
    under("tcpserver", STORE, "store"),
    under("tcpserver", STORE, "store").again(),
    under("tcpserver", TINCAN_HANDLER, "store"),
    STORE_LOOP,
    STORE_LOOP.again(),
    TINCAND.but(base="forking store"),
]
GROWING = [BARE, BARE.again(), TINCAND, TCPSERVER.but(base="bare loop"), SERVERS[-2]]


def with_idle(count):
    return TINCAND.but(name=f"tincand, {count} idle", base="tincand, 0 idle", held=count)


IDLE = [
    with_idle(0).but(base=""),
    with_idle(0).but(base="").again(),
    *(with_idle(count) for count in (100, 1000, 10000)),
    BARE.but(name="bare loop, 0 idle"),
    BARE.but(name="bare loop, 10000 idle", base="bare loop, 0 idle", held=10000),
]
NEIGHBOUR = [
    TINCAND.but(base=""),
    TINCAND.again(),
    TINCAND.but(name="tincand, noisy neighbour", base="tincand", neighbour=True),
    BARE,
    BARE.but(name="bare loop, noisy neighbour", base="bare loop", neighbour=True),
]
