/* SPDX-License-Identifier: MIT */
/* Sentences about probes without an echo. */
#ifndef TINCAN_CLIENT_PROBE_PROBE_EXPLAIN_H
#define TINCAN_CLIENT_PROBE_PROBE_EXPLAIN_H

#include "client/net/roundtrip.h"
#include "common/text.h"

/*
 * Adds "outcome: details" for a round trip that is over and brought no echo, and the suspected
 * cause of an altered reply. Returns that cause, a constant, or NULL if there is none.
 */
const char *probe_explain(struct text *text, const struct roundtrip *roundtrip);

#endif
