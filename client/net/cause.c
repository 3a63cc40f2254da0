/* SPDX-License-Identifier: MIT */
#include "client/net/cause.h"

#include "common/utf8.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

/*
 * How a rule alters a message. First `trim` is taken off its end. Then at each position the first
 * sequence of `replace` that matches is replaced ('*' is anything, '+' telnet's WILL, WONT, DO or
 * DONT); else one byte is converted, or one character to Latin-1. A null byte ends the reply.
 */
struct rule {
    const char *cause;
    struct {
        const char *from, *to;
    } replace[3];
    struct {
        uint32_t first, last;
        const char *to; /* '*' is the byte itself plus `shift` */
        int shift;
    } convert[4];
    bool characters;
    const char *trim;           /* a set of bytes */
    const char *before, *after; /* added around the message */
};

#define COUNT(array)   (sizeof(array) / sizeof *(array))
#define NOT_ASCII(to)  .convert = {{0x80, UINT32_MAX, to, 0}}
#define NOT_LATIN1(to) .characters = true, .convert = {{0x100, UINT32_MAX, to, 0}}

/* Ordered by trust: a rule that seldom explains a reply by accident precedes others. */
static const struct rule rules[] = {
    {"line endings were rewritten (LF to CRLF)", .replace = {{"\n", "\r\n"}}},
    {"line endings were rewritten (LF to CRLF, leaving CRLF)",
     .replace = {{"\r\n", "\r\n"}, {"\n", "\r\n"}}},
    {"line endings were rewritten (CRLF to LF)", .replace = {{"\r\n", "\n"}}},
    {"line endings were rewritten (all to LF)", .replace = {{"\r\n", "\n"}, {"\r", "\n"}}},
    {"line endings were rewritten (all to CRLF)",
     .replace = {{"\r\n", "\r\n"}, {"\r", "\r\n"}, {"\n", "\r\n"}}},
    {"line endings were rewritten (CR to LF)", .replace = {{"\r", "\n"}}},
    {"line endings were rewritten (LF to CR)", .replace = {{"\n", "\r"}}},
    {"every CR was removed", .replace = {{"\r", ""}}},
    {"the line ending at the end was removed", .trim = "\r\n"},
    {"all line endings were removed", .replace = {{"\r", ""}, {"\n", ""}}},
    {"white space at the end was removed", .trim = " \t\r\n\v\f"},
    {"a line ending (LF) was added at the end", .after = "\n"},
    {"a line ending (CRLF) was added at the end", .after = "\r\n"},
    {"the 8th bit of every byte was stripped", .convert = {{0x80, 0xff, "*", -0x80}}},
    {"all bytes over 0x7f were removed", NOT_ASCII("")},
    {"the case was changed (to lower)", .convert = {{'A', 'Z', "*", 32}}},
    {"the case was changed (to upper)", .convert = {{'a', 'z', "*", -32}}},
    {"the case was changed (upper and lower swapped)",
     .convert = {{'A', 'Z', "*", 32}, {'a', 'z', "*", -32}}},
    {"characters outside ASCII were replaced by question marks", NOT_ASCII("?"),
     .characters = true},
    {"bytes outside ASCII were replaced by question marks", NOT_ASCII("?")},
    {"it was converted from UTF-8 to Latin-1", NOT_LATIN1("?")},
    {"it was converted from UTF-8 to Latin-1, leaving out the rest", NOT_LATIN1("")},
    {"it was converted from UTF-8 to Latin-1, and telnet doubled 0xff (IAC)", NOT_LATIN1("?"),
     .replace = {{"\xff", "\xff\xff"}}},
    {"it was converted from UTF-8 to Latin-1, and telnet removed 0xff (IAC) and the command after "
     "it",
     NOT_LATIN1("?"), .replace = {{"\xff\xff", "\xff"}, {"\xff+*", ""}, {"\xff*", ""}}},
    {"it was converted from UTF-8 to Latin-1, and 0xff (IAC) was removed", NOT_LATIN1("?"),
     .replace = {{"\xff", ""}}},
    {"it was taken for Latin-1 and encoded as UTF-8 once more",
     .convert = {{0x80, 0xbf, "\xc2*", 0}, {0xc0, 0xff, "\xc3*", -0x40}}},
    {"characters outside ASCII were replaced by U+FFFD", NOT_ASCII("\xef\xbf\xbd"),
     .characters = true},
    {"bytes outside ASCII were replaced by U+FFFD", NOT_ASCII("\xef\xbf\xbd")},
    {"a byte order mark was put in front", .before = "\xef\xbb\xbf"},
    {"control characters were removed", .convert = {{0x01, 0x08, "", 0},
                                                    {0x0b, 0x0c, "", 0},
                                                    {0x0e, 0x1f, "", 0},
                                                    {0x7f, 0x7f, "", 0}}},
    {"tabs were replaced by spaces", .replace = {{"\t", " "}}},
    {"telnet put a null byte after a CR, which ended the message there",
     .replace = {{"\r\n", "\r\n"}}, .convert = {{'\r', '\r', "\r*", -'\r'}}},
};

/* The part of the reply that is still to be compared. */
struct rest {
    const char *at;
    size_t left;
    bool cut;     /* more of it was not read */
    bool ended;   /* a null byte was expected */
    bool differs; /* from what was expected */
};

static void expect(struct rest *rest, uint32_t byte)
{
    if (byte == '\0')
        rest->ended = true;
    if (rest->ended || (rest->cut && rest->left == 0))
        return;
    if (rest->left == 0 || (unsigned char)*rest->at != byte)
        rest->differs = true;
    else
        rest->at++, rest->left--;
}

/* Expects the string, in which '*' stands for the byte `self`. */
static void expect_string(struct rest *rest, const char *string, uint32_t self)
{
    for (; *string; string++)
        expect(rest, *string == '*' ? self : (unsigned char)*string);
}

/* Decodes one unit of the rule, sets `*code`, and returns its size in bytes. */
static size_t decode(const struct rule *rule, const char *at, size_t left, uint32_t *code)
{
    size_t size = rule->characters ? utf8_decode(at, left, code) : 0;

    if (size == 0)
        *code = (unsigned char)*at;
    return size > 0 ? size : 1;
}

/* Returns the size of the sequence `from` where the bytes begin with it, else 0. */
static size_t match(const struct rule *rule, const char *from, const char *at, size_t left)
{
    size_t size = 0;
    uint32_t code;

    for (; from && *from; from++) {
        if (size == left)
            return 0;
        size += decode(rule, at + size, left - size, &code);
        if (*from == '+' ? code < 0xfb || code > 0xfe
                         : *from != '*' && code != (unsigned char)*from)
            return 0;
    }
    return size;
}

/* Expects what becomes of the start of the `left` bytes, and returns how many that took. */
static size_t expect_altered(struct rest *rest, const struct rule *rule, const char *at,
                             size_t left)
{
    uint32_t code;
    size_t size;

    for (size_t i = 0; i < COUNT(rule->replace); i++)
        if ((size = match(rule, rule->replace[i].from, at, left)) > 0) {
            expect_string(rest, rule->replace[i].to, 0);
            return size;
        }
    size = decode(rule, at, left, &code);
    for (size_t i = 0; i < COUNT(rule->convert); i++)
        if (code >= rule->convert[i].first && code <= rule->convert[i].last) {
            expect_string(rest, rule->convert[i].to, code + (uint32_t)rule->convert[i].shift);
            return size;
        }
    expect(rest, code);
    return size;
}

/* Returns whether the rule turns the message into the reply. */
static bool explains(const struct rule *rule, const char *message, size_t length, struct rest rest)
{
    size_t at = 0;

    expect_string(&rest, rule->before ? rule->before : "", 0);
    while (rule->trim && length > 0 && strchr(rule->trim, message[length - 1]))
        length--;
    while (at < length && !rest.differs && !rest.ended && !(rest.cut && rest.left == 0))
        at += expect_altered(&rest, rule, message + at, length - at);
    expect_string(&rest, rule->after ? rule->after : "", 0);
    return !rest.differs && rest.left == 0;
}

const char *cause_of_cut(size_t size)
{
    /* TCP payloads of Ethernet and tunnels, with and without timestamps; loopback; jumbo frames. */
    static const size_t segments[] = {536,  1220, 1240, 1348, 1360, 1368, 1380, 1388, 1400,
                                      1420, 1428, 1440, 1448, 1452, 1460, 8948, 8960, 65483};

    if (size >= 512 && (size & (size - 1)) == 0)
        return "it was cut at the size of a buffer (a power of two)";
    for (size_t i = 0; i < COUNT(segments); i++)
        if (size > 0 && size % segments[i] == 0)
            return "it was cut at the size of a TCP segment, or a few";
    return NULL;
}

static const char flipped_bit[] = "a single bit was flipped";

/* Returns what became of the only byte that differs; NULL if more do. */
static const char *cause_of_byte(const char *message, const char *reply, size_t length)
{
    size_t at = 0;
    int bits;

    while (at < length && message[at] == reply[at])
        at++;
    if (at == length || memcmp(message + at + 1, reply + at + 1, length - at - 1) != 0)
        return NULL;
    bits = message[at] ^ reply[at];
    if ((bits & (bits - 1) & 0xff) == 0)
        return flipped_bit;
    if (reply[at] == ' ')
        return "one character was replaced by a space";
    return reply[at] == '?' ? "one character was replaced by a question mark"
                            : "a single byte was replaced";
}

/* Returns the size of the letter of ASCII and the marks behind it with which the bytes begin, or 0.
 */
static size_t letter_with_marks(const char *at, size_t left)
{
    size_t size = left > 0 && isalpha((unsigned char)*at) ? 1 : 0, mark;
    uint32_t code;

    while (size > 0 && (mark = utf8_decode(at + size, left - size, &code)) == 2 && code >= 0x300 &&
           code <= 0x36f)
        size += mark;
    return size > 1 ? size : 0;
}

/* Returns the size of the jamo of a Hangul syllable (Unicode, 3.12) where the bytes begin with
 * them, or with what a cut left of them; else 0. */
static size_t jamo(uint32_t syllable, struct rest parts)
{
    uint32_t index = syllable - 0xac00, tail = index % 28;
    const uint32_t codes[] = {0x1100 + index / 588, 0x1161 + index / 28 % 21, 0x11a7 + tail};
    size_t size = tail > 0 ? 9 : 6;
    char bytes[9];

    for (size_t i = 0; i < COUNT(codes); i++) {
        bytes[3 * i] = '\xe1';
        bytes[3 * i + 1] = (char)(0x80 | (codes[i] >> 6 & 0x3f));
        bytes[3 * i + 2] = (char)(0x80 | (codes[i] & 0x3f));
    }
    if (parts.cut && parts.left < size)
        size = parts.left;
    return parts.left >= size && memcmp(parts.at, bytes, size) == 0 ? size : 0;
}

/* Returns the size of what the bytes begin with where the character was taken apart into that, or
 * 0. Of marks, without tables of Unicode, it is not known whether they are the right ones. */
static size_t size_apart(uint32_t code, struct rest parts)
{
    if (code >= 0xac00 && code <= 0xd7a3)
        return jamo(code, parts);
    return code >= 0xc0 && code <= 0x1eff ? letter_with_marks(parts.at, parts.left) : 0;
}

/* Returns whether the second text is the first with some characters taken apart: into a letter of
 * ASCII and marks, or the jamo of a syllable. */
static bool is_taken_apart(const char *text, size_t length, struct rest parts)
{
    bool any = false;

    while (length > 0 && parts.left > 0) {
        uint32_t code = 0;
        size_t size = utf8_decode(text, length, &code);
        size_t part = parts.left < size || memcmp(text, parts.at, size) != 0 ? 0 : size;

        if (part == 0) {
            part = size_apart(code, parts);
            any = true;
        }
        if (size == 0 || part == 0)
            return false;
        text += size, length -= size;
        parts.at += part, parts.left -= part;
    }
    return any && parts.left == 0 && (length == 0 || parts.cut);
}

static const char *cause_of_normalization(const char *message, size_t length, struct rest reply)
{
    const struct rest sent = {.at = message, .left = length};

    if (is_taken_apart(message, length, reply))
        return "its characters were taken apart (Unicode NFC to NFD)";
    if (is_taken_apart(reply.at, reply.left, sent))
        return "its characters were put together (Unicode NFD to NFC)";
    return NULL;
}

/* Returns what a proxy or a server may have put in front of the message, or NULL. */
static const char *cause_of_prefix(const char *message, size_t length, struct rest reply)
{
    size_t prefix = reply.left - length;

    /* Of a header of version 2 only this comes back, because of its null byte. */
    if (reply.left == 4 && memcmp(reply.at, "\r\n\r\n", 4) == 0)
        return "a header of the PROXY protocol, version 2, was put in front of it";
    if (reply.left <= length || (!reply.cut && memcmp(message, reply.at + prefix, length) != 0))
        return NULL;
    if (reply.left >= 6 && memcmp(reply.at, "PROXY ", 6) == 0)
        return "a header of the PROXY protocol was put in front of it";
    if (reply.cut)
        return NULL;
    return reply.at[prefix - 1] == '\n' ? "a line was put in front of it, such as a banner"
                                        : "something was added in front of it";
}

const char *cause_of_change(const char *message, size_t length, const char *reply,
                            size_t reply_length, bool cut)
{
    const struct rest rest = {.at = reply, .left = reply_length, .cut = cut};
    const char *byte = reply_length == length ? cause_of_byte(message, reply, length) : NULL;
    const char *other;

    if (byte == flipped_bit) /* which changes the case of a letter, too */
        return byte;
    for (size_t i = 0; i < COUNT(rules); i++)
        if (explains(&rules[i], message, length, rest))
            return rules[i].cause;
    other = cause_of_normalization(message, length, rest);
    if (!other)
        other = byte ? byte : cause_of_prefix(message, length, rest);
    if (other)
        return other;
    if (reply_length < length && memcmp(message, reply, reply_length) == 0)
        return cause_of_cut(reply_length);
    if (reply_length > length && memcmp(message, reply, length) == 0)
        return "something was added after it";
    return NULL;
}
