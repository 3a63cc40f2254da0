# SPDX-License-Identifier: MIT
"""The system calls of x86-64: how each can fail, and what of it can be cut short."""

import collections
import errno

# ANY: a filter of system calls, or a kernel that is too old or out of memory.
GROUPS = {
    "ANY": "ENOSYS EPERM EINVAL ENOMEM",
    "AGAIN": "EINTR EAGAIN",
    "FILES": "EACCES ENOENT EMFILE ENFILE ELOOP ENOTDIR",
    "NET": "EHOSTUNREACH ENETUNREACH ENETDOWN ETIMEDOUT",
    "SOCKET": "ENOTSOCK ENOTCONN ENOBUFS",
}

# Number, name, properties, errors. The properties:
#   d  the first argument is a descriptor     t  transfers bytes, perhaps fewer than wanted
#   w  waits for input or time                a  EINTR and EAGAIN mean: again
# After an error with "+" the call has had its effect all the same, or goes on in the background.
# EBADF means closed: of fstat or fcntl for an open descriptor it would be a lie of the kernel.
TABLE = """
0   read            dtwa ANY AGAIN EBADF EIO EISDIR EFAULT ECONNRESET ENOTCONN NET
45  recvfrom        dtwa ANY AGAIN EBADF ECONNREFUSED ECONNRESET EFAULT EIO SOCKET NET
47  recvmsg         da   ANY AGAIN EBADF ECONNRESET SOCKET
1   write           dta  ANY AGAIN EBADF EPIPE EIO ENOSPC EFBIG EDQUOT ECONNRESET NET
20  writev          dta  ANY AGAIN EBADF EPIPE EIO ENOSPC EFBIG EDQUOT
44  sendto          dta  ANY AGAIN EBADF EPIPE ECONNRESET EMSGSIZE EACCES EIO SOCKET NET
46  sendmsg         dta  ANY AGAIN EBADF EPIPE ECONNRESET EMSGSIZE EACCES EIO SOCKET NET
17  pread64         d    ANY EBADF EIO EISDIR

7   poll            wa   ANY EINTR EFAULT
271 ppoll           wa   ANY EINTR EFAULT
232 epoll_wait      dwa  ANY EINTR EBADF EFAULT
281 epoll_pwait     dwa  ANY EINTR EBADF EFAULT
441 epoll_pwait2    dwa  ENOSYS EINTR EBADF EFAULT
202 futex           a    ANY AGAIN EFAULT
228 clock_gettime   -
96  gettimeofday    -
35  nanosleep       a    EINVAL EINTR EFAULT
230 clock_nanosleep a    EINVAL EINTR EFAULT

41  socket          -    ANY EACCES EAFNOSUPPORT EMFILE ENFILE ENOBUFS EPROTONOSUPPORT
53  socketpair      -    ANY EAFNOSUPPORT EMFILE ENFILE EOPNOTSUPP
42  connect         d    ANY +EINTR EAGAIN EACCES EADDRINUSE EADDRNOTAVAIL EAFNOSUPPORT EALREADY EBADF \
                         ECONNREFUSED ECONNRESET EISCONN ENOENT ENOTSOCK EPROTOTYPE NET
49  bind            d    ANY EACCES EADDRINUSE EADDRNOTAVAIL EBADF ENOTSOCK EROFS ENOENT
50  listen          d    ANY EADDRINUSE EBADF ENOTSOCK EOPNOTSUPP
288 accept4         da   ANY AGAIN EBADF ECONNABORTED EMFILE ENFILE ENOBUFS ENOTSOCK EOPNOTSUPP EPROTO \
                         EHOSTDOWN ENONET ENOPROTOOPT NET
48  shutdown        d    ANY EBADF ENOTCONN ENOTSOCK
51  getsockname     d    ANY EBADF ENOBUFS ENOTSOCK
52  getpeername     d    ANY EBADF ENOBUFS ENOTCONN ENOTSOCK
55  getsockopt      d    ANY EBADF EFAULT ENOPROTOOPT ENOTSOCK
54  setsockopt      d    ANY EBADF EFAULT ENOPROTOOPT ENOTSOCK EDOM

257 openat          -    ANY FILES EINTR EIO EOVERFLOW
3   close           d    +EINTR +EIO +ENOSPC
436 close_range     -    ANY EMFILE
5   fstat           d    ANY EFAULT EOVERFLOW
262 newfstatat      d    ANY EFAULT EOVERFLOW EACCES ENOENT ENOTDIR
332 statx           d    ANY EFAULT EACCES ENOENT ENOTDIR
72  fcntl           d    ANY EACCES EAGAIN
16  ioctl           d    ANY EBADF EFAULT ENOTTY EIO
263 unlinkat        d    ANY EACCES EBUSY ENOENT EROFS

291 epoll_create1   -    ANY EMFILE ENFILE
233 epoll_ctl       d    ANY EBADF EEXIST ENOENT ENOSPC ELOOP
283 timerfd_create  -    ANY EMFILE ENFILE ENODEV
286 timerfd_settime d    ANY EBADF ECANCELED EFAULT
289 signalfd4       -    ANY EBADF EMFILE ENFILE ENODEV
290 eventfd2        -    ANY EMFILE ENFILE ENODEV

9   mmap            -    ANY EACCES EAGAIN EBADF ENODEV ENFILE EOVERFLOW
10  mprotect        -    ANY EACCES
11  munmap          -    ANY
28  madvise         -    ANY EACCES EAGAIN EBADF EIO
12  brk             -    ENOMEM
157 prctl           -    ANY EACCES EBUSY EFAULT
13  rt_sigaction    -    ANY EFAULT
14  rt_sigprocmask  -    ANY EFAULT
38  setitimer       -    ANY EFAULT
56  clone           -    ANY EAGAIN ENOSPC
435 clone3          -    ANY EAGAIN ENOSPC
318 getrandom       a    ANY AGAIN EFAULT
302 prlimit64       -    ANY EFAULT ESRCH

15  rt_sigreturn    -
60  exit            -
231 exit_group      -
219 restart_syscall w
334 rseq            -
"""

Call = collections.namedtuple("Call", "name properties errors")

FUTEX_WAITS = 0, 9  # FUTEX_WAIT, FUTEX_WAIT_BITSET
FUTEX_COMMAND = 0x7f

SYS_WRITE, SYS_SENDTO = 1, 44

WALL_CLOCKS = 0, 5, 11  # CLOCK_REALTIME, CLOCK_REALTIME_COARSE, CLOCK_TAI


def _read_table():
    table = {}
    for line in TABLE.replace("\\\n", "").splitlines():
        number, name, properties, *words = line.split() or [0, "", ""]
        errors = " ".join(GROUPS.get(word, word) for word in words).split()
        if name:
            table[int(number)] = Call(name, properties, errors)
    return table


CALLS = _read_table()


def find(number):
    """Returns the call; where it is not in the table, one with the errors of any call."""
    return CALLS.get(number) or Call(f"call {number}", "", GROUPS["ANY"].split())


def error_number(error):
    return getattr(errno, error.lstrip("+"))


def is_passing(call, error):
    """Returns whether the error takes nothing from what the caller wants."""
    return error[0] == "+" or ("a" in call.properties and error in ("EINTR", "EAGAIN"))


def wall_time(call, arguments):
    """Returns the address of the seconds of the wall clock that the call reads, or None."""
    if call.name == "clock_gettime" and arguments[0] in WALL_CLOCKS:
        return arguments[1]
    return arguments[0] if call.name == "gettimeofday" else None


def is_wakeup(call, arguments):
    """Returns whether it is a futex call that does not wait, and so can't fail."""
    return call.name == "futex" and arguments[1] & FUTEX_COMMAND not in FUTEX_WAITS
