/* SPDX-License-Identifier: MIT */
/* The name of the peer. Finding it never fails: where nothing names the peer, it is `-`. */
#ifndef TINCAN_HANDLER_PEER_H
#define TINCAN_HANDLER_PEER_H

#include "common/tag.h"

#include <stdbool.h>
#include <sys/socket.h>

struct peer {
    struct sockaddr_storage address; /* AF_UNSPEC: only the name is known */
    char name[TAG_NAME_SIZE]; /* for the log, printable ASCII: `127.0.0.1:51234`, `[::1]:51234`,
                                 `unix:uid=1000,pid=42`, `vsock:3:1024`, `-` */
};

/*
 * Finds the peer of the connection `fd`: from the kernel if that is a socket, else from what the
 * launcher says in the environment. An IPv4 peer of an IPv6 socket is named as IPv4.
 */
void peer_find(struct peer *peer, int fd, bool is_socket);

/* Sets the name from `peer->address`, which accept(2) gave for the connection `fd`. An AF_UNIX peer
 * is named by its credentials. */
void peer_name(struct peer *peer, int fd);

#endif
