/* SPDX-License-Identifier: MIT */
#include "client/net/dial.h"

#include "client/net/attempt.h"
#include "client/net/handshake.h"
#include "client/net/resolve.h"
#include "common/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

static void record(struct dial *dial, const struct sockaddr *name, socklen_t size)
{
    memset(&dial->peer, 0, sizeof dial->peer);
    memcpy(&dial->peer, name, size);
    dial->peer_size = size;
    dial->tried++;
}

void dial_record_failure(struct dial *dial, const struct sockaddr *name, socklen_t size, int error)
{
    record(dial, name, size);
    dial->fd = -1;
    dial->error = error;
    dial->outcome = outcome_of_errno(error, name->sa_family);
    /* A vsock port where nobody listens answers with a reset. */
    if (dial->outcome == OUTCOME_RESET)
        dial->outcome = OUTCOME_REFUSED;
}

void dial_print_peer(const struct dial *dial, struct text *text)
{
    sockaddr_print(text, &dial->peer, dial->peer_size, if_indextoname);
    if (dial->address->hybrid) {
        text_add(text, "#");
        text_addf(text, "%" PRIu64, (uint64_t)dial->address->hybrid_port);
    }
}

/* Tries one address and enters it in the result. */
static int try_address(const struct sockaddr *name, socklen_t size,
                       const struct bind_address *source, int64_t deadline, struct dial *dial)
{
    int fd;

    dial->given = deadline - clock_now();
    fd = attempt(name, size, source, deadline);
    if (fd < 0) {
        dial_record_failure(dial, name, size, errno);
        return -1;
    }
    record(dial, name, size);
    dial->fd = fd;
    return fd;
}

static void dial_list(const struct addrinfo *list, const struct bind_address *source,
                      int64_t deadline, struct dial *dial)
{
    int64_t left = 0;

    for (const struct addrinfo *each = list; each; each = each->ai_next)
        left++;
    for (; list; list = list->ai_next, left--) {
        int64_t now = clock_now();
        int64_t share = now + (deadline - now) / left;

        if (try_address(list->ai_addr, list->ai_addrlen, source, share, dial) >= 0)
            return;
    }
}

static void dial_socket(const struct address *address, int64_t deadline, struct dial *dial)
{
    const struct sockaddr *name = (const struct sockaddr *)&address->socket;

    if (try_address(name, address->socket_size, NULL, deadline, dial) < 0 || !address->hybrid ||
        handshake(dial->fd, address->hybrid_port, deadline) == 0)
        return;
    dial->error = errno;
    dial->outcome = OUTCOME_HANDSHAKE;
    close(dial->fd);
    dial->fd = -1;
}

int dial(const struct address *address, int family, const struct bind_address *source,
         int64_t deadline, struct dial *dial)
{
    struct addrinfo *list = NULL;

    *dial = (struct dial){.address = address, .fd = -1};
    if (address->socket_size > 0) {
        dial_socket(address, deadline, dial);
        return dial->fd;
    }
    dial->resolver_error = resolve(address->host, address->port, family, deadline, &list);
    if (dial->resolver_error != 0) {
        dial->error = errno;
        dial->outcome = OUTCOME_UNRESOLVED;
        return -1;
    }
    dial_list(list, source, deadline, dial);
    freeaddrinfo(list);
    return dial->fd;
}
