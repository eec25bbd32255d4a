"""How fast one answer is: python -P tests/benchmarks/speed.py [--models var/models] [--json].

Medians of paired runs in one process, on the default corpus: seven rounds, each of every contender over the same texts;
the ratios are medians over the rounds. Words are read anew by each, through warm caches, as a server would.
scikit-learn stands there twice: with its own TfidfVectorizer over the same n-grams, which is what one would write with it, and
with the pipeline that ours is made from, whose weights cost less to apply (`fitting.weights`).
The list dictionary is stock Sastrawi 1.0.1's. Where there is a live model, its whole route (place, rules, kind, what is missing,
policy, evidence) stands beside its own explained prediction.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from Sastrawi.Dictionary.ArrayDictionary import ArrayDictionary
from Sastrawi.Stemmer.Stemmer import Stemmer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import FeatureUnion, Pipeline

from model.complaint import Complaint
from model.features import BLOCKS, Units
from model.labelled import load
from model.landmarks import Landmarks
from model.reader import Reader
from model.register import Register
from model.registry import Registry
from model.router import Router
from model.scorer import Scorer
from model.text import Word
from training.config import TrainingConfig
from training.fitting.calibrate import fit_pipeline
from training.fitting.fit import compile_arrays
from training.fitting.fit import pipeline as untrained
from training.rows.data import own_words, read

REGION = Path("data/kutai-timur")
TEXTS = 300
ROUNDS = 7
HOSTILE = 20_000


TFIDF, PIPELINE = "scikit-learn, TfidfVectorizer", "scikit-learn, our pipeline"
EXPLAINED, ROUTE = "the live model, with explanation", "the live model, its whole route"


class ListDictionary(ArrayDictionary):  # type: ignore[misc]  # PySastrawi has no types
    """The dictionary as Sastrawi 1.0.1 has it: a list that is searched from the front."""

    def __init__(self, words: list[str]) -> None:
        super().__init__(words)
        self.listed = list(words)

    def contains(self, word: str) -> bool:
        """Search the list."""
        return word in self.listed


def explained(scorer: Scorer, words: Sequence[Word]) -> object:
    """Answer with the words that decided."""
    scores = scorer.scores(words)
    first, second = scorer.ranked(scores)[:2]
    return scorer.evidence(words, scores, first.agency, second.agency)


def tfidf_pipeline(config: TrainingConfig) -> Pipeline:
    """Our pipeline with scikit-learn's own weights."""
    blocks = [
        (block, TfidfVectorizer(analyzer=partial(names_of, units), min_df=config.min_df, sublinear_tf=True))
        for block, units in BLOCKS.items()
    ]
    return Pipeline([("features", FeatureUnion(blocks)), ("classifier", untrained(config)["classifier"])])


def names_of(units: Units, words: Sequence[Word]) -> list[str]:
    """Name the features of a block, one by one."""
    return [name for *_, names in units(words) for name in names]


def microseconds(call: Callable[[], object]) -> float:
    """Time one call."""
    start = time.perf_counter_ns()
    call()
    return (time.perf_counter_ns() - start) / 1000


def one_line(title: str, text: str) -> str:
    """A complaint as fastText reads it."""
    return " ".join(f"{title} {text}".lower().split())


def hostile() -> str:
    """20,000 characters of affixed words that no dictionary has."""
    letters = "abcdefghij"
    words = (f"memper{letters[n // 100 % 10]}{letters[n // 10 % 10]}{letters[n % 10]}qkannya" for n in range(2_000))
    return " ".join(words)[:HOSTILE]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, default=Path("var/models"))
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    config, register = TrainingConfig(), Register.load(REGION)
    reader = Reader(register)
    rows = [row for row in load(REGION / "complaints.jsonl") if row.agency]
    named = list(own_words(register))
    taught = read(rows, reader, np.ones(len(rows))) + read(named, reader, np.full(len(named), config.matters_weight))
    pipeline = fit_pipeline(config, taught, reader)
    scorer = Scorer(*compile_arrays(pipeline), pipeline.classes_.tolist())
    complaints = [row.complaint for row in rows[:TEXTS]]
    words_of = reader.analyzer.words

    tfidf = tfidf_pipeline(config).fit(taught.words, taught.labels, classifier__sample_weight=taught.weights)
    contenders: dict[str, Callable[[Complaint], object]] = {
        TFIDF: lambda complaint: tfidf.predict_proba([words_of(complaint)]),
        PIPELINE: lambda complaint: pipeline.predict_proba([words_of(complaint)]),
        "ours, with explanation": lambda complaint: explained(scorer, words_of(complaint)),
        "ours, bare": lambda complaint: scorer.probabilities(words_of(complaint)),
    }
    if fast := fasttext_model(rows):
        contenders["fastText (subwords)"] = lambda complaint: fast(
            " ".join(f"{complaint.title} {complaint.text}".lower().split()) + "\n"
        )
    if (models := Registry(given.models)).current():
        router, landmarks = Router.load(models.resolve("current")), Landmarks()
        contenders[EXPLAINED] = lambda complaint: explained(
            router.scorer, landmarks.leave_out(router.reader.analyzer.words(complaint))
        )
        contenders[ROUTE] = router.route
    rounds: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(ROUNDS + 1):
        for name, call in contenders.items():
            spent = statistics.median(microseconds(partial(call, complaint)) for complaint in complaints)
            if number:  # the first round warms the caches
                rounds[name].append(spent)
    table = {name: statistics.median(values) for name, values in rounds.items()}
    ratios = {
        slow: {name: statistics.median(a / b for a, b in zip(rounds[slow], values, strict=True)) for name, values in rounds.items()}
        for slow in (TFIDF, PIPELINE)
    }
    print(f"{'one text':<36}{'microseconds':>14}  times faster than {'TfidfVectorizer':>16}{'our pipeline':>14}")
    for name, value in table.items():
        print(f"{name:<36}{value:>14.1f}  {'':>17} {ratios[TFIDF][name]:>16.1f}{ratios[PIPELINE][name]:>14.1f}")
    if ROUTE in rounds:
        table["route, times its explained prediction"] = statistics.median(
            a / b for a, b in zip(rounds[ROUTE], rounds[EXPLAINED], strict=True)
        )
    start = time.process_time()
    for row in rows:
        scorer.probabilities(words_of(row.complaint))
    table["batch, complaints a second on one core"] = len(rows) / (time.process_time() - start)
    cold = Reader(register)
    bomb = Complaint(text=hostile())
    start = time.process_time()
    scorer.probabilities(cold.analyzer.words(bomb))
    table["hostile 20,000 characters, cold, ms"] = (time.process_time() - start) * 1000
    roots = Path(sys.modules["Sastrawi.Stemmer.Stemmer"].__file__ or "").parent / "data" / "kata-dasar.txt"
    stock = Stemmer(ListDictionary(roots.read_text(encoding="utf-8").split("\n")))
    table["one unknown word, list dictionary, ms"] = microseconds(lambda: stock.stem_word("memperabcqkannya")) / 1000
    fresh = Reader(register).analyzer.stemmer
    table["one unknown word, ours, ms"] = microseconds(lambda: fresh.stem("memperabcqkannya")) / 1000
    starts = []
    for _ in range(5):
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import service, model.router"], check=True)
        starts.append(time.perf_counter() - begin)
    table["import of service and router, seconds"] = statistics.median(starts)
    for name in list(table)[len(contenders) :]:
        print(f"{name:<50}{table[name]:>14,.3f}")
    if given.json:
        print(json.dumps({"table": table, "ratios": ratios}))


def fasttext_model(rows: list) -> Callable[[str], object] | None:  # type: ignore[type-arg]
    """Train fastText on the same rows; None where it is not installed."""
    try:
        import fasttext
    except ImportError:
        return None
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "train.txt"
        lines = (f"__label__{row.agency} {one_line(row.title, row.text)}\n" for row in rows)
        file.write_text("".join(lines), encoding="utf-8")
        model = fasttext.train_supervised(
            str(file), wordNgrams=2, epoch=10, lr=0.5, dim=50, bucket=200_000, minn=2, maxn=5, thread=1, verbose=0
        )
    return lambda line: model.f.predict(line, 1, 0.0, "strict")


if __name__ == "__main__":
    main()
