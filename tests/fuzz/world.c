/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/world.h"

#include "common/frame.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

struct world world;
struct peer_world peers[PEERS];

/* --- what peers do --- */

static void connect_peer(void)
{
    static const sa_family_t families[] = {AF_INET, AF_INET6, AF_UNIX, AF_VSOCK};
    struct peer_world *peer = &peers[world.count];
    uint8_t choice = input_byte(&world.input);
    int fds[2], size = choice & 0x80 ? 4096 : 1 << 18;

    if (world.count == PEERS || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) < 0)
        return;
    world.count++;
    memset(peer, 0, offsetof(struct peer_world, sent));
    peer->fd = fds[0];
    peer->server_fd = fds[1];
    peer->reference.max_bytes = MAX_BYTES;
    peer->address.ss_family = families[choice & 3];
    ((char *)&peer->address)[4] = (char)(choice >> 2 & 3);
    (void)setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

/* Sends what the input has; a large number of bytes is the same byte over and over. */
static void send_bytes(struct peer_world *peer)
{
    char *bytes = peer->sent + peer->sent_size;
    size_t size = input_byte(&world.input);
    ssize_t count;

    if (size >= 0xfe)
        size = FRAME_LINGER_BYTES; /* more than is discarded behind a message */
    else if (size >= 0xf0)
        size = (size - 0xef) * 800;
    if (size > BYTES_MAX - peer->sent_size)
        size = BYTES_MAX - peer->sent_size;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)(size < 256 || i == 0 ? input_byte(&world.input) : bytes[0]);
    count = send(peer->fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    for (ssize_t i = 0; i < count; i++)
        reference_feed(&peer->reference, (unsigned char)bytes[i]);
    peer->sent_size += count > 0 ? (size_t)count : 0;
}

void receive_bytes(struct peer_world *peer, size_t size)
{
    ssize_t count;

    if (size > BYTES_MAX - peer->received_size)
        size = BYTES_MAX - peer->received_size;
    if (size == 0)
        return;
    count = recv(peer->fd, peer->received + peer->received_size, size, MSG_DONTWAIT);
    if (count > 0)
        peer->received_size += (size_t)count;
    else if (count == 0 || errno != EAGAIN)
        peer->ended = true;
}

void leave(struct peer_world *peer)
{
    if (peer->fd >= 0)
        (void)close(peer->fd);
    peer->fd = -1;
    peer->left = true;
}

static void act(size_t number, unsigned action)
{
    struct peer_world *peer = &peers[number];

    if (number >= world.count || peer->fd < 0)
        return;
    switch (action) {
    case 0:
    case 1:
        send_bytes(peer);
        break;
    case 2:
        receive_bytes(peer, (size_t)input_byte(&world.input) * 16);
        break;
    case 3:
        receive_bytes(peer, BYTES_MAX);
        break;
    case 4:
        (void)shutdown(peer->fd, SHUT_WR);
        peer->left = true;
        break;
    default:
        leave(peer);
    }
}

/* --- the world of the event loop --- */

uint64_t world_now(void)
{
    return world.now;
}

/* An idle server wakes up for its next timer; any other may be late. */
static void pass_time(uint64_t usec)
{
    uint64_t timer = event_next_timer();

    if (world.idle && timer - world.now < usec)
        usec = timer - world.now;
    if (!world.idle)
        world.late += usec;
    world.now += usec;
    world.calm &= usec < 1000;
}

static void raise_signal(void)
{
    world.signals++;
    world.calm = false; /* connections in the queue are lost, and others ended */
    event_raise(SIGTERM);
}

static bool receive_all(void)
{
    bool more = false;

    for (size_t i = 0; i < world.count; i++) {
        size_t before = peers[i].received_size;
        if (peers[i].fd >= 0)
            receive_bytes(&peers[i], BYTES_MAX);
        more |= peers[i].received_size != before;
    }
    return more;
}

/* The input is at its end: the peers read, time passes, the server is asked to stop. */
static void wind_up(void)
{
    uint64_t timer = event_next_timer();

    world.failing_allocations = world.accept_error = world.poll_error = 0;
    if (receive_all())
        return;
    check_replies();
    if (timer != UINT64_MAX && timer > world.now)
        pass_time(timer - world.now);
    else if (world.signals < 8)
        raise_signal();
    else
        require(timer <= world.now, "the server ends when it is asked to");
}

static void step(uint8_t choice)
{
    static const uint64_t times[] = {1, 900, 1000, 100000, 500000, 1000000, 2999999, 3000001};
    static const int accept_errors[] = {EMFILE, ECONNABORTED, EINTR, ENOMEM};
    static const int loop_errors[] = {EINTR, ENOMEM, EBADF, EIO};

    if (choice < 0x60)
        act(choice & 7, choice >> 3 & 7);
    else if (choice < 0x80)
        connect_peer();
    else if (choice < 0xa0)
        pass_time(times[choice & 7]);
    else if (choice < 0xa8)
        world.accept_error = accept_errors[choice & 3];
    else if (choice < 0xac)
        world.failing_allocations = choice & 3;
    else if (choice < 0xb0)
        world.loop_error = loop_errors[choice & 3];
    else if (choice < 0xb2)
        raise_signal();
    else if (choice == 0xb2)
        world.poll_error = ENOSPC;
    else
        act(choice & 7, choice & 8 ? 0 : 3);
}

void world_step(bool idle)
{
    if (idle)
        check_idle();
    world.idle = idle;
    if (world.input.left > 0)
        step(input_byte(&world.input));
    else if (idle)
        wind_up();
    world.idle = false;
}

int world_loop_error(void)
{
    int error = world.loop_error;

    world.loop_error = 0;
    world.calm &= error == 0;
    return error;
}

size_t world_choose(size_t count)
{
    return input_below(&world.input, count);
}

static struct peer_world *next_in_queue(void)
{
    for (size_t i = 0; i < world.count; i++)
        if (!peers[i].accepted && peers[i].server_fd >= 0)
            return &peers[i];
    return NULL;
}

bool world_is_ready(int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};

    return fd == LISTENER_FD ? next_in_queue() != NULL : poll(&ready, 1, 0) > 0;
}

/* --- system calls; the names that the linker's --wrap makes --- */
/* NOLINTBEGIN(*-reserved-identifier,cert-*) */
WRAP(int, accept4, int fd, struct sockaddr *address, socklen_t *size, int flags)
{
    struct peer_world *peer = next_in_queue();
    int error = world.accept_error;

    if (!world.running)
        return __real_accept4(fd, address, size, flags);
    world.accept_error = 0;
    world.calm &= error == 0;
    errno = error ? error : EAGAIN;
    if (error || !peer)
        return -1;
    memcpy(address, &peer->address, sizeof peer->address);
    peer->accepted = true;
    peer->since = world.now;
    world.accepted++;
    return peer->server_fd;
}

WRAP(int, close, int fd)
{
    for (size_t i = 0; world.running && i < world.count; i++)
        if (peers[i].server_fd == fd)
            peers[i].server_fd = -1;
    require(__real_close(fd) == 0 || !world.running, "what is closed was open");
    return 0;
}

WRAP(int, epoll_wait, int fd, struct epoll_event *events, int most, int timeout)
{
    int count = __real_epoll_wait(fd, events, most, world.running ? 0 : timeout);

    if (world.running && count == 0)
        world.now += (uint64_t)timeout * 1000;
    return count;
}

WRAP(int, epoll_ctl, int fd, int operation, int polled, struct epoll_event *event)
{
    int error = world.poll_error;

    if (!world.running || error == 0 || operation == EPOLL_CTL_DEL)
        return __real_epoll_ctl(fd, operation, polled, event);
    world.poll_error = 0;
    world.calm = false;
    errno = error;
    return -1;
}

WRAP(int, clock_gettime, clockid_t clock, struct timespec *now)
{
    if (!world.running)
        return __real_clock_gettime(clock, now);
    now->tv_sec = (time_t)(world.now / 1000000);
    now->tv_nsec = (long)(world.now % 1000000) * 1000;
    return 0;
}

WRAP(int, nanosleep, const struct timespec *time, struct timespec *left)
{
    if (!world.running)
        return __real_nanosleep(time, left);
    pass_time((uint64_t)time->tv_nsec / 1000);
    return 0;
}

WRAP(int, sigprocmask, int how, const sigset_t *set, sigset_t *old)
{
    return world.running ? 0 : __real_sigprocmask(how, set, old);
}

/* Returns whether this allocation fails. */
static bool has_no_memory(void)
{
    if (!world.running || world.failing_allocations == 0)
        return false;
    world.failing_allocations--;
    world.calm = false;
    errno = ENOMEM;
    return true;
}

WRAP(void *, malloc, size_t size)
{
    return has_no_memory() ? NULL : __real_malloc(size);
}

WRAP(void *, realloc, void *memory, size_t size)
{
    return has_no_memory() ? NULL : __real_realloc(memory, size);
}
/* NOLINTEND(*-reserved-identifier,cert-*) */
