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

/* Ranges of what could do something to the terminal or the text around it. */
static const struct {
    uint32_t first, last;
} harmful[] = {
    {0x0000, 0x001f}, {0x007f, 0x009f}, /* control characters */
    {0x061c, 0x061c}, {0x200e, 0x200f}, /* direction marks, which reorder the text around them */
    {0x2028, 0x2029},                   /* line and paragraph separators */
    {0x202a, 0x202e}, {0x2066, 0x2069}, /* embeddings, overrides and isolates of direction */
    {0xfdd0, 0xfdef},                   /* noncharacters, as are the last two of each plane */
};

static bool is_harmless(uint32_t code, bool lines)
{
    if (lines && (code == '\n' || code == '\t'))
        return true;
    if (ascii_only && code >= 0x80)
        return false;
    for (size_t i = 0; i < sizeof harmful / sizeof *harmful; i++)
        if (code >= harmful[i].first && code <= harmful[i].last)
            return false;
    return (code & 0xfffe) != 0xfffe;
}

void display_set_charset(const char *name)
{
    ascii_only = strcmp(name, "UTF-8") != 0;
}

/* Returns the size of the first character, or byte, and sets whether it is written as it is. */
static size_t take(const char *bytes, size_t length, bool lines, bool *as_it_is)
{
    uint32_t code;
    size_t size = utf8_decode(bytes, length, &code);

    *as_it_is = size > 0 && is_harmless(code, lines);
    return size > 0 ? size : 1;
}

void display(FILE *stream, const char *bytes, size_t length, bool lines)
{
    bool as_it_is;

    for (size_t size; length > 0; bytes += size, length -= size) {
        size = take(bytes, length, lines, &as_it_is);
        if (as_it_is)
            fwrite(bytes, 1, size, stream);
        else
            for (size_t i = 0; i < size; i++)
                fprintf(stream, "\\x%02x", (unsigned char)bytes[i]);
    }
}

int display_width(const char *bytes, size_t length)
{
    bool as_it_is;
    int width = 0;

    for (size_t size; length > 0; bytes += size, length -= size) {
        size = take(bytes, length, false, &as_it_is);
        width += as_it_is ? 1 : 4 * (int)size;
    }
    return width;
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
