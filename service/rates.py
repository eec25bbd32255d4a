"""How often somebody may call: a count for each in windows of fixed length, kept in this process."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

_FORM = re.compile(r"([1-9]\d{0,8}) per (second|minute|hour|day)")
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
_CROWD = 100_000
"""Callers counted at once; beyond that the windows begin anew, so that nobody can fill the memory."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many calls in so many seconds."""

    calls: int
    seconds: int


@lru_cache(maxsize=1_000)
def parse(text: str) -> Rate:
    """Read a rate such as "10 per minute". Raises ValueError where it is none."""
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise ValueError("a rate, such as 10 per minute")
    return Rate(int(match[1]), _SECONDS[match[2]])


class Counter:
    """Counts calls. With several workers each has its own, so that a rate holds for each of them."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """Start with nobody counted."""
        self._clock = clock
        self._counts: dict[tuple[str, int, int], tuple[int, int]] = {}
        self._lock = threading.Lock()

    def wait(self, who: str, rate: Rate) -> int:
        """Count one more call of somebody: 0 where it is within the rate, else the seconds until the next window."""
        moment = self._clock()
        window = int(moment // rate.seconds)
        counted = (who, rate.calls, rate.seconds)
        with self._lock:
            if len(self._counts) >= _CROWD:
                self._counts.clear()
            of, count = self._counts.get(counted, (window, 0))
            count = count + 1 if of == window else 1
            self._counts[counted] = (window, count)
        return 0 if count <= rate.calls else max(1, round((window + 1) * rate.seconds - moment))
