/* SPDX-License-Identifier: MIT */
#include "common/tag.h"

#include "common/sockaddr.h"

#include <arpa/inet.h>
#include <stdbool.h>

void tag_print(struct text *text, const struct sockaddr_storage *peer, const char *name)
{
    const struct sockaddr_in *four = (const struct sockaddr_in *)peer;
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)peer;
    const struct sockaddr_vsock *vsock = (const struct sockaddr_vsock *)peer;
    char host[INET6_ADDRSTRLEN];

    switch (peer->ss_family) {
    case AF_INET:
        text_addf(text, "('%s', %u): ", inet_ntop(AF_INET, &four->sin_addr, host, sizeof host),
                  ntohs(four->sin_port));
        break;
    case AF_INET6:
        text_addf(text,
                  "('%s', %u, %u, %u): ", inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof host),
                  ntohs(six->sin6_port), ntohl(six->sin6_flowinfo), six->sin6_scope_id);
        break;
    case AF_VSOCK:
        text_addf(text, "(%u, %u): ", vsock->cid, vsock->port);
        break;
    default:
        text_addf(text, "'%s': ", name);
    }
}

/* The part of a possible tag that is not read yet. */
struct scan {
    const char *next, *end;
};

static bool take(struct scan *scan, char character)
{
    if (scan->next == scan->end || *scan->next != character)
        return false;
    scan->next++;
    return true;
}

static bool take_digits(struct scan *scan)
{
    const char *start = scan->next;

    while (scan->next < scan->end && *scan->next >= '0' && *scan->next <= '9')
        scan->next++;
    return scan->next > start;
}

/* A string of printable ASCII in either quote, with backslash escapes. */
static bool take_quoted(struct scan *scan)
{
    char quote = '\'';

    if (!take(scan, quote)) {
        quote = '"';
        if (!take(scan, quote))
            return false;
    }
    while (scan->next < scan->end && *scan->next >= ' ' && *scan->next <= '~') {
        char character = *scan->next++;
        if (character == quote)
            return true;
        if (character == '\\' && scan->next < scan->end && *scan->next >= ' ' && *scan->next <= '~')
            scan->next++;
    }
    return false;
}

/* Python prints an abstract AF_UNIX name as bytes: b'\x00name'. */
static bool take_name(struct scan *scan)
{
    take(scan, 'b');
    return take_quoted(scan);
}

static bool take_tuple(struct scan *scan)
{
    if (!take(scan, '('))
        return false;
    do {
        if (!take_digits(scan) && !take_name(scan))
            return false;
    } while (take(scan, ',') && take(scan, ' '));
    return take(scan, ')');
}

size_t tag_length(const char *reply, size_t length)
{
    struct scan scan = {reply, reply + (length < TAG_MAX ? length : TAG_MAX)};
    bool peer = length > 0 && *reply == '(' ? take_tuple(&scan) : take_name(&scan);

    if (!peer || !take(&scan, ':') || !take(&scan, ' '))
        return 0;
    return (size_t)(scan.next - reply);
}
