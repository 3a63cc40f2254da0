/* SPDX-License-Identifier: MIT */
/* Sentences about round trips: what was attempted, on what, how it failed, and what may help. */
#ifndef TINCAN_CLIENT_NET_EXPLAIN_H
#define TINCAN_CLIENT_NET_EXPLAIN_H

#include "client/net/roundtrip.h"
#include "common/text.h"

/* Room for any of the sentences. */
#define EXPLAIN_SIZE 1024

/* Returns what to put behind the noun that `count` stands in front of: "s", or nothing. */
const char *explain_plural(uint64_t count);

/* About a server that does not close the connection. */
extern const char explain_left_open[];

/* Adds "failed address PEER: outcome in 2 probes, which lost 0.500 s" for each address that failed
 * of a target that has several. Returns whether there is one. */
bool explain_failed_addresses(struct text *text, const struct target *target);

/* Adds `before` and "2 SYNs sent again, 1 segment out of order", whatever there is. Returns whether
 * there is. */
bool explain_counts(struct text *text, const char *before, const uint64_t counts[TCP_COUNTS]);

/* Adds what was attempted last, and on what: "connecting to PEER". */
void explain_attempt(struct text *text, const struct roundtrip *roundtrip);

/* Adds "ATTEMPT: outcome: details" for a round trip that is over and brought no echo. */
void explain_roundtrip(struct text *text, const struct roundtrip *roundtrip);

/*
 * Adds "outcome: details", for where it is plain what was attempted, and the suspected cause of an
 * altered reply; without what explain_counts() adds. Returns that cause, a constant, or NULL if
 * there is none.
 */
const char *explain_outcome(struct text *text, const struct roundtrip *roundtrip);

#endif
