"""Answers that go out piece by piece, for as long as their reader takes. Each holds a thread, so only some threads may.

An answer that is written whole goes into the kernel's buffer, and the thread is free: a slow reader of it costs nobody anything.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import cast

from flask import Response, current_app, stream_with_context

from service.web.problems import Problem

_BUSY = "As many answers are being read as may be at once. Nothing was stored; please send it again."
_SENTENCE = "Terlalu banyak berkas sedang diunduh sekaligus. Tunggu sebentar, lalu coba lagi."


class Streams:
    """The threads of one process that may be held by readers."""

    def __init__(self, threads: int) -> None:
        """Let a quarter of them be: half may wait for large bodies (`service.serving.patient_worker`), and some must be left."""
        self._free = threading.Semaphore(max(1, threads // 4))

    def begin(self, make: Callable[[], Iterable[bytes]], content_type: str) -> Response:
        """Answer with what `make` yields. Raises the problem `busy`, before it makes anything, where too many are being read."""
        if not self._free.acquire(blocking=False):
            raise Problem("busy", _BUSY, sentence=_SENTENCE)
        held = _Held(self._free)
        try:
            response = Response(stream_with_context(held.until_its_end(make())), content_type=content_type)
        except BaseException:
            held.end()
            raise
        response.call_on_close(held.end)  # a reader may be gone before the first piece
        return response


class _Held:
    """One thread that is held; however often it is ended, it is given back once."""

    def __init__(self, free: threading.Semaphore) -> None:
        self._free = free
        self._ended = False

    def until_its_end(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        try:
            yield from pieces
        finally:
            self.end()

    def __del__(self) -> None:
        """End it where nobody did: a server that cannot begin to answer closes nothing."""
        self.end()

    def end(self) -> None:
        if not self._ended:
            self._ended = True
            self._free.release()


def streams() -> Streams:
    """Answer the streams of the app that serves this request."""
    return cast(Streams, current_app.extensions["salur-streams"])
