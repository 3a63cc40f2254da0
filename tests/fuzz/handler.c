/* SPDX-License-Identifier: MIT */
/*
 * The whole handler in a kernel that obeys the input: what was handed over, the environment, the
 * command line, and then, call by call, what arrives, how much of the reply is taken, which errors
 * occur, and when the deadline passes. At its end the kernel lets the deadline pass.
 *
 * Nothing but the reply to a whole, valid message may be sent; it must be sent where nothing stood
 * in the way; the log must be one printable line; nothing may go on after the deadline; and behind
 * the sandbox only its system calls may be made.
 */
#include "handler/sandbox.h"
#include "tests/exhaust/exhaust.h"
#include "tests/fuzz/input.h"

#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

int handler_main(int argc, char **argv);

#define main handler_main
#include "handler/tincan-handler.c" /* NOLINT(bugprone-suspicious-include) */
#undef main

#define LOG_FD 77 /* the socket to syslog */
#define PID    4242

#define RECEIVED_MAX ((size_t)1 << 16) /* of what is received and sent, this much is compared */
#define MEMORY_MAX   ((size_t)16 << 20)

/* Calls that may be made after the deadline, to write the log and end. */
#define LATE_CALLS 16

/* What the input makes fail at start. */
enum fault { FAULT_SIGACTION, FAULT_TIMER, FAULT_MEMORY, FAULT_LOG, FAULT_SANDBOX, FAULT_PEER };

static struct kernel {
    struct input input;
    bool running;  /* calls are simulated */
    uint8_t fault; /* bits of enum fault */
    mode_t modes[4];
    uint8_t objects[4]; /* what the descriptors lead to; 0: closed */
    bool datagram, listening, stalls, large;
    struct sockaddr_storage peer;
    char environment[4][64]; /* NAME=VALUE */

    bool ignores_pipes, sandboxed, expired, shut;
    void (*on_alarm)(int);
    unsigned timers, late_calls;
    void *memory;
    uint64_t now;

    struct reference reference; /* of what was received */
    size_t received_size, sent_size, trailing, logged;
    bool hindered; /* something may have ended the exchange */
} kernel;

static char received[RECEIVED_MAX], sent[RECEIVED_MAX], logged[LOG_LINE_SIZE + 1];

/* --- one call --- */

static int fail(int error)
{
    errno = error;
    return -1;
}

static void pass_deadline(void)
{
    kernel.hindered = kernel.expired = true;
    require(kernel.on_alarm, "there is a deadline where something blocks");
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

    require(kernel.ignores_pipes, "SIGPIPE is ignored before anything is sent");
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
#define WRAP(type, name, ...)                                                                      \
    type __real_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__)

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

/* --- one process --- */

static void set_up_descriptors(void)
{
    static const mode_t modes[] = {S_IFSOCK, S_IFSOCK, S_IFIFO, S_IFREG, S_IFCHR};

    /* Objects 1 and 2 are the connection. Most often descriptors 0 and 1 are one socket. */
    for (size_t fd = 0; fd < 4; fd++) {
        uint8_t choice = input_byte(&kernel.input);
        kernel.modes[fd] = modes[choice % 5];
        kernel.objects[fd] = choice == 0xff ? 0 : choice >> 6;
        if (fd != 2 && kernel.objects[fd] > 2)
            kernel.objects[fd] = 1;
        if (fd != 2 && kernel.objects[fd] == 0 && choice != 0xff)
            kernel.objects[fd] = 1;
    }
}

static void set_up_environment(void)
{
    static const char *const variables[] = {
        "",
        "LISTEN_PID=4242\0LISTEN_FDS=1",
        "LISTEN_FDS=",
        "LISTEN_PID=",
        "REMOTE_ADDR=",
        "REMOTE_PORT=",
        "TCPREMOTEIP=",
        "REMOTE_HOST=",
        "NCAT_REMOTE_ADDR=",
        "SOCAT_PEERADDR=",
        "JOURNAL_STREAM=",
        "SOCAT_PEERPORT=",
    };

    for (size_t i = 0; i < 3; i++) {
        const char *name = variables[input_below(&kernel.input, 12)];
        char *entry = kernel.environment[i];
        size_t length = strlen(name);
        memcpy(entry, name, length + 1);
        if (length > 0 && name[length - 1] == '=')
            (void)input_string(&kernel.input, entry + length,
                               sizeof kernel.environment[i] - length);
        else if (length > 0)
            memcpy(kernel.environment[3], name + length + 1, strlen(name + length + 1) + 1);
    }
}

/* Sets what the kernel is like. Returns the flags of the command line. */
static uint8_t set_up(const uint8_t *bytes, size_t size)
{
    static const sa_family_t families[] = {AF_INET, AF_INET6, AF_UNIX, AF_VSOCK, AF_UNSPEC};
    uint8_t flags, kind;

    memset(&kernel, 0, sizeof kernel);
    logged[0] = '\0';
    kernel.input = (struct input){bytes, size};
    kernel.reference.max_bytes = FRAME_DEFAULT_MAX_BYTES;
    flags = input_byte(&kernel.input);
    kind = input_byte(&kernel.input);
    kernel.fault = input_byte(&kernel.input);
    kernel.datagram = kind & 1 && kind & 2;
    kernel.listening = kind & 4 && kind & 8;
    kernel.stalls = kind & 16;
    kernel.large = kind & 32;
    kernel.peer.ss_family = families[input_below(&kernel.input, 5)];
    for (size_t i = 0; i < 24; i++)
        ((char *)&kernel.peer)[2 + i] = (char)(flags & 0x40 ? input_byte(&kernel.input) : 0);
    set_up_descriptors();
    set_up_environment();
    return flags;
}

/* Makes a command line from the flags. Returns the number of arguments. */
static int make_arguments(char **arguments, uint8_t flags, char *limit, char *free_text)
{
    int count = 0;

    arguments[count++] = (char *)"tincan-handler";
    if (!kernel.large) {
        kernel.reference.max_bytes = flags & 1 ? (size_t)input_byte(&kernel.input) + 1 : 9000;
        (void)snprintf(limit, 32, "-m%zu", kernel.reference.max_bytes);
        arguments[count++] = limit;
    }
    if (flags & 2)
        arguments[count++] = (char *)"--tag";
    if (flags & 4)
        arguments[count++] = (char *)"-n";
    if (flags & 8)
        arguments[count++] = (char *)"-S";
    if (flags & 16)
        arguments[count++] = (char *)"-t2s";
    if ((flags & 0xa0) == 0x20)
        arguments[count++] = (char *)"--quiet";
    if ((flags & 0xa0) == 0xa0) {
        (void)input_string(&kernel.input, free_text, 64);
        arguments[count++] = free_text;
        kernel.reference.max_bytes = SIZE_MAX;
    }
    arguments[count] = NULL;
    return count;
}

/* Returns what is behind the value of the log line's first field, or NULL if there are no fields.
 */
static const char *behind_peer(const char *line)
{
    const char *value = line;

    if (line[0] == '<')
        value += strcspn(line, ">") + 1; /* the level */
    if (strncmp(value, "tincan-handler[", 15) == 0)
        value += strcspn(value, " ") + 1; /* of syslog */
    if (strncmp(value, "peer=", 5) != 0)
        return NULL;
    value += 5;
    return value[0] == '"' ? strchr(value + 1, '"') + 1 : value + strcspn(value, " ");
}

static void check_log(int status)
{
    size_t length = strcspn(logged, "\n");
    const char *fields = behind_peer(logged);

    require(length == kernel.logged || length + 1 == kernel.logged, "a log line is one line");
    for (size_t i = 0; i < length; i++)
        require(logged[i] >= ' ' && logged[i] <= '~', "the log is printable");
    if (!fields)
        return;
    require(strncmp(fields, " result=", 8) == 0, "the result stands behind the peer");
    require((strncmp(fields + 8, "echoed bytes=", 13) == 0) == (status == EX_OK),
            "what is logged as echoed has status 0");
}

static void check(int status, bool tagged, bool plain)
{
    const struct reference *reference = &kernel.reference;
    size_t tag = tagged ? tag_length(sent, kernel.sent_size) : 0;
    size_t whole = reference->length + 1;

    require(status == EX_OK || status == EX_USAGE || status == EX_DATAERR || status == EX_OSERR ||
                status == EX_IOERR,
            "the exit status is one of the manual's");
    check_log(status);
    if (!plain)
        return; /* the command line is any text: it may ask for anything */
    if (kernel.sent_size > 0)
        require(reference->status == FRAME_COMPLETE, "only a whole message is sent back");
    if (status == EX_OK || kernel.sent_size > TAG_MAX)
        require((tag > 0) == tagged, "a tag is there if it was asked for");
    if (kernel.sent_size == RECEIVED_MAX || (tagged && tag == 0))
        return;
    require(kernel.sent_size <= tag + whole, "nothing is sent behind the reply");
    if (kernel.sent_size > tag)
        require(memcmp(sent + tag, received, kernel.sent_size - tag) == 0,
                "the reply is the message");
    if (status == EX_OK)
        require(kernel.sent_size == tag + whole, "status 0 means that the whole reply was taken");
    if (status == EX_DATAERR)
        require(kernel.sent_size == 0 && reference->status != FRAME_COMPLETE,
                "what is no message has no reply");
    if (!kernel.hindered && reference->status == FRAME_COMPLETE)
        require(status == EX_OK, "an exchange that nothing hinders goes well");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char limit[32], free_text[64];
    char *arguments[8];
    uint8_t flags = set_up(bytes, size);
    int count = make_arguments(arguments, flags, limit, free_text), status;

    optind = 0; /* getopt begins anew */
    kernel.running = true;
    status = handler_main(count, arguments);
    kernel.running = false;
    check(status, (flags & 2) != 0, (flags & 0xa0) != 0xa0);
    free(kernel.memory);
    return 0;
}
