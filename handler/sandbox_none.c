/* SPDX-License-Identifier: MIT */
#include "handler/sandbox.h"

const char *sandbox_enter(const int *keep, size_t count)
{
    (void)keep;
    (void)count;
    return "built without";
}
