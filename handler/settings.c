/* SPDX-License-Identifier: MIT */
#include "handler/settings.h"

#include "common/frame.h"
#include "common/quantity.h"

#include <string.h>

#define MAX_BYTES_MAX   ((uint64_t)1 << 30)
#define TIMEOUT_DEFAULT UINT64_C(300000000)
#define TIMEOUT_MAX     (UINT64_C(7) * 24 * 3600 * 1000000)

/* Takes one of the options in SETTINGS_NAMES. Returns whether it is one. */
static bool take(struct settings *settings, int letter, struct text *problem)
{
    switch (letter) {
    case 'm':
        if (quantity_size(optarg, 1, MAX_BYTES_MAX, &settings->max_bytes) < 0)
            settings_refuse(problem, "--max-bytes", optarg, "a size from 1 to 1G, such as 64k");
        return true;
    case 't':
        if (quantity_time(optarg, 1000, TIMEOUT_MAX, &settings->timeout) < 0)
            settings_refuse(problem, "--timeout", optarg, "a time from 1ms to 7d, such as 30s");
        return true;
    case 'T':
        return settings->tag = true;
    case 'n':
        return settings->no_preview = true;
    case 'q':
        return settings->quiet = true;
    default:
        return false;
    }
}

/* Returns why getopt_long returned `letter`, ':' or '?', for the argument. */
static const char *option_problem(int letter, const char *argument)
{
    if (letter == ':')
        return "it needs a value";
    if (optopt != 0 && argument[1] == '-')
        return "it takes no value";
    return "there is no such option, or it is short for several";
}

/* Adds `cannot use WHAT "QUOTED": WHY`, with the quoted text escaped. */
static void refuse(struct text *problem, const char *what, const char *quoted, const char *why)
{
    text_add(problem, "cannot use the ");
    text_add(problem, what);
    text_add(problem, " \"");
    text_add_escaped(problem, quoted, strlen(quoted));
    text_add(problem, "\": ");
    text_add(problem, why);
    text_add(problem, "; see --help");
}

void settings_refuse(struct text *problem, const char *option, const char *value,
                     const char *wanted)
{
    text_add(problem, "cannot use \"");
    text_add_escaped(problem, value, strlen(value));
    text_add(problem, "\" for ");
    text_add(problem, option);
    text_add(problem, ": give ");
    text_add(problem, wanted);
}

enum action settings_read(struct settings *settings, const struct program_options *program,
                          int argc, char **argv, struct text *problem)
{
    *settings = (struct settings){.max_bytes = FRAME_DEFAULT_MAX_BYTES, .timeout = TIMEOUT_DEFAULT};
    opterr = 0; /* getopt would write to descriptor 2, which may be the peer */
    while (optind < argc && problem->length == 0) {
        const char *argument = argv[optind];
        int letter = getopt_long(argc, argv, program->letters, program->names, NULL);
        if (letter < 0)
            break;
        if (letter == 'h' || letter == 'V')
            return letter == 'h' ? ACTION_HELP : ACTION_VERSION;
        if (!take(settings, letter, problem) && !program->take(settings, letter, problem))
            refuse(problem, "option", argument, option_problem(letter, argument));
    }
    if (optind < argc && problem->length == 0)
        refuse(problem, "argument", argv[optind], "only options are taken");
    return problem->length > 0 ? ACTION_REFUSE : ACTION_SERVE;
}
