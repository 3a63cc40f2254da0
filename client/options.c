/* SPDX-License-Identifier: MIT */
#include "client/options.h"

#include "client/help.h"
#include "common/frame.h"
#include "common/quantity.h"

#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_BYTES    ((uint64_t)1 << 30)
#define MOST_COUNT    UINT64_C(1000000000000)
#define MOST_PARALLEL 1000000
#define MOST_RATE     1000000
#define LEAST_TIME    UINT64_C(1000)        /* microseconds */
#define MOST_TIME     UINT64_C(86400000000) /* a day */

/* What kind of value an option sets. */
enum kind {
    FLAG,
    CHOICE, /* set by the option itself, one of several that exclude each other */
    HELP,
    MESSAGE,
    SOURCE,
    PATTERN,
    COLOUR,
    COUNT,
    SIZE,
    TIME,
    LIMIT,
    LOSS,
    SWEEP,
    PATH,
};

#define TO(name)        .member = offsetof(struct options, name)
#define INPUTS_EXCLUDE  .what = "--message, --null and --whole exclude each other"
#define FAMILY_EXCLUDES .what = "--ipv4 and --ipv6 exclude each other"
#define A_SIZE          .what = "a size from 0 to 1G"
#define A_TIME          .what = "a time from 1ms to 1d"
#define A_LIMIT         .what = "a range of times up to 1d, in ms unless a unit is given"
#define A_LOSS          .what = "a range of shares from 0 to 100 percent"

static const struct row {
    const char *name;
    int letter; /* or 0 */
    enum kind kind;
    size_t member;    /* where in struct options the value goes */
    uint64_t value;   /* of a CHOICE or MESSAGE; the greatest COUNT */
    const char *what; /* what a wrong value is not, or which choices exclude each other */
} rows[] = {
    {"message", 'm', MESSAGE, TO(input), OPTIONS_MESSAGE, INPUTS_EXCLUDE},
    {"null", '0', CHOICE, TO(input), OPTIONS_NULL, INPUTS_EXCLUDE},
    {"whole", 0, CHOICE, TO(input), OPTIONS_WHOLE, INPUTS_EXCLUDE},
    {"connect-first", 0, FLAG, TO(connect_first)},
    {"classic", 0, FLAG, TO(classic)},
    {"ipv4", '4', CHOICE, TO(family), AF_INET, FAMILY_EXCLUDES},
    {"ipv6", '6', CHOICE, TO(family), AF_INET6, FAMILY_EXCLUDES},
    {"source", 'I', SOURCE, TO(bind_address)},
    {"timeout", 'W', TIME, TO(timeout_usec), A_TIME},
    {"max-bytes", 0, SIZE, TO(max_bytes), A_SIZE},
    {"quiet", 'q', FLAG, TO(quiet)},
    {"color", 0, COLOUR, TO(colour), .what = "auto, always or never"},
    {"help", 'h', HELP, TO(help), .what = "a topic; the topics are all, probe and report"},
    {"version", 'V', FLAG, TO(version)},
    {"count", 'c', COUNT, TO(probes.count), MOST_COUNT, "a count from 1 to 1000000000000"},
    {"flood", 'f', FLAG, TO(probes.flood)},
    {"interval", 'i', TIME, TO(probes.interval_usec), A_TIME},
    {"rate", 0, COUNT, TO(probes.rate), MOST_RATE, "a number from 1 to 1000000"},
    {"pattern", 'P', PATTERN, TO(probes.pattern)},
    {"size", 's', SIZE, TO(probes.size), A_SIZE},
    {"deadline", 'w', TIME, TO(probes.deadline_usec), A_TIME},
    {"parallel", 0, COUNT, TO(probes.parallel), MOST_PARALLEL, "a number from 1 to 1000000"},
    {"diagnose", 0, FLAG, TO(probes.diagnose)},
    {"sweep", 0, SWEEP, TO(probes.sweep),
     .what = "two sizes FROM-TO, the first the smaller, up to 1G"},
    {"json", 0, FLAG, TO(probes.json)},
    {"check", 0, FLAG, TO(probes.check)},
    {"warning", 0, LIMIT, TO(probes.warning), A_LIMIT},
    {"critical", 0, LIMIT, TO(probes.critical), A_LIMIT},
    {"warning-loss", 0, LOSS, TO(probes.warning_loss), A_LOSS},
    {"critical-loss", 0, LOSS, TO(probes.critical_loss), A_LOSS},
    {"prometheus", 0, PATH, TO(probes.prometheus), .what = "the path of a file"},
    {"targets", 0, PATH, TO(probes.targets), .what = "the path of a file"},
    {"all-addresses", 0, FLAG, TO(probes.all_addresses)},
    {"timestamps", 'D', FLAG, TO(probes.timestamps)},
    {"report-every", 0, TIME, TO(probes.report_every_usec), A_TIME},
    {"histogram", 0, FLAG, TO(probes.histogram)},
};

#define ROWS (sizeof rows / sizeof *rows)

/* What getopt_long returns for the option. */
static int code_of(const struct row *row)
{
    return row->letter ? row->letter : 256 + (int)(row - rows);
}

static int argument_of(const struct row *row)
{
    if (row->kind == HELP)
        return optional_argument;
    return row->kind < HELP ? no_argument : required_argument;
}

/* Fills in what getopt_long takes. The colon before the letters lets it distinguish errors. */
static void describe(struct option names[ROWS + 1], char letters[2 * ROWS + 2])
{
    *letters++ = ':';
    for (size_t i = 0; i < ROWS; i++) {
        names[i] = (struct option){rows[i].name, argument_of(&rows[i]), NULL, code_of(&rows[i])};
        if (rows[i].letter)
            *letters++ = (char)rows[i].letter;
        if (rows[i].letter && names[i].has_arg == required_argument)
            *letters++ = ':';
    }
    names[ROWS] = (struct option){NULL, 0, NULL, 0};
    *letters = '\0';
}

static const struct row *row_of(int code)
{
    for (size_t i = 0; i < ROWS; i++)
        if (code_of(&rows[i]) == code)
            return &rows[i];
    return NULL;
}

static bool ends_with_digit(const char *string)
{
    size_t length = strlen(string);

    return length > 0 && string[length - 1] >= '0' && string[length - 1] <= '9';
}

static bool read_size(const char *value, size_t *size)
{
    uint64_t bytes;

    if (quantity_size(value, 0, MOST_BYTES, &bytes) < 0)
        return false;
    *size = (size_t)bytes;
    return true;
}

static bool read_sweep(const char *value, struct probe_options *options)
{
    const char *dash = strchr(value, '-');
    char from[32];

    if (!dash || (size_t)(dash - value) >= sizeof from)
        return false;
    memcpy(from, value, (size_t)(dash - value));
    from[dash - value] = '\0';
    options->sweep = true;
    return read_size(from, &options->sweep_from) && read_size(dash + 1, &options->sweep_to) &&
           options->sweep_from < options->sweep_to;
}

/* Reads a time as monitoring plugins take it: in milliseconds unless a unit is given. */
static bool read_limit(const char *value, double *msec)
{
    bool plain = ends_with_digit(value); /* then quantity_time takes the number for seconds */
    uint64_t usec;

    if (quantity_time(value, 0, plain ? MOST_TIME * 1000 : MOST_TIME, &usec) < 0)
        return false;
    *msec = (double)usec / (plain ? 1000000 : 1000);
    return true;
}

static bool read_loss(const char *value, double *percent)
{
    const char *unit = value + strspn(value, "0123456789."); /* strtod would take more forms */
    char *end;

    *percent = strtod(value, &end);
    return *value >= '0' && *value <= '9' && end == unit && unit[-1] != '.' &&
           (*unit == '\0' || strcmp(unit, "%") == 0) && *percent <= 100;
}

/* Reads [@][START:][END], of which `read` reads START and END. */
static bool read_range(const char *value, bool (*read)(const char *, double *),
                       struct probe_limit *limit)
{
    const char *colon = strchr(value, ':'), *end;
    char start[32] = "";

    *limit = (struct probe_limit){true, *value == '@', 0, INFINITY};
    value += limit->inside;
    end = colon ? colon + 1 : value;
    if (colon && (size_t)(colon - value) < sizeof start)
        memcpy(start, value, (size_t)(colon - value));
    if (strcmp(start, "~") == 0)
        limit->low = -INFINITY;
    else if (colon && !read(start, &limit->low))
        return false;
    return ((colon && *end == '\0') || read(end, &limit->high)) && limit->low <= limit->high;
}

static bool read_colour(const char *value, enum display_colour *colour)
{
    static const char *const names[] = {"auto", "always", "never"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(value, names[i]) == 0) {
            *colour = (enum display_colour)i;
            return true;
        }
    return false;
}

/* Reads the value into its member; false if it is not one. */
static bool read_value(const struct row *row, const char *value, struct options *options)
{
    void *member = (char *)options + row->member;

    switch (row->kind) {
    case COLOUR:
        return read_colour(value, member);
    case COUNT: /* quantity_size knows units, which a count has not */
        return ends_with_digit(value) && quantity_size(value, 1, row->value, member) == 0;
    case SIZE:
        return read_size(value, member);
    case TIME:
        return quantity_time(value, LEAST_TIME, MOST_TIME, member) == 0;
    case LIMIT:
        return read_range(value, read_limit, member);
    case LOSS:
        return read_range(value, read_loss, member);
    case SWEEP:
        return read_sweep(value, &options->probes);
    case PATH:
        *(const char **)member = value;
        return *value != '\0';
    case HELP:
        options->help = help_text(value);
        return options->help != NULL;
    default:
        *(bool *)member = true;
        return true;
    }
}

#define REFUSE(reason, ...) (text_addf(reason, __VA_ARGS__), -1)

static int choose(int *member, const struct row *row, struct text *reason)
{
    if (*member != 0 && *member != (int)row->value)
        return REFUSE(reason, "%s", row->what);
    *member = (int)row->value;
    return 0;
}

/* Reads a value whose reader adds the reason itself if it is wrong. */
static int read_named(const struct row *row, const char *value, struct options *options,
                      struct text *reason)
{
    text_addf(reason, "--%s: ", row->name);
    if (row->kind == SOURCE ? bind_address_parse(value, &options->bind_address, reason) < 0
                            : pattern_parse(value, &options->probes.pattern, reason) < 0)
        return -1;
    text_init(reason, reason->start, reason->size);
    return 0;
}

static int take(const struct row *row, const char *value, struct options *options,
                struct text *reason)
{
    if (row->member >= offsetof(struct options, probes))
        options->probes.on = true;
    if (row->kind == SOURCE || row->kind == PATTERN)
        return read_named(row, value, options, reason);
    if (row->kind == MESSAGE)
        options->message = value;
    if (row->kind == MESSAGE || row->kind == CHOICE)
        return choose((int *)((char *)options + row->member), row, reason);
    if (!read_value(row, value, options))
        return REFUSE(reason, "--%s: '%s' is not %s", row->name, value, row->what);
    return 0;
}

/* Names the option for which getopt_long returned `code`, ':' or '?'. */
static int refuse_option(int code, char **argv, struct text *reason)
{
    const char *argument = argv[optind - 1];
    bool is_long = strncmp(argument, "--", 2) == 0;

    if (code == ':' && is_long)
        return REFUSE(reason, "the option '%s' needs a value", argument);
    if (code == ':')
        return REFUSE(reason, "the option '-%c' needs a value", optopt);
    if (optopt == 0)
        return REFUSE(reason, "there is no option '%s', or it is short for several", argument);
    if (row_of(optopt))
        return REFUSE(reason, "the option takes no value: '%s'", argument);
    return REFUSE(reason, "there is no option '-%c'", optopt);
}

int options_read(int argc, char **argv, struct options *options, struct text *reason)
{
    struct option names[ROWS + 1];
    char letters[2 * ROWS + 2];
    int code, result = 0;

    *options = (struct options){
        .max_bytes = FRAME_DEFAULT_MAX_BYTES,
        .probes.size = OPTIONS_NO_SIZE,
    };
    describe(names, letters);
    opterr = 0;
    while (!options->help && !options->version &&
           (code = getopt_long(argc, argv, letters, names, NULL)) != -1) {
        const struct row *row = row_of(code);

        if (result == 0)
            result = row ? take(row, optarg, options, reason) : refuse_option(code, argv, reason);
        else if (row && row->member == offsetof(struct options, probes.check))
            options->probes.check = true;
    }
    if (result < 0 || options->help || options->version)
        return result;
    options->addresses = argv + optind;
    return options_finish(options, reason);
}
