/* SPDX-License-Identifier: MIT */
/* The durations that a probe is made of, as they are measured and reported. */
#ifndef TINCAN_CLIENT_REPORT_PHASE_H
#define TINCAN_CLIENT_REPORT_PHASE_H

#include "client/net/roundtrip.h"

enum phase {
    PHASE_CONNECT,    /* from the beginning to the connection */
    PHASE_FIRST_BYTE, /* from there to the first byte of the reply, sending included */
    PHASE_COMPLETE,   /* from there to its null byte */
    PHASE_CLOSE,      /* from there to the server's end of the connection */
    PHASE_TIME,       /* from the beginning to the null byte */
    PHASE_SINCE_DUE,  /* to the null byte from when the probe was due to begin */
    PHASE_LATE,       /* how much later than that it began */
};

#define PHASE_COUNT (PHASE_LATE + 1)

/* What it is called in text, and in JSON and Prometheus; constants. */
const char *phase_label(enum phase phase);
const char *phase_key(enum phase phase);

/* The duration in nanoseconds, or -1 where the roundtrip did not come to its end. */
int64_t phase_of(const struct roundtrip *roundtrip, enum phase phase);

#endif
