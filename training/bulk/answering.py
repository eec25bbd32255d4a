"""What a worker does with a chunk of records: reads each, routes it, and writes its answer or why there is none, a line each."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import orjson

from model import lapor
from model.complaint import Complaint
from model.faults import SalurError
from model.router import Router
from model.routing import Routing
from training.reading import records
from training.reading.records import Form

COLUMNS = ("salur_agency", "salur_unit", "salur_decision", "salur_probability", "salur_reasons", "salur_model", "salur_error")
"""What is written beside a plain table's columns, in this order."""

Chunk = tuple[tuple[int, ...], bytes]
"""Numbers of some records, and the records, one a line."""
Answers = tuple[bytes, int]
"""As many whole lines, and how many of them are errors."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a worker must know: the folder and version of the model, and how answers are written."""

    model: str
    version: str
    form: Form = Form.LINES
    evidence: bool = False


@lru_cache(maxsize=1)
def router_of(model: str, version: str) -> Router:
    """Load a version, once a process. Raises SalurError where the folder holds another one."""
    router = Router.load(Path(model))
    if router.version != version:
        raise SalurError(f"{model}: version {router.version} on a worker, {version} where the run was started")
    return router


def answer(work: Work, numbers: Sequence[int], chunk: bytes) -> Answers:
    """Answer a chunk; a worker loads the model when its first one comes."""
    router = router_of(work.model, work.version)
    collects = gc.isenabled()
    gc.disable()  # routing makes no cycles, and to search for some takes a twentieth of the time
    try:
        return _answer(router, work, numbers, chunk)
    finally:
        if collects:
            gc.enable()


def _answer(router: Router, work: Work, numbers: Sequence[int], chunk: bytes) -> Answers:
    lines = [b""] * len(numbers)
    complaints: dict[int, Complaint] = {}
    for place, record in enumerate(chunk.split(b"\n")):
        try:
            complaints[place] = records.complaint_of(record)
        except ValueError as error:
            lines[place] = _error(numbers[place], records.id_of(record), str(error))
    errors = len(numbers) - len(complaints)
    routings = _route(router, list(complaints.values()), work.evidence)
    for (place, complaint), routing in zip(complaints.items(), routings, strict=True):
        if isinstance(routing, Routing):
            lines[place] = _written(router, work, numbers[place], complaint, routing)
        else:
            lines[place] = _error(numbers[place], complaint.id, routing)
            errors += 1
    return b"".join(line + b"\n" for line in lines), errors


def _route(router: Router, complaints: Sequence[Complaint], evidence: bool) -> Iterable[Routing | str]:
    """Answer the routings, and for a complaint that cannot be routed the reason."""
    try:
        return router.route_all(complaints, evidence=evidence)
    except Exception:
        # A fault of ours. One complaint must not keep the others from being answered, nor stop the run again when resumed.
        return (_route_alone(router, complaint, evidence) for complaint in complaints)


def _route_alone(router: Router, complaint: Complaint, evidence: bool) -> Routing | str:
    try:
        return router.route(complaint, evidence=evidence)
    except Exception as error:
        return f"could not be routed: {type(error).__name__}: {error}"


def _written(router: Router, work: Work, number: int, complaint: Complaint, routing: Routing) -> bytes:
    if work.form is Form.EXPORT:
        return orjson.dumps(lapor.cells_of(routing, router.register))
    if work.form is Form.TABLE:
        probability, reasons = f"{routing.candidates[0].probability:.4f}", " ".join(routing.reasons)
        return orjson.dumps((routing.agency, routing.unit, routing.decision, probability, reasons, routing.model_version, ""))
    row = routing.to_dict()
    if not work.evidence:
        del row["evidence"]
    return orjson.dumps({"line": number, "id": complaint.id, **row})


def _error(number: int, known: str, reason: str) -> bytes:
    return orjson.dumps({"error": reason, "line": number, "id": known})
