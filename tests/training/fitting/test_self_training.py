"""What complaints that nobody labelled teach: how people write, by the model's own answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model.labelled import LabelledComplaint, load
from model.reader import Reader
from model.register import Register
from training.config import TrainingConfig
from training.fitting.calibrate import fit_pipeline
from training.fitting.self_training import pseudo_labelled
from training.rows.data import HOME, UNLABELLED, Data, read, without_labels

CONFIG = TrainingConfig(topic_weight=0.0)
SPEECH = {
    "dishub": "lampu jalan padam oncor mbeliyut",
    "dlh": "sampah menumpuk bau rereged uwuh",
    "perumdam": "air leding mati banyu gering",
}
"""What agencies are called to do in words that the region's complaints have, and then in two that they have not."""


@pytest.fixture(scope="module")
def reader(region: Path) -> Reader:
    """What reads that region's complaints."""
    return Reader(Register.load(region))


@pytest.fixture(scope="module")
def taught(region: Path, reader: Reader) -> Data:
    """Complaints that people labelled."""
    rows = [row for row in load(region / "complaints.jsonl") if row.agency in SPEECH]
    return read(rows, reader, np.ones(len(rows)))


def unlabelled(reader: Reader, texts: list[str]) -> Data:
    """Read texts as training does where nobody said whose they are."""
    return without_labels([LabelledComplaint(text=text, agency="kecamatan") for text in texts], reader, CONFIG.unlabelled_weight)


def test_words_that_only_unlabelled_complaints_have_are_learnt_from_those_beside_them(taught: Data, reader: Reader) -> None:
    texts = [f"{text} nomor {number}" for text in SPEECH.values() for number in range(8)]
    alone = unlabelled(reader, [" ".join(text.split()[-2:]) for text in SPEECH.values()]).words
    before = fit_pipeline(CONFIG, taught, reader)
    after = fit_pipeline(CONFIG, taught, reader, unlabelled=unlabelled(reader, texts))
    assert before.predict(alone).tolist() != list(SPEECH)
    assert after.predict(alone).tolist() == list(SPEECH)


def test_the_surest_are_answered_first_and_all_in_the_end(taught: Data, reader: Reader) -> None:
    model = fit_pipeline(CONFIG, taught, reader)
    sure, unsure = "lampu penerangan jalan umum padam", "mohon segera ditindaklanjuti terima kasih"
    both = unlabelled(reader, [unsure, sure])
    assert [(row.text, row.agency) for row in pseudo_labelled(model, both, 0.5).rows] == [(sure, "dishub")]
    last = pseudo_labelled(model, both, 1.0)
    assert [row.text for row in last.rows] == [unsure, sure]
    assert [row.agency for row in last.rows] == model.predict(both.words).tolist()
    assert set(last.origins.tolist()) == {UNLABELLED} != {HOME}


def test_whoever_they_went_to_is_forgotten(reader: Reader) -> None:
    given = without_labels([LabelledComplaint(text="lampu padam", agency="dlh", category="Sampah")], reader, 0.7)
    assert [(row.text, row.agency, row.category) for row in given.rows] == [("lampu padam", "", "")]


def test_where_nothing_is_unlabelled_the_model_is_that_of_the_labels(taught: Data, reader: Reader) -> None:
    alone, beside = (fit_pipeline(CONFIG, taught, reader, unlabelled=nothing) for nothing in (None, unlabelled(reader, [])))
    assert np.array_equal(alone["classifier"].coef_, beside["classifier"].coef_)
