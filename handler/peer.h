/* SPDX-License-Identifier: MIT */
/* Who is at the other end. Asking never fails: where nobody knows, the name is `-`. */
#ifndef TINCAN_HANDLER_PEER_H
#define TINCAN_HANDLER_PEER_H

#include "common/tag.h"

#include <stdbool.h>
#include <sys/socket.h>

struct peer {
    struct sockaddr_storage address; /* ss_family AF_UNSPEC: only a name is known */
    char name[TAG_NAME_SIZE]; /* for the log, printable ASCII: `127.0.0.1:51234`, `[::1]:51234`,
                                  `unix:uid=1000,pid=42`, `vsock:3:1024`, `-` */
};

/*
 * Names the peer of the connection `fd`: what the kernel says where it is a socket, else what the
 * launcher says in the environment. An IPv4 peer of an IPv6 socket is named as IPv4.
 */
void peer_find(struct peer *peer, int fd, bool is_socket);

/*
 * The same from `peer->address`, as accept(2) gave it for the connection `fd`, which is asked who
 * opened it if it is an AF_UNIX one.
 */
void peer_name(struct peer *peer, int fd);

/* Puts the tag right in front of `message`, where TAG_MAX bytes are free for it, and returns
 * its length. */
size_t peer_put_tag(const struct peer *peer, char *message);

#endif
