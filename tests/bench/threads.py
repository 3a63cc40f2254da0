#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
threads.py PORT: the server as a book on Python would first write it, one thread per connection, on
127.0.0.1 (port 0: any that is free). Prints `listening on PORT`. For comparison with tincand.
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
    print("listening on", listener.getsockname()[1], flush=True)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
