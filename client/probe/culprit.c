/* SPDX-License-Identifier: MIT */
#include "client/probe/culprit.h"

#include "client/probe/alter.h"

#include <string.h>

/* In the order of trust: what explains less by accident comes first. */
static const struct {
    alter *rule;
    const char *name;
} rules[] = {
    {alter_lf_to_crlf, "line endings were rewritten (LF to CRLF)"},
    {alter_bare_lf_to_crlf, "line endings were rewritten (LF to CRLF, leaving CRLF)"},
    {alter_crlf_to_lf, "line endings were rewritten (CRLF to LF)"},
    {alter_endings_to_lf, "line endings were rewritten (all to LF)"},
    {alter_endings_to_crlf, "line endings were rewritten (all to CRLF)"},
    {alter_cr_to_lf, "line endings were rewritten (CR to LF)"},
    {alter_lf_to_cr, "line endings were rewritten (LF to CR)"},
    {alter_cr_removed, "every CR was removed"},
    {alter_last_ending_removed, "the line ending at the end was removed"},
    {alter_endings_removed, "all line endings were removed"},
    {alter_end_trimmed, "white space at the end was removed"},
    {alter_ending_added, "a line ending (LF) was added at the end"},
    {alter_crlf_added, "a line ending (CRLF) was added at the end"},
    {alter_high_bit_stripped, "the 8th bit of every byte was stripped"},
    {alter_high_bytes_removed, "all bytes over 0x7f were removed"},
    {alter_lowered, "the case was changed (to lower)"},
    {alter_raised, "the case was changed (to upper)"},
    {alter_swapped, "the case was changed (upper and lower swapped)"},
    {alter_question_marks, "characters outside ASCII were replaced by question marks"},
    {alter_question_mark_bytes, "bytes outside ASCII were replaced by question marks"},
    {alter_latin1, "it was converted from UTF-8 to Latin-1"},
    {alter_latin1_or_nothing, "it was converted from UTF-8 to Latin-1, leaving out the rest"},
    {alter_latin1_iac_doubled,
     "it was converted from UTF-8 to Latin-1, and telnet doubled 0xff (IAC)"},
    {alter_latin1_iac_eaten,
     "it was converted from UTF-8 to Latin-1, and telnet ate 0xff (IAC) and what it commands"},
    {alter_latin1_iac_removed,
     "it was converted from UTF-8 to Latin-1, and 0xff (IAC) was removed"},
    {alter_encoded_twice, "it was taken for Latin-1 and encoded as UTF-8 once more"},
    {alter_replacements, "characters outside ASCII were replaced by U+FFFD"},
    {alter_replacement_bytes, "bytes outside ASCII were replaced by U+FFFD"},
    {alter_bom_added, "a byte order mark was put in front"},
    {alter_controls_removed, "control characters were removed"},
    {alter_tabs_to_spaces, "tabs were replaced by spaces"},
    {alter_cut_after_cr, "telnet put a null byte behind a CR, which ended the message there"},
};

/* A null byte would have ended the reply. */
static void end_at_null(struct piece *piece)
{
    const unsigned char *null = memchr(piece->bytes, '\0', piece->size);

    if (null) {
        piece->size = (size_t)(null - piece->bytes);
        piece->last = true;
    }
}

/* Whether the rule makes the reply of the message; up to where the reply was read, if `cut`. */
static bool explains(alter *rule, struct rest rest, const unsigned char *reply, size_t length,
                     bool cut)
{
    size_t at = 0;

    while (rest.length > 0) {
        struct piece piece = {.taken = 1};
        size_t size;

        rule(&rest, &piece);
        end_at_null(&piece);
        size = cut && piece.size > length - at ? length - at : piece.size;
        if (size > length - at || memcmp(reply + at, piece.bytes, size) != 0)
            return false;
        at += size;
        if (piece.last || (cut && at == length))
            break;
        piece.taken = piece.taken < rest.length ? piece.taken : rest.length;
        rest.at += piece.taken;
        rest.length -= piece.taken;
        rest.first = false;
    }
    return at == length;
}

const char *culprit_of_cut(size_t reply_length)
{
    /* TCP payloads of Ethernet and tunnels, with and without timestamps; loopback; jumbo frames. */
    static const size_t segments[] = {536,  1220, 1240, 1348, 1360, 1368, 1380, 1388, 1400,
                                      1420, 1428, 1440, 1448, 1452, 1460, 8948, 8960, 65483};
    size_t size = reply_length;

    if (size >= 512 && (size & (size - 1)) == 0)
        return "it was cut at the size of a buffer (a power of two)";
    for (size_t i = 0; i < sizeof segments / sizeof *segments; i++)
        if (size > 0 && size % segments[i] == 0)
            return "it was cut at the size of a TCP segment, or a few";
    return NULL;
}

/* What one differing byte has become. */
static const char *explain_byte(unsigned char sent, unsigned char received)
{
    unsigned difference = sent ^ received;

    if ((difference & (difference - 1)) == 0)
        return "a single bit was flipped";
    if (received == ' ')
        return "one character was replaced by a space";
    if (received == '?')
        return "one character was replaced by a question mark";
    return "a single byte was replaced";
}

/* Finds the only byte that differs, setting `*at`; false when there is another. */
static bool only_difference(const char *message, const char *reply, size_t length, size_t *at)
{
    size_t differences = 0;

    for (size_t i = 0; i < length && differences < 2; i++)
        if (message[i] != reply[i]) {
            differences++;
            *at = i;
        }
    return differences == 1;
}

/* A single bit makes another case of a letter. */
static bool is_of_case(alter *rule)
{
    return rule == alter_lowered || rule == alter_raised || rule == alter_swapped;
}

/* Where the run of these characters begins with which the message ends, perhaps its very end. */
static const unsigned char *last_run(const char *message, size_t length, const char *characters)
{
    while (length > 0 && message[length - 1] != '\0' && strchr(characters, message[length - 1]))
        length--;
    return (const unsigned char *)message + length;
}

const char *culprit(const char *message, size_t length, const char *reply, size_t reply_length,
                    bool cut)
{
    const struct rest whole = {
        .at = (const unsigned char *)message,
        .length = length,
        .first = true,
        .last_endings = last_run(message, length, "\r\n"),
        .last_blanks = last_run(message, length, " \t\r\n\v\f"),
    };

    size_t at = 0;
    bool one = reply_length == length && only_difference(message, reply, length, &at);

    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (!(one && is_of_case(rules[i].rule)) &&
            explains(rules[i].rule, whole, (const unsigned char *)reply, reply_length, cut))
            return rules[i].name;
    if (one)
        return explain_byte((unsigned char)message[at], (unsigned char)reply[at]);
    if (reply_length < length && memcmp(message, reply, reply_length) == 0)
        return culprit_of_cut(reply_length);
    if (reply_length > length && memcmp(message, reply, length) == 0)
        return "something was added behind it";
    if (reply_length > length && !cut &&
        memcmp(message, reply + reply_length - length, length) == 0)
        return "something was added in front of it";
    return NULL;
}
