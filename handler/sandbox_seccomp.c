/* SPDX-License-Identifier: MIT */
#include "handler/sandbox.h"

#include <errno.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__) && !defined(__ILP32__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#define POLL_CALL    SYS_poll
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#define POLL_CALL    SYS_ppoll
#else
#error "no list of system calls for this architecture: build with SANDBOX=none"
#endif

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
/* Each test has its own return right behind it: no jump depends on the length of the list. */
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, action)
#define ALLOW(number)  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), RETURN(SECCOMP_RET_ALLOW)

/*
 * When a filter is installed, the kernel runs it for each of its hundreds of call numbers to find
 * those that are always allowed. For a dozen calls that costs more than it saves. The kernel skips
 * this for a filter that loads anything but the number and the architecture, so the first
 * instruction loads something else.
 */
static struct sock_filter filter[] = {
    LOAD(instruction_pointer),
    LOAD(arch),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
    RETURN(SECCOMP_RET_KILL_PROCESS),
    LOAD(nr),
    ALLOW(SYS_read),
    ALLOW(SYS_write),
    ALLOW(SYS_exit_group),
    ALLOW(SYS_shutdown),
    ALLOW(SYS_recvfrom),
    ALLOW(SYS_sendto),
    ALLOW(POLL_CALL),
    ALLOW(SYS_setitimer),
    ALLOW(SYS_rt_sigreturn),
    ALLOW(SYS_clock_gettime),   /* where the vDSO has no clock */
    ALLOW(SYS_restart_syscall), /* poll, when the process was stopped and continued */
    RETURN(SECCOMP_RET_KILL_PROCESS),
};

/* Closes all descriptors but `keep`, gap by gap. Returns 0, or an errno value. */
static int close_others(const int *keep, size_t count)
{
    unsigned first = 0, next;
    int error = 0;

    do {
        next = UINT_MAX; /* -1 in `keep` is this, too */
        for (size_t i = 0; i < count; i++)
            if ((unsigned)keep[i] >= first && (unsigned)keep[i] < next)
                next = (unsigned)keep[i];
        if (next > first && syscall(SYS_close_range, first, next - 1, 0) < 0)
            error = errno;
        first = next + 1;
    } while (next != UINT_MAX);
    return error;
}

const char *sandbox_enter(const int *keep, size_t count)
{
    struct sock_fprog program = {.len = sizeof filter / sizeof filter[0], .filter = filter};
    int close_error = close_others(keep, count);

    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0)
        return "none";
    errno = close_error;
    return close_error ? "open descriptors" : NULL;
}
