/* SPDX-License-Identifier: MIT */
#include "client/report/textfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_LINKS 40        /* as the kernel follows */
#define MOST_BYTES (1 << 30) /* of an old file that is read */

/* The last line. It changes with the format: a file without it has other series, or is cut. */
#define LAST_LINE "# tincan wrote all of this; format 1\n"

/* Returns the length of the folder's name in the path, with its slash. */
static int folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? (int)(slash - path) + 1 : 0;
}

/* `folder` may be `to`. */
static int set_path(char to[PATH_MAX], const char *folder, int length, const char *name)
{
    char path[PATH_MAX];
    int size = snprintf(path, sizeof path, "%.*s%s", length, folder, name) + 1;

    if (size > PATH_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(to, path, (size_t)size);
    return 0;
}

/* rename(2) would replace a symbolic link, and not the file that it leads to. */
static int follow_links(char path[PATH_MAX])
{
    char target[PATH_MAX];
    ssize_t length;

    for (int links = 0; (length = readlink(path, target, sizeof target - 1)) >= 0; links++) {
        target[length] = '\0';
        if (links == MOST_LINKS) {
            errno = ELOOP;
            return -1;
        }
        if (set_path(path, path, *target == '/' ? 0 : folder_of(path), target) < 0)
            return -1;
    }
    return 0;
}

/* Makes a file in the same folder under a name that the collector ignores; -1 with errno. */
static int make_beside(const char *path, char beside[PATH_MAX])
{
    int folder = folder_of(path);

    if (snprintf(beside, PATH_MAX, "%.*s.%s.XXXXXX", folder, path, path + folder) >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return mkostemp(beside, O_CLOEXEC);
}

/* Checks, without touching the file, that it can be replaced. Returns 0, or -1 with errno. */
static int check(const char *path)
{
    char beside[PATH_MAX];
    struct stat status;
    int fd;

    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
        errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
        return -1;
    }
    fd = make_beside(path, beside);
    if (fd < 0)
        return -1;
    close(fd);
    return unlink(beside);
}

/* Returns the size of the open file if its counters are to be trusted, else 0. */
static size_t old_size(int fd)
{
    struct stat status;

    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) || status.st_uid != geteuid() ||
        status.st_size > MOST_BYTES)
        return 0;
    return (size_t)status.st_size;
}

/* Returns the text of the open file, or NULL if it is not whole. */
static char *read_old(int fd)
{
    size_t size = old_size(fd), last = strlen(LAST_LINE), got = 0;
    char *text = size >= last ? malloc(size + 1) : NULL;
    ssize_t count = 1;

    while (text && got < size && (count = read(fd, text + got, size - got)) > 0)
        got += (size_t)count;
    if (text && got == size) {
        text[size] = '\0';
        if (strlen(text) == size && strcmp(text + size - last, LAST_LINE) == 0)
            return text;
    }
    free(text);
    return NULL;
}

static int compare(const void *one, const void *other)
{
    return strcmp(*(char *const *)one, *(char *const *)other);
}

/* Lists the lines of the old text in order. Without memory there are none. */
static void index_old(struct textfile *file)
{
    size_t count = 1;

    for (const char *end = file->old; (end = strchr(end, '\n')); end++)
        count++;
    file->lines = malloc(count * sizeof *file->lines);
    for (char *line = file->old, *end; file->lines && (end = strchr(line, '\n')); line = end + 1) {
        char *value;

        *end = '\0';
        value = strrchr(line, ' ');
        if (*line == '#' || !value)
            continue;
        *value = '\0'; /* the value stands behind it */
        file->lines[file->count++] = line;
    }
    if (file->lines)
        qsort(file->lines, file->count, sizeof *file->lines, compare);
}

int textfile_open(struct textfile *file, const char *path)
{
    int fd;

    *file = (struct textfile){.old = NULL};
    if (set_path(file->path, "", 0, path) < 0 || follow_links(file->path) < 0 ||
        check(file->path) < 0)
        return -1;
    fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return 0;
    file->old = read_old(fd);
    if (file->old)
        index_old(file);
    close(fd);
    return 0;
}

size_t textfile_find(const struct textfile *file, const char *prefix)
{
    size_t low = 0, high = file->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(file->lines[middle], prefix) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

double textfile_old_value(const struct textfile *file, const char *series)
{
    size_t found = textfile_find(file, series);
    const char *line = found < file->count ? file->lines[found] : "";
    double value;

    if (strcmp(line, series) != 0)
        return 0;
    value = strtod(line + strlen(line) + 1, NULL);
    return value > 0 && value < 0x1p53 ? value : 0; /* also where it is no number */
}

/* Returns the permissions of a file that open(2) creates. */
static mode_t usual_mode(void)
{
    mode_t mask = umask(0);

    umask(mask);
    return 0666 & ~mask;
}

static int write_all(int fd, void (*print)(FILE *stream, void *context), void *context,
                     bool durably)
{
    FILE *stream = fdopen(fd, "w");
    bool done;

    if (!stream) {
        close(fd);
        return -1;
    }
    print(stream, context);
    fputs(LAST_LINE, stream);
    done = fflush(stream) == 0 && !ferror(stream) && fchmod(fd, usual_mode()) == 0 &&
           (!durably || fsync(fd) == 0);
    return fclose(stream) == 0 && done ? 0 : -1;
}

int textfile_write(const struct textfile *file, void (*print)(FILE *stream, void *context),
                   void *context, bool durably)
{
    char beside[PATH_MAX];
    int fd = make_beside(file->path, beside), error;

    if (fd < 0)
        return -1;
    if (write_all(fd, print, context, durably) == 0 && rename(beside, file->path) == 0)
        return 0;
    error = errno;
    unlink(beside);
    errno = error;
    return -1;
}
