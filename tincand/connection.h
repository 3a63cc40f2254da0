/* SPDX-License-Identifier: MIT */
/*
 * One connection of many: the exchange of handler/exchange.h in steps that never wait. It knows no
 * event loop: connection_step() is called when the descriptor is ready, and its state says what to
 * wait for next. The caller closes the descriptor.
 *
 * A connection has a buffer only from the first byte that can't be answered at once to the last
 * byte of the reply.
 */
#ifndef TINCAN_TINCAND_CONNECTION_H
#define TINCAN_TINCAND_CONNECTION_H

#include "common/frame.h"
#include "handler/peer.h"
#include "handler/result.h"
#include "handler/settings.h"
#include "tincand/memory.h"

#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* What the connections of a server share. */
struct workspace {
    const struct settings *settings;
    struct memory memory;
    /* All input is read here, behind room for a tag. Only what has to wait is copied. */
    char input[TAG_MAX + MEMORY_READ_MAX];
};

enum connection_state {
    CONNECTION_RECEIVING,    /* waits for input */
    CONNECTION_NEEDS_MEMORY, /* waits for a buffer; its input stays in the kernel */
    CONNECTION_REPLYING,     /* waits for room to send */
    CONNECTION_LINGERING,    /* has its result; discards input until the peer has closed */
    CONNECTION_DONE,         /* has its result, and is to be closed */
};

/* As much of a socket address as an internet or vsock peer needs; AF_UNIX peers have no name. */
union connection_peer {
    struct sockaddr any;
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
    struct sockaddr_vm vsock;
};

struct connection {
    int fd; /* non-blocking */
    enum connection_state state;
    union connection_peer peer;
    uint64_t started; /* clock_usec() when it was accepted */
    struct frame frame;
    struct result result; /* valid from CONNECTION_LINGERING on; see connection_is_decided() */
    struct buffer buffer; /* room for a tag if there are tags, then the message */
    size_t reply;         /* offset in the buffer of the part of the reply that is not sent */
    size_t left;          /* length of that part */
    size_t discard;       /* input behind the message that may still be discarded, in bytes */
    bool trailing;        /* the peer sent bytes after its null byte */
    bool input_ended;     /* nothing more comes in */
    char preview[RESULT_PREVIEW_BYTES]; /* of the message, while it lingers after its reply */
};

/* Starts an exchange on `fd`, accepted from `address`. The caller sets `buffer.share` before the
 * first step. */
void connection_begin(struct connection *connection, const struct workspace *workspace, int fd,
                      const struct sockaddr_storage *address);

/* Does what can be done without waiting, up to MEMORY_READ_MAX bytes, and sets the state. */
void connection_step(struct connection *connection, struct workspace *workspace);

/* Ends the connection; the result is `code` if it has none yet. */
void connection_end(struct connection *connection, const struct workspace *workspace,
                    enum result_code code);

/* Returns whether input has to be waited for: the message, or what has to be discarded. */
bool connection_wants_input(const struct connection *connection);

/* Returns whether the result is final. While lingering after a reply, that may still get lost. */
bool connection_is_decided(const struct connection *connection);

/* Names the peer, for the log. */
void connection_name(const struct connection *connection, struct peer *peer);

/* Frees the buffer, and with it the message in the result. */
void connection_free_message(struct connection *connection, struct workspace *workspace);

#endif
