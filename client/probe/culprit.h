/* SPDX-License-Identifier: MIT */
/*
 * A guess at what altered a message on its way: each known way of altering bytes is applied to the
 * message, and the first that gives the very reply is named.
 */
#ifndef TINCAN_CLIENT_PROBE_CULPRIT_H
#define TINCAN_CLIENT_PROBE_CULPRIT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * What may have become of the message, for a sentence that begins with "it looks as if"; a
 * constant, or NULL when nothing known explains the reply. `cut` says that the reply was not read
 * to its end, as it was already longer than the message.
 */
const char *culprit(const char *message, size_t length, const char *reply, size_t reply_length,
                    bool cut);

/* The same for a reply that ended before its null byte, in which nothing else is wrong. */
const char *culprit_of_cut(size_t reply_length);

#endif
