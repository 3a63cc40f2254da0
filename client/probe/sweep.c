/* SPDX-License-Identifier: MIT */
/* The search for the size of message at which replies stop. */
#include "client/net/explain.h"
#include "client/output.h"
#include "client/probe/probe.h"
#include "common/clock.h"

#include <stdio.h>

/* A size fails after this many tries, so that one lost probe does not mislead. */
#define SWEEP_TRIES 3

#define PATTERN_SIZE 256 /* of messages tried for their text: each pattern is in it whole */

struct sweep {
    struct run *run;
    struct options options; /* of the present message: its pattern is not the user's */
    struct schedule *schedule;
    struct probe_message *message;
    struct sweep_verdict verdict; /* so far; `last` is the present size */
    unsigned never_connected;     /* tries of the present size */
    char hint[128];
    int status;
};

static int on_roundtrip(void *context, const struct roundtrip *roundtrip)
{
    struct sweep *sweep = context;
    struct sweep_size *last = &sweep->verdict.last;
    struct text text;

    last->outcome = roundtrip->outcome;
    last->time = phase_of(roundtrip, PHASE_TIME);
    if (roundtrip->race.lost > 0) /* at other addresses, of which the size knows nothing */
        last->time -= phase_of(roundtrip, PHASE_OTHERS);
    sweep->never_connected += roundtrip_never_connected(roundtrip);
    text_init(&text, last->why, sizeof last->why);
    last->tcp = roundtrip->tcp;
    last->family = roundtrip->target->peers[roundtrip->attempt.peer].name.ss_family;
    last->cause = NULL;
    last->ends_at = 0;
    sweep->verdict.tries++;
    if (roundtrip->outcome == OUTCOME_ECHOED)
        return 0;
    /* A later try makes up for a lost one, but not for a wrong echo. */
    if (outcome_status(roundtrip->outcome) == STATUS_ALTERED) {
        last->altered++;
        sweep->verdict.altered++;
        outcome_raise(&sweep->status, STATUS_ALTERED);
    } else {
        last->chance = roundtrip->outcome;
    }
    last->cause = explain_outcome(&text, roundtrip);
    (void)explain_counts(&text, "; ", roundtrip->tcp.counts);
    if (roundtrip->outcome == OUTCOME_ALTERED &&
        roundtrip->transfer.compared.kind == VERIFY_SHORTER)
        last->ends_at = roundtrip->transfer.compared.offset;
    return 0;
}

/* Sends one probe; false if it was cut short. */
static bool try_once(struct sweep *sweep)
{
    struct target *const targets[] = {&sweep->run->probed->target};
    const struct schedule_plan plan = {
        .targets = targets,
        .target_count = 1,
        .message = sweep->message->bytes,
        .length = sweep->message->length,
        .count = 1,
        .timeout = (int64_t)sweep->run->options->timeout_usec * CLOCK_USEC,
        .until = sweep->run->until,
        .context = sweep,
        .roundtrip = on_roundtrip,
    };
    enum schedule_end end = schedule_run(sweep->schedule, &plan);

    sweep->run->interrupted = end == SCHEDULE_INTERRUPTED;
    return end == SCHEDULE_DONE;
}

/* Tries the size until an echo, SWEEP_TRIES times at most; false if a try was cut short. */
static bool try_size(struct sweep *sweep, size_t size)
{
    struct sweep_size *last = &sweep->verdict.last;

    last->size = size;
    last->altered = 0;
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
        if (verdict->any_fails && last->cause != verdict->fails.cause)
            verdict->causes_differ = true;
        if (!verdict->any_fails || last->size < verdict->fails.size)
            verdict->fails = *last;
        verdict->any_fails = true;
    }
}

/* Counts the tries of the message just tried that failed for no reason in it. */
static void count_chances(struct sweep_verdict *verdict)
{
    const struct sweep_size *last = &verdict->last;

    if (last->altered == last->tries)
        verdict->always_altered += last->altered;
    if (last->outcome != OUTCOME_ECHOED || last->tries - 1 == last->altered)
        return;
    verdict->chances += last->tries - 1 - last->altered;
    verdict->chance = last->chance;
}

/* Returns whether messages of the size come back; false also if the sweep can't go on. */
static bool works(struct sweep *sweep, size_t size)
{
    struct sweep_verdict *verdict = &sweep->verdict;

    verdict->unfinished = true;
    if (probe_message_resize(sweep->message, &sweep->options, size) < 0) {
        output_complain_string("making the message: out of memory");
        sweep->status = STATUS_USAGE;
        return false;
    }
    if (!try_size(sweep, size))
        return false;
    REPORT(sweep->run, size, &verdict->last);
    if (!verdict->last.pattern)
        judge(verdict);
    count_chances(verdict);
    outcome_raise(&sweep->status, outcome_status(verdict->last.outcome));
    /* Without a connection the message is not to blame, and others would fare no better. */
    verdict->unfinished = output_flush(&sweep->status) < 0 || verdict->last.never_connected;
    return verdict->last.outcome == OUTCOME_ECHOED;
}

/* Adds the name of the pattern just tried, if it failed as the first that did. */
static void add_failed_pattern(struct sweep_verdict *verdict, struct text *names)
{
    const struct sweep_size *last = &verdict->last, *first = &verdict->pattern;

    if (!first->pattern)
        verdict->pattern = *last;
    if (last->outcome == first->outcome && last->cause == first->cause)
        text_addf(names, "%s%s", names->length > 0 ? ", " : "", last->pattern);
    else
        verdict->patterns_differ = true;
}

/* Tries a message of each pattern. The sizes are then tried with the first that came back. */
static void try_patterns(struct sweep *sweep)
{
    static const char *const names[] = {"text", "ascii", "utf8", "crlf", "iac", "random:1"};
    struct sweep_verdict *verdict = &sweep->verdict;
    struct pattern *pattern = &sweep->options.probes.pattern, intact = {.name = NULL};
    struct text reason = OUTPUT_SENTENCE; /* has no use, as the names are right */
    struct text failed;

    text_init(&failed, verdict->failed_patterns, sizeof verdict->failed_patterns);
    for (size_t i = 0; i < sizeof names / sizeof *names && !verdict->unfinished; i++) {
        (void)pattern_parse(names[i], pattern, &reason);
        verdict->last.pattern = names[i];
        if (works(sweep, PATTERN_SIZE))
            intact = intact.name ? intact : *pattern;
        else if (!verdict->unfinished)
            add_failed_pattern(verdict, &failed);
        if (verdict->last.outcome != OUTCOME_ECHOED && verdict->last.outcome != OUTCOME_ALTERED &&
            !intact.name)
            break; /* it is not the text */
    }
    verdict->last.pattern = NULL;
    verdict->none_intact = !intact.name;
    *pattern = intact;
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

/* Says which packets may be dropped, and in which direction, as far as TCP knows that; or NULL. */
static const char *packet_hint(struct sweep *sweep)
{
    const struct sweep_size *fails = &sweep->verdict.fails;
    const char *where = fails->tcp.unacknowledged > 0    ? "on the way to the server"
                        : fails->tcp.unacknowledged == 0 ? "on the way back"
                                                         : "on the way";
    /* The headers of IP and TCP. The null byte makes up for the byte that is too much. */
    size_t headers = fails->family == AF_INET6 ? 60 : 40;

    if (fails->tcp.timestamps)
        headers += 12;
    if (fails->size >= fails->tcp.segment) /* its packets are no larger than those of what works */
        return NULL;
    (void)snprintf(sweep->hint, sizeof sweep->hint,
                   "packets over %zu bytes may be dropped %s (path MTU)", headers + fails->size,
                   where);
    return sweep->hint;
}

/* Replies that end at the largest size that works are cut there: what may explain one of them, as
 * that it ends in white space, does not explain all. */
static const char *cut_hint(struct sweep *sweep)
{
    struct sweep_size *fails = &sweep->verdict.fails;

    if (fails->ends_at == 0 || fails->ends_at != sweep->verdict.works)
        return NULL;
    (void)snprintf(fails->why, sizeof fails->why, "%s: the reply is shorter",
                   outcome_word(fails->outcome));
    (void)snprintf(sweep->hint, sizeof sweep->hint, "replies are cut after %zu byte%s",
                   fails->ends_at, explain_plural(fails->ends_at));
    return sweep->hint;
}

/* Returns what may limit the size, or NULL; may make the reason of the smallest that fails plainer.
 */
static const char *hint(struct sweep *sweep)
{
    const struct sweep_verdict *verdict = &sweep->verdict;
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
        return packet_hint(sweep);
    return outcome == OUTCOME_ALTERED && verdict->causes_differ ? cut_hint(sweep) : NULL;
}

static void diagnose_text(struct text *text, const struct sweep_verdict *verdict, bool intact)
{
    const struct sweep_size *pattern = &verdict->pattern;

    if (verdict->last.never_connected)
        text_addf(text, "no connection: %s", verdict->last.why);
    else if (verdict->unfinished && !verdict->any_works && !verdict->any_fails)
        text_add(text, "not finished");
    else if (verdict->none_intact)
        text_addf(text, "no text comes back intact: %s", pattern->why);
    else if (pattern->cause)
        text_addf(text, "some text is altered (%s): %s", verdict->failed_patterns, pattern->cause);
    else if (pattern->pattern)
        text_addf(text, "some text fails (%s): %s", verdict->failed_patterns, pattern->why);
    else
        text_addf(text, "text of every kind comes back%s", intact ? " intact" : "");
    if (verdict->patterns_differ)
        text_add(text, "; other text fails otherwise");
}

/* Says in one sentence what was found. */
static void diagnose(struct sweep_verdict *verdict)
{
    bool intact = verdict->altered == verdict->always_altered;
    struct text text;

    text_init(&text, verdict->diagnosis, sizeof verdict->diagnosis);
    diagnose_text(&text, verdict, intact);
    if (verdict->any_fails)
        text_addf(&text, "; messages of %zu byte%s and more fail: %s", verdict->fails.size,
                  explain_plural(verdict->fails.size),
                  verdict->hint ? verdict->hint : verdict->fails.why);
    else if (verdict->any_works)
        text_addf(&text, "; nothing fails up to %zu byte%s", verdict->works,
                  explain_plural(verdict->works));
    if (verdict->chances > 0)
        text_addf(&text, "; %u of %u tries failed for no reason in the message (%s)",
                  verdict->chances, verdict->tries, outcome_word(verdict->chance));
    if (!intact)
        text_addf(&text, "; %u of %u tries came back altered", verdict->altered, verdict->tries);
}

/* Without an address there is nothing to try. */
static void give_up(struct sweep *sweep)
{
    struct sweep_verdict *verdict = &sweep->verdict;

    verdict->unfinished = verdict->last.never_connected = true;
    (void)snprintf(verdict->last.why, sizeof verdict->last.why, "%s",
                   sweep->run->probed->tally.examples[OUTCOME_UNRESOLVED]);
    sweep->status = outcome_status(OUTCOME_UNRESOLVED);
}

int sweep(struct run *run, struct schedule *schedule, struct probe_message *message)
{
    static struct sweep sweep; /* rather large for a stack */

    sweep = (struct sweep){
        .run = run, .options = *run->options, .schedule = schedule, .message = message};
    REPORT(run, begin);
    if (run->probed->target.count == 0)
        give_up(&sweep);
    else if (run->options->probes.diagnose)
        try_patterns(&sweep);
    if (!sweep.verdict.unfinished && !sweep.verdict.none_intact)
        bisect(&sweep);
    sweep.verdict.hint = hint(&sweep);
    if (run->options->probes.diagnose) {
        diagnose(&sweep.verdict);
        outcome_raise(&sweep.status, sweep.verdict.chances > 0 ? STATUS_FAILED : STATUS_ECHOED);
    }
    REPORT(run, verdict, &sweep.verdict);
    if (sweep.status == STATUS_ECHOED && sweep.verdict.unfinished)
        sweep.status = STATUS_FAILED;
    return sweep.status;
}
