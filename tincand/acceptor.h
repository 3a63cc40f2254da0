/* SPDX-License-Identifier: MIT */
/*
 * Accepting connections in an event loop: from each listening socket some, then the others have
 * their turn. Whom it may not or can't accept waits in the kernel's queue meanwhile.
 */
#ifndef TINCAN_TINCAND_ACCEPTOR_H
#define TINCAN_TINCAND_ACCEPTOR_H

#include "tincand/listeners.h"
#include "tincand/log_queue.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>

struct acceptor {
    sd_event *event;
    struct listeners *listeners;
    struct log_queue *log;
    /* Takes over a connection, non-blocking, from `address`. Returns whether the system had what it
     * needs; else it has closed it. */
    bool (*admit)(void *userdata, int fd, const struct sockaddr_storage *address);
    void *userdata;
    sd_event_source *sources[LISTENERS_MOST];
    sd_event_source *rest;
    uint64_t complained; /* when, on the event loop's clock */
    bool allowed;        /* by acceptor_allow() */
    bool resting;        /* the system has no descriptor or memory for another, say */
    bool watching;       /* the listening sockets are looked at: allowed, and not resting */
};

/* Begins to accept, with all that stands before `sources` set. Returns 0 or a negative errno value.
 */
int acceptor_open(struct acceptor *acceptor);

/* Says whether connections may be accepted. May be called from admit(). */
void acceptor_allow(struct acceptor *acceptor, bool allowed);

/*
 * Accepts no more and closes the listening sockets. From those that are our own, who waits in the
 * queue is admitted before, as far as is allowed: they would be lost with the queue. A socket that
 * was handed over stays open with who handed it over, and the next server serves those who wait.
 */
void acceptor_close(struct acceptor *acceptor);

#endif
