"""From verdicts to a better model: what is compared is what goes live, and nothing happens where nothing changed."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from model import artifact as artifacts
from model.labelled import LabelledComplaint, load
from model.ledger import Verdict
from model.register import Register
from model.registry import NeedsReason, Registry
from training import retrain, train
from training.config import TrainingConfig
from training.judging import compare, gate
from training.rows import training_set
from training.rows.seen import Seen
from training.rows.training_set import TrainingSet

pytestmark = pytest.mark.usefixtures("undrawn")
AT, NEXT_NIGHT = "2026-11-24T08:00:00+00:00", "2026-11-25T02:00:00+00:00"


def given(region: Path, extra: list[LabelledComplaint]) -> TrainingSet:
    taught = training_set.load(Register.load(region), [region / "complaints.jsonl"], [], AT[:10])
    return replace(taught, own=[*taught.own, *extra])


def run(
    registry: Registry, region: Path, taught: TrainingSet, config: TrainingConfig, promote: bool = True, at: str = AT
) -> retrain.Retrained:
    register = Register.load(region)
    return retrain.retrain(registry, register, taught, config, test=0.5, at=at, who="test", why="test", promote=promote)


@pytest.fixture(scope="module")
def begun(plain_region: Path, tiny_config: TrainingConfig, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A registry that was empty when it was first trained for, and the version that this gave."""
    folder = tmp_path_factory.mktemp("begun")
    return folder, run(Registry(folder), plain_region, given(plain_region, []), tiny_config).version


@pytest.fixture
def first(begun: tuple[Path, str], tmp_path: Path) -> tuple[Registry, str]:
    """A copy of that registry, and its version."""
    return Registry(Path(shutil.copytree(begun[0], tmp_path / "models"))), begun[1]


def test_the_first_model_goes_live_and_the_same_data_again_does_nothing(
    plain_region: Path, tiny_config: TrainingConfig, first: tuple[Registry, str]
) -> None:
    registry, version = first
    assert registry.current() == version
    again = run(registry, plain_region, given(plain_region, []), tiny_config)
    assert again.version == ""
    assert "nothing changed" in str(again)
    assert list(registry.versions()) == [version]


class Trains(Exception):
    """The training begins; what is told or decided before it was."""


def _trains(*_: object) -> None:
    raise Trains


def poles(count: int) -> list[LabelledComplaint]:
    """Complaints that came after the first training."""
    return [
        LabelledComplaint(text=f"tiang listrik nomor {n} di simpang pasar condong", agency="pln", id=f"n{n}") for n in range(count)
    ]


def test_a_handful_of_new_verdicts_is_not_enough_to_promote_and_is_not_trained_on_again(
    plain_region: Path, tiny_config: TrainingConfig, first: tuple[Registry, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    registry, version = first
    done = run(registry, plain_region, given(plain_region, poles(6)), tiny_config)
    assert done.version
    assert registry.current() == version
    assert done.comparison is not None
    assert done.comparison.summary["verdict"] == "not-enough-data"
    assert f"missing: some {2 * (gate.MIN_ROWS - 3)} complaints that {version} has not seen" in str(done)
    before = list(registry.versions()), registry.history()
    again = run(registry, plain_region, given(plain_region, poles(6)), tiny_config, at=NEXT_NIGHT)
    assert (again.version, again.same, again.live) == ("", done.version, version)
    assert f"nothing changed since {done.version}: nothing to do (compared with {version}: not-enough-data" in str(again)
    assert (list(registry.versions()), registry.history()) == before
    (registry.folder / "ledger.jsonl").write_text("", encoding="utf-8")
    monkeypatch.setattr(train, "train", _trains)
    with pytest.raises(Trains):
        run(registry, plain_region, given(plain_region, poles(6)), tiny_config, at=NEXT_NIGHT)


def test_what_came_out_better_goes_live_later_without_being_trained_again_unless_it_was_taken_back(
    plain_region: Path, tiny_config: TrainingConfig, first: tuple[Registry, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    registry, version = first
    fresh = [LabelledComplaint(f"lampu jalan gang {number} padam", "dishub", id=f"v-{number}") for number in range(8)]
    better = {"verdict": Verdict.PROMOTE, "rows": 200}
    monkeypatch.setattr(compare.Comparison, "summary", property(lambda _: better))
    asked = run(registry, plain_region, given(plain_region, fresh), tiny_config, promote=False)
    assert registry.current() == version
    later = run(registry, plain_region, given(plain_region, fresh), tiny_config, at=NEXT_NIGHT)
    assert (later.version, later.same, registry.current()) == ("", asked.version, asked.version)
    assert "better" in str(later)
    registry.rollback(why="test", who="test", at=NEXT_NIGHT)
    again = run(registry, plain_region, given(plain_region, fresh), tiny_config, at=NEXT_NIGHT)
    assert (again.version, registry.current()) == ("", version)
    assert len(registry.versions()) == 2


def test_where_the_live_version_cannot_be_loaded_a_model_is_trained_once_and_waits_for_a_persons_word(
    plain_region: Path, tiny_config: TrainingConfig, first: tuple[Registry, str]
) -> None:
    registry, version = first
    manifest = registry.path(version) / artifacts.MANIFEST
    content = json.loads(manifest.read_text(encoding="utf-8"))
    manifest.write_text(json.dumps({**content, "stemmer": "another"}), encoding="utf-8")
    artifacts.seal(registry.path(version))
    done = run(registry, plain_region, given(plain_region, []), tiny_config, at=NEXT_NIGHT)
    assert done.version
    assert (done.live, registry.current(), done.comparison) == (version, version, None)
    assert f"{version} cannot be loaded: trained with another stemmer" in str(done)
    assert f"models promote {done.version} asks for --force-why" in str(done)
    again = run(registry, plain_region, given(plain_region, []), tiny_config)
    assert (again.version, again.same) == ("", done.version)
    assert f"models promote {done.version} asks for --force-why" in str(again)
    with pytest.raises(NeedsReason):
        registry.promote(done.version, why="uji", who="uji", at=AT)
    registry.promote(done.version, why="uji", who="uji", at=AT, force_why="yang lama tidak terbaca")
    assert run(registry, plain_region, given(plain_region, []), tiny_config).same == done.version


def test_what_other_regions_or_no_labels_taught_the_new_model_does_not_judge_it(
    plain_region: Path, tiny_config: TrainingConfig, first: tuple[Registry, str]
) -> None:
    new = poles(7)
    taught = replace(
        given(plain_region, new), other=[replace(new[-1], source="elsewhere")], unlabelled=[replace(new[-2], agency="")]
    )
    done = run(first[0], plain_region, taught, tiny_config)
    data = first[0].manifest(done.version)["data"]
    assert (data["other"], data["unlabelled"]) == (1, 1)
    assert done.comparison is not None
    assert done.comparison.overall.rows == 2  # half of the other five; with one of these two it were half of six


def test_what_taught_the_live_version_beside_its_own_complaints_is_missed_aloud(
    plain_region: Path, tiny_config: TrainingConfig, first: tuple[Registry, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version without --aspects-from holds no allegation back, and cron would tell nobody that it was left out."""
    registry, version = first
    path = registry.path(version) / artifacts.MANIFEST
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["data"] |= {"other": 9, "examples": 9, "unlabelled": 0}
    path.write_text(json.dumps(manifest), encoding="utf-8")
    artifacts.seal(registry.path(version))
    told: list[str] = []
    sources = replace(given(plain_region, poles(2)), other=[replace(poles(3)[-1], source="elsewhere")])
    monkeypatch.setattr(train, "train", _trains)
    for some in (given(plain_region, poles(2)), sources):
        with pytest.raises(Trains):
            retrain.retrain(
                registry,
                Register.load(plain_region),
                some,
                tiny_config,
                test=0.5,
                at=AT,
                who="test",
                why="",
                promote=True,
                say=told.append,
            )
    assert told == [
        f"NOTE: {version} was trained with {options} too: without, the new one knows less"
        for options in ("--transfer and --aspects-from", "--aspects-from")
    ]


def test_what_judges_was_seen_by_neither_model(region: Path) -> None:
    old = load(region / "complaints.jsonl")
    new = [
        LabelledComplaint(text=f"aduan baru nomor {n}", agency="dlh", id=f"n{n}", received_at=f"2026-10-{n:02d}")
        for n in range(1, 21)
    ]
    taught, judges = retrain.hold_out([*old, *new], Seen.of(old), 0.25)
    assert [row.id for row in judges] == [f"n{n}" for n in range(11, 21)]
    assert not {row.id for row in taught} & {row.id for row in judges}
    assert len(taught) + len(judges) == len(old) + len(new)


def test_a_flood_of_one_matter_judges_once_and_others_fill_its_place() -> None:
    """A pair of copies among the newest hundred left 99, and the gate decides nothing of fewer than a hundred."""
    others = [LabelledComplaint(text=f"aduan nomor {n}", agency="dlh", id=f"a{n:03}", received_at="2026-10-01") for n in range(299)]
    flood = [
        LabelledComplaint(
            text=f"air di perumahan kami mati sejak tiga hari lalu, rumah nomor {n}",
            agency="pln",
            id=f"n{n:02}",
            received_at="2026-10-02",
        )
        for n in range(60)
    ]
    taught, judges = retrain.hold_out([*flood, *others], Seen.of([]), 0.2)
    assert [row.id for row in judges] == [*(f"a{n}" for n in range(200, 299)), "n59"]
    assert [row.id for row in taught] == [f"a{n:03}" for n in range(200)]


@pytest.mark.parametrize(("fresh", "judging"), [(0, 0), (1, 0), (60, 30), (200, 100), (400, 100), (600, 120)])
def test_of_few_new_complaints_up_to_half_judge_until_they_are_enough(fresh: int, judging: int) -> None:
    rows = [LabelledComplaint(text=f"aduan nomor {n}", agency="dlh", id=str(n)) for n in range(fresh)]
    assert gate.MIN_ROWS == 100
    assert len(retrain.hold_out(rows, Seen.of([]), 0.2)[1]) == judging


@pytest.mark.parametrize("field", ["config", "register", "stemmer", "cues", "libraries", "data"])
def test_any_change_of_what_went_in_is_a_change(region: Path, tiny_artifact: Path, tiny_config: TrainingConfig, field: str) -> None:
    register, digest = Register.load(region), given(region, []).digest
    manifest = artifacts.read_manifest(tiny_artifact)
    assert retrain.unchanged(manifest, register, digest, tiny_config)
    assert not retrain.unchanged(manifest | {field: {}}, register, digest, tiny_config)
    assert not retrain.unchanged({name: value for name, value in manifest.items() if name != field}, register, digest, tiny_config)
