/* SPDX-License-Identifier: MIT */
#include "client/probe/probe_explain.h"

#include "client/net/explain.h"
#include "client/probe/culprit.h"
#include "common/clock.h"
#include "common/frame.h"

static const char *guess_culprit(const struct flight *flight)
{
    const struct converse *talk = &flight->talk;
    size_t tag = talk->compared.tag_length;

    if (flight->outcome == OUTCOME_TRUNCATED)
        return culprit_of_cut(talk->reply_length);
    if (flight->outcome != OUTCOME_ALTERED)
        return NULL;
    return culprit(talk->message, talk->length, talk->reply + tag, talk->reply_length - tag,
                   !talk->complete);
}

/* The time that the flight was given, in microseconds; the last of its digits would tell nobody
 * anything. */
static uint64_t time_given(const struct flight *flight)
{
    uint64_t usec = (uint64_t)((flight->deadline - flight->begun) / CLOCK_USEC);
    uint64_t unit = usec < 1000000 ? 1000 : 10000;

    return (usec + unit / 2) / unit * unit;
}

const char *probe_explain(struct text *text, const struct flight *flight)
{
    const struct converse *talk = flight_missed(flight) ? NULL : &flight->talk;
    const char *guess = guess_culprit(flight);
    struct dial dial;

    flight_describe(flight, &dial);
    explain_outcome(text, &dial, talk, time_given(flight));
    if (guess) {
        text_add(text, "; it looks as if ");
        text_add(text, guess);
    }
    if ((flight->outcome == OUTCOME_CLOSED || flight->outcome == OUTCOME_RESET) &&
        flight->length > FRAME_DEFAULT_MAX_BYTES)
        text_add(text, "; the message is over 1 MiB, the limit of a server that was not told "
                       "another");
    return guess;
}
