/* SPDX-License-Identifier: MIT */
#include "client/probe/sweep.h"

#include "client/net/explain.h"
#include "client/output.h"
#include "common/clock.h"

#include <stdio.h>

struct sweep {
    struct run *run;
    struct schedule *schedule;
    struct probe_message *message;
    struct sweep_verdict verdict; /* so far; `last` is the present size */
    unsigned never_connected;     /* tries of the present size */
    int status;
};

static int on_roundtrip(void *context, const struct roundtrip *roundtrip)
{
    struct sweep *sweep = context;
    struct sweep_size *last = &sweep->verdict.last;
    struct text text;

    last->outcome = roundtrip->outcome;
    last->time = phase_of(roundtrip, PHASE_TIME);
    sweep->never_connected += roundtrip_never_connected(roundtrip);
    text_init(&text, last->why, sizeof last->why);
    if (roundtrip->outcome != OUTCOME_ECHOED)
        (void)explain_outcome(&text, roundtrip);
    return 0;
}

static int ignore(void *context)
{
    (void)context;
    return 0;
}

/* Sends one probe; false if it was cut short. */
static bool try_once(struct sweep *sweep)
{
    const struct schedule_listener listener = {sweep, on_roundtrip, NULL, ignore};
    const struct schedule_plan plan = {
        .target = &sweep->run->target,
        .message = sweep->message->bytes,
        .length = sweep->message->length,
        .count = 1,
        .timeout = (int64_t)sweep->run->options->timeout_usec * CLOCK_USEC,
        .until = sweep->run->until,
    };
    enum schedule_end end = schedule_run(sweep->schedule, &plan, &listener);

    sweep->run->interrupted = end == SCHEDULE_INTERRUPTED;
    return end == SCHEDULE_DONE;
}

/* Tries the size until an echo, SWEEP_TRIES times at most; false if a try was cut short. */
static bool try_size(struct sweep *sweep, size_t size)
{
    struct sweep_size *last = &sweep->verdict.last;

    last->size = size;
    sweep->never_connected = 0;
    for (last->tries = 1; try_once(sweep); last->tries++)
        if (last->outcome == OUTCOME_ECHOED || last->tries == SWEEP_TRIES) {
            last->never_connected = sweep->never_connected == last->tries;
            return true;
        }
    return false;
}

/* Takes the size just tried into the verdict. */
static void judge(struct sweep_verdict *verdict)
{
    const struct sweep_size *last = &verdict->last;

    if (last->outcome == OUTCOME_ECHOED) {
        if (!verdict->any_works || last->size > verdict->works)
            verdict->works = last->size;
        verdict->any_works = true;
    } else if (!last->never_connected) {
        if (!verdict->any_fails || last->size < verdict->fails.size)
            verdict->fails = *last;
        verdict->any_fails = true;
    }
}

/* Returns whether messages of the size come back; false also if the sweep can't go on. */
static bool works(struct sweep *sweep, size_t size)
{
    struct sweep_verdict *verdict = &sweep->verdict;

    verdict->unfinished = true;
    if (probe_message_resize(sweep->message, sweep->run->options, size) < 0) {
        output_complain_string("making the message: out of memory");
        sweep->status = STATUS_USAGE;
        return false;
    }
    if (!try_size(sweep, size))
        return false;
    REPORT(sweep->run, size, &verdict->last);
    judge(verdict);
    outcome_raise(&sweep->status, outcome_status(verdict->last.outcome));
    /* Without a connection the size is not to blame, and other sizes would fare no better. */
    verdict->unfinished = output_flush(&sweep->status) < 0 || verdict->last.never_connected;
    return verdict->last.outcome == OUTCOME_ECHOED;
}

static void bisect(struct sweep *sweep)
{
    size_t low = sweep->run->options->probes.sweep_from;
    size_t high = sweep->run->options->probes.sweep_to;

    if (!works(sweep, low) || sweep->verdict.unfinished || works(sweep, high))
        return;
    while (!sweep->verdict.unfinished && high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (works(sweep, middle))
            low = middle;
        else
            high = middle;
    }
}

/* Returns what may limit the size, or NULL. */
static const char *hint(const struct sweep_verdict *verdict)
{
    size_t works = verdict->works;
    enum outcome outcome = verdict->fails.outcome;

    if (verdict->last.never_connected || !verdict->any_works || !verdict->any_fails ||
        verdict->fails.size != works + 1)
        return NULL;
    if ((outcome == OUTCOME_CLOSED || outcome == OUTCOME_RESET) && works > 0 &&
        ((works & (works - 1)) == 0 || works % 1000 == 0))
        return "a round number: it may be the server's limit on messages";
    if (outcome == OUTCOME_CLOSED || outcome == OUTCOME_RESET)
        return "the server, or something in front of it, may have a limit on messages";
    if (outcome == OUTCOME_TIMEOUT)
        return "packets over some size may be dropped on the way (path MTU)";
    return NULL;
}

/* Without an address there is nothing to try. */
static void give_up(struct sweep *sweep)
{
    struct sweep_verdict *verdict = &sweep->verdict;

    verdict->unfinished = verdict->last.never_connected = true;
    (void)snprintf(verdict->last.why, sizeof verdict->last.why, "%s",
                   sweep->run->tally.examples[OUTCOME_UNRESOLVED]);
    sweep->status = outcome_status(OUTCOME_UNRESOLVED);
}

int sweep(struct run *run, struct schedule *schedule, struct probe_message *message)
{
    static struct sweep sweep; /* rather large for a stack */

    sweep = (struct sweep){.run = run, .schedule = schedule, .message = message};
    REPORT(run, begin);
    (run->target.count > 0 ? bisect : give_up)(&sweep);
    sweep.verdict.hint = hint(&sweep.verdict);
    REPORT(run, verdict, &sweep.verdict);
    if (sweep.status == STATUS_ECHOED && sweep.verdict.unfinished)
        sweep.status = STATUS_FAILED;
    return sweep.status;
}
