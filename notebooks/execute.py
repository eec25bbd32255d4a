"""Execute the notebooks beside this file, each in a kernel of its own, and keep what they showed outside of git.

    python notebooks/execute.py [--out DIR] [NOTEBOOK.ipynb ...]

A notebook that finds no data may end itself by SystemExit with a reason. Ends with 1 where one fails, naming the cell.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

HERE = Path(__file__).parent
TIMEOUT = 600
"""Seconds that one cell may take."""


def execute(path: Path, out: Path) -> str:
    """Execute one notebook, write it with its outputs into `out`, and answer why it ended early, or nothing.

    Raises nbclient's errors where a cell fails.
    """
    try:
        notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    except (AttributeError, KeyError, TypeError) as error:  # nbformat trusts what it reads
        raise ValueError(f"not a notebook: {error}") from error
    with tempfile.TemporaryDirectory() as sockets:  # so that no port is open to others on this machine
        kernel = AsyncKernelManager(kernel_name="python3", transport="ipc", ip=f"{sockets}/kernel")
        client = NotebookClient(notebook, km=kernel, timeout=TIMEOUT, resources={"metadata": {"path": str(HERE)}})
        try:
            client.execute(cleanup_kc=True)
        except CellExecutionError as error:
            if error.ename != "SystemExit":
                raise
            return str(error.evalue)
        finally:
            nbformat.write(notebook, out / path.name)  # type: ignore[no-untyped-call]
    return ""


def main(arguments: Sequence[str]) -> int:
    """Execute those named, or all in the order of their names; one line each."""
    parser = argparse.ArgumentParser(description="Execute the notebooks.")
    parser.add_argument(
        "--out", type=Path, default=HERE.parent / "var" / "notebooks", help="where executed copies go (default: var/notebooks)"
    )
    parser.add_argument("notebooks", type=Path, nargs="*", help="which ones (default: all)")
    chosen = parser.parse_args(arguments)
    chosen.out.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("JUPYTER_PLATFORM_DIRS", "1")
    failed = 0
    for path in chosen.notebooks or sorted(HERE.glob("*.ipynb")):
        begun = time.monotonic()
        try:
            ended = execute(path, chosen.out)
            outcome = f"ended early: {ended}" if ended else "done"
        except CellExecutionError as error:
            failed, outcome = 1, f"FAILED: {error.ename}: {error.evalue}"
        except (CellTimeoutError, DeadKernelError, OSError, RuntimeError, ValueError) as error:
            failed, outcome = 1, f"FAILED: {str(error).splitlines()[0]}"
        sys.stdout.write(f"{path.name}: {outcome} ({time.monotonic() - begun:.0f} s)\n")
        sys.stdout.flush()
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
