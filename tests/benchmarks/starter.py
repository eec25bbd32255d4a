"""What `data/starter` is worth to a new region: python -P tests/benchmarks/starter.py [--real ../shared/real] [--json].

A model that learnt from Kutai Timur's complaints alone (four fifths of them, as in `transfer.py`) answers Kabupaten Bandung's,
Surabaya's, and the other fifth of Kutai Timur's. Once everything is Kutai Timur's own, register and rules: the upper bound.
Once all of it goes through `data/crosswalks/kutai-timur.csv` to the starter's agencies, and the starter's rules apply. Both ways
count the same complaints: those whose agency the starter has. Bandung and Surabaya have no places here, and no road but what
calls itself national or provincial; their crosswalks say by the same words whose these are, so that such rules are right there
proves nothing. For Kutai Timur's own complaints the starter has Kutai Timur's places and roads.

Below that each rule by itself, whether it is on or off: how often it fired, and how many of these were right without and with
it. Rules were switched off by what they did before each region's split (`transfer.py`); what came after it judges them.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from model.authority import apply
from model.labelled import LabelledComplaint
from model.reader import Reader
from model.register import Register
from model.routing import Candidate
from model.rules import Rules
from tests.benchmarks.transfer import DEFAULT, REGION, divided
from training.config import TrainingConfig
from training.fitting.calibrate import fit_pipeline
from training.measures.rule_figures import Case, RuleFigures, measure_rules
from training.reading.crosswalk import Crosswalk
from training.rows import dataset
from training.rows.data import own_words, read

STARTER = Path("data/starter")
CROSSWALK = Path("data/crosswalks/kutai-timur.csv")
KEPT = 10
"""Candidates of a complaint that are looked at."""
Rows = Sequence[LabelledComplaint]
Sets = Mapping[str, Rows]


@dataclass(frozen=True)
class Worth:
    """One set of complaints, answered in one way."""

    rows: int
    without: float
    with_rules: float
    acceptable: float
    """With rules, where an agency that an officer would not call wrong counts too."""


def starter_with(places_of: Register | None) -> Register:
    """Read the starter, which has no places of its own, with the places and roads of a region where one is given."""
    register, _ = Register.read(STARTER)
    return replace(register, places=places_of.places, roads=places_of.roads) if places_of else register


def through(crosswalk: Crosswalk) -> Callable[[Rows], list[LabelledComplaint]]:
    """Answer what gives rows the starter's agencies; those that have none there are left out."""

    def ours(agency: str) -> str:
        rule = crosswalk.resolve(agency, "", ())
        return "" if rule is None or rule.drops else rule.agency

    def mapped(rows: Rows) -> list[LabelledComplaint]:
        named = (replace(row, agency=ours(row.agency), acceptable=tuple(filter(None, map(ours, row.acceptable)))) for row in rows)
        return [row for row in named if row.agency]

    return mapped


def answered(register: Register, learnt: Rows, sets: Sets) -> tuple[Rules, dict[str, list[Case]]]:
    """Fit on what is learnt and the register's own words; answer every complaint of every set, before any rule."""
    reader, config = Reader(register), TrainingConfig()
    known = [row for row in learnt if not register.by_id[row.agency].per]
    named = list(own_words(register))
    taught = read(known, reader, np.ones(len(known))) + read(named, reader, np.full(len(named), config.matters_weight))
    model = fit_pipeline(config, taught, reader)
    cases: dict[str, list[Case]] = {}
    for name, rows in sets.items():
        readings = [reader.read(row.complaint) for row in rows]
        found = model.predict_proba([reading.matter for reading in readings])
        best = np.argsort(-found, axis=1)[:, :KEPT]
        cases[name] = [
            Case([Candidate(str(model.classes_[n]), float(p[n])) for n in order], got.words, got.place, got.found, row.agency)
            for row, got, p, order in zip(rows, readings, found, best, strict=True)
        ]
    return reader.rules, cases


def worth(rules: Rules, cases: Sequence[Case], rows: Rows) -> Worth:
    """Count the right answers without rules, with them, and with them where an acceptable agency counts."""
    ruled = [apply(rules, case.candidates, case.words, case.place, case.found)[0][0].agency for case in cases]
    return Worth(
        len(cases),
        float(np.mean([case.candidates[0].agency == case.agency for case in cases])),
        float(np.mean([said == row.agency for said, row in zip(ruled, rows, strict=True)])),
        float(np.mean([said in (row.agency, *row.acceptable) for said, row in zip(ruled, rows, strict=True)])),
    )


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--real", type=Path, default=Path("../shared/real"))
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if not given.real.is_dir():
        sys.exit(f"{given.real}: not here; nothing measured")
    home = Register.load(REGION)
    past, later = divided(given.real, home)
    crosswalk = Crosswalk.load(CROSSWALK, starter_with(home))
    mapped = through(crosswalk)
    sets: dict[str, Rows] = {}
    for name, after in later.items():
        if name != DEFAULT:
            sets[f"{name}, before"] = dataset.testable(past[name])
        sets[f"{name}, after" if name != DEFAULT else name] = after
    kept = {name: [row for row in rows if mapped([row])] for name, rows in sets.items()}
    ours = {name: mapped(rows) for name, rows in kept.items()}
    elsewhere = [name for name in kept if name != DEFAULT]

    own_rules, own = answered(home, past[DEFAULT], kept)
    learnt = mapped(past[DEFAULT])
    rules, cases = answered(starter_with(None), learnt, {name: ours[name] for name in elsewhere})
    cases |= answered(starter_with(home), learnt, {DEFAULT: ours[DEFAULT]})[1]

    table = {
        name: {"own": worth(own_rules, own[name], kept[name]), "starter": worth(rules, cases[name], ours[name])} for name in kept
    }
    by_rule = {name: measure_rules(rules, cases[name]) for name in kept}
    if given.json:
        worths = {name: {way: dataclasses.asdict(one) for way, one in row.items()} for name, row in table.items()}
        print(json.dumps({"accuracy": worths, "rules": {name: [dataclasses.asdict(r) for r in f] for name, f in by_rule.items()}}))
        return
    _print(table, by_rule)


def _print(table: Mapping[str, Mapping[str, Worth]], by_rule: Mapping[str, Sequence[RuleFigures]]) -> None:
    print(f"{'':<32}{'':>6}{'register and rules of its own':>32}{'starter':>32}")
    print(f"{'accuracy':<32}{'rows':>6}" + f"{'no rules':>12}{'rules':>9}{'acceptable':>11}" * 2)
    for name, ways in table.items():
        cells = "".join(f"{one.without:>12.3f}{one.with_rules:>9.3f}{one.acceptable:>11.3f}" for one in ways.values())
        print(f"{name:<32}{ways['starter'].rows:>6}{cells}")
    print()
    print(f"{'fired, right without -> with':<32}{'':<5}" + "".join(f"{name:>27}" for name in by_rule))
    for same in zip(*by_rule.values(), strict=True):
        state = "off" if not same[0].on else "" if same[0].moves else "asks"
        cells = "".join(f"{f'{one.fired}  {one.right_without} -> {one.right_with}' if one.fired else '':>27}" for one in same)
        print(f"{same[0].id:<32}{state:<5}{cells}")


if __name__ == "__main__":
    main()
