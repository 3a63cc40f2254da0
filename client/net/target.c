/* SPDX-License-Identifier: MIT */
#include "client/net/target.h"

#include "common/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define REFRESH_TIME (10 * CLOCK_SECOND) /* between questions to the resolver */

/*
 * getaddrinfo(3) has no deadline, so a thread calls it and sends the answer through a socket. Past
 * the deadline that socket is closed: sending fails, and the thread frees the answer.
 */
struct query {
    struct address address;
    int family;
    int fd;
};

struct answer {
    int code;  /* of getaddrinfo */
    int error; /* errno, for EAI_SYSTEM */
    struct addrinfo *list;
};

static struct answer look_up(const struct address *address, int family, int flags)
{
    struct addrinfo hints = {
        .ai_family = family, .ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};
    struct answer answer = {.list = NULL};

    answer.code = getaddrinfo(address->host, address->port, &hints, &answer.list);
    answer.error = errno;
    return answer;
}

static void *resolver_thread(void *argument)
{
    struct query *query = argument;
    struct answer answer = look_up(&query->address, query->family, 0);

    if (send(query->fd, &answer, sizeof answer, MSG_NOSIGNAL) < 0 && answer.code == 0)
        freeaddrinfo(answer.list);
    close(query->fd);
    free(query);
    return NULL;
}

/* Starts a thread that sends its answer to `fd`, and closes that. Returns 0 or -1. */
static int start_resolver(const struct address *address, int family, int fd)
{
    struct query *query = malloc(sizeof *query);
    pthread_t thread;

    if (query) {
        *query = (struct query){*address, family, fd};
        if (pthread_create(&thread, NULL, resolver_thread, query) == 0)
            return pthread_detach(thread);
    }
    free(query);
    close(fd);
    return -1;
}

static bool receive_answer(int fd, int64_t deadline, bool (*interrupted)(void),
                           struct answer *answer)
{
    for (;;) {
        int64_t left = (deadline - clock_now()) / CLOCK_USEC;
        struct timeval limit = {.tv_sec = (time_t)(left / 1000000),
                                .tv_usec = (suseconds_t)(left % 1000000)};
        ssize_t got;

        if (left <= 0) /* a limit of zero would mean none */
            break;
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        got = recv(fd, answer, sizeof *answer, 0);
        if (got >= 0)
            return got == (ssize_t)sizeof *answer;
        if (errno == EINTR && interrupted && interrupted())
            break;
    }
    /* Nothing can be sent from here on, but the answer may just have come. */
    shutdown(fd, SHUT_RD);
    return recv(fd, answer, sizeof *answer, MSG_DONTWAIT) == (ssize_t)sizeof *answer;
}

/* Returns what to receive the resolver's answer from, or -1. */
static int ask_resolver(const struct address *address, int family)
{
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
        return -1;
    if (start_resolver(address, family, fds[1]) == 0)
        return fds[0];
    close(fds[0]);
    return -1;
}

static struct answer resolve(const struct target *target, int64_t deadline)
{
    const struct address *address = target->address;
    int family = target->family;
    /* An address in digits needs no resolver, and so no thread. */
    struct answer answer = look_up(address, family, AI_NUMERICHOST);
    int fd;

    if (answer.code != EAI_NONAME)
        return answer;
    fd = ask_resolver(address, family);
    if (fd < 0)
        return look_up(address, family, 0);
    if (!receive_answer(fd, deadline, target->interrupted, &answer))
        answer = (struct answer){.code = EAI_SYSTEM, .error = ETIMEDOUT};
    close(fd);
    return answer;
}

/* Adds an address that is not known, or marks it as current. */
static int add_peer(struct target *target, const void *name, socklen_t size)
{
    struct target_peer *peers, *peer = target->peers;
    struct text text;

    for (size_t i = 0; i < target->count; i++, peer++)
        if (peer->size == size && memcmp(&peer->name, name, size) == 0) {
            peer->current = true;
            return 0;
        }
    peers = reallocarray(target->peers, target->count + 1, sizeof *peers);
    if (!peers)
        return -1;
    target->peers = peers;
    peer = &peers[target->count++];
    *peer = (struct target_peer){.size = size, .current = true};
    memcpy(&peer->name, name, size);
    text_init(&text, peer->text, sizeof peer->text);
    sockaddr_print(&text, &peer->name, size, if_indextoname);
    if (target->address->hybrid)
        text_addf(&text, "#%" PRIu32, target->address->hybrid_port);
    return 0;
}

static int fail(struct target *target, enum outcome outcome, int error)
{
    target->count = 0;
    target->working = SIZE_MAX;
    target->outcome = outcome;
    target->error = error;
    return -1;
}

static void mark_all(struct target *target, bool current)
{
    for (size_t i = 0; i < target->count; i++)
        target->peers[i].current = current;
}

/* Takes the addresses of the list, in turn one of the first one's family and one of another. */
static int add_list(struct target *target, const struct addrinfo *list)
{
    const struct addrinfo *next[2] = {list, list};

    mark_all(target, false);
    for (unsigned other = 0; next[0] || next[1]; other = !other) {
        const struct addrinfo *each = next[other];

        while (each && (each->ai_family != list->ai_family) != other)
            each = each->ai_next;
        if (each && add_peer(target, each->ai_addr, each->ai_addrlen) < 0) {
            mark_all(target, true);
            return -1;
        }
        next[other] = each ? each->ai_next : NULL;
    }
    if (target->working != SIZE_MAX && !target->peers[target->working].current)
        target->working = SIZE_MAX;
    return 0;
}

static int find_host(struct target *target, int64_t deadline)
{
    int64_t begun = clock_now();
    struct answer answer = resolve(target, deadline);
    int result;

    target->resolved = clock_now();
    target->resolve_nsec = target->resolved - begun;
    target->resolver_error = answer.code;
    if (answer.code != 0)
        return fail(target, OUTCOME_UNRESOLVED, answer.error);
    result = add_list(target, answer.list);
    freeaddrinfo(answer.list);
    return result == 0 ? 0 : fail(target, OUTCOME_LOCAL, ENOMEM);
}

int target_find(struct target *target, int64_t deadline)
{
    const struct address *address = target->address;

    if (target->count == 0)
        target->working = SIZE_MAX;
    if (address->socket_size == 0)
        return find_host(target, deadline);
    if (add_peer(target, &address->socket, address->socket_size) < 0)
        return fail(target, OUTCOME_LOCAL, ENOMEM);
    return 0;
}

/* Takes the answer of the resolver, if it is there. */
static void take_answer(struct target *target)
{
    struct answer answer;
    ssize_t got = recv(target->query, &answer, sizeof answer, MSG_DONTWAIT);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    close(target->query);
    target->asking = false;
    if (got != (ssize_t)sizeof answer || answer.code != 0)
        return;
    (void)add_list(target, answer.list);
    freeaddrinfo(answer.list);
}

void target_refresh(struct target *target)
{
    if (target->asking) {
        take_answer(target);
    } else if (target->failing && address_family(target->address) == AF_UNSPEC &&
               target->address->socket_size == 0 &&
               clock_now() >= target->resolved + REFRESH_TIME) {
        target->resolved = clock_now();
        target->query = ask_resolver(target->address, target->family);
        target->asking = target->query >= 0;
    }
}

void target_free(struct target *target)
{
    struct answer answer;

    if (target->asking) {
        if (receive_answer(target->query, 0, NULL, &answer) && answer.code == 0)
            freeaddrinfo(answer.list);
        close(target->query);
    }
    free(target->peers);
    target->peers = NULL;
    target->count = 0;
}
