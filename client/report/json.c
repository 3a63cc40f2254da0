/* SPDX-License-Identifier: MIT */
#include "client/report/json.h"

#include "common/frame.h"

#include <stdio.h>
#include <string.h>

bool json_is_utf8(const char *string)
{
    struct frame frame;
    size_t size = strlen(string) + 1;

    frame_init(&frame, SIZE_MAX);
    return frame_feed(&frame, string, size) == FRAME_COMPLETE;
}

void json_string(const char *string)
{
    bool utf8 = json_is_utf8(string);

    putchar('"');
    for (; *string; string++) {
        unsigned char byte = (unsigned char)*string;

        if (byte == '"' || byte == '\\')
            printf("\\%c", byte);
        else if (byte < 0x20 || byte == 0x7f)
            printf("\\u%04x", byte);
        else if (byte >= 0x80 && !utf8)
            fputs("\\ufffd", stdout);
        else
            putchar(byte);
    }
    putchar('"');
}

static void name_field(const char *name)
{
    printf(",\"%s\":", name);
}

void json_string_field(const char *name, const char *value)
{
    name_field(name);
    json_string(value);
}

void json_count_field(const char *name, uint64_t value)
{
    name_field(name);
    printf("%llu", (unsigned long long)value);
}

void json_number_field(const char *name, double value)
{
    name_field(name);
    printf("%.6f", value);
}

void json_milliseconds_field(const char *name, int64_t nsec)
{
    name_field(name);
    if (nsec < 0)
        fputs("null", stdout);
    else
        printf("%lld.%06lld", (long long)(nsec / 1000000), (long long)(nsec % 1000000));
}
