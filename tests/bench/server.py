#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
server.py PORT [--sequential]: the server as a book on Python would first write it, on
127.0.0.1:PORT: one thread per connection, or one connection after the other.
"""
import socket
import sys
import threading


def receive_message(connection):
    data = b""
    while not data.endswith(b"\0"):
        piece = connection.recv(4096)
        if not piece:
            raise ConnectionError("the input ended before the null byte")
        data += piece
    return data


def serve(connection):
    try:
        message = receive_message(connection).decode().rstrip("\0")
        connection.sendall(message.encode() + b"\0")
    except (ConnectionError, UnicodeDecodeError):
        pass
    finally:
        connection.close()


def main():
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(sys.argv[1])))
    listener.listen(1024)
    sequential = "--sequential" in sys.argv
    while True:
        connection, _ = listener.accept()
        if sequential:
            serve(connection)
        else:
            threading.Thread(target=serve, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
