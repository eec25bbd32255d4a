"""A past answer given again: the same complaint to the same version of the model must give the same routing, byte for byte."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, select

from model.faults import SalurError
from model.registry import Registry
from service.active_model import RouterLike
from service.complaints import intake
from service.storage.tables import complaint, routing
from service.web.schemas import routing_json


class CannotReplay(SalurError):
    """The answer cannot be given again; the text says why."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """One answer given again; `difference` is empty where it is the same."""

    routing_id: int
    model_version: str
    difference: str


def replay(connection: Connection, number: int, models: Path, load: Callable[[Path], RouterLike]) -> list[Replayed]:
    """Give every answer about a complaint again, but for a challenger's, which was never given.

    Raises CannotReplay where the complaint, its text or the model is gone, or this program does not load the model any more.
    """
    kept = connection.execute(select(complaint).where(complaint.c.id == number)).one_or_none()
    if kept is None:
        raise CannotReplay(f"complaint {number}: there is none with this number")
    if kept.purged_at is not None:
        raise CannotReplay(f"complaint {number}: its text was purged on {kept.purged_at:%Y-%m-%d}")
    given = select(routing).where(routing.c.complaint_id == number, routing.c.shadow.is_(False)).order_by(routing.c.id)
    said = connection.execute(given).all()
    answers = [answer for answer in said if answer.model_version]
    if not answers:
        raise CannotReplay(f"complaint {number}: no model was ready when it came")
    replayed = []
    for answer in answers:
        try:
            router = load(Registry(models).path(answer.model_version))
        except SalurError as error:
            raise CannotReplay(f"complaint {number}: {answer.model_version} cannot answer again: {error}") from error
        again = routing_json(router.route(intake.as_stored(kept))).decode()
        replayed.append(Replayed(answer.id, answer.model_version, _difference(answer.body, again)))
    return replayed


def _difference(before: str, after: str) -> str:
    if before == after:
        return ""
    stored, replayed = (json.dumps(json.loads(body), indent=1, ensure_ascii=False).splitlines() for body in (before, after))
    return "\n".join(difflib.unified_diff(stored, replayed, lineterm="", n=0)) or "the same values, written differently"
