/* SPDX-License-Identifier: MIT */
#include "client/report/tally.h"

#include "common/clock.h"

void tally_add(struct tally *tally, const struct roundtrip *roundtrip)
{
    tally->outcomes[roundtrip->outcome]++;
    if (roundtrip->outcome != OUTCOME_LOCAL)
        histogram_add(&tally->phases[PHASE_LATE], phase_of(roundtrip, PHASE_LATE));
    if (roundtrip->outcome != OUTCOME_ECHOED)
        return;
    tally->left_open += roundtrip->transfer.left_open;
    for (enum phase phase = 0; phase < PHASE_LATE; phase++) {
        int64_t nsec = phase_of(roundtrip, phase);

        if (nsec >= 0)
            histogram_add(&tally->phases[phase], nsec);
    }
}

static uint64_t finished(const struct tally *tally)
{
    uint64_t count = 0;

    for (enum outcome outcome = 0; outcome < OUTCOME_COUNT; outcome++)
        if (outcome != OUTCOME_LOCAL)
            count += tally->outcomes[outcome];
    return count;
}

uint64_t tally_sent(const struct tally *tally)
{
    return finished(tally) + tally->unfinished;
}

uint64_t tally_lost(const struct tally *tally)
{
    return finished(tally) - tally->outcomes[OUTCOME_ECHOED];
}

double tally_loss(const struct tally *tally)
{
    uint64_t count = finished(tally);

    return count > 0 ? 100 * (double)tally_lost(tally) / (double)count : 0;
}

int tally_status(const struct tally *tally)
{
    int status = tally->outcomes[OUTCOME_ECHOED] > 0 ? STATUS_ECHOED : STATUS_FAILED;

    for (enum outcome outcome = 0; outcome < OUTCOME_COUNT; outcome++)
        if (tally->outcomes[outcome] > 0 && outcome_status(outcome) > status)
            status = outcome_status(outcome);
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
