/* SPDX-License-Identifier: MIT */
/* tincan: sends messages to an echo server and checks that they come back as they were. */
#include "../handler/streams.h"
#include "batch.h"
#include "chat.h"
#include "options.h"
#include "outcome.h"
#include "speak.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "Usage: tincan [OPTION]... [HOST[:PORT] | [IPV6]:PORT | unix:PATH | unix:@NAME | "
    "vsock:CID:PORT]\n"
    "Send messages to an echo server and check that they come back (default " ADDRESS_DEFAULT ").\n"
    "At a terminal it asks for messages; else each line of standard input is one.\n"
    "\n"
    "  -m, --message=TEXT    send TEXT\n"
    "  -0, --null            messages and echoes are separated by null bytes\n"
    "      --whole           all of standard input is one message\n"
    "      --connect-first   connect before asking for a message\n"
    "  -4, --ipv4            use IPv4 only\n"
    "  -6, --ipv6            use IPv6 only\n"
    "  -W, --timeout=TIME    time for a whole exchange, e.g. 500ms (default 10s)\n"
    "      --max-bytes=SIZE  longest message to send, e.g. 64k (default 1M)\n"
    "  -q, --quiet           at a terminal print only the echoes, else only errors\n"
    "  -h, --help            print this help\n"
    "  -V, --version         print the version\n"
    "\n"
    "Exit status: 0 all echoed, 1 some were not, 2 usage or local error, 3 an echo was altered.\n";

/* Editing needs to know where characters begin, and messages are UTF-8 in any locale. */
static void use_utf8(void)
{
    setlocale(LC_CTYPE, "");
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        setlocale(LC_CTYPE, "C.UTF-8");
}

static int run(const struct options *options)
{
    if (options->input == OPTIONS_AUTO && isatty(STDIN_FILENO))
        return chat(options);
    return batch(options);
}

int main(int argc, char **argv)
{
    char buffer[1024];
    struct text reason;
    struct options options;
    int status = STATUS_ECHOED;

    streams_fill();
    use_utf8();
    text_init(&reason, buffer, sizeof buffer);
    switch (options_read(argc, argv, &options, &reason)) {
    case OPTIONS_WRONG:
        text_add(&reason, "; see tincan --help");
        speak(&reason);
        return STATUS_USAGE;
    case OPTIONS_HELP:
        fputs(help, stdout);
        break;
    case OPTIONS_VERSION:
        puts("tincan " TINCAN_VERSION);
        break;
    case OPTIONS_RUN:
        status = run(&options);
        break;
    }
    speak_flush(&status);
    return status;
}
