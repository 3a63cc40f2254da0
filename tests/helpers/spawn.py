#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Starts one handler as a super-server would, under conditions that a shell can't make, plays the
peer, and prints what came of it, a line each:

    status=0            the exit status, or signal=N
    reply=hello\\x00     every byte that the peer received, as a Python bytes literal's inside
    end=eof             how the connection ended for the peer: eof, reset, open
    seconds=0.003       from start to the end of the process
    cpu=0.001           processor time that the process used
    stderr=...          each line that came out of its descriptor 2, unless that is the connection

usage: spawn.py [--OPTION VALUE]... -- COMMAND [ARG]...
"""
import argparse
import codecs
import os
import resource
import signal
import socket
import struct
import sys
import tempfile
import time

PATIENCE = 120  # seconds after which a process that should have ended is called hung


def unescape(text):
    return codecs.escape_decode(text.encode())[0]


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--connection", choices=["tcp", "tcp6", "unix", "pair"], default="tcp")
    parser.add_argument("--kind", choices=["connected", "listening", "datagram"], default="connected")
    parser.add_argument("--at", choices=["0", "2", "3"], default="0",
                        help="0: also 1; 2: nowhere but on standard error; 3: LISTEN_FDS")
    parser.add_argument("--stderr", choices=["file", "connection", "closed", "stuck", "full"],
                        default="file", help="what descriptor 2 is")
    parser.add_argument("--send", action="append", default=[], help="bytes, Python escapes; repeatable")
    parser.add_argument("--pause", type=float, default=0.0, help="seconds before each --send")
    parser.add_argument("--oob", help="sent as urgent data between the first two --send")
    parser.add_argument("--half-close", action="store_true")
    parser.add_argument("--reset", action="store_true", help="reset instead of reading a reply")
    parser.add_argument("--no-read", action="store_true", help="read nothing until the process ended")
    parser.add_argument("--reply-then-reset", type=int, metavar="BYTES",
                        help="reset after reading so many bytes of the reply")
    parser.add_argument("--nonblock", action="store_true", help="O_NONBLOCK on the connection")
    parser.add_argument("--sigpipe", choices=["default", "ignored"], default="default")
    parser.add_argument("--block-signals", action="store_true", help="start with every signal blocked")
    parser.add_argument("--ignore-signals", action="store_true", help="start with SIGALRM ignored")
    parser.add_argument("--inherit-timer", type=float, help="an interval timer due after so long")
    parser.add_argument("--interrupt", type=float, help="send SIGCONT every so many seconds")
    parser.add_argument("--limit", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--extra-descriptors", type=int, default=0)
    parser.add_argument("--listen-pid", default="self", help="LISTEN_PID: self, or a number")
    parser.add_argument("--listen-fds", default="1")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--clear-env", action="store_true")
    parser.add_argument("--journal", action="store_true", help="descriptor 2 is a journal stream")
    parser.add_argument("--no-argv", action="store_true", help="start with argc 0")
    parser.add_argument("command", nargs="+")
    return parser.parse_args()


def make_connection(args):
    """Returns the server's and the peer's socket, the peer None where there is none."""
    if args.kind == "datagram":
        return socket.socket(socket.AF_INET, socket.SOCK_DGRAM), None
    if args.connection == "pair":
        return socket.socketpair()
    family = {"tcp": socket.AF_INET, "tcp6": socket.AF_INET6, "unix": socket.AF_UNIX}[args.connection]
    listener = socket.socket(family)
    if family == socket.AF_UNIX:
        listener.bind("\0tincan-test-%d" % os.getpid())
    elif family == socket.AF_INET6:
        listener.bind(("::", 0))
    else:
        listener.bind(("127.0.0.1", 0))
    listener.listen()
    if args.kind == "listening":
        return listener, None
    peer = socket.socket(family)
    if args.no_read or args.reply_then_reset:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peer.connect(("::1", listener.getsockname()[1]) if family == socket.AF_INET6
                 else listener.getsockname())
    server, _ = listener.accept()
    if args.no_read or args.reply_then_reset:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    return server, peer


def make_stderr(args, server):
    """Returns (descriptor for the process or None for closed, the file to read afterwards)."""
    log = tempfile.TemporaryFile()
    if args.stderr == "file" and args.journal:
        ours, theirs = socket.socketpair()
        return theirs.detach(), ours
    if args.stderr == "file":
        return log.fileno(), log
    if args.stderr == "connection":
        return server.fileno(), log
    if args.stderr == "full":
        return os.open("/dev/full", os.O_WRONLY), log
    if args.stderr == "stuck":
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        try:
            while True:
                os.write(writing, b"x" * 4096)
        except BlockingIOError:
            os.set_blocking(writing, True)
        return writing, log
    return None, log


def prepare_child(args, server, stderr):
    """Runs in the child between fork and exec."""
    place = server.fileno()
    if args.stderr != "connection" and stderr is not None:
        os.dup2(stderr, 2)
    elif args.stderr == "connection":
        os.dup2(place, 2)
    else:
        os.close(2)
    if args.at == "0":
        os.dup2(place, 0)
        os.dup2(place, 1)
    else:
        null = os.open("/dev/null", os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(null, 1)
        if args.at == "3":
            os.dup2(place, 3)
        if args.at == "2" or place != 3:
            os.close(place)
    for _ in range(args.extra_descriptors):
        os.set_inheritable(os.dup(0), True)
    for item in args.limit:
        name, value = item.split("=")
        resource.setrlimit(getattr(resource, "RLIMIT_" + name.upper()), (int(value), int(value)))
    signal.signal(signal.SIGPIPE, signal.SIG_IGN if args.sigpipe == "ignored" else signal.SIG_DFL)
    if args.ignore_signals:
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
    if args.inherit_timer:
        signal.setitimer(signal.ITIMER_REAL, args.inherit_timer)
    if args.block_signals:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())


def execute(args, server, stderr):
    """Starts the process by fork and exec of our own: subprocess would reset what is tested."""
    pid = os.fork()
    if pid:
        return pid
    try:
        environment = {} if args.clear_env else dict(os.environ)
        environment.update(item.split("=", 1) for item in args.env)
        if args.at == "3":
            environment["LISTEN_FDS"] = args.listen_fds
            environment["LISTEN_PID"] = (
                str(os.getpid()) if args.listen_pid == "self" else args.listen_pid)
        if args.journal:
            stat = os.fstat(stderr)
            environment["JOURNAL_STREAM"] = "%d:%d" % (stat.st_dev, stat.st_ino)
        prepare_child(args, server, stderr)
        os.execve(args.command[0], args.command, environment)
    finally:
        os._exit(127)


def send_all(args, peer):
    try:
        for index, text in enumerate(args.send):
            time.sleep(args.pause)
            peer.sendall(unescape(text))
            if args.oob and index == 0:
                peer.send(args.oob.encode(), socket.MSG_OOB)
        if args.half_close:
            peer.shutdown(socket.SHUT_WR)
    except (BrokenPipeError, ConnectionResetError):
        pass


def reset(peer):
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def receive(args, peer):
    """Returns the bytes and how they ended."""
    reply = b""
    peer.settimeout(PATIENCE)
    try:
        while True:
            part = peer.recv(1 << 16)
            if not part:
                return reply, "eof"
            reply += part
            if args.reply_then_reset and len(reply) >= args.reply_then_reset:
                reset(peer)
                return reply, "open"
    except ConnectionResetError:
        return reply, "reset"
    except TimeoutError:
        return reply, "open"


def reap(args, pid):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        done, status, usage = os.wait4(pid, os.WNOHANG)
        if done:
            return status, usage
        if args.interrupt:
            os.kill(pid, signal.SIGCONT)
        time.sleep(args.interrupt or 0.002)
    os.kill(pid, signal.SIGKILL)
    print("hung=yes")
    return os.wait4(pid, 0)[1:]


def read_log(log):
    if isinstance(log, socket.socket):
        log.setblocking(False)
        try:
            return log.recv(1 << 16)
        except BlockingIOError:
            return b""
    log.seek(0)
    return log.read()


def main():
    args = parse()
    server, peer = make_connection(args)
    if args.nonblock:
        server.setblocking(False)
    stderr, log = make_stderr(args, server)
    started = time.monotonic()
    pid = execute(args, server, stderr)
    server.close()
    reply, end = b"", "open"
    if peer:
        send_all(args, peer)
        if args.reset:
            reset(peer)
        elif not args.no_read:
            reply, end = receive(args, peer)
    status, usage = reap(args, pid)
    seconds = time.monotonic() - started
    if peer and args.no_read:
        reply, end = receive(args, peer)
    if os.WIFSIGNALED(status):
        print("signal=%d" % os.WTERMSIG(status))
    else:
        print("status=%d" % os.WEXITSTATUS(status))
    print("reply=" + (repr(reply)[2:-1] if len(reply) < 1000 else "%d bytes" % len(reply)))
    print("end=" + end)
    print("seconds=%.3f" % seconds)
    print("cpu=%.3f" % (usage.ru_utime + usage.ru_stime))
    for line in read_log(log).decode(errors="backslashreplace").splitlines():
        print("stderr=" + line)


main()
