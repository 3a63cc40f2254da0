/* SPDX-License-Identifier: MIT */
/* The resolver, with a deadline, which getaddrinfo(3) has not. */
#ifndef TINCAN_CLIENT_NET_RESOLVER_H
#define TINCAN_CLIENT_NET_RESOLVER_H

#include "common/address.h"

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>

struct answer {
    int code;              /* 0, or an EAI_ code */
    int error;             /* errno, for EAI_SYSTEM: ETIMEDOUT if there was none in time, EMFILE or
                              ENFILE if there was no descriptor to ask with */
    struct addrinfo *list; /* for code 0; the caller frees it by freeaddrinfo(3) */
};

/*
 * Asks for the addresses of the host in `family`, or of any family for AF_UNSPEC. An address in
 * digits is answered at once. Returns what to receive the answer from, which is the caller's; or -1
 * when the answer is in `answer` already. Where no thread can be started to wait for it, the call
 * waits itself if it may `wait`; else that answer is EAI_AGAIN.
 */
int resolver_ask(const struct address *address, int family, bool wait, struct answer *answer);

#define RESOLVER_MOST 64 /* questions at once: each takes a thread */

/* Returns how many may be asked at once: each takes descriptors. From 1 to RESOLVER_MOST. */
size_t resolver_most(void);

/* Returns whether so many are being asked, those included whose answers nobody waits for. */
bool resolver_is_busy(void);

/* Closes `fd`. Returns the answer if it has just come, or that there was none in time. */
struct answer resolver_give_up(int fd);

/* Takes the answer if it is there, and closes `fd` then. Returns whether it was. */
bool resolver_poll(int fd, struct answer *answer);

#endif
