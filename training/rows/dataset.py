"""From files of labelled complaints to a set that can be trained on: checked, in today's agencies, without duplicates.

Every function is pure. A refusal names file, line and reason, and all refusals come in one error.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.complaint import Complaint
from model.faults import ALIKE, Fault, InvalidData
from model.labelled import TRAIN, LabelledComplaint, from_dict, is_dated, read_rows
from model.namesakes import NONE, Namesakes
from model.register import Register
from training.reading.sources import masked
from training.rows import alike

NEAR = 0.6
"""Share of word pairs that two texts have in common (Jaccard) from which they count as nearly the same."""
TABLES = (".csv", ".tsv", ".xls", ".xlsm", ".xlsx")
_WORDS = re.compile(r"\w+")
_STRANGE = "name agencies of another register: `import --crosswalk` writes them under this one's"
_UNSEEN = (
    "has no complaint: add one, give it a valid_until where it ended, or train with --allow-unseen to know it by its words here"
)


@dataclass(frozen=True, slots=True)
class Row:
    """A labelled complaint and where it stands."""

    file: str
    line: int
    complaint: LabelledComplaint


@dataclass(frozen=True, slots=True)
class Conflict:
    """The same text under different agencies. `kept` is the label of the latest."""

    ids: tuple[str, ...]
    agencies: tuple[str, ...]
    kept: str


@dataclass(frozen=True, slots=True)
class Deduplicated:
    """What is left of a list once each text stands in it once, in the list's order."""

    kept: list[LabelledComplaint]
    dropped: int
    conflicts: list[Conflict]


def load(*paths: Path) -> list[Row]:
    """Read files of labelled complaints, masked: what a model learns and is judged by is what the service reads.

    Raises InvalidData with every fault of every row of every file.
    """
    faults: list[Fault] = []
    rows = read(paths, faults)
    if faults:
        raise InvalidData(faults)
    return rows


def read(paths: Iterable[Path], faults: list[Fault], namesakes: Namesakes = NONE) -> list[Row]:
    """Read files as `load` does; what cannot be read is added to `faults`, for `check` to tell with what else is wrong.

    `namesakes` are a register's places that are called as people are: their names are not masked.
    """
    rows: list[Row] = []
    for path in paths:
        if not path.is_file():
            faults.append(Fault(str(path), 0, "no such file"))
            continue
        if path.suffix.lower() in TABLES:  # else a fault for each of its lines, none of which says what to do
            faults.append(Fault(str(path), 0, "is a table: `salur-training import` makes labelled complaints of it"))
            continue
        rows += (Row(str(path), line, masked(row, namesakes)) for line, row in read_rows(path, from_dict, faults))
    return rows


def load_known(register: Register, paths: Sequence[Path]) -> list[Row]:
    """Read files and check them against a register; an agency without any row is no fault. Raises InvalidData."""
    faults: list[Fault] = []
    rows = read(paths, faults, register.namesakes)
    check(rows, register, faults, every_agency=False)
    return rows


def check(
    rows: Sequence[Row], register: Register, unread: Sequence[Fault] = (), *, every_agency: bool = True, today: str = ""
) -> None:
    """Refuse what cannot be trained on: an unknown agency, an invalid date, an id twice in one source, no rows at all.

    With `every_agency`, an active agency without any row is a fault too: a model would know it by the register's words alone.
    With `today`, an ISO date, so is a row received later: one date in the future would make all other rows look old. On that
    date the rows of an agency that has ended count as its successor's.
    Raises InvalidData with every fault, first those of `unread`: what reading the rows' files had found.
    """
    faults = [*unread, *(Fault(row.file, row.line, reason) for row in rows for reason in _wrong(row.complaint, register))]
    latest = (dt.date.fromisoformat(today) + dt.timedelta(days=1)).isoformat() if today else "9999"  # it may be tomorrow there
    faults += (
        Fault(row.file, row.line, f"received_at {row.complaint.received_at[:20]!r} is later than today")
        for row in rows
        if is_dated(row.complaint.received_at) and row.complaint.received_at[:10] > latest
    )
    first: dict[tuple[str, str], Row] = {}
    for row in rows:
        if row.complaint.id:
            other = first.setdefault((row.complaint.source, row.complaint.id), row)
            if other is not row:
                faults.append(Fault(row.file, row.line, f"id {row.complaint.id!r} stands already in {other.file}:{other.line}"))
    if unread:
        pass  # the rows that are missing here may stand on those lines
    elif not rows:
        faults.append(Fault("data", 0, "no labelled complaints"))
    elif every_agency:
        known = [row.complaint for row in rows if row.complaint.agency in register.by_id]
        known += [replace(complaint, agency=register.current(complaint.agency, today)) for complaint in known]
        unseen = unseen_agencies(known, register)
        file = str(register.folder / "agencies.csv")
        faults += [Fault(file, register.lines.get(agency, 0), f"agency {agency!r} {_UNSEEN}") for agency in unseen]
    strange = Counter(row.file for row in rows if row.complaint.agency and row.complaint.agency not in register.by_id)
    # Last, where it is read: other registers' ids can be hundreds of lines.
    faults += [Fault(file, 0, f"{many:,} rows {_STRANGE}") for file, many in strange.items() if many > ALIKE]
    if faults:
        raise InvalidData(faults)


def unseen_agencies(complaints: Iterable[LabelledComplaint], register: Register) -> list[str]:
    """List the agencies without an end that no complaint is labelled with."""
    seen = {complaint.agency for complaint in complaints}
    return [agency.id for agency in register.agencies if not agency.valid_until and agency.id not in seen]


def to_current(complaints: Iterable[LabelledComplaint], register: Register, date: str) -> list[LabelledComplaint]:
    """Bring labels up to date: an agency that has ended by an ISO date is replaced by its successor.

    So is the agency that the service had answered, which would otherwise count as an error of the model.
    """

    def now(agency: str) -> str:
        return register.current(agency, date) if agency in register.by_id else agency

    return [
        replace(
            complaint,
            agency=now(complaint.agency),
            answered=complaint.answered and replace(complaint.answered, agency=now(complaint.answered.agency)),
            also=tuple(dict.fromkeys(map(now, complaint.also))),
            acceptable=tuple(dict.fromkeys(map(now, complaint.acceptable))),
        )
        for complaint in complaints
    ]


def testable(complaints: Iterable[LabelledComplaint]) -> list[LabelledComplaint]:
    """List the complaints that a model may be judged by: those with an agency that a crosswalk does not mark for training only."""
    return [complaint for complaint in complaints if complaint.expect == "route" and not only_teaches(complaint)]


def only_teaches(complaint: LabelledComplaint) -> bool:
    """Tell whether a crosswalk marks it for training only: its label is likely, not certain."""
    return complaint.use == TRAIN


def judging(complaints: Iterable[LabelledComplaint]) -> NDArray[np.bool_]:
    """(rows,) whether a row may judge a model: false where `only_teaches` is true."""
    return np.array([not only_teaches(complaint) for complaint in complaints], dtype=bool)


def text_key(complaint: LabelledComplaint | Complaint) -> str:
    """Reduce title and text to what makes them the same complaint: letters and digits, in lower case."""
    return " ".join(_WORDS.findall(f"{complaint.title} {complaint.text}".casefold()))


def deduplicate(complaints: Sequence[LabelledComplaint]) -> Deduplicated:
    """Keep each text once: the latest by `received_at`, then by place in the list.

    Where labels differ, the latest is kept too: people send a complaint again when it went wrong the first time.
    A text that nobody could route (`expect` is "review") conflicts with a label as any other would.
    """
    places: dict[str, list[int]] = defaultdict(list)
    for index, complaint in enumerate(complaints):
        places[text_key(complaint)].append(index)
    kept = {max(indices, key=lambda index: (complaints[index].received_at, index)): indices for indices in places.values()}
    return Deduplicated(
        kept=[complaints[index] for index in sorted(kept)],
        dropped=len(complaints) - len(kept),
        conflicts=[found for last, indices in sorted(kept.items()) for found in _conflict(complaints, indices, last)],
    )


def near_duplicate_groups(complaints: Sequence[LabelledComplaint]) -> list[int]:
    """Answer a group number for each complaint; nearly the same texts share one, so that a split can keep them together.

    Texts are compared by their pairs of neighbouring words. What is nearly the same as something nearly the same
    is in the group too.
    """
    return alike.groups([text_key(complaint) for complaint in complaints], NEAR)


def one_of_each(complaints: Sequence[LabelledComplaint]) -> NDArray[np.bool_]:
    """(rows,) true for the latest of each group of nearly the same texts: a flood of one matter is one case, not hundreds."""
    latest: dict[int, int] = {}
    groups = near_duplicate_groups(complaints)
    for index in sorted(range(len(complaints)), key=lambda index: complaints[index].received_at):
        latest[groups[index]] = index
    chosen = np.zeros(len(complaints), dtype=bool)
    chosen[list(latest.values())] = True
    return chosen


def without_repeats(complaints: Sequence[LabelledComplaint], of: Sequence[LabelledComplaint]) -> list[LabelledComplaint]:
    """Leave out rows whose text is the same as, or nearly the same as, one of `of`: a model trained on them has seen that one."""
    known = {text_key(complaint) for complaint in of}
    complaints = [complaint for complaint in complaints if text_key(complaint) not in known]
    if not complaints:
        return []
    groups = near_duplicate_groups([*of, *complaints])
    taken = set(groups[: len(of)])
    return [complaint for complaint, group in zip(complaints, groups[len(of) :], strict=True) if group not in taken]


def _wrong(complaint: LabelledComplaint, register: Register) -> Iterator[str]:
    if complaint.received_at and not is_dated(complaint.received_at):
        yield f"received_at {complaint.received_at[:20]!r} is no date as YYYY-MM-DD"
    named = (
        ("agency", (complaint.agency,) if complaint.agency else ()),
        ("also", complaint.also),
        ("acceptable", complaint.acceptable),
    )
    for name, agencies in named:
        for agency in agencies:
            if agency not in register.by_id:
                yield f"{name} {agency!r} is not in the register"


def _conflict(complaints: Sequence[LabelledComplaint], indices: Sequence[int], last: int) -> Iterator[Conflict]:
    agencies = tuple(dict.fromkeys(complaints[index].agency for index in indices))
    if len(agencies) > 1:
        yield Conflict(tuple(complaints[index].id for index in indices), agencies, complaints[last].agency)
