/* SPDX-License-Identifier: MIT */
/* What the kernel knows of a TCP connection beside its bytes: TCP_INFO of tcp(7), Linux alone. */
#ifndef TINCAN_CLIENT_NET_TCP_H
#define TINCAN_CLIENT_NET_TCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tcp_count {
    COUNT_SYNS_RESENT,     /* SYNs sent again: one of them, or of their answers, was lost */
    COUNT_SEGMENTS_RESENT, /* other segments sent again, because no acknowledgement came */
    COUNT_OUT_OF_ORDER, /* segments that came before an earlier one, which was lost or overtaken */
};

#define TCP_COUNTS (COUNT_OUT_OF_ORDER + 1)

struct tcp {
    uint64_t counts[TCP_COUNTS];
    int64_t round_trip;     /* nanoseconds, the shortest that the kernel saw, or -1 */
    int64_t unacknowledged; /* bytes, of those sent, or -1 */
    size_t segment;         /* bytes of a message that one packet to the peer can carry, or 0 */
    bool timestamps;        /* TCP's, which take 12 bytes of each packet */
};

/*
 * Reads them from the socket, to which `sent` bytes were written; `connected`: whether it is known
 * to be connected. To be called once before that, if it takes a while, and once at the end: SYNs
 * sent again are those of the first call. If the kernel can't say, leaves `tcp` as it is.
 */
void tcp_read(struct tcp *tcp, int fd, bool connected, size_t sent);

#endif
