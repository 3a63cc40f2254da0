/* SPDX-License-Identifier: MIT */
#include "client/net/resolver.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define DESCRIPTORS_EACH 8 /* of a question: two of ours, those of the resolver, some to spare */

/*
 * A thread calls getaddrinfo(3) and sends the answer through a socket. Past the deadline that
 * socket is closed: sending fails, and the thread frees the answer.
 */
struct query {
    struct address address;
    int family;
    int fd;
};

static atomic_size_t threads; /* how many there are */

/* Returns EMFILE or ENFILE if no descriptor is left, which getaddrinfo(3) mostly takes for a name
 * that is not known, as it can't read any file; else 0. */
static int lack_of_descriptors(void)
{
    int fd = open("/", O_PATH | O_CLOEXEC);

    if (fd < 0)
        return errno == EMFILE || errno == ENFILE ? errno : 0;
    close(fd);
    return 0;
}

static struct answer look_up(const struct address *address, int family, int flags)
{
    struct addrinfo hints = {
        .ai_family = family, .ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};
    struct answer answer = {.list = NULL};
    int lack;

    answer.code = getaddrinfo(address->host, address->port, &hints, &answer.list);
    answer.error = errno;
    lack = answer.code != 0 ? lack_of_descriptors() : 0;
    if (lack != 0)
        answer = (struct answer){.code = EAI_SYSTEM, .error = lack};
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
    threads--;
    return NULL;
}

/* Starts a thread that sends its answer to `fd`, and closes that. Returns 0 or -1. */
static int start_thread(const struct address *address, int family, int fd)
{
    struct query *query = malloc(sizeof *query);
    pthread_t thread;

    if (query) {
        *query = (struct query){*address, family, fd};
        threads++;
        if (pthread_create(&thread, NULL, resolver_thread, query) == 0)
            return pthread_detach(thread);
        threads--;
    }
    free(query);
    close(fd);
    return -1;
}

int resolver_ask(const struct address *address, int family, bool wait, struct answer *answer)
{
    int fds[2];

    *answer = look_up(address, family, AI_NUMERICHOST);
    if (answer->code != EAI_NONAME)
        return -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == 0) {
        if (start_thread(address, family, fds[1]) == 0)
            return fds[0];
        close(fds[0]);
    }
    *answer = wait ? look_up(address, family, 0) : (struct answer){.code = EAI_AGAIN};
    return -1;
}

size_t resolver_most(void)
{
    struct rlimit limit = {.rlim_cur = 0};
    rlim_t most;

    (void)getrlimit(RLIMIT_NOFILE, &limit);
    most = limit.rlim_cur / DESCRIPTORS_EACH;
    return most < 1 ? 1 : most < RESOLVER_MOST ? (size_t)most : RESOLVER_MOST;
}

bool resolver_is_busy(void)
{
    return threads >= resolver_most();
}

struct answer resolver_give_up(int fd)
{
    struct answer answer;

    /* Nothing can be sent from here on, but the answer may just have come. */
    shutdown(fd, SHUT_RD);
    if (recv(fd, &answer, sizeof answer, MSG_DONTWAIT) != (ssize_t)sizeof answer)
        answer = (struct answer){.code = EAI_SYSTEM, .error = ETIMEDOUT};
    close(fd);
    return answer;
}

bool resolver_poll(int fd, struct answer *answer)
{
    ssize_t got = recv(fd, answer, sizeof *answer, MSG_DONTWAIT);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (got != (ssize_t)sizeof *answer)
        *answer = (struct answer){.code = EAI_SYSTEM, .error = EIO};
    close(fd);
    return true;
}
