/* SPDX-License-Identifier: MIT */
/* The command line of tincand. */
#ifndef TINCAN_TINCAND_TINCAND_OPTIONS_H
#define TINCAN_TINCAND_TINCAND_OPTIONS_H

#include "handler/settings.h"
#include "tincand/limits.h"
#include "tincand/listeners.h"

enum tincand_action { TINCAND_SERVE, TINCAND_HELP, TINCAND_VERSION, TINCAND_REFUSE };

struct tincand_options {
    enum tincand_action action;
    struct settings settings;
    struct limits limits;                    /* numbers of connections: 0 if not given */
    struct address addresses[LISTENERS_MAX]; /* to listen on */
    size_t address_count;
};

/* The text of --help. */
extern const char tincand_help[];

/*
 * Fills `options` from the command line, to whose strings it refers. If it can't be used, sets the
 * action to TINCAND_REFUSE and adds a sentence to `problem`.
 */
void tincand_options_read(struct tincand_options *options, int argc, char **argv,
                          struct text *problem);

#endif
