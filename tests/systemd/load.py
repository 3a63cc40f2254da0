#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Clients of all manners for the tests in the booted root.

    load.py flood [--kind=KIND] [--count=N] [--parallel=N] [--meanwhile=COMMAND --times=N] ADDRESS
                                       many connections, as fast as they go; the command is run so
                                       many times, each time when another part of them is through
    load.py hold [--count=N] ADDRESS   keeps connections open, silent, until it is ended itself
    load.py ask [--half-close] [--wait-for=FILE] ADDRESS TEXT
                                       sends TEXT, with escapes, and prints what comes, escaped
    load.py deaf ADDRESS               sends a mebibyte and never reads
    load.py trail ADDRESS              sends a message of --bytes, and more behind it than a server discards,
                                       and reads late; prints how many bytes of the reply came
    load.py member NETWORKS            prints an address that is in one of the networks

An ADDRESS is HOST:PORT (an IPv6 HOST without brackets). --from=SOURCE is the address to connect from.

The kinds of clients of a flood: `polite`; `vanishing`, of which half leave in the middle of the
message; `garbage`, of which each sends what is no message. Printed is how many met what:

    answered      the echo came back, whole and right
    turned-away   the connection was closed without a byte, though it was a whole message
    unreachable   there was no connection
    left          it was the client who left
    unanswered    garbage got no answer, as is right
    wrong         anything else; the first such is printed to standard error
    meanwhile     not a client, but how often the command was run, successfully each time
"""
import argparse
import collections
import ipaddress
import itertools
import os
import random
import select
import shlex
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

PATIENCE = 60


def connect(arguments):
    host, _, port = arguments.address.rpartition(":")
    source = (arguments.source, 0) if arguments.source else None
    return socket.create_connection((host, int(port)), arguments.timeout, source)


def read_to_end(sock):
    """All that comes. A reset is an end like another: what counts is what came before it."""
    received = bytearray()
    try:
        while data := sock.recv(65536):
            received += data
    except (ConnectionResetError, BrokenPipeError):
        pass
    return bytes(received)


def send(sock, data):
    try:
        sock.sendall(data)
    except (ConnectionResetError, BrokenPipeError):
        pass


# Clients: each has a connection to itself and returns what it met


def be_polite(sock, number):
    message = f"message {number} ".encode() * (1 + number % 50) + b"\0"
    send(sock, message)
    received = read_to_end(sock)
    if received == message:
        return "answered"
    if not received:
        return "turned-away"
    raise ValueError(f"{message[:40]} came back as {received[:40]}, {len(received)} bytes")


def vanish(sock, number):
    if number % 2:
        return be_polite(sock, number)
    send(sock, b"half a mess")
    if number % 4:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return "left"


def send_garbage(sock, number):
    randomness = random.Random(number)
    send(sock, b"\xff" + randomness.randbytes(randomness.randrange(400)))
    sock.shutdown(socket.SHUT_WR)
    received = read_to_end(sock)
    if not received:
        return "unanswered"
    raise ValueError(f"garbage was answered with {received[:40]}")


KINDS = {"polite": be_polite, "vanishing": vanish, "garbage": send_garbage}


def meet(arguments, number):
    """One client's life."""
    try:
        sock = connect(arguments)
    except (ConnectionRefusedError, ConnectionResetError, FileNotFoundError):
        return "unreachable"
    with sock:
        try:
            return KINDS[arguments.kind](sock, number)
        except OSError as error:  # a reset between two calls on the connection
            if error.errno in (104, 107):
                return "turned-away"
            raise


def flood(arguments):
    numbers, changed = itertools.count(), threading.Condition()
    met = collections.Counter()

    def work():
        while (number := next(numbers)) < arguments.count:
            try:
                outcome = meet(arguments, number)
            except (OSError, ValueError) as error:
                outcome = "wrong"
                if not met[outcome]:
                    print(f"client {number}: {error}", file=sys.stderr)
            with changed:
                met[outcome] += 1
                changed.notify_all()

    def wait_for(share):
        with changed:
            changed.wait_for(lambda: sum(met.values()) >= arguments.count * share)

    workers = [threading.Thread(target=work) for _ in range(arguments.parallel)]
    for worker in workers:
        worker.start()
    if arguments.meanwhile:
        for turn in range(arguments.times):
            wait_for((turn + 1) / (arguments.times + 1))
            subprocess.run(shlex.split(arguments.meanwhile), check=True)
    for worker in workers:
        worker.join()
    if arguments.meanwhile:
        met["meanwhile"] = arguments.times
    for outcome, count in sorted(met.items()):
        print(f"{outcome}={count}")


def hold(arguments):
    held = [connect(arguments) for _ in range(arguments.count)]
    print(f"connected {len(held)}", flush=True)
    signal.pause()


def ask(arguments):
    with connect(arguments) as sock:
        while arguments.wait_for and not os.path.exists(arguments.wait_for):
            time.sleep(0.01)
        send(sock, arguments.text.encode().decode("unicode_escape").encode("latin-1"))
        if arguments.half_close:
            sock.shutdown(socket.SHUT_WR)
        sys.stdout.write(repr(read_to_end(sock))[2:-1] + "\n")


def deaf(arguments):
    """As little room as can be, so that the reply does not fit into the buffers."""
    host, _, port = arguments.address.rpartition(":")
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        sock.connect((host, int(port)))
        send(sock, b"x" * (1 << 20) + b"\0")
        signal.pause()


def trail(arguments):
    """A server that closes while the reply is on its way resets the connection, which destroys the reply. It
    may do so after a second: this is tried again where the machine was too busy to read by then."""
    host, _, port = arguments.address.rpartition(":")
    received = b""
    for _ in range(5):
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.connect((host, int(port)))
            send(sock, b"x" * arguments.bytes + b"\0" + b"y" * 200000)
            reset = select.poll()
            reset.register(sock, 0)
            reset.poll(300)
            received = max(received, read_to_end(sock), key=len)
        if len(received) > arguments.bytes:
            break
    print(len(received))


def member(arguments):
    """Of the networks that are not this machine itself, an address."""
    for word in arguments.address.split():
        network = ipaddress.ip_network(word)
        if network.version == 4 and not network.is_loopback:
            print(network[1] if network.num_addresses > 1 else network[0])
            return
    sys.exit("there is no IPv4 network to try")


def parse_arguments():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(required=True)
    for command in (flood, hold, ask, deaf, trail, member):
        sub = commands.add_parser(command.__name__)
        sub.set_defaults(run=command)
        sub.add_argument("address")
        sub.add_argument("--from", dest="source")
        sub.add_argument("--timeout", type=float, default=PATIENCE)
        sub.add_argument("--count", type=int, default=1)
        if command is trail:
            sub.add_argument("--bytes", type=int, default=300000)
        if command is flood:
            sub.add_argument("--kind", choices=KINDS, default="polite")
            sub.add_argument("--parallel", type=int, default=32)
            sub.add_argument("--meanwhile", metavar="COMMAND")
            sub.add_argument("--times", type=int, default=1)
        if command is ask:
            sub.add_argument("text")
            sub.add_argument("--half-close", action="store_true")
            sub.add_argument("--wait-for", metavar="FILE")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
