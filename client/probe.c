/* SPDX-License-Identifier: MIT */
#include "probe.h"

#include "clock.h"
#include "descriptors.h"
#include "engine.h"
#include "explain.h"
#include "probe_explain.h"
#include "probe_message.h"
#include "report.h"
#include "speak.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define MOST_OVERLAPPING 1024 /* probes at once where the user named no number */
#define OWN_DESCRIPTORS  8    /* what is opened beside connections */
#define TICK             (250 * CLOCK_MSEC)

struct probe {
    const struct options *options;
    const struct report *report;
    struct target target;
    struct probe_message message;
    struct engine engine;
    struct tally tally;
    struct run run;
    int status;
};

static void raise_status(struct probe *probe, int status)
{
    if (probe->status < status)
        probe->status = status;
}

static int complain(struct probe *probe, const struct text *sentence)
{
    speak(sentence);
    raise_status(probe, STATUS_USAGE);
    return -1;
}

/* How many probes may be under way at once. */
static uint64_t places(const struct options *options)
{
    const struct probe_options *probe = &options->probe;
    uint64_t most = probe->parallel;

    if (most == 0) {
        most = options->timeout_usec / probe->interval_usec + 2;
        most = most < MOST_OVERLAPPING ? most : MOST_OVERLAPPING;
    }
    return probe->count > 0 && probe->count < most ? probe->count : most;
}

static int prepare_engine(struct probe *probe)
{
    uint64_t size = places(probe->options), available = descriptors_available();
    char buffer[EXPLAIN_SIZE];
    struct text text;

    text_init(&text, buffer, sizeof buffer);
    available -= available < OWN_DESCRIPTORS ? available : OWN_DESCRIPTORS;
    if (size > available && probe->options->probe.parallel > 0) {
        text_add(&text, "--parallel: ");
        text_add_number(&text, size);
        text_add(&text, " connections at once need as many descriptors, and the limit (ulimit -n) "
                        "leaves ");
        text_add_number(&text, available);
        return complain(probe, &text);
    }
    size = size < available ? size : available;
    if (engine_init(&probe->engine, size > 0 ? (size_t)size : 1) == 0)
        return 0;
    text_add(&text, "preparing to probe: ");
    text_add(&text, strerror(errno));
    return complain(probe, &text);
}

static int find_target(struct probe *probe)
{
    const struct options *options = probe->options;
    char buffer[EXPLAIN_SIZE];
    struct text text;
    struct dial failure;

    if (target_find(&probe->target, &options->address, options->family, &options->source,
                    clock_after(options->timeout_usec), &failure) == 0)
        return 0;
    text_init(&text, buffer, sizeof buffer);
    explain_dial(&text, &options->address, &failure, options->timeout_usec);
    return complain(probe, &text);
}

static int64_t wall_offset(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * CLOCK_SECOND + now.tv_nsec - clock_now();
}

/* Keeps what became of the first probe of each outcome. */
static void keep_example(struct tally *tally, const struct flight *flight, const char *why)
{
    struct text text;

    if (tally->example_sequences[flight->outcome] != 0)
        return;
    tally->example_sequences[flight->outcome] = flight->sequence;
    text_init(&text, tally->examples[flight->outcome], TALLY_EXAMPLE_SIZE);
    text_add(&text, why);
}

static int on_probe(void *context, const struct flight *flight)
{
    struct probe *probe = context;
    char buffer[EXPLAIN_SIZE];
    const char *why = NULL;
    struct text text;

    tally_add(&probe->tally, flight);
    if (flight->outcome != OUTCOME_ECHOED) {
        text_init(&text, buffer, sizeof buffer);
        probe_explain(&text, flight);
        keep_example(&probe->tally, flight, buffer);
        why = buffer;
    }
    if (!probe->report->probe)
        return 0;
    probe->report->probe(&probe->run, flight, why);
    return probe->options->probe.flood ? 0 : speak_flush(&probe->status);
}

static void on_address(void *context, const struct flight *flight)
{
    struct probe *probe = context;
    char buffer[EXPLAIN_SIZE];
    struct text text;
    struct dial dial;

    probe->tally.peers++;
    text_init(&text, buffer, sizeof buffer);
    flight_describe(flight, &dial);
    explain_dial(&text, probe->target.address, &dial,
                 (uint64_t)(flight->until - flight->begun) / CLOCK_USEC);
    text_add(&text, "; trying the next address");
    fflush(stdout);
    speak(&text);
}

static int on_tick(void *context, int64_t now)
{
    struct probe *probe = context;

    (void)now;
    return speak_flush(&probe->status);
}

static int on_interim(void *context)
{
    struct probe *probe = context;

    if (probe->report->interim)
        probe->report->interim(&probe->run);
    return speak_flush(&probe->status);
}

static enum engine_end run(struct probe *probe)
{
    const struct engine_listener listener = {probe, on_probe, on_address, on_tick, on_interim};
    const struct options *options = probe->options;
    const struct engine_plan plan = {
        .target = &probe->target,
        .message = probe->message.bytes,
        .length = probe->message.length,
        .count = options->probe.count,
        .interval = (int64_t)options->probe.interval_usec * CLOCK_USEC,
        .timeout = (int64_t)options->timeout_usec * CLOCK_USEC,
        .until = options->probe.deadline_usec > 0 ? clock_after(options->probe.deadline_usec)
                                                  : CLOCK_NEVER,
        .tick = TICK,
    };
    enum engine_end end;

    probe->tally.begun = clock_now();
    end = engine_run(&probe->engine, &plan, &listener);
    probe->tally.ended = clock_now();
    probe->tally.unfinished = probe->engine.unfinished;
    probe->run.interrupted = end == ENGINE_INTERRUPTED;
    return end;
}

/* A run that its deadline ended before all probes were echoed has not shown what it should. */
static void judge(struct probe *probe, enum engine_end end)
{
    const struct tally *tally = &probe->tally;

    raise_status(probe, tally_status(tally));
    if (end == ENGINE_DEADLINE && tally->outcomes[OUTCOME_ECHOED] < probe->options->probe.count)
        raise_status(probe, STATUS_FAILED);
}

static void measure(struct probe *probe)
{
    enum engine_end end;

    if (probe->report->begin)
        probe->report->begin(&probe->run);
    if (speak_flush(&probe->status) < 0)
        return;
    end = run(probe);
    if (end == ENGINE_FAILED) {
        speak_string("waiting for events failed");
        raise_status(probe, STATUS_USAGE);
    }
    judge(probe, end);
    if (end != ENGINE_STOPPED)
        probe->report->end(&probe->run);
}

static int prepare(struct probe *probe)
{
    char buffer[EXPLAIN_SIZE];
    struct text reason;

    text_init(&reason, buffer, sizeof buffer);
    if (probe_message_make(&probe->message, probe->options, &reason) < 0)
        return complain(probe, &reason);
    if (find_target(probe) < 0)
        return -1;
    return prepare_engine(probe);
}

int probe(const struct options *options)
{
    static struct probe probe = {.engine = {.epoll = -1, .signals = -1}}; /* else zero, and large */
    bool own_text = options->input == OPTIONS_MESSAGE;

    probe.options = options;
    probe.report = &report_text;
    if (prepare(&probe) == 0) {
        probe.run = (struct run){
            .options = options,
            .target = &probe.target,
            .tally = &probe.tally,
            .pattern = own_text ? "the given text" : options->probe.pattern_name,
            .length = probe.message.length,
            .wall_offset = wall_offset(),
        };
        probe.tally.resolve_nsec = probe.target.resolve_nsec;
        measure(&probe);
    }
    engine_free(&probe.engine);
    target_free(&probe.target);
    probe_message_free(&probe.message);
    return probe.status;
}
