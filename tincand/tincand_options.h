/* SPDX-License-Identifier: MIT */
/* What tincand's command line asks for. */
#ifndef TINCAN_TINCAND_TINCAND_OPTIONS_H
#define TINCAN_TINCAND_TINCAND_OPTIONS_H

#include "handler/settings.h"
#include "tincand/listeners.h"

enum tincand_action { TINCAND_SERVE, TINCAND_HELP, TINCAND_VERSION, TINCAND_REFUSE };

struct tincand_options {
    enum tincand_action action;
    struct settings settings;
    uint64_t max_connections, max_per_source; /* 0: not given */
    uint64_t max_memory;                      /* in bytes */
    uint64_t grace, idle_exit;                /* in microseconds; `idle_exit` 0: not given */
    struct address addresses[LISTENERS_MOST]; /* to listen on */
    size_t address_count;
};

/*
 * Fills `options` from the command line, to whose strings it refers; or sets the action to
 * TINCAND_REFUSE and adds to `problem` why that can't be done.
 */
void tincand_options_read(struct tincand_options *options, int argc, char **argv,
                          struct text *problem);

#endif
