/* SPDX-License-Identifier: MIT */
#include "client/probe/targets.h"

#include "client/output.h"
#include "client/probe/watcher.h"
#include "client/reader.h"
#include "common/clock.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_LINE   65536 /* bytes of a line with its blanks and its comment */
#define MOST_LENGTH 500   /* bytes of a line's text; an address is shorter */

static int compare(const void *one, const void *other)
{
    return strcmp(one, other);
}

static void keep(void *text)
{
    (void)text;
}

/* Returns the array of pointers with room for one after `count` others; or NULL with errno. */
static void *grown(void *array, size_t count)
{
    if (count > 0 && (count & (count - 1)) != 0) /* there is room up to the next power of two */
        return array;
    return reallocarray(array, count > 0 ? 2 * count : 1, sizeof(void *));
}

/* Adds a text, unless it is there. Returns 0, or -1 with errno. */
static int add_text(struct targets *targets, const char *text)
{
    const char **texts;

    if (tfind(text, &targets->seen, compare))
        return 0;
    texts = grown(targets->texts, targets->text_count);
    if (!texts)
        return -1;
    targets->texts = texts;
    if (!tsearch(text, &targets->seen, compare))
        return -1;
    targets->texts[targets->text_count++] = text;
    return 0;
}

/* Returns where the text of a line begins, and sets its length: 0 if there is only a comment. */
static const char *text_of(const char *line, size_t *length)
{
    static const char mark[] = "\xef\xbb\xbf"; /* with which some editors begin a file */
    size_t start = 0, end = *length;

    if (end >= strlen(mark) && memcmp(line, mark, strlen(mark)) == 0)
        start = strlen(mark);
    for (size_t i = start; i < end; i++)
        if (line[i] == '#' && (i == start || isspace((unsigned char)line[i - 1])))
            end = i;
    while (start < end && isspace((unsigned char)line[end - 1]))
        end--;
    while (start < end && isspace((unsigned char)line[start]))
        start++;
    *length = end - start;
    return line + start;
}

/* Returns whether the text, which is cut where it is longer, can stand in every report as it is. */
static bool is_plain(const char *text, size_t length)
{
    for (size_t i = 0; i < length && i < MOST_LENGTH; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return false;
    return length <= MOST_LENGTH && report_is_utf8(text);
}

/* Adds the text of a line; what is no name of anything is escaped, and cut. Returns 0, or -1 with
 * errno. */
static int add_line(struct targets *targets, const char *line, size_t length)
{
    const char *text = length > 0 ? text_of(line, &length) : line;
    char **lines = grown(targets->lines, targets->line_count), *kept;
    char buffer[MOST_LENGTH + 1];
    struct text copy;

    if (!lines)
        return -1;
    targets->lines = lines;
    if (length == 0)
        return 0;
    text_init(&copy, buffer, sizeof buffer);
    text_add_bytes(&copy, text, length);
    if (!is_plain(buffer, length)) {
        text_init(&copy, buffer, sizeof buffer);
        report_add_escaped(&copy, text, length);
    }
    kept = strdup(buffer);
    if (!kept)
        return -1;
    targets->lines[targets->line_count++] = kept;
    return add_text(targets, kept);
}

static int add_lines(struct targets *targets, int fd)
{
    enum reader_status status;
    struct reader reader;
    int result = 0;

    reader_init(&reader, fd, '\n', MOST_LINE);
    reader.interrupted = watcher_ended;
    while (result == 0 && (status = reader_next(&reader)) != READER_END) {
        if (status == READER_TOO_LONG)
            reader.message[reader.length - 1] = 'x'; /* no blank: the line is not over */
        result = status == READER_ERROR ? -1 : add_line(targets, reader.message, reader.length);
    }
    reader_free(&reader);
    return result;
}

static int add_file(struct targets *targets, const char *path, struct text *reason)
{
    bool standard = strcmp(path, "-") == 0;
    const char *name = standard ? "standard input" : path;
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    int result = fd < 0 ? -1 : add_lines(targets, fd);

    if (result < 0)
        text_addf(reason, "reading targets from %s: %s", name, strerror(errno));
    else if (targets->text_count == 0)
        text_addf(reason, "there is no target in %s", name);
    if (fd >= 0 && !standard)
        close(fd);
    return targets->text_count > 0 ? result : -1;
}

static int add_all(struct targets *targets, const struct options *options, struct text *reason)
{
    const char *path = options->probes.targets;

    if (!path && !*options->addresses)
        return add_text(targets, options->address.text);
    for (char **address = options->addresses; *address; address++)
        if (add_text(targets, *address) < 0)
            return -1;
    return path ? add_file(targets, path, reason) : 0;
}

/* For struct target: an address failed. */
static void report_failed_address(struct target *target, const struct attempt *attempt, bool others)
{
    const struct roundtrip failure = {
        .target = target,
        .state = ROUNDTRIP_OVER,
        .outcome = target->peers[attempt->peer].last_failure,
        .error = attempt->error,
        .attempt = *attempt,
        .ended = clock_now(),
        .deadline = CLOCK_NEVER,
    };
    struct text text = OUTPUT_SENTENCE;

    explain_roundtrip(&text, &failure);
    if (others)
        text_add(&text, "; trying the next address");
    fflush(stdout);
    report_complain(&text);
}

static void init(struct probed *probed, const struct run *run)
{
    probed->oldest = UINT64_MAX;
    probed->target.address = &probed->address;
    probed->target.family = run->options->family;
    probed->target.bind_address = &run->options->bind_address;
    probed->target.interrupted = watcher_ended;
    probed->target.failed = run->options->probes.check ? NULL : report_failed_address;
}

/* There is nothing to probe, because of `why`. */
static void refuse(const struct run *run, struct probed *probed, const struct text *why)
{
    const struct roundtrip roundtrip = {.target = &probed->target, .outcome = OUTCOME_UNRESOLVED};

    probed->refused = true;
    tally_add(&probed->tally, &roundtrip, why->start);
    if (!run->options->probes.check)
        output_complain(why);
}

/* Reads the addresses of the run's targets, and finds those of their names. */
static int find_all(struct targets *targets, struct run *run, int64_t deadline)
{
    struct target **read = calloc(run->count + 1, sizeof(void *)); /* never none, here and below */
    size_t count = 0;

    if (!read)
        return -1;
    for (size_t i = 0; i < run->count; i++) {
        struct probed *probed = &run->probed[i];
        struct text why = OUTPUT_SENTENCE;

        init(probed, run);
        if (options_address(run->options, targets->texts[i], &probed->address, &why) == 0) {
            read[count++] = &probed->target;
            continue;
        }
        probed->address = (struct address){.text = targets->texts[i]};
        refuse(run, probed, &why);
    }
    target_find_all(read, count, deadline);
    free(read);
    return 0;
}

/* Makes `to` a target of its own of one of the addresses of `from`. */
static void split_off(struct probed *to, const struct run *run, const struct target *from,
                      size_t peer)
{
    struct text reason = OUTPUT_SENTENCE; /* has no use, as the address is right */

    init(to, run);
    (void)address_parse(from->peers[peer].text, &to->address, &reason);
    (void)target_find(&to->target, CLOCK_NEVER);
    to->target.resolve_nsec = from->resolve_nsec;
    to->address.text = to->target.count > 0 ? to->target.peers->text : from->address->text;
}

/* Adds each address of the target that is not there, as a target of its own, to the `count`. */
static size_t split(struct targets *targets, struct probed *all, size_t count,
                    const struct run *run, struct probed *probed)
{
    struct target *target = &probed->target;

    if (target->count == 0 || probed->address.socket_size > 0) {
        all[count] = *probed;
        all[count].target.address = &all[count].address;
        return count + 1;
    }
    for (size_t i = 0; i < target->count; i++) {
        if (tfind(target->peers[i].text, &targets->seen, compare))
            continue;
        split_off(&all[count], run, target, i);
        (void)tsearch(all[count++].address.text, &targets->seen, compare);
    }
    target_free(target);
    return count;
}

static int split_all(struct targets *targets, struct run *run)
{
    struct probed *all;
    size_t count = 0;

    for (size_t i = 0; i < run->count; i++)
        count += run->probed[i].target.count > 1 ? run->probed[i].target.count : 1;
    all = calloc(count + 1, sizeof *all);
    if (!all)
        return -1;
    tdestroy(targets->seen, keep); /* from here on it has the addresses in digits */
    targets->seen = NULL;
    count = 0;
    for (size_t i = 0; i < run->count; i++)
        count = split(targets, all, count, run, &run->probed[i]);
    free(run->probed);
    run->probed = all;
    run->count = count;
    return 0;
}

/* Lists those to be probed. Returns 0, or -1 if memory was short, or if this machine failed to find
 * the only one, with the reason added then. */
static int list_all(struct targets *targets, struct run *run, int64_t deadline, struct text *reason)
{
    struct roundtrip roundtrip = {.begun = run->started, .timeout = deadline - run->started};

    targets->list = calloc(run->count + 1, sizeof(void *));
    for (size_t i = 0; targets->list && i < run->count; i++) {
        struct probed *probed = &run->probed[i];
        struct text why = OUTPUT_SENTENCE;

        if (probed->refused)
            continue;
        if (probed->target.count > 0 || run->options->probes.many) {
            targets->list[targets->count++] = &probed->target;
            continue;
        }
        roundtrip.target = &probed->target;
        roundtrip_begin(&roundtrip, NULL, 0); /* over at once */
        explain_roundtrip(&why, &roundtrip);
        if (roundtrip.outcome == OUTCOME_LOCAL) {
            text_add(reason, why.start);
            return -1;
        }
        refuse(run, probed, &why);
    }
    return targets->list ? 0 : -1;
}

int targets_find(struct targets *targets, struct run *run, int64_t deadline, struct text *reason)
{
    if (add_all(targets, run->options, reason) < 0)
        return -1;
    run->count = targets->text_count;
    run->probed = calloc(run->count, sizeof *run->probed);
    if (run->probed && find_all(targets, run, deadline) == 0 && !watcher_ended() &&
        (!run->options->probes.all_addresses || split_all(targets, run) == 0) &&
        list_all(targets, run, deadline, reason) == 0)
        return 0;
    if (watcher_ended())
        text_addf(reason, "interrupted while finding the address of %s",
                  run->count > 1 ? "each target" : targets->texts[0]);
    else if (reason->start[0] == '\0')
        text_add(reason, "finding the targets: out of memory");
    return -1;
}

void targets_free(struct targets *targets, struct run *run)
{
    for (size_t i = 0; run->probed && i < run->count; i++) {
        target_free(&run->probed[i].target);
        tally_reset(&run->probed[i].tally);
        tally_reset(&run->probed[i].recent);
    }
    free(run->probed);
    for (size_t i = 0; i < targets->line_count; i++)
        free(targets->lines[i]);
    free(targets->lines);
    free(targets->texts);
    free(targets->list);
    tdestroy(targets->seen, keep);
}
