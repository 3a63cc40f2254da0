/* SPDX-License-Identifier: MIT */
#include "client/probe/probe_message.h"

#include "client/net/message.h"
#include "client/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_SIZE 56 /* as ping's */

static int fail_to_make(struct text *reason)
{
    text_addf(reason, "making the message: %s", strerror(errno));
    return -1;
}

/* Reads all of the open file into memory that `message` owns. */
static int read_whole(struct probe_message *message, int fd, size_t max_bytes, struct text *reason)
{
    static struct reader reader; /* rather large for a stack */
    enum reader_status status;

    reader_init(&reader, fd, READER_WHOLE, max_bytes);
    status = reader_next(&reader);
    message->own = reader.message;
    message->own_length = reader.length;
    if (status == READER_ERROR)
        text_add(reason, strerror(errno));
    else if (status == READER_TOO_LONG)
        message_explain_too_long(max_bytes, reason);
    else if (message->own_length == 0)
        text_add(reason, "not sent: the file is empty");
    else
        return 0;
    return -1;
}

static int read_file(struct probe_message *message, const struct options *options,
                     struct text *reason)
{
    const char *path = options->probes.pattern.path;
    int fd, result;

    text_addf(reason, "the pattern file '%s': ", path);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        text_add(reason, strerror(errno));
        return -1;
    }
    result = read_whole(message, fd, options->max_bytes, reason);
    close(fd);
    if (result < 0)
        return -1;
    return message_check(message->own, message->own_length, options->max_bytes, reason);
}

static int take_text(struct probe_message *message, const struct options *options,
                     struct text *reason)
{
    size_t length = strlen(options->message);

    if (message_check(options->message, length, options->max_bytes, reason) < 0)
        return -1;
    message->bytes = strdup(options->message);
    message->length = length;
    return message->bytes ? 0 : fail_to_make(reason);
}

int probe_message_resize(struct probe_message *message, const struct options *options, size_t size)
{
    free(message->bytes);
    message->length = size;
    message->bytes =
        pattern_make(&options->probes.pattern, message->own, message->own_length, size);
    return message->bytes ? 0 : -1;
}

int probe_message_make(struct probe_message *message, const struct options *options,
                       struct text *reason)
{
    const struct probe_options *probes = &options->probes;
    size_t size = probes->size;

    *message = (struct probe_message){.bytes = NULL};
    if (options->input == OPTIONS_MESSAGE)
        return take_text(message, options, reason);
    if (probes->pattern.kind == PATTERN_FILE) {
        if (read_file(message, options, reason) < 0)
            return -1;
        text_init(reason, reason->start, reason->size);
        if (size == OPTIONS_NO_SIZE)
            size = message->own_length;
    }
    if (size == OPTIONS_NO_SIZE)
        size = DEFAULT_SIZE;
    return probe_message_resize(message, options, size) < 0 ? fail_to_make(reason) : 0;
}

void probe_message_free(struct probe_message *message)
{
    free(message->bytes);
    free(message->own);
}
