/* SPDX-License-Identifier: MIT */
#include "client/report/report.h"
#include "common/clock.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* Prints the string with its quotes, escaped if it is not UTF-8. */
static void json_string(const char *string)
{
    putchar('"');
    for (string = report_utf8(string); *string; string++) {
        unsigned char byte = (unsigned char)*string;

        if (byte == '"' || byte == '\\')
            printf("\\%c", byte);
        else if (byte < 0x20 || byte == 0x7f)
            printf("\\u%04x", byte);
        else
            putchar(byte);
    }
    putchar('"');
}

static void name_field(const char *name)
{
    printf(",\"%s\":", name);
}

/* Each of these prints a comma, the name, a colon and the value. */

static void json_string_field(const char *name, const char *value)
{
    name_field(name);
    json_string(value);
}

static void json_count_field(const char *name, uint64_t value)
{
    name_field(name);
    printf("%" PRIu64, value);
}

static void json_boolean_field(const char *name, bool value)
{
    name_field(name);
    fputs(value ? "true" : "false", stdout);
}

/* Prints null for what is not a number. */
static void json_number_field(const char *name, double value)
{
    name_field(name);
    printf(isnan(value) ? "null" : "%.6f", value);
}

/* Prints milliseconds to the nanosecond, or null for a negative value. */
static void json_milliseconds_field(const char *name, int64_t nsec)
{
    name_field(name);
    if (nsec < 0)
        fputs("null", stdout);
    else
        printf("%" PRId64 ".%06" PRId64, (nsec / 1000000), (nsec % 1000000));
}

static void begin_target(const struct run *run, const struct probed *probed)
{
    const struct target *target = &probed->target;

    fputs("{\"type\":\"begin\"", stdout);
    json_string_field("target", target->address->text);
    fputs(",\"peers\":[", stdout);
    for (size_t i = 0; i < target->count; i++) {
        fputs(i == 0 ? "" : ",", stdout);
        json_string(target->peers[i].text);
    }
    putchar(']');
    json_milliseconds_field("resolve_ms", target->resolve_nsec);
    json_count_field("size", run->length);
    json_string_field("pattern", run->pattern);
    json_number_field("at", report_since_1970(clock_now()));
    fputs("}\n", stdout);
}

static void begin(struct run *run)
{
    if (run->options->quiet || run->options->probes.sweep)
        return;
    for (size_t i = 0; i < run->count; i++)
        begin_target(run, &run->probed[i]);
}

static void print_counts(const uint64_t counts[TCP_COUNTS])
{
    for (enum tcp_count i = 0; i < TCP_COUNTS; i++)
        json_count_field(tally_count_label(i), counts[i]);
}

static void print_phases(const struct roundtrip *roundtrip)
{
    for (enum phase phase = 0; phase < PHASE_COUNT; phase++) {
        char name[32];

        (void)snprintf(name, sizeof name, "%s_ms", phase_label(phase));
        json_milliseconds_field(name, phase_of(roundtrip, phase));
    }
}

/* Prints which byte was altered and into what, null where one of the texts has ended. */
static void print_alteration(const struct roundtrip *roundtrip, const char *cause)
{
    const struct verify *compared = &roundtrip->transfer.compared;

    if (roundtrip->outcome == OUTCOME_ALTERED) {
        json_count_field("offset", compared->offset);
        if (compared->kind == VERIFY_DIFFERS) {
            json_count_field("sent", compared->sent);
            json_count_field("received", compared->received);
        } else {
            fputs(",\"sent\":null,\"received\":null", stdout);
        }
    }
    if (cause)
        json_string_field("suspected_cause", cause);
}

static void print_roundtrip(struct run *run, const struct roundtrip *roundtrip, const char *why,
                            const char *cause)
{
    (void)run;
    fputs("{\"type\":\"probe\"", stdout);
    json_string_field("target", roundtrip->target->address->text);
    json_count_field("seq", roundtrip->sequence);
    json_number_field("at", report_since_1970(roundtrip->begun));
    if (roundtrip->target->count > 0)
        json_string_field("peer", roundtrip->target->peers[roundtrip->attempt.peer].text);
    json_count_field("size", roundtrip->length);
    json_string_field("outcome", outcome_label(roundtrip->outcome));
    print_phases(roundtrip);
    print_counts(roundtrip->tcp.counts);
    if (roundtrip->tcp.unacknowledged >= 0)
        json_count_field("unacknowledged", (uint64_t)roundtrip->tcp.unacknowledged);
    if (why) {
        print_alteration(roundtrip, cause);
        json_string_field("why", why);
    }
    fputs("}\n", stdout);
}

static void print_statistics(const char *name, const struct histogram *histogram)
{
    static const struct {
        const char *name;
        double share;
    } quantiles[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}};

    printf("\"%s\":{\"count\":%" PRIu64, name, histogram->count);
    json_milliseconds_field("min", histogram->least);
    json_number_field("avg", histogram->mean / (double)CLOCK_MSEC);
    json_milliseconds_field("max", histogram->greatest);
    json_number_field("stddev", histogram_deviation(histogram) / (double)CLOCK_MSEC);
    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++)
        json_milliseconds_field(quantiles[i].name,
                                histogram_quantile(histogram, quantiles[i].share));
    putchar('}');
}

static void print_all_statistics(const struct tally *tally)
{
    const char *before = "";

    fputs(",\"ms\":{", stdout);
    for (enum phase phase = 0; phase < PHASE_COUNT; phase++) {
        if (tally->phases[phase].count == 0)
            continue;
        fputs(before, stdout);
        print_statistics(phase_label(phase), &tally->phases[phase]);
        before = ",";
    }
    putchar('}');
}

/* Prints the cells that are not empty: from, to (both in ms), count. */
static void print_cells(const struct histogram *histogram)
{
    const char *before = "";

    fputs(",\"histogram\":[", stdout);
    for (size_t cell = 0; cell < histogram_cells(histogram); cell++) {
        if (histogram_cell(histogram, cell) == 0)
            continue;
        printf("%s[%.6f,%.6f,%" PRIu64 "]", before,
               report_milliseconds(histogram_cell_start(histogram, cell)),
               report_milliseconds(histogram_cell_start(histogram, cell + 1)),
               histogram_cell(histogram, cell));
        before = ",";
    }
    putchar(']');
}

static void print_outcomes(const struct tally *tally)
{
    const char *before = "";

    fputs(",\"outcomes\":{", stdout);
    for (enum outcome outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
        if (tally->outcomes[outcome] == 0)
            continue;
        printf("%s\"%s\":%" PRIu64, before, outcome_label(outcome), tally->outcomes[outcome]);
        before = ",";
    }
    putchar('}');
}

/* Prints the addresses that failed, of a target that has several. */
static void print_failed_addresses(const struct target *target)
{
    const char *before = "";

    fputs(",\"failed_addresses\":[", stdout);
    for (size_t i = 0; i < target->count; i++) {
        const struct target_peer *peer = &target->peers[i];

        if (peer->failures == 0)
            continue;
        printf("%s{\"peer\":", before);
        json_string(peer->text);
        json_string_field("outcome", outcome_label(peer->last_failure));
        json_count_field("probes", peer->failures);
        json_milliseconds_field("lost_ms", peer->lost_nsec);
        putchar('}');
        before = ",";
    }
    putchar(']');
}

static void print_outages(const struct tally *tally, int64_t now)
{
    const struct outages *outages = &tally->outages;

    json_count_field("outage_count", outages->count);
    fputs(",\"outages\":[", stdout);
    for (size_t i = 0; i < outages->kept; i++) {
        const struct outage *outage = &outages->list[i];

        printf("%s{\"first\":%" PRIu64, i > 0 ? "," : "", outage->first);
        json_count_field("last", outage->last);
        json_number_field("at", report_since_1970(outage->begun));
        json_number_field("seconds", (double)tally_outage_nsec(tally, outage, now) / CLOCK_SECOND);
        json_boolean_field("over", tally_is_over(tally, outage));
        putchar('}');
    }
    putchar(']');
}

/* Prints what a target's probes brought so far or, `recent`, since the last such report. */
static void print_target(const struct run *run, const struct probed *probed, bool recent,
                         const char *type)
{
    const struct tally *tally = recent ? &probed->recent : &probed->tally;
    int64_t now = tally->ended != 0 ? tally->ended : clock_now();

    printf("{\"type\":\"%s\"", type);
    json_string_field("target", probed->address.text);
    json_count_field("sent", tally_sent(tally));
    json_count_field("echoed", tally->outcomes[OUTCOME_ECHOED]);
    json_count_field("altered", tally_altered(tally));
    json_count_field("lost", tally_lost(tally));
    json_number_field("loss_percent", tally_loss(tally));
    json_count_field("left_open", tally->left_open);
    json_count_field("unfinished", recent ? tally->cut_short : report_unfinished(run, probed));
    json_count_field("local_errors", tally->outcomes[OUTCOME_LOCAL]);
    print_outcomes(tally);
    print_counts(tally->counts);
    json_count_field("probes_hit", tally->probes_hit);
    if (!recent) {
        print_failed_addresses(&probed->target);
        print_outages(tally, now);
        json_milliseconds_field("resolve_ms", probed->target.resolve_nsec);
    }
    json_number_field("seconds", (double)(now - tally->begun) / (double)CLOCK_SECOND);
    json_number_field("rate", tally_rate(tally, now));
    json_boolean_field("interrupted", run->interrupted);
    print_all_statistics(tally);
    if (run->options->probes.histogram)
        print_cells(&tally->phases[PHASE_TIME]);
    fputs("}\n", stdout);
}

static void print_size(struct run *run, const struct sweep_size *size)
{
    bool echoed = size->outcome == OUTCOME_ECHOED;

    if (run->options->quiet)
        return;
    fputs("{\"type\":\"size\"", stdout);
    if (size->pattern)
        json_string_field("pattern", size->pattern);
    json_count_field("size", size->size);
    json_string_field("outcome", outcome_label(size->outcome));
    if (size->cause)
        json_string_field("suspected_cause", size->cause);
    json_count_field("tries", size->tries);
    json_count_field("altered", size->altered);
    json_milliseconds_field("time_ms", echoed ? size->time : -1);
    if (!echoed)
        json_string_field("why", size->why);
    fputs("}\n", stdout);
}

static void print_verdict(struct run *run, const struct sweep_verdict *verdict)
{
    fputs("{\"type\":\"sweep\"", stdout);
    json_string_field("target", run->probed->address.text);
    if (verdict->any_works)
        json_count_field("largest_that_works", verdict->works);
    if (verdict->any_fails) {
        json_count_field("smallest_that_fails", verdict->fails.size);
        json_string_field("outcome", outcome_label(verdict->fails.outcome));
    }
    if (verdict->hint)
        json_string_field("hint", verdict->hint);
    if (verdict->diagnosis[0] != '\0')
        json_string_field("diagnosis", verdict->diagnosis);
    if (verdict->last.never_connected)
        json_string_field("not_connected", verdict->last.why);
    json_count_field("tries", verdict->tries);
    json_count_field("altered", verdict->altered);
    print_failed_addresses(&run->probed->target);
    json_boolean_field("unfinished", verdict->unfinished);
    json_boolean_field("interrupted", run->interrupted);
    fputs("}\n", stdout);
}

static void print_targets(const struct run *run, bool recent, const char *type)
{
    for (size_t i = 0; i < run->count; i++)
        print_target(run, &run->probed[i], recent, type);
}

static void interim(struct run *run)
{
    print_targets(run, false, "interim");
}

static void print_recent(struct run *run)
{
    print_targets(run, true, "recent");
}

static void end(struct run *run)
{
    print_targets(run, false, "summary");
}

const struct report report_json = {
    .begin = begin,
    .roundtrip = print_roundtrip,
    .size = print_size,
    .verdict = print_verdict,
    .recent = print_recent,
    .interim = interim,
    .end = end,
};
