"""The folders are the packages: ours alone, and nothing else of the tree is installed."""

from collections.abc import Mapping
from importlib.metadata import distribution, packages_distributions

import pytest


@pytest.fixture(scope="module")
def installed() -> Mapping[str, list[str]]:
    """Which distributions brought each package: to read it takes half a second."""
    return packages_distributions()


@pytest.mark.parametrize("name", ["model", "training", "service"])
def test_our_package_names_belong_to_no_other_distribution(installed: Mapping[str, list[str]], name: str) -> None:
    assert set(installed.get(name, [])) <= {"salur"}


@pytest.mark.parametrize("folder", ["data", "notebooks", "tests"])
def test_folders_that_are_no_packages_are_not_installed(installed: Mapping[str, list[str]], folder: str) -> None:
    assert "salur" not in installed.get(folder, [])


def test_the_wheel_cannot_be_uploaded_by_mistake() -> None:
    assert "Private :: Do Not Upload" in distribution("salur").metadata.get_all("Classifier", [])
