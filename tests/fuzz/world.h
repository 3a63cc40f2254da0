/* SPDX-License-Identifier: MIT */
/* The peers of tincand, its clock, and the system calls that it makes: they obey the input. */
#ifndef TINCAN_TESTS_FUZZ_WORLD_H
#define TINCAN_TESTS_FUZZ_WORLD_H

#include "tests/exhaust/exhaust.h"
#include "tests/fuzz/event.h"
#include "tests/fuzz/input.h"
#include "tincand/limits.h"

#include "handler/settings.h"

#include <sys/socket.h>

#define PEERS       8
#define LISTENER_FD 1000
#define MAX_BYTES   12000
#define TIMEOUT     UINT64_C(3000000)
#define BYTES_MAX   ((size_t)100000)

struct peer_world {
    int fd; /* the peer's end; -1: closed */
    int server_fd;
    bool accepted, left, ended;
    struct sockaddr_storage address;
    uint64_t since; /* when it was accepted */
    struct reference reference;
    size_t sent_size, received_size;
    char sent[BYTES_MAX], received[BYTES_MAX];
};

struct world {
    struct input input;
    bool running; /* calls are simulated */
    uint64_t now;
    bool idle;     /* nothing is ready in the server */
    uint64_t late; /* time that passed while the server had something to do */
    size_t count, accepted;
    bool tagged, calm; /* nothing but the peers themselves has ended an exchange */
    bool stopping;
    unsigned signals;
    int loop_error, failing_allocations, accept_error, poll_error;
    struct settings settings;
    struct limits limits;
};

extern struct world world;
extern struct peer_world peers[PEERS];

/* Lets the peer read at most `size` bytes; close its end. */
void receive_bytes(struct peer_world *peer, size_t size);
void leave(struct peer_world *peer);

/* --- what must hold: tincand.c has it --- */

/* To be called when the server has nothing more to do at this moment. */
void check_idle(void);

/* The same when all peers have read what there is. */
void check_replies(void);

#endif
