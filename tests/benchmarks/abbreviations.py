"""What the lexicons are worth to a classifier: right answers with and without abbreviations and stem exceptions.

Run `python tests/benchmarks/abbreviations.py [--real DIR] [--corpus FILE] [--json]`; about a minute. One plain recipe
throughout, so that only the words differ: TF-IDF of stems, one and two in a row, and a linear SVM (C = 0.3, classes weighted
by one over the square root of their size). Surabaya is split by time; the default corpus is cross-validated in five folds,
stratified, seed 0, and shown for each style of writing too. Gained and lost are rows that only this variant, or only
"neither", gets right: where the two are close, the difference is chance.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

import click
from Sastrawi.Dictionary.ArrayDictionary import ArrayDictionary
from Sastrawi.Stemmer.Stemmer import Stemmer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from model.labelled import LabelledComplaint, load
from model.text import Abbreviations, WordStemmer, load_abbreviations, load_roots, tokenise

TEST_FROM = "2022-11-01"

Stem = Callable[[str], str]
Rows = Sequence[LabelledComplaint]
Stems = Sequence[list[str]]
Split = Callable[[Rows, Stems], tuple[Rows, list[str]]]
Figures = dict[str, float]


def stems_of(row: LabelledComplaint, abbreviations: Abbreviations, stem: Stem) -> list[str]:
    """List the stems of title and text, in order."""
    return [stem(word) for text in (row.title, row.text) for token in tokenise(text, abbreviations) for word in token.words]


def grams(stems: Sequence[str]) -> list[str]:
    """List stems, one and two in a row."""
    return [*stems, *(" ".join(pair) for pair in pairwise(stems))]


def predict(train: Stems, labels: Sequence[str], test: Stems) -> list[str]:
    """Fit the plain recipe and answer one label for each row of `test`."""
    sizes = Counter(labels)
    mean = sum(size**0.5 for size in sizes.values()) / len(labels)
    weights = {label: 1 / (mean * size**0.5) for label, size in sizes.items()}  # a row weighs 1 on average
    vectors = TfidfVectorizer(analyzer=grams, min_df=2, sublinear_tf=True)
    model = make_pipeline(vectors, LinearSVC(C=0.3, class_weight=weights))
    model.fit(train, labels)
    return [str(label) for label in model.predict(test)]


def by_time(rows: Rows, stems: Stems) -> tuple[Rows, list[str]]:
    """Train before TEST_FROM; answer the rows from then on and what is predicted for them."""
    past = [index for index, row in enumerate(rows) if row.received_at < TEST_FROM]
    future = [index for index, row in enumerate(rows) if row.received_at >= TEST_FROM]
    predicted = predict([stems[i] for i in past], [rows[i].agency for i in past], [stems[i] for i in future])
    return [rows[i] for i in future], predicted


def by_fold(rows: Rows, stems: Stems) -> tuple[Rows, list[str]]:
    """Answer every row and its out-of-fold prediction."""
    labels = [row.agency for row in rows]
    predicted = [""] * len(rows)
    for train, test in StratifiedKFold(5, shuffle=True, random_state=0).split(labels, labels):
        answers = predict([stems[i] for i in train], [labels[i] for i in train], [stems[i] for i in test])
        for index, answer in zip(test, answers, strict=True):
            predicted[index] = answer
    return rows, predicted


def compare(rows: Rows, predicted: Sequence[str], baseline: Sequence[str], style: str = "") -> Figures:
    """Accuracy, macro-F1, and rows that only the one or the other gets right; of one style where it is named."""
    triples = [
        (row.agency, now, before)
        for row, now, before in zip(rows, predicted, baseline, strict=True)
        if not style or row.extra.get("style") == style
    ]
    truth, answers, _ = zip(*triples, strict=True)
    return {
        "rows": len(triples),
        "accuracy": round(sum(agency == now for agency, now, _ in triples) / len(triples), 4),
        "macro_f1": round(float(f1_score(truth, answers, average="macro", zero_division=0)), 4),
        "gained": sum(now == agency != before for agency, now, before in triples),
        "lost": sum(before == agency != now for agency, now, before in triples),
    }


def measure(rows: Rows, split: Split) -> dict[str, dict[str, Figures]]:
    """Figures of every variant on one data set: of all rows under "all", then of each style."""
    stock: Stem = lru_cache(maxsize=None)(Stemmer(ArrayDictionary(load_roots())).stem_word)
    ours = WordStemmer().stem
    short = load_abbreviations()
    none: Abbreviations = MappingProxyType({})
    variants = {"neither": (none, stock), "abbreviations": (short, stock), "exceptions": (none, ours), "both": (short, ours)}
    styles = sorted({str(row.extra["style"]) for row in rows if "style" in row.extra})
    figures: dict[str, dict[str, Figures]] = {}
    baseline: list[str] = []
    for name, (abbreviations, stem) in variants.items():
        tested, predicted = split(rows, [stems_of(row, abbreviations, stem) for row in rows])
        baseline = baseline or predicted
        for style in ("", *styles):
            figures.setdefault(style or "all", {})[name] = compare(tested, predicted, baseline, style)
    return figures


@click.command()
@click.option("--real", type=click.Path(path_type=Path), default="../shared/real", show_default=True, help="Folder with surabaya/.")
@click.option("--corpus", type=click.Path(path_type=Path), default="data/kutai-timur/complaints.jsonl", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(real: Path, corpus: Path, as_json: bool) -> None:
    """Measure what abbreviations and stem exceptions are worth."""
    figures = {}
    for name, path, split in (("surabaya", real / "surabaya" / "complaints.jsonl", by_time), ("default", corpus, by_fold)):
        if not path.is_file():
            click.echo(f"skipped {name}: {path} is not there", err=True)
            continue
        figures[name] = measure([row for row in load(path) if row.agency], split)
    if as_json:
        click.echo(json.dumps(figures))
        return
    click.echo(f"{'data':18}{'lexicon':15}{'rows':>6}{'accuracy':>10}{'macro-F1':>10}{'gained':>8}{'lost':>6}")
    for name, groups in figures.items():
        for group, variants in groups.items():
            for variant, row in variants.items():
                figure = f"{row['rows']:>6}{row['accuracy']:>10.4f}{row['macro_f1']:>10.4f}{row['gained']:>8}{row['lost']:>6}"
                click.echo(f"{name + ' ' + group:18}{variant:15}{figure}")


if __name__ == "__main__":
    main()
