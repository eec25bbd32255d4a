"""What a training is given: read, checked, and no complaint twice, wherever it comes from."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.complaint import Complaint
from model.faults import InvalidData
from model.labelled import LabelledComplaint, dump, load
from model.reader import Reader
from model.register import Agency, Register
from model.router import Router
from model.routing import Reason
from training import train
from training.config import TrainingConfig
from training.fitting.calibrate import fit_pipeline
from training.measures import figures
from training.reports import report
from training.rows import training_set
from training.rows.data import read
from training.rows.seen import FILE, Seen, digest
from training.rows.training_set import Examples, TrainingSet

TODAY = "2026-11-24"
OWN = LabelledComplaint(text="Sampah menumpuk di pasar induk sejak hari Senin, baunya sampai ke rumah warga", agency="dlh", id="1")


def test_other_regions_rows_that_repeat_an_own_one_are_dropped_and_counted(region: Path, tmp_path: Path) -> None:
    same = LabelledComplaint(text=OWN.text.upper() + "!", agency="dlh", id="a", source="elsewhere")
    near = LabelledComplaint(text=OWN.text.replace("Senin", "Selasa"), agency="dlh", id="b", source="elsewhere")
    unlike = LabelledComplaint(text="lampu jalan di simpang tiga mati", agency="dishub", id="c", source="elsewhere")
    dump([OWN], tmp_path / "own.jsonl")
    dump([same, near, unlike], tmp_path / "other.jsonl")
    given = training_set.load(Register.load(region), [tmp_path / "own.jsonl"], [tmp_path / "other.jsonl"], TODAY, allow_unseen=True)
    assert [row.id for row in given.own] == ["1"]
    assert [row.id for row in given.other] == ["c"]
    assert given.dropped == 2
    assert OWN not in Seen.of(given.other)


def test_what_nobody_labelled_is_counted_known_and_judges_nothing(
    plain_region: Path, tiny_config: TrainingConfig, tmp_path: Path
) -> None:
    rows, register = load(plain_region / "complaints.jsonl"), Register.load(plain_region)
    dump(rows[::2], tmp_path / "own.jsonl")
    texts = [row.text for row in rows if row.agency]
    (tmp_path / "laporan.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")

    def load_with(*unlabelled: Path) -> TrainingSet:
        return training_set.load(register, [tmp_path / "own.jsonl"], [], TODAY, unlabelled=unlabelled, allow_unseen=True)

    given, without = load_with(tmp_path / "laporan.jsonl"), load_with()
    known = Seen.of(given.own)
    assert given.unlabelled
    assert not any(row in known for row in given.unlabelled)
    assert given.dropped + len(given.unlabelled) == without.dropped + len(texts)
    assert given.digest != without.digest
    told: list[str] = []
    artifact, judged = train.train(register, given, tiny_config, f"{TODAY}T00:00:00+00:00", told.append)
    assert told[-1] == train.promised(artifact.manifest["metrics"]["auto"])
    assert len(told) == tiny_config.folds + train.STEPS
    alone, judged_alone = train.train(register, without, tiny_config, f"{TODAY}T00:00:00+00:00")
    assert artifact.manifest["data"]["unlabelled"] == len(given.unlabelled)
    assert artifact.manifest["data"]["per_agency"] == alone.manifest["data"]["per_agency"]
    assert judged.truth.tolist() == judged_alone.truth.tolist()
    assert judged.sureness.tolist() != judged_alone.sureness.tolist()
    assert set(artifact.vocabulary) > set(alone.vocabulary)
    assert f"{len(given.unlabelled)} of this region that nobody labelled" in report.card(
        artifact.manifest, report.of_training(artifact, judged)
    )
    assert {digest(row) for row in given.unlabelled} <= set(train.seen_file(given)[FILE].split())


def test_whoever_trains_is_told_what_a_version_would_send_by_itself() -> None:
    right = np.arange(100) >= 2
    some, none = (figures.automatic(np.full(100, sent), right, 0.05, 0.9) for sent in (True, False))
    assert train.promised(some) == "100.0% would go out by themselves, 2.0% of these wrong; promised at most 5%"
    assert train.promised(none).startswith("nothing would go out by itself")


def test_the_dates_of_what_nobody_labelled_say_nothing_of_what_was_known() -> None:
    later = replace(OWN, text="lain", received_at="2026-11-20")
    seen = Seen.of([replace(OWN, received_at="2026-01-02")], [later])
    assert later in seen
    assert seen.until == "2026-01-02"


def test_what_is_wrong_with_labelled_and_unlabelled_files_is_told_at_once(region: Path, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": 1}\n', encoding="utf-8")
    with pytest.raises(InvalidData) as told:
        training_set.load(
            Register.load(region), [tmp_path / "own.jsonl"], [], TODAY, unlabelled=[tmp_path / "a.jsonl", tmp_path / "b.xlsx"]
        )
    assert [Path(fault.file).name for fault in told.value.faults] == ["own.jsonl", "a.jsonl", "b.xlsx"]


def test_another_regions_examples_come_without_their_agencies_and_without_what_is_known(region: Path, tmp_path: Path) -> None:
    def load_with(examples: Path | None) -> TrainingSet:
        files = [tmp_path / "own.jsonl"]
        return training_set.load(Register.load(region), files, [], TODAY, examples, allow_unseen=True)

    rows = load(region / "complaints.jsonl")
    dump([replace(row, kind="", oversight=False, missing=()) for row in rows[::2]], tmp_path / "own.jsonl")
    given = load_with(region).examples
    assert given is not None
    assert given.register.digest == Register.load(region).digest
    assert {row.agency for row in given.rows} == {""}
    assert 0 < len(given.rows) <= len(rows[1::2])
    assert load_with(region).digest != load_with(None).digest
    dump(rows, tmp_path / "own.jsonl")
    assert load_with(region).examples is None
    assert load_with(region).digest == load_with(None).digest


def test_a_region_of_exports_learns_from_anothers_examples_what_no_export_tells(region: Path, tiny_config: TrainingConfig) -> None:
    rows, register = load(region / "complaints.jsonl"), Register.load(region)
    own = [replace(row, kind="", oversight=False, missing=()) for row in rows[::2] if row.agency]
    taught = [replace(row, agency="", unit="") for row in rows[1::2]]
    questions = [row.complaint for row in rows[::2] if row.kind == "permintaan-informasi"]

    def kinds(given: TrainingSet) -> list[str]:
        router = Router(train.train(register, given, tiny_config, f"{TODAY}T08:00:00+00:00")[0])
        return [router.route(question).kind for question in questions]

    assert set(kinds(TrainingSet(own))) == {""}
    told = kinds(TrainingSet(own, examples=Examples(taught, register)))
    assert told.count("permintaan-informasi") > len(told) / 2 > 5


def test_complaints_that_teach_who_is_responsible_teach_what_no_export_tells_too(
    region: Path, tiny_config: TrainingConfig, tmp_path: Path
) -> None:
    """A region that begins with another's complaints gives the same ones to --transfer and to --aspects-from."""
    rows, register = load(region / "complaints.jsonl"), Register.load(region)
    routed = [row for row in rows if row.agency]
    dump([replace(row, kind="", source="") for row in routed[:12]], tmp_path / "own.jsonl")
    dump([replace(row, source="elsewhere") for row in routed], tmp_path / "others.jsonl")
    files = [tmp_path / "own.jsonl"], [tmp_path / "others.jsonl"]
    given = training_set.load(register, *files, TODAY, region, allow_unseen=True)
    assert given.examples is not None
    assert len(given.examples.rows) > len(routed) / 2
    router = Router(train.train(register, given, tiny_config, f"{TODAY}T08:00:00+00:00")[0])
    assert "permintaan-informasi" not in router.manifest["figures"]["aspects"]["left_out"]


def test_an_example_is_answered_by_a_model_that_did_not_learn_from_it(region: Path, tiny_config: TrainingConfig) -> None:
    """Its own label would make the model sure of it, as it is of no complaint that comes in later."""
    register = Register.load(region)
    reader = Reader(register)
    routed = [row for row in load(region / "complaints.jsonl") if row.agency and not register.by_id[row.agency].per]
    other, new = routed[::2], replace(routed[1], agency="")
    taught = read(other, reader, np.ones(len(other)), elsewhere=True)
    examples = [(row, reader.read(row.complaint)) for row in (*other, new)]
    fitted = fit_pipeline(tiny_config, taught, reader)
    none = taught.take(np.arange(0))
    said = train.unseen_answers(fitted, examples, none, taught, lambda data: fit_pipeline(tiny_config, data, reader))
    before = fitted.predict_proba([reading.matter for _, reading in examples])
    right = [(n, int(np.searchsorted(fitted.classes_, row.agency))) for n, row in enumerate(other)]
    assert np.mean([said[place] < before[place] for place in right]) > 0.8
    assert np.array_equal(said[-1], before[-1]), "what nobody learnt from is answered by the whole model"
    assert np.allclose(said.sum(axis=1), 1)


def test_no_number_and_no_name_that_came_in_complaints_stands_in_a_version(
    plain_region: Path, tiny_config: TrainingConfig, tmp_path: Path
) -> None:
    told = "nama saya Zulqarnain, hp 0877 6655 4433, Jl. Melati"
    people = [OWN, replace(OWN, id="2", text=f"{told}, sampah tidak diangkut"), replace(OWN, id="3", text=f"parit mampet. {told}")]
    alone = replace(OWN, id="4", text="Qomarudzaman bilang sampah di Jl. Melati dibakar", title="Qomarudzaman lagi")
    flood = [replace(OWN, id=f"f{n}", text=f"parit di depan rumah Nurhaq mampet sejak hujan deras sore, Gg {n}") for n in range(5)]
    dump([*people, alone, *flood], tmp_path / "own.jsonl")
    given = training_set.load(Register.load(plain_region), [plain_region / "complaints.jsonl", tmp_path / "own.jsonl"], [], TODAY)
    artifact = train.train(Register.load(plain_region), given, tiny_config, f"{TODAY}T00:00:00+00:00")[0]
    known = {word for name in artifact.vocabulary if name.startswith("s") for word in name[1:].split()}
    assert "melati" in known
    assert known.isdisjoint(("zulqarnain", "0877", "6655", "4433", "qomarudzaman", "nurhaq"))


def test_what_officers_called_no_complaint_waits_for_a_person_at_the_next_model(
    region: Path, tiny_config: TrainingConfig, router: Router
) -> None:
    drill = "Gladi resik petugas piket: lampu jalan padam di pos tiga, skenario"
    verdicts = [LabelledComplaint(text=f"{drill} {number}", expect="review") for number in range(40)]
    taught = TrainingSet([*load(region / "complaints.jsonl"), *verdicts])
    after = Router(train.train(Register.load(region), taught, tiny_config, f"{TODAY}T08:00:00+00:00")[0])
    assert Reason.NOT_A_COMPLAINT not in router.route(Complaint(text=f"{drill} 77")).reasons
    assert Reason.NOT_A_COMPLAINT in after.route(Complaint(text=f"{drill} 77")).reasons


def test_what_a_crosswalk_marks_for_training_only_makes_no_figure_and_no_promise(
    plain_region: Path, tiny_config: TrainingConfig
) -> None:
    rows = [row for row in load(plain_region / "complaints.jsonl") if row.agency]
    marked = [replace(row, use="train") if number % 2 else row for number, row in enumerate(rows)]
    artifact, judged = train.train(Register.load(plain_region), TrainingSet(marked), tiny_config, f"{TODAY}T00:00:00+00:00")
    plain = [row.agency for row in marked if not row.use]
    assert artifact.manifest["metrics"]["rows"] == len(plain)
    assert sorted(judged.truth.tolist()) == sorted(plain)
    assert artifact.manifest["data"]["own"] == len(rows)


def test_a_flood_of_one_matter_is_one_case_of_the_promise(tiny_config: TrainingConfig) -> None:
    others = [OWN, *(replace(OWN, text=f"parit {word} meluap", agency="dpupr") for word in ("gang", "pasar", "sekolah", "desa"))]
    flood = [replace(OWN, text=f"{OWN.text}, pelapor nomor {n}", id=f"n{n}") for n in range(40)]
    rows = [*others[1:], *flood]
    folds = train.folds_of(rows, tiny_config)
    tested = [rows[number] for fold in folds for number in fold.test]
    assert [row.id for row in tested if row.agency == "dlh"] == ["n39"]
    assert sum(row.agency == "dpupr" for row in tested) == 4
    assert sum(len(fold.train) for fold in folds) == (len(folds) - 1) * len(rows), "all of them teach"


def test_a_register_with_a_single_agency_is_refused_in_one_line() -> None:
    rows = [LabelledComplaint(text=f"sampah nomor {number} menumpuk", agency="dlh") for number in range(20)]
    with pytest.raises(InvalidData, match=r"^data: .* one agency alone \(dlh\): it takes two"):
        train.train(Register((Agency("dlh", "Dinas Lingkungan Hidup"),)), TrainingSet(rows), TrainingConfig(folds=2), TODAY)


def test_a_first_part_of_the_past_with_a_single_agency_is_refused_in_one_line(region: Path) -> None:
    rows = [
        LabelledComplaint(
            text=f"sampah atau lampu nomor {day}", agency="dlh" if day < 20 else "dishub", received_at=f"2026-05-{day:02d}"
        )
        for day in range(1, 31)
    ]
    with pytest.raises(InvalidData, match=r"the earliest part of it, is of one agency alone \(dlh\)"):
        train.train(Register.load(region), TrainingSet(rows), TrainingConfig(folds=2, matters_weight=0.0), TODAY)
