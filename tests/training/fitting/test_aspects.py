"""Aspects fitted on a made-up desk where a few words decide, so that what must come out is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer

from model.aspect_facts import FACTS, Case
from model.aspects import ASPECTS, Findings
from model.complaint import Complaint
from model.cues import Cues
from model.labelled import LabelledComplaint
from model.place import ResolvedPlace
from model.router import Router
from model.text import Analyzer
from training.config import TrainingConfig
from training.fitting import aspect_figures, aspects, heads

AGENCIES = ("dishub", "inspektorat")
ANALYZER = Analyzer()
CONFIG = TrainingConfig()
CUES = Cues({"misuse": ["suap", "sogok"], "inform": ["syarat"], "wish": ["usul"], "spot": ["di"], "here": ["kami"]})
SUBJECTS = ("lampu", "parkir", "trotoar", "rambu", "halte", "terminal", "marka", "dermaga", "jembatan", "selokan")
FORMS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("{} mati di Gang Melati", {"kind": "pengaduan", "agency": "dishub"}),
    ("{} rusak parah kawan", {"kind": "pengaduan", "agency": "dishub", "missing": ("lokasi",)}),
    ("usul {} baru di Gang Kenanga", {"kind": "aspirasi", "agency": "dishub"}),
    ("apa syarat {} tersebut", {"kind": "permintaan-informasi", "agency": "dishub"}),
    ("petugas {} suap dan sogok di Gang Anggrek", {"kind": "pengaduan", "agency": "inspektorat", "oversight": True}),
    ("halo halo tes {} saja", {"kind": "pengaduan", "expect": "review"}),
)


def desk(per_form: int = 40, forms: Sequence[tuple[str, dict[str, Any]]] = FORMS) -> list[LabelledComplaint]:
    return [
        LabelledComplaint(text=text.format(f"{SUBJECTS[number % 10]} {SUBJECTS[number * 7 // 10 % 10]}"), **labels)
        for text, labels in forms
        for number in range(per_form)
    ]


def inputs(rows: Sequence[LabelledComplaint]) -> tuple[csr_matrix, list[Case]]:
    words = [ANALYZER.words(row.complaint) for row in rows]
    X = TfidfVectorizer(analyzer=lambda row: [word.stem for word in row]).fit_transform(words)
    cases = []
    for row, read in zip(rows, words, strict=True):
        likely = 0.9 if row.agency == "inspektorat" else 0.1 if row.agency else 0.5
        cases.append(Case(row.complaint, read, (), ResolvedPlace(), np.array([1 - likely, likely], dtype=np.float32)))
    return X, cases


def fit(rows: Sequence[LabelledComplaint], cues: Cues = CUES) -> tuple[aspects.FittedAspects, list[Findings]]:
    X, cases = inputs(rows)
    fitted = aspects.fit(X, rows, cases, CONFIG, AGENCIES, cues)
    columns = (np.asarray(X @ fitted.coef.T) + fitted.bias).astype(np.float32)
    return fitted, [fitted.aspects.read(scores, case) for scores, case in zip(columns, cases, strict=True)]


@pytest.fixture(scope="module")
def fitted_and_said() -> tuple[aspects.FittedAspects, list[Findings]]:
    return fit(desk())


@pytest.fixture(scope="module")
def fitted(fitted_and_said: tuple[aspects.FittedAspects, list[Findings]]) -> aspects.FittedAspects:
    return fitted_and_said[0]


def test_what_words_decide_is_told(fitted: aspects.FittedAspects) -> None:
    figures = fitted.figures
    assert figures["kind"]["macro_f1"] > 0.95
    assert min(figures[name]["f1"] for name in ("oversight", "lokasi", "not-a-complaint")) > 0.9


def test_the_artifacts_aspects_say_of_the_rows_what_their_labels_say(
    fitted_and_said: tuple[aspects.FittedAspects, list[Findings]],
) -> None:
    right = [
        (finding.kind, finding.oversight, finding.missing) == (row.kind, row.oversight, row.missing)
        for row, finding in zip(desk(), fitted_and_said[1], strict=True)
        if row.expect == "route"
    ]
    assert np.mean(right) > 0.95


def test_the_same_rows_give_the_same_heads(fitted: aspects.FittedAspects) -> None:
    again = fit(desk())[0]
    assert again.aspects.to_dict() == fitted.aspects.to_dict()
    assert again.figures == fitted.figures
    assert np.array_equal(again.coef, fitted.coef)


def test_columns_are_named_in_the_order_of_their_coefficients(fitted: aspects.FittedAspects) -> None:
    assert fitted.coef.shape[0] == len(fitted.bias) == len(fitted.aspects.columns)
    assert fitted.aspects.columns == tuple(name for name in ASPECTS if name in fitted.aspects.columns)


GREETINGS = [
    LabelledComplaint(text=f"selamat siang admin {SUBJECTS[number % 10]} {number}", expect="review") for number in range(30)
]
WISHES = [
    LabelledComplaint(text=f"usul {SUBJECTS[number % 10]} suap di sini {number}", agency="dishub", received_at=f"2026-{number:04d}")
    for number in range(40)
]


def test_rows_without_a_kind_tell_of_what_is_no_complaint_and_of_nothing_else(fitted: aspects.FittedAspects) -> None:
    rows = [*desk(), *GREETINGS, *WISHES]
    mixed, said = fit(rows)
    assert (mixed.figures["rows"], mixed.figures["without_kind"]) == (fitted.figures["rows"], 70) == (240, 70)
    for name in ("aspirasi", "permintaan-informasi", "oversight", "lokasi"):
        assert mixed.figures[name]["rows"] == fitted.figures[name]["rows"] == 40
        assert mixed.figures[name]["f1"] > 0.9
    assert mixed.figures["not-a-complaint"]["rows"] == 70
    assert mixed.figures["not-a-complaint"]["recall"] > 0.9
    assert np.mean([finding.is_complaint for finding in said[240:270]]) < 0.1
    assert np.mean([finding.is_complaint for finding in said[270:]]) > 0.9
    # Nobody said that these are no wishes: they look like some, so they are taken for some.
    assert np.mean([finding.kind == "aspirasi" for finding in said[270:]]) > 0.9


ALARMS = [
    LabelledComplaint(text=f"{word} {SUBJECTS[number % 10]} {number}", emergency=word == "tolong", expect="review", use="emergency")
    for word in ("tolong", "kemarin")
    for number in range(30)
]


def test_rows_that_are_there_for_emergencies_teach_nothing_else(fitted: aspects.FittedAspects) -> None:
    taught, said = fit([*desk(), *ALARMS])
    alarms, others = said[240:], said[:240]
    assert [finding.emergency for finding in alarms] == [row.emergency for row in ALARMS]
    assert not any(finding.emergency for finding in others)
    assert taught.figures["emergency"] == {"rows": 30, "precision": 1.0, "recall": 1.0, "f1": 1.0, "false_alarms": 0.0}
    for name in ("aspirasi", "oversight", "lokasi", "not-a-complaint"):
        assert taught.figures[name]["rows"] == fitted.figures[name]["rows"] == 40
        assert set(taught.aspects.to_dict()["heads"][name]["columns"]) <= set(fitted.aspects.columns)


def test_a_desk_that_never_says_a_kind_learns_what_is_no_complaint() -> None:
    alone, said = fit([*GREETINGS, *WISHES])
    assert alone.aspects.columns == ("not-a-complaint",)
    assert np.mean([finding.is_complaint for finding in said[:30]]) < 0.1
    assert alone.figures["rows"] == 0


def test_routed_rows_without_a_kind_teach_only_beside_some_that_are_no_complaint(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [*WISHES, *desk(1), GREETINGS[0]]
    everything = list(range(len(rows)))
    assert aspects.teaching(rows, everything) == everything
    assert aspects.teaching(rows, everything[:-1]) == everything[40:-1]
    assert aspects.teaching(rows, everything[1:]) == everything[1:]
    monkeypatch.setattr(aspects, "FURTHER", 3)
    assert aspects.teaching(rows, everything) == everything[37:]


def test_rows_without_any_kind_teach_nothing() -> None:
    rows = [LabelledComplaint(text=f"lampu mati {number}", agency="dishub") for number in range(30)]
    nothing, said = fit(rows)
    assert set(said) == {Findings("", False, (), True)}
    assert nothing.coef.shape[0] == 0
    assert nothing.figures == {"rows": 0, "left_out": list(ASPECTS)}


def test_an_aspect_with_few_rows_is_left_out_and_named() -> None:
    rows = [row for row in desk() if not row.oversight] + [row for row in desk(5) if row.oversight]
    few = fit(rows)[0]
    assert "oversight" in few.figures["left_out"]
    assert "oversight" not in few.aspects.heads


def test_a_question_that_is_mostly_needless_is_left_out() -> None:
    rows = [
        LabelledComplaint(
            text=row.text, kind=row.kind, agency=row.agency, expect=row.expect, missing=("waktu",) * (number % 9 == 0)
        )
        for number, row in enumerate(desk())
    ]
    fitted = fit(rows)[0]
    assert fitted.figures["waktu"]["precision"] < aspects.MIN_PRECISION
    assert "waktu" in fitted.figures["left_out"]
    assert "waktu" not in fitted.aspects.heads


def test_several_rounds_give_ranges() -> None:
    X, cases = inputs(desk())
    figures = aspects.fit(X, desk(), cases, CONFIG, AGENCIES, CUES, repeats=2).figures
    low, high = figures["kind"]["macro_f1_range"]
    assert low <= figures["kind"]["macro_f1"] <= high
    assert figures["oversight"]["rows"] == 40


def test_folds_spread_every_stratum_evenly() -> None:
    strata = np.array(["a"] * 50 + ["b"] * 10 + ["c"] * 3)
    folds = heads.folds(strata, seed=3)
    assert sorted(np.concatenate([test for _, test in folds]).tolist()) == list(range(63))
    assert all((strata[test] == "b").sum() == 2 for _, test in folds)
    assert all(not set(train) & set(test) for train, test in folds)


def test_only_cues_that_stand_in_the_rows_are_met() -> None:
    cues = Cues({"misuse": ["suap", "uang pelicin", "uang damai"], "here": ["sini"]})
    words = ANALYZER.words(Complaint(text="diminta uang pelicin", title="damai"))
    kept = aspects.met(cues, [Case(Complaint(text=""), words, (), ResolvedPlace(), np.ones(1, np.float32))])
    assert kept.phrases == {"misuse": ("uang pelicin",), "here": ("sini",)}


SCORES: NDArray[np.float64] = np.array([[0.9], [0.8], [0.7], [0.6], [0.5], [0.4]])


def test_allegations_are_found_down_to_the_wanted_precision() -> None:
    target = np.array([0, 1, 0, 0, 1, 1])  # 0: it is one
    (threshold,) = heads.choose_thresholds(["oversight"], SCORES, target)
    assert threshold == pytest.approx(0.55)  # three of the four above it are some; three of five would be too few


def test_nothing_is_an_allegation_where_the_precision_is_out_of_reach() -> None:
    (threshold,) = heads.choose_thresholds(["oversight"], SCORES, np.array([1, 1, 1, 1, 1, 0]))
    assert not (threshold < SCORES).any()


def test_of_the_others_at_most_the_allowed_share_is_taken_for_no_complaint_or_an_emergency() -> None:
    random = np.random.default_rng(0)
    scores, target = random.normal(size=(1_000, 1)), np.array([0] * 100 + [1] * 900)
    scores[:100] += 2
    (threshold,) = heads.choose_thresholds(["not-a-complaint"], scores, target)
    held = (scores[100:, 0] > threshold).mean()
    assert 0 < held <= heads.HELD_BACK
    (threshold,) = heads.choose_thresholds(["emergency"], scores, target)
    assert held < (scores[100:, 0] > threshold).mean() <= heads.FALSE_ALARMS


def test_what_is_missing_is_asked_for_at_the_highest_f1() -> None:
    (threshold,) = heads.choose_thresholds(["lokasi"], SCORES, np.array([0, 0, 1, 0, 1, 1]))
    assert threshold == pytest.approx(0.55)


def test_figures_compare_with_the_truth() -> None:
    rows = [
        LabelledComplaint(text="a", agency="dishub", kind="aspirasi", oversight=True),
        LabelledComplaint(text="b", agency="dishub", kind="pengaduan", missing=("lokasi",)),
        LabelledComplaint(text="c", kind="pengaduan", expect="review"),
        LabelledComplaint(text="d", agency="dishub", kind="pengaduan"),
    ]
    data = aspects.prepare(csr_matrix(np.eye(4)), rows, inputs(rows)[1])
    said = [
        Findings("aspirasi", True, (), True),
        Findings("pengaduan", True, ("lokasi",), True),
        Findings("pengaduan", False, (), False),
        Findings("aspirasi", False, (), False),
    ]
    figures = aspect_figures.judge(data.truth, said, data.known)
    assert figures["oversight"] == {"rows": 1, "precision": 0.5, "recall": 1.0, "f1": pytest.approx(2 / 3)}
    assert figures["lokasi"]["f1"] == 1.0
    assert figures["not-a-complaint"]["held_back"] == pytest.approx(1 / 3)
    assert figures["aspirasi"]["precision"] == 0.5


def test_allegations_read_few_facts_and_no_other_column(fitted: aspects.FittedAspects) -> None:
    written = fitted.aspects.to_dict()["heads"]["oversight"]
    assert set(written["columns"]) == {"oversight"}
    assert set(written["facts"]) <= set(heads.ALLEGATION_FACTS) < set(FACTS)


def test_length_says_nothing_of_what_is_no_complaint(fitted: aspects.FittedAspects) -> None:
    assert not set(fitted.aspects.to_dict()["heads"]["not-a-complaint"]["facts"]) & set(heads.LENGTH_FACTS)


def test_a_trained_model_tells_a_question_from_a_complaint(router: Router) -> None:
    question = router.route(Complaint(text="Mau tanya, apa saja syarat pindah KTP dan berapa biayanya?"))
    trouble = router.route(Complaint(text="Lampu jalan di depan rumah mati sudah dua minggu, gelap sekali"))
    assert (question.kind, trouble.kind) == ("permintaan-informasi", "pengaduan")
