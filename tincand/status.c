/* SPDX-License-Identifier: MIT */
#include "tincand/status.h"

#include "tincand/loop.h"

/* The least time from one message to the next. */
#define INTERVAL_USEC UINT64_C(1000000)

/* Adds the number and what it counts, if there is any. */
static void add_count(struct text *text, uint64_t count, const char *what)
{
    if (count == 0)
        return;
    text_add(text, ", ");
    text_addf(text, "%" PRIu64, (uint64_t)count);
    text_add(text, " ");
    text_add(text, what);
}

static void add_numbers(const struct status *status, struct text *text)
{
    uint64_t lost = log_queue_dropped(status->log);

    text_add(text, "open ");
    text_addf(text, "%" PRIu64, (uint64_t)status->open);
    text_add(text, ", echoed ");
    text_addf(text, "%" PRIu64, (uint64_t)status->results[RESULT_ECHOED]);
    for (enum result_code code = RESULT_EOF; code <= RESULT_ERROR; code++)
        add_count(text, status->results[code], result_word(code));
    add_count(text, status->turned_away, "turned away");
    add_count(text, lost, lost == 1 ? "log line lost" : "log lines lost");
}

void status_send(struct status *status, const char *state)
{
    char buffer[512];
    struct text text;

    status->sent = loop_now(sd_event_source_get_event(status->timer));
    text_init(&text, buffer, sizeof buffer);
    text_add(&text, state);
    text_add(&text, "\nSTATUS=");
    add_numbers(status, &text);
    notify_send(&status->notify, text.start);
}

static int on_interval_over(sd_event_source *timer, uint64_t usec, void *userdata)
{
    (void)timer, (void)usec;
    status_send(userdata, "");
    return 0;
}

int status_open(struct status *status, sd_event *event, struct log_queue *log)
{
    *status = (struct status){.log = log};
    notify_open(&status->notify, event);
    return loop_timer_add(event, &status->timer, on_interval_over, status);
}

void status_touch(struct status *status)
{
    if (!loop_timer_is_set(status->timer))
        loop_timer_set(status->timer, status->sent + INTERVAL_USEC);
}

void status_close(struct status *status)
{
    status->timer = sd_event_source_unref(status->timer);
    notify_close(&status->notify);
}
