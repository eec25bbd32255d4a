"""The report of a model: its figures, and one page made of them alone, which needs no other file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from model.artifact import Artifact
from model.files import replacing
from model.policy import NEVER, Policy
from training.measures import figures, slices, tables
from training.promises.judge import Judged
from training.reports import plots

Figures = Mapping[str, Any]
PAGE, FIGURES, CARD = "report.html", "figures.json", "MODEL_CARD.md"


def files(artifact: Artifact, judged: Judged) -> dict[str, str]:
    """Write what an artifact carries beside its arrays, by relative name: the report, its figures and the model's card."""
    found = of_training(artifact, judged)
    return {f"report/{PAGE}": page(found), f"report/{FIGURES}": _json(found), CARD: card(artifact.manifest, found)}


def write(folder: Path, found: Figures, manifest: Mapping[str, Any]) -> None:
    """Write into a folder what `evaluate` found of the model of a manifest, each file whole or not at all.

    The report, its figures and, where any complaint was judged, the model's card with them.
    """
    texts = {PAGE: page(found), FIGURES: _json(found)}
    if found["rows"]:
        texts[CARD] = card(manifest, {**found, "aspects": manifest["figures"]["aspects"]})
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        with replacing(folder / name) as part:
            part.write_text(text, encoding="utf-8")


def of_training(artifact: Artifact, judged: Judged) -> dict[str, Any]:
    """Answer the figures of a training's out-of-fold answers, under the names that `evaluate` uses."""
    policy = Policy.from_dict(artifact.manifest["policy"])
    truth, said = judged.truth.tolist(), judged.said.tolist()
    per_agency = figures.per_agency(truth, said)
    return {
        "model": artifact.version,
        "how": "out-of-fold",
        **artifact.manifest["metrics"],
        **figures.bootstrap(truth, said, judged.sureness),
        "per_agency": per_agency,
        "confusions": figures.confusions(truth, said),
        "pairs": figures.confused_pairs(truth, said),
        "reliability": figures.reliability(judged.sureness, judged.right),
        "risk_coverage": figures.risk_coverage_points(judged.sureness, judged.right),
        "policy": policy.to_dict(),
        "slices": artifact.manifest["figures"]["slices"],
        "aspects": artifact.manifest["figures"]["aspects"],
        "agencies": {agency: artifact.register.by_id[agency].name for agency in per_agency},
    }


def page(found: Figures) -> str:
    """Render the page. The same figures give the same page, whether they come from a model or from figures.json."""
    return _environment().get_template(PAGE).render(f=found).replace(" %", "\u00a0%")


def card(manifest: Mapping[str, Any], found: Figures) -> str:
    """Render the model's card: what it is for, how good, how it was made, and what to do against it."""
    return _environment().get_template(CARD).render(m=manifest, f=found)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("training"),
        autoescape=select_autoescape(["html"], default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals |= {"tables": tables, "plots": plots, "slices": slices, "NEVER": NEVER}
    environment.filters |= {"percent": tables.percent, "interval": tables.interval, "persen": _persen}
    environment.filters |= {"of_100": _of_100, "titik": _titik}
    return environment


def _persen(share: float, digits: int = 0) -> str:
    """Write a share as Indonesian does: 1,5 persen."""
    return f"{100 * share:.{digits}f}".replace(".", ",") + " persen"


def _titik(count: int) -> str:
    """Write a count as Indonesian does: 1.234."""
    return f"{count:,}".replace(",", ".")


def _of_100(share: float) -> int:
    return round(100 * share)


def _json(found: Figures) -> str:
    return json.dumps(found, ensure_ascii=False, indent=1) + "\n"
