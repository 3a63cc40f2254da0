/* SPDX-License-Identifier: MIT */
/*
 * spawn ROUNDS 'COMMAND [ARG]...' ...: what one connection costs under each command. A round starts
 * each of them once, in an order of its own, on a socketpair with standard error on /dev/null,
 * sends hello and a null byte, half-closes, reads to end of file and waits for the end of the
 * process. Prints a line for each start: the round, the place of the command, microseconds from
 * start to end, and page faults.
 */
#include "tests/bench/turns.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARGUMENTS 16

static double now_usec(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void die(const char *what)
{
    fprintf(stderr, "spawn: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void split(char *command, char **arguments)
{
    size_t count = 0;

    for (char *word = strtok(command, " "); word && count < ARGUMENTS - 1; word = strtok(NULL, " "))
        arguments[count++] = word;
    arguments[count] = NULL;
    if (count == 0) {
        fprintf(stderr, "spawn: an empty command\n");
        exit(2);
    }
}

/* Runs one connection. Returns the microseconds from start to end of the process, and what it used
 * in `used`. */
static double run(char **arguments, struct rusage *used)
{
    char *environment[] = {NULL};
    posix_spawn_file_actions_t actions;
    char reply[64];
    ssize_t count, total = 0;
    int pair[2], status;
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        die("socketpair");
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pair[1], 0);
    posix_spawn_file_actions_adddup2(&actions, pair[1], 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    double start = now_usec();
    errno = posix_spawn(&pid, arguments[0], &actions, NULL, arguments, environment);
    if (errno)
        die(arguments[0]);
    close(pair[1]);
    if (send(pair[0], "hello", 6, MSG_NOSIGNAL) != 6 || shutdown(pair[0], SHUT_WR) < 0)
        die("send");
    while ((count = read(pair[0], reply, sizeof reply)) > 0)
        total += count;
    wait4(pid, &status, 0, used);
    double end = now_usec();
    close(pair[0]);
    posix_spawn_file_actions_destroy(&actions);
    if (status != 0 || total != 6)
        fprintf(stderr, "spawn: %s: status %d, %zd bytes\n", arguments[0], status, total);
    return end - start;
}

int main(int argc, char **argv)
{
    size_t rounds = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;
    size_t commands = argc > 2 ? (size_t)argc - 2 : 0;
    char *arguments[64][ARGUMENTS];
    size_t order[64];

    if (rounds == 0 || commands > 64) {
        fprintf(stderr, "usage: spawn ROUNDS 'COMMAND [ARG]...' ...\n");
        return 2;
    }
    for (size_t i = 0; i < commands; i++) {
        split(argv[i + 2], arguments[i]);
        order[i] = i;
    }
    for (size_t round = 0; round < rounds; round++) {
        turns_shuffle(order, commands);
        for (size_t i = 0; i < commands; i++) {
            struct rusage used;
            double usec = run(arguments[order[i]], &used);
            printf("%zu %zu %.1f %ld\n", round, order[i], usec, used.ru_minflt);
        }
    }
    return 0;
}
