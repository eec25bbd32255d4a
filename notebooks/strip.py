"""Take outputs, counts and machine traces out of notebooks, so that git keeps what was written and not what was seen.

    python notebooks/strip.py NOTEBOOK.ipynb ...

Ends with 1 where it changed one, as pre-commit expects, and with 2 where one cannot be read.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode

KERNEL = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}


def stripped(text: str) -> str:
    """Answer a notebook's text without outputs, execution counts and metadata, cells numbered in order. Raises ValueError."""
    notebook = nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]
    for number, cell in enumerate(notebook.cells):
        cell.metadata = NotebookNode()  # type: ignore[no-untyped-call]
        cell.id = f"cell-{number}"
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    notebook.metadata = nbformat.from_dict(KERNEL)  # type: ignore[no-untyped-call]
    notebook.nbformat_minor = 5
    return str(nbformat.writes(notebook, version=4)).rstrip("\n") + "\n"  # type: ignore[no-untyped-call]


def main(arguments: Sequence[str]) -> int:
    """Strip every notebook named; say which were changed."""
    code = 0
    for path in map(Path, arguments):
        try:
            text = path.read_text(encoding="utf-8")
            clean = stripped(text)
        except (OSError, ValueError, AttributeError, KeyError, TypeError) as error:  # nbformat trusts what it reads
            sys.stderr.write(f"{path}: not a notebook: {str(error).splitlines()[0]}\n")
            return 2
        if clean != text:
            path.write_text(clean, encoding="utf-8")
            sys.stderr.write(f"{path}: stripped\n")
            code = 1
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
