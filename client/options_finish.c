/* SPDX-License-Identifier: MIT */
#include "client/options.h"

#include <string.h>

#define MSEC   UINT64_C(1000)
#define SECOND UINT64_C(1000000)

#define DIAGNOSED_SIZE 65536 /* up to which --diagnose tries sizes, in bytes */

static bool above(struct probe_limit warning, struct probe_limit critical)
{
    return warning.given && critical.given && !warning.inside && !critical.inside &&
           warning.low == critical.low && warning.high > critical.high;
}

/* Returns what is wrong with the limits together, or NULL. */
static const char *limits_problem(const struct probe_options *probes)
{
    if (!probes->check && (probes->warning.given || probes->critical.given ||
                           probes->warning_loss.given || probes->critical_loss.given))
        return "--warning, --critical and their losses are for --check only";
    if (above(probes->warning, probes->critical))
        return "--warning is above --critical";
    if (above(probes->warning_loss, probes->critical_loss))
        return "--warning-loss is above --critical-loss";
    return NULL;
}

/* Returns what is wrong with the options of probes together, or NULL. */
static const char *probe_problem(const struct options *options)
{
    const struct probe_options *probes = &options->probes;
    bool size = probes->size != OPTIONS_NO_SIZE;

    if (options->input == OPTIONS_NULL || options->input == OPTIONS_WHOLE)
        return "probes don't read standard input: --null and --whole are not for them";
    if (options->input == OPTIONS_MESSAGE && (size || probes->pattern.name || probes->sweep))
        return "--message excludes --diagnose, --pattern, --size and --sweep";
    if (probes->diagnose && probes->pattern.name)
        return "--diagnose excludes --pattern: it tries each";
    if (probes->flood + (probes->interval_usec > 0) + (probes->rate > 0) > 1)
        return "--flood, --interval and --rate exclude each other";
    if (probes->sweep && (probes->flood || probes->count > 0 || probes->interval_usec > 0 || size ||
                          probes->parallel > 0 || probes->rate > 0))
        return "--sweep and --diagnose exclude --count, --flood, --interval, --parallel, --rate "
               "and --size";
    if (probes->sweep && (probes->check || probes->prometheus || probes->histogram ||
                          probes->timestamps || probes->report_every_usec > 0))
        return "--sweep and --diagnose exclude --check, --histogram, --prometheus, --report-every "
               "and --timestamps";
    if (probes->many && (probes->flood || probes->sweep || probes->histogram))
        return "--diagnose, --flood, --histogram and --sweep are for one target only";
    if (probes->check &&
        (probes->histogram || probes->json || probes->report_every_usec > 0 || probes->timestamps))
        return "--check excludes --histogram, --json, --report-every and --timestamps: it prints "
               "one line";
    return limits_problem(probes);
}

static void fill_in(uint64_t *value, uint64_t otherwise)
{
    if (*value == 0)
        *value = otherwise;
}

static void fill_in_defaults(struct options *options)
{
    struct probe_options *probes = &options->probes;

    fill_in(&options->timeout_usec, (probes->sweep ? 2 : 10) * SECOND);
    if (probes->check && !(probes->flood && probes->deadline_usec > 0))
        fill_in(&probes->count, 5);
    /* Whoever gives the text and asks for JSON wants to see one exchange. */
    if (options->input == OPTIONS_MESSAGE && probes->json && !probes->flood &&
        probes->interval_usec + probes->rate + probes->deadline_usec == 0)
        fill_in(&probes->count, 1);
    if (probes->check)
        fill_in(&probes->deadline_usec, 10 * SECOND);
    probes->parallel_given = probes->parallel > 0;
    if (probes->flood)
        fill_in(&probes->parallel, 32);
    else
        fill_in(&probes->interval_usec, probes->check ? 200 * MSEC : 1 * SECOND);
    probes->interval = probes->rate > 0 ? (int64_t)(1000 * SECOND / probes->rate)
                                        : (int64_t)(1000 * probes->interval_usec);
    if (!probes->pattern.name)
        probes->pattern.name = "text";
}

/* Lets the source address decide the family. Returns what is wrong with both, or NULL. */
static const char *family_problem(struct options *options)
{
    int family = options->bind_address.address.ss_family;

    if (family == AF_UNSPEC)
        return NULL;
    if (options->family != AF_UNSPEC && options->family != family)
        return "--ipv4 or --ipv6 excludes the address of --source";
    options->family = family;
    return NULL;
}

int options_address(const struct options *options, const char *text, struct address *address,
                    struct text *reason)
{
    bool source = bind_address_given(&options->bind_address);
    const char *by = source ? "--source" : options->family == AF_INET ? "--ipv4" : "--ipv6";
    int family;

    text_addf(reason, "the address '%s': ", text);
    if (address_parse(text, address, reason) < 0)
        return -1;
    text_init(reason, reason->start, reason->size);
    family = address_family(address);
    if (address->host[0] == '\0' && source)
        text_add(reason, "--source is for hosts only");
    else if (address->host[0] == '\0' && options->family != AF_UNSPEC)
        text_add(reason, "--ipv4 and --ipv6 are for hosts only");
    else if (family != AF_UNSPEC && options->family != AF_UNSPEC && family != options->family)
        text_addf(reason, "%s is an IPv%d address, which %s excludes", address->host,
                  family == AF_INET ? 4 : 6, by);
    else
        return 0;
    return -1;
}

/* Adds how to write the port of the first address, if that has none. */
static void propose_port(const char *first, const char *host, const char *port, struct text *reason)
{
    bool bare = strcmp(first, host) == 0, six = bare && strchr(host, ':');

    if (bare || first[strlen(first) - 1] == ']')
        text_addf(reason, "; for a port write %s%s%s:%s", six ? "[" : "", first, six ? "]" : "",
                  port);
}

/* Refuses an address beside the first that can't be meant so. */
static int check_other(const struct options *options, const char *first, const char *other,
                       struct text *reason)
{
    struct address address;
    bool port = *other != '\0' && other[strspn(other, "0123456789")] == '\0';

    if (options->probes.on && !port)
        return options_address(options, other, &address, reason);
    if (options->probes.on)
        text_addf(reason, "'%s' is no address", other);
    else
        text_addf(reason, "there can be one address only; the second is '%s'", other);
    if (port)
        propose_port(first, options->address.host, other, reason);
    else
        text_add(reason, "; probes, as with -c, go to several");
    return -1;
}

static int check_addresses(struct options *options, struct text *reason)
{
    char **others = options->addresses;
    const char *first = *others ? *others++ : ADDRESS_DEFAULT;

    if (options->probes.targets && !options->addresses[0])
        return 0;
    if (options_address(options, first, &options->address, reason) < 0)
        return -1;
    for (; *others; others++)
        if (check_other(options, first, *others, reason) < 0)
            return -1;
    return 0;
}

int options_finish(struct options *options, struct text *reason)
{
    struct probe_options *probes = &options->probes;
    const char *problem = NULL;
    bool interactive = options->input == OPTIONS_AUTO && !probes->on;

    if (probes->diagnose && !probes->sweep) {
        probes->sweep = true;
        probes->sweep_from = 1;
        probes->sweep_to = DIAGNOSED_SIZE;
    }
    probes->many = probes->targets || probes->all_addresses ||
                   (options->addresses[0] && options->addresses[1]);
    if ((options->connect_first || options->classic) && !interactive)
        problem = "--classic and --connect-first are for interactive use only";
    else if (probes->on)
        problem = probe_problem(options);
    if (!problem)
        problem = family_problem(options);
    fill_in_defaults(options);
    if (!problem)
        return check_addresses(options, reason);
    text_add(reason, problem);
    return -1;
}
