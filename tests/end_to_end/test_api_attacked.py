"""The served API against its own document; tests/fuzz/api.py does the same with 20,000 requests and more."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ATTACK = Path(__file__).parents[1] / "fuzz" / "api.py"


def test_no_request_that_the_document_suggests_or_forbids_ends_in_an_error_of_ours(tiny_artifact: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_artifact, tmp_path / "models" / tiny_artifact.name)
    (tmp_path / "models" / "current").write_text(f"{tiny_artifact.name}\n")
    command = [sys.executable, "-P", str(ATTACK), "--models", str(tmp_path / "models"), "--requests", "100"]
    done = subprocess.run(
        [*command, "--examples", "10", "--phases", "fuzzing"], capture_output=True, text=True, timeout=1200, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = re.search(r"(\d+) requests in \d+ rounds and \d+ s over sqlite: 0 answers of 5xx", done.stdout)
    assert told, done.stdout
    assert int(told[1]) >= 100
