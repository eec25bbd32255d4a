"""Workers killed at random moments under load: python -P tests/faults/kill_workers.py [--seconds N] [--postgres URL] [--json FILE].

Senders send each complaint until it is acknowledged, as an intake does. A worker is killed (SIGKILL) some milliseconds after a few
more were acknowledged, so that it always dies while it works. Told is, for each database, how many were killed, and whether each
acknowledged complaint is stored, once and whole.
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
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.served import Sender, Server, count, make_memory, make_registry, schema, senders, served


def _under_way(server: Server, sent: Sequence[Sender], killed: int) -> None:
    print(f"{killed} killed, {sum(len(one.acknowledged) for one in sent)} acknowledged", file=sys.stderr, flush=True)


def measure(
    folder: Path, url: str, seconds: float, kills: int = 1_000_000, pause: tuple[float, float] = (0.05, 0.6)
) -> dict[str, Any]:
    """Kill for so long, or so many times; answers what was killed, stored, lost and doubled."""
    die = random.Random(7)  # noqa: S311
    killed = told = 0
    key = make_memory(url)
    with served(folder, url, key, make_registry(folder / "models"), {"SALUR_WORKERS": "3"}) as server:
        with senders(server, 6) as sent:
            until = time.monotonic() + seconds
            wanted = 0
            while time.monotonic() < until and killed < kills:
                time.sleep(0.005)
                if (acknowledged := sum(len(one.acknowledged) for one in sent)) < wanted:
                    continue
                wanted = acknowledged + die.randint(1, 20)
                time.sleep(die.uniform(0, 0.03))
                if workers := server.workers():
                    with suppress(ProcessLookupError):
                        os.kill(die.choice(workers), signal.SIGKILL)
                        killed += 1
                if killed // 200 > told:
                    told = killed // 200
                    _under_way(server, sent, killed)
        server.wait_until_ready()
        restarts = server.log().count("Booting worker")
        errors = server.log().count('"error": "')
    return {
        "killed": killed,
        "workers_started": restarts,
        "errors_logged": errors,
        **asdict(found := count(url, sent)),
        "good": found.good,
    }


def main() -> None:
    """Measure on SQLite, and on PostgreSQL where it is given; fail where anything was lost, doubled or half."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seconds", type=float, default=300.0, help="for each database")
    asked.add_argument("--postgres", help="URL of a PostgreSQL database in which a schema may be made and dropped")
    asked.add_argument("--json", type=Path)
    given = asked.parse_args()
    found = {}
    with tempfile.TemporaryDirectory() as name:
        found["sqlite"] = measure(Path(name), f"sqlite:///{name}/salur.db", given.seconds)
    if given.postgres:
        with tempfile.TemporaryDirectory() as name, schema(given.postgres) as url:
            found["postgresql"] = measure(Path(name), url, given.seconds)
    print(json.dumps(found, indent=1))
    if given.json:
        given.json.write_text(json.dumps(found, indent=1))
    if not all(one["good"] for one in found.values()):
        sys.exit("a complaint was lost, doubled or kept by half")


if __name__ == "__main__":
    main()
