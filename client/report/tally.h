/* SPDX-License-Identifier: MIT */
/* The probes of a run so far: counts by outcome, and durations by phase. */
#ifndef TINCAN_CLIENT_REPORT_TALLY_H
#define TINCAN_CLIENT_REPORT_TALLY_H

#include "client/net/explain.h"
#include "client/net/roundtrip.h"
#include "client/report/histogram.h"
#include "client/report/outages.h"

/* The durations that are measured of a probe. */
enum phase {
    PHASE_OTHERS,     /* from the beginning to the attempt at this address, if others failed */
    PHASE_CONNECT,    /* from there, or the beginning, to the connection */
    PHASE_FIRST_BYTE, /* from there to the first byte of the reply, which includes sending */
    PHASE_COMPLETE,   /* from there to its null byte */
    PHASE_CLOSE,      /* from there to the server's end of the connection */
    PHASE_TIME,       /* from the beginning to the null byte */
    PHASE_SINCE_DUE,  /* from when the probe was due to the null byte */
    PHASE_RTT,        /* the kernel's shortest time from sending to an acknowledgement */
    PHASE_SERVER,     /* the rest of PHASE_FIRST_BYTE */
    PHASE_LATE,       /* from when the probe was due to its beginning */
};

#define PHASE_COUNT (PHASE_LATE + 1)

struct tally {
    uint64_t outcomes[OUTCOME_COUNT];
    uint64_t left_open; /* echoes after which the server did not close the connection */
    uint64_t cut_short; /* probes that the end of the run left without an outcome */
    uint64_t counts[TCP_COUNTS];
    uint64_t probes_hit;                  /* probes that had any of these */
    int64_t begun, ended;                 /* clock_now; `ended` is 0 before */
    struct histogram phases[PHASE_COUNT]; /* of echoed probes; PHASE_LATE of all */
    uint64_t last_answered; /* the highest sequence number that was neither lost nor a local error,
                             * or 0 */
    struct outages outages; /* of probes on a schedule */
    uint64_t example_sequences[OUTCOME_COUNT]; /* of the first probe with the outcome, or 0 */
    char *examples[OUTCOME_COUNT];             /* what explains it, or NULL */
};

/* Returns the phase's name for people, and for JSON and Prometheus; constants. */
const char *phase_word(enum phase phase);
const char *phase_label(enum phase phase);

/* Returns the duration in nanoseconds, or -1 if the round trip did not get so far. */
int64_t phase_of(const struct roundtrip *roundtrip, enum phase phase);

/* Returns the name for JSON and Prometheus of one of a connection's counts; a constant. */
const char *tally_count_label(enum tcp_count count);

/* Begins a tally, all zero but for outcomes, at `begun` (clock_now), with histograms of that
 * precision. The caller ends it with tally_reset(). */
void tally_begin(struct tally *tally, int64_t begun, unsigned precision);

/* Counts a round trip that is over. `why` explains its outcome; it is kept of the first. One
 * without an echo may come before tally_begin(). */
void tally_add(struct tally *tally, const struct roundtrip *roundtrip, const char *why);

/* Adds the outcomes of another. */
void tally_add_outcomes(struct tally *tally, const struct tally *other);

/* Frees what it has, and makes it all zero. */
void tally_reset(struct tally *tally);

/* Returns how many probes have an outcome. */
uint64_t tally_over(const struct tally *tally);

/* Returns how many probes reached the network: all but those that failed on this machine. */
uint64_t tally_sent(const struct tally *tally);

/* Returns how many of those brought an altered echo, or bytes behind it. */
uint64_t tally_altered(const struct tally *tally);

/* Returns how many of those ended without either. */
uint64_t tally_lost(const struct tally *tally);

/* Returns the share of the lost among the probes that reached the network and ended, in percent;
 * NAN if there are none. */
double tally_loss(const struct tally *tally);

/* Returns whether an echo, be it altered, ended the outage, which is one of the tally's. */
bool tally_is_over(const struct tally *tally, const struct outage *outage);

/* Returns its length in nanoseconds. The last of them lasts until `now` unless it is over. */
int64_t tally_outage_nsec(const struct tally *tally, const struct outage *outage, int64_t now);

/* Returns the exit status for the outcomes; STATUS_FAILED if there was no echo. */
int tally_status(const struct tally *tally);

/* Returns the echoes per second until `now`. */
double tally_rate(const struct tally *tally, int64_t now);

/* Returns the outcome with the worst exit status, of several the most frequent. */
enum outcome tally_worst(const struct tally *tally);

#endif
