/* SPDX-License-Identifier: MIT */
/* What the command line asks for. */
#ifndef TINCAN_CLIENT_OPTIONS_H
#define TINCAN_CLIENT_OPTIONS_H

#include "client/net/bind_address.h"
#include "client/probe_options.h"
#include "common/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum options_input {
    OPTIONS_AUTO,    /* a conversation when standard input is a terminal, else a message a line */
    OPTIONS_MESSAGE, /* the one on the command line */
    OPTIONS_NULL,    /* messages on standard input, separated by null bytes */
    OPTIONS_WHOLE,   /* all of standard input is one message */
};

struct options {
    enum options_input input;
    const char *message; /* for OPTIONS_MESSAGE */
    struct address address;
    int family; /* AF_INET, AF_INET6 or AF_UNSPEC */
    struct bind_address source;
    uint64_t timeout_usec;
    size_t max_bytes;
    bool connect_first;
    bool quiet;
    struct probe_options probe;
    const char *help_topic; /* for OPTIONS_HELP, as help_text takes it */
};

enum options_result { OPTIONS_RUN, OPTIONS_HELP, OPTIONS_VERSION, OPTIONS_WRONG };

/*
 * Reads the command line into `options`, which refers to its strings. At OPTIONS_WRONG the reason,
 * naming the option and its value, was added to `reason`.
 */
enum options_result options_read(int argc, char **argv, struct options *options,
                                 struct text *reason);

#endif
