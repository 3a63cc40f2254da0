/* SPDX-License-Identifier: MIT */
#include "client/probe/probe_explain.h"

#include "client/net/explain.h"
#include "client/probe/culprit.h"
#include "common/clock.h"
#include "common/frame.h"

static const char *guess_culprit(const struct roundtrip *roundtrip)
{
    const struct transfer *transfer = &roundtrip->transfer;
    size_t tag = transfer->compared.tag_length;

    if (roundtrip->outcome == OUTCOME_TRUNCATED)
        return culprit_of_cut(transfer->reply_length);
    if (roundtrip->outcome != OUTCOME_ALTERED)
        return NULL;
    return culprit(transfer->message, transfer->length, transfer->reply + tag,
                   transfer->reply_length - tag, !transfer->complete);
}

/* The time that the roundtrip was given, in microseconds; the last of its digits would tell nobody
 * anything. */
static uint64_t time_given(const struct roundtrip *roundtrip)
{
    uint64_t usec = (uint64_t)((roundtrip->deadline - roundtrip->begun) / CLOCK_USEC);
    uint64_t unit = usec < 1000000 ? 1000 : 10000;

    return (usec + unit / 2) / unit * unit;
}

const char *probe_explain(struct text *text, const struct roundtrip *roundtrip)
{
    const struct transfer *transfer = roundtrip_missed(roundtrip) ? NULL : &roundtrip->transfer;
    const char *guess = guess_culprit(roundtrip);
    struct dial dial;

    roundtrip_describe(roundtrip, &dial);
    explain_outcome(text, &dial, transfer, time_given(roundtrip));
    if (guess) {
        text_add(text, "; it looks as if ");
        text_add(text, guess);
    }
    if ((roundtrip->outcome == OUTCOME_CLOSED || roundtrip->outcome == OUTCOME_RESET) &&
        roundtrip->length > FRAME_DEFAULT_MAX_BYTES)
        text_add(text, "; the message is over 1 MiB, the limit of a server that was not told "
                       "another");
    return guess;
}
