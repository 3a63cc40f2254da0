/* SPDX-License-Identifier: MIT */
#include "client/probe/sweep.h"

#include "client/display.h"
#include "client/net/explain.h"
#include "client/output.h"
#include "client/probe/measure.h"
#include "client/probe/probe_explain.h"
#include "client/report/json.h"
#include "common/clock.h"

#include <stdio.h>
#include <string.h>

struct sweep {
    struct schedule *schedule;
    const struct run *run;
    struct probe_message *message;

    /* What came of the size tried last. */
    size_t size;
    unsigned tries;
    enum outcome outcome;
    unsigned misses; /* of the tries, those that were never connected */
    bool missed;     /* and those were all */
    int64_t time;    /* nanoseconds, of an echo */
    char why[EXPLAIN_SIZE], failure_why[EXPLAIN_SIZE]; /* of `outcome` and `failure` */

    size_t works, fails; /* the largest and smallest so far */
    bool any_works, any_fails;
    enum outcome failure; /* at `fails` */
    bool over;            /* it was interrupted, or can't go on */
    int status;
};

static int on_probe(void *context, const struct roundtrip *roundtrip)
{
    struct sweep *sweep = context;
    struct text text;

    sweep->outcome = roundtrip->outcome;
    sweep->misses += roundtrip_never_connected(roundtrip);
    sweep->time = phase_of(roundtrip, PHASE_TIME);
    text_init(&text, sweep->why, sizeof sweep->why);
    if (roundtrip->outcome != OUTCOME_ECHOED)
        probe_explain(&text, roundtrip);
    return 0;
}

static int ignore(void *context)
{
    (void)context;
    return 0;
}

/* Sends one probe; false when that was cut short. */
static bool try_once(struct sweep *sweep)
{
    const struct schedule_listener listener = {sweep, on_probe, NULL, ignore};
    const struct options *options = sweep->run->options;
    const struct schedule_plan plan = {
        .target = sweep->run->target,
        .message = sweep->message->bytes,
        .length = sweep->message->length,
        .count = 1,
        .timeout = (int64_t)options->timeout_usec * CLOCK_USEC,
        .until = sweep->run->until,
    };

    return schedule_run(sweep->schedule, &plan, &listener) == SCHEDULE_DONE;
}

static void print_size_json(const struct sweep *sweep)
{
    fputs("{\"type\":\"size\"", stdout);
    json_count_field("size", sweep->size);
    json_string_field("outcome", outcome_word(sweep->outcome));
    json_count_field("tries", sweep->tries);
    json_milliseconds_field("time_ms", sweep->outcome == OUTCOME_ECHOED ? sweep->time : -1);
    if (sweep->outcome != OUTCOME_ECHOED)
        json_string_field("why", sweep->why);
    fputs("}\n", stdout);
}

static void print_size(const struct sweep *sweep)
{
    if (sweep->run->options->quiet)
        return;
    if (sweep->run->options->probe.json) {
        print_size_json(sweep);
        return;
    }
    printf("%10zu bytes  ", sweep->size);
    if (sweep->outcome == OUTCOME_ECHOED)
        printf("echoed  time=%.3f", report_milliseconds(sweep->time));
    else
        fputs(outcome_word(sweep->outcome), stdout);
    if (sweep->tries > 1)
        printf(sweep->outcome == OUTCOME_ECHOED ? "  (at try %u)" : "  (%u tries)", sweep->tries);
    putchar('\n');
}

static void note(struct sweep *sweep)
{
    bool works = sweep->outcome == OUTCOME_ECHOED;

    if (works && (!sweep->any_works || sweep->size > sweep->works))
        sweep->works = sweep->size;
    if (!works && !sweep->missed && (!sweep->any_fails || sweep->size < sweep->fails)) {
        sweep->fails = sweep->size;
        sweep->failure = sweep->outcome;
        memcpy(sweep->failure_why, sweep->why, sizeof sweep->why);
    }
    sweep->any_works |= works;
    sweep->any_fails |= !works && !sweep->missed;
    outcome_raise(&sweep->status, outcome_status(sweep->outcome));
}

/* Whether messages of the size come back; false too when it is over. */
static bool works(struct sweep *sweep, size_t size)
{
    sweep->size = size;
    sweep->misses = 0;
    if (probe_message_resize(sweep->message, sweep->run->options, size) < 0) {
        output_complain_string("making the message: out of memory");
        sweep->status = STATUS_USAGE;
        sweep->over = true;
        return false;
    }
    for (sweep->tries = 1;; sweep->tries++) {
        if (!try_once(sweep)) {
            sweep->over = true;
            return false;
        }
        if (sweep->outcome == OUTCOME_ECHOED || sweep->tries == SWEEP_TRIES)
            break;
    }
    sweep->missed = sweep->misses == sweep->tries;
    print_size(sweep);
    note(sweep);
    /* Where nobody can be connected to, the size is not to blame, and others would fare no better.
     */
    sweep->over = output_flush(&sweep->status) < 0 || sweep->missed;
    return sweep->outcome == OUTCOME_ECHOED;
}

static void bisect(struct sweep *sweep)
{
    size_t low = sweep->run->options->probe.sweep_from;
    size_t high = sweep->run->options->probe.sweep_to;

    if (!works(sweep, low) || sweep->over || works(sweep, high))
        return;
    while (!sweep->over && high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (works(sweep, middle))
            low = middle;
        else
            high = middle;
    }
}

/* What may be behind the size at which it stops; a possibility, or NULL. */
static const char *hint(const struct sweep *sweep)
{
    size_t works = sweep->works;

    if (sweep->missed || !sweep->any_works || !sweep->any_fails || sweep->fails != works + 1)
        return NULL;
    if ((sweep->failure == OUTCOME_CLOSED || sweep->failure == OUTCOME_RESET) && works > 0 &&
        ((works & (works - 1)) == 0 || works % 1000 == 0))
        return "a round number: it may be the server's limit on messages";
    if (sweep->failure == OUTCOME_CLOSED || sweep->failure == OUTCOME_RESET)
        return "the server, or something in front of it, may have a limit on messages";
    if (sweep->failure == OUTCOME_TIMEOUT)
        return "packets over some size may be dropped on the way (path MTU)";
    return NULL;
}

static void print_verdict_json(const struct sweep *sweep)
{
    const char *why = hint(sweep);

    fputs("{\"type\":\"sweep\"", stdout);
    json_string_field("target", sweep->run->target->address->text);
    if (sweep->any_works)
        json_count_field("largest_that_works", sweep->works);
    if (sweep->any_fails) {
        json_count_field("smallest_that_fails", sweep->fails);
        json_string_field("outcome", outcome_word(sweep->failure));
    }
    if (why)
        json_string_field("hint", why);
    if (sweep->missed)
        json_string_field("not_connected", sweep->why);
    printf(",\"interrupted\":%s}\n", sweep->over ? "true" : "false");
}

void sweep_print_unresolved(const struct run *run, const char *why)
{
    static struct sweep sweep; /* rather large for a stack */

    sweep = (struct sweep){.run = run, .missed = true, .over = true};
    (void)snprintf(sweep.why, sizeof sweep.why, "%s", why);
    print_verdict_json(&sweep);
}

static void print_why(const char *why)
{
    display(stdout, why, strlen(why), false);
    putchar('\n');
}

static void print_verdict(const struct sweep *sweep)
{
    const char *guess = hint(sweep), *word = outcome_word(sweep->failure);

    fputs("--- ", stdout);
    display(stdout, report_peer(sweep->run), strlen(report_peer(sweep->run)), false);
    fputs(sweep->over ? " --- (not finished)\n" : " ---\n", stdout);
    if (sweep->any_works && sweep->any_fails)
        printf("the largest that works: %zu bytes; the smallest that fails: %zu bytes (%s)\n",
               sweep->works, sweep->fails, word);
    else if (sweep->any_works && sweep->over)
        printf("the largest that works: %zu bytes\n", sweep->works);
    else if (sweep->any_works)
        printf("nothing fails up to %zu bytes\n", sweep->works);
    else if (sweep->any_fails)
        printf("nothing works, not even %zu bytes (%s)\n", sweep->fails, word);
    if (sweep->any_fails)
        print_why(sweep->failure_why);
    if (sweep->missed) {
        printf("could not connect at %zu bytes: nothing is known of this size\n", sweep->size);
        print_why(sweep->why);
    }
    if (guess)
        printf("%s\n", guess);
}

int sweep(struct schedule *schedule, const struct run *run, struct probe_message *message)
{
    static struct sweep sweep;
    const struct options *options = run->options;

    sweep = (struct sweep){.schedule = schedule, .run = run, .message = message};
    if (!options->quiet && !options->probe.json) {
        fputs("Sweeping ", stdout);
        display(stdout, report_peer(run), strlen(report_peer(run)), false);
        printf(" from %zu to %zu bytes of %s; times in ms\n", options->probe.sweep_from,
               options->probe.sweep_to, run->pattern);
    }
    bisect(&sweep);
    (options->probe.json ? print_verdict_json : print_verdict)(&sweep);
    if (sweep.status == STATUS_ECHOED && sweep.over)
        sweep.status = STATUS_FAILED;
    return sweep.status;
}
