/* SPDX-License-Identifier: MIT */
#include "client/report/phase.h"

const char *phase_label(enum phase phase)
{
    static const char *const labels[] = {
        [PHASE_CONNECT] = "connect",   [PHASE_FIRST_BYTE] = "first byte",
        [PHASE_COMPLETE] = "complete", [PHASE_CLOSE] = "close",
        [PHASE_TIME] = "time",         [PHASE_SINCE_DUE] = "since due",
        [PHASE_LATE] = "late",
    };

    return labels[phase];
}

const char *phase_key(enum phase phase)
{
    static const char *const keys[] = {
        [PHASE_CONNECT] = "connect",   [PHASE_FIRST_BYTE] = "first_byte",
        [PHASE_COMPLETE] = "complete", [PHASE_CLOSE] = "close",
        [PHASE_TIME] = "time",         [PHASE_SINCE_DUE] = "since_due",
        [PHASE_LATE] = "late",
    };

    return keys[phase];
}

static int64_t between(int64_t from, int64_t to)
{
    return from != 0 && to != 0 ? to - from : -1;
}

int64_t phase_of(const struct roundtrip *roundtrip, enum phase phase)
{
    const struct transfer *transfer = &roundtrip->transfer;

    switch (phase) {
    case PHASE_CONNECT:
        return between(roundtrip->begun, roundtrip->connected);
    case PHASE_FIRST_BYTE:
        return between(roundtrip->connected, transfer->first_at);
    case PHASE_COMPLETE:
        return between(transfer->first_at, transfer->replied_at);
    case PHASE_CLOSE:
        return between(transfer->replied_at, transfer->closed_at);
    case PHASE_TIME:
        return between(roundtrip->begun, transfer->replied_at);
    case PHASE_SINCE_DUE:
        return between(roundtrip->due, transfer->replied_at);
    case PHASE_LATE:
        break;
    }
    return between(roundtrip->due, roundtrip->begun);
}
