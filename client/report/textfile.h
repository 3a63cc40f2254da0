/* SPDX-License-Identifier: MIT */
/*
 * A file for the textfile collector of Prometheus' node_exporter. It is replaced as a whole, and
 * what it had before is kept, so that the counters in it go on from run to run.
 */
#ifndef TINCAN_CLIENT_REPORT_TEXTFILE_H
#define TINCAN_CLIENT_REPORT_TEXTFILE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct textfile {
    char path[PATH_MAX]; /* of the file itself, where a symbolic link was given */
    char *old;           /* its former text, each line cut behind its series; or NULL */
    char **lines;        /* those, `count` of them, in the order of strcmp(3) */
    size_t count;
};

/*
 * Follows symbolic links, checks that the file can be written, and reads it if this user wrote it
 * whole, in the present format. Returns 0; or -1 with errno, the file untouched.
 */
int textfile_open(struct textfile *file, const char *path);

/* Returns the index of the first of `lines` that is not before `prefix`: those that begin with it
 * follow. */
size_t textfile_find(const struct textfile *file, const char *prefix);

/* Returns the value that the series, written as `name{label="value"}`, had in the file, or 0. */
double textfile_old_value(const struct textfile *file, const char *series);

/*
 * Replaces the file by what `print` writes with `context`, at once, so that no reader sees a part
 * of it; `durably`: waits for the disk. Returns 0, or -1 with errno.
 */
int textfile_write(const struct textfile *file, void (*print)(FILE *stream, void *context),
                   void *context, bool durably);

#endif
