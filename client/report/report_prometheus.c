/* SPDX-License-Identifier: MIT */
#include "client/report/report.h"
#include "common/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 4096
#define INTERVAL  (10 * CLOCK_SECOND) /* between writings */

/* Prints a label. In its value three characters are escaped; what is not UTF-8 becomes U+FFFD. */
static void print_label(FILE *file, const char *name, const char *value)
{
    bool utf8 = report_is_utf8(value);

    fprintf(file, "%s=\"", name);
    for (; *value; value++) {
        if (*value == '\\' || *value == '"')
            fprintf(file, "\\%c", *value);
        else if (*value == '\n')
            fputs("\\n", file);
        else if ((unsigned char)*value >= 0x80 && !utf8)
            fputs("\xef\xbf\xbd", file);
        else
            fputc(*value, file);
    }
    fputc('"', file);
}

static void describe(FILE *file, const char *name, const char *type, const char *help)
{
    fprintf(file, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* Prints a metric that has one value for the target. */
static void print_single(FILE *file, const struct run *run, const char *name, const char *help,
                         double value)
{
    describe(file, name, "gauge", help);
    fprintf(file, "%s{", name);
    print_label(file, "target", run->target.address->text);
    fprintf(file, "} %.9g\n", value);
}

static void print_outcomes(FILE *file, const struct run *run)
{
    describe(file, "tincan_probes_total", "counter", "Probes of this run by outcome.");
    for (enum outcome outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
        fputs("tincan_probes_total{", file);
        print_label(file, "target", run->target.address->text);
        fputc(',', file);
        print_label(file, "outcome", outcome_label(outcome));
        fprintf(file, "} %" PRIu64 "\n", run->tally.outcomes[outcome]);
    }
}

static void print_series(FILE *file, const struct run *run, const char *suffix, enum phase phase)
{
    fprintf(file, "tincan_probe_duration_seconds%s{", suffix);
    print_label(file, "target", run->target.address->text);
    fputc(',', file);
    print_label(file, "phase", phase_label(phase));
}

static void print_phase(FILE *file, const struct run *run, enum phase phase)
{
    static const int64_t tenths[] = {10, 25, 50};
    const struct histogram *histogram = &run->tally.phases[phase];

    /* From 10 us to 5 s. */
    for (int64_t decade = 10 * CLOCK_USEC; decade < 10 * CLOCK_SECOND; decade *= 10)
        for (size_t i = 0; i < sizeof tenths / sizeof *tenths; i++) {
            int64_t nsec = decade / 10 * tenths[i];

            print_series(file, run, "_bucket", phase);
            fprintf(file, ",le=\"%.9g\"} %" PRIu64 "\n", (double)nsec / (double)CLOCK_SECOND,
                    histogram_count_to(histogram, nsec));
        }
    print_series(file, run, "_bucket", phase);
    fprintf(file, ",le=\"+Inf\"} %" PRIu64 "\n", histogram->count);
    print_series(file, run, "_sum", phase);
    fprintf(file, "} %.9g\n", histogram->sum / (double)CLOCK_SECOND);
    print_series(file, run, "_count", phase);
    fprintf(file, "} %" PRIu64 "\n", histogram->count);
}

static void print_all(FILE *file, const struct run *run)
{
    const struct tally *tally = &run->tally;
    int64_t now = clock_now();

    print_single(file, run, "tincan_success",
                 "Whether there were echoes, no failures, and at the end none missing.",
                 report_status(run) == STATUS_ECHOED);
    print_single(file, run, "tincan_probes_unfinished",
                 "Probes that were running, or had not started, when the run ended.",
                 (double)report_unfinished(run));
    print_single(file, run, "tincan_resolve_seconds",
                 "How long it took to find the addresses of the target.",
                 (double)run->target.resolve_nsec / (double)CLOCK_SECOND);
    print_single(file, run, "tincan_run_seconds", "How long this run has taken.",
                 (double)(now - tally->begun) / (double)CLOCK_SECOND);
    describe(file, "tincan_written_timestamp_seconds", "gauge", "When this was written.");
    fputs("tincan_written_timestamp_seconds{", file);
    print_label(file, "target", run->target.address->text);
    fprintf(file, "} %.3f\n", report_since_1970(now));
    print_outcomes(file, run);
    describe(file, "tincan_probe_duration_seconds", "histogram",
             "Durations of the phases of probes that were echoed; late: of all probes.");
    for (enum phase phase = 0; phase < PHASE_COUNT; phase++)
        print_phase(file, run, phase);
}

/* Makes a file in the same folder under a name that the collector ignores; -1 with errno. */
static int make_beside(const char *path, char beside[PATH_SIZE])
{
    const char *slash = strrchr(path, '/');
    int folder = slash ? (int)(slash - path) + 1 : 0;
    int length = snprintf(beside, PATH_SIZE, "%.*s.%s.XXXXXX", folder, path, path + folder);

    if (length >= PATH_SIZE) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return mkostemp(beside, O_CLOEXEC);
}

/* Checks, without touching the file, that it can be written. Returns 0, or -1 with errno. */
static int check_path(const char *path)
{
    char beside[PATH_SIZE];
    struct stat status;
    int fd;

    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
        errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
        return -1;
    }
    fd = make_beside(path, beside);
    if (fd < 0)
        return -1;
    close(fd);
    return unlink(beside);
}

/* Returns the permissions of a file that open(2) creates. */
static mode_t usual_mode(void)
{
    mode_t mask = umask(0);

    umask(mask);
    return 0666 & ~mask;
}

static int write_all(int fd, const struct run *run)
{
    FILE *file = fdopen(fd, "w");
    int result;

    if (!file) {
        close(fd);
        return -1;
    }
    print_all(file, run);
    result = fflush(file) == 0 && !ferror(file) && fchmod(fd, usual_mode()) == 0;
    /* While probes are running, nothing waits for a disk. */
    if (run->tally.ended != 0)
        result = result && fsync(fd) == 0;
    return fclose(file) == 0 && result ? 0 : -1;
}

/* Replaces the file at once, so that no reader sees a part of it. Returns 0, or -1 with errno. */
static int replace(const char *path, const struct run *run)
{
    char beside[PATH_SIZE];
    int fd = make_beside(path, beside), error;

    if (fd < 0)
        return -1;
    if (write_all(fd, run) == 0 && rename(beside, path) == 0)
        return 0;
    error = errno;
    unlink(beside);
    errno = error;
    return -1;
}

static int prepare(const struct run *run, struct text *reason)
{
    const char *path = run->options->probes.prometheus;

    if (check_path(path) == 0)
        return 0;
    text_addf(reason, "writing '%s': %s", path, strerror(errno));
    return -1;
}

static int64_t due; /* clock_now, when to write next; CLOCK_NEVER after a failure, 0 at first */

static void write_file(struct run *run)
{
    const char *path = run->options->probes.prometheus;
    char buffer[EXPLAIN_SIZE];
    struct text text;

    if (due == CLOCK_NEVER || replace(path, run) == 0)
        return;
    due = CLOCK_NEVER;
    outcome_raise(&run->status, STATUS_USAGE);
    text_init(&text, buffer, sizeof buffer);
    text_addf(&text, "writing '%s': %s", path, strerror(errno));
    report_complain(&text);
}

static void tick(struct run *run, int64_t now)
{
    if (due == 0)
        due = run->tally.begun + INTERVAL;
    if (now < due)
        return;
    due = now + INTERVAL;
    write_file(run);
}

const struct report report_prometheus = {.prepare = prepare, .tick = tick, .end = write_file};
