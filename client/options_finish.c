/* SPDX-License-Identifier: MIT */
#include "client/options.h"

#define MSEC   UINT64_C(1000)
#define SECOND UINT64_C(1000000)

static bool above(struct probe_limit warning, struct probe_limit critical)
{
    return warning.given && critical.given && warning.value > critical.value;
}

/* Returns what is wrong with the limits together, or NULL. */
static const char *limits_problem(const struct probe_options *probe)
{
    if (!probe->check && (probe->warning.given || probe->critical.given ||
                          probe->warning_loss.given || probe->critical_loss.given))
        return "--warning, --critical and their losses are for --check only";
    if (above(probe->warning, probe->critical))
        return "--warning is above --critical";
    if (above(probe->warning_loss, probe->critical_loss))
        return "--warning-loss is above --critical-loss";
    return NULL;
}

/* Returns what is wrong with the options of probes together, or NULL. */
static const char *probe_problem(const struct options *options)
{
    const struct probe_options *probe = &options->probe;
    bool size = probe->size != OPTIONS_NO_SIZE;

    if (options->input == OPTIONS_NULL || options->input == OPTIONS_WHOLE)
        return "probes don't read standard input: --null and --whole are not for them";
    if (options->input == OPTIONS_MESSAGE && (size || probe->pattern.name || probe->sweep))
        return "--message excludes --pattern, --size and --sweep";
    if (probe->flood && probe->interval_usec > 0)
        return "--flood and --interval exclude each other";
    if (probe->sweep && (probe->flood || probe->count > 0 || probe->interval_usec > 0 || size ||
                         probe->parallel > 0))
        return "--sweep excludes --count, --flood, --interval, --parallel and --size";
    if (probe->sweep && (probe->check || probe->prometheus || probe->histogram))
        return "--sweep excludes --check, --histogram and --prometheus";
    if (probe->check && (probe->json || probe->histogram))
        return "--check excludes --histogram and --json: it prints one line";
    return limits_problem(probe);
}

static void fill_in(uint64_t *value, uint64_t otherwise)
{
    if (*value == 0)
        *value = otherwise;
}

static void fill_in_defaults(struct options *options)
{
    struct probe_options *probe = &options->probe;

    fill_in(&options->timeout_usec, (probe->sweep ? 2 : 10) * SECOND);
    if (probe->check && !probe->flood) {
        fill_in(&probe->count, 5);
        fill_in(&probe->interval_usec, 200 * MSEC);
    }
    if (probe->check)
        fill_in(&probe->deadline_usec, 10 * SECOND);
    probe->parallel_given = probe->parallel > 0;
    if (probe->flood)
        fill_in(&probe->parallel, 32);
    else
        fill_in(&probe->interval_usec, 1 * SECOND);
    if (!probe->pattern.name)
        probe->pattern.name = "text";
}

/* Lets the source address decide the family. Returns what is wrong with them, or NULL. */
static const char *family_problem(struct options *options)
{
    int family = options->source.address.ss_family;

    if (options->address.host[0] == '\0' && options->family != AF_UNSPEC)
        return "--ipv4 and --ipv6 are for hosts only";
    if (options->address.host[0] == '\0' && bind_address_given(&options->source))
        return "--source is for hosts only";
    if (family == AF_UNSPEC)
        return NULL;
    if (options->family != AF_UNSPEC && options->family != family)
        return "--source is an address of the other family than --ipv4 or --ipv6 asks for";
    options->family = family;
    return NULL;
}

static int take_address(struct options *options, char **arguments, struct text *reason)
{
    const char *address = arguments[0] ? arguments[0] : ADDRESS_DEFAULT;

    if (arguments[0] && arguments[1]) {
        text_addf(reason, "one address is enough, the second is '%s'", arguments[1]);
        return -1;
    }
    text_addf(reason, "the address '%s': ", address);
    if (address_parse(address, &options->address, reason) < 0)
        return -1;
    text_init(reason, reason->start, reason->size);
    return 0;
}

int options_finish(struct options *options, char **arguments, struct text *reason)
{
    const char *problem = NULL;

    if (options->connect_first && (options->input != OPTIONS_AUTO || options->probe.on))
        problem = "--connect-first is for the conversation at a terminal only";
    else if (options->probe.on)
        problem = probe_problem(options);
    fill_in_defaults(options);
    if (!problem && take_address(options, arguments, reason) < 0)
        return -1;
    if (!problem)
        problem = family_problem(options);
    if (problem)
        text_add(reason, problem);
    return problem ? -1 : 0;
}
