"""Look for inputs that break the readers of files: pip install 'salur[fuzz]'; python -P tests/fuzz/readers.py [--seconds 300].

Atheris (libFuzzer) mutates small valid files, guided by the branches that they reach in model and openpyxl. Every reader has a
process of its own with a limit of memory, and a limit of time for each input. What is refused with an error of ours is well;
anything else that is raised, a hang or a bloat ends the run with 1, and its input is kept beside its name.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path

SHEET = "xl/worksheets/sheet1.xml"
PARTS = (SHEET, "xl/sharedStrings.xml", "xl/styles.xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "[Content_Types].xml")
CSV = 'Tracking ID;Tanggal Laporan Masuk;Judul Laporan;Isi Laporan Awal\r\n1;7 Sep 2024;Lampu;"lampu\nmati"\r\n'
LINE = b'{"id": "a", "text": "lampu mati", "agency": "dlh", "also": ["pln"], "missing": ["lokasi"], "oversight": false}\n'
RULE = b'[[rule]]\nid = "a"\nagencies = ["dlh"]\nany = ["lampu jalan"]\nmove_to = "pln"\nsentence = "x"\nsource = "S1"\n'
AGENCIES = b"id,name,aliases,authority,per,matters,valid_from,valid_until,successor\r\ndlh,DLH,A;B,kabupaten,,x,2020-01-01,,\r\n"


def seeds() -> Mapping[str, list[bytes]]:
    """Answer the files that each reader begins with."""
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append(["Tracking ID", "Tanggal Laporan Masuk", "Judul Laporan", "Isi Laporan Awal"])
    book.active.append([1, "7 Sep 2024", "Lampu", "=A1"])
    book.active.merge_cells("E1:F2")
    packed = io.BytesIO()
    book.save(packed)
    with zipfile.ZipFile(packed) as archive:
        parts = [bytes([number]) + archive.read(name) for number, name in enumerate(PARTS) if name in archive.namelist()]
    return {
        "csv": [CSV.encode(), CSV.encode("utf-16"), CSV.replace(";", ",").encode("utf-8-sig")],
        "xlsx": [packed.getvalue()],
        "parts": parts,
        "lines": [LINE * 2],
        "rules": [RULE],
        "register": [AGENCIES],
    }


def targets(folder: Path) -> Mapping[str, Callable[[bytes], None]]:
    """Answer the readers, each as a function of a file's bytes. To be called where imports are instrumented."""
    from model import labelled, lapor, rules, table
    from model.register import Agency, Register

    agencies = (Agency("dlh", "DLH"), Agency("pln", "PLN", authority="pusat"))
    valid = io.BytesIO(seeds()["xlsx"][0])

    def export(path: Path) -> None:
        rows = [report.row for report in islice(lapor.read(path), 100)]
        lapor.write_back(path, folder / "back", ((row, ("a", "b", "c", "d")) for row in rows))

    def as_file(name: str, read: Callable[[Path], object]) -> Callable[[bytes], None]:
        def target(content: bytes) -> None:
            (folder / name).write_bytes(content)
            read(folder / name)

        return target

    def part(content: bytes) -> None:
        """Put the content in place of one part of a workbook that is right otherwise."""
        changed = PARTS[content[0] % len(PARTS)] if content else SHEET
        with zipfile.ZipFile(valid) as archive, zipfile.ZipFile(folder / "part.xlsx", "w") as out:
            for name in archive.namelist():
                out.writestr(name, content[1:] if name == changed else archive.read(name))
        export(folder / "part.xlsx")

    def rows(path: Path) -> None:
        with table.sheets(path) as sheets:
            for sheet in sheets:
                for _ in islice(sheet.rows(), 100):
                    pass
        export(path)

    return {
        "csv": as_file("a.csv", rows),
        "xlsx": as_file("a.xlsx", rows),
        "parts": part,
        "lines": as_file("a.jsonl", lambda path: labelled.dump(labelled.load(path), folder / "b.jsonl")),
        "rules": lambda content: void(rules.load_rules(Register(agencies, files={"rules.toml": content}))),
        "register": as_file("agencies.csv", lambda _: Register.load(folder)),
    }


def void(_: object) -> None:
    """Throw an answer away."""


def fuzz(reader: str, flags: list[str]) -> None:
    """Fuzz one reader until libFuzzer's limits end the process."""
    import atheris

    with atheris.instrument_imports(include=["model", "openpyxl"]), tempfile.TemporaryDirectory() as name:
        target = targets(Path(name))[reader]
        from model.faults import SalurError

        def once(content: bytes) -> None:
            with suppress(SalurError):
                target(content)

        atheris.Setup([sys.argv[0], *flags], once)
        atheris.Fuzz()


def main(say: Callable[[str], object] = print) -> int:
    """Fuzz every reader for its share of the time; answers the exit code."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seconds", type=int, default=300, help="for all readers together")
    asked.add_argument("--keep", type=Path, default=Path("var/fuzz"), help="folder of the inputs found")
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--reader", help=argparse.SUPPRESS)
    given, flags = asked.parse_known_args()
    if given.reader:
        fuzz(given.reader, flags)
        return 0
    given.keep.mkdir(parents=True, exist_ok=True)
    broken = 0
    for reader, files in seeds().items():
        with tempfile.TemporaryDirectory() as name:
            for number, content in enumerate(files):
                (Path(name) / f"seed-{number}").write_bytes(content)
            limits = [f"-max_total_time={given.seconds // len(seeds())}", "-timeout=10", "-rss_limit_mb=1500", "-max_len=20000"]
            told = [f"-seed={given.seed}", "-print_final_stats=1", f"-artifact_prefix={given.keep}/{reader}-", name]
            command = [sys.executable, "-P", __file__, "--reader", reader, *limits, *told]
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        figures = dict(line[6:].split(": ") for line in done.stderr.splitlines() if line.startswith("stat::"))
        runs, memory = figures.get("number_of_executed_units", "no").strip(), figures.get("peak_rss_mb", "?").strip()
        say(f"{reader:>9}: {runs:>9} inputs, at most {memory} MB, {'well' if done.returncode == 0 else 'BROKEN'}")
        if done.returncode or runs == "no":
            say(done.stderr[-4_000:])
            broken += 1
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
