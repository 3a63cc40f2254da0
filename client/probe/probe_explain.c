/* SPDX-License-Identifier: MIT */
#include "client/probe/probe_explain.h"

#include "client/net/explain.h"
#include "client/probe/cause.h"
#include "common/frame.h"

static const char *suspected_cause(const struct roundtrip *roundtrip)
{
    const struct transfer *transfer = &roundtrip->transfer;
    size_t tag = transfer->compared.tag_length;

    if (roundtrip->outcome == OUTCOME_TRUNCATED)
        return cause_of_cut(transfer->reply_length);
    if (roundtrip->outcome != OUTCOME_ALTERED)
        return NULL;
    return cause_of_change(transfer->message, transfer->length, transfer->reply + tag,
                           transfer->reply_length - tag, !transfer->complete);
}

const char *probe_explain(struct text *text, const struct roundtrip *roundtrip)
{
    const char *cause = suspected_cause(roundtrip);

    explain_outcome(text, roundtrip);
    if (cause)
        text_addf(text, "; it looks as if %s", cause);
    if ((roundtrip->outcome == OUTCOME_CLOSED || roundtrip->outcome == OUTCOME_RESET) &&
        roundtrip->length > FRAME_DEFAULT_MAX_BYTES)
        text_add(text, "; the message is over 1 MiB, the limit of a server that was not told "
                       "another");
    return cause;
}
