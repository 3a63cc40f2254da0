/* SPDX-License-Identifier: MIT */
/*
 * Who waits, in the order of their deadlines, which is that of their coming: in one queue all are
 * given the same time. So one timer is enough for all, and is seldom set.
 */
#ifndef TINCAN_TINCAND_QUEUE_H
#define TINCAN_TINCAND_QUEUE_H

#include <stdint.h>
#include <sys/queue.h>
#include <systemd/sd-event.h>

/* Part of whatever waits; all zero before its first use. */
struct waiter {
    struct queue *queue; /* NULL: in none */
    uint64_t deadline;
    TAILQ_ENTRY(waiter) link;
};

struct queue {
    TAILQ_HEAD(waiters, waiter) waiters;
    uint64_t usec;                   /* what each is given */
    void (*expire)(struct waiter *); /* its deadline has passed: has to make it leave */
    sd_event_source *timer;          /* where it is on: not later than the first deadline */
};

/* Begins an empty queue. Returns 0 or a negative errno value. */
int queue_open(struct queue *queue, sd_event *event, uint64_t usec,
               void (*expire)(struct waiter *));

/* Has `waiter` wait in this queue, and in no other, until the queue's time after `since`. */
void queue_enter(struct queue *queue, struct waiter *waiter, uint64_t since);

/* Takes it out of the queue it is in, if any. */
void queue_leave(struct waiter *waiter);

/* Treats all as if their deadlines had passed. */
void queue_expire_all(struct queue *queue);

/* Gives back what queue_open() took; the queue has to be empty. */
void queue_close(struct queue *queue);

#endif
