/* SPDX-License-Identifier: MIT */
/* The ways in which one exchange can end, and what each means for the exit status. */
#ifndef TINCAN_CLIENT_NET_OUTCOME_H
#define TINCAN_CLIENT_NET_OUTCOME_H

enum outcome {
    OUTCOME_ECHOED,      /* the message came back byte for byte, perhaps behind a tag */
    OUTCOME_UNRESOLVED,  /* the host has no address */
    OUTCOME_REFUSED,     /* nobody listens there */
    OUTCOME_UNREACHABLE, /* the network said that there is no way */
    OUTCOME_FILTERED,    /* no answer to the attempt to connect */
    OUTCOME_HANDSHAKE,   /* connected, but the hypervisor did not put us through to its guest */
    OUTCOME_LOCAL,       /* this machine could not: descriptors, ports, permission, memory */
    OUTCOME_CLOSED,      /* connected, then closed without a single byte of reply */
    OUTCOME_TIMEOUT,     /* connected, but no whole reply in time */
    OUTCOME_RESET,       /* the server reset the connection before the whole reply */
    OUTCOME_TRUNCATED,   /* the reply ended before its null byte */
    OUTCOME_ALTERED,     /* the reply is not the message */
    OUTCOME_EXTRA,       /* bytes came after the reply's null byte */
};

/* How many there are. */
#define OUTCOME_COUNT (OUTCOME_EXTRA + 1)

/* Exit statuses; where several apply the highest is the worst, and is the one given. */
enum {
    STATUS_ECHOED = 0,
    STATUS_FAILED = 1,
    STATUS_USAGE = 2, /* also whatever failed on this machine */
    STATUS_ALTERED = 3,
};

/* The word or two by which reports call the outcome; a constant. */
const char *outcome_word(enum outcome outcome);

/* The exit status that the outcome asks for. */
int outcome_status(enum outcome outcome);

/* Makes `*status` the other if that is higher. */
void outcome_raise(int *status, int other);

/*
 * What an errno value of connect(2), or of an established connection's calls, amounts to. `family`
 * is the socket's: in IPv6, EACCES is a firewall's word, elsewhere it is this machine's.
 */
enum outcome outcome_of_errno(int error, int family);

#endif
