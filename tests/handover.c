/* SPDX-License-Identifier: MIT */
/*
 * handover: reports to the peer what the launcher handed over, one line a subject. Where that is a
 * listening socket, it accepts one connection and reports there. helpers/handover.py reads it.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#define HIGHEST_SIGNAL 31

static bool is_listening(int fd)
{
    int listening = 0;
    socklen_t size = sizeof listening;

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening;
}

static const char *socket_kind(int fd)
{
    struct sockaddr_storage own = {0};
    socklen_t size = sizeof own;

    if (getsockname(fd, (struct sockaddr *)&own, &size) == 0 && own.ss_family != AF_UNIX)
        return "TCP";
    return size > sizeof own.ss_family ? "AF_UNIX" : "socketpair";
}

/* Returns whether JOURNAL_STREAM names the object: DEVICE:INODE, in decimal (systemd.exec(5)). */
static bool is_journal(const struct stat *object)
{
    const char *stream = getenv("JOURNAL_STREAM");
    char expected[64];

    (void)snprintf(expected, sizeof expected, "%ju:%ju", (uintmax_t)object->st_dev,
                   (uintmax_t)object->st_ino);
    return stream && strcmp(stream, expected) == 0;
}

static const char *kind_of(int fd, const struct stat *object)
{
    struct stat null;

    if (is_journal(object))
        return "journal";
    if (S_ISSOCK(object->st_mode))
        return socket_kind(fd);
    if (stat("/dev/null", &null) == 0 && object->st_rdev == null.st_rdev)
        return "null";
    return S_ISFIFO(object->st_mode) ? "pipe" : "file";
}

/* Returns the lowest descriptor of the same object. */
static int first_of(const struct stat *object)
{
    struct stat other;
    int fd = 0;

    while (fstat(fd, &other) < 0 || other.st_dev != object->st_dev ||
           other.st_ino != object->st_ino)
        fd++;
    return fd;
}

static void print_descriptor(FILE *report, int fd)
{
    struct stat object;

    fprintf(report, "descriptor %d: ", fd);
    if (fstat(fd, &object) < 0)
        fputs("closed\n", report);
    else if (first_of(&object) < fd)
        fprintf(report, "as %d\n", first_of(&object));
    else
        fprintf(report, "%s%s%s\n", is_listening(fd) ? "listening " : "", kind_of(fd, &object),
                fcntl(fd, F_GETFL) & O_NONBLOCK ? " O_NONBLOCK" : "");
}

static void print_descriptors(FILE *report)
{
    DIR *folder = opendir("/proc/self/fd");
    struct dirent *entry;

    for (int fd = 0; fd < 3; fd++)
        print_descriptor(report, fd);
    while (folder && (entry = readdir(folder))) {
        int fd = (int)strtol(entry->d_name, NULL, 10);
        if (fd > 2 && fd != dirfd(folder))
            print_descriptor(report, fd);
    }
}

static int by_name(const void *one, const void *two)
{
    return strcmp(*(char *const *)one, *(char *const *)two);
}

/* The names of the variables, sorted; and PATH, by which it is seen whose it is. */
static void print_environment(FILE *report)
{
    size_t count = 0;

    while (environ[count])
        count++;
    qsort(environ, count, sizeof *environ, by_name);
    fputs("environment:", report);
    for (size_t i = 0; i < count; i++)
        fprintf(report, " %.*s", (int)strcspn(environ[i], "="), environ[i]);
    fprintf(report, "\nPATH: %s\n", getenv("PATH") ? getenv("PATH") : "");
}

static void print_signals(FILE *report)
{
    struct sigaction action;
    sigset_t blocked;

    sigprocmask(SIG_BLOCK, NULL, &blocked);
    fputs("ignored:", report);
    for (int number = 1; number <= HIGHEST_SIGNAL; number++)
        if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
            fprintf(report, " %s", sigabbrev_np(number));
    fputs("\nblocked:", report);
    for (int number = 1; number <= HIGHEST_SIGNAL; number++)
        if (sigismember(&blocked, number) == 1)
            fprintf(report, " %s", sigabbrev_np(number));
    fputs("\n", report);
}

static void print_process(FILE *report)
{
    struct itimerval timer = {0};
    struct rlimit descriptors = {0};
    char folder[4096];

    getitimer(ITIMER_REAL, &timer);
    getrlimit(RLIMIT_NOFILE, &descriptors);
    fprintf(report, "timer: %s\n", timer.it_value.tv_sec > 0 ? "running" : "none");
    fprintf(report, "umask: %04o\n", umask(0));
    fprintf(report, "folder: %s\n", getcwd(folder, sizeof folder) ? folder : "-");
    fprintf(report, "limit of descriptors: %ju\n", (uintmax_t)descriptors.rlim_cur);
    fprintf(report, "session: %s\n", getsid(0) == getpid() ? "own" : "launcher's");
}

int main(void)
{
    int handed = getenv("LISTEN_FDS") ? 3 : 0, peer = handed ? handed : STDOUT_FILENO;
    char *text = NULL;
    size_t size = 0;
    FILE *report = open_memstream(&text, &size);

    if (!report)
        return 71;
    print_descriptors(report);
    print_environment(report);
    print_signals(report);
    print_process(report);
    if (fclose(report) != 0)
        return 71;
    if (is_listening(handed))
        peer = accept(handed, NULL, NULL);
    return write(peer, text, size) == (ssize_t)size ? 0 : 74;
}
