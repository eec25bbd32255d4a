"""One command from new verdicts to a better model: train, compare with the live one, put it live where it is better.

What is compared is what goes live: the newest complaints that the live model has not seen are kept from the new one
too, judge both, and teach at the next retraining. So the figure that promotes a model is never in-sample.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from model import artifact as artifacts
from model.faults import SalurError
from model.labelled import LabelledComplaint
from model.register import Register
from model.registry import Registry, Verdict
from model.router import Router
from training import compare, dataset, report, train
from training.config import TrainingConfig
from training.seen import Seen

Say = Callable[[str], object]


@dataclass(frozen=True)
class Retrained:
    """What a retraining came to. `version` is empty where nothing changed; `comparison` None for a first model."""

    version: str
    live: str
    comparison: compare.Comparison | None = None
    refusal: str = ""

    def __str__(self) -> str:
        """Say it in a few lines."""
        if not self.version:
            return f"nothing changed since {self.live}: nothing to do"
        lines = [str(self.comparison), ""] if self.comparison else []
        lines.append(f"trained: {self.version}")
        lines.append(f"live:    {self.live}" + (f" ({self.refusal})" if self.refusal else ""))
        return "\n".join(lines)


def retrain(
    registry: Registry,
    register: Register,
    given: train.Sources,
    config: TrainingConfig,
    *,
    test: float,
    at: str,
    who: str,
    why: str,
    promote: bool,
    say: Say = lambda _: None,
) -> Retrained:
    """Train a version from `given`, compare it with the live one, and with `promote` put it live where it is better.

    `test` is the share of the complaints new since the live model, the newest, that judges both.
    """
    live = registry.current()
    if live and unchanged(registry.manifest(live), register, given, config):
        return Retrained("", live)
    seen = Seen.load(registry.path(live)) if live else None
    taught, held_out = hold_out(given.own, seen, test) if live else (list(given.own), [])
    sources = replace(given, own=taught, given=given.digest)
    version = train.version_name(at, sources, register, config)
    artifact, judged = train.train(register, sources, config, at, say)
    artifacts.save(registry.folder / version, artifact, report.files(artifact, judged) | train.seen_file(sources))
    figures: dict[str, Any] = artifact.manifest["figures"]["out_of_fold"]
    registry.record("trained", version=version, at=at, who=who, why=why, figures={"accuracy": figures["accuracy"]})
    if not live:
        registry.promote(version, why=why, who=who, at=at, register=register)
        return Retrained(version, version)
    champion, challenger = Router.load(registry.path(live)), Router.load(registry.path(version))
    both = {champion.version: seen, challenger.version: Seen.of([*taught, *given.other])}
    found = compare.compare(champion, challenger, held_out, seen=both, today=at[:10], say=say)
    registry.record("compared", version=version, previous=live, at=at, who=who, why=found.why, figures=found.summary)
    if not promote or found.summary["verdict"] != Verdict.PROMOTE:
        return Retrained(version, live, found, refusal="" if promote else "not asked to promote")
    try:
        registry.promote(version, why=why, who=who, at=at, register=register)
    except SalurError as error:
        return Retrained(version, live, found, refusal=str(error))
    return Retrained(version, version, found)


def unchanged(manifest: dict[str, Any], register: Register, given: train.Sources, config: TrainingConfig) -> bool:
    """Tell whether a version was trained on exactly this: data, register, configuration, stemmer."""
    return bool(
        manifest["data"].get("given") == given.digest
        and manifest["register"] == register.digest
        and manifest["config"] == config.to_dict()
        and manifest["stemmer"] == train.stemmer_digest(register)
    )


def hold_out(
    rows: Sequence[LabelledComplaint], seen: Seen | None, share: float
) -> tuple[list[LabelledComplaint], list[LabelledComplaint]]:
    """Split into what teaches and the newest `share` of what the live model has not seen, which judges."""
    fresh = [row for row in dataset.testable(rows) if seen is None or row not in seen]
    fresh.sort(key=lambda row: (row.received_at, row.labelled_at, row.id))
    kept = fresh[len(fresh) - round(len(fresh) * share) :]
    away = {id(row) for row in kept}
    return [row for row in rows if id(row) not in away], kept
