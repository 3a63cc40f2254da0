/* SPDX-License-Identifier: MIT */
/* The listening sockets of a server: handed over by who started it, or opened by itself. */
#ifndef TINCAN_TINCAND_LISTENERS_H
#define TINCAN_TINCAND_LISTENERS_H

#include "common/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define LISTENERS_MAX 64

struct listener {
    int fd;           /* non-blocking */
    bool own;         /* opened here: nobody else accepts what waits in its queue */
    const char *path; /* of the socket file to be removed in the end; or NULL */
    dev_t device;     /* that file */
    ino_t inode;
    char name[SOCKADDR_TEXT_SIZE];
};

struct listeners {
    size_t count;
    struct listener list[LISTENERS_MAX];
};

/*
 * Takes the sockets that sd_listen_fds(3) tells of; where there are none and `on_stdin` is set, the
 * one on standard input (xinetd with wait = yes, inetd with wait). All must be listening stream
 * sockets. Returns 0; or -1 with a sentence on the one that is not added to `problem`.
 */
int listeners_inherit(struct listeners *listeners, bool on_stdin, struct text *problem);

/*
 * Listens on an address, on all that a name stands for. A socket file that a dead server left
 * behind is replaced. The address's text must outlive `listeners`. Returns 0; or -1 with a sentence
 * added to `problem`.
 */
int listeners_open(struct listeners *listeners, const struct address *address,
                   struct text *problem);

/* Closes them all, and removes the files of those that were opened here. */
void listeners_close(struct listeners *listeners);

#endif
