"""Labels that are probably wrong: found among the first, with neighbours to judge by, and nothing that names a citizen."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.faults import InvalidData
from model.labelled import LabelledComplaint, load, read_jsonl
from model.reader import Reader
from model.register import Agency, Register
from training.config import TrainingConfig
from training.rows import dataset, seen
from training.watching import suspects
from training.watching.suspects import Suspects

REGION = Path("data/kutai-timur")
AGENCIES = ("dlh", "dpupr", "dinsos", "disdukcapil", "dinkes")
CONFIG = TrainingConfig(folds=3, matters_weight=0.5)


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(Register.load(REGION))


@pytest.fixture(scope="module")
def rows() -> list[LabelledComplaint]:
    """Eighty complaints of each of five agencies, and two of a sixth."""
    taken: dict[str, list[LabelledComplaint]] = defaultdict(list)
    for row in load(REGION / "complaints.jsonl"):
        if len(taken[row.agency]) < {"ojk": 2}.get(row.agency, 80 if row.agency in AGENCIES else 0):
            taken[row.agency].append(row)
    return dataset.deduplicate([row for agency in (*AGENCIES, "ojk") for row in taken[agency]]).kept


@pytest.fixture(scope="module")
def flipped(rows: list[LabelledComplaint]) -> tuple[list[LabelledComplaint], set[str]]:
    """The rows with twenty labels changed at random, and the ids of those."""
    rng = np.random.default_rng(0)
    noisy = list(rows)
    chosen = [int(n) for n in rng.choice([n for n, row in enumerate(rows) if row.agency != "ojk"], 20, replace=False)]
    for number in chosen:
        noisy[number] = replace(rows[number], agency=str(rng.choice([a for a in AGENCIES if a != rows[number].agency])))
    return noisy, {rows[number].id for number in chosen}


@pytest.fixture(scope="module")
def found(flipped: tuple[list[LabelledComplaint], set[str]], reader: Reader) -> Suspects:
    return suspects.find(flipped[0], reader, CONFIG)


def test_most_flipped_labels_stand_among_the_first_with_the_right_one(
    found: Suspects, flipped: tuple[list[LabelledComplaint], set[str]], rows: list[LabelledComplaint]
) -> None:
    right = {row.id: row.agency for row in rows}
    hits = [suspect for suspect in found.suspects[:20] if suspect.id in flipped[1]]
    assert len(hits) >= 14
    assert sum(suspect.likely == right[suspect.id] for suspect in hits) >= 0.8 * len(hits)


def test_the_worst_come_first_and_no_label_is_likelier_than_the_likely_one(found: Suspects) -> None:
    scores = [suspect.score for suspect in found.suspects]
    assert scores == sorted(scores)
    assert all(suspect.given != suspect.likely for suspect in found.suspects[:20])
    assert all(suspect.score <= suspect.likely_probability <= 1 for suspect in found.suspects)


def test_the_same_data_gives_the_same_suspects_and_those_that_are_not_listed_are_counted_all_the_same(
    found: Suspects, flipped: tuple[list[LabelledComplaint], set[str]], reader: Reader
) -> None:
    few = suspects.find(flipped[0], reader, CONFIG, most=2)
    count = len(found.suspects)
    assert list(few.suspects) == list(found.suspects[:2])
    assert (few.found, few.to_dict()["found"], len(few.suspects)) == (count, count, 2)
    assert str(few).startswith(f"{count} of {found.rows} labels are doubted; the worst 2 are listed, for the further down")
    assert str(found).startswith(f"{count} of {found.rows} labels are doubted; the worst first, for the further down")


def test_neighbours_are_other_complaints_nearest_first(
    found: Suspects, flipped: tuple[list[LabelledComplaint], set[str]], reader: Reader
) -> None:
    labels = {row.id: row.agency for row in flipped[0]}
    for suspect in found.suspects:
        cosines = [near.similarity for near in suspect.neighbours]
        assert cosines == sorted(cosines, reverse=True)
        assert suspect.id not in [near.id for near in suspect.neighbours]
        assert all(near.agency == labels[near.id] for near in suspect.neighbours)


def test_an_agency_with_fewer_rows_than_folds_is_starved_and_not_suspected(found: Suspects) -> None:
    assert "ojk" not in {suspect.given for suspect in found.suspects}
    assert found.starved["ojk"] == 2
    assert found.starved["bpbd"] == 0
    assert not set(AGENCIES) & found.starved.keys()
    assert list(found.starved.values()) == sorted(found.starved.values())


def test_an_agency_that_ended_is_not_called_starved(rows: list[LabelledComplaint]) -> None:
    ended = Agency("dinas-lama", "Dinas Lama", valid_until="2024-12-31")
    register = Register((*(Agency(agency, agency) for agency in ("dlh", "dpupr", "dinsos")), ended))
    found = suspects.find([*rows[:30], *rows[80:110]], Reader(register), CONFIG)
    assert found.starved == {"dinsos": 0}


def test_the_same_text_under_two_agencies_is_told(rows: list[LabelledComplaint], reader: Reader) -> None:
    twice = [*rows[:30], *rows[80:110], replace(rows[0], id="kembar", agency="dpupr", received_at="2024-05-01")]
    found = suspects.find(twice, reader, CONFIG)
    assert [conflict.ids for conflict in found.conflicts] == [(rows[0].id, "kembar")]
    assert found.rows == 60


def test_the_queue_holds_no_text_of_a_complaint(found: Suspects, rows: list[LabelledComplaint], tmp_path: Path) -> None:
    path = tmp_path / "suspects.jsonl"
    assert found.write(path) == len(found.suspects)
    queue = [row for _, row in read_jsonl(path, [])]
    by_id = {row.id: row for row in rows}
    assert [row["id"] for row in queue] == [suspect.id for suspect in found.suspects]
    assert all(row["digest"] == seen.digest(by_id[row["id"]]) for row in queue)
    assert set(queue[0]) == {"id", "digest", "given", "likely", "score", "likely_probability", "neighbours"}
    written = path.read_text(encoding="utf-8")
    assert not any(row.text[:40] in written for row in rows)
    assert [file.name for file in tmp_path.iterdir()] == ["suspects.jsonl"]


def test_labels_that_are_all_right_give_few_suspects(reader: Reader) -> None:
    words = {
        "dlh": "sampah bau sungai limbah tps",
        "dpupr": "jalan aspal berlubang jembatan drainase",
        "dinkes": "puskesmas obat dokter imunisasi bidan",
    }
    rng = np.random.default_rng(0)
    rows = [
        LabelledComplaint(" ".join(rng.permutation(text.split())[:4]) + f" nomor{n}", agency, id=f"{agency}{n}")
        for agency, text in words.items()
        for n in range(20)
    ]
    assert not suspects.find(rows, reader, CONFIG).suspects


@pytest.mark.parametrize("agencies", [("dlh",), ("dlh", "dpupr")])
def test_too_few_labels_are_refused_in_one_line(agencies: Sequence[str], rows: list[LabelledComplaint], reader: Reader) -> None:
    few = [row for agency in agencies for row in [row for row in rows if row.agency == agency][:2]]
    with pytest.raises(InvalidData, match=r"^data: fewer than two agencies have 3 complaints"):
        suspects.find(few, reader, CONFIG)


def test_the_table_and_the_object_say_the_same(found: Suspects) -> None:
    plain = json.loads(json.dumps(found.to_dict()))
    assert len(plain["suspects"]) == len(found.suspects)
    assert found.suspects[0].id in str(found)
    assert f"{len(found.starved)} agencies have fewer than" in str(found)
    assert Counter(suspect["given"] for suspect in plain["suspects"]).total() == len(found.suspects)
