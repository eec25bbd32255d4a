"""Ours beside every peer recipe on Surabaya, split by time: python -P tests/benchmarks/peers.py [--real ../shared/real] [--json].

Train before 2022-11-01, test from then to the end of the file; exact duplicates are removed first, the city's own
agencies are the classes. Peers read the text as it is; ours may read the category in training, and never in testing.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline, make_union
from sklearn.svm import LinearSVC

from model.labelled import LabelledComplaint
from model.reader import Reader
from model.register import Register
from model.text import Analyzer
from tests.benchmarks import surabaya
from training.config import TrainingConfig
from training.fitting.calibrate import fit_pipeline
from training.measures.figures import wilson
from training.rows.data import own_words, read

SPLIT = "2022-11-01"
Rows = Sequence[LabelledComplaint]


def peers() -> Iterator[tuple[str, Any]]:
    """Yield (name, untrained pipeline over texts)."""
    analyzer = Analyzer()

    def stems(text: str) -> list[str]:
        return [word.stem for word in analyzer.words(LabelledComplaint(text=text).complaint)]

    yield "a  multinomial naive Bayes, TF-IDF", make_pipeline(TfidfVectorizer(), MultinomialNB())
    logistic = OneVsRestClassifier(LogisticRegression(solver="liblinear", l1_ratio=1.0, random_state=0))
    yield (
        "b  Signalen: stems, tf, L1 logistic",
        make_pipeline(CountVectorizer(analyzer=stems), TfidfTransformer(use_idf=False), logistic),
    )
    union = make_union(TfidfVectorizer(ngram_range=(1, 2)), TfidfVectorizer(analyzer="char", ngram_range=(2, 5)))
    yield "d  word 1-2 + char 2-5, LinearSVC balanced", make_pipeline(union, LinearSVC(class_weight="balanced", random_state=0))


def fasttext_answers(train: Rows, test: Rows, subwords: bool) -> list[str]:
    """Train fastText's supervised classifier with word bigrams and answer for the test rows."""
    import fasttext

    def line(text: str) -> str:
        return " ".join(text.lower().split())

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "train.txt"
        file.write_text("".join(f"__label__{row.agency} {line(row.text)}\n" for row in train), encoding="utf-8")
        sizes = {"minn": 2, "maxn": 5} if subwords else {"minn": 0, "maxn": 0}
        found = fasttext.train_supervised(
            str(file), wordNgrams=2, epoch=25, lr=0.5, dim=50, bucket=200_000, thread=1, verbose=0, **sizes
        )
    return [found.f.predict(line(row.text) + "\n", 1, 0.0, "strict")[0][1].removeprefix("__label__") for row in test]


def ours(register: Register, train: Rows, test: Rows) -> list[str]:
    """Train our pipeline as `salur-training train` does, and answer for the test rows."""
    config, reader = TrainingConfig(), Reader(register)
    named = list(own_words(register))
    taught = read(train, reader, np.ones(len(train))) + read(named, reader, np.full(len(named), config.matters_weight))
    model = fit_pipeline(config, taught, reader)
    answers: list[str] = model.predict(read(test, reader, np.ones(len(test))).words).tolist()
    return answers


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--real", type=Path, default=Path("../shared/real"))
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    register, rows = surabaya.past(given.real)
    train, test = [row for row in rows if row.received_at < SPLIT], [row for row in rows if row.received_at >= SPLIT]
    truth = [row.agency for row in test]
    table = {}

    def note(name: str, answers: Sequence[str]) -> None:
        accuracy = accuracy_score(truth, answers)
        low, high = wilson(round(accuracy * len(truth)), len(truth))
        macro = f1_score(truth, answers, average="macro", zero_division=0)
        table[name] = {"accuracy": accuracy, "interval": [low, high], "macro_f1": macro}
        print(f"{name:<44} accuracy {accuracy:.4f} ({low:.4f} to {high:.4f})  macro-F1 {macro:.4f}", file=sys.stderr, flush=True)

    print(f"train {len(train):,}, test {len(test):,}", file=sys.stderr)
    note("   ours", ours(register, train, test))
    for name, pipeline in peers():
        note(name, pipeline.fit([row.text for row in train], [row.agency for row in train]).predict([row.text for row in test]))
    for name, subwords in (("c  fastText, word bigrams", False), ("c' fastText, word bigrams, subwords", True)):
        note(name, fasttext_answers(train, test, subwords))
    if given.json:
        print(json.dumps({"train": len(train), "test": len(test), "table": table}))


if __name__ == "__main__":
    main()
