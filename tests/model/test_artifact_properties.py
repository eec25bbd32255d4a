"""Whatever happens to an artifact's files, it is refused in a clear sentence; nothing else ever comes out of loading."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model import artifact
from model.artifact import ARRAYS, MANIFEST, ArtifactError
from model.complaint import Complaint
from model.faults import SalurError
from model.router import Router

EFFORT = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def copy(tiny_artifact: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(tiny_artifact, tmp_path_factory.mktemp("artifact") / tiny_artifact.name))


@contextmanager
def _replaced(path: Path, content: bytes) -> Iterator[None]:
    """Give a file another content for a while."""
    before = path.read_bytes()
    path.write_bytes(content)
    try:
        yield
    finally:
        path.write_bytes(before)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@EFFORT
@given(st.data())
def test_any_changed_byte_of_any_file_is_refused(copy: Path, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(_files(copy)))
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    with _replaced(path, bytes(content)), pytest.raises(ArtifactError):
        artifact.load(copy)


@EFFORT
@given(st.data())
def test_any_file_cut_anywhere_is_refused(copy: Path, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(_files(copy)))
    content = path.read_bytes()
    with _replaced(path, content[: data.draw(st.integers(0, len(content) - 1))]), pytest.raises(ArtifactError):
        artifact.load(copy)


@EFFORT
@given(st.data())
def test_arrays_of_a_stranger_with_the_right_digests_load_or_are_refused(copy: Path, data: st.DataObject) -> None:
    content = bytearray((copy / ARRAYS).read_bytes())
    # The directory of the archive stands at its end, the names and shapes of the arrays at the start of each member.
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(content) - 1) | st.integers(0, 600) | st.integers(len(content) - 900, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    manifest = json.loads((copy / MANIFEST).read_bytes())
    with _replaced(copy / ARRAYS, bytes(content)):
        manifest["files"][ARRAYS] = artifact.file_digest(copy / ARRAYS)
        assert _loads_or_is_refused(copy, manifest)


@EFFORT
@given(st.data())
def test_a_manifest_of_a_stranger_loads_or_is_refused(copy: Path, data: st.DataObject) -> None:
    manifest = json.loads((copy / MANIFEST).read_bytes())
    at: Any = manifest
    while True:
        key = data.draw(st.sampled_from(sorted(at)) if isinstance(at, dict) else st.integers(0, len(at) - 1))
        if not (isinstance(at[key], (dict, list)) and at[key] and data.draw(st.booleans())):
            break
        at = at[key]
    if isinstance(at, dict) and data.draw(st.booleans()):
        del at[key]
    else:
        at[key] = data.draw(JSON)
    assert _loads_or_is_refused(copy, manifest)


def _loads_or_is_refused(folder: Path, manifest: dict[str, Any]) -> bool:
    """Load with another manifest, sealed as it should be: out comes a router that answers, or an error of ours that says why."""
    before = (folder / artifact.SEAL).read_bytes()
    try:
        with _replaced(folder / MANIFEST, json.dumps(manifest).encode()):
            artifact.seal(folder)
            router = Router.load(folder)
        return router.route(Complaint("lampu jalan mati")).agency in router.register.by_id
    except SalurError as refusal:
        return str(refusal) != ""
    finally:
        (folder / artifact.SEAL).write_bytes(before)
