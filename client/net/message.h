/* SPDX-License-Identifier: MIT */
/* Checks, before anything is sent, that bytes from a user are a message. */
#ifndef TINCAN_CLIENT_NET_MESSAGE_H
#define TINCAN_CLIENT_NET_MESSAGE_H

#include "common/text.h"

#include <stddef.h>

/*
 * Returns 0 if the `length` bytes can be sent as a message of at most `max_bytes` bytes; or -1 with
 * a sentence that names the offset of the fault added to `reason`.
 */
int message_check(const char *bytes, size_t length, size_t max_bytes, struct text *reason);

/* Adds the same sentence for a message that is over `max_bytes` bytes. */
void message_explain_too_long(size_t max_bytes, struct text *reason);

#endif
