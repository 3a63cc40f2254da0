/* SPDX-License-Identifier: MIT */
#include "client/net/target.h"

#include "client/net/resolver.h"
#include "common/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define REFRESH_TIME (10 * CLOCK_SECOND) /* between questions to the resolver */

/* Adds an address that is not known, or marks it as current. Returns whether there was memory. */
static bool add_peer(struct target *target, const void *name, socklen_t size)
{
    struct target_peer *peers, *peer = target->peers;
    struct text text;

    for (size_t i = 0; i < target->count; i++, peer++)
        if (peer->size == size && memcmp(&peer->name, name, size) == 0) {
            peer->current = true;
            return true;
        }
    peers = reallocarray(target->peers, target->count + 1, sizeof *peers);
    if (!peers)
        return false;
    target->peers = peers;
    peer = &peers[target->count++];
    *peer = (struct target_peer){.size = size, .current = true};
    memcpy(&peer->name, name, size);
    text_init(&text, peer->text, sizeof peer->text);
    sockaddr_print(&text, &peer->name, size, if_indextoname);
    if (target->address->hybrid)
        text_addf(&text, "#%" PRIu32, target->address->hybrid_port);
    return true;
}

static void fail(struct target *target, enum outcome outcome, int error)
{
    target->count = 0;
    target->working = SIZE_MAX;
    target->failing = true;
    target->outcome = outcome;
    target->error = error;
}

static void mark_all(struct target *target, bool current)
{
    for (size_t i = 0; i < target->count; i++)
        target->peers[i].current = current;
}

/* Takes the addresses of the list, in turn one of the first one's family and one of another.
 * Returns whether there was memory. */
static bool add_list(struct target *target, const struct addrinfo *list)
{
    const struct addrinfo *next[2] = {list, list};

    mark_all(target, false);
    for (unsigned other = 0; next[0] || next[1]; other = !other) {
        const struct addrinfo *each = next[other];

        while (each && (each->ai_family != list->ai_family) != other)
            each = each->ai_next;
        if (each && !add_peer(target, each->ai_addr, each->ai_addrlen)) {
            mark_all(target, true);
            return false;
        }
        next[other] = each ? each->ai_next : NULL;
    }
    if (target->working < target->count && !target->peers[target->working].current)
        target->working = SIZE_MAX;
    return true;
}

/* Returns whether the resolver could not be asked for lack of descriptors. */
static bool is_local(const struct answer *answer)
{
    return answer->code == EAI_SYSTEM && (answer->error == EMFILE || answer->error == ENFILE);
}

/* Takes the answer of the resolver to the first question. */
static void take_first_answer(struct target *target, struct answer answer)
{
    int64_t now = clock_now();

    target->resolve_nsec = now - target->resolved;
    target->resolved = now;
    target->resolver_error = answer.code;
    if (answer.code != 0) {
        fail(target, is_local(&answer) ? OUTCOME_LOCAL : OUTCOME_UNRESOLVED, answer.error);
        return;
    }
    if (!add_list(target, answer.list))
        fail(target, OUTCOME_LOCAL, ENOMEM);
    freeaddrinfo(answer.list);
}

/* Returns whether no answer is waited for any more. */
static bool is_over(const struct target *target, int64_t deadline)
{
    return clock_now() >= deadline || (target->interrupted && target->interrupted());
}

/* Begins to find the addresses: `asking` says whether an answer is awaited. */
static void begin_to_find(struct target *target, int64_t deadline)
{
    const struct address *address = target->address;
    struct answer answer = {.code = EAI_SYSTEM, .error = ETIMEDOUT};

    if (target->count == 0)
        target->working = SIZE_MAX;
    if (address->socket_size > 0) {
        if (!add_peer(target, &address->socket, address->socket_size))
            fail(target, OUTCOME_LOCAL, ENOMEM);
        return;
    }
    target->resolved = clock_now();
    if (address_family(address) != AF_UNSPEC || !is_over(target, deadline)) {
        target->query = resolver_ask(address, target->family, true, &answer);
        target->asking = target->query >= 0;
    }
    if (!target->asking)
        take_first_answer(target, answer);
}

/* Waits for answers until `deadline`, or until a signal ends that. Takes those that came, or gives
 * up on all. Returns how many of the `count` are left. */
static size_t receive_answers(struct target **asked, size_t count, int64_t deadline)
{
    struct pollfd polled[RESOLVER_MOST];
    size_t left = 0;
    int ready;
    bool over;

    for (size_t i = 0; i < count; i++)
        polled[i] = (struct pollfd){.fd = asked[i]->query, .events = POLLIN};
    over = is_over(asked[0], deadline);
    ready = poll(polled, (nfds_t)count, over ? 0 : clock_poll_timeout(deadline));
    over = over || is_over(asked[0], deadline);
    for (size_t i = 0; i < count; i++) {
        struct target *target = asked[i];
        struct answer answer;

        if (over)
            answer = resolver_give_up(target->query);
        else if (ready <= 0 || polled[i].revents == 0 || !resolver_poll(target->query, &answer)) {
            asked[left++] = target;
            continue;
        }
        target->asking = false;
        take_first_answer(target, answer);
    }
    return left;
}

void target_find_all(struct target *const *targets, size_t count, int64_t deadline)
{
    size_t most = resolver_most(), asking = 0, begun = 0;
    struct target *asked[RESOLVER_MOST];

    do {
        while (begun < count && asking < most) {
            struct target *target = targets[begun++];

            begin_to_find(target, deadline);
            if (target->asking)
                asked[asking++] = target;
        }
        if (asking > 0)
            asking = receive_answers(asked, asking, deadline);
    } while (asking > 0 || begun < count);
}

int target_find(struct target *target, int64_t deadline)
{
    begin_to_find(target, deadline);
    while (target->asking)
        (void)receive_answers(&target, 1, deadline);
    return target->count > 0 ? 0 : -1;
}

void target_refresh(struct target *target)
{
    struct answer answer = {.code = EAI_SYSTEM};

    if (target->asking) {
        if (!resolver_poll(target->query, &answer))
            return;
        target->asking = false;
    } else if (target->failing && address_family(target->address) == AF_UNSPEC &&
               target->address->socket_size == 0 &&
               clock_now() >= target->resolved + REFRESH_TIME && !resolver_is_busy()) {
        target->resolved = clock_now();
        target->query = resolver_ask(target->address, target->family, false, &answer);
        target->asking = target->query >= 0;
    }
    if (!target->asking && answer.code == 0) {
        (void)add_list(target, answer.list);
        freeaddrinfo(answer.list);
    }
}

void target_free(struct target *target)
{
    struct answer answer = {.code = EAI_SYSTEM};

    if (target->asking)
        answer = resolver_give_up(target->query);
    if (answer.code == 0)
        freeaddrinfo(answer.list);
    free(target->peers);
    target->peers = NULL;
    target->count = 0;
}
