"""How often stems are right: identity, stock PySastrawi and ours, on affixed pairs of word and lemma.

Run `python tests/benchmarks/stemming.py [--real DIR] [--json]`. A pair counts where word and lemma
are single alphabetic words that differ; a word with several lemmas is right with any of them. The conventions differ:
the UD treebanks keep an affixed word that they see as a word of its own ("peraturan"), and Sastrawi's pairs are the
library's own tests, some of its errors among them. The exceptions were tuned on csui-train; the others were held out.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path

import click
from Sastrawi.Dictionary.ArrayDictionary import ArrayDictionary
from Sastrawi.Stemmer.Stemmer import Stemmer

from model.text import WordStemmer, load_exceptions, load_roots

FILES = {
    "csui-train": ("id_csui-ud-train_form-lemma.tsv",),
    "csui-test": ("id_csui-ud-test_form-lemma.tsv",),
    "pud": ("id_pud-ud-test_form-lemma.tsv",),
    "sastrawi": ("sastrawi_functional_pairs.tsv", "sastrawi_integration_pairs.tsv"),
}

Pairs = Mapping[str, frozenset[str]]


def affixed_pairs(folder: Path, names: tuple[str, ...]) -> Pairs:
    """Read word and lemma from the first two columns; keep those that differ, with every lemma of the word."""
    lemmas: defaultdict[str, set[str]] = defaultdict(set)
    for name in names:
        with (folder / name).open(encoding="utf-8", newline="") as lines:
            for word, lemma, *_ in list(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]:
                if word.isascii() and word.isalpha() and lemma.isascii() and lemma.isalpha():
                    lemmas[word.lower()].add(lemma.lower())
    return {word: frozenset(found) for word, found in lemmas.items() if word not in found}


def stock_stemmer() -> Callable[[str], str]:
    """PySastrawi with nothing of ours: its rules, its dictionary."""
    stem: Callable[[str], str] = Stemmer(ArrayDictionary(load_roots())).stem_word
    return stem


def measure(folder: Path) -> dict[str, dict[str, float]]:
    """Accuracy of each system on each file, and what our exceptions mended and broke against stock."""
    systems: dict[str, Callable[[str], str]] = {"identity": str, "stock": stock_stemmer(), "ours": WordStemmer().stem}
    figures: dict[str, dict[str, float]] = {}
    for name, files in FILES.items():
        pairs = affixed_pairs(folder, files)
        right = {system: {word for word, lemmas in pairs.items() if stem(word) in lemmas} for system, stem in systems.items()}
        figures[name] = {"pairs": len(pairs), **{system: round(len(words) / len(pairs), 4) for system, words in right.items()}}
        figures[name] |= {"mended": len(right["ours"] - right["stock"]), "broken": len(right["stock"] - right["ours"])}
    return figures


@click.command()
@click.option(
    "--real", type=click.Path(path_type=Path), default=Path("../shared/real"), show_default=True, help="Folder with stemming/."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(real: Path, as_json: bool) -> None:
    """Measure stems against pairs of word and lemma."""
    folder = real / "stemming"
    if not folder.is_dir():
        click.echo(f"skipped: {folder} is not there; name the folder of real data with --real", err=True)
        return
    figures = measure(folder)
    exceptions = len(load_exceptions())
    if as_json:
        click.echo(json.dumps({"exceptions": exceptions, "files": figures}))
        return
    click.echo(f"{exceptions} exceptions; share of affixed words with the right stem")
    click.echo(f"{'file':12}{'pairs':>7}{'identity':>10}{'stock':>8}{'ours':>8}{'mended':>8}{'broken':>8}")
    for name, row in figures.items():
        shares = f"{row['identity']:>10.1%}{row['stock']:>8.1%}{row['ours']:>8.1%}"
        click.echo(f"{name:12}{row['pairs']:>7}{shares}{row['mended']:>8}{row['broken']:>8}")


if __name__ == "__main__":
    main()
