/* SPDX-License-Identifier: MIT */
/* Where connections come from: an address of this machine, or one of its network interfaces. */
#ifndef TINCAN_CLIENT_NET_BIND_ADDRESS_H
#define TINCAN_CLIENT_NET_BIND_ADDRESS_H

#include "common/text.h"

#include <net/if.h>
#include <stdbool.h>
#include <sys/socket.h>

struct bind_address {
    struct sockaddr_storage address; /* without a port; its family AF_UNSPEC: any address */
    socklen_t address_size;
    char interface[IF_NAMESIZE]; /* empty: any interface */
};

/*
 * Reads an IP address in digits or the name of an interface. Returns 0; or -1 with the reason
 * added to `reason`.
 */
int bind_address_parse(const char *string, struct bind_address *source, struct text *reason);

/* Whether it says anything. */
bool bind_address_given(const struct bind_address *source);

/* Makes connections of `fd`, a new TCP socket, come from there. Returns 0, or -1 with errno. */
int bind_address_apply(const struct bind_address *source, int fd);

#endif
