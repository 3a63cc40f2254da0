/* SPDX-License-Identifier: MIT */
/* Connecting to a server: every address that its name has, in order, within one deadline. */
#ifndef TINCAN_CLIENT_NET_DIAL_H
#define TINCAN_CLIENT_NET_DIAL_H

#include "client/net/bind_address.h"
#include "client/net/outcome.h"
#include "common/address.h"

#include <stdint.h>
#include <sys/socket.h>

struct dial {
    const struct address *address; /* that was asked for */
    int fd;                        /* connected and non-blocking, or -1 */
    enum outcome outcome;          /* why not, when `fd` is -1 */
    int error;                     /* errno of the last attempt */
    int resolver_error;            /* EAI_ code when unresolved */
    int64_t given;                 /* nanoseconds that the last attempt was given */
    unsigned tried;                /* addresses to which a connection was attempted */
    struct sockaddr_storage peer;  /* the address connected to, or tried last */
    socklen_t peer_size;           /* 0 when none was tried */
};

/*
 * Connects to `address` before `deadline` (of clock_now), a host only in `family` unless that is
 * AF_UNSPEC, and from `source`. Each attempt gets an equal share of the time that is left, so that
 * a dead address does not use up that of the next. Returns the descriptor, which becomes the
 * caller's, or -1; `dial` says more in both cases.
 */
int dial(const struct address *address, int family, const struct bind_address *source,
         int64_t deadline, struct dial *dial);

/* Adds the address connected to, or tried last, in the notation of address_parse. */
void dial_print_peer(const struct dial *dial, struct text *text);

/* Enters an attempt at `name` in `dial`, and that it failed with `error`. */
void dial_record_failure(struct dial *dial, const struct sockaddr *name, socklen_t size, int error);

#endif
