"""Every choice of a training, as one frozen object that is read from TOML and written into the artifact."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from model.faults import Fault, InvalidData


@dataclass(frozen=True)
class TrainingConfig:
    """What a training depends on besides its data. The defaults are what measuring chose (CONTRIBUTING.md says how)."""

    seed: int = 0
    min_df: int = 2
    """A feature must occur in this many complaints; nearly the same ones count once."""
    char_weight: float = 1.0
    """Length of the character block beside the stems' 1."""
    char_rareness: float = 1.5
    """Power of the idf that n-grams of characters weigh; that of stems is 1."""
    c: float = 0.2
    """LinearSVC's C."""
    balance: float = 0.5
    """Weight of a row: (share of its class) ** -balance; 0 is none, 1 is scikit-learn's "balanced"."""
    bayes: float = 0.05
    """How much of complement naive Bayes is added to the machines."""
    matters_weight: float = 0.5
    """Weight of the register's own words (names, aliases, matters), which are read as complaints; 0 leaves them out."""
    topic_weight: float = 1.0
    """Weight of the names of categories, each read as a complaint to its usual agency; 0 leaves them out."""
    transfer_weight: float = 0.7
    """Weight of other regions' rows, where `weights` does not name their source."""
    unlabelled_weight: float = 0.7
    """Weight of complaints that nobody labelled, where such are given, by what the model itself says of them."""
    local_weight: float = 0.7
    """Length of the features that each region has to itself beside those that all share; 0 lets all regions speak alike."""
    folds: int = 5
    """Folds of out-of-fold probabilities, for calibration and thresholds."""
    target_error: float = 0.05
    delta: float = 0.10
    """The promise: of automatic routings at most `target_error` are wrong, with confidence 1 - delta."""
    weights: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """Weight of a row by its `source`; 1 where none is named."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for the manifest."""
        return {item.name: getattr(self, item.name) for item in dataclasses.fields(self)} | {"weights": dict(self.weights)}


_BOUNDS = {
    "seed": (0, 2**32 - 1),
    "min_df": (1, 1000),
    "char_weight": (0.0, 10.0),
    "char_rareness": (0.0, 4.0),
    "c": (1e-4, 1e4),
    "balance": (0.0, 1.0),
    "bayes": (0.0, 1.0),
    "matters_weight": (0.0, 100.0),
    "topic_weight": (0.0, 100.0),
    "transfer_weight": (0.0, 100.0),
    "unlabelled_weight": (0.01, 100.0),
    "local_weight": (0.0, 10.0),
    "folds": (2, 20),
    "target_error": (0.001, 0.5),
    "delta": (0.001, 0.5),
}
"""Least and most of each setting of a file; one with whole bounds must be a whole number."""


def load(path: Path) -> TrainingConfig:
    """Read a configuration. Raises InvalidData with every unknown name and every value out of bounds."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:  # also that of int, for a number of thousands of digits
        raise InvalidData([Fault(str(path), 0, f"not TOML: {error}")]) from error
    if wrong := [reason for name, value in table.items() for reason in _wrong(name, value)]:
        raise InvalidData(Fault(str(path), 0, reason) for reason in wrong)
    weights = MappingProxyType(dict(table.pop("weights", {})))
    return TrainingConfig(**table, weights=weights)


def of_manifest(manifest: Mapping[str, Any]) -> TrainingConfig:
    """Read the configuration that a version was trained with."""
    table = dict(manifest["config"])
    return TrainingConfig(**{**table, "weights": MappingProxyType(dict(table.get("weights", {})))})


def _wrong(name: str, value: object) -> Iterator[str]:
    """Yield what is wrong with one setting of a file."""
    if name == "weights" and isinstance(value, dict):
        for source, weight in value.items():
            if not _within(weight, (0.0, 100.0)):
                yield f"weights.{source} = {weight!r}: a number from 0 to 100"
    elif name == "weights":
        yield "weights must be a table of numbers by source"
    elif name not in _BOUNDS:
        yield f"{name}: no such setting; there are {', '.join([*_BOUNDS, 'weights'])}"
    else:
        low, high = _BOUNDS[name]
        whole = isinstance(low, int)
        if not _within(value, (low, high)) or (whole and not isinstance(value, int)):
            yield f"{name} = {value!r}: {'a whole number' if whole else 'a number'} from {low} to {high}"


def _within(value: object, bounds: tuple[float, float]) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and bounds[0] <= value <= bounds[1]
