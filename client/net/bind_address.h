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
 * Reads an IP address in digits or the name of an interface. Returns 0; or -1 with the reason added
 * to `reason`.
 */
int bind_address_parse(const char *string, struct bind_address *bind_address, struct text *reason);

/* Returns whether it names an address or an interface. */
bool bind_address_given(const struct bind_address *bind_address);

/* Returns whether this machine has the address, if there is one. */
bool bind_address_is_here(const struct bind_address *bind_address);

/* Binds `fd`, a new TCP socket, to it. Returns 0, or -1 with errno. */
int bind_address_apply(const struct bind_address *bind_address, int fd);

#endif
