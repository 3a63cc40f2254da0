/* SPDX-License-Identifier: MIT */
#include "client/report/json.h"
#include "client/report/report.h"
#include "common/clock.h"

#include <stdio.h>

static void begin(const struct run *run)
{
    const struct target *target = run->target;

    if (run->options->quiet)
        return;
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
    json_number_field("at", (double)(clock_now() + run->wall_offset) / (double)CLOCK_SECOND);
    fputs("}\n", stdout);
}

static void print_phases(const struct roundtrip *roundtrip)
{
    for (enum phase phase = 0; phase < PHASE_COUNT; phase++) {
        char name[32];

        (void)snprintf(name, sizeof name, "%s_ms", phase_key(phase));
        json_milliseconds_field(name, phase_of(roundtrip, phase));
    }
}

/* Which byte was altered, and into what: null where one of the two had already ended. */
static void print_alteration(const struct roundtrip *roundtrip, const char *guess)
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
    if (guess)
        json_string_field("culprit", guess);
}

static void probe(const struct run *run, const struct roundtrip *roundtrip, const char *why,
                  const char *guess)
{
    fputs("{\"type\":\"probe\"", stdout);
    json_count_field("seq", roundtrip->sequence);
    json_number_field("at", (double)(roundtrip->begun + run->wall_offset) / (double)CLOCK_SECOND);
    json_string_field("peer", roundtrip->target->peers[roundtrip->peer].text);
    json_count_field("size", roundtrip->length);
    json_string_field("outcome", outcome_word(roundtrip->outcome));
    print_phases(roundtrip);
    if (why) {
        print_alteration(roundtrip, guess);
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

    printf("\"%s\":{\"count\":%llu", name, (unsigned long long)histogram->count);
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
        print_statistics(phase_key(phase), &tally->phases[phase]);
        before = ",";
    }
    putchar('}');
}

/* The cells that counted anything: from, to (both in ms), count. */
static void print_cells(const struct histogram *histogram)
{
    const char *before = "";

    fputs(",\"histogram\":[", stdout);
    for (size_t cell = 0; cell < HISTOGRAM_CELLS; cell++) {
        if (histogram->cells[cell] == 0)
            continue;
        printf("%s[%.6f,%.6f,%llu]", before, report_milliseconds(histogram_cell_start(cell)),
               report_milliseconds(histogram_cell_end(cell)),
               (unsigned long long)histogram->cells[cell]);
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
        printf("%s\"%s\":%llu", before, outcome_word(outcome),
               (unsigned long long)tally->outcomes[outcome]);
        before = ",";
    }
    putchar('}');
}

static void print_summary(const struct run *run, const char *type)
{
    const struct tally *tally = run->tally;
    int64_t now = tally->ended != 0 ? tally->ended : clock_now();

    printf("{\"type\":\"%s\"", type);
    json_string_field("target", run->target->address->text);
    json_count_field("sent", tally_sent(tally));
    json_count_field("echoed", tally->outcomes[OUTCOME_ECHOED]);
    json_count_field("lost", tally_lost(tally));
    json_number_field("loss_percent", tally_loss(tally));
    json_count_field("left_open", tally->left_open);
    json_count_field("unfinished", tally->unfinished);
    json_count_field("local_errors", tally->outcomes[OUTCOME_LOCAL]);
    print_outcomes(tally);
    json_milliseconds_field("resolve_ms", tally->resolve_nsec);
    json_number_field("seconds", (double)(now - tally->begun) / (double)CLOCK_SECOND);
    json_number_field("rate", tally_rate(tally, now));
    printf(",\"interrupted\":%s", run->interrupted ? "true" : "false");
    print_all_statistics(tally);
    if (run->options->probe.histogram)
        print_cells(&tally->phases[PHASE_TIME]);
    fputs("}\n", stdout);
}

static void interim(const struct run *run)
{
    print_summary(run, "interim");
}

static void end(const struct run *run)
{
    print_summary(run, "summary");
}

const struct report report_json = {begin, probe, interim, end};
