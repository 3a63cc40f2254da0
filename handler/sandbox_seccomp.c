/* SPDX-License-Identifier: MIT */
#include "handler/sandbox.h"

#include <asm/unistd.h>
#include <errno.h>
#include <limits.h>
#include <link.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/net.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <unistd.h>

#define BIG_ENDIAN_MACHINE (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
#define LOAD(field)        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
/* Each test has its own return right behind it: no jump depends on the length of the list. */
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, action)
#define ALLOW(number)  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), RETURN(SECCOMP_RET_ALLOW)
#define ONLY(number)                                                                               \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 1, 0), RETURN(SECCOMP_RET_KILL_PROCESS)

/*
 * When a filter is installed, the kernel runs it for each of its hundreds of call numbers to find
 * those that are always allowed. For a dozen calls that costs more than it saves. The kernel skips
 * this for a filter that loads anything but the number and the architecture, so the first
 * instruction loads something else.
 */
static struct sock_filter filter[] = {
    LOAD(instruction_pointer),
    LOAD(arch),
    [2] = ONLY(0), /* of this architecture: sandbox_enter fills it in */
    LOAD(nr),
    ALLOW(__NR_read),
    ALLOW(__NR_write),
    ALLOW(__NR_exit_group),
    ALLOW(__NR_shutdown),
    ALLOW(__NR_recvfrom),
    ALLOW(__NR_sendto),
#ifdef __NR_poll
    ALLOW(__NR_poll),
#else
    ALLOW(__NR_ppoll), /* where the C library makes poll of it */
#endif
    ALLOW(__NR_setitimer),
    ALLOW(__NR_rt_sigreturn),
    ALLOW(__NR_clock_gettime),   /* where the vDSO has no clock */
    ALLOW(__NR_restart_syscall), /* poll, when the process was stopped and continued */
#ifdef __NR_clock_gettime64
    ALLOW(__NR_clock_gettime64),
#endif
#ifdef __NR_sigreturn
    ALLOW(__NR_sigreturn),
#endif
#ifdef __NR_send
    ALLOW(__NR_send),
    ALLOW(__NR_recv),
#endif
#ifdef __NR_socketcall
    /* Many calls in one. A filter can't see their arguments, which are in memory, but it sees the
     * call's number, an int: SYS_SEND to SYS_SHUTDOWN are the calls of an exchange. */
    ONLY(__NR_socketcall),
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
             offsetof(struct seccomp_data, args) + 4 * BIG_ENDIAN_MACHINE),
    BPF_STMT(BPF_ALU | BPF_SUB | BPF_K, SYS_SEND),
    BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, SYS_SHUTDOWN - SYS_SEND, 1, 0),
    RETURN(SECCOMP_RET_ALLOW),
#endif
    RETURN(SECCOMP_RET_KILL_PROCESS),
};

extern const ElfW(Ehdr) __ehdr_start; /* the linker's. NOLINT(*-reserved-identifier,cert-*) */

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
        if (next > first && syscall(__NR_close_range, first, next - 1, 0) < 0)
            error = errno;
        first = next + 1;
    } while (next != UINT_MAX);
    return error;
}

const char *sandbox_enter(const int *keep, size_t count)
{
    struct sock_fprog program = {.len = sizeof filter / sizeof filter[0], .filter = filter};
    int close_error = close_others(keep, count);

    /* An AUDIT_ARCH_* is the machine of an ELF header with two flags. */
    filter[2].k = __ehdr_start.e_machine | (sizeof(long) == 8 ? __AUDIT_ARCH_64BIT : 0) |
                  (BIG_ENDIAN_MACHINE ? 0 : __AUDIT_ARCH_LE);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0)
        return "none";
    errno = close_error;
    return close_error ? "open descriptors" : NULL;
}
