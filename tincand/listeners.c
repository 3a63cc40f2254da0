/* SPDX-License-Identifier: MIT */
#include "tincand/listeners.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

/* Adds "cannot ACTION OBJECT: REASON; ADVICE" and returns -1. */
static int fail(struct text *problem, const char *action, const char *object, const char *reason,
                const char *advice)
{
    text_addf(problem, "cannot %s", action);
    text_add_escaped(problem, object, strlen(object));
    text_addf(problem, ": %s; %s", reason, advice);
    return -1;
}

/* Adds the socket to the list. Returns 0, or EMFILE if the list is full. */
static int add(struct listeners *listeners, int fd, bool own)
{
    struct listener *listener = &listeners->list[listeners->count];
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    struct text name;

    if (listeners->count == LISTENERS_MAX)
        return EMFILE;
    *listener = (struct listener){.fd = fd, .own = own};
    text_init(&name, listener->name, sizeof listener->name);
    if (getsockname(fd, (struct sockaddr *)&address, &size) == 0)
        sockaddr_print(&name, &address, size, if_indextoname);
    listeners->count++;
    return 0;
}

/* --- handed over --- */

/* Returns why `fd` is not a listening stream socket, as a clause; NULL if it is one. */
static const char *check_listening(int fd)
{
    int type;
    socklen_t size = sizeof type;

    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0)
        return errno == EBADF ? "it is closed" : "it is not a socket";
    if (type != SOCK_STREAM)
        return "it is not a stream socket";
    if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0)
        return "it is a connection, not a listening socket";
    return NULL;
}

/* A connection can vanish, or another process can accept it, before accept(2) is called, which
 * would then wait for the next one. */
static int set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

static int inherit(struct listeners *listeners, int fd, const char *name, const char *advice,
                   struct text *problem)
{
    const char *reason = check_listening(fd);

    if (!reason && set_nonblocking(fd) < 0)
        reason = strerror(errno);
    if (!reason && add(listeners, fd, false) != 0)
        reason = "it is one more than 64";
    if (reason)
        return fail(problem, "use the socket handed over as ", name, reason, advice);
    return 0;
}

static int inherit_stdin(struct listeners *listeners, struct text *problem)
{
    struct stat status;

    if (fstat(STDIN_FILENO, &status) < 0 || !S_ISSOCK(status.st_mode)) {
        text_add(problem,
                 "there is nothing to listen on; give --listen=ADDRESS, or start tincand "
                 "with a listening socket: from a .socket unit with Accept=no, or from xinetd "
                 "with wait = yes");
        return -1;
    }
    return inherit(listeners, STDIN_FILENO, "standard input",
                   "set wait = yes and socket_type = stream (xinetd) or stream and wait (inetd); "
                   "for a process per connection there is tincan-handler",
                   problem);
}

static void free_names(char **names)
{
    for (char **name = names; name && *name; name++)
        free(*name);
    free(names);
}

int listeners_inherit(struct listeners *listeners, bool on_stdin, struct text *problem)
{
    char **names = NULL;
    int count = sd_listen_fds_with_names(1, &names);
    int status = 0;

    if (count < 0)
        return fail(
            problem, "use the sockets handed over", "", strerror(-count),
            "LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES are not what sd_listen_fds(3) expects");
    for (int i = 0; i < count && status == 0; i++)
        status = inherit(listeners, SD_LISTEN_FDS_START + i, names[i],
                         "the .socket unit needs ListenStream= and Accept=no", problem);
    free_names(names);
    if (count == 0 && on_stdin)
        return inherit_stdin(listeners, problem);
    return status;
}

/* --- opened here --- */

/* Returns 0 if somebody listens on the socket at the address, ECONNREFUSED if nobody does any more,
 * or another errno value. */
static int try_to_connect(const struct sockaddr_un *address, socklen_t size)
{
    /* Without SOCK_NONBLOCK, connect(2) would wait for a server whose queue is full. */
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), error = 0;

    if (fd < 0)
        return errno;
    if (connect(fd, (const struct sockaddr *)address, size) < 0)
        error = errno;
    close(fd);
    return error;
}

/* Returns the errno value that says what is in the way at the address; or 0 if that is a socket
 * file on which nobody listens any more. */
static int obstacle_at(const struct sockaddr_un *address, socklen_t size)
{
    int error = try_to_connect(address, size);
    struct stat status;

    if (error == 0 || error == EAGAIN || address->sun_path[0] == '\0')
        return EADDRINUSE;
    if (lstat(address->sun_path, &status) == 0 && !S_ISSOCK(status.st_mode))
        return EEXIST;
    return error == ECONNREFUSED ? 0 : EADDRINUSE;
}

/* Binds `fd`; a socket file without a server is replaced. Returns 0, or -1 with errno. */
static int bind_socket(int fd, const struct sockaddr *address, socklen_t size)
{
    const struct sockaddr_un *local = (const struct sockaddr_un *)address;

    if (bind(fd, address, size) == 0)
        return 0;
    if (errno != EADDRINUSE || address->sa_family != AF_UNIX)
        return -1;
    errno = obstacle_at(local, size);
    if (errno != 0)
        return -1;
    return unlink(local->sun_path) < 0 ? -1 : bind(fd, address, size);
}

/* Returns a socket that listens on the address, or -1 with errno. */
static int listen_on(const struct sockaddr *address, socklen_t size)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1, off = 0;
    int error;

    if (fd < 0)
        return -1;
    /* The port is free although connections of an earlier server are still closing. */
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address->sa_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind_socket(fd, address, size) == 0 && listen(fd, SOMAXCONN) == 0)
        return fd;
    error = errno;
    close(fd);
    errno = error;
    return -1;
}

static const char *advice_for(int error)
{
    switch (error) {
    case EADDRINUSE:
        return "another program listens there, and `ss -xlnp` or `ss -tlnp` shows which; "
               "stop it, or choose another";
    case EEXIST:
        return "the file is no socket; remove it, or choose another path";
    case EAFNOSUPPORT:
        return "this machine has no such sockets, or the unit forbids them "
               "(RestrictAddressFamilies=): there, use the ListenStream= of a .socket unit";
    case EADDRNOTAVAIL:
        return "no interface of this machine has this address; `ip address` lists those it has";
    case EACCES:
    case EPERM:
        return "ports below 1024, and sockets in folders of other users, need privileges";
    case ENOENT:
        return "create the folder first";
    case EMFILE:
        return "64 sockets are the most; use several instances";
    default:
        return "choose another address";
    }
}

/* Remembers the socket file: another server may have replaced it when this one ends. */
static void remember_file(struct listener *listener, const char *path)
{
    struct stat status;

    if (lstat(path, &status) < 0)
        return;
    listener->path = path;
    listener->device = status.st_dev;
    listener->inode = status.st_ino;
}

static void remove_file(const struct listener *listener)
{
    struct stat status;

    if (listener->path && lstat(listener->path, &status) == 0 &&
        status.st_dev == listener->device && status.st_ino == listener->inode)
        (void)unlink(listener->path);
}

/* Listens on one socket address of `text`. Returns 0 or an errno value. */
static int open_one(struct listeners *listeners, const char *text, const struct sockaddr *address,
                    socklen_t size)
{
    const struct sockaddr_un *local = (const struct sockaddr_un *)address;
    int fd = listen_on(address, size);
    int error = fd < 0 ? errno : add(listeners, fd, true);

    if (fd >= 0 && error != 0)
        close(fd);
    if (error == 0 && address->sa_family == AF_UNIX && local->sun_path[0] != '\0')
        remember_file(&listeners->list[listeners->count - 1], text + strlen("unix:"));
    return error;
}

static int fail_to_listen(const char *text, int error, struct text *problem)
{
    return fail(problem, "listen on ", text, strerror(error), advice_for(error));
}

/* Listens on all addresses of a name. On a machine without IPv4 or IPv6 the addresses of that
 * family are left out. */
static int open_names(struct listeners *listeners, const struct address *address,
                      struct text *problem)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *list;
    size_t before = listeners->count;
    int status = getaddrinfo(address->host, address->port, &hints, &list);
    int error = 0, missing = 0;

    if (status != 0)
        return fail(problem, "listen on ", address->text, gai_strerror(status),
                    "check the name, or give the address in digits");
    for (struct addrinfo *each = list; each && error == 0; each = each->ai_next) {
        error = open_one(listeners, address->text, each->ai_addr, each->ai_addrlen);
        if (error == EAFNOSUPPORT || error == EADDRNOTAVAIL) {
            missing = error;
            error = 0;
        }
    }
    freeaddrinfo(list);
    if (error == 0 && listeners->count == before)
        error = missing;
    return error == 0 ? 0 : fail_to_listen(address->text, error, problem);
}

int listeners_open(struct listeners *listeners, const struct address *address, struct text *problem)
{
    int error;

    if (address->host[0] != '\0')
        return open_names(listeners, address, problem);
    error = open_one(listeners, address->text, (const struct sockaddr *)&address->socket,
                     address->socket_size);
    return error == 0 ? 0 : fail_to_listen(address->text, error, problem);
}

void listeners_close(struct listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++) {
        close(listeners->list[i].fd);
        remove_file(&listeners->list[i]);
    }
    listeners->count = 0;
}
