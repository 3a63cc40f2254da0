/* SPDX-License-Identifier: MIT */
#include "client/net/outcome.h"

#include <errno.h>
#include <sys/socket.h>

const char *outcome_word(enum outcome outcome)
{
    static const char *const words[] = {
        [OUTCOME_ECHOED] = "echoed",       [OUTCOME_UNRESOLVED] = "unresolved",
        [OUTCOME_REFUSED] = "refused",     [OUTCOME_UNREACHABLE] = "unreachable",
        [OUTCOME_FILTERED] = "filtered",   [OUTCOME_HANDSHAKE] = "handshake",
        [OUTCOME_LOCAL] = "local error",   [OUTCOME_CLOSED] = "closed",
        [OUTCOME_TIMEOUT] = "timeout",     [OUTCOME_RESET] = "reset",
        [OUTCOME_TRUNCATED] = "truncated", [OUTCOME_ALTERED] = "altered",
        [OUTCOME_EXTRA] = "extra bytes",
    };

    return words[outcome];
}

const char *outcome_label(enum outcome outcome)
{
    if (outcome == OUTCOME_LOCAL)
        return "local_error";
    return outcome == OUTCOME_EXTRA ? "extra_bytes" : outcome_word(outcome);
}

int outcome_status(enum outcome outcome)
{
    switch (outcome) {
    case OUTCOME_ECHOED:
        return STATUS_ECHOED;
    case OUTCOME_UNRESOLVED:
    case OUTCOME_LOCAL:
        return STATUS_USAGE;
    case OUTCOME_ALTERED:
    case OUTCOME_EXTRA:
        return STATUS_ALTERED;
    case OUTCOME_REFUSED:
    case OUTCOME_UNREACHABLE:
    case OUTCOME_FILTERED:
    case OUTCOME_HANDSHAKE:
    case OUTCOME_CLOSED:
    case OUTCOME_TIMEOUT:
    case OUTCOME_RESET:
    case OUTCOME_TRUNCATED:
        break;
    }
    return STATUS_FAILED;
}

bool outcome_is_loss(enum outcome outcome)
{
    return outcome == OUTCOME_UNRESOLVED || outcome_status(outcome) == STATUS_FAILED;
}

void outcome_raise(int *status, int other)
{
    if (*status < other)
        *status = other;
}

enum outcome outcome_of_errno(int error, int family)
{
    switch (error) {
    case ECONNREFUSED:
    case ENOENT: /* AF_UNIX: the server has not made its socket */
        return OUTCOME_REFUSED;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENETDOWN:
    case ENONET:
        return OUTCOME_UNREACHABLE;
    case EACCES: /* "administratively prohibited" comes as this from ICMPv6 */
        return family == AF_INET6 ? OUTCOME_UNREACHABLE : OUTCOME_LOCAL;
    case ETIMEDOUT:
    case EAGAIN: /* AF_UNIX: the backlog stayed full for the whole time */
        return OUTCOME_FILTERED;
    case ECONNRESET:
    case EPIPE:
        return OUTCOME_RESET;
    default:
        return OUTCOME_LOCAL;
    }
}

enum outcome outcome_of_connecting(int error, int family)
{
    enum outcome outcome = outcome_of_errno(error, family);

    /* A vsock port on which nothing listens answers with a reset. */
    return outcome == OUTCOME_RESET ? OUTCOME_REFUSED : outcome;
}
