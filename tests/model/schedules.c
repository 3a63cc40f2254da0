/* SPDX-License-Identifier: MIT */
/*
 * schedules COUNT SEED: tincand's memory, sources and timeouts in random schedules of connections
 * that come, send, get their replies, stall and leave, while time passes. What tincand/sessions.c
 * does with them is done here, and compared with the accounts of the model after each step.
 *
 * Buffers, queues and turns must be those of the model; nobody may wait while there is room or
 * beyond its deadline; and when all connections go on, all come to their end.
 */
#include "common/clock.h"
#include "tests/fuzz/event.h"
#include "tests/model/stubs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static sd_event *event;
static uint64_t steps;

/* --- the world of clock and event loop, in which nothing happens by itself --- */

uint64_t clock_usec(void)
{
    return accounts.now;
}

uint64_t world_now(void)
{
    return accounts.now;
}

void world_step(bool idle)
{
    must(!idle, "nothing waits here");
}

int world_loop_error(void)
{
    return 0;
}

size_t world_choose(size_t count)
{
    return below(count);
}

bool world_is_ready(int fd)
{
    (void)fd;
    return false;
}

/* --- what must hold --- */

static void check_connection(int number)
{
    const struct account *account = &accounts.list[number];
    const struct stub *stub = &stubs[number];

    must(stub->buffer.size == account->held, "a buffer has its size");
    must(stub->buffer.waiting == (account->waiting_since > 0), "a buffer that waits says so");
    must(account->deadline > accounts.now, "every connection ends by its deadline");
    must(!stub->source || stub->source->connections <= sources.limit,
         "the limit of a source holds");
}

static void check(void)
{
    uint64_t timer = event_next_timer();
    size_t used[SOURCES];

    for (int source = 0; source < SOURCES; source++)
        used[source] = accounts_used(&accounts, source);
    for (int i = 0; i < CONNECTIONS; i++) {
        if (!accounts.list[i].open)
            continue;
        check_connection(i);
        must(stubs[i].buffer.share->used == used[accounts.list[i].source],
             "what a source uses is the sum of its buffers");
        must(timer <= accounts.list[i].deadline, "a timer is set for the next deadline");
    }
    must(memory.used == accounts_used(&accounts, -1), "what is used is the sum of all buffers");
    must(stub_number(memory.reserved) == accounts.reserved, "one connection has the reserve");
    steps++;
}

/* As sessions_resume() does; then nobody waits for whom there is room. */
static void resume(void)
{
    while (memory_has_changed(&memory)) {
        struct buffer *buffer = memory_next(&memory);
        must(stub_number(buffer) == accounts_next(&accounts),
             "connections that wait go on in turn");
        if (buffer) {
            stub_step(stub_number(buffer));
            continue;
        }
        buffer = memory_slow(&memory, accounts.now);
        must(accounts_may_end(&accounts, stub_number(buffer)), "a greedy slow one is ended");
        if (buffer)
            stub_end(stub_number(buffer));
    }
    must(accounts_next(&accounts) < 0, "nobody waits for whom there is room");
}

/* --- what happens --- */

static void send_input(int number, size_t most)
{
    struct stub *stub = &stubs[number];
    size_t rest = stub->total - stub->stored - stub->arrived;

    stub->arrived += most < rest ? most : rest;
    stub_step(number);
}

static void pass_time(uint64_t usec)
{
    accounts.now += usec;
    while (sd_event_run(event, 0) > 0)
        ;
    memory_retry(&memory);
    resume();
    must(accounts_may_end(&accounts, -1), "no slow connection has what others wait for");
}

static void happen(void)
{
    static const size_t amounts[] = {1, 500, 4096, 30000, 70000};
    static const uint64_t times[] = {1, 1000, 99999, 100000, 500001, 1000000, TIMEOUT};
    int number = (int)below(CONNECTIONS);

    if (!accounts.list[number].open)
        stub_open(number);
    else if (below(20) == 0)
        stub_end(number);
    else if (below(10) == 0)
        pass_time(times[below(sizeof times / sizeof times[0])]);
    else
        send_input(number, amounts[below(sizeof amounts / sizeof amounts[0])]);
    resume();
    check();
}

/* All send the rest and take their replies, while no time passes. */
static void finish_all(void)
{
    bool open = true;

    for (int round = 0; open; round++) {
        must(round < 10 * CONNECTIONS, "nobody is forgotten");
        open = false;
        for (int i = 0; i < CONNECTIONS; i++) {
            if (!accounts.list[i].open)
                continue;
            open = true;
            if (stubs[i].state == LINGERING)
                stub_end(i);
            else
                send_input(i, SIZE_MAX);
            resume();
            check();
        }
    }
}

/* As the server does when it must stop. All deadlines are within the timeout. */
static void end_all(void)
{
    accounts.now += TIMEOUT;
    loop_timeouts_expire_all(&exchanges);
    loop_timeouts_expire_all(&lingering);
}

static void set_up(void)
{
    static const size_t extras[] = {0, 5000, 50000, 200000, 400000};
    size_t extra = extras[below(5)];
    bool shared = below(4) > 0;

    memset(&accounts, 0, sizeof accounts);
    accounts.now = 1000000;
    accounts.reserved = -1;
    accounts.shared = shared;
    accounts.max = extra;
    sources = (struct sources){.limit = 1 + below(20)};
    must(memory_min(MAX_BYTES) == LEAST, "the smallest limit has room for a message and input");
    memory_end(&memory);
    memory_init(&memory, LEAST + extra, MAX_BYTES, shared);
    memory_share_init(&all);
    event_reset();
    (void)sd_event_new(&event);
    (void)loop_timeouts_open(&exchanges, event, TIMEOUT, stub_expire);
    (void)loop_timeouts_open(&lingering, event, FRAME_LINGER_USEC, stub_expire);
}

static void play(void)
{
    set_up();
    for (size_t left = 20 + below(300); left > 0; left--)
        happen();
    if (below(2))
        finish_all();
    if (below(2))
        pass_time(TIMEOUT);
    else
        end_all();
    for (int i = 0; i < CONNECTIONS; i++)
        must(!accounts.list[i].open, "every connection ends by its deadline");
    loop_timeouts_close(&exchanges);
    loop_timeouts_close(&lingering);
    must(memory.used == 0 && !sources.tree && event_next_timer() == UINT64_MAX,
         "what ends leaves nothing behind");
}

int main(int argc, char **argv)
{
    uint64_t count = argc == 3 ? strtoull(argv[1], NULL, 10) : 0;

    seed = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;
    for (uint64_t left = count; left > 0; left--, seed++) {
        chance = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15);
        play();
    }
    printf("%" PRIu64 " schedules, %" PRIu64 " steps\n", count, steps);
    return steps == 0;
}
