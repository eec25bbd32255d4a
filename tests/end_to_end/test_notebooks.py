"""The notebooks run on a small region, define nothing, and keep no outputs in git."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from model.labelled import EMERGENCIES, load

NOTEBOOKS = sorted(Path("notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def executed(region: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """Execute them all on the small region; what was said, and where the executed copies are.

    One agency has no complaint yet, as in any new region.
    """
    out = tmp_path_factory.mktemp("executed")
    region = Path(shutil.copytree(region, tmp_path_factory.mktemp("new") / "region"))
    with (region / "agencies.csv").open("a", encoding="utf-8") as agencies:
        agencies.write("dinas-baru,Dinas Baru,,,,,\n")
    startup = tmp_path_factory.mktemp("ipython") / "profile_default" / "startup"
    startup.mkdir(parents=True)
    # Kernels fit in their own process, as other tests do (conftest.py): those they would start load scikit-learn four times more.
    (startup / "fit_here.py").write_text('import joblib\n\njoblib.parallel_config("sequential")\n', encoding="utf-8")
    environment = {
        **os.environ,
        "NOTEBOOK_REGION": str(region),
        "NOTEBOOK_REAL": str(region / "none"),
        "IPYTHONDIR": str(startup.parents[1]),
    }
    done = subprocess.run(
        [sys.executable, "notebooks/execute.py", "--out", str(out)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, out


def code_cells(path: Path) -> list[dict[str, Any]]:
    return [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]


def test_there_are_notebooks_for_data_errors_operating_point_and_new_region() -> None:
    assert [path.name[:2] for path in NOTEBOOKS] == ["01", "02", "03", "04"]


@pytest.mark.parametrize("name", ["01_explore_the_data", "02_read_the_errors", "03_choose_the_operating_point"])
def test_a_notebook_runs_to_its_end_on_a_small_region(executed: tuple[str, Path], name: str) -> None:
    said, out = executed
    assert f"{name}.ipynb: done" in said
    cells = code_cells(out / f"{name}.ipynb")
    assert all(cell["execution_count"] for cell in cells)
    shown = [output["data"] for cell in cells for output in cell["outputs"] if "data" in output]
    assert sum("<svg" in "".join(data.get("text/html", "")) for data in shown) >= 1
    assert sum("<table" in "".join(data.get("text/html", "")) for data in shown) >= 1


def test_an_agency_without_a_complaint_is_among_those_with_the_fewest(executed: tuple[str, Path]) -> None:
    shown = [output["data"] for cell in code_cells(executed[1] / "01_explore_the_data.ipynb") for output in cell["outputs"]]
    (table,) = ("".join(data["text/plain"]) for data in shown if "fewest complaints" in "".join(data.get("text/plain", "")))
    assert re.search(r"Dinas Baru\W+0\b", table)


def test_messages_of_emergency_are_not_counted_as_complaints_that_nobody_could_route(
    executed: tuple[str, Path], region: Path
) -> None:
    rows = load(region / "complaints.jsonl")
    complaints = [row for row in rows if row.use != EMERGENCIES]
    assert len(complaints) < len(rows)
    outputs = code_cells(executed[1] / "01_explore_the_data.ipynb")[0]["outputs"]
    assert f"{len(complaints):,} complaints, " in "".join(outputs[-1]["data"]["text/plain"])


def test_the_promise_that_is_chosen_is_the_one_that_is_shown(executed: tuple[str, Path]) -> None:
    cells = code_cells(executed[1] / "03_choose_the_operating_point.ipynb")
    shown = [output["data"] for cell in cells for output in cell["outputs"] if "data" in output]
    (sentence,) = ("".join(data["text/markdown"]) for data in shown if "text/markdown" in data)
    assert sentence.startswith("Promised with 90 % confidence: at most 10 % wrong")
    assert any("promise at 10 %" in "".join(data.get("text/html", "")) for data in shown)


def test_the_new_region_ends_early_and_says_so_where_its_data_is_absent(executed: tuple[str, Path]) -> None:
    assert "04_a_new_region_in_an_afternoon.ipynb: ended early: " in executed[0]
    assert "is not here" in executed[0]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_defines_nothing(path: Path) -> None:
    cells = code_cells(path)
    assert cells
    for cell in cells:
        for node in ast.walk(ast.parse("".join(cell["source"]))):
            assert not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_in_git_has_no_outputs(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / path.name
    shutil.copy(path, copy)
    done = subprocess.run([sys.executable, "notebooks/strip.py", str(copy)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_stripping_takes_outputs_away_and_says_so(tmp_path: Path) -> None:
    notebook = json.loads(NOTEBOOKS[0].read_text(encoding="utf-8"))
    cell = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    cell |= {"execution_count": 3, "outputs": [{"output_type": "stream", "name": "stdout", "text": ["rahasia"]}]}
    copy = tmp_path / "seen.ipynb"
    copy.write_text(json.dumps(notebook), encoding="utf-8")
    done = subprocess.run([sys.executable, "notebooks/strip.py", str(copy)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "stripped" in done.stderr
    assert copy.read_text(encoding="utf-8") == NOTEBOOKS[0].read_text(encoding="utf-8")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cells": 3}', "\x00"])
def test_what_is_no_notebook_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    spoilt = tmp_path / "spoilt.ipynb"
    spoilt.write_text(text, encoding="utf-8")
    for script in ("strip.py", "execute.py"):
        arguments = [
            sys.executable,
            f"notebooks/{script}",
            *(["--out", str(tmp_path)] if script == "execute.py" else []),
            str(spoilt),
        ]
        done = subprocess.run(arguments, capture_output=True, text=True, check=False)
        assert done.returncode in (1, 2)
        assert "spoilt.ipynb" in done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr
    assert spoilt.read_text(encoding="utf-8") == text


def test_a_cell_that_fails_is_named_and_fails_the_run(tmp_path: Path) -> None:
    notebook = json.loads(NOTEBOOKS[0].read_text(encoding="utf-8"))
    notebook["cells"] = [next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")]
    notebook["cells"][0]["source"] = ["1 / 0"]
    broken = tmp_path / "broken.ipynb"
    broken.write_text(json.dumps(notebook), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "notebooks/execute.py", "--out", str(tmp_path / "out"), str(broken)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "broken.ipynb: FAILED: ZeroDivisionError" in done.stdout
