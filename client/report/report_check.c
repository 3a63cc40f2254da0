/* SPDX-License-Identifier: MIT */
#include "client/display.h"
#include "client/output.h"
#include "client/report/report.h"
#include "common/clock.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Exit statuses of monitoring plugins. */
enum { OK, WARNING, CRITICAL, UNKNOWN };

static const char *word(int status)
{
    static const char *const words[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};

    return words[status];
}

/* Returns the mean time of echoes in ms, without what was lost on addresses that failed; or NAN. */
static double average_time(const struct tally *tally)
{
    const struct histogram *time = &tally->phases[PHASE_TIME];
    double nsec = time->sum - tally->phases[PHASE_OTHERS].sum;

    return time->count > 0 ? nsec / (double)time->count / (double)CLOCK_MSEC : NAN;
}

/* Returns whether the value is beyond the limit; one that is not known is not. */
static bool exceeded(struct probe_limit limit, double value)
{
    return limit.given && !isnan(value) &&
           (value < limit.low || value > limit.high) != limit.inside;
}

/* Returns the limit of loss for a warning: 0 if no limit of loss is given. */
static struct probe_limit loss_limit(const struct probe_options *options)
{
    struct probe_limit limit = options->warning_loss;

    limit.given = limit.given || !options->critical_loss.given;
    return limit;
}

static int target_status(const struct run *run, const struct probed *probed)
{
    const struct probe_options *options = &run->options->probes;
    const struct tally *tally = &probed->tally;
    double loss = tally_loss(tally), time = average_time(tally);
    /* Without a count some probes are always running at the end. */
    bool missing = options->count > 0 && report_unfinished(run, probed) > 0;

    if (tally_altered(tally) > 0)
        return CRITICAL;
    if (run->interrupted || run->failed)
        return UNKNOWN;
    if (exceeded(options->critical_loss, loss) || exceeded(options->critical, time))
        return CRITICAL;
    if (tally->outcomes[OUTCOME_ECHOED] == 0)
        return tally_sent(tally) > 0 ? CRITICAL : UNKNOWN;
    if (run->status == STATUS_USAGE)
        return UNKNOWN;
    if (missing || exceeded(loss_limit(options), loss) || exceeded(options->warning, time))
        return WARNING;
    return tally->outcomes[OUTCOME_LOCAL] > 0 ? UNKNOWN : OK;
}

/* Returns the target with the worst status, the first of several. */
static const struct probed *find_worst(const struct run *run)
{
    static const int ranks[] = {[UNKNOWN] = 1, [WARNING] = 2, [CRITICAL] = 3};
    const struct probed *worst = run->probed;

    for (size_t i = 1; i < run->count; i++)
        if (ranks[target_status(run, &run->probed[i])] > ranks[target_status(run, worst)])
            worst = &run->probed[i];
    return worst;
}

int report_check_status(const struct run *run)
{
    return target_status(run, find_worst(run));
}

/* Prints the string on this line, without the characters in `other`: blanks stand for them. */
static void print_without(const char *string, const char *other)
{
    while (*string) {
        size_t length = strcspn(string, other);

        display(stdout, string, length, false);
        string += length;
        if (*string) {
            putchar(' ');
            string++;
        }
    }
}

static void print_plain(const char *string)
{
    print_without(string, "|");
}

static void print_also(const char *string)
{
    fputs("; ", stdout);
    print_plain(string);
}

int report_check_refusal(const char *why)
{
    printf("TINCAN %s - ", word(UNKNOWN));
    print_plain(why);
    putchar('\n');
    return UNKNOWN;
}

/* Prints the range as monitoring plugins write it; nothing if it was not given. */
static void print_range(struct probe_limit limit)
{
    if (!limit.given)
        return;
    fputs(limit.inside ? "@" : "", stdout);
    if (isinf(limit.low))
        fputs("~:", stdout);
    else if (limit.low != 0 || isinf(limit.high))
        printf("%.10g:", limit.low);
    if (!isinf(limit.high))
        printf("%.10g", limit.high);
}

static void print_limit(struct probe_limit limit)
{
    putchar(';');
    print_range(limit);
}

/* Names the option, "critical" or "warning" and `what`, whose limit the value exceeds. */
static void print_exceeded(struct probe_limit warning, struct probe_limit critical,
                           const char *what, double value)
{
    bool worse = exceeded(critical, value);

    if (!worse && !exceeded(warning, value))
        return;
    printf("; exceeds --%s%s=", worse ? "critical" : "warning", what);
    print_range(worse ? critical : warning);
}

/* Prints the beginning of a performance value; quotes and `=` would end its label. */
static void begin_value(const struct run *run, const struct probed *probed, const char *label)
{
    fputs(" '", stdout);
    if (run->options->probes.many) {
        print_without(probed->address.text, "|'=");
        putchar(' ');
    }
    printf("%s'=", label);
}

static void print_performance(const struct run *run, const struct probed *probed)
{
    const struct probe_options *options = &run->options->probes;
    const struct tally *tally = &probed->tally;

    begin_value(run, probed, "time");
    if (tally->outcomes[OUTCOME_ECHOED] > 0)
        printf("%.3fms", average_time(tally));
    else
        putchar('U');
    print_limit(options->warning);
    print_limit(options->critical);
    fputs(";0;", stdout);
    begin_value(run, probed, "loss");
    if (isnan(tally_loss(tally)))
        putchar('U');
    else
        printf("%.10g%%", tally_loss(tally));
    print_limit(loss_limit(options));
    print_limit(options->critical_loss);
    fputs(";0;100", stdout);
    for (enum phase phase = 0; phase < PHASE_TIME; phase++) {
        if (tally->phases[phase].count == 0)
            continue;
        begin_value(run, probed, phase_label(phase));
        printf("%.3fms;;;0;", tally->phases[phase].mean / (double)CLOCK_MSEC);
    }
}

/* Prints what a target's probes brought, and why. */
static void print_target(const struct run *run, const struct probed *probed)
{
    const struct probe_options *options = &run->options->probes;
    const struct tally *tally = &probed->tally;
    enum outcome worst = tally_worst(tally);
    uint64_t unfinished = report_unfinished(run, probed);
    const char *why = tally->examples[worst] ? tally->examples[worst] : outcome_word(worst);
    struct text counts = OUTPUT_SENTENCE, failures = OUTPUT_SENTENCE;

    if (tally->outcomes[OUTCOME_UNRESOLVED] > 0 && !run->options->probes.many) {
        print_plain(why);
        return;
    }
    printf("%" PRIu64 " of %" PRIu64 " echoed by ", tally->outcomes[OUTCOME_ECHOED],
           tally_over(tally) + unfinished);
    print_plain(run->options->probes.many ? probed->address.text : report_peer(probed));
    if (tally->outcomes[OUTCOME_ECHOED] > 0) {
        printf(" in %.3f ms on average", average_time(tally));
        print_exceeded(options->warning, options->critical, "", average_time(tally));
    }
    print_exceeded(options->warning_loss, options->critical_loss, "-loss", tally_loss(tally));
    if (worst != OUTCOME_ECHOED)
        print_also(why);
    if (explain_counts(&counts, "; ", tally->counts))
        printf("%s, in %" PRIu64 " probe%s", counts.start, tally->probes_hit,
               explain_plural(tally->probes_hit));
    if (explain_failed_addresses(&failures, &probed->target))
        print_also(failures.start);
    if (unfinished > 0)
        printf("; %" PRIu64 " unfinished", unfinished);
    if (run->interrupted)
        fputs("; interrupted", stdout);
}

static void end(struct run *run)
{
    const struct probed *worst = find_worst(run);
    size_t good = 0;

    for (size_t i = 0; i < run->count; i++)
        good += target_status(run, &run->probed[i]) == OK;
    printf("TINCAN %s - ", word(report_check_status(run)));
    if (run->options->probes.many)
        printf("%zu of %zu target%s OK%s", good, run->count, explain_plural(run->count),
               good < run->count ? "; the worst: " : "");
    if (!run->options->probes.many || good < run->count)
        print_target(run, worst);
    if (run->failure[0] != '\0')
        print_also(run->failure);
    /* A single name that has no address has no values. */
    if (run->options->probes.many || run->probed->target.count > 0)
        fputs(" |", stdout);
    for (size_t i = 0; i < run->count; i++)
        if (run->options->probes.many || run->probed[i].target.count > 0)
            print_performance(run, &run->probed[i]);
    putchar('\n');
    /* The lines after the first are for those who look at the details. */
    for (size_t i = 0; run->options->probes.many && i < run->count; i++) {
        int status = target_status(run, &run->probed[i]);

        if (status == OK)
            continue;
        printf("%s - ", word(status));
        print_target(run, &run->probed[i]);
        putchar('\n');
    }
}

const struct report report_check = {.end = end};
