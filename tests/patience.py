"""Waiting for what another thread or process brings about: as long as it takes, and no longer."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_until(ready: Callable[[], object], seconds: float = 30.0) -> None:
    """Return as soon as something is so. Raises AssertionError where it is not so in time: a busy machine needs some."""
    until = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < until, f"it took over {seconds:g} s"
        time.sleep(0.01)
