/* SPDX-License-Identifier: MIT */
/* Why a probe brought no echo, in words. */
#ifndef TINCAN_CLIENT_PROBE_PROBE_EXPLAIN_H
#define TINCAN_CLIENT_PROBE_PROBE_EXPLAIN_H

#include "client/net/roundtrip.h"
#include "common/text.h"

/*
 * Adds "outcome: details" for a roundtrip that is over, and a guess at what altered its message,
 * which it returns: a constant, or NULL when it was not altered or nobody knows.
 */
const char *probe_explain(struct text *text, const struct roundtrip *roundtrip);

#endif
