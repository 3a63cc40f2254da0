/* SPDX-License-Identifier: MIT */
/*
 * The handshake of hybrid vsock: Firecracker and Cloud Hypervisor have one AF_UNIX socket for all
 * ports of a guest. The client sends "CONNECT PORT" and receives "OK NUMBER", a line each.
 */
#ifndef TINCAN_CLIENT_NET_HANDSHAKE_H
#define TINCAN_CLIENT_NET_HANDSHAKE_H

#include <stddef.h>
#include <stdint.h>

struct handshake {
    enum { HANDSHAKE_SENDING, HANDSHAKE_RECEIVING } state;
    char line[32];       /* what is sent, then what comes back */
    size_t length, sent; /* bytes in `line`; bytes of it sent */
};

enum handshake_status {
    HANDSHAKE_MORE,   /* call again when an event of handshake_events() has come */
    HANDSHAKE_DONE,   /* the connection leads into the guest now */
    HANDSHAKE_FAILED, /* errno: ECONNRESET if it ended, EPROTO at another answer, or a call's */
};

/* Begins a handshake for the guest's `port`. */
void handshake_begin(struct handshake *handshake, uint32_t port);

/* Returns the events of poll(2) to wait for. */
short handshake_events(const struct handshake *handshake);

/* Does what can be done on the non-blocking `fd` without waiting. */
enum handshake_status handshake_step(struct handshake *handshake, int fd);

#endif
