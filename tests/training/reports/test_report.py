"""The report, the card and the table, from a small real training: whole, self-contained, always the same, true to the figures."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.artifact import Artifact
from model.labelled import LabelledComplaint, load
from model.register import Register
from model.router import Router
from training import train
from training.config import TrainingConfig
from training.judging import errors, evaluate
from training.measures import figures, tables
from training.promises import keeping, promise
from training.promises.judge import Judged
from training.reports import plots, report, workload
from training.rows.seen import Seen
from training.rows.training_set import TrainingSet

REGION = Path("data/kutai-timur")
AGENCIES = ("dlh", "dpupr", "dinsos", "dishub", "disdukcapil", "perumdam")
CONFIG = TrainingConfig(folds=2, target_error=0.2, delta=0.2)
CREATED = "2026-11-24T08:00:00+00:00"


@pytest.fixture(scope="module")
def register() -> Register:
    return Register.load(REGION)


@pytest.fixture(scope="module")
def rows() -> list[LabelledComplaint]:
    """Sixty complaints of each of six agencies, and some that nobody could route; without kinds, which take long to learn."""
    taken: dict[str, list[LabelledComplaint]] = defaultdict(list)
    for row in load(REGION / "complaints.jsonl"):
        if row.agency in ("", *AGENCIES) and len(taken[row.agency]) < 60:
            taken[row.agency].append(replace(row, kind=""))
    return [row for agency in ("", *AGENCIES) for row in taken[agency]]


@pytest.fixture(scope="module")
def trained(register: Register, rows: list[LabelledComplaint]) -> tuple[Artifact, Judged]:
    return train.train(register, TrainingSet(rows[::2]), CONFIG, CREATED)


@pytest.fixture(scope="module")
def found(trained: tuple[Artifact, Judged]) -> dict[str, Any]:
    return report.of_training(*trained)


@pytest.fixture(scope="module")
def evaluated(trained: tuple[Artifact, Judged], rows: list[LabelledComplaint]) -> dict[str, Any]:
    return evaluate.evaluate(Router(trained[0]), [row for row in rows[1::2] if row.agency])


@pytest.fixture(scope="module")
def written(trained: tuple[Artifact, Judged]) -> dict[str, str]:
    return report.files(*trained)


@pytest.fixture(scope="module")
def pages(written: dict[str, str], evaluated: dict[str, Any]) -> dict[str, str]:
    """The page of a training and that of an evaluation."""
    return {"found": written["report/report.html"], "evaluated": report.page(evaluated)}


class Page(HTMLParser):
    """What a page asks for from elsewhere, its ids, and the tags that were never closed."""

    VOID = frozenset({"meta", "br", "use", "path", "rect", "link", "img"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.outside: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("src", "href", "xlink:href", "srcset", "data", "action") and not (value or "").startswith("#"):
                self.outside.append(f"{tag} {name}={value}")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


@pytest.mark.parametrize("which", ["found", "evaluated"])
def test_the_page_needs_nothing_but_itself(pages: dict[str, str], which: str) -> None:
    page = Page(pages[which])
    assert page.outside == []
    assert page.open == []
    assert not {"script", "iframe", "object", "link", "img"} & set(page.tags)
    assert page.tags.count("svg") == 4
    assert len(page.ids) == len(set(page.ids))


def test_styles_of_the_page_fetch_nothing(pages: dict[str, str]) -> None:
    assert not re.findall(r"url\((?!#)", pages["found"])
    assert "@import" not in pages["found"]


@pytest.mark.parametrize("which", ["found", "evaluated"])
def test_the_page_is_made_of_the_figures_alone(pages: dict[str, str], which: str, request: pytest.FixtureRequest) -> None:
    assert report.page(json.loads(json.dumps(request.getfixturevalue(which)))) == pages[which]


def test_the_page_says_what_the_figures_say(found: dict[str, Any], pages: dict[str, str]) -> None:
    text = pages["found"].replace("\u00a0", " ")
    assert f"<b>{100 * found['accuracy']:.1f} %</b> right at once" in text
    assert f"<b>{round(100 * found['top3'])} dari 100</b>" in text
    assert f"{found['auto']['wrong']:,} wrong" in text


@pytest.mark.usefixtures("undrawn")
def test_a_broken_promise_is_said_in_both_languages(found: dict[str, Any]) -> None:
    auto = figures.automatic(np.ones(20, dtype=bool), np.arange(20) < 10, 0.05, 0.9)
    text = report.page({**found, "auto": auto})
    assert "NOT KEPT" in text
    assert "Janji itu tidak ditepati" in text
    assert "ditepati pada aduan yang diuji" not in report.page({**found, "auto": {**auto, "sent": 0}})


@pytest.mark.usefixtures("undrawn")
def test_a_promise_is_not_called_kept_for_a_handful_of_complaints(found: dict[str, Any]) -> None:
    auto = figures.automatic(np.arange(20) < 4, np.ones(20, dtype=bool), 0.05, 0.9)
    text = report.page({**found, "auto": auto})
    assert "4 of 20 went out by themselves, 0 wrong" in tables.promise_kept({"rows": 20, "auto": auto})
    assert "too few to tell whether it is kept" in text
    assert "Aduan yang diuji belum cukup untuk memastikan bahwa janji itu ditepati." in text
    assert '<li class="' not in text


@pytest.mark.usefixtures("undrawn")
def test_a_model_judged_by_what_it_was_trained_on_is_called_flattered(
    trained: tuple[Artifact, Judged], rows: list[LabelledComplaint], evaluated: dict[str, Any]
) -> None:
    judged_by = [row for row in rows if row.agency]
    flattered = evaluate.evaluate(Router(trained[0]), judged_by, Seen.of(rows[::2]))
    assert flattered["seen"] == len([row for row in rows[::2] if row.agency])
    for text in (evaluate.table(flattered), report.page(flattered)):
        assert f"CAUTION: the model was trained on {flattered['seen']}" in text
    assert "ikut dipakai melatih model" in report.page(flattered)
    assert "CAUTION" not in evaluate.table(evaluated) + report.page(evaluated)


def test_names_of_agencies_cannot_write_into_the_page(found: dict[str, Any]) -> None:
    weakest = tables.weakest(found, 1)[0][0]
    text = report.page({**found, "agencies": {**found["agencies"], weakest: "<script>alert(1)</script>"}})
    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_no_complaint_makes_a_page_and_a_table_that_say_so(trained: tuple[Artifact, Judged]) -> None:
    empty = evaluate.evaluate(Router(trained[0]), [])
    assert "nothing to draw" in report.page(empty)
    assert "no complaint with an agency" in evaluate.table(empty)


def test_a_handful_of_complaints_can_be_drawn(trained: tuple[Artifact, Judged], rows: list[LabelledComplaint]) -> None:
    few = evaluate.evaluate(Router(trained[0]), [row for row in rows if row.agency][:3])
    assert Page(report.page(few)).open == []


def test_training_answers_report_figures_and_card(written: dict[str, str], found: dict[str, Any]) -> None:
    """Of which figures the page is made, test_the_page_is_made_of_the_figures_alone tells."""
    assert set(written) == {"report/report.html", "report/figures.json", "MODEL_CARD.md"}
    assert json.loads(written["report/figures.json"]) == json.loads(json.dumps(found))


def test_report_and_card_tell_of_a_desk_what_the_manifest_tells(
    register: Register, rows: list[LabelledComplaint], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands for many counts for as many in all three; in each of them, what went out by itself."""
    monkeypatch.setattr(keeping, "ENOUGH_DATED", 100)
    routed = [row for row in rows if row.agency]
    desk = [
        replace(row, received_at=f"2026-{1 + n * 10 // len(routed):02}-{1 + n % 28:02}", blind=n % 3 == 0, audit_share=0.1)
        for n, row in enumerate(routed)
    ]
    artifact, judged = train.train(register, TrainingSet(desk), CONFIG, CREATED)
    auto = artifact.manifest["figures"]["out_of_fold"]["auto"]
    assert auto["traffic"] > len(judged.truth)
    found = report.of_training(artifact, judged)
    assert found["auto"] == auto
    assert f"{auto['traffic_sent']:,} of {auto['traffic']:,} went out by themselves" in tables.promise_kept(found) or (
        "nothing went out" in tables.promise_kept(found)
    )


def test_the_same_training_has_the_same_report(written: dict[str, str], register: Register, rows: list[LabelledComplaint]) -> None:
    assert report.files(*train.train(register, TrainingSet(rows[::2]), CONFIG, CREATED)) == written


def test_a_card_names_the_default_corpus_only_where_it_may_be_among_its_rows(trained: tuple[Artifact, Judged]) -> None:
    manifest, found = trained[0].manifest, report.of_training(*trained)
    elsewhere = {**manifest, "data": {**manifest["data"], "per_source": {"kulon-progo": 180}}}
    told, other = (report.card(given, found) for given in (manifest, elsewhere))
    assert "Kutai Timur" in told
    assert "Kutai Timur" not in other
    assert "By source: kulon-progo 180." in other
    assert all("operators' decisions, not truth." in card for card in (told, other))


@pytest.mark.usefixtures("undrawn")
def test_what_else_it_tells_is_in_page_and_card(trained: tuple[Artifact, Judged], found: dict[str, Any]) -> None:
    aspects = {"rows": 9, "oversight": {"rows": 7, "precision": 0.5, "recall": 0.75, "f1": 0.6}, "left_out": ["waktu"]}
    shown = {**found, "aspects": aspects}
    assert "| oversight | 7 | 50 % | 75 % | 0.60 |" in report.card(trained[0].manifest, shown)
    assert "What else does it tell?" in report.page(shown)
    assert "quality: waktu" in report.page(shown)
    assert "What else does it tell?" not in report.page({**found, "aspects": {}})


@pytest.mark.usefixtures("undrawn")
def test_officers_read_of_how_many_complaints_it_is_said(trained: tuple[Artifact, Judged], found: dict[str, Any]) -> None:
    few = {**found, "rows": 1046}
    for shown in (report.card(trained[0].manifest, few), report.page(few)):
        assert "di antara tiga usulan teratas (diuji dengan 1.046 aduan)." in shown


def test_where_every_agency_has_few_complaints_none_is_called_weak(trained: tuple[Artifact, Judged], found: dict[str, Any]) -> None:
    few = {agency: {**row, "rows": tables.SOME_ROWS - 1} for agency, row in found["per_agency"].items()}
    weak = report.card(trained[0].manifest, {**found, "per_agency": few}).partition("## Where it is weak")[2]
    assert weak.startswith("\n\nNo agency has 10 complaints among these, too few to say where it is weak.\n\nNone of ")


def test_a_model_that_was_not_taught_what_alleges_wrongdoing_says_so_where_officers_read(
    trained: tuple[Artifact, Judged], found: dict[str, Any]
) -> None:
    taught, untaught = (
        report.card(trained[0].manifest, {**found, "aspects": {"rows": 0, "left_out": left}}) for left in ([], ["oversight"])
    )
    (warning,) = [line for line in untaught.splitlines() if line.startswith("> **Perhatian.**")]
    assert "belum dapat mengenali dugaan penyimpangan" in warning
    assert "go to a person; it has not learnt" in untaught
    assert "for want of examples: oversight." in untaught
    assert "Perhatian" not in taught
    assert "wrongdoing alleged, and confidential ones, go to a person" in taught


def test_the_card_says_whether_emergencies_are_noticed_and_how_many_rows_say_nothing_else(
    trained: tuple[Artifact, Judged], found: dict[str, Any]
) -> None:
    manifest = trained[0].manifest
    with_messages = {**manifest, "data": {**manifest["data"], "emergencies": 640}}
    taught, untaught = (
        report.card(table, {**found, "aspects": {"rows": 0, "left_out": left}})
        for table, left in ((with_messages, []), (manifest, ["emergency"]))
    )
    assert "of what may be an emergency it misses some" in taught
    assert "(640 of them are messages that say nothing but whether they tell of an emergency)" in taught
    assert "emergencies, which it has not learnt to notice" in untaught
    assert "of them are messages" not in untaught


@pytest.mark.usefixtures("undrawn")
def test_writing_leaves_the_page_its_figures_and_the_card(
    trained: tuple[Artifact, Judged], evaluated: dict[str, Any], tmp_path: Path
) -> None:
    folder = tmp_path / "new" / "folder"
    for _ in range(2):
        report.write(folder, evaluated, trained[0].manifest)
    assert sorted(path.name for path in folder.iterdir()) == ["MODEL_CARD.md", "figures.json", "report.html"]
    assert report.page(json.loads((folder / "figures.json").read_text())) == report.page(evaluated)
    card = (folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert f"{evaluated['rows']} complaints that were given to `evaluate`" in card
    assert tables.interval(evaluated["accuracy_interval"]) in card
    assert "out-of-fold" not in card
    assert "`.\n\n| figure |" in card


@pytest.mark.usefixtures("undrawn")
def test_the_card_of_an_evaluation_says_what_the_model_was_not_taught_and_what_flatters(
    trained: tuple[Artifact, Judged], evaluated: dict[str, Any], tmp_path: Path
) -> None:
    manifest = trained[0].manifest
    untaught = {**manifest, "figures": {**manifest["figures"], "aspects": {"rows": 0, "left_out": ["oversight"]}}}
    report.write(tmp_path, {**evaluated, "seen": 7}, untaught)
    card = (tmp_path / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "belum dapat mengenali dugaan penyimpangan" in card
    assert "\n\n> CAUTION: the model was trained on 7 of" in card
    assert "flatter it.\n\n| figure |" in card


def test_an_evaluation_names_the_rules_that_hold_for_none_of_its_complaints(evaluated: dict[str, Any]) -> None:
    silent = {line.split("'")[1] for line in evaluated["rules_silent"]}
    assert "kawasan-hutan" in silent
    assert silent.isdisjoint(rule["id"] for rule in evaluated["rules"])
    told = evaluate.table(evaluated)
    assert all(f"  {line}" in told for line in evaluated["rules_silent"])


@pytest.mark.usefixtures("undrawn")
def test_report_card_and_terminal_name_the_complaints_that_fare_worse(
    trained: tuple[Artifact, Judged], found: dict[str, Any], evaluated: dict[str, Any]
) -> None:
    assert found["slices"] == trained[0].manifest["figures"]["slices"]
    assert {"length", "place"} <= {one["kind"] for one in found["slices"]} & {one["kind"] for one in evaluated["slices"]}
    first, *rest = ({**one, "worse": False} for one in evaluated["slices"])
    none = {**evaluated, "slices": [first, *rest]}
    one = {**evaluated, "slices": [{**first, "worse": True}, *rest]}
    named = f"{first['kind']}: {first['name']}"
    assert f"{named} *" in report.page(one)
    assert f"{named} *" not in report.page(none)
    manifest = trained[0].manifest
    told = [report.card(manifest, {**each, "aspects": found["aspects"]}) for each in (none, one)]
    assert "fares worse than the rest beyond chance" in told[0]
    assert f"| {named} |" in told[1]
    assert (named in evaluate.table(none), named in evaluate.table(one)) == (False, True)


def test_no_card_is_written_where_no_complaint_was_judged(trained: tuple[Artifact, Judged], tmp_path: Path) -> None:
    report.write(tmp_path, evaluate.evaluate(Router(trained[0]), []), trained[0].manifest)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["figures.json", "report.html"]


def test_the_card_tells_use_data_figures_promise_limits_and_how_to_contest(
    trained: tuple[Artifact, Judged], found: dict[str, Any]
) -> None:
    artifact, _ = trained
    card = report.card(artifact.manifest, found)
    assert "(out-of-fold).\n\n| figure |" in card
    sections = re.findall(r"^## (.+)$", card, re.MULTILINE)
    assert sections == [
        "What it is for",
        "Data",
        "How good it is",
        "The promise",
        "Where it is weak",
        "Limits",
        "How it was made",
        "Contesting a routing",
    ]
    for said in (
        artifact.version,
        artifact.manifest["data"]["digest"],
        artifact.manifest["register"],
        artifact.manifest["stemmer"],
        "no citizen wrote it",
        "Menyanggah",
        tables.interval(found["accuracy_interval"]),
        f"{artifact.manifest['data']['own']:,} labelled complaints",
        tables.weakest(found, 1)[0][0],
    ):
        assert said in card
    assert "{{" not in card
    assert "{%" not in card


def test_the_card_says_how_many_cases_stand_behind_each_threshold() -> None:
    policy = {"overall": [0.91, 1200], "per_agency": {"dlh": [0.8, 150], "pln": [2.0, 0]}}
    assert tables.promise_cases(policy) == (
        "1,200 calibration cases stand behind the threshold 0.910. "
        "Thresholds of their own, with cases: dlh 0.800 (150). Always looked at: pln."
    )
    none = "There is no threshold over all: too many of the surest answers were wrong, or there are too few."
    assert tables.promise_cases({"overall": [2.0, 0], "per_agency": {}}) == none


def test_the_terminal_table_has_what_the_contract_asks_for(evaluated: dict[str, Any]) -> None:
    text = evaluate.table(evaluated)
    for said in (
        "accuracy ",
        "acceptable agencies too",
        "first three",
        "macro-F1",
        "ECE",
        "AURC",
        "Promised with 80 % confidence: at most 20 % wrong",
        "admin's list",
        "without title",
        "without salutation",
        "Agencies with the lowest F1",
        "The commonest mistakes",
        tables.interval(evaluated["accuracy_interval"]),
    ):
        assert said in text
    assert max(map(len, text.splitlines())) <= 132


def test_what_may_be_claimed_has_an_interval_around_it(evaluated: dict[str, Any]) -> None:
    for name in ("accuracy", "macro_f1", "aurc"):
        low, high = evaluated[f"{name}_interval"]
        assert low <= evaluated[name] <= high
        assert high - low < 0.3


def test_a_table_reads_the_same_in_every_form() -> None:
    table = tables.Table(("agency", "rows"), [("a|b <c>", "1,200"), ("d", "7")])
    assert table.text() == "agency    rows\na|b <c>  1,200\nd            7"
    assert table.markdown().splitlines()[2] == "| a\\|b <c> | 1,200 |"
    assert '<td style="text-align:left">a|b &lt;c&gt;</td>' in table._repr_html_()


def test_reliability_bins_hold_every_row_and_their_gap_is_the_error() -> None:
    sure = np.linspace(0.1, 0.9, 100)
    right = np.arange(100) % 3 > 0
    bins = figures.reliability(sure, right)
    assert sum(item["rows"] for item in bins) == 100
    gap = sum(item["rows"] * abs(item["confidence"] - item["accuracy"]) for item in bins) / 100
    assert gap == pytest.approx(figures.expected_calibration_error(sure, right))


def test_rows_of_one_certainty_are_sent_together() -> None:
    sure = np.array([0.9] * 4 + [0.5] * 6)
    right = np.array([True, True, True, False] + [True] * 3 + [False] * 3)
    points = figures.risk_coverage_points(sure, right)
    assert points == [{"coverage": 0.4, "risk": 0.25, "confidence": 0.9}, {"coverage": 1.0, "risk": 0.4, "confidence": 0.5}]


def test_pairs_count_both_directions() -> None:
    truth = ["a", "a", "b", "b", "c", "a"]
    said = ["b", "b", "a", "b", "c", "c"]
    assert figures.confused_pairs(truth, said)[0] == {"agencies": ["a", "b"], "wrong": [2, 1], "right": [0, 1]}
    assert figures.confusions(truth, said)[0] == {"truth": "a", "said": "b", "rows": 2}


def test_a_drawing_is_the_same_twice_and_follows_the_page_s_colours(found: dict[str, Any]) -> None:
    for draw in (plots.promise, plots.reliability, plots.pairs, plots.agencies):
        svg = draw(found).svg
        assert svg == draw(found).svg
        assert svg.startswith('<svg role="img" aria-label="')
        assert set(re.findall(r"(?<!, )#[0-9a-f]{6}\b", svg)) <= {"#000000", "#ffffff"}
        assert "<metadata>" not in svg


def test_laxer_promises_cost_fewer_hours(trained: tuple[Artifact, Judged]) -> None:
    points = workload.operating_points(trained[1], CONFIG, arrivals=300, minutes=4)
    hours = [point.hours for point in points]
    assert max(hours) <= 20
    assert hours[-1] < hours[0]
    # Each promise begins its tests elsewhere, so that two of them may differ by a step of these the wrong way.
    assert all(laxer <= stricter + promise.STEP * 20 for stricter, laxer in pairwise(hours))
    assert points[0].wrong <= points[-1].wrong
    assert len(workload.table(points).rows) == len(points)
    assert plots.workload(points).svg.startswith("<svg")


def test_mistakes_are_listed_surest_first_with_the_words_that_led_there(
    trained: tuple[Artifact, Judged], rows: list[LabelledComplaint]
) -> None:
    answers = evaluate.route(Router(trained[0]), rows[1::2])
    listed = errors.mistakes(answers, most=5)
    sure = [int(row[4].split()[0]) for row in listed.rows]
    assert 0 < len(sure) <= 5
    assert sure == sorted(sure, reverse=True)
    assert all(row[1] != row[2] for row in listed.rows)
    assert all(row[3] for row in listed.rows)
    one = errors.mistakes(answers, truth=listed.rows[0][1], said=listed.rows[0][2])
    assert {(row[1], row[2]) for row in one.rows} == {(listed.rows[0][1], listed.rows[0][2])}


def test_long_complaints_are_cut_in_a_table_of_mistakes(trained: tuple[Artifact, Judged], rows: list[LabelledComplaint]) -> None:
    long = [replace(row, text=row.text + " kata" * 200, agency="pln") for row in rows if row.agency][:2]
    listed = errors.mistakes(evaluate.route(Router(trained[0]), long))
    assert all(len(row[0]) <= errors.MAX_TEXT for row in listed.rows)
    assert len(listed.rows) == 2
