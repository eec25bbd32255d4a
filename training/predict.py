"""Route complaints by the million: the same format comes back, in order, in constant memory, and a killed run goes on."""

from __future__ import annotations

from pathlib import Path


from model.complaint import Complaint
from model.faults import Fault, InvalidData
from model.labelled import read_jsonl

_TEXTS = ("title", "kecamatan", "desa", "id", "received_at")


def complaint_of(row: object) -> Complaint:
    """Make a complaint of a decoded line; keys that no complaint has are passed over.

    Raises ValueError naming every field that is not what it must be, joined by "; ".
    """
    if not isinstance(row, dict):
        raise ValueError("not a JSON object")
    text = row.get("text")
    values = {name: row.get(name) or "" for name in _TEXTS}
    wrong = [f"{name} must be text" for name, value in values.items() if not isinstance(value, str)]
    confidential = row.get("confidential") or False
    if confidential is not True and confidential is not False:
        wrong.append("confidential must be true or false")
    if text is None:
        wrong.append("text is missing")
    elif not isinstance(text, str):
        wrong.append("text must be text")
    elif not text or text.isspace():
        wrong.append("text is empty")
    if wrong:
        raise ValueError("; ".join(wrong))
    return Complaint(text=str(text), confidential=confidential, **values)


def read_complaints(path: Path) -> list[Complaint]:
    """Read complaints from JSON Lines, labelled or not. Raises InvalidData with every fault of every row."""
    complaints, faults = [], []
    for number, row in read_jsonl(path):
        try:
            complaints.append(complaint_of(row))
        except ValueError as error:
            faults.append(Fault(str(path), number, str(error)))
    if faults:
        raise InvalidData(faults)
    return complaints
