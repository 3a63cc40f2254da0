/* SPDX-License-Identifier: MIT */
/* The ways in which a round trip can end, and what each means for the exit status. */
#ifndef TINCAN_CLIENT_NET_OUTCOME_H
#define TINCAN_CLIENT_NET_OUTCOME_H

#include <stdbool.h>

enum outcome {
    OUTCOME_ECHOED,      /* the message came back byte for byte, perhaps behind a tag */
    OUTCOME_UNRESOLVED,  /* the host has no address */
    OUTCOME_REFUSED,     /* nothing listens there */
    OUTCOME_UNREACHABLE, /* the network answered that there is no route */
    OUTCOME_FILTERED,    /* no answer to the attempt to connect */
    OUTCOME_HANDSHAKE,   /* connected, but the hypervisor did not connect us to its guest */
    OUTCOME_LOCAL,       /* this machine failed: descriptors, ports, permission, memory */
    OUTCOME_CLOSED,      /* connected, then closed without a single byte of reply */
    OUTCOME_TIMEOUT,     /* connected, but no whole reply in time */
    OUTCOME_RESET,       /* the server reset the connection before the whole reply */
    OUTCOME_TRUNCATED,   /* the reply ended before its null byte */
    OUTCOME_ALTERED,     /* the reply is not the message */
    OUTCOME_EXTRA,       /* bytes came after the reply's null byte */
};

#define OUTCOME_COUNT (OUTCOME_EXTRA + 1)

/* Exit statuses. The highest is the worst; where several apply, the program exits with that. */
enum {
    STATUS_ECHOED = 0,
    STATUS_FAILED = 1,
    STATUS_USAGE = 2, /* also whatever failed on this machine */
    STATUS_ALTERED = 3,
};

/* Returns the outcome's name for people, a constant: "local error". */
const char *outcome_word(enum outcome outcome);

/* Returns its name as a JSON key or a label of Prometheus, a constant: "local_error". */
const char *outcome_label(enum outcome outcome);

/* Returns the exit status that the outcome asks for. */
int outcome_status(enum outcome outcome);

/* Returns whether a probe with the outcome counts as lost. */
bool outcome_is_loss(enum outcome outcome);

/* Makes `*status` the other if that is higher. */
void outcome_raise(int *status, int other);

/*
 * Returns the outcome that an errno of connect(2), or of a call on an established connection,
 * amounts to. `family` is the socket's: in IPv6 a firewall causes EACCES, elsewhere this machine.
 */
enum outcome outcome_of_errno(int error, int family);

/* The same for an attempt to connect, which can't be reset. */
enum outcome outcome_of_connecting(int error, int family);

#endif
