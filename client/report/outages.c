/* SPDX-License-Identifier: MIT */
#include "client/report/outages.h"

#include <string.h>

static void move(struct outages *outages, size_t to, size_t from)
{
    memmove(&outages->list[to], &outages->list[from],
            (outages->kept - from) * sizeof *outages->list);
    outages->kept = outages->kept + to - from;
}

/* Makes room for one before that at `index`. Returns it, or NULL if it is older than all. */
static struct outage *insert(struct outages *outages, size_t index)
{
    outages->count++;
    if (outages->kept == OUTAGES_KEPT) {
        if (index-- == 0)
            return NULL;
        move(outages, 0, 1);
    }
    move(outages, index + 1, index);
    return &outages->list[index];
}

void outages_add(struct outages *outages, uint64_t sequence, int64_t due, int64_t next)
{
    struct outage *list = outages->list, *added;
    size_t index = outages->kept;

    while (index > 0 && list[index - 1].first > sequence)
        index--;
    if (index > 0 && list[index - 1].last + 1 == sequence) {
        list[index - 1].last = sequence;
        list[index - 1].ended = next;
    } else if ((added = insert(outages, index))) {
        *added = (struct outage){sequence, sequence, due, next, false};
        index = (size_t)(added - list) + 1;
    } else {
        return;
    }
    if (index < outages->kept && list[index].first == sequence + 1) {
        list[index - 1].last = list[index].last;
        list[index - 1].ended = list[index].ended;
        move(outages, index, index + 1);
        outages->count--;
    }
}
