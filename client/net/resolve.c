/* SPDX-License-Identifier: MIT */
#include "client/net/resolve.h"

#include "common/clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* A question to the resolver, shared with the thread that asks it; the last to leave frees it. */
struct question {
    pthread_mutex_t lock;
    pthread_cond_t answered;
    bool done;      /* the thread has the answer */
    bool abandoned; /* nobody waits for it any more */
    int family;
    int code;   /* of getaddrinfo */
    int reason; /* errno, for EAI_SYSTEM */
    struct addrinfo *list;
    char port[6];
    char host[]; /* null-terminated */
};

static int look_up(const char *host, const char *port, int family, int flags,
                   struct addrinfo **list)
{
    struct addrinfo hints = {
        .ai_family = family, .ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};

    return getaddrinfo(host, port, &hints, list);
}

static void free_question(struct question *question)
{
    if (question->list)
        freeaddrinfo(question->list);
    pthread_cond_destroy(&question->answered);
    pthread_mutex_destroy(&question->lock);
    free(question);
}

static void *ask(void *argument)
{
    struct question *question = argument;
    struct addrinfo *list = NULL;
    int code = look_up(question->host, question->port, question->family, 0, &list);
    int reason = errno;
    bool abandoned;

    pthread_mutex_lock(&question->lock);
    question->code = code;
    question->reason = reason;
    question->list = code == 0 ? list : NULL;
    question->done = true;
    abandoned = question->abandoned;
    pthread_cond_signal(&question->answered);
    pthread_mutex_unlock(&question->lock);
    if (abandoned)
        free_question(question);
    return NULL;
}

static struct question *new_question(const char *host, const char *port, int family)
{
    size_t host_size = strlen(host) + 1;
    struct question *question = calloc(1, sizeof *question + host_size);
    pthread_condattr_t attributes;

    if (!question)
        return NULL;
    memcpy(question->host, host, host_size);
    (void)snprintf(question->port, sizeof question->port, "%s", port);
    question->family = family;
    pthread_mutex_init(&question->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&question->answered, &attributes);
    pthread_condattr_destroy(&attributes);
    return question;
}

/* Waits for the answer and takes it; afterwards the question is no longer the caller's. */
static int await(struct question *question, int64_t deadline, struct addrinfo **list)
{
    struct timespec until = {.tv_sec = deadline / CLOCK_SECOND, .tv_nsec = deadline % CLOCK_SECOND};
    int code = EAI_SYSTEM, reason = ETIMEDOUT, waited = 0;
    bool done;

    pthread_mutex_lock(&question->lock);
    while (!question->done && waited == 0)
        waited = pthread_cond_timedwait(&question->answered, &question->lock, &until);
    done = question->done;
    question->abandoned = !done;
    if (done) {
        code = question->code;
        reason = question->reason;
        *list = question->list;
        question->list = NULL;
    }
    pthread_mutex_unlock(&question->lock);
    if (done)
        free_question(question);
    errno = reason;
    return code;
}

int resolve(const char *host, const char *port, int family, int64_t deadline,
            struct addrinfo **list)
{
    /* An address in digits needs no resolver, and so no thread that waits for one. */
    int code = look_up(host, port, family, AI_NUMERICHOST, list);
    struct question *question;
    pthread_t thread;

    if (code != EAI_NONAME)
        return code;
    question = new_question(host, port, family);
    if (!question)
        return EAI_MEMORY;
    if (pthread_create(&thread, NULL, ask, question) != 0) {
        free_question(question);
        return look_up(host, port, family, 0, list);
    }
    pthread_detach(thread);
    return await(question, deadline, list);
}
