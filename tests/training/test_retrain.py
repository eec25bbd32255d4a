"""From verdicts to a better model: what is compared is what goes live, and nothing happens where nothing changed."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from model.labelled import LabelledComplaint, load
from model.register import Register
from model.registry import Registry
from training import retrain, train
from training.config import TrainingConfig
from training.seen import Seen

AT = "2026-11-24T08:00:00+00:00"


def given(region: Path, extra: list[LabelledComplaint]) -> train.Sources:
    sources = train.load(Register.load(region), [region / "complaints.jsonl"], [], AT[:10])
    return replace(sources, own=[*sources.own, *extra])


def run(
    registry: Registry, region: Path, sources: train.Sources, config: TrainingConfig, promote: bool = True
) -> retrain.Retrained:
    register = Register.load(region)
    return retrain.retrain(registry, register, sources, config, test=0.5, at=AT, who="test", why="test", promote=promote)


@pytest.fixture(scope="module")
def begun(region: Path, tiny_config: TrainingConfig, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A registry that was empty when it was first trained for, and the version that this gave."""
    folder = tmp_path_factory.mktemp("begun")
    return folder, run(Registry(folder), region, given(region, []), tiny_config).version


@pytest.fixture
def first(begun: tuple[Path, str], tmp_path: Path) -> tuple[Registry, str]:
    """A copy of that registry, and its version."""
    return Registry(Path(shutil.copytree(begun[0], tmp_path / "models"))), begun[1]


def test_the_first_model_goes_live_and_the_same_data_again_does_nothing(
    region: Path, tiny_config: TrainingConfig, first: tuple[Registry, str]
) -> None:
    registry, version = first
    assert registry.current() == version
    again = run(registry, region, given(region, []), tiny_config)
    assert again.version == ""
    assert "nothing changed" in str(again)
    assert list(registry.versions()) == [version]


def test_a_handful_of_new_verdicts_is_not_enough_to_promote(
    region: Path, tiny_config: TrainingConfig, first: tuple[Registry, str]
) -> None:
    registry, version = first
    new = [LabelledComplaint(text=f"tiang listrik nomor {n} di simpang pasar condong", agency="pln", id=f"n{n}") for n in range(6)]
    done = run(registry, region, given(region, new), tiny_config)
    assert done.version
    assert registry.current() == version
    assert done.comparison is not None
    assert done.comparison.summary["verdict"] == "not-enough-data"


def test_what_other_regions_taught_the_new_model_does_not_judge_it(
    region: Path, tiny_config: TrainingConfig, first: tuple[Registry, str]
) -> None:
    new = [LabelledComplaint(text=f"tiang listrik nomor {n} di simpang pasar condong", agency="pln", id=f"n{n}") for n in range(6)]
    sources = replace(given(region, new), other=[replace(new[-1], source="elsewhere")])
    done = run(first[0], region, sources, tiny_config)
    assert done.comparison is not None
    assert done.comparison.overall.rows == 2


def test_what_judges_was_seen_by_neither_model(region: Path) -> None:
    old = load(region / "complaints.jsonl")
    new = [
        LabelledComplaint(text=f"aduan baru nomor {n}", agency="dlh", id=f"n{n}", received_at=f"2026-10-{n:02d}")
        for n in range(1, 21)
    ]
    taught, judges = retrain.hold_out([*old, *new], Seen.of(old), 0.25)
    assert [row.id for row in judges] == ["n16", "n17", "n18", "n19", "n20"]
    assert not {row.id for row in taught} & {row.id for row in judges}
    assert len(taught) + len(judges) == len(old) + len(new)


@pytest.mark.parametrize("field", ["config", "register", "stemmer"])
def test_any_change_of_what_went_in_is_a_change(region: Path, tiny_config: TrainingConfig, field: str) -> None:
    register, sources = Register.load(region), given(region, [])
    manifest = {
        "data": {"given": sources.digest},
        "register": register.digest,
        "config": tiny_config.to_dict(),
        "stemmer": train.stemmer_digest(register),
    }
    assert retrain.unchanged(manifest, register, sources, tiny_config)
    assert not retrain.unchanged(manifest | {field: "other"}, register, sources, tiny_config)
