"""Run the measurements one after another: python -P tests/benchmarks/run.py [--real ../shared/real] [--out var/bench].

Each is a command of its own beside this file; what it prints goes to the terminal and to OUT/<name>.txt.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
NAMES = (
    *("speed", "stemming", "abbreviations", "landmarks", "places", "authority", "aspects"),
    *("peers", "transfer", "starter", "promise", "suspects", "next_labels", "drift"),
)


def command(name: str, real: Path) -> list[str]:
    """Answer the command line of a measurement, with the folder of real data where it takes one."""
    script = HERE / f"{name}.py"
    return [sys.executable, "-P", str(script), *(["--real", str(real)] if '"--real"' in script.read_text(encoding="utf-8") else [])]


def main() -> None:
    """Run all of them, or those named; a failed one is told at the end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=NAMES, metavar="NAME", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--real", type=Path, default=Path("../shared/real"))
    parser.add_argument("--out", type=Path, default=Path("var/bench"))
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    failed = []
    for name in given.names:
        print(f"\n== {name}", flush=True)
        done = subprocess.run(command(name, given.real), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        print(done.stdout, flush=True)
        (given.out / f"{name}.txt").write_text(done.stdout, encoding="utf-8")
        if done.returncode and "not here" not in done.stdout:
            failed.append(name)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
