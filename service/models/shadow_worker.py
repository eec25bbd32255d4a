"""Asks the challenger, beside the requests: one thread of one process of a host, there all the time and mostly asleep.

No request waits for it or knows of it. It works a bounded share of the time, a few complaints at once; what it has not done yet
is counted, not lost. Whoever holds the lock works, so that only one process holds a second model; when it dies, another goes on.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from contextlib import suppress
from typing import Any

import structlog
from flask import Flask
from sqlalchemy import Row

from model.faults import SalurError
from model.ledger import Event
from model.registry import Shadowed
from model.routing import Routing
from service.active_model import RETRY_SECONDS, RouterLike, why_not
from service.clock import now
from service.complaints import intake
from service.models import shadow
from service.models.shadow import Said
from service.parts import Parts
from service.telemetry import metrics

LOOK_SECONDS = 1.0
AT_ONCE = 20
"""Complaints of one transaction."""
SHARE = 0.25
"""Of the time, how much is spent on asking the challenger while there is something to ask."""
LOCK = ".shadow.lock"
NAME = "salur-service"
"""Who tells the ledger that a challenger cannot be loaded."""
_log = structlog.get_logger("salur")


class ShadowWorker:
    """The thread of one process."""

    def __init__(self, parts: Parts) -> None:
        """Look after the challenger of an app; nothing runs before `keep_watch`."""
        self._parts = parts
        self._router: RouterLike | None = None
        self._failed = ""
        self._failed_at = float("-inf")
        self._lock: int | None = None
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    def keep_watch(self) -> None:
        """Work until `stop`. A server calls it once in each of its processes."""
        self._thread = threading.Thread(target=self._run, name="salur-shadow", daemon=True)
        self._thread.start()

    def stop(self, seconds: float = 30.0) -> None:
        """Stop after the complaint that is under way."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(seconds)
        self._give_up()

    def work_off(self) -> int:
        """Ask the challenger about all that waits, in this thread; answer how many complaints that were."""
        done = 0
        while not self._stopping.is_set() and (answered := self._step()):
            done += answered
        return done

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.work_off()
                metrics.note_shadow(bool(self._failed))
            except Exception as error:  # a locked database, say: what waits goes on waiting. The text may quote a citizen.
                _log.error("shadow step failed", error=type(error).__name__)
            self._stopping.wait(LOOK_SECONDS)

    def _step(self) -> int:
        chosen = self._chosen()
        if chosen is None or not self._is_mine():
            self._give_up()
            return 0
        router = self._challenger(chosen)
        if router is None:
            return 0
        with self._parts.database.read() as connection:
            rows = shadow.waiting(connection, chosen, AT_ONCE)
        said = []
        for row in rows:
            began = time.perf_counter()
            said.append(Said(row.id, self._ask(router, row)))
            # Between two complaints others get the interpreter, and most of the time.
            if self._stopping.wait((time.perf_counter() - began) * (1 / SHARE - 1)):
                break
        if said:
            self._parts.database.store(lambda connection: shadow.keep(connection, chosen, said))
            failed = sum(one.routing is None for one in said)
            metrics.count_shadow(len(said) - failed, failed)
        return len(said)

    def _ask(self, router: RouterLike, row: Row[Any]) -> Routing | None:
        try:
            return router.route(intake.as_stored(row))  # not `models.route`: nobody waits for a challenger
        except Exception as error:  # whatever it was, it is the challenger's and nobody else's
            _log.warning("challenger failed on a complaint", error=type(error).__name__, version=router.version)
            return None

    def _chosen(self) -> Shadowed | None:
        """Say who runs beside the live version; nobody where it is the live version itself, or the pointer cannot be read."""
        registry = self._parts.models.registry
        with suppress(SalurError):
            chosen = registry.shadow()
            return chosen if chosen is not None and chosen.version != registry.current() else None
        return None

    def _challenger(self, chosen: Shadowed) -> RouterLike | None:
        if self._router is not None and self._router.version == chosen.version:
            return self._router
        self._router = None
        if self._failed == chosen.version and time.monotonic() - self._failed_at < RETRY_SECONDS:
            return None
        registry = self._parts.models.registry
        try:
            self._router = self._parts.models.load(registry.path(chosen.version))
        except Exception as error:
            reason = why_not(error)
            if self._failed != chosen.version:  # the ledger is read by every process, and by people
                _log.error("challenger not loaded", version=chosen.version, reason=reason)
                with suppress(SalurError):
                    why = f"shadow: {reason}"
                    registry.record(Event.REFUSED, version=chosen.version, who=NAME, at=now().isoformat(), why=why[:1000])
            self._failed, self._failed_at = chosen.version, time.monotonic()
            return None
        self._failed = ""
        _log.info("challenger in use", version=chosen.version)
        return self._router

    def _is_mine(self) -> bool:
        """Take the lock, or hold it already. Where the folder keeps none, work all the same: an answer is kept once anyway."""
        if self._lock is not None:
            return True
        try:
            descriptor = os.open(self._parts.models.registry.folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError:
            return True
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return False
        self._lock = descriptor
        return True

    def _give_up(self) -> None:
        self._router, self._failed = None, ""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def init_app(app: Flask, parts: Parts) -> None:
    """Give the app its worker."""
    app.extensions["salur-shadow"] = ShadowWorker(parts)
