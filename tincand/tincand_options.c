/* SPDX-License-Identifier: MIT */
#include "tincand/tincand_options.h"

#include "common/quantity.h"
#include "tincand/memory.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <sys/sysinfo.h>

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
    "      --max-memory=SIZE  memory of all messages (default 256M, or a quarter\n"
    "                         of a small machine's); more input waits\n"
    "      --grace=TIME       time to finish open exchanges after SIGTERM (default 5s)\n"
    "      --idle-exit=TIME   end after TIME without a connection (default: never)\n"
    "  -h, --help            show this help\n"
    "  -V, --version         show the version\n"
    "\n"
    "SIZE may end in k, M or G; TIME in us, ms, s, m, h or d.\n"
    "Exit status: 0 ended by SIGTERM, or idle; 64 wrong usage or launch; 71 the system failed.\n";

/* Long options without a letter. */
enum { OPTION_PER_SOURCE = 256, OPTION_MAX_MEMORY, OPTION_GRACE, OPTION_IDLE_EXIT };

#define CONNECTIONS_WANTED "a number of connections from 1 to 16M, such as 1000"
#define TIME_WANTED        "a time from 1ms to 7d, such as 30s"

/* The options that set one of the limits. */
static const struct limit_option {
    int letter;
    const char *name, *wanted;
    uint64_t max; /* of a size or number, which is at least 1; 0: it is a time */
    size_t offset;
} limit_options[] = {
    {'c', "--max-connections", CONNECTIONS_WANTED, CONNECTIONS_MAX,
     offsetof(struct limits, max_connections)},
    {OPTION_PER_SOURCE, "--max-connections-per-source", CONNECTIONS_WANTED, CONNECTIONS_MAX,
     offsetof(struct limits, max_per_source)},
    {OPTION_MAX_MEMORY, "--max-memory", "a size from 1 to 1024G, such as 64M", MEMORY_MAX,
     offsetof(struct limits, max_memory)},
    {OPTION_GRACE, "--grace", TIME_WANTED, 0, offsetof(struct limits, grace)},
    {OPTION_IDLE_EXIT, "--idle-exit", TIME_WANTED, 0, offsetof(struct limits, idle_exit)},
};

/* Takes an option that sets a limit. Returns whether it is one; adds a sentence to `problem` if its
 * value can't be used. */
static bool take_limit(struct limits *limits, int letter, struct text *problem)
{
    for (size_t i = 0; i < sizeof limit_options / sizeof limit_options[0]; i++) {
        const struct limit_option *limit = &limit_options[i];
        uint64_t *number = (uint64_t *)((char *)limits + limit->offset);
        if (limit->letter != letter)
            continue;
        if ((limit->max ? quantity_size(optarg, 1, limit->max, number)
                        : quantity_time(optarg, TIME_MIN, TIME_MAX, number)) < 0)
            settings_refuse(problem, limit->name, optarg, limit->wanted);
        return true;
    }
    return false;
}

static bool is_printable(const char *text)
{
    while (*text >= 0x20 && *text < 0x7f)
        text++;
    return *text == '\0';
}

static void take_address(struct tincand_options *options, struct text *problem)
{
    struct address *address = &options->addresses[options->address_count];
    char buffer[256];
    struct text wanted;

    text_init(&wanted, buffer, sizeof buffer);
    text_add(&wanted, "an address such as [::]:4040: ");
    if (options->address_count == LISTENERS_MAX)
        settings_refuse(problem, "--listen", optarg, "64 addresses at the most");
    else if (address_parse(optarg, address, &wanted) < 0)
        settings_refuse(problem, "--listen", optarg,
                        is_printable(optarg) ? wanted.start : "an address such as [::]:4040");
    else if (address->hybrid)
        settings_refuse(problem, "--listen", optarg,
                        "unix:PATH, without the port behind it, which is for connecting");
    else
        options->address_count++;
}

static bool take_own_option(struct settings *settings, int letter, struct text *problem)
{
    struct tincand_options *options = (struct tincand_options *)settings;

    if (letter != 'l')
        return take_limit(&options->limits, letter, problem);
    take_address(options, problem);
    return true;
}

/* Returns the limit of memory unless one is given: a quarter of a small machine. */
static uint64_t default_memory(void)
{
    struct sysinfo machine;
    uint64_t quarter;

    if (sysinfo(&machine) < 0)
        return MEMORY_DEFAULT;
    quarter = (uint64_t)machine.totalram * machine.mem_unit / 4;
    return quarter < MEMORY_DEFAULT ? quarter : MEMORY_DEFAULT;
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

enum action tincand_options_read(struct tincand_options *options, int argc, char **argv,
                                 struct text *problem)
{
    static const struct option names[] = {
        SETTINGS_NAMES,
        {"listen", required_argument, NULL, 'l'},
        {"max-connections", required_argument, NULL, 'c'},
        {"max-connections-per-source", required_argument, NULL, OPTION_PER_SOURCE},
        {"max-memory", required_argument, NULL, OPTION_MAX_MEMORY},
        {"grace", required_argument, NULL, OPTION_GRACE},
        {"idle-exit", required_argument, NULL, OPTION_IDLE_EXIT},
        {0},
    };
    static const struct program_options program = {SETTINGS_LETTERS "l:c:", names, take_own_option};
    enum action action;

    *options = (struct tincand_options){
        .limits = {.max_memory = default_memory(), .grace = GRACE_DEFAULT},
    };
    action = settings_read(&options->settings, &program, argc, argv, problem);
    if (action == ACTION_SERVE)
        check_memory(options, problem);
    return problem->length > 0 ? ACTION_REFUSE : action;
}
