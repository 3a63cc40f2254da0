/* SPDX-License-Identifier: MIT */
#include "tests/model/stubs.h"

#include "tests/fuzz/input.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *address;
    int source;
} origins[] = {
    {"10.0.0.1", 0},        {"::ffff:10.0.0.1", 0}, {"10.0.0.2", 1},        {"2001:db8:0:1::1", 2},
    {"2001:db8:0:1::2", 2}, {"2001:db8:0:2::1", 3}, {"2001:db8:0:3::1", 4}, {"vsock", 5},
};

struct stub stubs[CONNECTIONS];
struct accounts accounts;
struct memory memory;
struct memory_share all; /* of all connections, where sources are not counted */
struct sources sources;
struct loop_timeouts exchanges, lingering;
uint64_t chance, seed;

void must(bool holds, const char *what)
{
    if (!holds)
        (void)fprintf(stderr, "in the schedule of `schedules 1 %" PRIu64 "`: ", seed);
    require(holds, what);
}

/* xorshift64* */
size_t below(size_t limit)
{
    chance ^= chance >> 12;
    chance ^= chance << 25;
    chance ^= chance >> 27;
    return (size_t)((chance * UINT64_C(0x2545f4914f6cdd1d)) >> 32) % limit;
}

/* --- one connection --- */

void stub_end(int number)
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

void stub_expire(struct loop_timeout *timeout)
{
    int number = (int)((struct stub *)timeout - stubs);

    must(accounts.list[number].open && accounts.list[number].deadline <= accounts.now,
         "only what is open and late expires");
    stub_end(number);
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
        stub_end(number);
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

void stub_step(int number)
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

void stub_open(int number)
{
    static const size_t sizes[] = {1, 11, 3000, 5000, 20000, 60000, MAX_BYTES, MAX_BYTES + 1};
    size_t origin = below(sizeof origins / sizeof origins[0]);

    stubs[number] = (struct stub){.total = sizes[below(2) ? 5 + below(3) : below(5)]};
    accounts.list[number] = (struct account){.source = memory.shared ? origins[origin].source : 0};
    if (!enter(number, origin))
        return;
    accounts.list[number].open = true;
    set_deadline(number, &exchanges, TIMEOUT);
}

int stub_number(const struct buffer *buffer)
{
    if (!buffer)
        return -1;
    return (int)((const struct stub *)((const char *)buffer - offsetof(struct stub, buffer)) -
                 stubs);
}
