"""Complaints a second through `salur-training predict`: python -P tests/benchmarks/batch.py [MODEL] [--rows 100000] [--jobs 1 2].

The input is the default corpus over and over; in every repetition a letter of each complaint is mistyped anew, so that words
which no cache knows keep coming, as they do in real mail (`--as-is` leaves that out). First, in one process with warm caches,
what each step of one answer takes. Then, for each number of processes: rows a second by the clock from start to end, the
processor time of all processes together, and memory: of the parent all that is resident, of a worker what it shares with no
other, and how all of it together grew from the middle third of the run to the last. Processor time says what the program
costs; on a machine that does other things besides, the clock does not. Reads /proc, so Linux only.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from model.registry import Registry
from model.router import Router
from training.bulk.predict import CHUNK_RECORDS
from training.reading.records import complaint_of

CORPUS = Path("data/kutai-timur/complaints.jsonl")
ROUNDS = 7
PAUSE = 0.5


def mistyped(text: str, chance: random.Random) -> str:
    """Double one letter, or swap two."""
    at = chance.randrange(max(1, len(text) - 1))
    return text[:at] + text[at + 1 : at + 2] + text[at : at + 1] * chance.choice((1, 2)) + text[at + 2 :]


def rows(count: int, as_is: bool) -> Iterator[bytes]:
    """Yield the corpus over and over, each row with an id of its own."""
    corpus = [json.loads(line) for line in CORPUS.read_bytes().splitlines()]
    chance = random.Random(0)  # noqa: S311
    for number in range(count):
        row = corpus[number % len(corpus)]
        text = row["text"] if as_is or number < len(corpus) else mistyped(row["text"], chance)
        yield orjson.dumps({**row, "id": f"r-{number}", "text": text}) + b"\n"


def microseconds(call: Callable[[Any], object], things: Sequence[Any]) -> float:
    """Processor time of a call: median over rounds of the mean over all things."""
    rounds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for thing in things:
            call(thing)
        rounds.append((time.process_time() - began) / len(things) * 1e6)
    return statistics.median(rounds)


def steps(router: Router) -> dict[str, float]:
    """Microseconds a complaint for each step, caches warm."""
    lines = [line.strip() for line in rows(2_000, as_is=True)]
    complaints = [complaint_of(line) for line in lines]
    readings = [router.reader.read(complaint) for complaint in complaints]
    scored = [(reading, router.scorer.scores(reading.matter)) for reading in readings]
    routings = router.route_all(complaints, evidence=False)

    def rules(pair: Any) -> None:
        router.reader.apply_rules(router.scorer.ranked(pair[1]), pair[0])

    def evidence(pair: Any) -> None:
        first, second = router.scorer.ranked(pair[1])[:2]
        router.scorer.evidence(pair[0].matter, pair[1], first.agency, second.agency)

    def whole(chunk: Sequence[bytes]) -> list[bytes]:
        return [orjson.dumps(said.to_dict()) for said in router.route_all([complaint_of(line) for line in chunk], evidence=False)]

    gc.disable()  # as a worker does
    chunks = [lines[start : start + CHUNK_RECORDS] for start in range(0, len(lines), CHUNK_RECORDS)]
    return {
        "JSON in": microseconds(complaint_of, lines),
        "words": microseconds(router.reader.analyzer.words, complaints),
        "words and places": microseconds(router.reader.read, complaints),
        "scores": microseconds(lambda reading: router.scorer.scores(reading.matter), readings),
        "ranking and rules": microseconds(rules, scored),
        "JSON out": microseconds(lambda routing: orjson.dumps(routing.to_dict()), routings),
        "all of these, one by one": microseconds(lambda line: whole([line]), lines),
        "all of these, by chunks": microseconds(whole, chunks) / (len(lines) / len(chunks)),
        "evidence, where asked for": microseconds(evidence, scored),
    }


def children_of(pid: int) -> list[int]:
    """List the processes that a process started, theirs too, without joblib's own helpers."""
    found = []
    for child in map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()):
        if b"resource_tracker" not in Path(f"/proc/{child}/cmdline").read_bytes():
            found.append(child)
        found += children_of(child)
    return found


def memory(pid: int) -> tuple[int, int]:
    """Bytes of a process that are resident, and those that it shares with no other."""
    said = dict(re.findall(r"(\w+): +(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text()))
    return int(said["Rss"]) * 1024, (int(said["Private_Clean"]) + int(said["Private_Dirty"])) * 1024


def run(model: Path, source: Path, count: int, jobs: int) -> dict[str, float]:
    """Time one run of the command and watch its processes."""
    target = source.with_name("out.jsonl")
    asked = ["predict", str(model), "--input", str(source), "--output", str(target), "--jobs", str(jobs)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", "from training.cli import main; main()", *asked], stderr=subprocess.DEVNULL)
    sizes: list[tuple[int, list[int]]] = []
    while process.poll() is None:
        with suppress(OSError, KeyError):  # it ended meanwhile
            sizes.append((memory(process.pid)[0], sorted(memory(child)[1] for child in children_of(process.pid))))
        time.sleep(PAUSE)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    with target.open("rb") as answers:
        if process.returncode or sum(1 for _ in answers) != count:
            sys.exit(f"the run failed: code {process.returncode}")
    target.unlink()
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    third = max(1, len(sizes) // 3)
    total = [own + sum(others) for own, others in sizes]
    return {
        "jobs": jobs,
        "rows": count,
        "seconds": wall,
        "rows a second": count / wall,
        "processor us a row": processor / count * 1e6,
        "parent MB": max(own for own, _ in sizes) / 2**20,
        "largest worker MB": max((others[-1] for _, others in sizes if others), default=0) / 2**20,
        "last third by middle": statistics.mean(total[-third:]) / statistics.mean(total[third : 2 * third] or total),
    }


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?", default="current", help="a version, a folder, or `current`")
    parser.add_argument("--models", type=Path, default=Path("var/models"))
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--as-is", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.model == "current" and not (given.models / "current").exists():
        sys.exit(f"{given.models}: no model is live, not here: `make model` makes one")
    model = Registry(given.models).resolve(given.model)
    load = os.getloadavg()[0]
    found: dict[str, Any] = {"load": load, "cores": os.cpu_count(), "us": steps(Router.load(model)), "runs": []}
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "in.jsonl"
        with source.open("wb") as out:
            out.writelines(rows(given.rows, given.as_is))
        for _ in range(given.repeat):
            found["runs"] += [run(model, source, given.rows, jobs) for jobs in given.jobs]
    if given.json:
        print(json.dumps(found))
        return
    print(f"load average before: {load:.1f}; {os.cpu_count()} cores")
    for name, value in found["us"].items():
        print(f"  {name:<34}{value:>9.1f} us")
    names = list(found["runs"][0])
    print("  ".join(names))
    for one in found["runs"]:
        print("  ".join(f"{value:>{len(name)},.{2 if value < 10 and name != 'jobs' else 0}f}" for name, value in one.items()))


if __name__ == "__main__":
    main()
