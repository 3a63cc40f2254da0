/* SPDX-License-Identifier: MIT */
/* Who is at the other end. Asking never fails: where nobody knows, the name is `-`. */
#ifndef TINCAN_PEER_H
#define TINCAN_PEER_H

#include "text.h"

#include <sys/socket.h>

/* Room for any name or tag with its null byte: an escaped AF_UNIX path of 108 bytes is the longest.
 */
#define PEER_TEXT_SIZE 512

struct peer {
    struct sockaddr_storage address; /* ss_family AF_UNSPEC: only a name is known */
    char name[PEER_TEXT_SIZE]; /* for the log, printable ASCII: `127.0.0.1:51234`, `[::1]:51234`,
                                  `unix:uid=1000,pid=42`, `vsock:3:1024`, `-` */
};

/*
 * Names the peer of the connection `fd`: what the kernel says where it is a socket, else what the
 * launcher says in the environment. An IPv4 peer of an IPv6 socket is named as IPv4.
 */
void peer_find(struct peer *peer, int fd, int is_socket);

/*
 * Adds the tag of PROTOCOL.md: the peer as Python prints a socket address, then a colon and a
 * space; an IPv4 peer gives `('127.0.0.1', 51234): `.
 */
void peer_add_tag(const struct peer *peer, struct text *text);

#endif
