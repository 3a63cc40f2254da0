/* SPDX-License-Identifier: MIT */
/* Gives up what an exchange does not need. One file per mechanism implements this interface; the
 * Makefile chooses sandbox_seccomp.c or sandbox_none.c. */
#ifndef TINCAN_HANDLER_SANDBOX_H
#define TINCAN_HANDLER_SANDBOX_H

#include <stddef.h>

/*
 * After this call the process gains no privileges and dumps no core (a core would hold the
 * message), has only the `count` descriptors in `keep` open (-1 is skipped), and is killed by
 * SIGSYS at any system call that sandbox_seccomp.c does not list. It works in containers and under
 * filters that exist already. Returns NULL; or, for the log, what is missing, with errno: "none"
 * where calls are not filtered, "open descriptors" where others stay open. The rest is done all the
 * same.
 */
const char *sandbox_enter(const int *keep, size_t count);

#endif
