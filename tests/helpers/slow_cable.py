#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""slow_cable.py INTERFACE INTERFACE SECONDS: passes each frame that comes in at one interface out at
the other, SECONDS later and not a moment sooner: what netem does in kernels that have it."""

import select
import socket
import sys
import time
from collections import deque

SOL_PACKET, PACKET_VNET_HDR = 263, 15
FRAME = 1 << 17


def plug(interface):
    """A socket for all frames of the interface."""
    plugged = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(3))
    # With each frame goes what the kernel left to do of it, as the sum of a TCP segment.
    plugged.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    plugged.bind((interface, 0))
    return plugged


def main(one, other, delay):
    ends = (plug(one), plug(other))
    under_way = deque()  # (when to pass it on, where, frame), in this order
    while True:
        wait = max(0, under_way[0][0] - time.monotonic()) if under_way else None
        for end in select.select(ends, [], [], wait)[0]:
            frame, (_, _, kind, *_) = end.recvfrom(FRAME)
            if kind != socket.PACKET_OUTGOING:
                under_way.append((time.monotonic() + delay, ends[end is ends[0]], frame))
        while under_way and under_way[0][0] <= time.monotonic():
            _, end, frame = under_way.popleft()
            end.send(frame)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
