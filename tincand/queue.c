/* SPDX-License-Identifier: MIT */
#include "tincand/queue.h"

#include "tincand/timer.h"

static void expire_until(struct queue *queue, uint64_t moment)
{
    struct waiter *waiter;

    while ((waiter = TAILQ_FIRST(&queue->waiters)) && waiter->deadline <= moment)
        queue->expire(waiter);
}

static int on_deadline(sd_event_source *timer, uint64_t usec, void *userdata)
{
    struct queue *queue = userdata;

    (void)usec;
    expire_until(queue, timer_now(sd_event_source_get_event(timer)));
    if (!TAILQ_EMPTY(&queue->waiters))
        timer_set(timer, TAILQ_FIRST(&queue->waiters)->deadline);
    return 0;
}

int queue_open(struct queue *queue, sd_event *event, uint64_t usec, void (*expire)(struct waiter *))
{
    *queue = (struct queue){.usec = usec, .expire = expire};
    TAILQ_INIT(&queue->waiters);
    return timer_add(event, &queue->timer, on_deadline, queue);
}

void queue_enter(struct queue *queue, struct waiter *waiter, uint64_t since)
{
    if (waiter->queue == queue)
        return;
    queue_leave(waiter);
    waiter->queue = queue;
    waiter->deadline = since + queue->usec;
    TAILQ_INSERT_TAIL(&queue->waiters, waiter, link);
    if (!timer_is_on(queue->timer))
        timer_set(queue->timer, waiter->deadline);
}

void queue_leave(struct waiter *waiter)
{
    if (waiter->queue)
        TAILQ_REMOVE(&waiter->queue->waiters, waiter, link);
    waiter->queue = NULL;
}

void queue_expire_all(struct queue *queue)
{
    expire_until(queue, UINT64_MAX);
}

void queue_close(struct queue *queue)
{
    queue->timer = sd_event_source_unref(queue->timer);
}
