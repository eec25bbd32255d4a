"""What `salur-training retrain` costs by rows: python -P tests/benchmarks/retrain.py [--rows N ...] [--real DIR] [--json].

Each run is the command itself in a process of its own, with a live model to compare with (trained before on a thousand rows, not
counted): read, deduplicate, fit with out-of-fold answers and thresholds, report, compare. Rows beyond the default corpus are rows
of it written anew: most with a third of their words swapped for words of other complaints to the same agency and here and there a
letter mistyped, one in twenty nearly as it was, one in a hundred the same. They have no dates, so that folds are drawn at random
and near-duplicates kept together, which costs more than folds that follow time; `--dated` spreads them over two years instead.
With --real they are rows of Surabaya through its crosswalk, in a temporary folder.

Told are seconds by the clock and of processor time of all processes, the most memory that they held together (proportional set
size), and the exponent: by how much the logarithm of processor time grows with that of rows. Reads /proc, so Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from model.labelled import LabelledComplaint, dump, load
from model.register import Register
from training.reading.importing import import_export

REGION = Path("data/kutai-timur")
COMMAND = Path(sys.executable).with_name("salur-training")
LIVE = 1_000
SAME, NEARLY = 0.01, 0.05
SWAPPED, SWAPPED_NEARLY, MISTYPED = 0.33, 0.03, 0.02
PAUSE = 0.25
TICK = os.sysconf("SC_CLK_TCK")


def grown(rows: Sequence[LabelledComplaint], count: int, seed: int, *, dated: bool) -> Iterator[LabelledComplaint]:
    """Yield the first `count` rows; where there are not so many, all of them and then rows written anew."""
    rng = np.random.default_rng(seed)
    pool: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        pool[row.agency] += row.text.split()
    for number in range(count):
        row = rows[number % len(rows)]
        day = (date(2025, 1, 1) + timedelta(days=number * 730 // count)).isoformat() if dated else row.received_at
        if number >= len(rows):
            row = replace(row, id=f"{row.id}-{number}", text=_anew(row.text.split(), pool[row.agency], rng))
        yield replace(row, received_at=day)


def _anew(words: Sequence[str], others: Sequence[str], rng: np.random.Generator) -> str:
    kind = rng.random()
    if kind < SAME:
        return " ".join(words)
    chance = rng.random(len(words))
    swapped = SWAPPED_NEARLY if kind < SAME + NEARLY else SWAPPED
    picked = rng.integers(0, len(others), len(words)).tolist()
    return " ".join(
        others[other] if luck < swapped else word[1:] + word[:1] if luck > 1 - MISTYPED else word
        for word, other, luck in zip(words, picked, chance.tolist(), strict=True)
    )


class Watch(threading.Thread):
    """Look at a process and all that it started, four times a second: memory together, and processor time of each."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.most = 0
        self.largest = 0
        self.ticks: dict[int, int] = {}

    def run(self) -> None:
        """Until the process is gone."""
        while Path(f"/proc/{self.pid}/task").exists():
            held = [self._look(pid) for pid in self._tree(self.pid)]
            self.most, self.largest = max(self.most, sum(held)), max(self.largest, *held, 0)
            time.sleep(PAUSE)

    def _tree(self, pid: int) -> Iterator[int]:
        yield pid
        try:
            children = [child for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]
        except OSError:
            return
        for child in children:
            yield from self._tree(int(child))

    def _look(self, pid: int) -> int:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
            self.ticks[pid] = int(fields[11]) + int(fields[12])
            found = re.search(r"^Pss: +(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
        except OSError:
            return 0
        return int(found[1]) * 1024 if found else 0


def command(data: Path, models: Path) -> dict[str, Any]:
    """Run the retraining, and tell what it cost, step by step as it told them itself."""
    began = time.perf_counter()
    arguments = [COMMAND, "retrain", "--register", REGION, "--data", data, "--models", models, "--promote-if-better"]
    with subprocess.Popen([*map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        watch = Watch(running.pid)
        watch.start()
        assert running.stderr
        assert running.stdout
        steps, told, last = [], "reading and deduplicating", began
        for line in running.stderr:
            now = time.perf_counter()
            steps.append({"step": told, "seconds": round(now - last, 1)})
            told, last = line.strip(), now
        output = running.stdout.read()
    end = time.perf_counter()
    watch.join()
    if running.returncode:
        sys.exit(f"{told}: exit code {running.returncode}")
    return {
        "seconds": round(end - began, 1),
        "processor_seconds": round(sum(watch.ticks.values()) / TICK, 1),
        "peak_mb": round(watch.most / 1e6),
        "largest_process_mb": round(watch.largest / 1e6),
        "steps": [*steps, {"step": told, "seconds": round(end - last, 1)}],
        "said": output.splitlines()[0],
    }


def corpus(real: Path | None) -> list[LabelledComplaint]:
    """Read the default corpus, and behind it Surabaya's complaints under the agencies here where `real` is given."""
    rows = [row for row in load(REGION / "complaints.jsonl") if row.agency]
    if real is None:
        return rows
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "surabaya.jsonl"
        import_export(real / "surabaya/complaints.jsonl", out, Register.load(REGION), Path("data/crosswalks/surabaya.csv"))
        return [*rows, *(row for row in load(out) if row.agency)]


def exponents(runs: Sequence[dict[str, Any]], figure: str) -> list[float]:
    """Growth from each run to the next: 1 is linear."""
    return [
        float(np.log(after[figure] / before[figure]) / np.log(after["rows"] / before["rows"])) for before, after in pairwise(runs)
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[2_000, 16_099, 50_000, 200_000])
    parser.add_argument("--real", type=Path)
    parser.add_argument("--dated", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.real and not given.real.is_dir():
        sys.exit(f"{given.real}: not here; nothing measured")
    rows = corpus(given.real)
    # The corpus stands in the order of its agencies.
    rows = [rows[n] for n in np.random.default_rng(given.seed).permutation(len(rows))]
    runs = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        dump(rows[:LIVE], folder / "live.jsonl")
        command(folder / "live.jsonl", folder / "live")
        for count in given.rows:
            dump(grown(rows, count, given.seed, dated=given.dated), folder / "data.jsonl")
            shutil.rmtree(folder / "models", ignore_errors=True)
            shutil.copytree(folder / "live", folder / "models")
            run = {"rows": count, **command(folder / "data.jsonl", folder / "models")}
            runs.append(run)
            print(
                f"{count:>8,} rows  {run['seconds']:>7} s  {run['processor_seconds']:>7} s processor  {run['peak_mb']:>6} MB"
                f"  (largest process {run['largest_process_mb']} MB)",
                file=sys.stderr,
                flush=True,
            )
            for step in run["steps"]:
                print(f"{step['seconds']:>16}  {step['step']}", file=sys.stderr, flush=True)
    growths = {figure: exponents(runs, figure) for figure in ("seconds", "processor_seconds")}
    for figure, growth in growths.items():
        print(f"exponent of {figure}: {', '.join(f'{one:.2f}' for one in growth)}", file=sys.stderr)
    if given.json:
        print(json.dumps({"runs": runs, "exponents": growths}))


if __name__ == "__main__":
    main()
