/* SPDX-License-Identifier: MIT */
/*
 * A handler that has been taken over: linked into it with --wrap=frame_feed, this obeys a message
 * that begins with the name of a system call, right after its first bytes were read.
 */
#include "common/frame.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The names that the linker's --wrap makes. NOLINTBEGIN(*-reserved-identifier,cert-*) */
enum frame_status __real_frame_feed(struct frame *frame, const void *bytes, size_t size);
enum frame_status __wrap_frame_feed(struct frame *frame, const void *bytes, size_t size);

enum frame_status __wrap_frame_feed(struct frame *frame, const void *bytes, size_t size)
{
    char *const arguments[] = {"true", NULL};

    if (strncmp(bytes, "socket", 6) == 0)
        (void)socket(AF_INET, SOCK_STREAM, 0);
    else if (strncmp(bytes, "openat", 6) == 0)
        (void)openat(AT_FDCWD, "/etc/passwd", O_RDONLY);
    else if (strncmp(bytes, "execve", 6) == 0)
        (void)execve("/bin/true", arguments, arguments + 1);
    return __real_frame_feed(frame, bytes, size);
}
/* NOLINTEND(*-reserved-identifier,cert-*) */
