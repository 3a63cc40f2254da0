/* SPDX-License-Identifier: MIT */
/* tincan: sends messages to an echo server and checks that they come back unaltered. */
#include "client/display.h"
#include "client/net/outcome.h"
#include "client/options.h"
#include "client/output.h"
#include "client/probe/probe.h"
#include "client/report/report.h"
#include "client/talk/talk.h"
#include "common/streams.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <unistd.h>

/* What is shown is for the locale's terminal. Messages are UTF-8 in every locale, and line editing
 * needs to know where their characters begin. */
static void use_locale(void)
{
    setlocale(LC_CTYPE, "");
    display_set_charset(nl_langinfo(CODESET));
    setlocale(LC_CTYPE, "C.UTF-8");
}

static int run_mode(const struct options *options)
{
    display_set_colour(options->colour);
    if (options->probes.on)
        return probe_run(options);
    if (options->input == OPTIONS_AUTO && isatty(STDIN_FILENO))
        return chat(options);
    return batch(options);
}

int main(int argc, char **argv)
{
    struct text reason = OUTPUT_SENTENCE;
    struct options options;
    int status = STATUS_ECHOED;

    streams_fill();
    use_locale();
    if (options_read(argc, argv, &options, &reason) < 0) {
        text_add(&reason, "; see tincan --help");
        status = report_refusal(&options, &reason, STATUS_USAGE);
    } else if (options.help) {
        fputs(options.help, stdout);
    } else if (options.version) {
        puts("tincan " TINCAN_VERSION);
    } else {
        status = run_mode(&options);
    }
    output_flush(&status);
    return status;
}
