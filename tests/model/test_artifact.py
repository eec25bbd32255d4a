"""An artifact is whole or it is refused, saying which file."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from model import artifact
from model.artifact import ArtifactError
from model.faults import SalurError
from model.router import Router


@pytest.fixture
def copy(tiny_artifact: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_artifact, tmp_path / tiny_artifact.name))


def test_an_artifact_survives_being_saved_and_loaded(tiny_artifact: Path, tmp_path: Path) -> None:
    loaded = artifact.load(tiny_artifact)
    artifact.save(tmp_path / "again", loaded)
    again = artifact.load(tmp_path / "again")
    assert again.vocabulary == loaded.vocabulary
    assert all(np.array_equal(again.arrays[name], array) for name, array in loaded.arrays.items())
    assert again.register == loaded.register


@pytest.mark.parametrize(
    "name", ["arrays.npz", "vocabulary.txt", "register/agencies.csv", "report/seen.txt", "manifest.json", "manifest.sha256"]
)
def test_one_changed_byte_is_refused_by_name(copy: Path, name: str) -> None:
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(bytes(content))
    with pytest.raises(ArtifactError, match="manifest" if "manifest" in name else name):
        artifact.load(copy)


def test_a_changed_figure_of_the_manifest_is_refused(copy: Path) -> None:
    manifest = (copy / "manifest.json").read_text(encoding="utf-8")
    (copy / "manifest.json").write_text(manifest.replace('"target_error": 0.05', '"target_error": 0.95'), encoding="utf-8")
    assert (copy / "manifest.json").read_text(encoding="utf-8") != manifest
    with pytest.raises(ArtifactError, match=r"manifest\.json: its digest is not the one in manifest\.sha256"):
        artifact.load(copy)


@pytest.mark.parametrize("name", ["arrays.npz", "vocabulary.txt", "manifest.json", "manifest.sha256"])
def test_a_missing_file_is_refused_by_name(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(ArtifactError, match=name):
        artifact.load(copy)


def test_a_file_that_nobody_listed_is_refused(copy: Path) -> None:
    (copy / "extra.py").write_text("print('hello')\n", encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"extra\.py: not listed"):
        artifact.load(copy)


def _edit(folder: Path, **values: object) -> None:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    (folder / "manifest.json").write_text(json.dumps(manifest | values), encoding="utf-8")
    artifact.seal(folder)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[]", "not a manifest"),
        ('{"format": 3}', "not a manifest"),
        ('{"format": 3, "files": []}', "not a manifest"),
        ("{", "unread"),
    ],
)
def test_what_is_no_manifest_is_refused_whoever_sealed_it(copy: Path, content: str, said: str) -> None:
    (copy / "manifest.json").write_text(content, encoding="utf-8")
    artifact.seal(copy)
    for read in (artifact.read_manifest, artifact.load):
        with pytest.raises(ArtifactError, match=rf"manifest\.json: {said}"):
            read(copy)


def test_an_array_that_would_run_code_when_it_is_read_is_refused_whoever_sealed_it(copy: Path) -> None:
    with (copy / "arrays.npz").open("wb") as out:
        np.savez(out, allow_pickle=True, bias=np.array([Path], dtype=object))
    files = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))["files"]
    _edit(copy, files={**files, "arrays.npz": artifact.file_digest(copy / "arrays.npz")})
    with pytest.raises(ArtifactError, match=r"/arrays\.npz: unreadable: .*allow_pickle"):
        artifact.load(copy)


def test_a_version_can_be_read_by_a_service_that_is_another_user(tiny_artifact: Path) -> None:
    assert tiny_artifact.stat().st_mode & 0o777 == 0o755


def test_a_manifest_beyond_the_limit_is_not_read(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = (copy / "manifest.json").stat().st_size
    monkeypatch.setattr(artifact, "MAX_MANIFEST", size)
    assert artifact.read_manifest(copy)["version"] == copy.name
    monkeypatch.setattr(artifact, "MAX_MANIFEST", size - 1)
    with pytest.raises(ArtifactError, match=rf"manifest\.json: over {size - 1:,} bytes"):
        artifact.read_manifest(copy)


def test_another_format_is_refused_with_its_number(copy: Path) -> None:
    _edit(copy, format=99)
    with pytest.raises(ArtifactError, match="format 99"):
        artifact.load(copy)


@pytest.mark.parametrize(("name", "row"), [("roads.csv", "Jalan,,desa,,"), ("rules.toml", 'any = ["jalan*"]')])
def test_a_register_that_an_earlier_program_took_is_refused_and_what_to_do_is_told(copy: Path, name: str, row: str) -> None:
    path = copy / "register" / name
    header, *_ = path.read_text(encoding="utf-8").splitlines()
    rules = f'[[rule]]\nid = "a"\nsentence = "a"\nsource = "a"\nreview = true\n{row}\n'
    path.write_text(rules if name == "rules.toml" else f"{header}\n{row}\n", encoding="utf-8")
    manifest = json.loads((copy / "manifest.json").read_bytes())
    _edit(copy, files=manifest["files"] | {f"register/{name}": artifact.file_digest(path)})
    with pytest.raises(ArtifactError, match=f"mend the region's own folder and train again, for its copy says .*{name}:"):
        Router.load(copy)


def test_another_stemmer_is_refused(copy: Path) -> None:
    _edit(copy, stemmer="0" * 64)
    with pytest.raises(ArtifactError, match="another stemmer"):
        Router.load(copy)


@pytest.mark.parametrize("part", ["policy", "aspects", "reliability"])
@pytest.mark.parametrize("value", [None, [], {}, {"floor": "x"}])
def test_a_broken_part_of_the_manifest_is_a_clear_error(copy: Path, part: str, value: object) -> None:
    _edit(copy, **{part: value})
    with pytest.raises(SalurError):
        Router.load(copy)


def test_a_version_is_never_written_twice(tiny_artifact: Path) -> None:
    with pytest.raises(ArtifactError, match="exists already"):
        artifact.save(tiny_artifact, artifact.load(tiny_artifact))


def test_nothing_is_left_of_a_save_that_failed(tiny_artifact: Path, tmp_path: Path) -> None:
    loaded = artifact.load(tiny_artifact)
    with pytest.raises(TypeError):
        artifact.save(
            tmp_path / "broken", artifact.Artifact({"version": object()}, loaded.arrays, loaded.vocabulary, loaded.register)
        )
    assert list(tmp_path.iterdir()) == []


def test_all_of_a_version_is_on_the_disk_before_it_has_its_name(
    tiny_artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pointer and the ledger are: after a power cut they must not name empty files."""
    synced: list[int] = []
    whole, rename = os.fsync, Path.rename

    def sync(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_ino)
        whole(descriptor)

    def named(part: Path, target: Path) -> Path:
        assert {path.stat().st_ino for path in (part, *part.rglob("*"))} <= set(synced)
        synced.clear()
        return rename(part, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "rename", named)
    artifact.save(tmp_path / "models" / "baru", artifact.load(tiny_artifact), {"report/seen.txt": "x"})
    assert synced == [(tmp_path / "models").stat().st_ino]
