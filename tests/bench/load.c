/* SPDX-License-Identifier: MIT */
/*
 * load [-c COUNT] [-d MSEC] [-p PARALLEL] [-s SIZE] [-x TEXT] [-e] [-a SOURCES] HOST PORT (or
 * unix:PATH): the client side of a measurement. It keeps PARALLEL exchanges open, each on a
 * connection of its own, until COUNT are done, or begins none after MSEC milliseconds: connect,
 * send SIZE bytes of text and a null byte, receive to end of file, compare, close. The text repeats
 * TEXT; with -e it closes as soon as the reply is whole, for servers that would echo on. Prints one
 * line of NAME=VALUE; latencies run from connect to end of file, or to the whole reply; cpu_usec is
 * its own processor time. Exit status: 0 if nothing failed, 1 if something did, 2 if it could not
 * be tried. It gives up after 100 failures.
 *
 * load --hold N [--byte] HOST PORT: opens N connections, with --byte sends one byte on each, prints
 * `held N`, keeps them until end of file on standard input (or SIGTERM), and prints how many of
 * them the server had not closed by then. Exit status 0 if that is all of them.
 *
 * The server closes first, so that no port of ours is left in TIME_WAIT. To a loopback address the
 * connections come from SOURCES (16) of them in turn, 127.0.0.1 and up; -a 0 leaves it to the
 * kernel.
 *
 * One core has to outrun a server on another, so a short exchange is eight system calls: on
 * loopback a connection is mostly there when connect(2) says that it is in progress, so the message
 * is sent without waiting, and with the peer's end of file the reply is known to be complete.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define TIMEOUT_USEC  10000000
#define FAILURES_MOST 100
#define EVENTS        256
#define BUFFER        65536
#define WHOLE         16384 /* a reply of this length fits any receive buffer: wait for its end */

enum outcome { DONE, REFUSED, RESET, SHORT, ALTERED, TIMEOUT, OUTCOMES, PENDING };

struct options {
    size_t count, msec, parallel, size, sources, hold;
    const char *text;
    bool byte, eager;
    union {
        struct sockaddr any;
        struct sockaddr_in inet;
        struct sockaddr_un local;
    } server;
    socklen_t server_length;
};

struct exchange {
    int fd; /* -1: none */
    int64_t start;
    size_t sent, received;
};

struct run {
    const struct options *options;
    struct exchange *exchanges;
    char *message;
    size_t length; /* of the message with its null byte */
    size_t started, open, outcomes[OUTCOMES];
    uint32_t *usec; /* of each exchange that was done */
    int64_t start;
    int epoll;
};

static int64_t now_usec(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void die(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);

    if (!memory)
        die("calloc");
    return memory;
}

/* Returns a socket, bound to the address whose turn it is. */
static int open_socket(const struct options *options, size_t turn, int flags)
{
    struct sockaddr_in source = {.sin_family = AF_INET};
    int fd = socket(options->server.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

    if (fd < 0)
        die("socket");
    if (options->sources == 0)
        return fd;
    source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)(turn % options->sources));
    if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int)) < 0)
        die("setsockopt");
    if (bind(fd, (struct sockaddr *)&source, sizeof source) < 0)
        die("bind");
    return fd;
}

static enum outcome blame(const char *what)
{
    if (errno == ECONNREFUSED)
        return REFUSED;
    if (errno == ECONNRESET || errno == EPIPE)
        return RESET;
    die(what);
    return PENDING;
}

static void watch(struct run *run, struct exchange *exchange, int operation)
{
    struct epoll_event event = {.events = EPOLLRDHUP, .data.ptr = exchange};

    if (exchange->sent < run->length)
        event.events |= EPOLLOUT;
    if (run->length > WHOLE || run->options->eager)
        event.events |= EPOLLIN;
    if (epoll_ctl(run->epoll, operation, exchange->fd, &event) < 0)
        die("epoll_ctl");
}

/* Sends what can be sent. PENDING says only that nothing went wrong. */
static enum outcome push(struct run *run, struct exchange *exchange)
{
    ssize_t count = send(exchange->fd, run->message + exchange->sent, run->length - exchange->sent,
                         MSG_NOSIGNAL);

    if (count < 0)
        return errno == EAGAIN ? PENDING : blame("send");
    exchange->sent += (size_t)count;
    return PENDING;
}

/*
 * Receives what is there. Where the event had the peer's end of file, and no reset, and there was
 * less than fits the buffer, that was all, and recv(2) need not be asked again.
 */
static enum outcome pull(struct run *run, struct exchange *exchange, uint32_t events)
{
    bool at_end = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) == EPOLLRDHUP;
    static char buffer[BUFFER];
    ssize_t count;

    while ((count = recv(exchange->fd, buffer, sizeof buffer, 0)) > 0) {
        if ((size_t)count > run->length - exchange->received ||
            memcmp(buffer, run->message + exchange->received, (size_t)count) != 0)
            return ALTERED;
        exchange->received += (size_t)count;
        if (run->options->eager && exchange->received == run->length)
            return DONE;
        if (at_end && (size_t)count < sizeof buffer)
            break;
    }
    if (count < 0)
        return errno == EAGAIN ? PENDING : blame("recv");
    return exchange->received == run->length ? DONE : SHORT;
}

static void finish(struct run *run, struct exchange *exchange, enum outcome outcome)
{
    if (outcome == DONE)
        run->usec[run->outcomes[DONE]] = (uint32_t)(now_usec() - exchange->start);
    run->outcomes[outcome]++;
    run->open--;
    close(exchange->fd);
    exchange->fd = -1;
}

/* Starts an exchange, which may be over at once. */
static void begin(struct run *run, struct exchange *exchange)
{
    enum outcome outcome = PENDING;

    *exchange = (struct exchange){
        .fd = open_socket(run->options, run->started, SOCK_NONBLOCK),
        .start = now_usec(),
    };
    run->started++;
    run->open++;
    if (connect(exchange->fd, &run->options->server.any, run->options->server_length) < 0 &&
        errno != EINPROGRESS)
        outcome = errno == EAGAIN ? REFUSED : blame("connect"); /* EAGAIN: a full unix backlog */
    if (outcome == PENDING)
        outcome = push(run, exchange);
    if (outcome == PENDING)
        watch(run, exchange, EPOLL_CTL_ADD);
    else
        finish(run, exchange, outcome);
}

/* Whether no further exchange begins. */
static bool is_over(const struct run *run)
{
    return run->started == run->options->count ||
           (run->options->msec > 0 &&
            now_usec() - run->start >= (int64_t)run->options->msec * 1000);
}

/* Puts the next exchange in the place of one that is over. */
static void refill(struct run *run, struct exchange *exchange)
{
    while (exchange->fd < 0 && !is_over(run) &&
           run->started - run->open - run->outcomes[DONE] < FAILURES_MOST)
        begin(run, exchange);
}

static void serve_event(struct run *run, struct exchange *exchange, uint32_t events)
{
    enum outcome outcome = PENDING;

    if (exchange->sent < run->length && (events & EPOLLOUT)) {
        outcome = push(run, exchange);
        if (outcome == PENDING && exchange->sent == run->length)
            watch(run, exchange, EPOLL_CTL_MOD);
    }
    if (outcome == PENDING && (events & ~(uint32_t)EPOLLOUT))
        outcome = pull(run, exchange, events);
    if (outcome == PENDING)
        return;
    finish(run, exchange, outcome);
    refill(run, exchange);
}

static void expire(struct run *run)
{
    for (size_t i = 0; i < run->options->parallel; i++) {
        struct exchange *exchange = &run->exchanges[i];

        if (exchange->fd < 0 || now_usec() - exchange->start < TIMEOUT_USEC)
            continue;
        finish(run, exchange, TIMEOUT);
        refill(run, exchange);
    }
}

static void run_all(struct run *run)
{
    struct epoll_event events[EVENTS];
    int64_t expired = run->start = now_usec();

    for (size_t i = 0; i < run->options->parallel; i++)
        refill(run, &run->exchanges[i]);
    while (run->open > 0) {
        int count = epoll_wait(run->epoll, events, EVENTS, 1000);

        if (count < 0 && errno != EINTR)
            die("epoll_wait");
        for (int i = 0; i < count; i++)
            serve_event(run, events[i].data.ptr, events[i].events);
        if (now_usec() - expired > 1000000) {
            expire(run);
            expired = now_usec();
        }
    }
}

static int compare(const void *one, const void *other)
{
    uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;

    return (a > b) - (a < b);
}

static void report(struct run *run)
{
    double seconds = (double)(now_usec() - run->start) / 1e6;
    size_t done = run->outcomes[DONE];
    uint32_t *usec = run->usec;
    struct rusage used;

    getrusage(RUSAGE_SELF, &used);
    qsort(usec, done, sizeof *usec, compare);
    printf("exchanges=%zu seconds=%.3f rate=%.0f refused=%zu reset=%zu short=%zu altered=%zu "
           "timeout=%zu median_usec=%u p99_usec=%u max_usec=%u cpu_usec=%ld\n",
           done, seconds, (double)done / seconds, run->outcomes[REFUSED], run->outcomes[RESET],
           run->outcomes[SHORT], run->outcomes[ALTERED], run->outcomes[TIMEOUT],
           done ? usec[done / 2] : 0, done ? usec[done * 99 / 100] : 0, done ? usec[done - 1] : 0,
           (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000L + used.ru_utime.tv_usec +
               used.ru_stime.tv_usec);
}

/* Fills the message with copies of a text, and the rest with spaces. */
static void write_message(char *message, size_t size, const char *text)
{
    size_t length = strlen(text), whole = length ? size - size % length : 0;

    for (size_t i = 0; i < size; i++)
        message[i] = ' ';
    for (size_t i = 0; i < whole; i++)
        message[i] = text[i % length];
}

static int load(const struct options *options)
{
    struct run run = {
        .options = options,
        .exchanges = allocate(options->parallel, sizeof *run.exchanges),
        .message = allocate(options->size + 1, 1),
        .length = options->size + 1,
        .usec = allocate(options->count, sizeof *run.usec),
        .epoll = epoll_create1(EPOLL_CLOEXEC),
    };

    if (run.epoll < 0)
        die("epoll_create1");
    write_message(run.message, options->size, options->text);
    for (size_t i = 0; i < options->parallel; i++)
        run.exchanges[i].fd = -1;
    run_all(&run);
    report(&run);
    close(run.epoll);
    free(run.exchanges);
    free(run.message);
    free(run.usec);
    return run.outcomes[DONE] == 0 || run.outcomes[DONE] < run.started;
}

static size_t count_open(const int *fds, size_t count)
{
    size_t open = 0;
    char byte;

    for (size_t i = 0; i < count; i++) {
        ssize_t got = recv(fds[i], &byte, 1, MSG_DONTWAIT | MSG_PEEK);

        if (got > 0 || (got < 0 && errno == EAGAIN))
            open++;
    }
    return open;
}

static int hold(const struct options *options)
{
    int *fds = allocate(options->hold, sizeof *fds);
    char ignored[64];

    for (size_t i = 0; i < options->hold; i++) {
        fds[i] = open_socket(options, i, 0);
        if (connect(fds[i], &options->server.any, options->server_length) < 0)
            die("connect");
        if (options->byte && send(fds[i], "x", 1, MSG_NOSIGNAL) != 1)
            die("send");
    }
    printf("held %zu\n", options->hold);
    fflush(stdout);
    while (read(STDIN_FILENO, ignored, sizeof ignored) > 0)
        ;
    size_t open = count_open(fds, options->hold);
    printf("open %zu\n", open);
    free(fds);
    return open < options->hold;
}

static void usage(void)
{
    fprintf(stderr, "usage: load [-c COUNT] [-d MSEC] [-p PARALLEL] [-s SIZE] [-x TEXT] [-e] "
                    "[-a SOURCES] SERVER\n"
                    "       load --hold N [--byte] [-a SOURCES] SERVER\n"
                    "SERVER is HOST PORT (IPv4, in numbers) or unix:PATH\n");
    exit(2);
}

static size_t number(const char *string, size_t least, size_t most)
{
    char *end;
    unsigned long value = strtoul(string, &end, 10);

    if (*string < '0' || *string > '9' || *end || value < least || value > most) {
        fprintf(stderr, "load: not a number from %zu to %zu: %s\n", least, most, string);
        exit(2);
    }
    return value;
}

static void read_server(struct options *options, int count, char **words)
{
    if (count == 1 && strncmp(words[0], "unix:", 5) == 0 &&
        strlen(words[0] + 5) < sizeof options->server.local.sun_path) {
        options->server.local.sun_family = AF_UNIX;
        stpcpy(options->server.local.sun_path, words[0] + 5);
        options->server_length = sizeof options->server.local;
        options->sources = 0;
        return;
    }
    if (count != 2 || inet_pton(AF_INET, words[0], &options->server.inet.sin_addr) != 1)
        usage();
    options->server.inet.sin_family = AF_INET;
    options->server.inet.sin_port = htons((uint16_t)number(words[1], 1, UINT16_MAX));
    options->server_length = sizeof options->server.inet;
    if (ntohl(options->server.inet.sin_addr.s_addr) >> 24 != IN_LOOPBACKNET)
        options->sources = 0;
}

/* Takes an option with a number or a text. Returns whether there is one of that letter. */
static bool take(struct options *options, int letter)
{
    if (letter == 'c')
        options->count = number(optarg, 1, 1000000000);
    else if (letter == 'd')
        options->msec = number(optarg, 1, 1000000000);
    else if (letter == 'p')
        options->parallel = number(optarg, 1, 100000);
    else if (letter == 's')
        options->size = number(optarg, 0, 1 << 30);
    else if (letter == 'a')
        options->sources = number(optarg, 0, 250);
    else if (letter == 'H')
        options->hold = number(optarg, 1, 100000);
    else if (letter == 'x')
        options->text = optarg;
    else
        return false;
    return true;
}

static void read_options(struct options *options, int argc, char **argv)
{
    static const struct option names[] = {
        {"hold", required_argument, NULL, 'H'},
        {"byte", no_argument, NULL, 'B'},
        {NULL, 0, NULL, 0},
    };
    int letter;

    while ((letter = getopt_long(argc, argv, "c:d:p:s:x:ea:", names, NULL)) != -1) {
        if (letter == 'B')
            options->byte = true;
        else if (letter == 'e')
            options->eager = true;
        else if (!take(options, letter))
            usage();
    }
    read_server(options, argc - optind, argv + optind);
}

int main(int argc, char **argv)
{
    struct options options = {.count = 20000,
                              .parallel = 32,
                              .size = 64,
                              .sources = 16,
                              .text = "abcdefghijklmnopqrstuvwxyz"};
    struct rlimit files;

    read_options(&options, argc, argv);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    return options.hold ? hold(&options) : load(&options);
}
