/* SPDX-License-Identifier: MIT */
#include "client/output.h"
#include "client/report/report.h"
#include "client/report/textfile.h"
#include "common/clock.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define WRITER_NICE 10                  /* of the process that writes: probes come first */
#define INTERVAL    (10 * CLOCK_SECOND) /* between writings */
#define SERIES_SIZE 4096                /* of a name and its labels */

static struct textfile textfile;
static int64_t due;  /* clock_now, when to write next; 0 at first */
static bool failing; /* the last writing failed */
static pid_t writer; /* a process that is writing, if above 0 */

/* Adds a label. In its value three characters are escaped; all but ASCII if it is not UTF-8. */
static void add_label(struct text *series, const char *name, const char *value)
{
    text_addf(series, "%s=\"", name);
    for (value = report_utf8(value); *value; value++) {
        if (*value == '\\' || *value == '"')
            text_addf(series, "\\%c", *value);
        else if (*value == '\n')
            text_add(series, "\\n");
        else
            text_add_bytes(series, value, 1);
    }
    text_add(series, "\"");
}

/* Where a metric's values of a target are printed to. */
struct place {
    FILE *stream;
    const struct run *run;
    const struct probed *probed;
    const struct metric *metric;
};

struct metric {
    const char *name, *type, *help;
    void (*print)(const struct place *place);
};

/* Sets the metric's name with `ending`, and the labels: names and values in turn, then NULL. */
static void set_series(char buffer[SERIES_SIZE], const struct place *place, const char *ending,
                       const char *const labels[])
{
    struct text series;

    text_init(&series, buffer, SERIES_SIZE);
    text_addf(&series, "%s%s{", place->metric->name, ending);
    add_label(&series, "target", place->probed->address.text);
    for (; labels[0]; labels += 2) {
        text_add(&series, ",");
        add_label(&series, labels[0], labels[1]);
    }
    text_add(&series, "}");
}

static double old_value(const struct place *place, const char *ending, const char *const labels[])
{
    char buffer[SERIES_SIZE];

    set_series(buffer, place, ending, labels);
    return textfile_old_value(&textfile, buffer);
}

/*
 * Prints a value. All but gauges go on from the file's former values, as a timer starts this
 * program again and again.
 */
static void print_value(const struct place *place, const char *ending, const char *const labels[],
                        double value)
{
    char buffer[SERIES_SIZE];

    set_series(buffer, place, ending, labels);
    if (strcmp(place->metric->type, "gauge") != 0)
        value += textfile_old_value(&textfile, buffer);
    fprintf(place->stream, "%s %.15g\n", buffer, value);
}

/* Prints the only value of a target. */
static void print_one(const struct place *place, double value)
{
    static const char *const none[] = {NULL};

    print_value(place, "", none, value);
}

/* Sets whether the probes since the last writing succeeded, if there were any. */
static void judge(struct probed *probed)
{
    struct tally recent = {.begun = 0};

    for (enum outcome outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
        recent.outcomes[outcome] = probed->tally.outcomes[outcome] - probed->written[outcome];
        probed->written[outcome] = probed->tally.outcomes[outcome];
    }
    if (tally_over(&recent) > 0)
        probed->succeeding = tally_status(&recent) == STATUS_ECHOED;
}

/* A run is judged as a whole when it has come to its end. One that has none would never succeed
 * again after a single failure. */
static void print_success(const struct place *place)
{
    const struct run *run = place->run;
    bool ended =
        place->probed->tally.ended != 0 && (run->options->probes.count > 0 || !run->interrupted);

    print_one(place, ended ? report_status(place->run, place->probed) == STATUS_ECHOED
                           : place->probed->succeeding);
}

static void print_unfinished(const struct place *place)
{
    print_one(place, (double)report_unfinished(place->run, place->probed));
}

static void print_resolving(const struct place *place)
{
    print_one(place, (double)place->probed->target.resolve_nsec / (double)CLOCK_SECOND);
}

static void print_duration(const struct place *place)
{
    print_one(place, (double)(clock_now() - place->run->begun) / (double)CLOCK_SECOND);
}

static void print_now(const struct place *place)
{
    print_one(place, report_since_1970(clock_now()));
}

static void print_hit(const struct place *place)
{
    print_one(place, (double)place->probed->tally.probes_hit);
}

static void print_outcomes(const struct place *place)
{
    for (enum outcome outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
        const char *labels[] = {"outcome", outcome_label(outcome), NULL};

        print_value(place, "", labels, (double)place->probed->tally.outcomes[outcome]);
    }
}

static void print_counts(const struct place *place)
{
    for (enum tcp_count i = 0; i < TCP_COUNTS; i++) {
        const char *labels[] = {"kind", tally_count_label(i), NULL};

        print_value(place, "", labels, (double)place->probed->tally.counts[i]);
    }
}

static bool has_address(const struct place *place, const char *line)
{
    const struct target *target = &place->probed->target;
    char buffer[SERIES_SIZE];

    for (size_t i = 0; i < target->count; i++) {
        const char *labels[] = {"address", target->peers[i].text, NULL};

        set_series(buffer, place, "", labels);
        if (strcmp(line, buffer) == 0)
            return true;
    }
    return false;
}

/* Prints addresses that the target had in former runs, and has no more: their counts go on. */
static void print_former_addresses(const struct place *place)
{
    static const char *const any[] = {"address", "", NULL};
    char buffer[SERIES_SIZE];
    size_t length;

    set_series(buffer, place, "", any);
    length = strlen(buffer) - strlen("\"}");
    buffer[length] = '\0';
    for (size_t i = textfile_find(&textfile, buffer); i < textfile.count; i++) {
        const char *line = textfile.lines[i];
        double value = textfile_old_value(&textfile, line);

        if (strncmp(line, buffer, length) != 0)
            break;
        if (value > 0 && !has_address(place, line))
            fprintf(place->stream, "%s %.15g\n", line, value);
    }
}

static void print_failed_addresses(const struct place *place)
{
    const struct target *target = &place->probed->target;

    for (size_t i = 0; i < target->count; i++) {
        const char *labels[] = {"address", target->peers[i].text, NULL};

        if (target->count > 1 || old_value(place, "", labels) > 0)
            print_value(place, "", labels, (double)target->peers[i].failures);
    }
    print_former_addresses(place);
}

static void print_bucket(const struct place *place, enum phase phase, const char *bound,
                         uint64_t count)
{
    const char *labels[] = {"phase", phase_label(phase), "le", bound, NULL};

    print_value(place, "_bucket", labels, (double)count);
}

static void print_phase(const struct place *place, enum phase phase)
{
    static const int64_t tenths[] = {10, 25, 50};
    const struct histogram *histogram = &place->probed->tally.phases[phase];
    const char *labels[] = {"phase", phase_label(phase), NULL};

    /* From 10 us to 5 s. */
    for (int64_t decade = 10 * CLOCK_USEC; decade < 10 * CLOCK_SECOND; decade *= 10)
        for (size_t i = 0; i < sizeof tenths / sizeof *tenths; i++) {
            int64_t nsec = decade / 10 * tenths[i];
            char bound[32];

            (void)snprintf(bound, sizeof bound, "%.9g", (double)nsec / (double)CLOCK_SECOND);
            print_bucket(place, phase, bound, histogram_count_to(histogram, nsec));
        }
    print_bucket(place, phase, "+Inf", histogram->count);
    print_value(place, "_sum", labels, histogram->sum / (double)CLOCK_SECOND);
    print_value(place, "_count", labels, (double)histogram->count);
}

/* Prints the phases that occurred, in this run or in a former one. */
static void print_phases(const struct place *place)
{
    for (enum phase phase = 0; phase < PHASE_COUNT; phase++) {
        const char *labels[] = {"phase", phase_label(phase), NULL};

        if (place->probed->tally.phases[phase].count > 0 || old_value(place, "_count", labels) > 0)
            print_phase(place, phase);
    }
}

static const struct metric metrics[] = {
    {"tincan_success", "gauge",
     "Whether the latest probes were all echoed; at the end, whether those of the run were.",
     print_success},
    {"tincan_probes_unfinished", "gauge",
     "Probes that were running, or had not started, when the run ended.", print_unfinished},
    {"tincan_resolve_seconds", "gauge", "How long it took to find the addresses of the target.",
     print_resolving},
    {"tincan_run_seconds", "gauge", "How long this run has taken.", print_duration},
    {"tincan_written_timestamp_seconds", "gauge", "When this was written.", print_now},
    {"tincan_probes_total", "counter", "Probes by outcome, of all runs.", print_outcomes},
    {"tincan_segments_total", "counter",
     "TCP segments, of all runs, that were sent again or came out of order.", print_counts},
    {"tincan_probes_hit_total", "counter", "Probes, of all runs, that had such.", print_hit},
    {"tincan_address_failures_total", "counter",
     "Probes, of all runs, for which an address failed, of a target that has several.",
     print_failed_addresses},
    {"tincan_probe_duration_seconds", "histogram",
     "Durations of the phases of probes that were echoed; late: of all probes.", print_phases},
};

static void print_all(FILE *stream, void *context)
{
    struct place place = {.stream = stream, .run = context};

    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++) {
        place.metric = &metrics[i];
        fprintf(stream, "# HELP %s %s\n# TYPE %s %s\n", place.metric->name, place.metric->help,
                place.metric->name, place.metric->type);
        for (size_t j = 0; j < place.run->count; j++) {
            place.probed = &place.run->probed[j];
            place.metric->print(&place);
        }
    }
}

static int prepare(const struct run *run, struct text *reason)
{
    const char *path = run->options->probes.prometheus;

    if (textfile_open(&textfile, path) == 0)
        return 0;
    text_addf(reason, "writing '%s': %s", path, strerror(errno));
    return -1;
}

/* A writing is over, with an errno or 0. Of several failures in a row the first is reported. */
static void finish(struct run *run, int error)
{
    struct text action = OUTPUT_SENTENCE;

    text_addf(&action, "writing '%s'", run->options->probes.prometheus);
    if (error != 0 && !failing)
        report_failure(run, action.start, error);
    failing = error != 0;
}

/* Waits for the process that writes, if there is one, with `options` of waitpid(2). */
static void reap(struct run *run, int options)
{
    int status;
    pid_t ended = 0;

    while (writer > 0 && (ended = waitpid(writer, &status, options)) < 0 && errno == EINTR)
        continue; /* else it might replace the last file later */
    if (ended <= 0)
        return;
    writer = 0;
    finish(run, WIFEXITED(status) ? WEXITSTATUS(status) : EINTR); /* an errno fits there */
}

/*
 * While probes are running, nothing waits for a disk: another process writes. It keeps no socket: a
 * closed one would stay open there, and in our epoll(7), until that process ends.
 */
static void write_beside(struct run *run)
{
    sigset_t all;

    writer = fork();
    if (writer < 0)
        return; /* the next time is soon */
    for (size_t i = 0; i < run->count; i++)
        judge(&run->probed[i]);
    if (writer > 0)
        return;
    (void)setpriority(PRIO_PROCESS, 0, WRITER_NICE);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    (void)syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0); /* musl has no function for it */
    _exit(textfile_write(&textfile, print_all, run, false) == 0 ? 0 : errno);
}

static void tick(struct run *run, int64_t now)
{
    reap(run, WNOHANG);
    if (due == 0)
        due = run->begun + INTERVAL;
    if (now < due || writer > 0)
        return;
    due = now + INTERVAL;
    write_beside(run);
}

static void end(struct run *run)
{
    reap(run, 0);
    for (size_t i = 0; i < run->count; i++)
        judge(&run->probed[i]);
    finish(run, textfile_write(&textfile, print_all, run, true) == 0 ? 0 : errno);
}

const struct report report_prometheus = {.prepare = prepare, .tick = tick, .end = end};
