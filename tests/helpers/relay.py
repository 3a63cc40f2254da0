#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A proxy between a client and a real server that delays or alters what it passes on.

usage: relay.py ADDRESS_FILE TARGET ACTION[:ARGUMENT]

It listens on a free port of 127.0.0.1, which is written to ADDRESS_FILE once it does, and connects
to TARGET, an IP:PORT of IPv4, for each connection. What is done with the bytes on their way THERE,
or BACK, or before they go on:

  as-is                              nothing
  crlf-there, crlf-back              LF becomes CRLF
  strip-there, strip-back            the 8th bit of every byte is cleared
  flip-there:OFFSET, flip-back:OFFSET
                                     the lowest bit of this byte is flipped
  late:SECONDS                       the reply waits before its first byte
  pause:SECONDS                      the reply waits before its last byte
  ramp:SECONDS                       the reply to the Nth connection waits N times as long
"""

import itertools
import socket
import sys
import threading
import time

from scripted_server import announce, listen

PIECE = 65536


def crlf(data, _offset, _argument):
    return data.replace(b"\n", b"\r\n")


def strip(data, _offset, _argument):
    return bytes(byte & 0x7F for byte in data)


def flip(data, offset, argument):
    """`offset` is how much came before `data`."""
    data, index = bytearray(data), int(argument) - offset
    if 0 <= index < len(data):
        data[index] ^= 1
    return bytes(data)


ALTERATIONS = {"crlf": crlf, "strip": strip, "flip": flip}


def pump(source, sink, alter, argument):
    """Passes on all that comes, and then the end."""
    offset = 0
    while data := source.recv(PIECE):
        sink.sendall(alter(data, offset, argument) if alter else data)
        offset += len(data)
    sink.shutdown(socket.SHUT_WR)


def quietly(function, *arguments):
    try:
        function(*arguments)
    except OSError:
        pass  # one of the two left


def reply_late(source, sink, before, before_last):
    """Passes on the reply with waits in it; its last byte is the null byte."""
    data = b""
    while not data.endswith(b"\0"):
        part = source.recv(PIECE)
        if not part:
            break
        data += part
    time.sleep(before)
    if before_last:
        sink.sendall(data[:-1])
        time.sleep(before_last)
        data = data[-1:]
    sink.sendall(data)
    pump(source, sink, None, None)


def relay(client, target, action, argument, number):
    name, _, way = action.partition("-")
    alter = ALTERATIONS.get(name)
    with client, socket.create_connection(target) as server:
        threading.Thread(
            target=quietly, daemon=True,
            args=(pump, client, server, alter if way == "there" else None, argument),
        ).start()
        if action == "late":
            reply_late(server, client, float(argument), 0)
        elif action == "pause":
            reply_late(server, client, 0, float(argument))
        elif action == "ramp":
            reply_late(server, client, number * float(argument), 0)
        else:
            pump(server, client, alter if way == "back" else None, argument)


def main(arguments):
    address_file, target, action = arguments
    action, _, argument = action.partition(":")
    if action not in ("as-is", "late", "pause", "ramp"):
        name, _, way = action.partition("-")
        if name not in ALTERATIONS or way not in ("there", "back"):
            sys.exit(f"relay: no such action: {action}")
    host, _, port = target.rpartition(":")
    listener, address = listen("127.0.0.1")
    announce(address_file, address)
    for number in itertools.count(1):
        client, _ = listener.accept()
        threading.Thread(
            target=quietly, daemon=True,
            args=(relay, client, (host, int(port)), action, argument, number),
        ).start()


if __name__ == "__main__":
    main(sys.argv[1:])
