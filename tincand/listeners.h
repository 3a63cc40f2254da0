/* SPDX-License-Identifier: MIT */
/* The listening sockets of a server: handed over by the program that started it, or opened here. */
#ifndef TINCAN_TINCAND_LISTENERS_H
#define TINCAN_TINCAND_LISTENERS_H

#include "common/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define LISTENERS_MAX 64

struct listener {
    int fd;           /* non-blocking */
    bool own;         /* opened here: its queue is lost when it is closed */
    const char *path; /* of the socket file, which is removed at the end; or NULL */
    dev_t device;     /* that file */
    ino_t inode;
    char name[SOCKADDR_TEXT_SIZE];
};

struct listeners {
    size_t count;
    struct listener list[LISTENERS_MAX];
};

/*
 * Takes the sockets of sd_listen_fds(3). If there are none and `on_stdin` is set, takes the one on
 * standard input (xinetd with wait = yes, inetd with wait). Returns 0, or -1 with a sentence added
 * to `problem` if one of them is not a listening stream socket.
 */
int listeners_inherit(struct listeners *listeners, bool on_stdin, struct text *problem);

/*
 * Listens on an address; on all addresses of a name. Replaces a socket file that a dead server left
 * behind. The address's text must outlive `listeners`. Returns 0, or -1 with a sentence added to
 * `problem`.
 */
int listeners_open(struct listeners *listeners, const struct address *address,
                   struct text *problem);

/* Closes all, and removes the socket files of those that were opened here. */
void listeners_close(struct listeners *listeners);

#endif
