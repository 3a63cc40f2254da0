/* SPDX-License-Identifier: MIT */
/* What a run of probes has come to so far: counts by outcome, and durations by phase. */
#ifndef TINCAN_CLIENT_REPORT_TALLY_H
#define TINCAN_CLIENT_REPORT_TALLY_H

#include "client/report/histogram.h"
#include "client/report/phase.h"

/* Room for what is kept of the first failure of each kind. */
#define TALLY_EXAMPLE_SIZE 512

struct tally {
    uint64_t outcomes[OUTCOME_COUNT];
    uint64_t left_open;   /* echoes after which the server did not close the connection */
    uint64_t unfinished;  /* probes that the end of the run cut short */
    int64_t begun, ended; /* clock_now; `ended` is 0 while it goes on */
    int64_t resolve_nsec;
    struct histogram phases[PHASE_COUNT];      /* of echoed probes; lateness of all */
    uint64_t example_sequences[OUTCOME_COUNT]; /* of the first, or 0 */
    char examples[OUTCOME_COUNT][TALLY_EXAMPLE_SIZE];
};

/* Counts a probe that is over. */
void tally_add(struct tally *tally, const struct roundtrip *roundtrip);

/* How many probes reached the network: those that failed on this machine did not. */
uint64_t tally_sent(const struct tally *tally);

/* Of those, how many came to an end without an intact echo. */
uint64_t tally_lost(const struct tally *tally);

/* The share of those lost among those that came to an end, in percent; 0 when there are none. */
double tally_loss(const struct tally *tally);

/* The exit status that the outcomes ask for; STATUS_FAILED when there was not a single echo. */
int tally_status(const struct tally *tally);

/* Echoes a second until `now`. */
double tally_rate(const struct tally *tally, int64_t now);

/* The outcome that is worst for the exit status and, of those, most frequent. */
enum outcome tally_worst(const struct tally *tally);

#endif
