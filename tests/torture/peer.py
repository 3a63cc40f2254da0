# SPDX-License-Identifier: MIT
"""The other end of a connection, as a script has it. Nothing here waits."""

import os
import select
import socket
import struct

RECEIVE_SIZE = 1 << 16
RESET = struct.pack("ii", 1, 0)  # struct linger


class Peer:
    def __init__(self, script, serves):
        """Makes a peer, which serves or is a client, without a connection."""
        self.script, self.serves = script, serves
        self.source = self.sink = None  # the connection: objects with fileno(); None: not there
        self.connected = False  # it was there
        self.ended = False  # the input has ended
        self.message = script.message() + b"\0"
        self.sending = b"" if serves else self._clients_bytes()
        self.sent = 0
        self.allowed = script.piece or len(self.message) + script.trailing + 1
        self.received = bytearray()

    def _clients_bytes(self):
        if self.script.unended:
            return self.message[:-1]
        return self.message + b"x" * self.script.trailing

    def _servers_bytes(self):
        half = len(self.message) // 2
        changed = bytes([self.message[half] ^ 1])
        return {"echo": self.message,
                "altered": self.message[:half] + changed + self.message[half + 1:],
                "cut": self.message[:half],
                "more": self.message + b"x",
                "close": b"",
                "none": b""}[self.script.answer]

    # --- the connection ---

    def connect(self, source, sink):
        """Gives it its connection, which it closes in the end: a socket, or two ends of pipes."""
        for end in source, sink:
            os.set_blocking(end.fileno(), False)
        self.source, self.sink, self.connected = source, sink, True

    def allow(self):
        """Lets it send one piece more."""
        self.allowed = max(self.allowed, self.sent + self.script.piece)

    def _has_to_send(self):
        return self.sink is not None and self.sent < min(len(self.sending), self.allowed)

    def polls(self):
        """Returns what to wait for: pairs of a descriptor and events of poll(2)."""
        if self.source and not self.ended:
            yield self.source.fileno(), select.POLLIN
        if self._has_to_send():
            yield self.sink.fileno(), select.POLLOUT

    def _close_sink(self):
        if self.sink and self.sink is not self.source:
            self.sink.close()
        elif self.sink:
            try:
                self.sink.shutdown(socket.SHUT_WR)
            except OSError:
                pass
        self.sink = None

    def close(self):
        """Closes what is open: with a reset if all is over, as the port is free again then."""
        if self.source and self.ended and isinstance(self.source, socket.socket):
            self.source.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self._close_sink()
        if self.source:
            self.source.close()
        self.source = None

    # --- what it does ---

    def _receive(self):
        try:
            data = os.read(self.source.fileno(), RECEIVE_SIZE)
            self.received += data
            self.ended = not data
        except BlockingIOError:
            pass
        except OSError:
            self.ended = True

    def _send(self):
        end = min(len(self.sending), self.allowed)
        try:
            self.sent += os.write(self.sink.fileno(), self.sending[self.sent:end])
        except BlockingIOError:
            pass
        except OSError:
            self._close_sink()

    def _follow_up(self):
        """Does what the script has after all is sent, or if nothing is to be sent."""
        if self.script.then == "leave" or (self.serves and self.script.answer != "none"):
            self.close()
        elif self.script.then == "shut":
            self._close_sink()

    def step(self):
        """Sends and receives what it can."""
        if self.source and not self.ended and self.script.then != "leave":
            self._receive()
        asked = b"\0" in self.received
        if self.serves and not self.sending and asked:
            self.sending = self._servers_bytes()
        if self._has_to_send():
            self._send()
        if self.sink and self.sent == len(self.sending) and (asked or not self.serves):
            self._follow_up()
        if self.ended and not self.serves:
            self.close()

    # --- what came in ---

    def expected(self):
        """Returns how many bytes the program may send at most: the beginning of the message."""
        return 0 if self.script.refused and not self.serves else len(self.message)

    def was_right(self):
        """Returns whether all that came in is the beginning of what may come."""
        return (len(self.received) <= self.expected()
                and self.message.startswith(bytes(self.received)))

    def got_all(self):
        return self.was_right() and len(self.received) == self.expected()

    def is_content(self):
        """Returns whether the script took place as it does when nothing fails."""
        if self.script.then == "leave":
            return self.connected
        return self.connected and self.got_all() and (self.serves or self.ended)
