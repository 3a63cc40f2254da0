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
#include "common/frame.h"
#include "tests/fuzz/event.h"
#include "tests/fuzz/input.h"
#include "tests/model/accounts.h"
#include "tincand/loop.h"
#include "tincand/sources.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BYTES ((size_t)64 << 10)
#define TIMEOUT   UINT64_C(3000000)

/* The largest message with its tag, and how much more memory the smallest limit has. */
#define BUFFER_MAX (TAG_MAX + MAX_BYTES + 1)
#define LEAST      (BUFFER_MAX + MEMORY_READ_MIN + TAG_MAX)

/* A connection, as much as tincand/sessions.c and connection.c have of it. */
struct stub {
    struct loop_timeout timeout; /* first: expire() gets its address */
    struct buffer buffer;
    struct source *source;
    size_t total, stored; /* bytes of the message, and those received */
    size_t arrived, left; /* bytes in the kernel; of the reply */
    enum { RECEIVING, REPLYING, LINGERING } state;
};

static const struct {
    const char *address;
    int source;
} origins[] = {
    {"10.0.0.1", 0},        {"::ffff:10.0.0.1", 0}, {"10.0.0.2", 1},        {"2001:db8:0:1::1", 2},
    {"2001:db8:0:1::2", 2}, {"2001:db8:0:2::1", 3}, {"2001:db8:0:3::1", 4}, {"vsock", 5},
};

static struct stub stubs[CONNECTIONS];
static struct accounts accounts;
static struct memory memory;
static struct memory_share all; /* of all connections, where sources are not counted */
static struct sources sources;
static struct loop_timeouts exchanges, lingering;
static sd_event *event;
static uint64_t chance, seed, steps;

/* Returns a random number below `limit` (xorshift64*). */
static size_t below(size_t limit)
{
    chance ^= chance >> 12;
    chance ^= chance << 25;
    chance ^= chance >> 27;
    return (size_t)((chance * UINT64_C(0x2545f4914f6cdd1d)) >> 32) % limit;
}

static void must(bool holds, const char *what)
{
    if (!holds)
        (void)fprintf(stderr, "in the schedule of `schedules 1 %" PRIu64 "`: ", seed);
    require(holds, what);
}

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

/* --- one connection --- */

static void end(int number)
{
    struct stub *stub = &stubs[number];

    loop_timeout_cancel(&stub->timeout);
    memory_free(&memory, &stub->buffer);
    accounts_free(&accounts, number);
    must(!stub->buffer.bytes && !stub->buffer.size && !stub->buffer.waiting, "a buffer is freed");
    if (stub->source)
        sources_leave(&sources, stub->source);
    accounts.list[number].open = false;
}

static void expire(struct loop_timeout *timeout)
{
    int number = (int)((struct stub *)timeout - stubs);

    must(accounts.list[number].open && accounts.list[number].deadline <= accounts.now,
         "only what is open and late expires");
    end(number);
}

static void set_deadline(int number, struct loop_timeouts *queue, uint64_t usec)
{
    loop_timeout_start(queue, &stubs[number].timeout, accounts.now);
    accounts.list[number].deadline = accounts.now + usec;
}

/* Returns the size that a buffer gets for `needed` bytes: twice what it has, if there is room. */
static size_t next_size(int number, size_t needed)
{
    size_t held = accounts.list[number].held, size = held > 0 ? held * 2 : 256;

    if (size < needed || size - held > accounts_room(&accounts, number, BUFFER_MAX))
        size = needed;
    return size < BUFFER_MAX ? size : BUFFER_MAX;
}

/* Makes the buffer have `needed` bytes. */
static void grow(int number, size_t needed)
{
    struct buffer *buffer = &stubs[number].buffer;
    size_t size = next_size(number, needed);

    must(memory_grow(&memory, buffer, needed) == 0, "there is memory");
    if (accounts.list[number].held >= needed)
        return;
    must(buffer->size == size, "a buffer is doubled where there is room");
    accounts_hold(&accounts, number, size);
}

static void move(int number, size_t count)
{
    memory_moved(&stubs[number].buffer, count);
    accounts_move(&accounts, number, count);
}

/* Sends at most `most` bytes of the reply. */
static void reply(int number, size_t most)
{
    struct stub *stub = &stubs[number];
    size_t count = most < stub->left ? most : stub->left;

    stub->left -= count;
    move(number, count);
    if (stub->left > 0) {
        grow(number, stub->total); /* small messages had no buffer yet */
    } else if (below(4) > 0) {
        end(number);
    } else {
        stub->state = LINGERING;
        set_deadline(number, &lingering, FRAME_LINGER_USEC);
    }
}

/* Takes `size` bytes of the message, and replies to the last. */
static void take(int number, size_t size)
{
    struct stub *stub = &stubs[number];
    bool whole = stub->stored + size == stub->total;

    stub->arrived -= size;
    stub->stored += size;
    if (stub->buffer.bytes || !whole) {
        grow(number, stub->stored);
        move(number, size);
    }
    if (!whole)
        return;
    stub->state = REPLYING;
    stub->left = stub->total;
    reply(number, below(3) ? stub->total : below(stub->total));
}

/* Receives what has arrived as far as there is room. Returns whether it has to wait for memory. */
static bool receive(int number)
{
    struct stub *stub = &stubs[number];
    size_t size = memory_read_size(&memory, &stub->buffer);
    size_t rest = stub->total - stub->stored;

    must(size == accounts_read_size(&accounts, number), "as much is read as there is room for");
    if (stub->arrived == 0)
        return false;
    if (size == 0 && (stub->arrived < rest || rest > MEMORY_READ_MIN))
        return true;
    take(number, size > 0 && size < stub->arrived ? size : stub->arrived);
    return false;
}

/* Goes on with a connection whose socket is ready, or which there is memory for. */
static void step(int number)
{
    struct stub *stub = &stubs[number];
    bool waits = false;

    if (stub->state == REPLYING)
        reply(number, below(3) ? stub->left : below(20000));
    else if (stub->state == RECEIVING)
        waits = receive(number);
    if (!accounts.list[number].open)
        return;
    if (waits) {
        memory_wait(&memory, &stub->buffer);
        accounts_wait(&accounts, number);
    } else {
        memory_stop_waiting(&memory, &stub->buffer);
        accounts_stop_waiting(&accounts, number);
    }
}

/* --- what must hold --- */

static int number_of(const struct buffer *buffer)
{
    if (!buffer)
        return -1;
    return (int)((const struct stub *)((const char *)buffer - offsetof(struct stub, buffer)) -
                 stubs);
}

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
    must(number_of(memory.reserved) == accounts.reserved, "one connection has the reserve");
    steps++;
}

/* As sessions_resume() does; then nobody waits for whom there is room. */
static void resume(void)
{
    while (memory_has_changed(&memory)) {
        struct buffer *buffer = memory_next(&memory);
        must(number_of(buffer) == accounts_next(&accounts), "connections that wait go on in turn");
        if (buffer) {
            step(number_of(buffer));
            continue;
        }
        buffer = memory_slow(&memory, accounts.now);
        must(accounts_may_end(&accounts, number_of(buffer)), "a greedy slow one is ended");
        if (buffer)
            end(number_of(buffer));
    }
    must(accounts_next(&accounts) < 0, "nobody waits for whom there is room");
}

/* --- what happens --- */

static union connection_peer make_address(const char *text)
{
    union connection_peer peer;

    memset(&peer, 0, sizeof peer);
    if (inet_pton(AF_INET, text, &peer.ipv4.sin_addr) == 1)
        peer.any.sa_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &peer.ipv6.sin6_addr) == 1)
        peer.any.sa_family = AF_INET6;
    else
        peer.vsock = (struct sockaddr_vm){.svm_family = AF_VSOCK, .svm_cid = 3};
    return peer;
}

/* Enters a source. Returns whether the connection may stay. */
static bool enter(int number, size_t origin)
{
    struct stub *stub = &stubs[number];
    union connection_peer address = make_address(origins[origin].address);
    size_t count = 0;

    stub->buffer.share = &all;
    if (!memory.shared)
        return true;
    for (int i = 0; i < CONNECTIONS; i++)
        count += accounts.list[i].open && accounts.list[i].source == origins[origin].source;
    stub->source = sources_enter(&sources, -1, &address);
    must((stub->source != NULL) == (count < sources.limit), "the connections are counted");
    must(stub->source || errno == EUSERS, "what is refused is refused for its source");
    if (!stub->source)
        return false;
    must(stub->source->connections == count + 1, "every connection is counted once");
    stub->buffer.share = &stub->source->memory;
    return true;
}

static void open_connection(int number)
{
    static const size_t sizes[] = {1, 11, 3000, 5000, 20000, 60000, MAX_BYTES + 1};
    size_t origin = below(sizeof origins / sizeof origins[0]);

    stubs[number] = (struct stub){.total = sizes[below(sizeof sizes / sizeof sizes[0])]};
    accounts.list[number] = (struct account){.source = memory.shared ? origins[origin].source : 0};
    if (!enter(number, origin))
        return;
    accounts.list[number].open = true;
    set_deadline(number, &exchanges, TIMEOUT);
}

static void send_input(int number, size_t most)
{
    struct stub *stub = &stubs[number];
    size_t rest = stub->total - stub->stored - stub->arrived;

    stub->arrived += most < rest ? most : rest;
    step(number);
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
        open_connection(number);
    else if (below(20) == 0)
        end(number);
    else if (below(20) == 0)
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
                end(i);
            else
                send_input(i, SIZE_MAX);
            resume();
            check();
        }
    }
}

static void play(void)
{
    static const size_t extras[] = {0, 5000, 50000, 200000, 1000000};
    size_t extra = extras[below(5)];
    bool shared = below(4) > 0;

    memset(&accounts, 0, sizeof accounts);
    accounts.now = 1000000;
    accounts.reserved = -1;
    accounts.shared = shared;
    accounts.max = extra;
    sources = (struct sources){.limit = 1 + below(20)};
    must(memory_min(MAX_BYTES) == LEAST, "the smallest limit has room for a message and input");
    memory_init(&memory, LEAST + extra, MAX_BYTES, shared);
    memory_share_init(&all);
    event_reset();
    (void)sd_event_new(&event);
    (void)loop_timeouts_open(&exchanges, event, TIMEOUT, expire);
    (void)loop_timeouts_open(&lingering, event, FRAME_LINGER_USEC, expire);
    for (size_t left = 20 + below(300); left > 0; left--)
        happen();
    if (below(2))
        finish_all();
    pass_time(TIMEOUT + FRAME_LINGER_USEC);
    for (int i = 0; i < CONNECTIONS; i++)
        must(!accounts.list[i].open, "every connection ends by its deadline");
    must(memory.used == 0 && !sources.tree, "what ends leaves nothing behind");
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
