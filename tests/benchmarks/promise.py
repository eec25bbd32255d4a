"""Does the promise hold? 500 calibrations on Surabaya: python -P tests/benchmarks/promise.py [--real ../shared/real] [--json].

One model a block of time answers the next block (as in training); its answers are then split at random, half to fit the
policy and half to count, 500 times. The share of splits in which more than the target went wrong must not exceed
delta, beyond what chance allows of 500 draws. Lists are judged on the same halves.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from scipy.stats import binom

from model.policy import MAX_CANDIDATES
from model.reader import Reader
from tests.benchmarks import surabaya
from training.config import TrainingConfig
from training.fitting.calibrate import out_of_fold
from training.promises import promise, trust
from training.promises.judge import judge
from training.rows.data import own_words, read
from training.rows.split import forward

SPLITS = 500


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--real", type=Path, default=Path("../shared/real"))
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    config, (register, rows) = TrainingConfig(), surabaya.past(given.real)
    reader = Reader(register)
    own, named = read(rows, reader, np.ones(len(rows))), list(own_words(register))
    other = read(named, reader, np.full(len(named), config.matters_weight))
    answers = out_of_fold(config, own, other, reader, forward([row.received_at for row in rows], 6, first=0.25))
    raw = judge(answers, own, reader)
    judged = judge(answers, own, reader, trust.fit(raw.sureness, raw.right))
    order = np.sort(-answers.probabilities, axis=1)
    rng = np.random.default_rng(config.seed)
    broken, coverage, errors, listed, lengths = 0, [], [], [], []
    for _ in range(SPLITS):
        mixed = rng.permutation(len(judged.right))
        here, there = mixed[: len(mixed) // 2], mixed[len(mixed) // 2 :]
        of_half = (judged.sureness[here], judged.said[here], judged.right[here], judged.truth_probability[here])
        policy = promise.policy(*of_half, config)
        sent = judged.sureness[there] >= np.array([policy.threshold(agency).value for agency in judged.said[there]])
        wrong = float((~judged.right[there][sent]).mean()) if sent.any() else 0.0
        broken += wrong > config.target_error
        coverage.append(float(sent.mean()))
        errors.append(wrong)
        listed.append(float((judged.truth_probability[there] >= policy.list_cut).mean()))
        lengths.append(float(np.clip((-order[there] >= policy.list_cut).sum(axis=1), 1, MAX_CANDIDATES).mean()))
    figures = {
        "splits": SPLITS,
        "rows": len(judged.right),
        "broken": broken / SPLITS,
        "allowed": float(binom.ppf(0.95, SPLITS, config.delta) / SPLITS),
        "coverage": float(np.mean(coverage)),
        "error": float(np.mean(errors)),
        "list_coverage": float(np.mean(listed)),
        "list_length": float(np.mean(lengths)),
    }
    if given.json:
        print(json.dumps(figures))
        return
    print(f"{figures['rows']:,} answers, {SPLITS} splits")
    print(
        f"more than {config.target_error:.0%} wrong in {figures['broken']:.3f} of the splits; promised at most {config.delta:.2f},"
    )
    print(f"and {figures['allowed']:.3f} is within chance; sent {figures['coverage']:.3f}, wrong {figures['error']:.4f} on average")
    print(f"lists hold the right agency in {figures['list_coverage']:.4f}; {figures['list_length']:.2f} agencies long on average")


if __name__ == "__main__":
    main()
