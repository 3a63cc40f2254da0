/* SPDX-License-Identifier: MIT */
/* What reads texts from users and peers. The input: which of them, then the text. What is read and
 * printed again must be read the same. */
#include "client/net/bind_address.h"
#include "client/net/message.h"
#include "client/net/verify.h"
#include "common/address.h"
#include "common/quantity.h"
#include "common/tag.h"
#include "common/utf8.h"
#include "tests/exhaust/exhaust.h"
#include "tests/fuzz/input.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define REASON_SIZE 512

static bool is_printable(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (bytes[i] < 0x20 || bytes[i] > 0x7e)
            return false;
    return true;
}

static void parse_address(const char *string, size_t length)
{
    char buffer[REASON_SIZE], again_buffer[SOCKADDR_TEXT_SIZE];
    struct text reason, printed;
    struct address address, again;

    (void)length;
    text_init(&reason, buffer, sizeof buffer);
    if (address_parse(string, &address, &reason) < 0) {
        require(reason.length > 0, "an address that is refused is refused for a reason");
        return;
    }
    require(reason.length == 0 && address.text == string, "an address that is taken has no fault");
    require(strlen(address.port) > 0 && strtoul(address.port, NULL, 10) <= 65535,
            "a port is a port");
    require((address.host[0] == '\0') == (address.socket_size > 0), "it is a host or a socket");
    if (address.host[0] != '\0' || address.hybrid)
        return;
    text_init(&printed, again_buffer, sizeof again_buffer);
    sockaddr_print(&printed, &address.socket, address.socket_size, NULL);
    require(address_parse(printed.start, &again, &reason) == 0 &&
                again.socket_size == address.socket_size &&
                memcmp(&again.socket, &address.socket, sizeof again.socket) == 0,
            "a socket address that is printed is read the same");
}

/* glibc prints the last bytes of those that RFC 4291 calls IPv4-compatible as IPv4. */
static void require_host(const struct sockaddr_storage *address)
{
    const struct in6_addr *six = &((const struct sockaddr_in6 *)address)->sin6_addr;
    char buffer[SOCKADDR_TEXT_SIZE], theirs[INET6_ADDRSTRLEN];
    struct text ours;

    if (address->ss_family == AF_INET6 && IN6_IS_ADDR_V4COMPAT(six))
        return;
    text_init(&ours, buffer, sizeof buffer);
    sockaddr_print_host(&ours, address);
    inet_ntop(address->ss_family,
              address->ss_family == AF_INET6
                  ? (const void *)six
                  : (const void *)&((const struct sockaddr_in *)address)->sin_addr,
              theirs, sizeof theirs);
    require(strcmp(ours.start, theirs) == 0, "a host is printed as inet_ntop(3) does");
}

static void parse_sockaddr(const char *string, size_t length)
{
    char buffer[SOCKADDR_TEXT_SIZE];
    struct text printed;
    struct sockaddr_storage address, again;
    size_t host;

    if (!sockaddr_parse(&address, string, length, 4040))
        return;
    text_init(&printed, buffer, sizeof buffer);
    sockaddr_print(&printed, &address, sizeof address, NULL);
    host = printed.length - strlen(":4040");
    require(strcmp(buffer + host, ":4040") == 0, "the port is printed");
    require(sockaddr_parse(&again, buffer, host, 4040) &&
                memcmp(&again, &address, sizeof again) == 0,
            "an IP address that is printed is read the same");
    require_host(&address);
    sockaddr_unmap(&address);
    require_host(&address);
}

static void parse_bind_address(const char *string, size_t length)
{
    char buffer[REASON_SIZE];
    struct text reason;
    struct bind_address bind_address;
    struct sockaddr_storage address;
    bool good;

    text_init(&reason, buffer, sizeof buffer);
    good = bind_address_parse(string, &bind_address, &reason) == 0;
    require(good == (reason.length == 0) && good == bind_address_given(&bind_address),
            "what is refused is refused for a reason");
    if (sockaddr_parse(&address, string, length, 0))
        require(good && memcmp(&address, &bind_address.address, sizeof address) == 0,
                "an IP address is one to bind to");
    else if (good)
        require(strchr(string, '%') || if_nametoindex(string) > 0,
                "a name is that of an interface");
    if (good)
        require(bind_address_is_here(&bind_address) || bind_address.address.ss_family != AF_UNSPEC,
                "nothing but an address can be missing on this machine");
}

static void parse_tag(const char *reply, size_t length)
{
    size_t tag = tag_length(reply, length);

    require(tag <= length && tag <= TAG_MAX, "a tag is within the reply and its limit");
    require(is_printable(reply, tag), "a tag is printable");
    if (tag > 0)
        require(memcmp(reply + tag - 2, ": ", 2) == 0 && tag_length(reply, tag) == tag &&
                    tag_length(reply, tag - 1) == 0,
                "a tag ends with a colon and a space");
}

/* Whatever a server prints in front of a reply, the client takes off. */
static void print_tag(const char *bytes, size_t length)
{
    static const sa_family_t families[] = {AF_INET, AF_INET6, AF_VSOCK, AF_UNIX, AF_UNSPEC};
    struct sockaddr_storage peer = {0};
    char buffer[TAG_MAX + 1], escaped[TAG_NAME_SIZE];
    struct text tag, name;

    memcpy(&peer, bytes, length < sizeof peer ? length : sizeof peer);
    peer.ss_family = families[peer.ss_family % 5];
    text_init(&name, escaped, sizeof escaped);
    text_add_escaped(&name, bytes, length);
    text_init(&tag, buffer, sizeof buffer);
    tag_print(&tag, &peer, escaped);
    require(tag_length(tag.start, tag.length) == tag.length && tag.length > 0,
            "the client finds the tag that a server prints");
    if (peer.ss_family == AF_INET || peer.ss_family == AF_INET6)
        require_host(&peer);
}

static void parse_quantity(const char *string, size_t length)
{
    uint64_t size = 1, usec = 1, number = 1;
    char digits[24];

    if (quantity_size(string, 0, UINT64_MAX - 1, &size) == 0) {
        (void)snprintf(digits, sizeof digits, "%" PRIu64, size);
        require(quantity_size(digits, size, size, &number) == 0 && number == size,
                "a size in bytes is read the same");
    }
    if (quantity_time(string, 5, 1000000, &usec) == 0) {
        require(usec >= 5 && usec <= 1000000, "a time is within its limits");
        (void)snprintf(digits, sizeof digits, "%" PRIu64 "us", usec);
        require(quantity_time(digits, usec, usec, &number) == 0, "a time is read the same");
    }
    require(quantity_digits(string, length, 1000, &number) <= length, "digits are in the string");
}

static void parse_utf8(const char *bytes, size_t length)
{
    struct reference reference = {.max_bytes = SIZE_MAX};
    uint32_t code = 0;
    size_t size = utf8_decode(bytes, length, &code), taken = 0;

    do {
        if (taken < length)
            reference_feed(&reference, (unsigned char)bytes[taken++]);
    } while (reference.status == FRAME_MORE && reference.left > 0 && taken < length);
    if (reference.status != FRAME_MORE || reference.left > 0 || taken == 0)
        require(size == 0 && code == 0, "what is no character is not decoded");
    else
        require(size == taken && code == reference.code, "a character is decoded as it is");
}

/* Takes a character or an escape, \\xNN, off a text. Returns the byte that it stands for. */
static unsigned char unescape(const char **at)
{
    const char *begin = *at;

    *at += begin[0] == '\\' ? 5 : 1;
    if (begin[0] != '\\')
        return (unsigned char)begin[0];
    require(strncmp(begin, "\\\\x", 3) == 0 && strspn(begin + 3, INPUT_DIGITS) >= 2,
            "an escape is whole");
    return input_hex(begin + 3);
}

static void escape(const char *bytes, size_t length)
{
    char buffer[64];
    struct text text;
    size_t taken = 0;

    text_init(&text, buffer, length % sizeof buffer + 1);
    text_add_escaped(&text, bytes, length);
    require(text.length < text.size && strlen(text.start) == text.length, "a text fits its buffer");
    require(is_printable(text.start, text.length) && !strpbrk(text.start, "\"'"),
            "an escaped text is printable and ends no quoted string");
    for (const char *at = text.start; *at; taken++)
        require(taken < length && unescape(&at) == (unsigned char)bytes[taken],
                "an escaped text stands for the bytes");
    require(taken == length || text.length + 5 >= text.size, "only what does not fit is left out");
}

/* The input is a message and a reply with a byte 0xff in between. */
static void compare(const char *bytes, size_t length)
{
    const char *middle = memchr(bytes, 0xff, length);
    size_t sent = middle ? (size_t)(middle - bytes) : length, tag;
    const char *reply = bytes + sent + (middle ? 1 : 0);
    size_t replied = length - (size_t)(reply - bytes);
    struct verify found = verify(bytes, sent, reply, replied);
    bool intact;

    tag = tag_length(reply, replied);
    intact = (sent == replied && memcmp(bytes, reply, sent) == 0) ||
             (tag > 0 && sent == replied - tag && memcmp(bytes, reply + tag, sent) == 0);
    require(intact == (found.kind == VERIFY_INTACT), "an intact reply is the message");
    require(found.offset <= sent && found.offset + found.tag_length <= replied,
            "the difference is in both");
    if (found.kind == VERIFY_DIFFERS)
        require(found.sent != found.received && found.sent == (unsigned char)bytes[found.offset] &&
                    found.received == (unsigned char)reply[found.tag_length + found.offset],
                "the bytes that differ do");
}

static void check_message(const char *bytes, size_t length)
{
    struct reference reference = {.max_bytes = 32};
    char buffer[REASON_SIZE];
    struct text reason;
    bool good;

    for (size_t i = 0; i < length; i++)
        reference_feed(&reference, (unsigned char)bytes[i]);
    good = reference.status == FRAME_MORE && reference.left == 0;
    text_init(&reason, buffer, sizeof buffer);
    require((message_check(bytes, length, 32, &reason) == 0) == good, "a message is a message");
    require((reason.length == 0) == good, "one that is refused is refused for a reason");
}

/* Memory that ends with the text shows what is read behind it; a string has a null byte there. */
static void try_parser(void (*parser)(const char *, size_t), bool string, const uint8_t *bytes,
                       size_t size)
{
    char *text = malloc(size + (string || size == 0));

    if (!text)
        return;
    memcpy(text, bytes, size);
    if (string)
        text[size] = '\0';
    parser(text, string ? strlen(text) : size);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const struct {
        void (*parser)(const char *, size_t);
        bool string;
    } parsers[] = {
        {parse_address, true},  {parse_sockaddr, true},     {parse_tag, false}, {print_tag, false},
        {parse_quantity, true}, {parse_utf8, false},        {escape, false},    {compare, false},
        {check_message, false}, {parse_bind_address, true},
    };
    size_t chosen = size > 0 ? bytes[0] % (sizeof parsers / sizeof parsers[0]) : 0;

    if (size > 0)
        try_parser(parsers[chosen].parser, parsers[chosen].string, bytes + 1, size - 1);
    return 0;
}
