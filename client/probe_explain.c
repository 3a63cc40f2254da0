/* SPDX-License-Identifier: MIT */
#include "probe_explain.h"

#include "../handler/frame.h"
#include "clock.h"
#include "culprit.h"
#include "explain.h"

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

const char *probe_explain(struct text *text, const struct flight *flight)
{
    const struct converse *talk = flight_missed(flight) ? NULL : &flight->talk;
    const char *guess = guess_culprit(flight);
    struct dial dial;

    flight_describe(flight, &dial);
    explain_outcome(text, &dial, talk, (uint64_t)((flight->deadline - flight->begun) / CLOCK_USEC));
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
