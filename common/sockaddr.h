/* SPDX-License-Identifier: MIT */
/* Socket addresses as the kernel gives them. */
#ifndef TINCAN_COMMON_SOCKADDR_H
#define TINCAN_COMMON_SOCKADDR_H

#include "common/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* Room for sockaddr_print(), a number behind it, and a null byte: an AF_UNIX path is longest. */
#define SOCKADDR_TEXT_SIZE 128

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

/* Adds the host of an IPv4 or IPv6 address in digits (RFC 5952); in musl, inet_ntop(3) would bring
 * printf(3) into the handler. */
void sockaddr_print_host(struct text *text, const struct sockaddr_storage *address);

/*
 * Reads `size` bytes, an IPv4 or IPv6 address in digits, the latter perhaps in brackets, into
 * `*address` together with `port`. Returns whether it is one; if not, the family is AF_UNSPEC.
 */
bool sockaddr_parse(struct sockaddr_storage *address, const char *host, size_t size, uint16_t port);

/* Turns an IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2) into the IPv4 address it stands for. */
void sockaddr_unmap(struct sockaddr_storage *address);

#endif
