"""One command from new verdicts to a better model: train, compare with the live one, put it live where it is better.

The compared version is the one that goes live. The newest complaints that the live model has not seen are kept from the
new one too: they judge both, and teach at the next retraining. So the figure that promotes a model is never in-sample.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from model import artifact as artifacts
from model.faults import SalurError
from model.labelled import LabelledComplaint
from model.ledger import Event, Verdict
from model.register import Register
from model.registry import Registry
from model.router import Router
from training import train
from training.config import TrainingConfig
from training.judging import compare, gate
from training.reports import report
from training.rows import dataset
from training.rows.seen import Seen
from training.rows.training_set import TrainingSet

Say = Callable[[str], object]


@dataclass(frozen=True)
class Retrained:
    """What a retraining came to.

    `version` is empty where nothing changed since `same`; `comparison` is None where there was nothing to compare with.
    `refusal` says why what was trained is not live.
    """

    version: str
    live: str
    comparison: compare.Comparison | None = None
    refusal: str = ""
    same: str = ""

    @property
    def missing(self) -> int:
        """How many more unseen complaints it takes until enough of them judge: of so few, half do and half teach."""
        return max(0, 2 * (gate.MIN_ROWS - self.comparison.overall.rows)) if self.comparison else 0

    def __str__(self) -> str:
        """Say it in a few lines."""
        aside = f" ({self.refusal})" if self.refusal else ""
        if not self.version:
            return f"nothing changed since {self.same}: nothing to do{aside}"
        lines = [str(self.comparison), ""] if self.comparison else []
        if self.missing:
            lines.append(f"missing: some {self.missing} complaints that {self.live} has not seen, until enough of them judge")
        lines.append(f"trained: {self.version}")
        lines.append(f"live:    {self.live}{aside}")
        return "\n".join(lines)


def retrain(
    registry: Registry,
    register: Register,
    given: TrainingSet,
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

    `test` is the share of the complaints new since the live model, the newest, that judges both; as for `hold_out`.
    Nothing is trained twice: neither what the live version was trained on, nor what was already compared with it. Where the live
    version cannot be loaded there is nothing to compare with, and a person must promote the new one.
    """
    live = registry.current()
    go_live = partial(registry.promote, why=why, who=who, at=at, register=register)
    champion, broken = _load(registry, live) if live else (None, "")
    if live and (same := _tried(registry, live, register, given, config, test, comparable=champion is not None)):
        if promote and champion and _is_better(registry, live, same):
            done = _promoted(go_live, same, live)
            return replace(done, version="", same=same, refusal=done.refusal or f"it came out better than {live} and is live now")
        return Retrained("", live, refusal=_outcome(registry, live, same) if champion else _word_needed(broken, same), same=same)
    if champion and (options := _left_out(champion.manifest["data"], given)):
        say(f"NOTE: {live} was trained with {' and '.join(options)} too: without, the new one knows less")
    seen = Seen.load(registry.path(live)) if live and champion else None
    taught, held_out = hold_out(given.own, seen, test) if champion else (list(given.own), [])
    rest = replace(given, own=taught, given=given.digest)
    version = train.version_name(at, rest, register, config)
    artifact, judged = train.train(register, rest, config, at, say)
    artifacts.save(registry.folder / version, artifact, report.files(artifact, judged) | train.seen_file(rest))
    figures: dict[str, Any] = artifact.manifest["figures"]["out_of_fold"]
    registry.record(Event.TRAINED, version=version, at=at, who=who, why=why, figures={"accuracy": figures["accuracy"]})
    if not live:
        go_live(version)
        return Retrained(version, version)
    if not champion:
        return Retrained(version, live, refusal=_word_needed(broken, version))
    challenger = Router.load(registry.path(version))
    both = {champion.version: seen, challenger.version: Seen.of([*taught, *given.other], given.unlabelled)}
    found = compare.compare(champion, challenger, held_out, seen=both, today=at[:10], say=say)
    told = found.summary | {"test": test}
    registry.record(Event.COMPARED, version=version, previous=live, at=at, who=who, why=found.why, figures=told)
    if not promote or found.verdict is not Verdict.PROMOTE:
        return Retrained(version, live, found, refusal="" if promote else "not asked to promote")
    return _promoted(go_live, version, live, found)


def _left_out(before: Mapping[str, Any], given: TrainingSet) -> list[str]:
    """List the options that gave a version of these data more than its own complaints, and give the next one nothing."""
    now = {"other": given.other, "examples": given.examples, "unlabelled": given.unlabelled}
    options = {"other": "--transfer", "examples": "--aspects-from", "unlabelled": "--unlabelled"}
    return [option for name, option in options.items() if before.get(name) and not now[name]]


def _promoted(go_live: Callable[[str], object], version: str, live: str, found: compare.Comparison | None = None) -> Retrained:
    """Put a version live in the place of another, or tell why that was refused."""
    try:
        go_live(version)
    except SalurError as error:
        return Retrained(version, live, found, refusal=str(error))
    return Retrained(version, version, found)


def _is_better(registry: Registry, live: str, version: str) -> bool:
    """Tell whether a version came out better than the live one and never was live: what was taken back stays so."""
    history = registry.history()
    found = history.comparison(live, version)
    was_live = any(entry.what is Event.PROMOTED and entry.version == version for entry in history.entries)
    return found is not None and found.figures.get("verdict") == Verdict.PROMOTE and not was_live


def _load(registry: Registry, version: str) -> tuple[Router | None, str]:
    """Load a version, or say why it cannot be: before an hour of training, not after it."""
    try:
        return Router.load(registry.path(version)), ""
    except SalurError as error:
        return None, f"{version} cannot be loaded: {str(error).removeprefix(f'{version}: ')}"


def _tried(
    registry: Registry,
    live: str,
    register: Register,
    given: TrainingSet,
    config: TrainingConfig,
    test: float,
    *,
    comparable: bool,
) -> str:
    """Name a version that was made of exactly this and is live or was compared with the live one; "" where there is none.

    Another share to judge by (`test`) leaves other rows to learn from, and is another comparison. Where the live one is not
    `comparable`, any other version will do: it waits for a person's word.
    """
    digest, history = given.digest, registry.history()
    for version in reversed(registry.versions()):
        compared = history.comparison(live, version)
        alike = compared is not None and compared.figures.get("test", test) == test
        if (version == live or alike) if comparable else version != live:
            with suppress(SalurError):  # a folder that is no version, or no longer one
                if unchanged(registry.manifest(version), register, digest, config):
                    return version
    return ""


def _outcome(registry: Registry, live: str, version: str) -> str:
    """Say what comparing a version with the live one came to; "" where it is the live one."""
    found = registry.history().comparison(live, version)
    return f"compared with {live}: {found.figures.get('verdict')}, {found.why}" if found and version != live else ""


def _word_needed(broken: str, version: str) -> str:
    return f"{broken}; there is nothing to compare with: models promote {version} asks for --force-why"


def unchanged(manifest: Mapping[str, Any], register: Register, given: str, config: TrainingConfig) -> bool:
    """Tell whether a version was made of exactly this: data (`given`, their digest), configuration, register and program."""
    return (
        manifest.get("data", {}).get("given") == given
        and manifest.get("config") == config.to_dict()
        and all(manifest.get(name) == value for name, value in train.made_with(register).items())
    )


def hold_out(
    rows: Sequence[LabelledComplaint], seen: Seen | None, share: float
) -> tuple[list[LabelledComplaint], list[LabelledComplaint]]:
    """Split into what teaches and the newest `share` of what the live model has not seen, which judges.

    Where that is fewer than the gate asks for, up to half judge: fewer decide nothing, and more would leave nothing to learn.
    Nearly the same texts count as one. Among those that judge the latest does, and the others do not teach either.
    """
    fresh = [row for row in dataset.testable(rows) if seen is None or row not in seen]
    fresh.sort(key=lambda row: (row.received_at, row.labelled_at, row.id))
    cases = np.flatnonzero(dataset.one_of_each(fresh)).tolist()
    judging = max(round(len(cases) * share), min(gate.MIN_ROWS, len(cases) // 2))
    judges = cases[len(cases) - judging :]
    away = {id(row) for row in (fresh[judges[0] :] if judges else ())}
    return [row for row in rows if id(row) not in away], [fresh[number] for number in judges]
