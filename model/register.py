"""The folder of a region: its agencies, places and roads, loaded and checked as one."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from model.faults import Fault, InvalidData
from model.namesakes import Namesakes
from model.privacy import namesakes_of
from model.text import tokenise

AUTHORITIES = ("kabupaten", "kota", "provinsi", "pusat")
FAMILY_UNITS = ("kecamatan", "desa")
DISTRICT_TYPES = ("kecamatan", "distrik", "kapanewon", "kemantren")
VILLAGE_TYPES = ("desa", "kelurahan", "kampung", "kalurahan", "gampong", "nagari", "pekon")
"""What the two are by law in each region: Papua has distrik and kampung, Yogyakarta, Aceh, West Sumatra and Lampung their own."""
PLACE_TYPES = (*DISTRICT_TYPES, *VILLAGE_TYPES)
ROAD_CLASSES = ("nasional", "provinsi", "kabupaten", "kota", "lingkungan", "desa", "khusus")
ROAD_WORDS = frozenset(("jalan", "jl", "jln", "jlan", "ruas", "poros"))
"""What stands before a road's name, and alone names none."""
FILES = ("agencies.csv", "places.csv", "roads.csv", "rules.toml")
MAX_FILE = 5_000_000
"""Bytes of one file of a register; the whole of Indonesia's villages would fit."""
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

    @property
    def bare_name(self) -> str:
        """The name without what stands in brackets: "Kecamatan (18 kecamatan)" is "Kecamatan"."""
        return self.name.partition(" (")[0]

    def active_on(self, date: str) -> bool:
        """Tell whether the agency exists on an ISO date; an empty date is always yes."""
        if not date:
            return True
        day = date[:10]
        return (not self.valid_from or self.valid_from <= day) and (not self.valid_until or day <= self.valid_until)


@dataclass(frozen=True, slots=True)
class Place:
    """A kecamatan (`desa` empty) or a desa or kelurahan inside one, with the names people write.

    `ordinary` marks a name that is also an everyday phrase ("Mata Air"); single words are recognised as such without it.
    """

    kecamatan: str
    desa: str = ""
    type: str = "desa"
    aliases: tuple[str, ...] = ()
    ordinary: bool = False

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
    folder: Path = field(default=Path(), repr=False, compare=False)
    """Where it was read, for faults to name."""

    @classmethod
    def load(cls, folder: Path) -> Register:
        """Read and check a region's folder.

        Raises InvalidData with every fault of every file, each with file, line and reason. The rules are read by
        `model.authority`, which needs the register; its `load_region` tells the faults of both at once.
        """
        register, faults = cls.read(folder)
        if faults:
            raise InvalidData(faults)
        return register

    @classmethod
    def read(cls, folder: Path) -> tuple[Register, list[Fault]]:
        """Read a region's folder as far as it can be read, with all that is wrong in it."""
        faults: list[Fault] = []
        files = _read_files(folder, faults)
        agencies = _read(folder, files, "agencies.csv", ("id", "name"), _agency, faults)
        places = _read(folder, files, "places.csv", ("kecamatan", "desa"), _place, faults)
        roads = _read(folder, files, "roads.csv", ("name", "class"), _road, faults)
        # Where a table cannot be read, what names its rows is not wrong for that.
        unread = not places and any(fault.file == str(folder / "places.csv") for fault in faults)
        if not agencies and not faults:
            faults.append(Fault(str(folder / "agencies.csv"), 0, "no rows: a register needs at least its agencies"))
        faults += _check_agencies(folder, agencies)
        faults += () if unread else _check_families(folder, agencies, places)
        faults += _check_places(folder, places)
        faults += _check_roads(folder, roads, None if unread else {place.kecamatan for _, place in places})
        register = cls(
            agencies=tuple(agency for _, agency in agencies),
            places=tuple(place for _, place in places),
            roads=tuple(road for _, road in roads),
            files=files,
            folder=folder,
        )
        return register, sorted(faults, key=lambda fault: (fault.file, fault.line))

    @cached_property
    def by_id(self) -> Mapping[str, Agency]:
        """Agencies by their id."""
        return {agency.id: agency for agency in self.agencies}

    @cached_property
    def lines(self) -> Mapping[str, int]:
        """Line of agencies.csv on which each agency stands; none where it was not read from there."""
        rows = csv_rows(self.files.get("agencies.csv", b""), "agencies.csv", ("id",), [])
        return {row["id"]: line for line, row in rows}

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

    @cached_property
    def namesakes(self) -> Namesakes:
        """The places that are called as people are, which masking must know: some 30 ms, once."""
        return namesakes_of(name for place in self.places for name in (place.name, *place.aliases))

    def called(self, level: str) -> str:
        """Answer what people here call a kecamatan or desa, by the types of places.csv: "distrik", "kampung/kelurahan"."""
        types, usual = (DISTRICT_TYPES, ("kecamatan",)) if level == "kecamatan" else (VILLAGE_TYPES, ("desa", "kelurahan"))
        told = {place.type for place in self.places if bool(place.desa) == (level == "desa")}
        # A row that tells no type is taken for a desa, so desa alone tell nothing.
        return "/".join(name for name in types if name in told) if told - {"desa"} else "/".join(usual)

    def units(self, per: str) -> frozenset[str]:
        """Names of the offices of a family that has one in each `per`; none where that is empty."""
        if per == "kecamatan":
            return frozenset(self.kecamatan)
        return frozenset(self.village(place.kecamatan, place.desa) for place in self.places if place.desa) if per else frozenset()

    def village(self, kecamatan: str, desa: str) -> str:
        """Name a desa's office, with its kecamatan where another has a desa of that name: else nobody could tell the two apart."""
        return f"{desa} ({kecamatan})" if kecamatan and desa.casefold() in self._shared else desa

    @cached_property
    def _shared(self) -> frozenset[str]:
        counts = Counter(place.desa.casefold() for place in self.places if place.desa)
        return frozenset(name for name, many in counts.items() if many > 1)

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
        faults.append(Fault(file, line, f"not UTF-8: byte 0x{content[error.start]:02x}; save it as CSV UTF-8"))
        return
    if "\0" in text:
        faults.append(Fault(file, text[: text.index("\0")].count("\n") + 1, "NUL byte: this is not a text file"))
        return
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    records: list[tuple[int, list[str]]] = []
    begins = 1
    try:
        for record in reader:
            records.append((reader.line_num, [cell.strip() for cell in record]))
            begins = reader.line_num + 1
    except csv.Error as error:  # told where the row begins: an open quotation mark takes all that follows, and fails only there
        faults.append(Fault(file, begins, f"not CSV: {error}; is a quotation mark missing?"))
        return
    header = records[0][1] if records else []
    missing = [name for name in required if name not in header]
    if missing:
        faults.append(Fault(file, 1, f"column missing: {', '.join(missing)}{_hint(header)}"))
        return
    twice = [name for name in dict.fromkeys(header) if header.count(name) > 1]
    if twice:
        faults.append(Fault(file, 1, f"column stands twice: {', '.join(twice)}"))
        return
    for line, cells in records[1:]:
        if not any(cells):
            continue  # a spreadsheet leaves rows of commas where something was deleted
        if len(cells) > len(header):
            faults.append(Fault(file, line, "more cells than the header has columns: quote the cell with the comma"))
        elif len(cells) < len(header):
            faults.append(Fault(file, line, "fewer cells than the header has columns"))
        else:
            yield line, dict(zip(header, cells, strict=True))


def _hint(header: Sequence[str]) -> str:
    """Say what is wrong with a header that lacks a column: what parts its cells, or how its columns are called."""
    for char, name in ((";", "semicolons"), ("\t", "tabs")):
        if any(char in cell for cell in header):
            return f"; the cells must be separated by commas, not {name}"
    return f"; the first line has {', '.join(header)[:80]}" if any(header) else ""


def _read_files(folder: Path, faults: list[Fault]) -> dict[str, bytes]:
    files = {}
    for name in FILES:
        path = folder / name
        try:
            with path.open("rb") as file:
                content = file.read(MAX_FILE + 1)
        except FileNotFoundError:
            if name == "agencies.csv":
                faults.append(Fault(str(path), 0, "missing: a register needs at least its agencies"))
        except OSError as error:
            faults.append(Fault(str(path), 0, f"cannot be read: {error.strerror}"))
        else:
            if len(content) > MAX_FILE:
                faults.append(Fault(str(path), 0, f"over {MAX_FILE:,} bytes: too large for a file of a register"))
            else:
                files[name] = content
    return files


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
    rows = []
    for line, row in csv_rows(files[name], str(folder / name), required, faults):
        try:
            rows.append((line, build(row)))
        except ValueError as error:
            faults.append(Fault(str(folder / name), line, str(error)))
    return rows


def _agency(row: dict[str, str]) -> Agency:
    names = ("valid_from", "valid_until", "successor", "per", "matters")
    return Agency(
        id=row["id"],
        name=row["name"],
        aliases=split_list(row.get("aliases", "")),
        authority=row.get("authority") or "kabupaten",
        **{key: row.get(key, "") for key in names},
    )


def _place(row: dict[str, str]) -> Place:
    kind = row.get("type", "") or ("desa" if row["desa"] else "kecamatan")
    ordinary = row.get("ordinary", "")
    if ordinary not in ("", "ya"):
        raise ValueError(f"ordinary {ordinary!r}: empty, or ya")
    return Place(row["kecamatan"], row["desa"], kind, split_list(row.get("aliases", "")), bool(ordinary))


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
    by_id = {agency.id: agency for _, agency in rows}
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
            meant = "; a kelurahan counts as a desa, a distrik as a kecamatan" if agency.per in PLACE_TYPES else ""
            yield Fault(file, line, f"per {agency.per!r}: empty, or one of {', '.join(FAMILY_UNITS)}{meant}")
        yield from _check_life(file, line, agency, by_id)
    # A name that two agencies answer to sends a search, or an imported row, to the wrong one.
    yield from _check_names(file, ((line, agency.id, (agency.name, *agency.aliases)) for line, agency in rows))


def _check_life(file: str, line: int, agency: Agency, by_id: Mapping[str, Agency]) -> Iterator[Fault]:
    dates = {"valid_from": agency.valid_from, "valid_until": agency.valid_until}
    wrong = [name for name, text in dates.items() if text and not _is_date(text)]
    for name in wrong:
        yield Fault(file, line, f"{name} {dates[name]!r}: a date of the calendar as YYYY-MM-DD")
    if not wrong and agency.valid_from and agency.valid_until and agency.valid_until < agency.valid_from:
        yield Fault(file, line, f"valid_until {agency.valid_until} is before valid_from {agency.valid_from}")
    if not agency.successor:
        return
    if agency.successor not in by_id:
        yield Fault(file, line, f"successor {agency.successor!r} is no agency of this file")
        return
    if not agency.valid_until:
        yield Fault(file, line, f"successor {agency.successor!r} without valid_until: when does it take over?")
    chain = [agency.id]
    while (follower := by_id.get(chain[-1])) and follower.successor and len(chain) <= len(by_id):
        chain.append(follower.successor)
        if chain[-1] == agency.id:
            yield Fault(file, line, f"successors lead in a circle: {' -> '.join(chain)}")
            return


def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_wordless(name: str) -> bool:
    """Tell whether nothing of a name is a word as texts are read: it could not be found in any."""
    return next(tokenise(name), None) is None


def _check_names(file: str, rows: Iterable[tuple[int, str, Sequence[str]]]) -> Iterator[Fault]:
    """Find names that two rows share; each row as (line, what it is called in a message, its names)."""
    owners: dict[str, tuple[int, str]] = {}
    for line, owner, names in rows:
        for name in names:
            if name and _is_wordless(name):
                yield Fault(file, line, f"name {name!r} has neither letter nor digit")
            first, other = owners.setdefault(name.casefold(), (line, owner))
            if name and first != line:
                yield Fault(file, line, f"name {name!r} belongs already to {other!r} on line {first}")


def _check_families(folder: Path, agencies: Sequence[tuple[int, Agency]], places: Sequence[tuple[int, Place]]) -> Iterator[Fault]:
    known = {"kecamatan": bool(places), "desa": any(place.desa for _, place in places)}
    for line, agency in agencies:
        if not known.get(agency.per, True):
            yield Fault(
                str(folder / "agencies.csv"), line, f"{agency.id!r} has one office per {agency.per}, but places.csv names none"
            )


def _check_places(folder: Path, rows: Sequence[tuple[int, Place]]) -> Iterator[Fault]:
    file = str(folder / "places.csv")
    seen: dict[tuple[str, str], int] = {}
    spelling: dict[str, tuple[int, str]] = {}
    for line, place in rows:
        key = (place.kecamatan.casefold(), place.desa.casefold())
        if not place.kecamatan:
            yield Fault(file, line, "kecamatan is empty")
        if place.type not in PLACE_TYPES:
            yield Fault(file, line, f"type {place.type!r}: one of {', '.join(PLACE_TYPES)}")
        elif (place.type in DISTRICT_TYPES) != (not place.desa):
            yield Fault(file, line, "a row of type kecamatan, distrik and the like has an empty desa, and no other row has")
        if key in seen:
            yield Fault(file, line, f"{place.name!r} stands already on line {seen[key]}")
        seen.setdefault(key, line)
        first, written = spelling.setdefault(key[0], (line, place.kecamatan))
        if written != place.kecamatan:
            yield Fault(file, line, f"kecamatan {place.kecamatan!r} is written {written!r} on line {first}")
        for name in (place.kecamatan, place.desa):
            if name and _is_wordless(name):
                yield Fault(file, line, f"name {name!r} has neither letter nor digit")
        # One alias may stand at two places ("Sangatta"): then the text alone cannot tell which is meant.
        for alias in place.aliases:
            if _is_wordless(alias):
                yield Fault(file, line, f"alias {alias!r} has neither letter nor digit")
            elif alias.casefold() == place.name.casefold():
                yield Fault(file, line, f"alias {alias!r} only repeats the name")


def _check_roads(folder: Path, rows: Sequence[tuple[int, Road]], kecamatan: set[str] | None) -> Iterator[Fault]:
    """Find what is wrong with roads; `kecamatan` is None where nobody knows which there are."""
    file = str(folder / "roads.csv")
    for line, road in rows:
        if not road.name:
            yield Fault(file, line, "name is empty")
        if road.road_class not in ROAD_CLASSES:
            yield Fault(file, line, f"class {road.road_class!r}: one of {', '.join(ROAD_CLASSES)}")
        if road.kecamatan and kecamatan is not None and road.kecamatan not in kecamatan:
            yield Fault(file, line, f"kecamatan {road.kecamatan!r} is not in places.csv")
        for name in (road.name, *road.aliases):
            words = {token.text for token in tokenise(name)}
            if words and words <= ROAD_WORDS:
                yield Fault(file, line, f"name {name!r} is any road: every complaint that says the word would mean this one")
    # A name with two classes would be looked after by two agencies.
    yield from _check_names(file, ((line, road.name, (road.name, *road.aliases)) for line, road in rows))
