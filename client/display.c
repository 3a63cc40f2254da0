/* SPDX-License-Identifier: MIT */
#include "client/display.h"

#include "common/utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool ascii_only; /* the terminal does not take UTF-8 */
static enum display_colour colour = DISPLAY_COLOUR_AUTO;

static bool is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code <= 0x9f);
}

/* Direction marks, embeddings, overrides and isolates, which reorder the text around them. */
static bool is_directional(uint32_t code)
{
    return code == 0x061c || code == 0x200e || code == 0x200f ||
           (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

static bool is_separator(uint32_t code)
{
    return code == 0x2028 || code == 0x2029;
}

static bool is_noncharacter(uint32_t code)
{
    return (code >= 0xfdd0 && code <= 0xfdef) || (code & 0xfffe) == 0xfffe;
}

static bool is_harmless(uint32_t code, bool lines)
{
    if (lines && (code == '\n' || code == '\t'))
        return true;
    if (ascii_only && code >= 0x80)
        return false;
    return !is_control(code) && !is_directional(code) && !is_separator(code) &&
           !is_noncharacter(code);
}

void display_set_charset(const char *name)
{
    ascii_only = strcmp(name, "UTF-8") != 0;
}

void display(FILE *stream, const char *bytes, size_t length, bool lines)
{
    while (length > 0) {
        uint32_t code;
        size_t size = utf8_decode(bytes, length, &code);

        if (size > 0 && is_harmless(code, lines)) {
            fwrite(bytes, 1, size, stream);
        } else {
            size = size > 0 ? size : 1;
            for (size_t i = 0; i < size; i++)
                fprintf(stream, "\\x%02x", (unsigned char)bytes[i]);
        }
        bytes += size;
        length -= size;
    }
}

void display_set_colour(enum display_colour when)
{
    colour = when;
}

bool display_is_screen(FILE *stream)
{
    const char *type = getenv("TERM");

    return isatty(fileno(stream)) == 1 && !(type && strcmp(type, "dumb") == 0);
}

static bool in_colour(FILE *stream)
{
    const char *without = getenv("NO_COLOR");

    if (colour != DISPLAY_COLOUR_AUTO)
        return colour == DISPLAY_COLOUR_ALWAYS;
    return display_is_screen(stream) && !(without && *without);
}

void display_red(FILE *stream, const char *bytes, size_t length)
{
    bool red = in_colour(stream);

    fputs(red ? "\033[31m" : "", stream);
    display(stream, bytes, length, false);
    fputs(red ? "\033[0m" : "", stream);
}

size_t display_columns(FILE *stream)
{
    struct winsize size;

    return ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}
