#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A server that behaves in one scripted way per connection, well or badly.

usage: scripted_server.py [--on WHERE] ADDRESS_FILE BEHAVIOUR[:ARGUMENT]...

WHERE is an IP address (default 127.0.0.1, the port being any free one, unless given as
IP#PORT), or unix:PATH or unix:@NAME. Once it listens, the address is written to ADDRESS_FILE in the
client's notation. The first connection gets the first behaviour, and so on; the last behaviour is
for all the rest. "full" is different: nothing is accepted, and the backlog is full.
"""

import ast
import os
import socket
import struct
import subprocess
import sys
import threading
import time
import unicodedata


def read_message(connection):
    """All bytes up to the first null byte, without it; less if the connection ends."""
    data = b""
    while not data.endswith(b"\0"):
        part = connection.recv(65536)
        if not part:
            return data
        data += part
    return data[:-1]


def wait_for_end(connection):
    while connection.recv(65536):
        pass


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def echo(connection, _peer, _argument):
    connection.sendall(read_message(connection) + b"\0")


def tagged(connection, peer, _argument):
    """The threaded server of the book."""
    connection.sendall("{}: ".format(peer).encode() + read_message(connection) + b"\0")


def tag(connection, _peer, argument):
    connection.sendall(argument.encode() + read_message(connection) + b"\0")


def close(_connection, _peer, _argument):
    pass


def close_after_reading(connection, _peer, _argument):
    read_message(connection)


def reset_at_once(connection, _peer, _argument):
    read_message(connection)
    reset(connection)


def reset_in_reply(connection, _peer, argument):
    """Ends after ARGUMENT bytes, which have come through."""
    connection.sendall(read_message(connection)[: int(argument)])
    time.sleep(0.1)
    reset(connection)


def reset_after_reply(connection, _peer, _argument):
    connection.sendall(read_message(connection) + b"\0")
    time.sleep(0.1)
    reset(connection)


def early_reply(connection, _peer, argument):
    """Replies and closes while the client, of whose message little was read, is still sending."""
    connection.recv(16)
    connection.sendall(argument.encode())
    connection.shutdown(socket.SHUT_WR)
    wait_for_end(connection)


def truncate(connection, _peer, argument):
    connection.sendall(read_message(connection)[: int(argument)])


def flip(connection, _peer, argument):
    data = bytearray(read_message(connection))
    data[int(argument)] ^= 1
    connection.sendall(bytes(data) + b"\0")


def tagged_flip(connection, peer, argument):
    data = bytearray(read_message(connection))
    data[int(argument)] ^= 1
    connection.sendall("{}: ".format(peer).encode() + bytes(data) + b"\0")


def longer(connection, _peer, argument):
    connection.sendall(read_message(connection) + argument.encode() + b"\0")


def shorter(connection, _peer, argument):
    connection.sendall(read_message(connection)[: int(argument)] + b"\0")


def endless(connection, _peer, _argument):
    """A reply without end, and without a null byte."""
    data = read_message(connection)
    while True:
        connection.sendall(data + b"x" * 65536)


def extra(connection, _peer, argument):
    """Bytes after the reply, in the same segment."""
    connection.sendall(read_message(connection) + b"\0" + argument.encode())


def urgent_extra(connection, _peer, argument):
    """Bytes behind an urgent one: to receive the reply stops there, as if no more had come."""
    connection.sendall(read_message(connection) + b"\0")
    connection.send(b"!", socket.MSG_OOB)
    connection.sendall(argument.encode())


def late_extra(connection, _peer, argument):
    connection.sendall(read_message(connection) + b"\0")
    time.sleep(0.1)
    connection.sendall(argument.encode())


def reply(connection, _peer, argument):
    """Whatever the message, these bytes, written as in a Python literal."""
    read_message(connection)
    connection.sendall(ast.literal_eval("b'" + argument + "'") + b"\0")


def silent(connection, _peer, _argument):
    wait_for_end(connection)


def never_read(_connection, _peer, _argument):
    threading.Event().wait()


def drip(connection, _peer, argument):
    """A byte every ARGUMENT seconds."""
    for byte in read_message(connection) + b"\0":
        connection.sendall(bytes([byte]))
        time.sleep(float(argument))


def as_it_reads(connection, _peer, _argument):
    """Sends each piece back before it reads the next, and blocks when that isn't taken."""
    while True:
        part = connection.recv(65536)
        connection.sendall(part)
        if not part or part.endswith(b"\0"):
            return


def stay_open(connection, _peer, _argument):
    connection.sendall(read_message(connection) + b"\0")
    wait_for_end(connection)


def to_crlf(connection, _peer, _argument):
    """What follows are the ways in which middleboxes alter text."""
    connection.sendall(read_message(connection).replace(b"\n", b"\r\n") + b"\0")


def strip_high_bit(connection, _peer, _argument):
    connection.sendall(bytes(byte & 0x7F for byte in read_message(connection)) + b"\0")


def upper(connection, _peer, _argument):
    connection.sendall(read_message(connection).upper() + b"\0")


def telnet(connection, _peer, _argument):
    """Takes the message for UTF-8, sends Latin-1, and doubles 0xff as telnet does."""
    text = read_message(connection).decode().encode("latin-1", "replace")
    connection.sendall(text.replace(b"\xff", b"\xff\xff") + b"\0")


def normalize(connection, _peer, argument):
    """ARGUMENT is a form of Unicode, NFC or NFD."""
    connection.sendall(unicodedata.normalize(argument, read_message(connection).decode()).encode() + b"\0")


def late(connection, _peer, argument):
    """Lets the client wait ARGUMENT seconds for the first byte of the reply."""
    data = read_message(connection)
    time.sleep(float(argument))
    connection.sendall(data + b"\0")


def pauses(connection, _peer, argument):
    """Pauses of BEFORE,BETWEEN,AFTER seconds: before the first byte, the null byte, and the end."""
    before, between, after = map(float, argument.split(","))
    data = read_message(connection)
    time.sleep(before)
    connection.sendall(data)
    time.sleep(between)
    connection.sendall(b"\0")
    time.sleep(after)


def limited(connection, _peer, argument):
    """Closes without a reply on messages of more than ARGUMENT bytes."""
    data = read_message(connection)
    if len(data) <= int(argument):
        connection.sendall(data + b"\0")


def black_hole(connection, _peer, argument):
    """Never answers messages of more than ARGUMENT bytes."""
    data = read_message(connection)
    if len(data) <= int(argument):
        connection.sendall(data + b"\0")
    else:
        wait_for_end(connection)


def only_from(connection, peer, argument):
    """Echoes for a peer at the address ARGUMENT, and for nobody else."""
    data = read_message(connection)
    if peer[0] == argument:
        connection.sendall(data + b"\0")


def hybrid(connection, _peer, argument):
    """A hypervisor's socket: puts through to an echo server on the guest's port ARGUMENT."""
    line = b""
    while not line.endswith(b"\n"):
        part = connection.recv(1)
        if not part:
            return
        line += part
    if line != b"CONNECT " + argument.encode() + b"\n":
        return  # nobody listens on the port
    for byte in b"OK 1073741824\n":
        connection.sendall(bytes([byte]))
    connection.sendall(read_message(connection) + b"\0")


def greet(connection, _peer, argument):
    """Says ARGUMENT and a newline at once, then echoes."""
    connection.sendall(argument.encode() + b"\n")
    wait_for_end(connection)


def run(connection, _peer, argument):
    """Runs a command on the connection, as an inetd does."""
    connection.setblocking(True)
    subprocess.run(argument, shell=True, check=False, stdin=connection, stdout=connection)


BEHAVIOURS = {
    function.__name__.replace("_", "-"): function
    for function in (
        echo, tagged, tag, close, close_after_reading, reset_at_once, reset_in_reply,
        reset_after_reply, early_reply, truncate, flip, tagged_flip, longer, shorter, endless,
        extra, urgent_extra, late_extra, reply, silent, never_read, drip, as_it_reads, stay_open, to_crlf,
        strip_high_bit, upper, telnet, normalize, late, pauses, limited, black_hole, only_from, hybrid,
        greet, run,
    )
}


def listen(where):
    """Returns the listening socket and its address in the client's notation."""
    if where.startswith("unix:"):
        path = where[len("unix:"):]
        server = socket.socket(socket.AF_UNIX)
        server.bind("\0" + path[1:] if path.startswith("@") else path)
        server.listen(4096)
        return server, where
    host, _, port = where.partition("#")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    server = socket.socket(family)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((host, int(port or 0)))
    server.listen(4096)
    name = f"[{host}]" if ":" in host else host
    return server, f"{name}:{server.getsockname()[1]}"


def announce(path, address):
    """Writes the file so that it is never seen half."""
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(address + "\n")
    os.rename(path + ".new", path)


def fill_backlog(server):
    """Makes connections that are never accepted until no more get in; returns them."""
    server.listen(0)
    waiting = []
    while True:
        client = socket.socket(server.family)
        client.settimeout(0.2)
        waiting.append(client)
        try:
            client.connect(server.getsockname())
        except OSError:
            return waiting


def serve(function, argument, connection, peer):
    try:
        with connection:
            function(connection, peer, argument)
    except OSError:
        pass  # the client left in the middle, as some tests have it do


def main(arguments):
    where = "127.0.0.1"
    if arguments[0] == "--on":
        where = arguments[1]
        arguments = arguments[2:]
    address_file, *behaviours = arguments
    server, address = listen(where)
    if behaviours == ["full"]:
        waiting = fill_backlog(server)
        announce(address_file, address)
        threading.Event().wait()
        del waiting
    announce(address_file, address)
    while True:
        connection, peer = server.accept()
        name, _, argument = behaviours[0].partition(":")
        if len(behaviours) > 1:
            behaviours = behaviours[1:]
        threading.Thread(
            target=serve, args=(BEHAVIOURS[name], argument, connection, peer), daemon=True
        ).start()


if __name__ == "__main__":
    main(sys.argv[1:])
