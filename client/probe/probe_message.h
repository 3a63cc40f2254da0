/* SPDX-License-Identifier: MIT */
/* The message that probes send, made as the command line asks. */
#ifndef TINCAN_CLIENT_PROBE_PROBE_MESSAGE_H
#define TINCAN_CLIENT_PROBE_PROBE_MESSAGE_H

#include "client/options.h"

struct probe_message {
    char *bytes;
    size_t length;
    char *own; /* the contents of the pattern file, or NULL */
    size_t own_length;
};

/*
 * Makes the message. Returns 0; or -1 with the reason added to `reason` if it can't be made or
 * sent. In both cases the caller ends it with probe_message_free().
 */
int probe_message_make(struct probe_message *message, const struct options *options,
                       struct text *reason);

/* Makes it again with `size` bytes. Returns 0, or -1 with errno. */
int probe_message_resize(struct probe_message *message, const struct options *options, size_t size);

void probe_message_free(struct probe_message *message);

#endif
