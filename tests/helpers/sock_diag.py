# SPDX-License-Identifier: MIT
"""
What the kernel knows of one TCP connection over IPv4, asked through sock_diag(7). The same is in
/proc/net/tcp, but to read that takes milliseconds where the kernel's table of connections is large.
"""
import socket
import struct
from dataclasses import dataclass

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
NLM_F_REQUEST = 1

MESSAGE = struct.Struct("=IHHII")  # struct nlmsghdr
REQUEST = struct.Struct("=BBBxI2s2s16s16sIII")  # struct inet_diag_req_v2
ANSWER = struct.Struct("=BBBB2s2s16s16sIIIIIIII")  # struct inet_diag_msg
ANY = 0xFFFFFFFF


@dataclass(frozen=True)
class End:
    """One end of a connection: the bytes that its process has not read, and whether it has one."""

    unread: int
    held: bool


def ask(local, remote):
    """The End at the address `local` whose peer is at `remote`; None if the kernel has none, or no
    sock_diag. Addresses are pairs of an IPv4 host and a port."""
    answer = exchange(REQUEST.pack(
        socket.AF_INET, socket.IPPROTO_TCP, 0, ANY, local[1].to_bytes(2, "big"),
        remote[1].to_bytes(2, "big"), socket.inet_aton(local[0]), socket.inet_aton(remote[0]), 0,
        ANY, ANY))
    if answer is None:
        return None
    *_, unread, _unsent, _user, inode = ANSWER.unpack_from(answer)
    return End(unread, inode != 0)


def search(local, remote):
    """The same, from the whole table: for kernels without sock_diag."""
    row = f" {hexadecimal(local)} {hexadecimal(remote)} "
    with open("/proc/net/tcp", encoding="ascii") as table:
        for line in table:
            if row in line:
                fields = line.split()
                return End(int(fields[4].split(":")[1], 16), fields[9] != "0")
    return None


def hexadecimal(address):
    """An IPv4 address and port as /proc/net/tcp has them."""
    host, port = address
    number = int.from_bytes(socket.inet_aton(host), "little")
    return f"{number:08X}:{port:04X}"


def exchange(request):
    """What the kernel answers to one request of sock_diag; None where that is an error."""
    header = MESSAGE.pack(MESSAGE.size + len(request), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 0, 0)
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, NETLINK_SOCK_DIAG) as netlink:
            netlink.send(header + request)
            answer = netlink.recv(4096)
    except OSError:
        return None
    kind = MESSAGE.unpack_from(answer)[1]
    return answer[MESSAGE.size:] if kind == SOCK_DIAG_BY_FAMILY else None
