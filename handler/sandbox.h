/* SPDX-License-Identifier: MIT */
/*
 * Gives up what an exchange doesn't need. One file per mechanism implements this interface, and the
 * Makefile chooses: sandbox_seccomp.c (Linux on x86-64 and aarch64), sandbox_none.c.
 */
#ifndef TINCAN_HANDLER_SANDBOX_H
#define TINCAN_HANDLER_SANDBOX_H

#include <stddef.h>

/*
 * From here on the process can gain no privileges and dumps no core (a core would hold the
 * message), has no descriptors open but the `count` ones in `keep` (-1 is skipped), and is killed
 * by SIGSYS at any system call that exchange.c and log.c don't make. To be called when all is open
 * and mapped, before the first byte of the peer is read. It works inside containers and under
 * filters that stand already.
 *
 * Returns NULL, or why calls are not filtered, as a clause for the log; the rest is done as far as
 * the system lets it be, and the exchange can go on.
 */
const char *sandbox_enter(const int *keep, size_t count);

#endif
