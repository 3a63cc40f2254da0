/* SPDX-License-Identifier: MIT */
/* Where connections come from: an address of this machine, or one of its network interfaces. */
#ifndef TINCAN_CLIENT_NET_BIND_ADDRESS_H
#define TINCAN_CLIENT_NET_BIND_ADDRESS_H

#include "common/text.h"

#include <net/if.h>
#include <stdbool.h>
#include <sys/socket.h>

struct source {
    struct sockaddr_storage address; /* without a port; its family AF_UNSPEC: any address */
    socklen_t address_size;
    char interface[IF_NAMESIZE]; /* empty: any interface */
};

/*
 * Reads an IP address in digits or the name of an interface. Returns 0; or -1 with the reason
 * added to `reason`.
 */
int source_parse(const char *string, struct source *source, struct text *reason);

/* Whether it says anything. */
bool source_given(const struct source *source);

/* Makes connections of `fd`, a new TCP socket, come from there. Returns 0, or -1 with errno. */
int source_bind(const struct source *source, int fd);

#endif
