/* SPDX-License-Identifier: MIT */
#include "handler/settings.h"

#include "common/frame.h"
#include "common/quantity.h"

#include <string.h>

#define MAX_BYTES_MOST  ((uint64_t)1 << 30)
#define TIMEOUT_DEFAULT UINT64_C(300000000)
#define TIMEOUT_LEAST   UINT64_C(1000)
#define TIMEOUT_MOST    (UINT64_C(7) * 24 * 3600 * 1000000)

void settings_init(struct settings *settings)
{
    *settings = (struct settings){.max_bytes = FRAME_DEFAULT_MAX_BYTES, .timeout = TIMEOUT_DEFAULT};
}

bool settings_take(struct settings *settings, int letter, const char *value, struct text *problem)
{
    switch (letter) {
    case 'm':
        if (quantity_size(value, 1, MAX_BYTES_MOST, &settings->max_bytes) < 0)
            settings_refuse(problem, "", value,
                            " for --max-bytes: give a size from 1 to 1G, such as 64k");
        return true;
    case 't':
        if (quantity_time(value, TIMEOUT_LEAST, TIMEOUT_MOST, &settings->timeout) < 0)
            settings_refuse(problem, "", value,
                            " for --timeout: give a time from 1ms to 7d, such as 30s");
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

void settings_refuse(struct text *problem, const char *what, const char *quoted, const char *why)
{
    text_addf(problem, "cannot use %s\"", what);
    text_add_escaped(problem, quoted, strlen(quoted));
    text_addf(problem, "\"%s", why);
}

void settings_refuse_option(struct text *problem, const char *argument)
{
    settings_refuse(problem, "the option ", argument,
                    ": it is unknown, or lacks its value, or takes none; see --help");
}

void settings_refuse_argument(struct text *problem, const char *argument)
{
    settings_refuse(problem, "the argument ", argument, ": only options are taken; see --help");
}
