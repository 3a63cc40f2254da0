/* SPDX-License-Identifier: MIT */
/*
 * A round trip of the client in a kernel that obeys the input: how many addresses the target has,
 * whether they can be connected to, and then, call by call, how much of the message is taken, what
 * is received, which errors occur, and when time passes. At its end the server is silent.
 *
 * An echo must be the message; any other outcome must be what happened; nothing may wait past the
 * deadline or stay open.
 */
#include "client/net/roundtrip.h"
#include "common/clock.h"
#include "common/tag.h"
#include "tests/fuzz/input.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FIRST_FD     100
#define PEERS        3
#define MESSAGE_MAX  9000
#define RECEIVED_MAX ((size_t)1 << 16)
#define TIMEOUT      (5 * CLOCK_SECOND)

/* How often poll(2) may find nothing ready after the deadline. */
#define LATE_CALLS 4

static struct kernel {
    struct input input;
    bool running; /* calls are simulated */
    int64_t now, deadline;
    uint64_t open; /* a bit for each socket */
    unsigned late_calls;
    bool poll_failed;
    bool ended; /* the server has closed */
    size_t received_size, sent, extra;
    bool complete; /* the null byte was received */
} kernel;

static char received[RECEIVED_MAX]; /* of the reply, up to the null byte */
static struct roundtrip roundtrip;

static int fail(int error)
{
    errno = error;
    return -1;
}

static void check_fd(int fd)
{
    require(fd >= FIRST_FD && kernel.open >> (fd - FIRST_FD) & 1, "only open sockets are used");
}

/* Takes from the input what a transfer does: at most `most` bytes, or an error. */
static ssize_t transfer(size_t most)
{
    static const int errors[] = {EAGAIN,    EINTR,        ECONNRESET, EPIPE,
                                 ETIMEDOUT, EHOSTUNREACH, ENOBUFS};
    uint8_t choice = input_byte(&kernel.input);

    if (kernel.input.left == 0)
        return fail(EAGAIN);
    if (choice >= 0xf0)
        return fail(errors[choice % 7]);
    if (choice >= 0xe0)
        return (ssize_t)(most < (choice - 0xdfu) << 10 ? most : (choice - 0xdfu) << 10);
    return (ssize_t)(most < choice ? most : choice);
}

static void receive_byte(char byte)
{
    if (roundtrip.state == ROUNDTRIP_HANDSHAKE)
        return;
    if (kernel.complete)
        kernel.extra++;
    else if (byte == '\0')
        kernel.complete = true;
    else if (kernel.received_size < RECEIVED_MAX)
        received[kernel.received_size++] = byte;
}

/* The names that the linker's --wrap makes. NOLINTBEGIN(*-reserved-identifier,cert-*) */
WRAP(ssize_t, recv, int fd, void *buffer, size_t size, int flags)
{
    ssize_t count;
    uint8_t byte = 0;

    if (!kernel.running)
        return __real_recv(fd, buffer, size, flags);
    check_fd(fd);
    require(size > 0, "there is room to receive to");
    count = kernel.ended ? 0 : transfer(size);
    kernel.ended |= count == 0;
    for (ssize_t i = 0; i < count; i++) {
        if (count < 256 || i == 0)
            byte = input_byte(&kernel.input);
        ((char *)buffer)[i] = (char)byte;
        receive_byte((char)byte);
    }
    return count;
}

/* Takes `size` bytes to send. */
static ssize_t take(int fd, size_t size, int flags)
{
    ssize_t count;

    check_fd(fd);
    require(flags & MSG_NOSIGNAL, "SIGPIPE ends no client");
    count = transfer(size);
    return count;
}

WRAP(ssize_t, send, int fd, const void *bytes, size_t size, int flags)
{
    return kernel.running ? take(fd, size, flags) : __real_send(fd, bytes, size, flags);
}

WRAP(ssize_t, sendmsg, int fd, const struct msghdr *message, int flags)
{
    const struct iovec *parts = message->msg_iov;
    ssize_t count;

    if (!kernel.running)
        return __real_sendmsg(fd, message, flags);
    require(message->msg_iovlen == 2 && parts[1].iov_len == 1 && *(char *)parts[1].iov_base == '\0',
            "a null byte ends the message");
    count = take(fd, parts[0].iov_len + 1, flags);
    kernel.sent += count > 0 ? (size_t)count : 0;
    return count;
}

WRAP(int, socket, int family, int type, int protocol)
{
    int fd = 0;

    if (!kernel.running)
        return __real_socket(family, type, protocol);
    require(type & SOCK_NONBLOCK && type & SOCK_CLOEXEC,
            "the socket neither blocks nor is inherited");
    if (input_below(&kernel.input, 16) == 15)
        return fail(EMFILE);
    require(kernel.open < 1 << PEERS, "there is a socket for each address at most");
    while (kernel.open >> fd & 1)
        fd++;
    kernel.open |= UINT64_C(1) << fd;
    return FIRST_FD + fd;
}

WRAP(int, close, int fd)
{
    if (!kernel.running)
        return __real_close(fd);
    check_fd(fd);
    kernel.open &= ~(UINT64_C(1) << (fd - FIRST_FD));
    kernel.ended = false;
    errno = EIO; /* may change */
    return 0;
}

/* The result of connecting. */
static int connection_error(void)
{
    static const int errors[] = {0,      ECONNREFUSED, ETIMEDOUT, EAGAIN,
                                 EACCES, EHOSTUNREACH, ENOENT,    EINTR};

    return errors[input_below(&kernel.input, 8)];
}

WRAP(int, connect, int fd, const struct sockaddr *address, socklen_t size)
{
    int error;

    if (!kernel.running)
        return __real_connect(fd, address, size);
    check_fd(fd);
    if (address->sa_family != AF_UNIX && input_byte(&kernel.input) < 0xc0)
        return fail(EINPROGRESS);
    error = connection_error();
    return error == 0 ? 0 : fail(error);
}

WRAP(int, getsockopt, int fd, int level, int name, void *value, socklen_t *size)
{
    if (!kernel.running)
        return __real_getsockopt(fd, level, name, value, size);
    check_fd(fd);
    if (level != SOL_SOCKET) {
        memset(value, 1, *size); /* TCP_INFO: none of its numbers is 0 or unknown */
        return 0;
    }
    *(int *)value = connection_error();
    return 0;
}

WRAP(int, getsockname, int fd, struct sockaddr *address, socklen_t *size)
{
    if (!kernel.running)
        return __real_getsockname(fd, address, size);
    check_fd(fd);
    memset(address, input_below(&kernel.input, 8) == 7 ? 0 : 1, *size);
    address->sa_family = AF_INET;
    return 0;
}

WRAP(int, poll, struct pollfd *polled, nfds_t count, int timeout)
{
    uint8_t choice = input_byte(&kernel.input);

    if (!kernel.running)
        return __real_poll(polled, count, timeout);
    require(timeout >= 0 && timeout <= TIMEOUT / CLOCK_MSEC,
            "nothing waits for longer than allowed");
    if (choice >= 0xf8) {
        kernel.poll_failed |= choice == 0xff;
        return fail(choice == 0xff ? ENOMEM : EINTR);
    }
    if (choice >= 0xe0 || kernel.input.left == 0 || polled->fd < 0) {
        if (kernel.now > kernel.deadline)
            require(++kernel.late_calls < LATE_CALLS, "the round trip ends at its deadline");
        kernel.now += timeout * CLOCK_MSEC;
        return 0;
    }
    if (count > 1) /* addresses race: one has an answer */
        polled += choice % count;
    polled->revents = (short)(polled->events & (choice & 1 ? POLLIN : choice & 2 ? POLLOUT : ~0));
    if (choice & 4)
        polled->revents |= POLLHUP | POLLERR;
    if (!(polled->events & POLLRDHUP) || !kernel.ended)
        polled->revents &= (short)~POLLRDHUP;
    return polled->revents != 0;
}

WRAP(int, clock_gettime, clockid_t clock, struct timespec *now)
{
    if (!kernel.running)
        return __real_clock_gettime(clock, now);
    kernel.now += 1000;
    now->tv_sec = (time_t)(kernel.now / CLOCK_SECOND);
    now->tv_nsec = (long)(kernel.now % CLOCK_SECOND);
    return 0;
}
/* NOLINTEND(*-reserved-identifier,cert-*) */

/* --- one round trip --- */

static bool is_echo(const char *message, size_t length)
{
    size_t tag = tag_length(received, kernel.received_size);

    if (kernel.received_size == length && memcmp(received, message, length) == 0)
        return true;
    return tag > 0 && kernel.received_size == tag + length &&
           memcmp(received + tag, message, length) == 0;
}

static void check(const char *message, size_t length)
{
    enum outcome outcome = roundtrip.outcome;
    bool whole = kernel.complete, echo = whole && is_echo(message, length);

    require(roundtrip.state == ROUNDTRIP_OVER && roundtrip.attempt.fd == -1,
            "the round trip is over");
    require(kernel.open == 0, "every socket is closed");
    require((outcome_status(outcome) == STATUS_ECHOED) == (outcome == OUTCOME_ECHOED) &&
                outcome_word(outcome) && outcome_label(outcome),
            "the outcome is one of those that there are");
    require(outcome != OUTCOME_ECHOED || (echo && kernel.extra == 0), "an echo is the message");
    require(outcome != OUTCOME_EXTRA || (echo && kernel.extra > 0), "extra bytes follow an echo");
    require(outcome != OUTCOME_ALTERED || (kernel.received_size > 0 || whole),
            "a reply was altered");
    require(outcome != OUTCOME_ALTERED || !echo, "an echo is not altered");
    require(outcome != OUTCOME_CLOSED || (kernel.received_size == 0 && !whole),
            "closed is closed without a reply");
    require(outcome != OUTCOME_TRUNCATED || (kernel.received_size > 0 && !whole),
            "a truncated reply lacks its null byte");
    require(!echo || kernel.extra > 0 || kernel.poll_failed || outcome == OUTCOME_ECHOED,
            "an echo is no failure");
    require(outcome != OUTCOME_RESET || !whole, "a reset takes nothing from a reply that is whole");
    require(roundtrip_never_connected(&roundtrip) || outcome != OUTCOME_REFUSED,
            "a connected peer was not refused");
}

static void set_up_target(struct target *target, struct target_peer *peers)
{
    static const sa_family_t families[] = {AF_INET, AF_INET6, AF_UNIX, AF_VSOCK};

    target->working = SIZE_MAX;
    target->peers = peers;
    target->count = input_below(&kernel.input, PEERS + 1);
    for (size_t i = 0; i < target->count; i++) {
        peers[i].name.ss_family = families[input_below(&kernel.input, 4)];
        peers[i].size = sizeof peers[i].name;
        peers[i].current = true;
    }
    if (target->count == 0)
        target->outcome = OUTCOME_UNRESOLVED;
}

/* Makes a message of at most `size` bytes without a null byte. Returns its length. */
static size_t make_message(char *message, size_t size)
{
    size_t length = input_byte(&kernel.input), i;

    if (length >= 0xf0)
        length = (length - 0xef) * 512;
    for (i = 0; i < length && i < size; i++) {
        uint8_t byte = length < 256 ? input_byte(&kernel.input) : 'm';
        message[i] = (char)(byte ? byte : 'n');
    }
    return i;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct target_peer peers[PEERS] = {0};
    struct address address = {.hybrid_port = 4040};
    struct target target = {.address = &address};
    char message[MESSAGE_MAX];
    size_t length;

    memset(&kernel, 0, sizeof kernel);
    kernel.input = (struct input){bytes, size};
    kernel.now = CLOCK_SECOND;
    roundtrip = (struct roundtrip){.target = &target, .timeout = TIMEOUT};
    address.hybrid = input_below(&kernel.input, 4) == 3;
    roundtrip.connect_first = input_below(&kernel.input, 4) == 3;
    set_up_target(&target, peers);
    length = make_message(message, sizeof message);
    roundtrip.begun = kernel.now;
    kernel.deadline = kernel.now + TIMEOUT;
    kernel.running = true;
    roundtrip_begin(&roundtrip, message, length);
    if (roundtrip.connect_first) {
        roundtrip_run(&roundtrip, ROUNDTRIP_CONNECTED);
        kernel.deadline = kernel.now + TIMEOUT;
        if (roundtrip.state == ROUNDTRIP_CONNECTED)
            roundtrip_send(&roundtrip, message, length);
    }
    roundtrip_run(&roundtrip, ROUNDTRIP_OVER);
    kernel.running = false;
    check(message, length);
    transfer_free(&roundtrip.transfer);
    return 0;
}
