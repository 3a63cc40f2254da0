/* SPDX-License-Identifier: MIT */
#include "tincand/tincand_options.h"

#include "common/quantity.h"
#include "tincand/memory.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>

#define CONNECTIONS_MAX ((uint64_t)1 << 24)
#define MEMORY_DEFAULT  ((uint64_t)256 << 20)
#define MEMORY_MAX      ((uint64_t)1 << 40)
#define GRACE_DEFAULT   UINT64_C(5000000)
#define TIME_MIN        UINT64_C(1000)
#define TIME_MAX        (UINT64_C(7) * 24 * 3600 * 1000000)

const char tincand_help[] =
    "Usage: tincand [OPTION]...\n"
    "Serve the tincan echo protocol, many connections in one process. The listening sockets are\n"
    "those of a systemd .socket unit (Accept=no), or standard input (xinetd with wait = yes), or:\n"
    "\n"
    "  -l, --listen=ADDRESS  HOST:PORT, [IPV6]:PORT, unix:PATH, unix:@NAME, vsock:CID:PORT;\n"
    "                        may be given several times\n" SETTINGS_HELP
    "  -c, --max-connections=N             connections at once (default: what the limit of\n"
    "                                      descriptors allows)\n"
    "      --max-connections-per-source=N  of one address or user (default: a quarter of that)\n"
    "      --max-memory=SIZE  for messages in all (default 256M); above, input waits\n"
    "      --grace=TIME       for what is in flight when told to stop (default 5s)\n"
    "      --idle-exit=TIME   end after so long without a connection (default: never)\n"
    "  -h, --help            show this help\n"
    "  -V, --version         show the version\n"
    "\n"
    "SIZE takes k, M, G; TIME takes us, ms, s, m, h, d.\n"
    "Exit status: 0 told to stop, or idle; 64 wrong usage or launch; 71 the system failed.\n";

/* Long options without a letter. */
enum { OPTION_PER_SOURCE = 256, OPTION_MAX_MEMORY, OPTION_GRACE, OPTION_IDLE_EXIT };

#define GIVE_CONNECTIONS ": give a number of connections from 1 to 16M, such as 1000"
#define GIVE_TIME        ": give a time from 1ms to 7d, such as 30s"

/* The options that set one of the limits. */
static const struct limit_option {
    int option;
    uint64_t max; /* of a size or number, which is at least 1; 0: it is a time */
    size_t offset;
    const char *why; /* a value can't be used, for settings_refuse() */
} limit_options[] = {
    {'c', CONNECTIONS_MAX, offsetof(struct limits, max_connections),
     " for --max-connections" GIVE_CONNECTIONS},
    {OPTION_PER_SOURCE, CONNECTIONS_MAX, offsetof(struct limits, max_per_source),
     " for --max-connections-per-source" GIVE_CONNECTIONS},
    {OPTION_MAX_MEMORY, MEMORY_MAX, offsetof(struct limits, max_memory),
     " for --max-memory: give a size from 1 to 1024G, such as 64M"},
    {OPTION_GRACE, 0, offsetof(struct limits, grace), " for --grace" GIVE_TIME},
    {OPTION_IDLE_EXIT, 0, offsetof(struct limits, idle_exit), " for --idle-exit" GIVE_TIME},
};

/* Sets a limit. Returns whether the option is one of the above; adds a sentence to `problem` if its
 * value can't be used. */
static bool read_limit(struct limits *limits, int option, const char *value, struct text *problem)
{
    for (size_t i = 0; i < sizeof limit_options / sizeof limit_options[0]; i++) {
        const struct limit_option *limit = &limit_options[i];
        uint64_t *number = (uint64_t *)((char *)limits + limit->offset);
        if (limit->option != option)
            continue;
        if ((limit->max ? quantity_size(value, 1, limit->max, number)
                        : quantity_time(value, TIME_MIN, TIME_MAX, number)) < 0)
            settings_refuse(problem, "", value, limit->why);
        return true;
    }
    return false;
}

static void refuse_address(struct text *problem, const char *value, const char *wanted)
{
    char buffer[512];
    struct text why;

    text_init(&why, buffer, sizeof buffer);
    text_addf(&why, " for --listen: give %s", wanted);
    settings_refuse(problem, "", value, why.start);
}

static void read_address(struct tincand_options *options, const char *value, struct text *problem)
{
    struct address *address = &options->addresses[options->address_count];
    char buffer[256];
    struct text wanted;

    text_init(&wanted, buffer, sizeof buffer);
    text_add(&wanted, "an address such as [::]:4040: ");
    if (options->address_count == LISTENERS_MAX)
        refuse_address(problem, value, "64 addresses at the most");
    else if (address_parse(value, address, &wanted) < 0)
        refuse_address(problem, value, wanted.start);
    else if (address->hybrid)
        refuse_address(problem, value,
                       "unix:PATH, without the port behind it, which is for connecting");
    else
        options->address_count++;
}

/* Reads one option; `argument` is the word of the command line that has it. */
static void read_option(struct tincand_options *options, int option, const char *argument,
                        struct text *problem)
{
    if (settings_take(&options->settings, option, optarg, problem) ||
        read_limit(&options->limits, option, optarg, problem))
        return;
    switch (option) {
    case 'l':
        read_address(options, optarg, problem);
        break;
    case 'h':
        options->action = TINCAND_HELP;
        break;
    case 'V':
        options->action = TINCAND_VERSION;
        break;
    default:
        settings_refuse_option(problem, argument);
    }
}

/* A message of the greatest length could never be received with less memory than it needs. */
static void check_memory(const struct tincand_options *options, struct text *problem)
{
    uint64_t max_bytes = options->settings.max_bytes, max_memory = options->limits.max_memory;

    if (max_memory < memory_min(max_bytes))
        text_addf(problem,
                  "cannot receive messages of %" PRIu64 " bytes (--max-bytes) with %" PRIu64
                  " bytes (--max-memory): give --max-memory at least %" PRIu64,
                  max_bytes, max_memory, memory_min(max_bytes));
}

static void read_all(struct tincand_options *options, int argc, char **argv, struct text *problem)
{
    static const struct option names[] = {
        SETTINGS_NAMES,
        {"listen", required_argument, NULL, 'l'},
        {"max-connections", required_argument, NULL, 'c'},
        {"max-connections-per-source", required_argument, NULL, OPTION_PER_SOURCE},
        {"max-memory", required_argument, NULL, OPTION_MAX_MEMORY},
        {"grace", required_argument, NULL, OPTION_GRACE},
        {"idle-exit", required_argument, NULL, OPTION_IDLE_EXIT},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {0},
    };

    while (options->action == TINCAND_SERVE && problem->length == 0) {
        int before = optind;
        int option = getopt_long(argc, argv, "+" SETTINGS_LETTERS "l:c:hV", names, NULL);
        if (option < 0)
            break;
        read_option(options, option, argv[before], problem);
    }
}

void tincand_options_read(struct tincand_options *options, int argc, char **argv,
                          struct text *problem)
{
    *options = (struct tincand_options){
        .limits = {.max_memory = MEMORY_DEFAULT, .grace = GRACE_DEFAULT},
    };
    settings_init(&options->settings);
    opterr = 0; /* getopt would write to descriptor 2, which may be the listening socket */
    read_all(options, argc, argv, problem);
    if (options->action != TINCAND_SERVE)
        return;
    if (problem->length == 0 && optind < argc)
        settings_refuse_argument(problem, argv[optind]);
    if (problem->length == 0)
        check_memory(options, problem);
    if (problem->length > 0)
        options->action = TINCAND_REFUSE;
}
