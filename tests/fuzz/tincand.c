/* SPDX-License-Identifier: MIT */
/*
 * tincand's event loop with several peers, on real socket pairs: the input says who connects from
 * where, sends, reads, stops or leaves, when time passes, and which calls fail. At its end all
 * peers read what there is, time passes, and the server is asked to stop.
 *
 * A peer may get nothing but the reply to its own whole message, and gets it where nothing stood in
 * the way; every connection ends at its deadline and is counted once; the limits hold; the accounts
 * of memory are right (tests/invariants.c).
 */
#include "tests/fuzz/world.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tincand/server.c" /* NOLINT(bugprone-suspicious-include) */

static struct server server;

/* --- what must hold --- */

static void check_peer(const struct peer_world *peer)
{
    size_t tag = world.tagged ? tag_length(peer->received, peer->received_size) : 0;

    if (peer->received_size == 0 || (world.tagged && tag == 0 && peer->received_size < TAG_MAX))
        return;
    require(peer->reference.status == FRAME_COMPLETE, "only a whole message is sent back");
    require((tag > 0) == world.tagged, "a tag is there if it was asked for");
    require(peer->received_size <= tag + peer->reference.length + 1, "nothing follows the reply");
    require(memcmp(peer->received + tag, peer->sent, peer->received_size - tag) == 0,
            "the reply is the message of this peer");
}

static size_t count_open(void)
{
    size_t count = 0;

    for (size_t i = 0; i < world.count; i++)
        count += peers[i].accepted && peers[i].server_fd >= 0;
    return count;
}

static void check_limits(void)
{
    const struct session_counts *counts = &server.sessions.counts;
    uint64_t ended = counts->turned_away;

    for (enum result_code code = 0; code <= RESULT_ERROR; code++)
        ended += counts->results[code];
    require(counts->open == count_open(), "the open connections are counted");
    require(counts->open <= world.limits.max_connections, "the limit of connections holds");
    require(ended <= world.accepted && ended + counts->open >= world.accepted,
            "every connection is counted once");
}

void check_idle(void)
{
    for (size_t i = 0; i < world.count; i++) {
        const struct peer_world *peer = &peers[i];
        require(!peer->accepted || peer->server_fd < 0 ||
                    world.now <= peer->since + TIMEOUT + FRAME_LINGER_USEC + world.late,
                "every connection ends at its deadline");
        check_peer(peer);
    }
    check_limits();
}

void check_replies(void)
{
    for (size_t i = 0; i < world.count; i++) {
        const struct peer_world *peer = &peers[i];
        size_t tag = world.tagged ? tag_length(peer->received, peer->received_size) : 0;
        bool answered = peer->received_size == tag + peer->reference.length + 1;
        if (!peer->accepted || peer->left || peer->reference.status != FRAME_COMPLETE)
            continue;
        if (world.calm && peer->sent_size < BYTES_MAX)
            require(answered, "a whole message that nothing hinders is answered");
        if (answered && (tag > 0) == world.tagged)
            require(peer->ended, "the server ends the stream behind its reply");
    }
}

/* --- what the server calls that is not linked --- */

void log_queue_result(struct log_queue *queue, const struct result *result, const char *peer)
{
    char buffer[LOG_LINE_SIZE];
    struct text line;

    (void)queue;
    text_init(&line, buffer, sizeof buffer);
    result_print(&line, result, peer);
    for (size_t i = 0; i < line.length; i++)
        require(line.start[i] >= ' ' && line.start[i] <= '~', "the log is printable");
}

void log_queue_sentence(struct log_queue *queue, int level, const char *sentence)
{
    (void)queue, (void)level;
    require(strlen(sentence) > 0, "the log says something");
}

uint64_t log_queue_dropped(struct log_queue *queue)
{
    (void)queue;
    return 0;
}

void listeners_close(struct listeners *listeners)
{
    listeners->count = 0;
}

/* --- one server --- */

static void set_up_world(const uint8_t *bytes, size_t size)
{
    uint8_t flags;

    memset(&world, 0, sizeof world);
    memset(&server, 0, offsetof(struct server, sessions.workspace.input));
    memset(&server.status, 0, sizeof server - offsetof(struct server, status));
    world.input = (struct input){bytes, size};
    world.now = 1000000;
    flags = input_byte(&world.input);
    world.tagged = (flags & 1) != 0;
    world.settings = (struct settings){
        .max_bytes = MAX_BYTES,
        .timeout = TIMEOUT,
        .tag = world.tagged,
        .no_preview = flags & 2,
        .quiet = flags & 4,
    };
    world.limits = (struct limits){
        .max_connections = flags & 8 ? 3 : 64,
        .max_per_source = flags & 16 ? 2 : 64,
        .max_memory = memory_min(MAX_BYTES) + (flags & 32 ? 12000 : 1 << 22),
        .grace = 2000000,
        .idle_exit = flags & 64 ? 700000 : 0,
    };
    world.calm = (flags & (8 | 16 | 32 | 64)) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct listeners listeners = {.count = 1};
    struct session_counts *counts = &server.sessions.counts;

    set_up_world(bytes, size);
    event_reset();
    listeners.list[0].fd = LISTENER_FD;
    server.limits = &world.limits;
    server.sessions.settings = &world.settings;
    server.sessions.limits = &world.limits;
    server.acceptor.listeners = &listeners;
    server.acceptor.sessions = &server.sessions;
    world.running = true;
    require(set_up(&server) >= 0, "the server starts");
    (void)run(&server);
    tear_down(&server);
    require(counts->open == 0, "no connection is left open");
    check_limits();
    for (size_t i = 0; i < world.count; i++) {
        if (peers[i].fd >= 0)
            receive_bytes(&peers[i], BYTES_MAX);
        check_peer(&peers[i]);
        leave(&peers[i]);
        if (!peers[i].accepted)
            (void)close(peers[i].server_fd);
    }
    world.running = false;
    return 0;
}
