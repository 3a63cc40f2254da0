/* SPDX-License-Identifier: MIT */
#include "client/probe_options.h"

#include "common/quantity.h"

#include <stdlib.h>
#include <string.h>

#define MOST_TIME_USEC      UINT64_C(86400000000)
#define LEAST_INTERVAL_USEC UINT64_C(1000)
#define MOST_SIZE           ((uint64_t)1 << 30)
#define MOST_COUNT          UINT64_C(1000000000000)
#define MOST_PARALLEL       1000000
#define DEFAULT_INTERVAL    UINT64_C(1000000)
#define DEFAULT_PARALLEL    32
#define CHECK_COUNT         5
#define CHECK_INTERVAL      UINT64_C(200000)
#define CHECK_DEADLINE      UINT64_C(10000000)
#define SWEEP_TIMEOUT       UINT64_C(2000000)

static enum probe_option_result wrong(struct text *reason, const char *option, const char *value,
                                      const char *problem)
{
    text_add(reason, option);
    text_add(reason, ": '");
    text_add(reason, value);
    text_add(reason, "' ");
    text_add(reason, problem);
    return PROBE_OPTION_WRONG;
}

static enum probe_option_result take_number(const char *option, const char *value, uint64_t most,
                                            const char *problem, uint64_t *number,
                                            struct text *reason)
{
    size_t length = strlen(value);

    /* quantity_size knows units, which a count has not. */
    if (length == 0 || value[length - 1] < '0' || value[length - 1] > '9' ||
        quantity_size(value, 1, most, number) < 0)
        return wrong(reason, option, value, problem);
    return PROBE_OPTION_TAKEN;
}

static enum probe_option_result take_time(const char *option, const char *value, uint64_t least,
                                          uint64_t *usec, struct text *reason)
{
    if (quantity_time(value, least, MOST_TIME_USEC, usec) < 0)
        return wrong(reason, option, value, "is not a time from 1ms to 1d");
    return PROBE_OPTION_TAKEN;
}

static enum probe_option_result take_size(struct probe_options *options, const char *value,
                                          struct text *reason)
{
    if (quantity_size(value, 0, MOST_SIZE, &options->size) < 0)
        return wrong(reason, "--size", value, "is not a size from 0 to 1G");
    options->has_size = true;
    return PROBE_OPTION_TAKEN;
}

static enum probe_option_result take_pattern(struct probe_options *options, const char *value,
                                             struct text *reason)
{
    text_add(reason, "--pattern: ");
    if (pattern_parse(value, &options->pattern, reason) < 0)
        return PROBE_OPTION_WRONG;
    text_init(reason, reason->start, reason->size);
    options->has_pattern = true;
    options->pattern_name = value;
    return PROBE_OPTION_TAKEN;
}

static enum probe_option_result take_sweep(struct probe_options *options, const char *value,
                                           struct text *reason)
{
    static const char problem[] = "is not two sizes FROM-TO, the first the smaller, up to 1G";
    const char *dash = strchr(value, '-');
    char from[32];

    if (!dash || (size_t)(dash - value) >= sizeof from)
        return wrong(reason, "--sweep", value, problem);
    memcpy(from, value, (size_t)(dash - value));
    from[dash - value] = '\0';
    if (quantity_size(from, 0, MOST_SIZE, &options->sweep_from) < 0 ||
        quantity_size(dash + 1, 0, MOST_SIZE, &options->sweep_to) < 0 ||
        options->sweep_from >= options->sweep_to)
        return wrong(reason, "--sweep", value, problem);
    options->sweep = true;
    return PROBE_OPTION_TAKEN;
}

/* A limit in milliseconds, which a unit may change: as plugins are given them. */
static enum probe_option_result take_limit(struct probe_limit *limit, const char *option,
                                           const char *value, struct text *reason)
{
    uint64_t usec;
    size_t length = strlen(value);
    bool plain = length > 0 && value[length - 1] >= '0' && value[length - 1] <= '9';
    uint64_t most = plain ? MOST_TIME_USEC * 1000 : MOST_TIME_USEC;

    if (quantity_time(value, 1, most, &usec) < 0)
        return wrong(reason, option, value, "is not a time up to 1d, in ms unless a unit is given");
    limit->given = true;
    /* Without a unit it was read as seconds. */
    limit->value = (double)usec / (plain ? 1000000 : 1000);
    return PROBE_OPTION_TAKEN;
}

static enum probe_option_result take_loss(struct probe_limit *limit, const char *option,
                                          const char *value, struct text *reason)
{
    char *end;
    double percent = strtod(value, &end);

    if (*end == '%')
        end++;
    if (*value < '0' || *value > '9' || *end != '\0' || !(percent >= 0 && percent <= 100))
        return wrong(reason, option, value, "is not a share from 0 to 100 percent");
    limit->given = true;
    limit->value = percent;
    return PROBE_OPTION_TAKEN;
}

static enum probe_option_result take_path(struct probe_options *options, const char *value,
                                          struct text *reason)
{
    if (*value == '\0')
        return wrong(reason, "--prometheus", value, "is not the path of a file");
    options->prometheus = value;
    return PROBE_OPTION_TAKEN;
}

static enum probe_option_result take_flag(bool *flag)
{
    *flag = true;
    return PROBE_OPTION_TAKEN;
}

static enum probe_option_result take_any(struct probe_options *options, int code, const char *value,
                                         struct text *reason)
{
    switch (code) {
    case 'c':
        return take_number("--count", value, MOST_COUNT, "is not a count from 1 to 1000000000000",
                           &options->count, reason);
    case 'f':
        return take_flag(&options->flood);
    case 'i':
        return take_time("--interval", value, LEAST_INTERVAL_USEC, &options->interval_usec, reason);
    case 'P':
        return take_pattern(options, value, reason);
    case 's':
        return take_size(options, value, reason);
    case 'w':
        return take_time("--deadline", value, LEAST_INTERVAL_USEC, &options->deadline_usec, reason);
    case PROBE_OPTION_PARALLEL:
        return take_number("--parallel", value, MOST_PARALLEL, "is not a number from 1 to 1000000",
                           &options->parallel, reason);
    case PROBE_OPTION_SWEEP:
        return take_sweep(options, value, reason);
    case PROBE_OPTION_JSON:
        return take_flag(&options->json);
    case PROBE_OPTION_CHECK:
        return take_flag(&options->check);
    case PROBE_OPTION_WARNING:
        return take_limit(&options->warning, "--warning", value, reason);
    case PROBE_OPTION_CRITICAL:
        return take_limit(&options->critical, "--critical", value, reason);
    case PROBE_OPTION_WARNING_LOSS:
        return take_loss(&options->warning_loss, "--warning-loss", value, reason);
    case PROBE_OPTION_CRITICAL_LOSS:
        return take_loss(&options->critical_loss, "--critical-loss", value, reason);
    case PROBE_OPTION_PROMETHEUS:
        return take_path(options, value, reason);
    case PROBE_OPTION_HISTOGRAM:
        return take_flag(&options->histogram);
    default:
        return PROBE_OPTION_NOT_MINE;
    }
}

enum probe_option_result probe_options_take(struct probe_options *options, int code,
                                            const char *value, struct text *reason)
{
    enum probe_option_result result = take_any(options, code, value, reason);

    if (result == PROBE_OPTION_TAKEN)
        options->on = true;
    return result;
}

static bool limits_given(const struct probe_options *options)
{
    return options->warning.given || options->critical.given || options->warning_loss.given ||
           options->critical_loss.given;
}

static bool above(struct probe_limit warning, struct probe_limit critical)
{
    return warning.given && critical.given && warning.value > critical.value;
}

/* What is wrong with the options together, or NULL. */
static const char *contradiction(const struct probe_options *options)
{
    if (options->flood && options->interval_usec > 0)
        return "--flood and --interval exclude each other";
    if (options->sweep && (options->flood || options->count > 0 || options->interval_usec > 0 ||
                           options->has_size || options->parallel > 0))
        return "--sweep excludes --count, --flood, --interval, --parallel and --size";
    if (options->sweep && (options->check || options->prometheus || options->histogram))
        return "--sweep excludes --check, --histogram and --prometheus";
    if (options->check && (options->json || options->histogram))
        return "--check excludes --histogram and --json: it prints one line";
    if (!options->check && limits_given(options))
        return "--warning, --critical and their losses are for --check only";
    if (above(options->warning, options->critical))
        return "--warning is above --critical";
    if (above(options->warning_loss, options->critical_loss))
        return "--warning-loss is above --critical-loss";
    return NULL;
}

static void fill_in(uint64_t *value, uint64_t otherwise)
{
    if (*value == 0)
        *value = otherwise;
}

int probe_options_settle(struct probe_options *options, bool timeout_given, uint64_t *timeout_usec,
                         struct text *reason)
{
    const char *problem = contradiction(options);

    if (problem) {
        text_add(reason, problem);
        return -1;
    }
    if (options->check && !options->flood) {
        fill_in(&options->count, CHECK_COUNT);
        fill_in(&options->interval_usec, CHECK_INTERVAL);
    }
    if (options->check)
        fill_in(&options->deadline_usec, CHECK_DEADLINE);
    options->parallel_given = options->parallel > 0;
    if (options->flood)
        fill_in(&options->parallel, DEFAULT_PARALLEL);
    else
        fill_in(&options->interval_usec, DEFAULT_INTERVAL);
    if (options->sweep && !timeout_given)
        *timeout_usec = SWEEP_TIMEOUT;
    if (!options->pattern_name)
        options->pattern_name = "text";
    return 0;
}
