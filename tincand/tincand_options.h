/* SPDX-License-Identifier: MIT */
/* The command line of tincand. */
#ifndef TINCAN_TINCAND_TINCAND_OPTIONS_H
#define TINCAN_TINCAND_TINCAND_OPTIONS_H

#include "handler/settings.h"
#include "tincand/limits.h"
#include "tincand/listeners.h"

struct tincand_options {
    struct settings settings;                /* first */
    struct limits limits;                    /* numbers of connections: 0 if not given */
    struct address addresses[LISTENERS_MAX]; /* to listen on */
    size_t address_count;
};

/* The text of --help. */
extern const char tincand_help[];

/* Fills `options` from the command line, to whose strings it refers. If that can't be used, returns
 * ACTION_REFUSE and adds a sentence to `problem`. */
enum action tincand_options_read(struct tincand_options *options, int argc, char **argv,
                                 struct text *problem);

#endif
