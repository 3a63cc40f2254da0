/* SPDX-License-Identifier: MIT */
/*
 * floor [filter|calls]: the least that a handler can do: three system calls. What tincan-handler
 * costs is held against it. With `filter` it also installs the least filter of system calls, of one
 * instruction that allows them all: no sandbox of this kind costs less. With `calls` it makes as
 * many system calls more as tincan-handler does without a sandbox, each of the quickest kind.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <unistd.h>

#define MORE_CALLS 18

static int install_filter(void)
{
    struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {.len = 1, .filter = &all};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

int main(int argc, char **argv)
{
    char message[64];
    ssize_t count;

    if (argc > 1 && argv[1][0] == 'f' && install_filter() < 0)
        return 1;
    for (int i = 0; argc > 1 && argv[1][0] == 'c' && i < MORE_CALLS; i++)
        (void)getppid();
    count = read(STDIN_FILENO, message, sizeof message);
    return count < 0 || write(STDOUT_FILENO, message, (size_t)count) != count;
}
