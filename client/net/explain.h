/* SPDX-License-Identifier: MIT */
/* The sentences in which failures are told: what was attempted, on what, and why it failed. */
#ifndef TINCAN_CLIENT_NET_EXPLAIN_H
#define TINCAN_CLIENT_NET_EXPLAIN_H

#include "client/net/dial.h"
#include "client/net/message.h"
#include "client/net/transfer.h"

/* Room for any of the sentences. */
#define EXPLAIN_SIZE 1024

/* Of a server that does not close the connection. */
extern const char explain_left_open[];

/* Why no connection came about, `timeout_usec` being the time that was given. */
void explain_dial(struct text *text, const struct address *address, const struct dial *dial,
                  uint64_t timeout_usec);

/* What went wrong on the connection that `dial` made. */
void explain_transfer(struct text *text, const struct dial *dial, const struct transfer *transfer,
                      uint64_t timeout_usec);

/*
 * The same as one of the above without what was attempted, for where that is plain: the outcome,
 * then the details. `transfer` is NULL when there was no connection.
 */
void explain_outcome(struct text *text, const struct dial *dial, const struct transfer *transfer,
                     uint64_t timeout_usec);

/* Why the bytes can't be sent: the fault that message_check found at `offset`. */
void explain_message(struct text *text, enum message_fault fault, const char *bytes, size_t offset);

#endif
