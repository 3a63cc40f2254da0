/* SPDX-License-Identifier: MIT */
#include "client/net/target.h"

#include "client/net/resolve.h"
#include "common/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void print_peer(const struct target *target, struct target_peer *peer)
{
    struct dial line = {.address = target->address, .peer_size = peer->size};
    struct text text;

    memcpy(&line.peer, peer->name, peer->size);
    text_init(&text, peer->text, sizeof peer->text);
    dial_print_peer(&line, &text);
}

static int enter_socket(struct target *target)
{
    target->peers = calloc(1, sizeof *target->peers);
    if (!target->peers)
        return -1;
    target->count = 1;
    target->peers->name = (const struct sockaddr *)&target->address->socket;
    target->peers->size = target->address->socket_size;
    print_peer(target, target->peers);
    return 0;
}

static int enter_list(struct target *target)
{
    size_t count = 1;

    for (const struct addrinfo *each = target->list->ai_next; each; each = each->ai_next)
        count++;
    target->peers = calloc(count, sizeof *target->peers);
    if (!target->peers)
        return -1;
    for (const struct addrinfo *each = target->list; each; each = each->ai_next) {
        struct target_peer *peer = &target->peers[target->count++];

        peer->name = each->ai_addr;
        peer->size = each->ai_addrlen;
        print_peer(target, peer);
    }
    return 0;
}

static int fail(struct dial *failure, enum outcome outcome)
{
    failure->outcome = outcome;
    failure->error = errno;
    return -1;
}

int target_find(struct target *target, const struct address *address, int family,
                const struct bind_address *source, int64_t deadline, struct dial *failure)
{
    int64_t begun = clock_now();

    *target = (struct target){.address = address, .source = source};
    *failure = (struct dial){.address = address, .fd = -1};
    if (address->socket_size > 0)
        return enter_socket(target) < 0 ? fail(failure, OUTCOME_LOCAL) : 0;
    failure->resolver_error =
        resolve(address->host, address->port, family, deadline, &target->list);
    target->resolve_nsec = clock_now() - begun;
    if (failure->resolver_error != 0)
        return fail(failure, OUTCOME_UNRESOLVED);
    return enter_list(target) < 0 ? fail(failure, OUTCOME_LOCAL) : 0;
}

void target_free(struct target *target)
{
    free(target->peers);
    if (target->list)
        freeaddrinfo(target->list);
    target->peers = NULL;
    target->list = NULL;
}
