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

static struct answer resolve(const struct target *target, int64_t deadline)
{
    const struct address *address = target->address;
    int family = target->family;
    /* An address in digits needs no resolver, and so no thread. */
    struct answer answer = look_up(address, family, AI_NUMERICHOST);
    int fds[2];

    if (answer.code != EAI_NONAME)
        return answer;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
        return look_up(address, family, 0);
    if (start_resolver(address, family, fds[1]) < 0)
        answer = look_up(address, family, 0);
    else if (!receive_answer(fds[0], deadline, target->interrupted, &answer))
        answer = (struct answer){.code = EAI_SYSTEM, .error = ETIMEDOUT};
    close(fds[0]);
    return answer;
}

static int add_peer(struct target *target, const void *name, socklen_t size)
{
    struct target_peer *peers = reallocarray(target->peers, target->count + 1, sizeof *peers);
    struct target_peer *peer;
    struct text text;

    if (!peers)
        return -1;
    target->peers = peers;
    peer = &peers[target->count++];
    memset(&peer->name, 0, sizeof peer->name);
    memcpy(&peer->name, name, size);
    peer->size = size;
    text_init(&text, peer->text, sizeof peer->text);
    sockaddr_print(&text, &peer->name, size, if_indextoname);
    if (target->address->hybrid)
        text_addf(&text, "#%" PRIu32, target->address->hybrid_port);
    return 0;
}

static int fail(struct target *target, enum outcome outcome, int error)
{
    target->count = 0;
    target->outcome = outcome;
    target->error = error;
    return -1;
}

static int add_host(struct target *target, int64_t deadline)
{
    int64_t begun = clock_now();
    struct answer answer = resolve(target, deadline);
    int result = 0;

    target->resolve_nsec = clock_now() - begun;
    target->resolver_error = answer.code;
    if (answer.code != 0)
        return fail(target, OUTCOME_UNRESOLVED, answer.error);
    for (const struct addrinfo *each = answer.list; each && result == 0; each = each->ai_next)
        result = add_peer(target, each->ai_addr, each->ai_addrlen);
    freeaddrinfo(answer.list);
    return result == 0 ? 0 : fail(target, OUTCOME_LOCAL, ENOMEM);
}

int target_find(struct target *target, int64_t deadline)
{
    const struct address *address = target->address;

    target->count = target->reported = 0;
    target->working = SIZE_MAX;
    target->resolve_nsec = 0;
    if (address->socket_size == 0)
        return add_host(target, deadline);
    if (add_peer(target, &address->socket, address->socket_size) < 0)
        return fail(target, OUTCOME_LOCAL, ENOMEM);
    return 0;
}

void target_free(struct target *target)
{
    free(target->peers);
    target->peers = NULL;
    target->count = 0;
}
