/* SPDX-License-Identifier: MIT */
#include "client/report/tally.h"

#include "common/clock.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *word, *label;
} names[] = {
    [PHASE_OTHERS] = {"others", "others"},
    [PHASE_CONNECT] = {"connect", "connect"},
    [PHASE_FIRST_BYTE] = {"first byte", "first_byte"},
    [PHASE_COMPLETE] = {"complete", "complete"},
    [PHASE_CLOSE] = {"close", "close"},
    [PHASE_TIME] = {"time", "time"},
    [PHASE_SINCE_DUE] = {"since due", "since_due"},
    [PHASE_RTT] = {"rtt", "rtt"},
    [PHASE_SERVER] = {"server", "server"},
    [PHASE_LATE] = {"late", "late"},
};

const char *phase_word(enum phase phase)
{
    return names[phase].word;
}

const char *phase_label(enum phase phase)
{
    return names[phase].label;
}

const char *tally_count_label(enum tcp_count count)
{
    static const char *const labels[] = {"syns_resent", "segments_resent", "out_of_order"};

    return labels[count];
}

static int64_t between(int64_t from, int64_t to)
{
    return from != 0 && to != 0 ? to - from : -1;
}

int64_t phase_of(const struct roundtrip *roundtrip, enum phase phase)
{
    const struct transfer *transfer = &roundtrip->transfer;
    int64_t round_trip = roundtrip->tcp.round_trip;
    int64_t first = between(roundtrip->connected, transfer->first_at);
    bool others = roundtrip->race.lost > 0;

    switch (phase) {
    case PHASE_OTHERS:
        return others ? between(roundtrip->begun, roundtrip->attempt.begun) : -1;
    case PHASE_CONNECT:
        return between(others ? roundtrip->attempt.begun : roundtrip->begun, roundtrip->connected);
    case PHASE_FIRST_BYTE:
        return first;
    case PHASE_COMPLETE:
        return between(transfer->first_at, transfer->replied_at);
    case PHASE_CLOSE:
        return between(transfer->replied_at, transfer->closed_at);
    case PHASE_TIME:
        return between(roundtrip->begun, transfer->replied_at);
    case PHASE_SINCE_DUE:
        return between(roundtrip->due, transfer->replied_at);
    case PHASE_RTT:
        return round_trip;
    case PHASE_SERVER:
        return round_trip < 0 || first < 0 ? -1 : first > round_trip ? first - round_trip : 0;
    case PHASE_LATE:
        break;
    }
    return between(roundtrip->due, roundtrip->begun);
}

static void add_phase(struct tally *tally, const struct roundtrip *roundtrip, enum phase phase)
{
    int64_t nsec = phase_of(roundtrip, phase);

    if (nsec >= 0)
        histogram_add(&tally->phases[phase], nsec);
}

static void add_counts(struct tally *tally, const uint64_t counts[TCP_COUNTS])
{
    bool hit = false;

    for (size_t i = 0; i < TCP_COUNTS; i++) {
        tally->counts[i] += counts[i];
        hit = hit || counts[i] > 0;
    }
    tally->probes_hit += hit;
}

void tally_begin(struct tally *tally, int64_t begun, unsigned precision)
{
    tally->begun = begun;
    for (enum phase phase = 0; phase < PHASE_COUNT; phase++)
        histogram_begin(&tally->phases[phase], precision);
}

void tally_add(struct tally *tally, const struct roundtrip *roundtrip, const char *why)
{
    enum outcome outcome = roundtrip->outcome;

    if (tally->outcomes[outcome]++ == 0 && why) {
        tally->example_sequences[outcome] = roundtrip->sequence;
        tally->examples[outcome] = strdup(why);
    }
    add_counts(tally, roundtrip->tcp.counts);
    if (outcome == OUTCOME_LOCAL)
        return;
    add_phase(tally, roundtrip, PHASE_LATE);
    if (!outcome_is_loss(outcome) && roundtrip->sequence > tally->last_answered)
        tally->last_answered = roundtrip->sequence;
    if (outcome != OUTCOME_ECHOED)
        return;
    tally->left_open += roundtrip->transfer.left_open;
    for (enum phase phase = 0; phase < PHASE_LATE; phase++)
        add_phase(tally, roundtrip, phase);
}

void tally_add_outcomes(struct tally *tally, const struct tally *other)
{
    tally->cut_short += other->cut_short;
    for (enum outcome outcome = 0; outcome < OUTCOME_COUNT; outcome++)
        tally->outcomes[outcome] += other->outcomes[outcome];
}

void tally_reset(struct tally *tally)
{
    for (enum outcome outcome = 0; outcome < OUTCOME_COUNT; outcome++)
        free(tally->examples[outcome]);
    for (enum phase phase = 0; phase < PHASE_COUNT; phase++)
        histogram_free(&tally->phases[phase]);
    memset(tally, 0, sizeof *tally);
}

uint64_t tally_over(const struct tally *tally)
{
    uint64_t count = 0;

    for (enum outcome outcome = 0; outcome < OUTCOME_COUNT; outcome++)
        count += tally->outcomes[outcome];
    return count;
}

uint64_t tally_sent(const struct tally *tally)
{
    return tally_over(tally) - tally->outcomes[OUTCOME_LOCAL] + tally->cut_short;
}

uint64_t tally_altered(const struct tally *tally)
{
    return tally->outcomes[OUTCOME_ALTERED] + tally->outcomes[OUTCOME_EXTRA];
}

uint64_t tally_lost(const struct tally *tally)
{
    uint64_t count = 0;

    for (enum outcome outcome = 0; outcome < OUTCOME_COUNT; outcome++)
        if (outcome_is_loss(outcome))
            count += tally->outcomes[outcome];
    return count;
}

double tally_loss(const struct tally *tally)
{
    uint64_t count = tally_over(tally) - tally->outcomes[OUTCOME_LOCAL];

    return count > 0 ? 100 * (double)tally_lost(tally) / (double)count : NAN;
}

bool tally_is_over(const struct tally *tally, const struct outage *outage)
{
    return outage->last < tally->last_answered;
}

int64_t tally_outage_nsec(const struct tally *tally, const struct outage *outage, int64_t now)
{
    bool last = outage == &tally->outages.list[tally->outages.kept - 1];

    return (last && !tally_is_over(tally, outage) ? now : outage->ended) - outage->begun;
}

int tally_status(const struct tally *tally)
{
    int status = tally->outcomes[OUTCOME_ECHOED] > 0 ? STATUS_ECHOED : STATUS_FAILED;

    outcome_raise(&status, outcome_status(tally_worst(tally)));
    return status;
}

double tally_rate(const struct tally *tally, int64_t now)
{
    double seconds = (double)(now - tally->begun) / (double)CLOCK_SECOND;

    return seconds > 0 ? (double)tally->outcomes[OUTCOME_ECHOED] / seconds : 0;
}

enum outcome tally_worst(const struct tally *tally)
{
    enum outcome worst = OUTCOME_ECHOED;

    for (enum outcome outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
        int more = outcome_status(outcome) - outcome_status(worst);

        if (tally->outcomes[outcome] > 0 &&
            (more > 0 || (more == 0 && tally->outcomes[outcome] > tally->outcomes[worst])))
            worst = outcome;
    }
    return worst;
}
