#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""client.py PORT: sends one message to 127.0.0.1:PORT as a short script would."""
import socket
import sys

with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as connection:
    connection.sendall(b"hello\0")
    raise SystemExit(connection.recv(64) != b"hello\0")
