/* SPDX-License-Identifier: MIT */
/* The message that a run of probes sends, from what the command line asks for. */
#ifndef TINCAN_CLIENT_PROBE_PROBE_MESSAGE_H
#define TINCAN_CLIENT_PROBE_PROBE_MESSAGE_H

#include "client/options.h"

struct probe_message {
    char *bytes;
    size_t length;
    char *own; /* the contents of the pattern's file, or NULL */
    size_t own_length;
};

/*
 * Makes the message. Returns 0; or -1 when that can't be sent or made, the reason added to
 * `reason`. In both cases it ends with probe_message_free.
 */
int probe_message_make(struct probe_message *message, const struct options *options,
                       struct text *reason);

/* Makes it anew, of `size` bytes. Returns 0, or -1 with errno. */
int probe_message_resize(struct probe_message *message, const struct options *options, size_t size);

void probe_message_free(struct probe_message *message);

#endif
