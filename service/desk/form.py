"""The form of a complaint's page: what was typed into it, what it chooses, and the question that it proposes to ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import request

from model.register import FAMILY_UNITS, Agency
from service import wording
from service.complaints import review
from service.complaints.review import Choice
from service.desk import agency_search, questions
from service.desk.cases import Case
from service.desk.options import unit_of
from service.parts import parts
from service.web.bodies import row_number


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody typed on the page of a complaint, as they typed it."""

    unit: str = ""
    also: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    question: str = ""
    note: str = ""
    search: str = ""
    group: bool = False
    members: tuple[int, ...] = ()

    @classmethod
    def read(cls) -> Draft:
        """Take it from the form of this request."""
        form = request.form
        return cls(
            unit=field("unit")[:200],
            also=tuple(dict.fromkeys(name[:100] for name in form.getlist("pendukung") if name))[: review.MAX_ALSO + 1],
            missing=tuple(name for name in wording.MISSING if name in form.getlist("kurang")),
            question=field("pertanyaan"),
            note=field("catatan"),
            search=field("cari")[: agency_search.MAX_QUERY],
            group=form.get("kelompok") == "1",
            members=tuple(filter(None, map(row_number, field("anggota")[:400].split(",")))),
        )


def field(name: str) -> str:
    """Answer what the form of this request says in a field, "" where it has none."""
    return request.form.get(name, "").replace("\r\n", "\n").strip()


class NotChosen(Exception):
    """A form that cannot be taken: what is wrong, and the field to go to."""

    def __init__(self, sentence: str, focus: str = "", family: Agency | None = None) -> None:
        super().__init__(sentence)
        self.focus = focus
        self.family = family


def choice(case: Case, draft: Draft) -> Choice:
    """Read what was chosen. Raises NotChosen."""
    register = parts().models.register
    for name, text, limit, label in (
        ("catatan", draft.note, review.MAX_NOTE, "Catatan"),
        ("pertanyaan", draft.question, review.MAX_QUESTION, "Pertanyaan"),
    ):
        if len(text) > limit:
            given, most = wording.number(len(text)), wording.number(limit)
            raise NotChosen(f"{label} terlalu panjang: {given} karakter, paling banyak {most}.", name)
    doing = field("aksi")
    if doing == "kurang-informasi":
        if not draft.missing:
            raise NotChosen("Tandai dahulu apa yang kurang.", "kurang")
        if not draft.question:
            raise NotChosen("Tuliskan pertanyaan kepada pelapor.", "pertanyaan")
        return Choice(outcome="needs-info", missing=draft.missing, note=draft.note, question=draft.question)
    if doing == "bukan-aduan":
        return Choice(outcome="not-a-complaint", note=draft.note)
    name, _, office_of = field("putusan").partition("/")  # of what a search found: the family and the unit
    if not name:
        raise NotChosen("Pilih dahulu instansinya.", "cari")
    if register is None:
        raise NotChosen("Model belum siap, jadi daftar instansi belum dapat dibaca.")
    unknown = [other for other in (name, *draft.also) if other not in register.by_id]
    if unknown:
        raise NotChosen(f"Instansi “{unknown[0]}” tidak ada di daftar.", "cari")
    agency = register.by_id[name]
    if not agency.active_on(parts().calendar.today().isoformat()):
        raise NotChosen(f"{agency.name} sudah tidak aktif. Pilih penggantinya.", "cari")
    if len(draft.also) > review.MAX_ALSO:
        raise NotChosen(f"Instansi pendukung paling banyak {review.MAX_ALSO}.", "pendukung")
    unit = (office_of or draft.unit or unit_of(agency, case)) if agency.per else ""
    if agency.per and unit not in register.units(agency.per):
        raise NotChosen(f"{agency.bare_name}: pilih dahulu {wording.unit_kind(agency.per)} yang mana.", "unit", agency)
    return Choice(agency=name, unit=unit, also=draft.also, note=draft.note)


def describe(number: int, fields: Mapping[str, str]) -> str:
    """Say what a form of a complaint's page decides, "" where nothing: shown when the form is offered again after signing in."""
    agency, _, unit = fields.get("putusan", "").partition("/")
    done = {
        "kurang-informasi": "kurang informasi, tanyakan kepada pelapor",
        "bukan-aduan": "bukan aduan",
        "urungkan": "batalkan putusan yang sudah tersimpan",
    }
    named = wording.agency_name(agency, unit or fields.get("unit", "")) if agency and not fields.get("aksi") else ""
    what = done.get(fields.get("aksi", ""), named)
    return f"Putusan untuk aduan #{number}: {what}." if what else ""


def proposal(case: Case, missing: Sequence[str]) -> str:
    """Put the question together that asks the reporter for what is missing."""
    place = ", ".join(name for name in (case.complaint.desa, case.kecamatan) if name)
    called = {level: wording.unit_kind(level) for level in FAMILY_UNITS}
    return questions.ask(missing, case.complaint.title, case.complaint.text, place, called)


def own_question(case: Case, draft: Draft) -> str:
    """Answer what this person wants to ask, and not the proposal that the form of every complaint brings along."""
    proposals = (proposal(case, missing) for missing in (case.routing.missing if case.routing else (), draft.missing))
    return draft.question if field("aksi") == "kurang-informasi" or draft.question not in proposals else ""
