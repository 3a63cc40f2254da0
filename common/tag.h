/* SPDX-License-Identifier: MIT */
/* The tag of PROTOCOL.md, section 3: the peer in front of a reply, as Python prints a socket
 * address, then a colon and a space: `('127.0.0.1', 54321): `. */
#ifndef TINCAN_COMMON_TAG_H
#define TINCAN_COMMON_TAG_H

#include "common/text.h"

#include <stddef.h>
#include <sys/socket.h>

/* The longest tag a server sends and a client accepts, in bytes. */
#define TAG_MAX ((size_t)256)

/* Room for the longest name that fits in a tag, with its null byte. */
#define TAG_NAME_SIZE (TAG_MAX - 3)

/*
 * Adds the tag for a peer. An IPv4 or vsock peer is a pair, an IPv6 peer a tuple of four; a peer of
 * any other family is the quoted `name`, of at most TAG_NAME_SIZE - 1 bytes, which must be
 * printable ASCII without a quote or backslash that is not part of an \\xNN.
 */
void tag_print(struct text *text, const struct sockaddr_storage *peer, const char *name);

/*
 * Returns the length of the tag at the start of the `length` bytes at `reply`, or 0 if there is
 * none. A tag is a tuple of numbers and quoted strings, or a quoted string, of printable ASCII, and
 * has at most TAG_MAX bytes.
 */
size_t tag_length(const char *reply, size_t length);

#endif
