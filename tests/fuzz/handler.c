/* SPDX-License-Identifier: MIT */
/*
 * The whole handler in a kernel that obeys the input: what was handed over, the environment, the
 * command line, and then, call by call, what arrives, how much of the reply is taken, which errors
 * occur, and when the deadline passes. At its end the kernel lets the deadline pass.
 *
 * Nothing but the reply to a whole, valid message may be sent; it must be sent where nothing stood
 * in the way; the log must be one printable line; nothing may go on after the deadline; and behind
 * the sandbox only its system calls may be made.
 */
#include "tests/fuzz/handler_kernel.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

int handler_main(int argc, char **argv);

#define main handler_main
#include "handler/tincan-handler.c" /* NOLINT(bugprone-suspicious-include) */
#undef main

static void set_up_descriptors(void)
{
    static const mode_t modes[] = {S_IFSOCK, S_IFSOCK, S_IFIFO, S_IFREG, S_IFCHR};

    /* Objects 1 and 2 are the connection. Most often descriptors 0 and 1 are one socket. */
    for (size_t fd = 0; fd < 4; fd++) {
        uint8_t choice = input_byte(&kernel.input);
        kernel.modes[fd] = modes[choice % 5];
        kernel.objects[fd] = choice == 0xff ? 0 : choice >> 6;
        if (fd != 2 && kernel.objects[fd] > 2)
            kernel.objects[fd] = 1;
        if (fd != 2 && kernel.objects[fd] == 0 && choice != 0xff)
            kernel.objects[fd] = 1;
    }
}

static void set_up_environment(void)
{
    static const char *const variables[] = {
        "",
        "LISTEN_PID=4242\0LISTEN_FDS=1",
        "LISTEN_FDS=",
        "LISTEN_PID=",
        "REMOTE_ADDR=",
        "REMOTE_PORT=",
        "TCPREMOTEIP=",
        "REMOTE_HOST=",
        "NCAT_REMOTE_ADDR=",
        "SOCAT_PEERADDR=",
        "JOURNAL_STREAM=",
        "SOCAT_PEERPORT=",
    };

    for (size_t i = 0; i < 3; i++) {
        const char *name = variables[input_below(&kernel.input, 12)];
        char *entry = kernel.environment[i];
        size_t length = strlen(name);
        memcpy(entry, name, length + 1);
        if (length > 0 && name[length - 1] == '=')
            (void)input_string(&kernel.input, entry + length,
                               sizeof kernel.environment[i] - length);
        else if (length > 0)
            memcpy(kernel.environment[3], name + length + 1, strlen(name + length + 1) + 1);
    }
}

/* Sets what the kernel is like. Returns the flags of the command line. */
static uint8_t set_up(const uint8_t *bytes, size_t size)
{
    static const sa_family_t families[] = {AF_INET, AF_INET6, AF_UNIX, AF_VSOCK, AF_UNSPEC};
    uint8_t flags, kind;

    memset(&kernel, 0, sizeof kernel);
    logged[0] = '\0';
    kernel.input = (struct input){bytes, size};
    kernel.reference.max_bytes = FRAME_DEFAULT_MAX_BYTES;
    flags = input_byte(&kernel.input);
    kind = input_byte(&kernel.input);
    kernel.fault = input_byte(&kernel.input);
    kernel.datagram = kind & 1 && kind & 2;
    kernel.listening = kind & 4 && kind & 8;
    kernel.stalls = kind & 16;
    kernel.large = kind & 32;
    kernel.peer.ss_family = families[input_below(&kernel.input, 5)];
    for (size_t i = 0; i < 24; i++)
        ((char *)&kernel.peer)[2 + i] = (char)(flags & 0x40 ? input_byte(&kernel.input) : 0);
    set_up_descriptors();
    set_up_environment();
    return flags;
}

/* Makes a command line from the flags. Returns the number of arguments. */
static int make_arguments(char **arguments, uint8_t flags, char *limit, char *free_text)
{
    int count = 0;

    arguments[count++] = (char *)"tincan-handler";
    if (!kernel.large) {
        kernel.reference.max_bytes = flags & 1 ? (size_t)input_byte(&kernel.input) + 1 : 9000;
        (void)snprintf(limit, 32, "-m%zu", kernel.reference.max_bytes);
        arguments[count++] = limit;
    }
    if (flags & 2)
        arguments[count++] = (char *)"--tag";
    if (flags & 4)
        arguments[count++] = (char *)"-n";
    if (flags & 8)
        arguments[count++] = (char *)"-S";
    if (flags & 16)
        arguments[count++] = (char *)"-t2s";
    if ((flags & 0xa0) == 0x20)
        arguments[count++] = (char *)"--quiet";
    if ((flags & 0xa0) == 0xa0) {
        (void)input_string(&kernel.input, free_text, 64);
        arguments[count++] = free_text;
        kernel.reference.max_bytes = SIZE_MAX;
    }
    arguments[count] = NULL;
    return count;
}

/* Returns what is behind the value of the log line's first field, or NULL if there are no fields.
 */
static const char *behind_peer(const char *line)
{
    const char *value = line;

    if (line[0] == '<')
        value += strcspn(line, ">") + 1; /* the level */
    if (strncmp(value, "tincan-handler[", 15) == 0)
        value += strcspn(value, " ") + 1; /* of syslog */
    if (strncmp(value, "peer=", 5) != 0)
        return NULL;
    value += 5;
    return value[0] == '"' ? strchr(value + 1, '"') + 1 : value + strcspn(value, " ");
}

static void check_log(int status)
{
    size_t length = strcspn(logged, "\n");
    const char *fields = behind_peer(logged);

    require(length == kernel.logged || length + 1 == kernel.logged, "a log line is one line");
    for (size_t i = 0; i < length; i++)
        require(logged[i] >= ' ' && logged[i] <= '~', "the log is printable");
    if (!fields)
        return;
    require(strncmp(fields, " result=", 8) == 0, "the result stands behind the peer");
    require((strncmp(fields + 8, "echoed bytes=", 13) == 0) == (status == EX_OK),
            "what is logged as echoed has status 0");
}

static void check(int status, bool tagged, bool plain)
{
    const struct reference *reference = &kernel.reference;
    size_t tag = tagged ? tag_length(sent, kernel.sent_size) : 0;
    size_t whole = reference->length + 1;

    require(status == EX_OK || status == EX_USAGE || status == EX_DATAERR || status == EX_OSERR ||
                status == EX_IOERR,
            "the exit status is one of the manual's");
    check_log(status);
    if (!plain)
        return; /* the command line is any text: it may ask for anything */
    if (kernel.sent_size > 0)
        require(reference->status == FRAME_COMPLETE, "only a whole message is sent back");
    if (status == EX_OK || kernel.sent_size > TAG_MAX)
        require((tag > 0) == tagged, "a tag is there if it was asked for");
    if (kernel.sent_size == RECEIVED_MAX || (tagged && tag == 0))
        return;
    require(kernel.sent_size <= tag + whole, "nothing is sent behind the reply");
    if (kernel.sent_size > tag)
        require(memcmp(sent + tag, received, kernel.sent_size - tag) == 0,
                "the reply is the message");
    if (status == EX_OK)
        require(kernel.sent_size == tag + whole, "status 0 means that the whole reply was taken");
    if (status == EX_DATAERR)
        require(kernel.sent_size == 0 && reference->status != FRAME_COMPLETE,
                "what is no message has no reply");
    if (!kernel.hindered && reference->status == FRAME_COMPLETE)
        require(status == EX_OK, "an exchange that nothing hinders goes well");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char limit[32], free_text[64];
    char *arguments[8];
    uint8_t flags = set_up(bytes, size);
    int count = make_arguments(arguments, flags, limit, free_text), status;

    kernel.may_ask_for_help = (flags & 0xa0) == 0xa0;
    optind = 0; /* getopt begins anew */
    kernel.running = true;
    status = handler_main(count, arguments);
    kernel.running = false;
    check(status, (flags & 2) != 0, !kernel.may_ask_for_help);
    free(kernel.memory);
    return 0;
}
