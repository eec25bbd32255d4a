"""How well places are found in complaints, and how often the office of a family is right.

Run `python -P tests/benchmarks/places.py [--data DIR] [--real DIR] [--json]`.

Default corpus, from title and text alone, against the form where it is filled:
- recall: of the rows whose text holds the official name of the form's kecamatan (or desa) word for word, as a plain
  search of words finds it, those in which it is among the places found. A desa named like its kecamatan is left out:
  the name alone means the kecamatan.
- precision: of the rows whose text alone resolves to one kecamatan (or desa), those in which it is the form's. A text
  that speaks of another place than where it happened counts as an error, though the finder read it right.
- conflicts: of the rows with a form, those in which text and form are said to contradict each other.

Surabaya, rows of the families, by the unit that the operators chose: from text alone, form alone, both together.
Errors of the first half in time were looked at while building; the second half was not, and is the figure to quote.
"""

from __future__ import annotations

import json
import re
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import click

from model.complaint import Complaint
from model.labelled import LabelledComplaint, load
from model.place import PlaceFinder, ResolvedPlace, unit_of
from model.register import Agency, Register
from model.text import Analyzer

Figures = dict[str, dict[str, float | int]]


def words_of(text: str) -> str:
    """The words of a text, plainly: this is the yardstick, so it shares nothing with the finder."""
    return f" {' '.join(re.findall(r'[a-z0-9]+', text.lower()))} "


def share(right: int, of: int) -> dict[str, float | int]:
    return {"right": right, "of": of, "share": round(right / of, 4) if of else 0.0}


def measure_finding(finder: PlaceFinder, analyzer: Analyzer, rows: Sequence[LabelledComplaint]) -> Figures:
    """Recall, precision and conflicts on rows whose form is filled."""
    counts = dict.fromkeys(("kecamatan recall", "desa recall", "kecamatan precision", "desa precision", "conflicts"), (0, 0))

    def count(name: str, right: bool) -> None:
        counts[name] = (counts[name][0] + right, counts[name][1] + 1)

    for row in rows:
        if not row.kecamatan:
            continue
        words = analyzer.words(row.complaint)
        found = finder.find(words)
        alone = finder.resolve(found)
        text = words_of(f"{row.title} . {row.text}")
        named = {place.kecamatan for place in found if place.kind != "road"}
        if words_of(row.kecamatan) in text or (row.desa and words_of(row.desa) in text):
            count("kecamatan recall", row.kecamatan in named)
        if row.desa and row.desa != row.kecamatan and words_of(row.desa) in text:
            count("desa recall", any((place.kecamatan, place.desa) == (row.kecamatan, row.desa) for place in found))
        if alone.kecamatan:
            count("kecamatan precision", alone.kecamatan == row.kecamatan)
        if alone.desa and row.desa:
            count("desa precision", (alone.kecamatan, alone.desa) == (row.kecamatan, row.desa))
        together = finder.resolve(finder.find(words, row.kecamatan, row.desa), row.kecamatan, row.desa)
        count("conflicts", together.conflict)
    return {name: share(*pair) for name, pair in counts.items()}


def measure_units(
    register: Register, finder: PlaceFinder, analyzer: Analyzer, agency: Agency, rows: Sequence[LabelledComplaint]
) -> Figures:
    """Share of rows of a family whose unit is right, and right among those where a unit is named at all."""
    figures: Figures = {}
    for way in ("text", "form", "both"):
        right = answered = 0
        for row in rows:
            kecamatan, desa = (row.kecamatan, row.desa) if way != "text" else ("", "")
            found = finder.find(analyzer.words(row.complaint), kecamatan, desa) if way != "form" else ()
            unit = unit_of(agency, finder.resolve(found, kecamatan, desa), register)
            # Labels write units as "karang-pilang": the register's own name for that is what counts.
            label = row.unit.replace("-", " ")
            wanted = finder.resolve((), label) if agency.per == "kecamatan" else finder.resolve((), "", label)
            answered += bool(unit)
            right += bool(unit) and unit == _name(agency, wanted)
        figures[way] = {**share(right, len(rows)), "answered": answered, "right where answered": round(right / max(answered, 1), 4)}
    return figures


def _name(agency: Agency, place: ResolvedPlace) -> str:
    return place.kecamatan if agency.per == "kecamatan" else place.desa


def measure_speed(
    finder: PlaceFinder, analyzer: Analyzer, rows: Sequence[LabelledComplaint], rounds: int = 9
) -> dict[str, float | int]:
    """Microseconds of processor time for finding, and with resolving, words already read; medians over rounds of all rows."""
    read = [(analyzer.words(row.complaint), row.kecamatan, row.desa) for row in rows]
    count = sum(len(words) for words, _, _ in read)
    found = [finder.find(*each) for each in read]
    finding, resolving = [], []
    for _ in range(rounds):
        began = time.process_time()
        for words, kecamatan, desa in read:
            finder.find(words, kecamatan, desa)
        between = time.process_time()
        for places, (_, kecamatan, desa) in zip(found, read, strict=True):
            finder.resolve(places, kecamatan, desa)
        finding.append(between - began)
        resolving.append(time.process_time() - between)
    hostile = analyzer.words(
        Complaint(text=" ".join(f"sangkulirin{chr(97 + i % 26)}{chr(97 + i // 26 % 26)}x" for i in range(1_500)))
    )
    began = time.process_time()
    finder.find(hostile)
    return {
        "find, us per complaint": round(statistics.median(finding) / len(read) * 1e6, 1),
        "find, us per 40 words": round(statistics.median(finding) / count * 40 * 1e6, 1),
        "resolve, us": round(statistics.median(resolving) / len(read) * 1e6, 1),
        "hostile 1,500 words, ms": round((time.process_time() - began) * 1e3, 1),
    }


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True), default=Path("data/kutai-timur"), show_default=True)
@click.option(
    "--real", type=click.Path(path_type=Path), default=Path("../shared/real"), show_default=True, help="Folder with surabaya/."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(data: Path, real: Path, as_json: bool) -> None:
    """Measure place finding and the units of families."""
    analyzer = Analyzer()
    register = Register.load(data)
    rows = load(data / "complaints.jsonl")
    finder = PlaceFinder(register)
    figures: dict[str, Figures | dict[str, float | int]] = {
        f"{data.name}: finding": measure_finding(finder, analyzer, rows),
        f"{data.name}: speed": measure_speed(finder, analyzer, rows),
    }
    for agency in (agency for agency in register.agencies if agency.per):
        of_family = [row for row in rows if row.agency == agency.id and row.unit]
        figures[f"{data.name}: unit of {agency.id}"] = measure_units(register, finder, analyzer, agency, of_family)
    folder = real / "surabaya"
    if folder.is_dir():
        register, rows = Register.load(folder), load(folder / "complaints.jsonl")
        finder = PlaceFinder(register)
        halves = {"first half": rows[: len(rows) // 2], "second half": rows[len(rows) // 2 :]}
        for half, part in halves.items():
            for agency in (agency for agency in register.agencies if agency.per):
                of_family = [row for row in part if row.agency == agency.id and row.unit]
                figures[f"surabaya, {half}: unit of {agency.id}"] = measure_units(register, finder, analyzer, agency, of_family)
    else:
        click.echo(f"skipped Surabaya: {folder} is not there; name the folder of real data with --real", err=True)
    if as_json:
        click.echo(json.dumps(figures))
        return
    for title, values in figures.items():
        click.echo(title)
        for name, value in values.items():
            shown = "  ".join(f"{key} {number}" for key, number in value.items()) if isinstance(value, dict) else value
            click.echo(f"  {name:<24} {shown}")


if __name__ == "__main__":
    main()
