/* SPDX-License-Identifier: MIT */
/*
 * The handler's filter on a machine whose kernel is not here: this takes it from prctl(2), with
 * --wrap=prctl, and plays the kernel. `filter AUDIT_ARCH` exits 0 if the filter allows what an
 * exchange calls, and kills at anything else, and at any call of another architecture.
 */
#include "handler/sandbox.h"

#include <asm/unistd.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

static struct sock_fprog program;

/* The name that the linker's --wrap makes. NOLINTNEXTLINE(*-reserved-identifier,cert-*) */
int __wrap_prctl(int option, unsigned long mode, const struct sock_fprog *filter);
/* NOLINTNEXTLINE(*-reserved-identifier,cert-*) */
int __wrap_prctl(int option, unsigned long mode, const struct sock_fprog *filter)
{
    if (option == PR_SET_SECCOMP && mode == SECCOMP_MODE_FILTER)
        program = *filter;
    return 0;
}

/* Returns what the filter says: SECCOMP_RET_*. */
static unsigned run(const struct seccomp_data *data)
{
    unsigned a = 0;

    for (const struct sock_filter *at = program.filter;; at++) {
        switch (at->code) {
        case BPF_LD | BPF_W | BPF_ABS:
            memcpy(&a, (const char *)data + at->k, sizeof a);
            break;
        case BPF_ALU | BPF_SUB | BPF_K:
            a -= at->k;
            break;
        case BPF_JMP | BPF_JEQ | BPF_K:
            at += a == at->k ? at->jt : at->jf;
            break;
        case BPF_JMP | BPF_JGT | BPF_K:
            at += a > at->k ? at->jt : at->jf;
            break;
        case BPF_RET | BPF_K:
            return at->k;
        default:
            abort();
        }
    }
}

static bool allows(unsigned arch, int number, int argument)
{
    struct seccomp_data data = {.nr = number, .arch = arch, .args = {(unsigned)argument}};

    return run(&data) == SECCOMP_RET_ALLOW;
}

static bool failed;

static void require(bool holds, const char *what, int number)
{
    if (!holds)
        fprintf(stderr, "%s: %d\n", what, number);
    failed |= !holds;
}

int main(int argc, char **argv)
{
    static const int exchange[] = {__NR_read,   __NR_write,     __NR_shutdown,  __NR_recvfrom,
                                   __NR_sendto, __NR_setitimer, __NR_exit_group};
    const unsigned arch = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 16) : 0;
    int allowed = 0;

    (void)sandbox_enter((const int[]){0, 1, 2}, 3);
    for (size_t i = 0; i < sizeof exchange / sizeof exchange[0]; i++)
        require(allows(arch, exchange[i], 0), "not allowed", exchange[i]);
    for (int number = -1; number < 10000; number++) {
        allowed += allows(arch, number, 0);
        require(!allows(arch ^ __AUDIT_ARCH_64BIT, number, 0), "allowed elsewhere", number);
    }
    require(allowed >= 11 && allowed <= 15, "calls allowed", allowed);
#ifdef __NR_socketcall
    for (int call = -1; call < 30; call++) /* 9 to 13 are send, recv, sendto, recvfrom, shutdown */
        require(allows(arch, __NR_socketcall, call) == (call >= 9 && call <= 13), "socketcall",
                call);
#endif
    return failed;
}
