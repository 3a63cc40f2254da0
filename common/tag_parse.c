/* SPDX-License-Identifier: MIT */
/* The client's half of tag.h; no server links it. */
#include "common/tag.h"

#include <string.h>

/* Returns the end of the number or quoted string at `at`, or NULL. Python prints an abstract
 * AF_UNIX name as bytes: b'\x00name'. */
static const char *skip_item(const char *at)
{
    size_t digits = strspn(at, "0123456789");
    char quote;

    if (digits > 0)
        return at + digits;
    at += *at == 'b';
    quote = *at++;
    if (quote != '\'' && quote != '"')
        return NULL;
    for (; *at >= ' ' && *at <= '~'; at++) {
        if (*at == quote)
            return at + 1;
        at += *at == '\\' && at[1] >= ' ' && at[1] <= '~';
    }
    return NULL;
}

/* Returns the end of the tuple or quoted string at `at`, or NULL. */
static const char *skip_peer(const char *at)
{
    if (*at != '(')
        return *at >= '0' && *at <= '9' ? NULL : skip_item(at);
    at = skip_item(at + 1);
    while (at && at[0] == ',' && at[1] == ' ')
        at = skip_item(at + 2);
    return at && *at == ')' ? at + 1 : NULL;
}

size_t tag_length(const char *reply, size_t length)
{
    char start[TAG_MAX + 1];
    const char *end;

    if (length > TAG_MAX)
        length = TAG_MAX;
    memcpy(start, reply, length);
    start[length] = '\0';
    end = skip_peer(start);
    return end && end[0] == ':' && end[1] == ' ' ? (size_t)(end + 2 - start) : 0;
}
