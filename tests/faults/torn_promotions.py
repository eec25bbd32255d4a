"""Promotions killed at random moments: python -P tests/faults/torn_promotions.py [--times N] [--json FILE].

A process promotes two versions in turns and is killed (SIGKILL) after some milliseconds. After each kill the pointer must name a
version that is there, and whoever promotes next must not be hindered by what the dead one left.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from model.ledger import Event
from model.register import Register
from model.registry import Registry
from tests.served import make_registry

AT = "2026-11-24T08:00:00+00:00"
VERSIONS = ("satu", "dua")


def _load(folder: Path) -> Any:
    return SimpleNamespace(manifest={"version": folder.name}, register=Register(()))


def _promote_for_ever(registry: Registry, begun: int) -> None:
    os.write(begun, b".")
    while True:
        for version in VERSIONS:
            if registry.current() != version:
                registry.promote(version, why="uji", who="uji", at=AT, force_why="uji")
                os.write(begun, b".")


def _seconds_to_promote(folder: Path) -> float:
    """How long one promotion takes here and now: the mean of four, in a registry of their own."""
    registry = Registry(make_registry(folder), _load)
    (registry.folder / "dua").mkdir()
    began = time.monotonic()
    for version in (*reversed(VERSIONS), *reversed(VERSIONS)):
        registry.promote(version, why="uji", who="uji", at=AT, force_why="uji")
    return (time.monotonic() - began) / 4


def measure(folder: Path, times: int, longest: float = 0.03) -> dict[str, Any]:
    """Kill so often; answers what was live after each kill, and how the ledger reads."""
    die = random.Random(11)  # noqa: S311
    registry = Registry(make_registry(folder / "models"), _load)
    (registry.folder / "dua").mkdir()
    longest = max(longest, 8 * _seconds_to_promote(folder / "pace"))  # several promotions, however slow the machine
    live: Counter[str] = Counter()
    hindered = 0
    for number in range(times):
        reading, begun = os.pipe()
        if not (pid := os.fork()):
            try:
                _promote_for_ever(registry, begun)
            finally:  # whatever hinders it: it must not go on as its parent
                os._exit(1)
        os.close(begun)
        os.read(reading, 1)  # on a busy machine a new process takes its time
        if number % 4 == 0:  # a promotion may take longer there than those measured: a quarter die with one behind them
            os.read(reading, 1)
        time.sleep(die.uniform(0, longest))
        os.kill(pid, signal.SIGKILL)
        if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != -signal.SIGKILL:
            hindered += 1
        os.close(reading)
        found = registry.current()
        live[found if found in VERSIONS and registry.path(found).is_dir() else "broken"] += 1
        try:
            registry.record(Event.TRAINED, version="dua", who="uji", at=AT)
        except Exception as error:  # whatever it is, it is what is looked for
            print(f"hindered: {error}", file=sys.stderr)
            hindered += 1
    history = registry.history()
    told = Counter(entry.what.value for entry in history.entries)
    return {
        "killed": times,
        "live_afterwards": dict(live),
        "hindered": hindered,
        "promoted": told["promoted"],
        "recorded_after_each": told["trained"],
        "torn_lines": len(history.faults),
        "good": not live["broken"] and not hindered and told["trained"] == times and told["promoted"] > 0,
    }


def main() -> None:
    """Measure, print JSON, and fail where a kill left anything broken."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--times", type=int, default=1_000)
    asked.add_argument("--json", type=Path)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as name:
        found = measure(Path(name), given.times)
    print(json.dumps(found, indent=1))
    if given.json:
        given.json.write_text(json.dumps(found, indent=1))
    if not found["good"]:
        sys.exit("a torn promotion left something broken")


if __name__ == "__main__":
    main()
