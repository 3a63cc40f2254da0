/* SPDX-License-Identifier: MIT */
/* The suspected cause of an altered reply: the first known way to alter text that turns the message
 * into exactly this reply. */
#ifndef TINCAN_CLIENT_NET_CAUSE_H
#define TINCAN_CLIENT_NET_CAUSE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Returns the suspected cause, a constant that completes "it looks as if ...", or NULL if none is
 * known. `message` is valid UTF-8 without null bytes. `cut` means that only the beginning of the
 * reply was read, because it was longer than the message already.
 */
const char *cause_of_change(const char *message, size_t length, const char *reply,
                            size_t reply_length, bool cut);

/* The same for a reply that is only the first `size` bytes of the message, without a null byte. */
const char *cause_of_cut(size_t size);

#endif
