/* SPDX-License-Identifier: MIT */
/* Name resolution that ends at a deadline, which getaddrinfo(3) by itself does not. */
#ifndef TINCAN_CLIENT_NET_RESOLVE_H
#define TINCAN_CLIENT_NET_RESOLVE_H

#include <netdb.h>
#include <stdint.h>

/*
 * Finds the stream addresses of `host` and `port` in `family` (AF_UNSPEC for all), in the order in
 * which they are to be tried. Returns 0 and sets `*list`, which the caller gives to
 * freeaddrinfo(3); or an EAI_ code, where EAI_SYSTEM leaves the reason in errno: ETIMEDOUT when
 * `deadline` passed first.
 */
int resolve(const char *host, const char *port, int family, int64_t deadline,
            struct addrinfo **list);

#endif
