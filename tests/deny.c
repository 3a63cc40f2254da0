/* SPDX-License-Identifier: MIT */
/*
 * deny CALL[:FD][,CALL[:FD]]... COMMAND [ARG]...: runs COMMAND on a kernel that seems not to have
 * the calls, or not for the descriptor FD: they fail with ENOSYS.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
    const char *name;
    unsigned number;
} calls[] = {
    {"close_range", SYS_close_range}, {"prctl", SYS_prctl},
    {"socket", SYS_socket},           {"getpeername", SYS_getpeername},
    {"shutdown", SYS_shutdown},       {"getsockopt", SYS_getsockopt},
    {"setitimer", SYS_setitimer},     {"clock_gettime", SYS_clock_gettime},
    {"madvise", SYS_madvise},         {"sendto", SYS_sendto},
    {"recvfrom", SYS_recvfrom},       {"fstat", SYS_fstat},
    {"ptrace", SYS_ptrace},           {"clone", SYS_clone},
#ifdef SYS_clone3
    {"clone3", SYS_clone3},
#endif
#ifdef SYS_newfstatat
    {"newfstatat", SYS_newfstatat},
#endif
};

/* Denies the call; if `fd` is not NULL, only where it is the first argument. */
static int deny(unsigned number, const char *fd)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | (fd ? BPF_JEQ : BPF_JGE) | BPF_K,
                 fd ? (unsigned)strtoul(fd, NULL, 10) : 0, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof filter / sizeof filter[0], .filter = filter};

    /* Not prctl(2), which may be denied already. */
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

int main(int argc, char **argv)
{
    if (argc < 3 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return 125;
    for (char *name = strtok(argv[1], ","); name; name = strtok(NULL, ",")) {
        char *fd = strchr(name, ':');
        size_t i = 0;
        if (fd)
            *fd++ = '\0';
        while (i < sizeof calls / sizeof calls[0] && strcmp(calls[i].name, name) != 0)
            i++;
        if (i == sizeof calls / sizeof calls[0] || deny(calls[i].number, fd) < 0) {
            fprintf(stderr, "deny: cannot deny %s: %s\n", name, strerror(errno));
            return 125;
        }
    }
    execv(argv[2], argv + 2);
    return 127;
}
