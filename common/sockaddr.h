/* SPDX-License-Identifier: MIT */
/* Socket addresses as the kernel gives them. */
#ifndef TINCAN_COMMON_SOCKADDR_H
#define TINCAN_COMMON_SOCKADDR_H

#include "common/text.h"

#include <sys/socket.h>

/* Room for sockaddr_print() with its null byte: an escaped AF_UNIX path of 108 bytes is the
 * longest. */
#define SOCKADDR_TEXT_SIZE 512

/* struct sockaddr_vm of vsock(7), whose header not every C library brings. */
struct sockaddr_vsock {
    sa_family_t family;
    unsigned short reserved;
    unsigned int port, cid;
    unsigned char zero[4];
};

/* Prints the name of network interface `index` into `name`, of IF_NAMESIZE bytes, and returns it,
 * or NULL. if_indextoname(3) is one. */
typedef char *interface_name(unsigned int index, char *name);

/*
 * Adds `address`, of `size` bytes, in the notation of address_parse(): `127.0.0.1:4040`,
 * `[::1]:4040`, `unix:/run/tincan.sock`, `unix:@name`, `vsock:3:4040`; any other family as `-`. The
 * scope of an IPv6 address is printed by `name`, or as its number where that is NULL or fails. The
 * bytes of an AF_UNIX name are added as they are: escape them before showing them.
 */
void sockaddr_print(struct text *text, const struct sockaddr_storage *address, socklen_t size,
                    interface_name *name);

/* Turns an IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2) into the IPv4 address it stands for; leaves
 * any other as it is. */
void sockaddr_unmap(struct sockaddr_storage *address);

#endif
