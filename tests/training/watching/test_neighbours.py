"""The complaints most like each complaint: those that comparing all with all would find, as far as the budget goes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix, random_array

from model.labelled import LabelledComplaint, load
from model.reader import Reader
from model.register import Register
from training.rows.data import read
from training.watching import neighbours
from training.watching.neighbours import nearest, nearest_rows

REGION = Path("data/kutai-timur")


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(Register.load(REGION))


def unit_rows(rows: int, features: int, seed: int) -> csr_matrix:
    """Rows of length 1 whose features are as unevenly common as words are."""
    drawn = csr_matrix(random_array((rows, features), density=0.05, rng=np.random.default_rng(seed), dtype=np.float32))
    common = csr_matrix(np.random.default_rng(seed + 1).random((rows, 3)) < (0.9, 0.5, 0.2)).astype(np.float32)
    joined = np.hstack([drawn.toarray(), 0.2 * common.toarray()])
    return csr_matrix(joined / np.maximum(np.linalg.norm(joined, axis=1, keepdims=True), 1e-9))


def test_the_nearest_row_is_the_twin(reader: Reader) -> None:
    texts = ["sampah menumpuk di pasar", "jalan berlubang depan sekolah", "sampah menumpuk di pasar induk", "ktp belum jadi"]
    near = nearest(read([LabelledComplaint(text, "dlh") for text in texts], reader, np.ones(4)))
    assert (near.rows[0, 0], near.rows[2, 0]) == (2, 0)
    assert near.similarities[3].max() == 0
    votes = near.votes(np.array(["a", "b", "b", "a"]), np.array(["a", "b"]))
    assert votes[0].tolist() == [0, 1]
    assert votes[3].tolist() == [0, 0]


def test_complaints_of_the_default_corpus_have_the_neighbours_of_comparing_all_with_all(reader: Reader) -> None:
    rows = [row for row in load(REGION / "complaints.jsonl") if row.agency][::4]
    data = read(rows, reader, np.ones(len(rows)))
    matrix = neighbours.tf_idf(data)
    cosines = (matrix @ matrix.T).toarray()
    np.fill_diagonal(cosines, -1)
    found = nearest(data)
    np.testing.assert_allclose(found.similarities, -np.sort(-cosines, axis=1)[:, :10], atol=1e-6)
    np.testing.assert_allclose(np.take_along_axis(cosines, found.rows, axis=1), found.similarities, atol=1e-6)


def test_blocks_do_not_change_the_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = unit_rows(300, 200, seed=0)
    whole = nearest_rows(matrix, 5)
    monkeypatch.setattr(neighbours, "_PRODUCTS", 500)
    parts = nearest_rows(matrix, 5)
    assert (whole.rows == parts.rows).all()
    assert (whole.similarities == parts.similarities).all()


def test_a_small_budget_misses_few_neighbours_and_never_says_a_wrong_cosine() -> None:
    matrix = unit_rows(600, 300, seed=2)
    whole, cheap = nearest_rows(matrix, 5), nearest_rows(matrix, 5, budget=300)
    shared = [len({*a} & {*b}) for a, b in zip(whole.rows.tolist(), cheap.rows.tolist(), strict=True)]
    assert 0.85 < np.mean(shared) / 5 < 1
    exact = np.asarray(matrix[np.repeat(np.arange(600), 5)].multiply(matrix[cheap.rows.ravel()]).sum(axis=1)).ravel()
    np.testing.assert_allclose(cheap.similarities.ravel(), exact, atol=1e-6)


def test_a_row_with_nothing_in_common_with_any_has_no_neighbours() -> None:
    matrix = csr_matrix(np.array([[1.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0]], dtype=np.float32))
    found = nearest_rows(matrix, 3)
    assert found.similarities.tolist() == [[1, 0, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert (found.rows[0, 0], found.rows[1, 0]) == (1, 0)
