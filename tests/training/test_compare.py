"""Champion and challenger on the same rows: the figures, the gate, and what changed."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from model import artifact as artifacts
from model.artifact import Artifact
from model.faults import InvalidData
from model.labelled import LabelledComplaint, load
from model.ledger import Verdict
from model.policy import NEVER
from model.register import Agency, Register
from model.router import Router
from training import train
from training.compare import Automatic, Comparison, Paired, Slice, beyond_chance, compare, judge, moved_words, pair
from training.config import TrainingConfig
from training.language import COLLOQUIAL, ENGLISH, REGIONAL, STANDARD, leaning
from training.seen import Seen

REGION = Path("data/kutai-timur")
AGENCIES = ("dlh", "dpupr", "dinsos", "disdukcapil")
CONFIG = TrainingConfig(folds=2, target_error=0.2, delta=0.2, matters_weight=0.0)
NONE_SENT = Automatic(0, 0, 0.0, 0.0, (0.0, 1.0), 0)


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
    return train.train(Register.load(REGION), train.Sources(rows), CONFIG, created)[0]


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
    slices = [Slice("month", f"2024-{rows}", paired(rows, 1, 0)) for rows in (19, 20)]
    agencies = [Slice("agency", "kecil", paired(1, 1, 0))]
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


def test_the_interval_holds_the_true_difference_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(300):
        drawn = rng.choice(3, size=400, p=[0.08, 0.05, 0.87])
        low, high = pair(drawn != 0, drawn != 1, rng).interval
        held += low <= 0.03 <= high
    assert 0.91 <= held / 300 <= 0.98


def test_mcnemar_is_the_exact_binomial_test_of_what_changed() -> None:
    before = np.array([True] * 50 + [False] * 9 + [True] * 2)
    after = np.array([True] * 50 + [True] * 9 + [False] * 2)
    found = pair(before, after, np.random.default_rng(0))
    assert (found.better, found.worse) == (9, 2)
    assert found.p_value == pytest.approx(binomtest(9, 11).pvalue)


def paired(rows: int, better: int, worse: int, interval: tuple[float, float] = (-0.02, 0.02)) -> Paired:
    return Paired(rows, 0.8, 0.8 + (better - worse) / rows, better, worse, interval, 0.5)


def test_worse_beyond_the_interval_is_held() -> None:
    verdict, reasons, _ = judge(paired(1000, 10, 50, (-0.05, -0.03)), [], (NONE_SENT, NONE_SENT), 0.05, 0.9)
    assert verdict is Verdict.HOLD
    assert reasons == ("worse over all: -4.0% [-5.0%, -3.0%]",)


def judged_by(*agencies: Paired) -> tuple[Verdict, tuple[str, ...], tuple[str, ...]]:
    slices = [Slice("agency", f"instansi-{number}", one) for number, one in enumerate(agencies)]
    return judge(paired(1000, 30, 20), slices, (NONE_SENT, NONE_SENT), 0.05, 0.9)


@pytest.mark.parametrize(
    ("rows", "better", "worse", "verdict"),
    [
        (60, 0, 9, Verdict.HOLD),
        (29, 0, 9, Verdict.PROMOTE),  # too few rows to be looked at
        (400, 0, 20, Verdict.PROMOTE),  # exactly five points
        (400, 0, 21, Verdict.HOLD),
        (30, 0, 2, Verdict.PROMOTE),  # 6.7 points, and a coin falls so one time in four
        (60, 8, 12, Verdict.PROMOTE),  # 6.7 points of much that changed
    ],
)
def test_an_agency_that_loses_more_than_five_points_is_held_where_chance_does_not_explain_it(
    rows: int, better: int, worse: int, verdict: Verdict
) -> None:
    found, reasons, _ = judged_by(paired(rows, better, worse))
    assert found is verdict
    assert any("instansi-0 loses" in reason and reason.endswith("beyond chance") for reason in reasons) is (verdict is Verdict.HOLD)


def test_a_loss_that_chance_explains_is_a_warning_and_told_among_the_reasons() -> None:
    verdict, reasons, warnings = judged_by(paired(30, 0, 2), paired(100, 5, 5))
    assert verdict is Verdict.PROMOTE
    assert warnings == ("instansi-0 loses 6.7% of 30, which chance explains",)
    assert reasons[1].startswith(
        "none of 2 agencies with 30 complaints or more loses more than 5% beyond chance; 1 within it: inst"
    )
    assert judged_by(paired(30, 0, 2), paired(60, 0, 12))[2] == warnings  # also where another agency's loss is held


def test_many_agencies_need_a_clearer_loss_than_one_and_those_that_hardly_changed_do_not_count() -> None:
    lost = paired(60, 0, 5)
    assert beyond_chance([lost]) == [True]
    assert beyond_chance([lost, *[paired(60, 4, 4)] * 11])[0] is False
    assert beyond_chance([lost, *[paired(60, 1, 1)] * 11])[0] is True
    assert beyond_chance([lost, *[paired(60, 2, 2)] * 11])[0] is True, "nor those whose worst could not be told among so many"


def test_holms_correction_steps_down_and_stops_at_the_first_that_fails() -> None:
    assert beyond_chance([paired(90, 0, 12), paired(90, 2, 9), paired(90, 10, 9)], 0.05) == [True, False, False]
    assert beyond_chance([paired(90, 0, 12), paired(90, 2, 12), paired(90, 10, 9)], 0.05) == [True, True, False]
    assert beyond_chance([paired(90, 0, 4), paired(90, 2, 6), paired(90, 3, 7)], 0.2) == [True, False, False]
    assert beyond_chance([]) == []


def test_an_equal_challenger_is_seldom_held_and_a_lasting_loss_is_mostly_found() -> None:
    rng = np.random.default_rng(0)
    sizes = [300, 160, 100, 80, 60, 60, 50, 40, 35, 30, 30, 30]
    held = found = 0
    for _ in range(300):
        equal = [paired(rows, *rng.multinomial(rows, [0.05, 0.05, 0.9])[:2].tolist()) for rows in sizes]
        lost = paired(60, *rng.multinomial(60, [0.02, 0.17, 0.81])[:2].tolist())
        held += judged_by(*equal)[0] is Verdict.HOLD
        found += judged_by(*equal, lost)[0] is Verdict.HOLD
    assert held / 300 < 0.15
    assert found / 300 > 0.6


@pytest.mark.parametrize(
    ("wrong", "verdict"), [(10, Verdict.PROMOTE), (14, Verdict.PROMOTE), (15, Verdict.HOLD), (0, Verdict.PROMOTE)]
)
def test_a_broken_promise_is_held_where_chance_hardly_explains_it(wrong: int, verdict: Verdict) -> None:
    after = Automatic(200, wrong, 0.2, wrong / 200, (0.0, 1.0), 200)
    assert judge(paired(1000, 30, 20), [], (NONE_SENT, after), 0.05, 0.9)[0] is verdict


def sending(sent: int, wrong: int, cases: int | None = None) -> Automatic:
    """What was sent of a thousand complaints."""
    return Automatic(sent, wrong, sent / 1000, wrong / sent, (0.0, 1.0), sent if cases is None else cases)


def test_what_the_audit_tells_of_all_that_came_weighs_against_what_the_verdicts_tell() -> None:
    overall = paired(420, 20, 4, (0.01, 0.06))
    assert judge(overall, [], (sending(40, 0), sending(40, 0)), 0.05, 0.9, (0.0, 0.0), (0.02, 0.05))[0] is Verdict.PROMOTE
    verdict, reasons, _ = judge(overall, [], (sending(40, 0), sending(40, 0)), 0.05, 0.9, (0.0, 0.0), (-0.075, -0.02))
    assert verdict is Verdict.HOLD
    assert "worse of all that came" in reasons[0]
    by_chance = judge(overall, [], (sending(40, 0), sending(40, 0)), 0.05, 0.9, (0.0, 0.0), (-0.02, 0.01))
    assert by_chance[0] is Verdict.PROMOTE, "a loss that chance would explain"


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


def test_who_sends_much_less_than_a_champion_that_keeps_its_promise_is_held() -> None:
    before, after = sending(400, 8), sending(100, 2)
    verdict, reasons, _ = judge(paired(1000, 30, 20), [], (before, after), 0.05, 0.9, (-0.3, -0.27))
    assert (verdict, reasons) == (Verdict.HOLD, ("sends 10.0% of all by itself where the champion sends 40.0%",))
    within_chance = judge(paired(1000, 30, 20), [], (before, after), 0.05, 0.9, (-0.06, 0.01))
    a_little = judge(paired(1000, 30, 20), [], (before, after), 0.05, 0.9, (-0.05, -0.02))
    from_too_much = judge(paired(1000, 30, 20), [], (sending(400, 60), after), 0.05, 0.9, (-0.3, -0.27))
    assert {found[0] for found in (within_chance, a_little, from_too_much)} == {Verdict.PROMOTE}


def test_a_model_that_would_send_nothing_is_held_beside_the_same_one_that_sends_and_not_the_other_way(
    more: Artifact, rows: list[LabelledComplaint]
) -> None:
    policies = ({**more.manifest["policy"], "overall": overall, "per_agency": {}} for overall in ([0.9, 100], [NEVER, 0]))
    sends, silent = (Router(replace(more, manifest={**more.manifest, "policy": policy})) for policy in policies)
    held = compare(sends, silent, rows[120:])
    assert held.verdict is Verdict.HOLD
    assert held.reasons[0].startswith("sends 0.0% of all by itself where the champion sends ")
    assert compare(silent, sends, rows[120:]).verdict is Verdict.PROMOTE


def test_a_promise_that_the_champion_breaks_more_does_not_keep_it_live() -> None:
    verdict, reasons, warnings = judge(paired(1000, 80, 20), [], (sending(400, 48), sending(400, 28)), 0.05, 0.9)
    assert verdict is Verdict.PROMOTE
    assert reasons[-1] == "28 of 400 sent by itself are wrong: too many, but no more than the champion's"
    assert warnings == ("the promise of 5.0% is broken: 28 of 400 sent by itself are wrong (7.0%, champion 12.0%)",)
    assert judge(paired(1000, 80, 20), [], (sending(400, 28), sending(400, 28)), 0.05, 0.9)[0] is Verdict.PROMOTE
    for kept_or_broken_less in (20, 27):
        automatic = (sending(400, kept_or_broken_less), sending(400, 28))
        assert judge(paired(1000, 80, 20), [], automatic, 0.05, 0.9)[0] is Verdict.HOLD
    too_few_to_tell = judge(paired(1000, 80, 20), [], (sending(10, 1), sending(400, 28)), 0.05, 0.9)
    assert too_few_to_tell[0] is Verdict.HOLD, "one of ten wrong breaks no promise"


def test_few_audited_complaints_that_stand_for_many_break_no_promise_by_chance() -> None:
    assert sending(50, 7).breaks(0.05, 0.9)
    assert not sending(50, 7, cases=8).breaks(0.05, 0.9)


def test_few_rows_and_wide_intervals_decide_nothing() -> None:
    assert judge(paired(99, 1, 1), [], (NONE_SENT, NONE_SENT), 0.05, 0.9)[0] is Verdict.NOT_ENOUGH_DATA
    assert judge(paired(100, 1, 1, (-0.05, 0.05)), [], (NONE_SENT, NONE_SENT), 0.05, 0.9)[0] is Verdict.PROMOTE
    wide = judge(paired(200, 20, 20, (-0.06, 0.06)), [], (NONE_SENT, NONE_SENT), 0.05, 0.9)
    assert wide[0] is Verdict.NOT_ENOUGH_DATA
    assert "uncertain" in wide[1][0]
    assert judge(paired(200, 20, 8, (0.0, 0.12)), [], (NONE_SENT, NONE_SENT), 0.05, 0.9)[0] is Verdict.NOT_ENOUGH_DATA
    assert judge(paired(200, 40, 10, (0.08, 0.22)), [], (NONE_SENT, NONE_SENT), 0.05, 0.9)[0] is Verdict.PROMOTE


def test_what_a_version_was_trained_on_is_kept_beside_it(tmp_path: Path, rows: list[LabelledComplaint], little: Artifact) -> None:
    artifacts.save(tmp_path / "v1", little, train.seen_file(train.Sources(rows[:24])))
    seen = Seen.load(tmp_path / "v1")
    assert seen is not None
    assert seen.until == "2024-01-10"
    assert all(row in seen for row in rows[:24])
    assert not any(row in seen for row in rows[24:])
    shouted = replace(rows[0], id="lain", text=rows[0].text.upper() + " !!")
    assert shouted in seen
    assert not any(word in seen.to_text() for word in rows[0].text.split() if len(word) > 5)


def test_a_version_without_the_record_has_seen_who_knows_what(tmp_path: Path) -> None:
    assert Seen.load(tmp_path) is None
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "seen.txt").write_text("", encoding="utf-8")
    with pytest.raises(InvalidData, match="not a list of digests"):
        Seen.load(tmp_path)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Jalan di depan sekolah rusak parah dan belum diperbaiki", STANDARD),
        ("gmn nih lampu jalan mati udah lama bgt", COLLOQUIAL),
        ("kulo nyuwun tulung, dalan ngarep omah wis suwe ora didandani", REGIONAL),
        ("please fix the street light near our school", ENGLISH),
        ("", STANDARD),
    ],
)
def test_the_language_that_a_text_leans_to(text: str, language: str) -> None:
    assert leaning(text) == language
