/* SPDX-License-Identifier: MIT */
#include "client/report/report.h"
#include "common/clock.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static const char *word(int status)
{
    static const char *const words[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};

    return words[status];
}

static double average_time(const struct tally *tally)
{
    return tally->phases[PHASE_TIME].mean / (double)CLOCK_MSEC;
}

static bool exceeded(struct probe_limit limit, double value)
{
    return limit.given && (value < limit.low || value > limit.high) != limit.inside;
}

/* Returns the limit of loss for a warning: 0 if no limit of loss is given. */
static struct probe_limit loss_limit(const struct probe_options *options)
{
    struct probe_limit limit = options->warning_loss;

    limit.given = limit.given || !options->critical_loss.given;
    return limit;
}

int report_check_status(const struct run *run)
{
    const struct probe_options *options = &run->options->probes;
    const struct tally *tally = &run->tally;
    double loss = tally_loss(tally), time = average_time(tally);
    bool any = tally->outcomes[OUTCOME_ECHOED] > 0;
    /* Without a count some probes are always running at the end. */
    bool missing = options->count > 0 && report_unfinished(run) > 0;

    if (run->status == STATUS_USAGE)
        return REPORT_CHECK_UNKNOWN;
    if (tally_altered(tally) > 0)
        return REPORT_CHECK_CRITICAL;
    if (run->interrupted)
        return REPORT_CHECK_UNKNOWN;
    if (exceeded(options->critical_loss, loss) || (any && exceeded(options->critical, time)))
        return REPORT_CHECK_CRITICAL;
    if (!any)
        return tally_sent(tally) > 0 ? REPORT_CHECK_CRITICAL : REPORT_CHECK_UNKNOWN;
    if (missing || exceeded(loss_limit(options), loss) || exceeded(options->warning, time))
        return REPORT_CHECK_WARNING;
    return tally->outcomes[OUTCOME_LOCAL] > 0 ? REPORT_CHECK_UNKNOWN : REPORT_CHECK_OK;
}

/* Prints the string so that nothing in it ends the line or begins the performance data. */
static void print_plain(const char *string)
{
    for (; *string; string++)
        putchar((unsigned char)*string < 0x20 || *string == 0x7f || *string == '|' ? ' ' : *string);
}

void report_check_failure(int status, const char *why)
{
    printf("TINCAN %s - ", word(status));
    print_plain(why);
    putchar('\n');
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

static void print_performance(const struct run *run)
{
    const struct probe_options *options = &run->options->probes;
    const struct tally *tally = &run->tally;

    if (tally->outcomes[OUTCOME_ECHOED] > 0)
        printf(" | 'time'=%.3fms", average_time(tally));
    else
        fputs(" | 'time'=U", stdout);
    print_limit(options->warning);
    print_limit(options->critical);
    printf(";0; 'loss'=%.10g%%", tally_loss(tally));
    print_limit(loss_limit(options));
    print_limit(options->critical_loss);
    fputs(";0;100", stdout);
    for (enum phase phase = 0; phase < PHASE_TIME; phase++)
        if (tally->phases[phase].count > 0)
            printf(" '%s'=%.3fms;;;0;", phase_label(phase),
                   tally->phases[phase].mean / (double)CLOCK_MSEC);
    putchar('\n');
}

static void end(struct run *run)
{
    const struct probe_options *options = &run->options->probes;
    const struct tally *tally = &run->tally;
    enum outcome worst = tally_worst(tally);
    uint64_t unfinished = report_unfinished(run);
    uint64_t all =
        tally_sent(tally) - tally->cut_short + unfinished + tally->outcomes[OUTCOME_LOCAL];
    char buffer[EXPLAIN_SIZE];
    struct text text;

    text_init(&text, buffer, sizeof buffer);
    if (tally->outcomes[OUTCOME_UNRESOLVED] > 0) {
        report_check_failure(report_check_status(run), tally->examples[OUTCOME_UNRESOLVED]);
        return;
    }
    printf("TINCAN %s - %" PRIu64 " of %" PRIu64 " echoed by ", word(report_check_status(run)),
           tally->outcomes[OUTCOME_ECHOED], all);
    print_plain(report_peer(run));
    if (tally->outcomes[OUTCOME_ECHOED] > 0)
        printf(" in %.3f ms on average", average_time(tally));
    if (tally->outcomes[OUTCOME_ECHOED] > 0)
        print_exceeded(options->warning, options->critical, "", average_time(tally));
    print_exceeded(options->warning_loss, options->critical_loss, "-loss", tally_loss(tally));
    if (worst != OUTCOME_ECHOED) {
        fputs("; ", stdout);
        print_plain(tally->examples[worst]);
    }
    if (explain_counts(&text, tally->counts))
        printf("; %s, in %" PRIu64 " probe%s", buffer, tally->probes_hit,
               tally->probes_hit == 1 ? "" : "s");
    text_init(&text, buffer, sizeof buffer);
    if (explain_failed_addresses(&text, &run->target)) {
        fputs("; ", stdout);
        print_plain(text.start);
    }
    if (unfinished > 0)
        printf("; %" PRIu64 " unfinished", unfinished);
    if (run->interrupted)
        fputs("; interrupted", stdout);
    print_performance(run);
}

const struct report report_check = {.end = end};
