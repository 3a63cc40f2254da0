/* SPDX-License-Identifier: MIT */
#include "client/options.h"

#include "client/help.h"
#include "common/frame.h"
#include "common/quantity.h"

#include <getopt.h>
#include <string.h>

#define DEFAULT_TIMEOUT_USEC UINT64_C(10000000)
#define LEAST_TIMEOUT_USEC   UINT64_C(1000)
#define MOST_TIMEOUT_USEC    UINT64_C(86400000000)
#define MOST_MAX_BYTES       ((uint64_t)1 << 30)

/* Long options without a letter. */
enum { OPTION_WHOLE = 256, OPTION_CONNECT_FIRST, OPTION_MAX_BYTES };

static const struct option long_options[] = {
    {"message", required_argument, NULL, 'm'},
    {"null", no_argument, NULL, '0'},
    {"whole", no_argument, NULL, OPTION_WHOLE},
    {"connect-first", no_argument, NULL, OPTION_CONNECT_FIRST},
    {"ipv4", no_argument, NULL, '4'},
    {"ipv6", no_argument, NULL, '6'},
    {"source", required_argument, NULL, 'I'},
    {"timeout", required_argument, NULL, 'W'},
    {"max-bytes", required_argument, NULL, OPTION_MAX_BYTES},
    {"quiet", no_argument, NULL, 'q'},
    {"help", optional_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    PROBE_OPTION_ROWS,
    {NULL, 0, NULL, 0},
};

/* Adds "before'value'after" and returns OPTIONS_WRONG. */
static enum options_result wrong(struct text *reason, const char *before, const char *value,
                                 const char *after)
{
    text_add(reason, before);
    text_add(reason, "'");
    text_add(reason, value);
    text_add(reason, "'");
    text_add(reason, after);
    return OPTIONS_WRONG;
}

static enum options_result wrong_string(struct text *reason, const char *string)
{
    text_add(reason, string);
    return OPTIONS_WRONG;
}

static enum options_result set_input(struct options *options, enum options_input input,
                                     struct text *reason)
{
    if (options->input != OPTIONS_AUTO && options->input != input)
        return wrong_string(reason, "--message, --null and --whole exclude each other");
    options->input = input;
    return OPTIONS_RUN;
}

static enum options_result set_family(struct options *options, int family, struct text *reason)
{
    if (options->family != AF_UNSPEC && options->family != family)
        return wrong_string(reason, "--ipv4 and --ipv6 exclude each other");
    options->family = family;
    return OPTIONS_RUN;
}

static enum options_result set_source(struct options *options, const char *value,
                                      struct text *reason)
{
    text_add(reason, "--source: ");
    if (bind_address_parse(value, &options->source, reason) < 0)
        return OPTIONS_WRONG;
    text_init(reason, reason->start, reason->size);
    return OPTIONS_RUN;
}

static enum options_result set_timeout(struct options *options, const char *value,
                                       struct text *reason)
{
    if (quantity_time(value, LEAST_TIMEOUT_USEC, MOST_TIMEOUT_USEC, &options->timeout_usec) < 0)
        return wrong(reason, "--timeout: ", value, " is not a time from 1ms to 1d");
    return OPTIONS_RUN;
}

static enum options_result set_max_bytes(struct options *options, const char *value,
                                         struct text *reason)
{
    uint64_t bytes;

    if (quantity_size(value, 0, MOST_MAX_BYTES, &bytes) < 0)
        return wrong(reason, "--max-bytes: ", value, " is not a size from 0 to 1G");
    options->max_bytes = (size_t)bytes;
    return OPTIONS_RUN;
}

/* Names the option that getopt_long did not take, which returned `code` for it. */
static enum options_result reject_option(int code, char **argv, struct text *reason)
{
    char letter[3] = {'-', (char)optopt, '\0'};
    bool is_long = strncmp(argv[optind - 1], "--", 2) == 0;

    if (code == ':')
        return wrong(reason, "the option ", is_long ? argv[optind - 1] : letter, " needs a value");
    if (optopt == 0)
        return wrong(reason, "there is no option ", argv[optind - 1], ", or it is ambiguous");
    for (const struct option *each = long_options; each->name; each++)
        if (each->val == optopt)
            return wrong(reason, "the option takes no value: ", argv[optind - 1], "");
    return wrong(reason, "there is no option ", letter, "");
}

static enum options_result take_help(struct options *options, const char *topic,
                                     struct text *reason)
{
    if (!help_text(topic))
        return wrong(reason, "--help: ", topic, " is not a topic: it knows probe and report");
    options->help_topic = topic;
    return OPTIONS_HELP;
}

static enum options_result take_probe_option(struct options *options, int code, char **argv,
                                             struct text *reason)
{
    switch (probe_options_take(&options->probe, code, optarg, reason)) {
    case PROBE_OPTION_TAKEN:
        return OPTIONS_RUN;
    case PROBE_OPTION_WRONG:
        return OPTIONS_WRONG;
    case PROBE_OPTION_NOT_MINE:
        break;
    }
    return reject_option(code, argv, reason);
}

static enum options_result take_option(struct options *options, int code, char **argv,
                                       struct text *reason)
{
    switch (code) {
    case 'm':
        options->message = optarg;
        return set_input(options, OPTIONS_MESSAGE, reason);
    case '0':
        return set_input(options, OPTIONS_NULL, reason);
    case OPTION_WHOLE:
        return set_input(options, OPTIONS_WHOLE, reason);
    case OPTION_CONNECT_FIRST:
        options->connect_first = true;
        return OPTIONS_RUN;
    case '4':
        return set_family(options, AF_INET, reason);
    case '6':
        return set_family(options, AF_INET6, reason);
    case 'I':
        return set_source(options, optarg, reason);
    case 'W':
        return set_timeout(options, optarg, reason);
    case OPTION_MAX_BYTES:
        return set_max_bytes(options, optarg, reason);
    case 'q':
        options->quiet = true;
        return OPTIONS_RUN;
    case 'h':
        return take_help(options, optarg, reason);
    case 'V':
        return OPTIONS_VERSION;
    default:
        return take_probe_option(options, code, argv, reason);
    }
}

/* The source address decides the family, and neither is for anything but hosts. */
static enum options_result settle_family(struct options *options, struct text *reason)
{
    int family = options->source.address.ss_family;

    if (options->address.host[0] == '\0' && options->family != AF_UNSPEC)
        return wrong_string(reason, "--ipv4 and --ipv6 are for hosts only");
    if (options->address.host[0] == '\0' && bind_address_given(&options->source))
        return wrong_string(reason, "--source is for hosts only");
    if (family == AF_UNSPEC)
        return OPTIONS_RUN;
    if (options->family != AF_UNSPEC && options->family != family)
        return wrong_string(reason, "--source is an address of the other family than --ipv4 or "
                                    "--ipv6 asks for");
    options->family = family;
    return OPTIONS_RUN;
}

static enum options_result take_address(struct options *options, char **arguments,
                                        struct text *reason)
{
    const char *text = arguments[0] ? arguments[0] : ADDRESS_DEFAULT;

    if (arguments[0] && arguments[1])
        return wrong(reason, "one address is enough, the second is ", arguments[1], "");
    text_add(reason, "the address '");
    text_add(reason, text);
    text_add(reason, "': ");
    if (address_parse(text, &options->address, reason) < 0)
        return OPTIONS_WRONG;
    text_init(reason, reason->start, reason->size);
    return settle_family(options, reason);
}

/* Refuses options that contradict each other, and fills in what was not given. */
static enum options_result settle(struct options *options, struct text *reason)
{
    const struct probe_options *probe = &options->probe;
    bool timeout_given = options->timeout_usec > 0;

    if (!timeout_given)
        options->timeout_usec = DEFAULT_TIMEOUT_USEC;
    if (options->connect_first && (options->input != OPTIONS_AUTO || probe->on))
        return wrong_string(reason, "--connect-first is for the conversation at a terminal only");
    if (!probe->on)
        return OPTIONS_RUN;
    if (options->input == OPTIONS_NULL || options->input == OPTIONS_WHOLE)
        return wrong_string(reason, "probes don't read standard input: --null and --whole are not "
                                    "for them");
    if (options->input == OPTIONS_MESSAGE &&
        (probe->has_size || probe->has_pattern || probe->sweep))
        return wrong_string(reason, "--message excludes --pattern, --size and --sweep");
    return probe_options_settle(&options->probe, timeout_given, &options->timeout_usec, reason) < 0
               ? OPTIONS_WRONG
               : OPTIONS_RUN;
}

enum options_result options_read(int argc, char **argv, struct options *options,
                                 struct text *reason)
{
    enum options_result result;
    int code;

    *options = (struct options){
        .family = AF_UNSPEC,
        .max_bytes = FRAME_DEFAULT_MAX_BYTES,
    };
    opterr = 0;
    while ((code = getopt_long(argc, argv, ":m:046I:W:qhV" PROBE_OPTION_LETTERS, long_options,
                               NULL)) != -1) {
        result = take_option(options, code, argv, reason);
        if (result != OPTIONS_RUN)
            return result;
    }
    result = settle(options, reason);
    return result == OPTIONS_RUN ? take_address(options, argv + optind, reason) : result;
}
