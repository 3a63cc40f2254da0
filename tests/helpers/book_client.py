# SPDX-License-Identifier: MIT
"""A client from the book's description alone: book_client.py HOST PORT TEXT (or PATH TEXT)."""
import socket
import sys

*address, text = sys.argv[1:]
connection = socket.socket(socket.AF_INET if address[1:] else socket.AF_UNIX)
connection.connect((address[0], int(address[1])) if address[1:] else address[0])
connection.sendall(text.encode() + b"\0")
reply = bytearray()
while b"\0" not in reply and (data := connection.recv(4096)):
    reply += data
print(reply.rstrip(b"\0").decode())
connection.close()
