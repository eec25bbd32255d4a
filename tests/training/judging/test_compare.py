"""Champion and challenger on the same rows: the figures, the verdict, and what changed."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from model.artifact import Artifact
from model.labelled import LabelledComplaint, load
from model.ledger import Verdict
from model.policy import NEVER
from model.register import Agency, Register
from model.router import Router
from training import train
from training.config import TrainingConfig
from training.judging.compare import Comparison, compare, moved_words
from training.judging.gate import Paired, Slice
from training.rows.seen import Seen
from training.rows.training_set import TrainingSet

REGION = Path("data/kutai-timur")
AGENCIES = ("dlh", "dpupr", "dinsos", "disdukcapil")
CONFIG = TrainingConfig(folds=2, target_error=0.2, delta=0.2, matters_weight=0.0)


@pytest.fixture(scope="module")
def rows() -> list[LabelledComplaint]:
    """Sixty complaints of each of four agencies, by turns, with a date that grows."""
    taken: dict[str, list[LabelledComplaint]] = defaultdict(list)
    for row in load(REGION / "complaints.jsonl"):
        if row.agency in AGENCIES and len(taken[row.agency]) < 60:
            taken[row.agency].append(row)
    mixed = [row for turn in zip(*taken.values(), strict=True) for row in turn]
    return [replace(row, received_at=f"2024-{1 + n // 24:02}-10") for n, row in enumerate(mixed)]


def trained(rows: Sequence[LabelledComplaint], created: str) -> Artifact:
    return train.train(Register.load(REGION), TrainingSet(rows), CONFIG, created)[0]


@pytest.fixture(scope="module")
def little(rows: list[LabelledComplaint]) -> Artifact:
    return trained(rows[:24], "2024-02-01T00:00:00+00:00")


@pytest.fixture(scope="module")
def more(rows: list[LabelledComplaint]) -> Artifact:
    return trained(rows[:120], "2024-06-01T00:00:00+00:00")


@pytest.fixture(scope="module")
def champion(little: Artifact) -> Router:
    return Router(little)


@pytest.fixture(scope="module")
def challenger(more: Artifact) -> Router:
    return Router(more)


@pytest.fixture(scope="module")
def found(champion: Router, challenger: Router, rows: list[LabelledComplaint]) -> Comparison:
    return compare(champion, challenger, rows[120:], texts=True)


def test_more_training_is_found_better(found: Comparison) -> None:
    assert found.overall.rows == 120
    assert found.overall.interval[0] > 0
    assert found.overall.p_value < 0.05
    assert found.verdict is Verdict.PROMOTE
    assert found.reasons[0].startswith("better over all")


def test_a_model_compared_with_itself_neither_gains_nor_loses(challenger: Router, rows: list[LabelledComplaint]) -> None:
    same = compare(challenger, challenger, rows[120:])
    assert (same.overall.difference, same.overall.interval, same.overall.p_value) == (0.0, (0.0, 0.0), 1.0)
    assert (list(same.gained), list(same.lost)) == ([], [])
    assert same.verdict is Verdict.PROMOTE
    assert same.reasons[0].startswith("not worse over all")


def test_the_reverse_comparison_is_held_and_mirrors_the_figures(
    found: Comparison, champion: Router, challenger: Router, rows: list[LabelledComplaint]
) -> None:
    reverse = compare(challenger, champion, rows[120:])
    assert reverse.verdict is Verdict.HOLD
    assert (reverse.overall.better, reverse.overall.worse) == (found.overall.worse, found.overall.better)
    assert [change.id for change in reverse.lost] == [change.id for change in found.gained]


def test_the_same_comparison_twice_is_the_same(
    found: Comparison, champion: Router, challenger: Router, rows: list[LabelledComplaint]
) -> None:
    assert compare(champion, challenger, rows[120:], texts=True).to_dict() == found.to_dict()


def test_every_change_names_complaint_and_agencies_and_counts_add_up(found: Comparison, rows: list[LabelledComplaint]) -> None:
    by_id = {row.id: row for row in rows}
    assert (len(found.gained), len(found.lost)) == (found.overall.better, found.overall.worse)
    assert all(change.challenger == change.agency == by_id[change.id].agency != change.champion for change in found.gained)
    assert all(change.champion == change.agency == by_id[change.id].agency != change.challenger for change in found.lost)
    assert sum(item.paired.rows for item in found.agencies) == found.overall.rows
    assert sum(item.paired.better for item in found.agencies) == found.overall.better


def test_moved_words_are_words_of_the_complaint(found: Comparison) -> None:
    with_words = [change for change in found.gained if change.words]
    assert len(with_words) >= 0.9 * len(found.gained)
    assert all(word in change.text.casefold() for change in with_words for word, _ in change.words)
    assert all(weight > 0 for change in with_words for _, weight in change.words)


def test_words_that_masking_takes_away_are_not_shown(champion: Router, challenger: Router, rows: list[LabelledComplaint]) -> None:
    row = replace(rows[120], title="", text="nama saya Bambang Sutrisno 081234567890, sampah menumpuk")
    words = [word for word, _ in moved_words(champion, challenger, row.complaint, "dinsos", "dlh")]
    assert words
    assert not {"bambang", "sutrisno", "081234567890"} & set(words)


def test_texts_come_only_on_request_and_masked(champion: Router, challenger: Router, rows: list[LabelledComplaint]) -> None:
    told = [replace(row, text=f"{row.text} hubungi 081234567890") for row in rows[120:]]
    assert not any(change.text for change in compare(champion, challenger, told).gained)
    texts = [change.text for change in compare(champion, challenger, told, texts=True).gained]
    assert texts
    assert all("[TELEPON]" in text and "081234567890" not in text for text in texts)


def test_what_a_terminal_would_obey_is_not_printed(champion: Router, challenger: Router, rows: list[LabelledComplaint]) -> None:
    told = [replace(row, text=f"{row.text} \x1b]0;judul\x07 \x9b31m \u202e") for row in rows[120:]]
    texts = [change.text for change in compare(champion, challenger, told, texts=True).gained]
    assert texts
    assert all(text.isprintable() and "judul" in text for text in texts)


def test_slices_cover_all_rows_of_a_kind(found: Comparison) -> None:
    rows: dict[str, int] = defaultdict(int)
    for item in found.slices:
        rows[item.kind] += item.paired.rows
    assert {"length", "month", "language", "place", "style"} <= rows.keys()
    assert set(rows.values()) == {120}


def test_complaints_that_either_was_trained_on_are_left_out_and_that_is_said(
    champion: Router, challenger: Router, rows: list[LabelledComplaint]
) -> None:
    seen = {champion.version: Seen.of(rows[:24]), challenger.version: Seen.of(rows[:120])}
    whole = compare(champion, challenger, rows, seen=seen)
    assert whole.overall.rows == 120
    assert whole.notes[0] == f"24 complaints that {champion.version} was trained on are left out"
    assert whole.notes[1] == f"96 complaints that {challenger.version} was trained on are left out"


def test_complaints_older_than_the_training_are_no_test_of_the_future(
    champion: Router, challenger: Router, rows: list[LabelledComplaint]
) -> None:
    seen = {champion.version: Seen.of(rows[:24]), challenger.version: Seen(frozenset(), "2024-06-30")}
    notes = compare(champion, challenger, rows[120:], seen=seen).notes
    assert notes == (f"24 complaints are no newer than what {challenger.version} was trained on: this is no test of the future",)


def test_a_complaint_of_the_last_day_that_was_trained_on_is_no_newer_whatever_its_hour(
    champion: Router, challenger: Router, rows: list[LabelledComplaint]
) -> None:
    """Labels of a desk have an hour, and `until` is a day: what nobody dated is not called old."""
    seen = {router.version: Seen(frozenset(), "2024-07-10") for router in (champion, challenger)}
    moments = ["2024-07-10T23:30:00+08:00", "2024-07-11T00:10:00+08:00", ""]
    some = [replace(row, received_at=moment) for row, moment in zip(rows[120:123], moments, strict=True)]
    notes = compare(champion, challenger, some, seen=seen).notes
    assert [note.split(" are no newer")[0] for note in notes] == ["1 complaints", "1 complaints"]


def test_a_model_that_keeps_no_record_of_its_training_is_named(found: Comparison) -> None:
    assert all("does not say what it was trained on" in note for note in found.notes)
    assert len(found.notes) == 2


def test_nothing_left_to_judge_by_decides_nothing(champion: Router, challenger: Router, rows: list[LabelledComplaint]) -> None:
    seen = {champion.version: Seen.of(rows), challenger.version: Seen.of(rows)}
    found = compare(champion, challenger, rows, seen=seen)
    assert found.verdict is Verdict.NOT_ENOUGH_DATA
    assert found.reasons == ("only 0 complaints that neither has seen; 100 are needed",)
    assert json.loads(json.dumps(found.to_dict()))["rows"] == 0
    assert "not-enough-data" in str(found)


def test_an_agency_that_was_reorganised_counts_as_its_successor(
    champion: Router, challenger: Router, more: Artifact, rows: list[LabelledComplaint]
) -> None:
    old = next(agency for agency in challenger.register.agencies if agency.id == "dlh")
    ended = replace(old, valid_until="2024-12-31", successor="dlh-baru")
    others = [agency for agency in challenger.register.agencies if agency.id != "dlh"]
    later = Router(more)
    later.register = replace(challenger.register, agencies=(*others, ended, Agency("dlh-baru", "Dinas Lingkungan Hidup baru")))
    renamed = [replace(row, agency="dlh-baru") if row.agency == "dlh" else row for row in rows[120:]]
    found = compare(champion, later, renamed, today="2025-06-01")
    assert {item.name for item in found.agencies} == {"dlh-baru", "dpupr", "dinsos", "disdukcapil"}
    assert found.overall.challenger == compare(champion, challenger, rows[120:]).overall.challenger


def test_the_table_and_the_object_say_the_same(found: Comparison) -> None:
    shown, plain = str(found), json.loads(json.dumps(found.to_dict()))
    assert f"{plain['better']} right that were wrong" in shown
    assert all(agency in shown for agency in plain["per_agency"])
    assert plain["verdict"] == "promote"
    assert plain["difference"] == pytest.approx(plain["accuracy"][1] - plain["accuracy"][0])


def test_the_table_shows_every_agency_larger_slices_and_the_first_changes_only(found: Comparison) -> None:
    slices = [Slice("month", f"2024-{rows}", Paired(rows, 0.0, 1.0, 1, 0, (0.0, 1.0), 0.5)) for rows in (19, 20)]
    agencies = [Slice("agency", "kecil", Paired(1, 0.0, 1.0, 1, 0, (0.0, 1.0), 0.5))]
    gained = [replace(found.gained[0], id=f"L-{n:02}", text=f"teks {n:02}") for n in range(21)]
    shown = str(replace(found, slices=slices, agencies=agencies, gained=gained, lost=gained[:20]))
    assert ("kecil" in shown, "month: 2024-20" in shown, "2024-19" in shown) == (True, True, False)
    assert "right only now: 21, the first 20\n" in shown
    assert "wrong only now: 20\n" in shown
    assert ("teks 19" in shown, "L-20" in shown) == (True, False)
    assert "words that moved most: " in shown


def test_what_the_ledger_and_whoever_reads_the_object_are_told(found: Comparison) -> None:
    before, after = found.automatic
    figures = {"verdict", "rows", "accuracy", "difference", "interval", "p_value", "coverage", "error"}
    assert found.summary.keys() == figures
    assert (found.summary["error"], found.summary["coverage"]) == ([before.error, after.error], [before.coverage, after.coverage])
    told = found.to_dict()
    lists = {"reasons", "warnings", "notes", "per_agency", "slices", "words", "gained", "lost"}
    assert told.keys() == figures | lists | {"champion", "challenger", "better", "worse", "target_error", "automatic"}
    assert [told["automatic"][name]["sent"] for name in ("champion", "challenger")] == [before.sent, after.sent]
    assert (len(told["gained"]), len(told["lost"])) == (found.overall.better, found.overall.worse)


def test_the_reason_for_the_ledger_stays_short(found: Comparison) -> None:
    many = replace(found, reasons=tuple(f"instansi-{n} loses" for n in range(40)))
    assert many.why.endswith("instansi-7 loses; and 32 more")
    assert replace(found, reasons=many.reasons[:8]).why.endswith("; instansi-7 loses")


def test_verdicts_of_an_audit_count_for_as_many_as_nobody_saw(
    champion: Router, challenger: Router, rows: list[LabelledComplaint]
) -> None:
    """Two of forty that changed may be chance; two of an audit of one in twenty stand for as many as the forty."""
    found = compare(challenger, champion, rows)
    changed = {change.id for change in (*found.lost, *found.gained)}
    lost = {change.id for change in found.lost[:2]}
    some = [row for row in rows if row.agency and row.id not in changed][:40] + [row for row in rows if row.id in lost]
    audited = [replace(row, blind=row.id in lost, audit_share=0.05) for row in some]
    plain, told = (compare(challenger, champion, given) for given in (some, audited))
    assert plain.overall == told.overall, "the verdicts are the same"
    assert not any("worse" in reason for reason in plain.reasons)
    assert any("worse of all that came" in reason for reason in told.reasons)


def test_a_model_that_would_send_nothing_is_held_beside_the_same_one_that_sends_and_not_the_other_way(
    more: Artifact, rows: list[LabelledComplaint]
) -> None:
    policies = ({**more.manifest["policy"], "overall": overall, "per_agency": {}} for overall in ([0.9, 100], [NEVER, 0]))
    sends, silent = (Router(replace(more, manifest={**more.manifest, "policy": policy})) for policy in policies)
    held = compare(sends, silent, rows[120:])
    assert held.verdict is Verdict.HOLD
    assert held.reasons[0].startswith("sends 0.0% of all by itself where the champion sends ")
    assert compare(silent, sends, rows[120:]).verdict is Verdict.PROMOTE
