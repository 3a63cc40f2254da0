#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
syslog_sink.py SOCKET FILE: takes the place of a system logger. Each datagram that arrives at the
socket becomes a line of the file, unchanged, so that a line feed in it makes two.
"""
import socket
import sys


def main():
    sink = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    with open(sys.argv[2], "ab", buffering=0) as file:
        sink.bind(sys.argv[1])
        while True:
            # syslog(3) of some C libraries ends its datagrams as if they were lines
            file.write(sink.recv(65536).rstrip(b"\n\0") + b"\n")


if __name__ == "__main__":
    main()
