/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/handler_kernel.h"

#include "handler/sandbox.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define LOG_FD     77 /* the socket to syslog */
#define MEMORY_MAX ((size_t)16 << 20)

/* Calls that may be made after the deadline, to write the log and end. */
#define LATE_CALLS 16

struct kernel kernel;
char received[RECEIVED_MAX], sent[RECEIVED_MAX], logged[LOG_LINE_SIZE + 1];

/* --- one call --- */

static int fail(int error)
{
    errno = error;
    return -1;
}

static void pass_deadline(void)
{
    kernel.hindered = kernel.expired = true;
    require(kernel.on_alarm || kernel.may_ask_for_help,
            "there is a deadline where something blocks");
    if (kernel.on_alarm)
        kernel.on_alarm(SIGALRM);
}

/* To be called by each call that transfers or waits. */
static void count_call(void)
{
    kernel.now += 3;
    if (kernel.expired)
        require(++kernel.late_calls < LATE_CALLS, "the handler ends at its deadline");
}

/* To be called by each call that the sandbox forbids. */
static void count_open_call(void)
{
    require(!kernel.sandboxed, "the sandbox allows the call");
}

/* Takes from the input what a call does: transfers at most `most` bytes, or fails. At the end of
 * the input the deadline passes. Returns the number of bytes, or -1 with errno. */
static ssize_t transfer(size_t most)
{
    static const int errors[] = {EINTR, EAGAIN, ECONNRESET, EPIPE, EIO, ETIMEDOUT};
    uint8_t choice = input_byte(&kernel.input);

    count_call();
    if (choice == 0xff || (kernel.input.left == 0 && kernel.stalls)) {
        pass_deadline();
        return fail(EINTR);
    }
    if (choice >= 0xf0) {
        int error = errors[choice % 6];
        kernel.hindered |= error != EINTR && error != EAGAIN;
        return fail(error);
    }
    if (choice >= 0xe0)
        return (ssize_t)(most < (choice - 0xdfu) << 12 ? most : (choice - 0xdfu) << 12);
    return (ssize_t)(most < choice ? most : choice);
}

/* --- reading and writing --- */

/* Adds a byte to what the handler has received. */
static void receive_byte(char byte)
{
    if (kernel.reference.status != FRAME_MORE) {
        kernel.trailing++;
        kernel.hindered |= kernel.trailing >= FRAME_LINGER_BYTES;
        return;
    }
    reference_feed(&kernel.reference, (unsigned char)byte);
    if (kernel.received_size < RECEIVED_MAX)
        received[kernel.received_size++] = byte;
}

/* Fills the buffer from the input; large reads get the same byte over and over. */
static ssize_t receive_bytes(char *buffer, size_t size)
{
    ssize_t count = transfer(size);
    uint8_t byte = 0;

    if (count == 0)
        kernel.hindered |= kernel.reference.status == FRAME_MORE;
    for (ssize_t i = 0; i < count; i++) {
        if (count < 256 || i == 0)
            byte = input_byte(&kernel.input);
        buffer[i] = (char)byte;
        receive_byte(buffer[i]);
    }
    return count;
}

static ssize_t send_bytes(const char *bytes, size_t size)
{
    ssize_t count = kernel.input.left == 0 && !kernel.stalls ? (ssize_t)size : transfer(size);

    require(kernel.ignores_pipes || kernel.may_ask_for_help,
            "SIGPIPE is ignored before anything is sent");
    for (ssize_t i = 0; i < count && kernel.sent_size < RECEIVED_MAX; i++)
        sent[kernel.sent_size++] = bytes[i];
    return count;
}

static ssize_t write_log(const char *bytes, size_t size)
{
    require(kernel.logged == 0, "the log is one line");
    if (kernel.input.left > 0 && transfer(size) < 0)
        return -1;
    require(size <= LOG_LINE_SIZE, "a line is not longer than a pipe takes whole");
    memcpy(logged, bytes, size);
    logged[size] = '\0';
    kernel.logged = size;
    return (ssize_t)size;
}

/* Returns whether descriptor 2 leads to the peer. Where LISTEN_PID names the process in an odd way,
 * the connection may be 0 and 1, or 3. */
static bool is_peer_on_stderr(void)
{
    const char *pid = getenv("LISTEN_PID");
    bool on_start =
        kernel.objects[2] == kernel.objects[0] || kernel.objects[2] == kernel.objects[1];

    if (!S_ISSOCK(kernel.modes[2]))
        return false;
    return pid && strtoul(pid, NULL, 10) == PID ? on_start && kernel.objects[2] == kernel.objects[3]
                                                : on_start;
}

static bool is_out(int fd)
{
    return fd == 1 || fd == 3;
}

/* The names that the linker's --wrap makes. NOLINTBEGIN(*-reserved-identifier,cert-*) */
WRAP(ssize_t, read, int fd, void *buffer, size_t size)
{
    if (!kernel.running)
        return __real_read(fd, buffer, size);
    require((fd == 0 || fd == 3) && kernel.objects[fd], "the handler reads from the connection");
    return receive_bytes(buffer, size);
}

WRAP(ssize_t, recv, int fd, void *buffer, size_t size, int flags)
{
    if (!kernel.running)
        return __real_recv(fd, buffer, size, flags);
    if (!S_ISSOCK(kernel.modes[fd]))
        return fail(ENOTSOCK);
    if (kernel.input.left == 0 && (flags & MSG_DONTWAIT))
        return fail(EAGAIN);
    return receive_bytes(buffer, size);
}

WRAP(ssize_t, write, int fd, const void *bytes, size_t size)
{
    if (!kernel.running)
        return __real_write(fd, bytes, size);
    if (is_out(fd))
        return send_bytes(bytes, size);
    require(fd == 2 && kernel.objects[2] && !is_peer_on_stderr(), "the log goes to the operator");
    return write_log(bytes, size);
}

WRAP(ssize_t, send, int fd, const void *bytes, size_t size, int flags)
{
    if (!kernel.running)
        return __real_send(fd, bytes, size, flags);
    count_call();
    if (fd != LOG_FD && (fd < 0 || !S_ISSOCK(kernel.modes[fd])))
        return fail(fd < 0 ? EBADF : ENOTSOCK);
    if (is_out(fd))
        return send_bytes(bytes, size);
    require(flags & MSG_DONTWAIT, "the log does not wait");
    require(fd == LOG_FD || !is_peer_on_stderr(), "the log goes to the operator");
    return write_log(bytes, size);
}

WRAP(int, poll, struct pollfd *polled, nfds_t count, int timeout)
{
    if (!kernel.running)
        return __real_poll(polled, count, timeout);
    count_call();
    polled->revents = polled->events;
    if (timeout == 0 || (kernel.input.left > 0 && input_bool(&kernel.input)))
        return 1;
    pass_deadline();
    return fail(EINTR);
}

WRAP(int, shutdown, int fd, int how)
{
    if (!kernel.running)
        return __real_shutdown(fd, how);
    require(how == SHUT_WR && S_ISSOCK(kernel.modes[fd]), "only the sending side is shut down");
    kernel.shut = true;
    return 0;
}

WRAP(int, clock_gettime, clockid_t clock, struct timespec *now)
{
    if (!kernel.running)
        return __real_clock_gettime(clock, now);
    now->tv_sec = 0;
    now->tv_nsec = (long)++kernel.now;
    return 0;
}

WRAP(int, setitimer, __itimer_which_t which, const struct itimerval *timer, struct itimerval *old)
{
    if (!kernel.running)
        return __real_setitimer(which, timer, old);
    require(timer->it_value.tv_sec > 0 || timer->it_value.tv_usec > 0,
            "no deadline is switched off");
    require(timer->it_interval.tv_usec > 0, "the alarm is repeated");
    require(++kernel.timers < 8, "the deadline is not moved on and on");
    if (timer->it_value.tv_sec == (time_t)(FRAME_LINGER_USEC / 1000000))
        require(kernel.shut || !S_ISSOCK(kernel.modes[1]) || !S_ISSOCK(kernel.modes[3]),
                "the sending side is shut down before lingering");
    kernel.expired = false;
    kernel.late_calls = 0;
    return kernel.fault >> FAULT_TIMER & 1 ? fail(EINVAL) : 0;
}

/* --- what is found out and set up at start --- */

WRAP(int, sigaction, int number, const struct sigaction *action, struct sigaction *old)
{
    if (!kernel.running)
        return __real_sigaction(number, action, old);
    require(!(action->sa_flags & SA_RESTART), "the alarm ends calls");
    kernel.on_alarm = action->sa_handler;
    return kernel.fault >> FAULT_SIGACTION & 1 ? fail(EINVAL) : 0;
}

WRAP(int, sigprocmask, int how, const sigset_t *set, sigset_t *old)
{
    if (!kernel.running)
        return __real_sigprocmask(how, set, old);
    require(how == SIG_UNBLOCK && sigismember(set, SIGALRM) == 1, "the alarm is unblocked");
    return 0;
}

WRAP(__sighandler_t, signal, int number, __sighandler_t handler)
{
    if (!kernel.running)
        return __real_signal(number, handler);
    kernel.ignores_pipes = number == SIGPIPE && handler == SIG_IGN;
    return SIG_DFL;
}

WRAP(void *, mmap, void *hint, size_t size, int protection, int flags, int fd, off_t offset)
{
    if (!kernel.running)
        return __real_mmap(hint, size, protection, flags, fd, offset);
    if (kernel.fault >> FAULT_MEMORY & 1 || size > MEMORY_MAX || !(kernel.memory = malloc(size))) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return kernel.memory; /* so that a sanitizer sees its ends, and what was never received */
}

WRAP(int, madvise, void *start, size_t size, int advice)
{
    return kernel.running ? 0 : __real_madvise(start, size, advice);
}

WRAP(int, fstat, int fd, struct stat *status)
{
    if (!kernel.running)
        return __real_fstat(fd, status);
    count_open_call();
    if (kernel.objects[fd] == 0)
        return fail(EBADF);
    *status = (struct stat){.st_mode = kernel.modes[fd], .st_ino = kernel.objects[fd]};
    return 0;
}

WRAP(int, getsockopt, int fd, int level, int name, void *value, socklen_t *size)
{
    if (!kernel.running)
        return __real_getsockopt(fd, level, name, value, size);
    count_open_call();
    if (level == SOL_SOCKET && name == SO_PEERCRED)
        *(struct ucred *)value = (struct ucred){.pid = 1, .uid = 1000};
    else
        *(int *)value =
            name == SO_TYPE ? (kernel.datagram ? SOCK_DGRAM : SOCK_STREAM) : kernel.listening;
    return 0;
}

WRAP(int, setsockopt, int fd, int level, int name, const void *value, socklen_t size)
{
    if (!kernel.running)
        return __real_setsockopt(fd, level, name, value, size);
    count_open_call();
    return fail(EOPNOTSUPP);
}

WRAP(int, getpeername, int fd, struct sockaddr *address, socklen_t *size)
{
    if (!kernel.running)
        return __real_getpeername(fd, address, size);
    count_open_call();
    if (kernel.fault >> FAULT_PEER & 1)
        return fail(ENOTCONN);
    memcpy(address, &kernel.peer, sizeof kernel.peer);
    *size = sizeof kernel.peer;
    return 0;
}

WRAP(int, getsockname, int fd, struct sockaddr *address, socklen_t *size)
{
    if (!kernel.running)
        return __real_getsockname(fd, address, size);
    count_open_call();
    *size = kernel.listening ? sizeof(struct sockaddr_un) : offsetof(struct sockaddr_un, sun_path);
    return 0;
}

WRAP(int, socket, int family, int type, int protocol)
{
    if (!kernel.running)
        return __real_socket(family, type, protocol);
    count_open_call();
    require(type & SOCK_NONBLOCK, "the socket of the log does not block");
    return kernel.fault >> FAULT_LOG & 1 ? fail(EMFILE) : LOG_FD;
}

WRAP(int, connect, int fd, const struct sockaddr *address, socklen_t size)
{
    if (!kernel.running)
        return __real_connect(fd, address, size);
    count_open_call();
    return kernel.fault >> FAULT_LOG & 1 ? fail(ECONNREFUSED) : 0;
}

WRAP(pid_t, getpid, void)
{
    if (!kernel.running)
        return __real_getpid();
    count_open_call();
    return PID;
}

WRAP(char *, getenv, const char *name)
{
    size_t length = strlen(name);

    if (!kernel.running)
        return __real_getenv(name);
    for (size_t i = 0; i < sizeof kernel.environment / sizeof kernel.environment[0]; i++)
        if (strncmp(kernel.environment[i], name, length) == 0 &&
            kernel.environment[i][length] == '=')
            return kernel.environment[i] + length + 1;
    return NULL;
}
/* NOLINTEND(*-reserved-identifier,cert-*) */

const char *sandbox_enter(const int *keep, size_t count)
{
    require(count == 3 && (keep[0] == 0 || keep[0] == 3), "the connection is kept");
    if (kernel.fault >> FAULT_SANDBOX & 1)
        return "Function not implemented";
    kernel.sandboxed = true;
    return NULL;
}
