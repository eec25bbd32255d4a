"""The folder of a region: its agencies, places and roads, loaded and checked as one."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from model.faults import Fault, InvalidData

AUTHORITIES = ("kabupaten", "kota", "provinsi", "pusat")
FAMILY_UNITS = ("kecamatan", "desa")
PLACE_TYPES = ("kecamatan", "desa", "kelurahan")
ROAD_CLASSES = ("nasional", "provinsi", "kabupaten", "lingkungan", "desa", "khusus")
FILES = ("agencies.csv", "places.csv", "roads.csv", "rules.toml")
_AGENCY_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Agency:
    """Who can be responsible.

    `per` marks a *family*: one office in each kecamatan or desa, whose unit the place decides.
    `valid_from` and `valid_until` are ISO dates or empty; `successor` is the id that took over.
    """

    id: str
    name: str
    aliases: tuple[str, ...] = ()
    authority: str = "kabupaten"
    per: str = ""
    matters: str = ""
    valid_from: str = ""
    valid_until: str = ""
    successor: str = ""

    def active_on(self, date: str) -> bool:
        """Tell whether the agency exists on an ISO date; an empty date is always yes."""
        if not date:
            return True
        day = date[:10]
        return (not self.valid_from or self.valid_from <= day) and (not self.valid_until or day <= self.valid_until)


@dataclass(frozen=True, slots=True)
class Place:
    """A kecamatan (`desa` empty) or a desa or kelurahan inside one, with the names people write."""

    kecamatan: str
    desa: str = ""
    type: str = "desa"
    aliases: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The place's own name."""
        return self.desa or self.kecamatan


@dataclass(frozen=True, slots=True)
class Road:
    """A road by name; its class decides who looks after it. `kecamatan` may be empty (it crosses several)."""

    name: str
    road_class: str
    aliases: tuple[str, ...] = ()
    kecamatan: str = ""
    source: str = ""


@dataclass(frozen=True)
class Register:
    """One region: everything about it that is data. Build it with `Register.load`."""

    agencies: tuple[Agency, ...]
    places: tuple[Place, ...] = ()
    roads: tuple[Road, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def load(cls, folder: Path) -> Register:
        """Read and check a region's folder.

        Raises InvalidData with every fault of every file, each with file, line and reason.
        """
        files = {name: (folder / name).read_bytes() for name in FILES if (folder / name).is_file()}
        faults: list[Fault] = []
        if "agencies.csv" not in files:
            faults.append(Fault(str(folder / "agencies.csv"), 0, "missing: a register needs at least its agencies"))
        agencies = _read(folder, files, "agencies.csv", ("id", "name"), _agency, faults)
        places = _read(folder, files, "places.csv", ("kecamatan", "desa"), _place, faults)
        roads = _read(folder, files, "roads.csv", ("name", "class"), _road, faults)
        faults += _check_agencies(folder, agencies)
        faults += _check_places(folder, places)
        faults += _check_roads(folder, roads, {place.kecamatan for _, place in places})
        if faults:
            raise InvalidData(sorted(faults, key=lambda f: (f.file, f.line)))
        return cls(*(tuple(item for _, item in rows) for rows in (agencies, places, roads)), files=files)

    @cached_property
    def by_id(self) -> Mapping[str, Agency]:
        """Agencies by their id."""
        return {agency.id: agency for agency in self.agencies}

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the folder's files, names included: the register's identity in a manifest."""
        total = hashlib.sha256()
        for name in sorted(self.files):
            total.update(name.encode() + b"\0" + hashlib.sha256(self.files[name]).digest())
        return total.hexdigest()

    @cached_property
    def kecamatan(self) -> tuple[str, ...]:
        """Names of the kecamatan, in the order of the file."""
        return tuple(dict.fromkeys(place.kecamatan for place in self.places))

    def current(self, agency_id: str, date: str = "") -> str:
        """Follow successors until an agency that is active on `date`; the id itself where none is named."""
        seen = {agency_id}
        agency = self.by_id[agency_id]
        while not agency.active_on(date) and agency.successor and agency.successor not in seen:
            seen.add(agency.successor)
            agency = self.by_id[agency.successor]
        return agency.id

    def save(self, folder: Path) -> None:
        """Write the files as they were read, so that an artifact carries its register."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in self.files.items():
            (folder / name).write_bytes(content)


def split_list(text: str) -> tuple[str, ...]:
    """Split a `;`-separated cell; blanks drop out."""
    return tuple(part.strip() for part in text.split(";") if part.strip())


def csv_rows(content: bytes, file: str, required: Sequence[str], faults: list[Fault]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line, row) of a CSV in UTF-8 with a header; whatever is wrong is added to `faults`."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        faults.append(Fault(file, line, f"not UTF-8: byte 0x{content[error.start]:02x}"))
        return
    if "\0" in text:
        faults.append(Fault(file, text[: text.index("\0")].count("\n") + 1, "NUL byte: this is not a text file"))
        return
    reader = csv.DictReader(text.splitlines(keepends=True), strict=True)
    try:
        missing = [name for name in required if name not in (reader.fieldnames or ())]
        if missing:
            faults.append(Fault(file, 1, f"column missing: {', '.join(missing)}"))
            return
        for row in reader:
            if None in row:
                faults.append(Fault(file, reader.line_num, "more cells than the header has columns: quote the cell with the comma"))
                continue
            if any(value is None for value in row.values()):
                faults.append(Fault(file, reader.line_num, "fewer cells than the header has columns"))
                continue
            yield reader.line_num, {key: value.strip() for key, value in row.items()}
    except csv.Error as error:
        faults.append(Fault(file, reader.line_num, f"not CSV: {error}"))


def _read(
    folder: Path,
    files: Mapping[str, bytes],
    name: str,
    required: Sequence[str],
    build: Callable[[dict[str, str]], _T],
    faults: list[Fault],
) -> list[tuple[int, _T]]:
    if name not in files:
        return []
    return [(line, build(row)) for line, row in csv_rows(files[name], str(folder / name), required, faults)]


def _agency(row: dict[str, str]) -> Agency:
    names = ("valid_from", "valid_until", "successor", "per", "matters")
    return Agency(
        id=row["id"],
        name=row["name"],
        aliases=split_list(row.get("aliases", "")),
        authority=row.get("authority", "kabupaten"),
        **{key: row.get(key, "") for key in names},
    )


def _place(row: dict[str, str]) -> Place:
    kind = row.get("type", "") or ("desa" if row["desa"] else "kecamatan")
    return Place(row["kecamatan"], row["desa"], kind, split_list(row.get("aliases", "")))


def _road(row: dict[str, str]) -> Road:
    return Road(
        name=row["name"],
        road_class=row["class"],
        aliases=split_list(row.get("aliases", "")),
        kecamatan=row.get("kecamatan", ""),
        source=row.get("source", ""),
    )


def _check_agencies(folder: Path, rows: Sequence[tuple[int, Agency]]) -> Iterator[Fault]:
    file = str(folder / "agencies.csv")
    ids = {agency.id for _, agency in rows}
    seen: dict[str, int] = {}
    for line, agency in rows:
        if not _AGENCY_ID.fullmatch(agency.id):
            yield Fault(file, line, f"id {agency.id!r}: use lower-case letters, digits and hyphens")
        if agency.id in seen:
            yield Fault(file, line, f"id {agency.id!r} stands already on line {seen[agency.id]}")
        seen.setdefault(agency.id, line)
        if not agency.name:
            yield Fault(file, line, f"agency {agency.id!r} has no name")
        if agency.authority not in AUTHORITIES:
            yield Fault(file, line, f"authority {agency.authority!r}: one of {', '.join(AUTHORITIES)}")
        if agency.per and agency.per not in FAMILY_UNITS:
            yield Fault(file, line, f"per {agency.per!r}: empty, or one of {', '.join(FAMILY_UNITS)}")
        for name, date in (("valid_from", agency.valid_from), ("valid_until", agency.valid_until)):
            if date and not _DATE.fullmatch(date):
                yield Fault(file, line, f"{name} {date!r}: a date as YYYY-MM-DD")
        if agency.successor and agency.successor not in ids:
            yield Fault(file, line, f"successor {agency.successor!r} is no agency of this file")


def _check_places(folder: Path, rows: Sequence[tuple[int, Place]]) -> Iterator[Fault]:
    file = str(folder / "places.csv")
    seen: dict[tuple[str, str], int] = {}
    for line, place in rows:
        key = (place.kecamatan, place.desa)
        if not place.kecamatan:
            yield Fault(file, line, "kecamatan is empty")
        if place.type not in PLACE_TYPES:
            yield Fault(file, line, f"type {place.type!r}: one of {', '.join(PLACE_TYPES)}")
        if (place.type == "kecamatan") != (not place.desa):
            yield Fault(file, line, "a row of type kecamatan has an empty desa, and no other row has")
        if key in seen:
            yield Fault(file, line, f"{place.name!r} stands already on line {seen[key]}")
        seen.setdefault(key, line)


def _check_roads(folder: Path, rows: Sequence[tuple[int, Road]], kecamatan: set[str]) -> Iterator[Fault]:
    file = str(folder / "roads.csv")
    for line, road in rows:
        if not road.name:
            yield Fault(file, line, "name is empty")
        if road.road_class not in ROAD_CLASSES:
            yield Fault(file, line, f"class {road.road_class!r}: one of {', '.join(ROAD_CLASSES)}")
        if road.kecamatan and road.kecamatan not in kecamatan:
            yield Fault(file, line, f"kecamatan {road.kecamatan!r} is not in places.csv")
