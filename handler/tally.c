/* SPDX-License-Identifier: MIT */
#include "tally.h"

/* Adds `count` and `what`, behind `before`, if there is any to count. */
static void add_count(struct text *text, const char *before, uint64_t count, const char *what)
{
    if (count == 0)
        return;
    text_add(text, before);
    text_add_number(text, count);
    text_add_char(text, ' ');
    text_add(text, what);
}

void tally_add(const struct tally *tally, struct text *text)
{
    text_add(text, "open ");
    text_add_number(text, tally->open);
    text_add(text, ", echoed ");
    text_add_number(text, tally->results[RESULT_ECHOED]);
    for (enum result result = RESULT_EOF; result <= RESULT_ERROR; result++)
        add_count(text, ", ", tally->results[result], result_word(result));
    add_count(text, ", ", tally->turned_away, "turned away");
    add_count(text, ", ", tally->lost_lines, "log lines lost");
}
