"""What a worker costs: python -P tests/benchmarks/memory.py --models DIR [--workers 1 2 4] [--json FILE].

For each number of workers a server is started, every worker answers, and the memory of all processes is added up, with what they
share counted once (PSS). The cost of a further worker is the difference. Without --models a router of fixed answers stands in.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

from model import labelled
from tests.served import Server, make_memory, make_registry, served

CORPUS = Path(__file__).parents[2] / "data" / "kutai-timur" / "complaints.jsonl"
MOST = 60.0
"""MB that a second worker may cost."""


def measure(models: Path | None, workers: int, calls: int) -> dict[str, Any]:
    """Start so many workers, let them answer so many calls each, and answer their memory in MB."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite:///{folder / 'salur.db'}"
        key = make_memory(url)
        registry = (models or make_registry(folder / "models")).resolve()
        with served(folder, url, key, registry, {"SALUR_WORKERS": str(workers)}, real_model=models is not None) as server:
            started = server.memory()
            _use(server, calls * workers)
            return {"workers": workers, "memory_mb_started": started, "memory_mb_used": server.memory()}


def _use(server: Server, calls: int) -> None:
    texts = [row.text for row in labelled.load(CORPUS)]
    with ThreadPoolExecutor(8) as callers:
        for number in range(calls):
            body = {"text": texts[number % len(texts)]}
            callers.submit(server.post, "/complaints" if number % 2 else "/predictions", body)
            if number % 20 == 0:
                callers.submit(server.call, "GET", "/masuk")


def main() -> None:
    """Measure, print JSON, and fail where the second worker costs too much."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--models", type=Path, help="a registry with a promoted model")
    asked.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    asked.add_argument("--calls", type=int, default=1_000, help="for each worker")
    asked.add_argument("--json", type=Path)
    given = asked.parse_args()
    found = [measure(given.models, workers, given.calls) for workers in given.workers]
    for before, one in pairwise(found):
        more = one["workers"] - before["workers"]
        one["mb_for_one_more"] = round((one["memory_mb_used"] - before["memory_mb_used"]) / more, 1)
    print(json.dumps(found, indent=1))
    if given.json:
        given.json.write_text(json.dumps(found, indent=1))
    if any(one.get("mb_for_one_more", 0) > MOST for one in found):
        sys.exit(f"one more worker costs over {MOST:.0f} MB")


if __name__ == "__main__":
    main()
