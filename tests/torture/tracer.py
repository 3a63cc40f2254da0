# SPDX-License-Identifier: MIT
"""Follows a process and its threads from system call to system call with ptrace(2) on x86-64, and
changes their calls."""

import ctypes
import os
import platform
import signal
import struct

from calls import CALLS, SYS_WRITE

PEEKDATA, POKEDATA, CONT, GETREGS, SETREGS, SYSCALL = 2, 5, 7, 12, 13, 24
SEIZE, LISTEN, GET_SYSCALL_INFO = 0x4206, 0x4208, 0x420e
OPTIONS = 0x1 | 0x8 | 0x10 | 0x100000  # TRACESYSGOOD, TRACECLONE, TRACEEXEC, EXITKILL
SYSCALL_STOP = signal.SIGTRAP | 0x80
EVENT_EXEC, EVENT_STOP = 4, 128
INFO_ENTRY, INFO_EXIT = 1, 2
WALL = 0x40000000
STOPPING = signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU

# In struct user_regs_struct.
REGISTERS = 27
RAX, ORIG_RAX, RIP, RSP = 10, 15, 16, 19
ARGUMENTS = 14, 13, 12, 7, 9, 8  # rdi, rsi, rdx, r10, r8, r9
INSTRUCTION_SIZE = 2  # 0f 05
STACK_DISTANCE = 4096  # far below the stack pointer, and so below the red zone

MASK = (1 << 64) - 1

# In the auxiliary vector (getauxval(3)).
AT_NULL, AT_IGNORE, AT_SYSINFO_EHDR = 0, 1, 33

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long
_info = ctypes.create_string_buffer(88)
_registers = (ctypes.c_uint64 * REGISTERS)()


def _trace(request, tid, address=None, data=None):
    return _libc.ptrace(request, tid, address, data)


def why_impossible():
    """Returns why no child can be traced here, or None."""
    if platform.machine() != "x86_64" or struct.calcsize("P") != 8:
        return "this machine's system calls are not known"
    pid = os.fork()
    if pid == 0:
        signal.pause()
    allowed = _trace(SEIZE, pid) == 0
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, WALL)
    return None if allowed else "no process can be traced here (ptrace(2))"


class Thread:
    """What is known of a thread. The main thread's index is 0."""

    def __init__(self, tid, index):
        self.tid = tid
        self.index = index
        self.number = -1  # of the call that it makes
        self.arguments = ()
        self.counts = {}  # of its calls so far, by number
        self.busy = True  # it will stop soon: it makes no call that may wait
        self.at_exit = None  # if the call is changed: a function of the registers at its exit
        self.postponed = False  # the call is made again


class Process:
    """A traced child. The tracer has one at a time, and takes the status of every child."""

    def __init__(self, on_entry, on_exit, without_vdso):
        """Calls on_entry(thread) before each call and on_exit(thread, result) after it. Without the
        vDSO, reading a clock is a system call, too."""
        self._on_entry, self._on_exit, self._without_vdso = on_entry, on_exit, without_vdso
        self.pid = 0
        self.threads = {}
        self.status = None  # of its end, from waitpid(2)

    def attach(self, pid):
        """Attaches to a child that is about to execute a program, and begins there."""
        self.pid = pid
        if _trace(SEIZE, pid, None, OPTIONS) < 0:
            raise OSError(ctypes.get_errno(), "ptrace")

    def busy(self):
        """Returns whether a thread will stop soon."""
        return any(thread.busy for thread in self.threads.values())

    def step(self):
        """Handles all stops that have happened; SIGCHLD announces new ones. Never waits."""
        while self.status is None:
            tid, status = os.waitpid(-1, WALL | os.WNOHANG)
            if tid == 0:
                return
            self._handle(tid, status)

    def kill(self):
        """Kills the process, unless it has ended, and waits for its end."""
        if self.pid and self.status is None:
            os.kill(self.pid, signal.SIGKILL)
        while self.pid and self.status is None:
            tid, status = os.waitpid(-1, WALL)
            if os.WIFSTOPPED(status):
                _trace(CONT, tid)
            else:
                self._end(tid, status)

    # --- for a call at its entry; what the thread sees afterwards are its own arguments ---

    def replace(self, thread, result):
        """The call has no effect and returns the result."""
        self._cancel(thread)
        self.override(thread, result)

    def override(self, thread, result):
        """The call is made, and this is what the thread sees of it."""
        def set_result(registers):
            registers[RAX] = result & MASK
        thread.at_exit = set_result

    def postpone(self, thread):
        """The call has no effect, and is made again after signals that are pending."""
        def repeat(registers):
            registers[RIP] -= INSTRUCTION_SIZE
            registers[RAX] = thread.number
            registers[ORIG_RAX] = MASK
        self._cancel(thread)
        thread.at_exit = repeat
        thread.postponed = True

    def change(self, thread, number, arguments):
        """Another call is made instead."""
        self._change(thread, number, arguments)
        thread.at_exit = lambda registers: None

    def _change(self, thread, number, arguments):
        _trace(GETREGS, thread.tid, None, _registers)
        _registers[ORIG_RAX] = number
        self._set_arguments(arguments)
        _trace(SETREGS, thread.tid, None, _registers)

    def _cancel(self, thread):
        """Makes it a call without effect that every sandbox allows: the kernel asks the filter
        after the tracer, and a filter may kill for the number -1."""
        self._change(thread, SYS_WRITE, (MASK, 0, 0, 0, 0, 0))

    @staticmethod
    def _set_arguments(arguments):
        for register, argument in zip(ARGUMENTS, arguments):
            _registers[register] = argument

    # --- the thread's memory ---

    @staticmethod
    def peek(thread, address):
        """Returns the word at the address."""
        return _trace(PEEKDATA, thread.tid, address) & MASK

    @staticmethod
    def poke(thread, address, word):
        _trace(POKEDATA, thread.tid, address, word)

    @staticmethod
    def push(thread, data):
        """Copies to unused stack of the thread. Returns the address."""
        _trace(GETREGS, thread.tid, None, _registers)
        address = (_registers[RSP] - STACK_DISTANCE) & ~15
        data += bytes(-len(data) % 8)
        for at, (word,) in zip(range(0, len(data), 8), struct.iter_unpack("<Q", data)):
            _trace(POKEDATA, thread.tid, address + at, word)
        return address

    def _hide_vdso(self, thread):
        """Takes the vDSO out of the auxiliary vector, which is on the stack of a new program, behind
        the count of its arguments, these, and the environment."""
        _trace(GETREGS, thread.tid, None, _registers)
        at = _registers[RSP] + 8 * (self.peek(thread, _registers[RSP]) + 2)
        while self.peek(thread, at):
            at += 8
        at += 8
        while (kind := self.peek(thread, at)) not in (AT_NULL, AT_SYSINFO_EHDR):
            at += 16
        if kind == AT_SYSINFO_EHDR:
            self.poke(thread, at, AT_IGNORE)

    # --- stops ---

    def _enter(self, thread, number, arguments):
        thread.number = number
        thread.arguments = arguments
        thread.counts[number] = thread.counts.get(number, 0) + 1
        thread.at_exit, thread.postponed = None, False
        thread.busy = not (number in CALLS and set("wta") & set(CALLS[number].properties))
        self._on_entry(thread)

    def _leave(self, thread, result):
        thread.busy = True
        if thread.at_exit:
            _trace(GETREGS, thread.tid, None, _registers)
            self._set_arguments(thread.arguments)
            thread.at_exit(_registers)
            _trace(SETREGS, thread.tid, None, _registers)
            result = ctypes.c_int64(_registers[RAX]).value
        if not thread.postponed:
            self._on_exit(thread, result)

    def _handle_call(self, thread):
        if _trace(GET_SYSCALL_INFO, thread.tid, len(_info), _info) < 0:
            return  # it was killed
        kind, number, *arguments = struct.unpack_from("<B23xq6Q", _info)
        if kind == INFO_ENTRY:
            self._enter(thread, number, arguments)
        elif kind == INFO_EXIT:
            self._leave(thread, number)

    def _handle(self, tid, status):
        if not os.WIFSTOPPED(status):
            self._end(tid, status)
            return
        thread = self.threads.setdefault(tid, Thread(tid, len(self.threads)))
        number, event, deliver = os.WSTOPSIG(status), status >> 16, 0
        if number == SYSCALL_STOP:
            self._handle_call(thread)
        elif event == EVENT_STOP and number in STOPPING:
            _trace(LISTEN, tid)  # it stays stopped, as SIGSTOP wants it
            os.kill(self.pid, signal.SIGCONT)
            return
        elif event == EVENT_EXEC and self._without_vdso:
            self._hide_vdso(thread)
        elif event == 0:
            deliver = number
        _trace(SYSCALL, tid, None, deliver)

    def _end(self, tid, status):
        if tid in self.threads:
            self.threads[tid].busy = False
        if tid == self.pid:
            self.status = status
