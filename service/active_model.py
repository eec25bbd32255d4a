"""The router in use: loaded beside the old one and swapped whole when the registry's pointer moves.

Requests look at the pointer now and then. Where a thread does it all the time (`follow`), no request ever waits for a load.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import structlog

from model.artifact import REGISTER
from model.complaint import Complaint
from model.faults import SalurError
from model.register import Register
from model.registry import Registry, RegistryError
from model.routing import Routing
from service.storage.turns import FairLock
from service.web.problems import Problem

CHECK_SECONDS = 1.0
"""How often a request looks at the pointer; between looks it costs no system call."""
FOLLOW_SECONDS = 0.5
"""How often the thread of `follow` looks: always before a request would."""
RETRY_SECONDS = 10.0
"""How long a version that failed to load is left alone while the pointer names it, so that trying costs next to nothing."""
QUICK_TURN = 0.0005
"""Seconds after which a busy thread makes way while a version is loaded, a tenth of what is usual."""
_TRIAL = Complaint(text="Lampu jalan di depan kantor desa padam sejak kemarin.")
"""What a version must be able to answer before it is in use."""
_log = structlog.get_logger("salur")


class RouterLike(Protocol):
    """What the service needs of `model.router.Router`."""

    @property
    def version(self) -> str:
        """Name of the version."""

    @property
    def register(self) -> Register:
        """The region it was trained for."""

    @property
    def manifest(self) -> Mapping[str, Any]:
        """What the artifact says of itself."""

    def route(self, complaint: Complaint) -> Routing:
        """Answer who is responsible. Pure and thread-safe."""


def why_not(error: Exception) -> str:
    """Say in one line why a version could not be loaded."""
    return str(error).partition("\n")[0] or type(error).__name__


@contextmanager
def _quick_turns() -> Iterator[None]:
    """Let the threads of this process take turns more often: whoever reads files gives its turn up for each.

    Under full load a version, whose files cost a tenth of a second, else took up to 25 s to load (`tests/benchmarks/swap.py`).
    """
    usual = sys.getswitchinterval()
    sys.setswitchinterval(QUICK_TURN)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


class ActiveModel:
    """Holds one router at a time. Any failure to load keeps the old one, and is told by `trouble`."""

    def __init__(self, models: Path, load: Callable[[Path], RouterLike], clock: Callable[[], float] = time.monotonic) -> None:
        """Look after a registry's folder; loads nothing before the first `router()`."""
        self.registry = Registry(models, load)
        self.load = load
        self._clock = clock
        self._router: RouterLike | None = None
        self._register: Register | None = None
        self._looked_at = float("-inf")
        self._failed: tuple[str, str] | None = None
        self._failed_at = float("-inf")
        self._lock = threading.Lock()
        self._routing = FairLock()

    def router(self) -> RouterLike | None:
        """Answer the router in use, or None. A whole request should use the one it got."""
        if self._clock() - self._looked_at >= CHECK_SECONDS:
            self.look(CHECK_SECONDS)
        return self._router

    @property
    def register(self) -> Register | None:
        """The register of the router in use, or else of the version that cannot be loaded: by that people decide meanwhile."""
        router = self.router()
        return router.register if router else self._register

    def look(self, older: float = 0.0) -> None:
        """Look at the pointer and load what it names, unless the last look was less than `older` seconds ago."""
        # One thread looks and loads; the others go on with what there is, unless there is nothing yet.
        if self._lock.acquire(blocking=self._router is None):
            try:
                if self._clock() - self._looked_at >= older:
                    self._follow()
                    self._looked_at = self._clock()
            finally:
                self._lock.release()

    def follow(self, tell: Callable[[bool], None]) -> None:
        """Look at the pointer from a thread of this process from now on, and tell after each look whether there is trouble."""

        def keep_looking() -> None:
            while True:
                self.look()
                tell(bool(self.trouble))
                time.sleep(FOLLOW_SECONDS)

        threading.Thread(target=keep_looking, name="salur-model", daemon=True).start()

    def require(self) -> RouterLike:
        """Answer the router in use. Raises the problem `no-model` where there is none."""
        router = self.router()
        if router is None:
            raise Problem("no-model", f"No model is ready: {self.trouble}.")
        return router

    def route(self, router: RouterLike, asked: Complaint) -> Routing:
        """Let a router that a request got answer, one complaint of this process at a time.

        Only one thread can compute anyway, and NumPy lets go of the interpreter a dozen times in one answer: where others
        compute too, each time costs two switches of threads, and an answer half as much again.
        """
        with self._routing:
            return router.route(asked)

    @property
    def trouble(self) -> str:
        """Why the version that the pointer names is not the one in use; empty where it is."""
        if self._failed is None:
            return ""
        version, reason = self._failed
        return f"version {version} cannot be loaded: {reason.removeprefix(f'{version}: ')}" if version else reason

    def _follow(self) -> None:
        version = "unknown"
        try:
            version = self.registry.current() or ""
            if version and self._router is not None and version == self._router.version:
                self._failed = None
                return
            if not version:
                raise RegistryError("nothing was promoted yet")
            if self._failed and self._failed[0] == version and self._clock() - self._failed_at < RETRY_SECONDS:
                return
            with _quick_turns():
                router = self.load(self.registry.path(version))
                router.route(_TRIAL)
        except Exception as error:  # whatever is wrong with the new one, the old one goes on
            reason = why_not(error)
            if self._failed != (version, reason):
                _log.error("model not loaded", version=version, reason=reason)
            self._failed, self._failed_at = (version, reason), self._clock()
            if self._router is None:
                self._register = self._register_of(version)
            return
        _log.info("model in use", version=version, before=self._router.version if self._router else "")
        self._router, self._failed = router, None

    def _register_of(self, version: str) -> Register | None:
        """Read the register of a version whose model cannot be loaded, as none of before can after a change of the stemmer."""
        try:
            return Register.load(self.registry.path(version) / REGISTER)
        except (SalurError, OSError):  # told already: nothing of it can be loaded
            return None
