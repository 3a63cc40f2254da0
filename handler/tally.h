/* SPDX-License-Identifier: MIT */
/* What a server has done so far, in numbers, and in a line for the operator. */
#ifndef TINCAN_TALLY_H
#define TINCAN_TALLY_H

#include "result.h"
#include "text.h"

struct tally {
    uint64_t results[RESULT_ERROR + 1]; /* exchanges by result */
    uint64_t turned_away;               /* connections closed at once: their source had too many */
    uint64_t lost_lines;                /* log lines that the logger could not take */
    size_t open;                        /* connections now */
};

/* Adds `open 3, echoed 1204, 2 eof, 1 invalid-utf8, 4 turned away`; what is zero is left out, but
 * for the first two. */
void tally_add(const struct tally *tally, struct text *text);

#endif
