"""The process that serves: gunicorn's threads, kept from callers who are slow and from more of them than can be answered.

gthread gives a thread to whoever connects, and a caller who then sends a byte a second keeps it: as many such callers as there are
threads stop the service. Here the process's own loop listens until a request is complete, which costs some bytes and no thread. A
proxy in front does the same and more; this is for the day when there is none, or when the proxy itself is slow.

A caller who is refused must still be able to send the rest of the body, or most see a broken pipe and never read why. So the loop
goes on reading for a while and throws away what comes after the answer; it waits for nobody.
"""

from __future__ import annotations

import errno
import re
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException
from gunicorn.workers.gthread import TConn, ThreadWorker

from service.serving import refusals
from service.telemetry import metrics
from service.web.problems import is_for_machines, log_failure

REQUEST_SECONDS = 10.0
"""For a request to arrive, and for each part of an answer to be taken."""
STOP_SECONDS = 2.0
"""For a request to arrive once the server was told to stop."""
PACE = 8_000
"""Bytes a second that a body must make after its first REQUEST_SECONDS."""
MAX_HEAD = 32_768
MAX_HELD = 131_072
"""Bytes of a body that the loop waits for; a larger one is read by a thread, at a pace."""
MAX_HELD_BY_ALL = 33_554_432
SEND_BUFFER = 262_144
"""Bytes of an answer that the kernel takes from a thread at once, however slowly the caller reads."""
UNREAD_SECONDS = 0.05
"""For the rest of a body that the app did not read, where its connection is to be kept alive."""
LINGER_SECONDS = 2.0
MAX_DISCARDED = 16_777_216
"""Seconds for which, and bytes up to which, a caller is listened to after the last answer."""
_CHUNK = 65_536
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)[ \t]*\r\n", re.IGNORECASE)
_MOST_DIGITS = 12
"""Of a body's length: who writes more has no end in mind, and Python refuses to read thousands of them as a number."""
_EXPECTS = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*\r\n", re.IGNORECASE)
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_BUSY = "More requests are waiting than can be answered soon. Nothing was stored; please send it again."
_SLOW = "The request came too slowly, or not whole. Nothing was stored; please send it again."
_NO_HANDLE = (errno.EMFILE, errno.ENFILE)


@dataclass(slots=True)
class _Heard:
    """What came of a request so far."""

    data: bytearray = field(default_factory=bytearray)
    told_to_go_on: bool = False

    def rest(self) -> int | None:
        """Bytes still to come; None where only they can tell, 0 where it is all there, or more than is waited for."""
        end = self.data.find(b"\r\n\r\n")
        if end < 0:
            return None if len(self.data) <= MAX_HEAD else 0
        found = _LENGTH.search(self.data, 0, end + 4)
        length = int(found[1].lstrip(b"0")[:_MOST_DIGITS] or 0) if found else 0
        return max(0, length - (len(self.data) - end - 4))

    def has_too_large_a_head(self) -> bool:
        """Tell whether the head is larger than is waited for, or will be: the parser would wait for far more, in a thread."""
        return len(self.data) > MAX_HEAD and self.data.find(b"\r\n\r\n", 0, MAX_HEAD) < 0

    def is_in_chunks(self) -> bool:
        """Tell whether there is a body whose end is not known beforehand."""
        head = bytes(self.data[:MAX_HEAD]).partition(b"\r\n\r\n")[0].lower()
        return b"\r\ntransfer-encoding:" in head


class _Paced:
    """A caller's socket as the parser reads it: bytes must come at a pace, or TimeoutError is raised."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.begin()

    def begin(self) -> None:
        """Begin to count anew, with a new request."""
        self._until = time.monotonic() + REQUEST_SECONDS

    def recv(self, size: int) -> bytes:
        """Read what there is, as a socket does."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError(errno.ETIMEDOUT, "the body comes too slowly")
        usual = self._sock.gettimeout()
        self._sock.settimeout(left if usual is None else min(left, usual))
        try:
            data = self._sock.recv(size)
        finally:
            self._sock.settimeout(usual)
        self._until += len(data) / PACE
        return data

    def gettimeout(self) -> float | None:
        """Answer the socket's own."""
        return self._sock.gettimeout()

    def settimeout(self, seconds: float | None) -> None:
        """Set the socket's own."""
        self._sock.settimeout(seconds)


class PatientWorker(ThreadWorker):  # type: ignore[misc]
    """A worker whose threads only ever see requests that have arrived, and no more of them than they can answer soon."""

    def __init__(self, *args: Any, **options: Any) -> None:
        """Split the connections that gunicorn may hold: half arriving, a quarter kept alive, the rest being answered or closed."""
        super().__init__(*args, **options)
        self._arriving: dict[TConn, _Heard] = {}  # the one that began first stands first
        self._held = 0
        self._in_flight = 0
        self._unfinished: set[TConn] = set()
        self._lingering: dict[TConn, int] = {}  # bytes that each may still send; the one that began first stands first
        # For what arrives at any moment. To read into one of its own each time leaves holes in memory: much is asked for, cut down
        # to what came, and the next is asked for behind it. A worker grew by 20 MB in 24,000 complaints.
        self._buffer = bytearray(4 * _CHUNK)
        self._most_lingering = self.worker_connections // 8
        self._most_arriving = self.worker_connections // 2
        self._most_in_flight = min(max(64, 16 * self.cfg.threads), self.worker_connections // 4)
        self._most_unfinished = max(1, self.cfg.threads // 2)
        self.max_keepalived = self.worker_connections // 4

    def accept(self, listener: Any) -> None:
        """Take a new connection, at the cost of the one that has been slow for longest where no handle is left."""
        try:
            super().accept(listener)
        except OSError as error:
            if error.errno not in _NO_HANDLE:
                raise
            if self._lingering:
                self._let_go(next(iter(self._lingering)))
            elif self._arriving:
                self._give_up(next(iter(self._arriving)))

    def enqueue_req(self, conn: TConn) -> None:
        """Listen to a connection, new or kept alive, until its next request is there."""
        heard = _Heard()
        if conn.initialized:
            heard.data += conn.parser.unreader.take_buffered()
        else:
            conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + REQUEST_SECONDS
        self._arriving[conn] = heard
        self._held += len(heard.data)
        self._listen(conn, conn.sock)  # most requests are there at once, and the poller need not know of them
        if conn in self._arriving:
            self.poller.register(conn.sock, EVENT_READ, partial(self._listen, conn))
        while len(self._arriving) > self._most_arriving:
            self._give_up(next(iter(self._arriving)))

    def _listen(self, conn: TConn, sock: socket.socket) -> None:
        heard = self._arriving.get(conn)
        if heard is None:  # given up for another while this event waited
            return
        try:
            size = sock.recv_into(self._buffer, _CHUNK)
        except (BlockingIOError, InterruptedError):
            size = None
        except OSError:
            size = 0
        if size == 0:
            self._close(conn)
            return
        if size:
            heard.data += memoryview(self._buffer)[:size]
            self._held += size
        if self._is_there(conn, heard):
            self._dispatch(conn)
        while self._held > MAX_HELD_BY_ALL:
            self._give_up(next(iter(self._arriving)))

    def _is_there(self, conn: TConn, heard: _Heard) -> bool:
        rest = heard.rest()
        if rest is None:
            return False
        if 0 < rest <= MAX_HELD:
            if not heard.told_to_go_on and _EXPECTS.search(heard.data, 0, MAX_HEAD):
                heard.told_to_go_on = True
                with suppress(OSError):
                    conn.sock.send(_CONTINUE)
            return False
        return True

    def _dispatch(self, conn: TConn) -> None:
        """Give a request to the threads, or refuse it at once where they have enough to do."""
        heard = self._arriving[conn]
        unfinished = heard.rest() != 0 or heard.is_in_chunks()
        self._forget(conn)
        if heard.has_too_large_a_head():
            self._refuse(conn, "headers-too-large" if b"\r\n" in heard.data else "uri-too-long", "", heard.data)
            self._linger(conn)
            return
        # That the process lives must be seen on the worst day too, or it is stopped for being busy.
        busy = self._in_flight >= self._most_in_flight and not heard.data.startswith(b"GET /healthz ")
        if busy or (unfinished and len(self._unfinished) >= self._most_unfinished):
            self._refuse(conn, "busy", _BUSY, heard.data)
            if unfinished:
                self._linger(conn)
            else:
                self._hang_up(conn)
            return
        if not conn.initialized:
            conn.init()  # without TLS it only makes the parser, and waits for nothing
            conn.parser.unreader.sock = _Paced(conn.sock)
        conn.parser.unreader.sock.begin()
        conn.parser.unreader.unread(bytes(heard.data))
        conn.data_ready = True
        self._in_flight += 1
        if unfinished:
            self._unfinished.add(conn)
        super().enqueue_req(conn)

    @staticmethod
    def _refuse(conn: TConn, kind: str, detail: str, request: bytes | bytearray) -> None:
        """Answer a request that no thread is given."""
        metrics.count_refused(kind)
        with suppress(OSError):
            conn.sock.send(refusals.unread(kind, detail, request))

    def handle_request(self, req: Any, conn: TConn) -> bool:
        """Answer, and let no thread wait for long for a caller who does not take the answer."""
        conn.sock.settimeout(REQUEST_SECONDS)
        try:
            return bool(super().handle_request(req, conn))
        except TimeoutError as error:
            raise ConnectionResetError(errno.ECONNRESET, "the answer was not taken in time") from error

    def _keepalive_after(self, conn: TConn, keepalive: bool) -> bool:
        """Leave what the app did not read of a body to the loop: a thread would wait for it, and others for the thread."""
        if conn in self._unfinished:
            return keepalive and bool(conn.parser.finish_body(deadline=time.monotonic() + UNREAD_SECONDS))
        return bool(super()._keepalive_after(conn, keepalive))

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: BaseException) -> None:  # noqa: ARG002
        """Refuse what is no request of HTTP with a problem; gunicorn's own words repeat it, to the caller and in the log."""
        kinds = ((LimitRequestLine, "uri-too-long"), (LimitRequestHeaders, "headers-too-large"), (ParseException, "bad-request"))
        kind = next((kind for error, kind in kinds if isinstance(exc, error)), "internal")
        if kind == "internal":
            log_failure(exc)
        else:
            metrics.count_refused(kind)
        with suppress(OSError):
            client.send(refusals.of_kind(kind, for_machines=req is None or is_for_machines(req.path)))

    def finish_request(self, conn: TConn, fs: Any) -> None:
        """Count one request less, and go on with its connection or end it; gunicorn's loop would wait for the caller to do so."""
        self._in_flight -= 1
        self._unfinished.discard(conn)
        if not fs.cancelled() and (fs.exception() or fs.result()):
            super().finish_request(conn, fs)
        else:
            self._linger(conn)

    def murder_pending(self) -> None:
        """Give up connections whose request did not arrive in time, and those that were listened to for long enough."""
        super().murder_pending()
        while self._lingering and (conn := next(iter(self._lingering))).timeout <= time.monotonic():
            self._let_go(conn)
        now = time.monotonic() if self.alive else time.monotonic() + REQUEST_SECONDS - STOP_SECONDS
        while self._arriving and (conn := next(iter(self._arriving))).timeout <= now:
            self._give_up(conn)

    def _linger(self, conn: TConn) -> None:
        """Say that nothing more is answered, and close once the caller has, or has sent enough."""
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:  # the caller is gone
            self._hang_up(conn)
            return
        conn.timeout = time.monotonic() + LINGER_SECONDS
        self._lingering[conn] = MAX_DISCARDED
        self.poller.register(conn.sock, EVENT_READ, partial(self._discard, conn))
        while len(self._lingering) > self._most_lingering:
            self._let_go(next(iter(self._lingering)))

    def _discard(self, conn: TConn, sock: socket.socket) -> None:
        if conn not in self._lingering:  # let go for another while this event waited
            return
        try:
            size = sock.recv_into(self._buffer)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            size = 0
        self._lingering[conn] -= size
        if size == 0 or self._lingering[conn] <= 0:
            self._let_go(conn)

    def _let_go(self, conn: TConn) -> None:
        del self._lingering[conn]
        with suppress(KeyError, ValueError):
            self.poller.unregister(conn.sock)
        self._hang_up(conn)

    def _give_up(self, conn: TConn) -> None:
        metrics.count_refused("slow")
        if data := self._arriving[conn].data:
            with suppress(OSError):
                conn.sock.send(refusals.unread("too-slow", _SLOW, data))
        self._close(conn)

    def _close(self, conn: TConn) -> None:
        self._forget(conn)
        self._hang_up(conn)

    def _forget(self, conn: TConn) -> None:
        self._held -= len(self._arriving.pop(conn).data)
        with suppress(KeyError, ValueError):
            self.poller.unregister(conn.sock)

    def _hang_up(self, conn: TConn) -> None:
        self.nr_conns -= 1
        conn.close()
