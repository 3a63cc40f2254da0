/* SPDX-License-Identifier: MIT */
/*
 * The handshake of hybrid vsock, which Firecracker and Cloud Hypervisor speak on a socket of the
 * host for each port of a guest: "CONNECT PORT" goes out, "OK NUMBER" comes back, a line each.
 */
#ifndef TINCAN_CLIENT_NET_HANDSHAKE_H
#define TINCAN_CLIENT_NET_HANDSHAKE_H

#include <stddef.h>
#include <stdint.h>

struct handshake {
    char line[32];       /* what is sent, then what comes back */
    size_t length, sent; /* bytes in `line`; bytes of it sent */
    enum { HANDSHAKE_ASKING, HANDSHAKE_LISTENING } state;
};

enum handshake_status {
    HANDSHAKE_MORE,   /* call again when handshake_wants is there */
    HANDSHAKE_DONE,   /* the connection leads into the guest now */
    HANDSHAKE_FAILED, /* errno: ECONNRESET it ended, EPROTO another answer came, or a call's */
};

/* Begins a handshake for the guest's `port`. */
void handshake_init(struct handshake *handshake, uint32_t port);

/* The events of poll(2) for which it waits. */
short handshake_wants(const struct handshake *handshake);

/* Does what can be done on the non-blocking `fd` without waiting. */
enum handshake_status handshake_step(struct handshake *handshake, int fd);

/* The whole, by `deadline` (of clock_now): 0, or -1 with errno as above or ETIMEDOUT. */
int handshake(int fd, uint32_t port, int64_t deadline);

#endif
