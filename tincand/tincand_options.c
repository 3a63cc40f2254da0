/* SPDX-License-Identifier: MIT */
#include "tincand/tincand_options.h"

#include "common/quantity.h"
#include "tincand/connection.h"

#include <getopt.h>
#include <inttypes.h>

#define CONNECTIONS_MOST ((uint64_t)1 << 24)
#define MEMORY_DEFAULT   ((uint64_t)256 << 20)
#define MEMORY_MOST      ((uint64_t)1 << 40)
#define GRACE_DEFAULT    UINT64_C(5000000)
#define TIME_LEAST       UINT64_C(1000)
#define TIME_MOST        (UINT64_C(7) * 24 * 3600 * 1000000)

/* Long options without a letter. */
enum { OPTION_PER_SOURCE = 256, OPTION_MAX_MEMORY, OPTION_GRACE, OPTION_IDLE_EXIT };

static void refuse_value(struct text *problem, const char *option, const char *value,
                         const char *wanted)
{
    char buffer[512];
    struct text why;

    text_init(&why, buffer, sizeof buffer);
    text_addf(&why, " for %s: give %s", option, wanted);
    settings_refuse(problem, "", value, why.start);
}

static void take_size(const char *name, const char *wanted, uint64_t most, uint64_t *size,
                      struct text *problem)
{
    if (quantity_size(optarg, 1, most, size) < 0)
        refuse_value(problem, name, optarg, wanted);
}

static void take_time(const char *name, uint64_t *usec, struct text *problem)
{
    if (quantity_time(optarg, TIME_LEAST, TIME_MOST, usec) < 0)
        refuse_value(problem, name, optarg, "a time from 1ms to 7d, such as 30s");
}

static void take_address(struct tincand_options *options, struct text *problem)
{
    char buffer[256];
    struct text reason;

    text_init(&reason, buffer, sizeof buffer);
    text_add(&reason, "an address such as [::]:4040: ");
    if (options->address_count == LISTENERS_MOST)
        refuse_value(problem, "--listen", optarg, "64 addresses at the most");
    else if (address_parse(optarg, &options->addresses[options->address_count], &reason) < 0)
        refuse_value(problem, "--listen", optarg, reason.start);
    else if (options->addresses[options->address_count].hybrid)
        refuse_value(problem, "--listen", optarg,
                     "unix:PATH, without the port behind it, which is for connecting");
    else
        options->address_count++;
}

/* Takes one of the options that only this program has. */
static enum tincand_action take_own_option(struct tincand_options *options, int option,
                                           const char *argument, struct text *problem)
{
    static const char connections[] = "a number of connections from 1 to 16M, such as 1000";

    switch (option) {
    case 'l':
        take_address(options, problem);
        break;
    case 'c':
        take_size("--max-connections", connections, CONNECTIONS_MOST, &options->max_connections,
                  problem);
        break;
    case OPTION_PER_SOURCE:
        take_size("--max-connections-per-source", connections, CONNECTIONS_MOST,
                  &options->max_per_source, problem);
        break;
    case OPTION_MAX_MEMORY:
        take_size("--max-memory", "a size from 1 to 1024G, such as 64M", MEMORY_MOST,
                  &options->max_memory, problem);
        break;
    case OPTION_GRACE:
        take_time("--grace", &options->grace, problem);
        break;
    case OPTION_IDLE_EXIT:
        take_time("--idle-exit", &options->idle_exit, problem);
        break;
    case 'h':
        return TINCAND_HELP;
    case 'V':
        return TINCAND_VERSION;
    default:
        settings_refuse_option(problem, argument);
    }
    return TINCAND_SERVE;
}

/* With less than the longest message needs, that could never come. */
static void check_memory(const struct tincand_options *options, struct text *problem)
{
    uint64_t least = connection_least_memory(options->settings.max_bytes);

    if (options->max_memory >= least)
        return;
    text_add(problem, "cannot receive messages of ");
    text_addf(problem, "%" PRIu64, (uint64_t)options->settings.max_bytes);
    text_add(problem, " bytes (--max-bytes) with ");
    text_addf(problem, "%" PRIu64, (uint64_t)options->max_memory);
    text_add(problem, " bytes (--max-memory): give --max-memory at least ");
    text_addf(problem, "%" PRIu64, (uint64_t)least);
}

void tincand_options_read(struct tincand_options *options, int argc, char **argv,
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
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {0},
    };

    *options = (struct tincand_options){.max_memory = MEMORY_DEFAULT, .grace = GRACE_DEFAULT};
    settings_init(&options->settings);
    opterr = 0; /* getopt would write to descriptor 2, which may be the listening socket */
    while (options->action == TINCAND_SERVE && problem->length == 0) {
        int before = optind;
        int option = getopt_long(argc, argv, "+" SETTINGS_LETTERS "l:c:hV", names, NULL);
        if (option < 0)
            break;
        if (!settings_take(&options->settings, option, optarg, problem))
            options->action = take_own_option(options, option, argv[before], problem);
    }
    if (options->action == TINCAND_SERVE && problem->length == 0 && optind < argc)
        settings_refuse_argument(problem, argv[optind]);
    if (options->action == TINCAND_SERVE && problem->length == 0)
        check_memory(options, problem);
    if (options->action == TINCAND_SERVE && problem->length > 0)
        options->action = TINCAND_REFUSE;
}
