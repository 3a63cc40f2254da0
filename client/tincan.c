/* SPDX-License-Identifier: MIT */
/* tincan: sends messages to an echo server and checks that they come back as they were. */
#include "client/help.h"
#include "client/net/outcome.h"
#include "client/options.h"
#include "client/output.h"
#include "client/probe/probe.h"
#include "client/report/report.h"
#include "client/talk/batch.h"
#include "client/talk/chat.h"
#include "common/streams.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Editing needs to know where characters begin, and messages are UTF-8 in any locale. */
static void use_utf8(void)
{
    setlocale(LC_CTYPE, "");
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        setlocale(LC_CTYPE, "C.UTF-8");
}

static int run(const struct options *options)
{
    if (options->probe.on)
        return probe(options);
    if (options->input == OPTIONS_AUTO && isatty(STDIN_FILENO))
        return chat(options);
    return batch(options);
}

/* A plugin says what is wrong in its line, and has a status of its own for it. */
static int refuse(char **argv, const struct text *reason)
{
    for (; *argv; argv++)
        if (strcmp(*argv, "--check") == 0) {
            report_check_failure(REPORT_CHECK_UNKNOWN, reason->start);
            return REPORT_CHECK_UNKNOWN;
        }
    output_complain(reason);
    return STATUS_USAGE;
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
        status = refuse(argv, &reason);
        break;
    case OPTIONS_HELP:
        fputs(help_text(options.help_topic), stdout);
        break;
    case OPTIONS_VERSION:
        puts("tincan " TINCAN_VERSION);
        break;
    case OPTIONS_RUN:
        status = run(&options);
        break;
    }
    output_flush(&status);
    return status;
}
