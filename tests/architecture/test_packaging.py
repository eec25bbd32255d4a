"""The folders are the packages: ours alone, and nothing else of the tree is installed."""

from importlib.metadata import distribution, packages_distributions

import pytest


@pytest.mark.parametrize("name", ["model", "training", "service"])
def test_our_package_names_belong_to_no_other_distribution(name: str) -> None:
    assert set(packages_distributions().get(name, [])) <= {"salur"}


@pytest.mark.parametrize("folder", ["data", "notebooks", "tests"])
def test_folders_that_are_no_packages_are_not_installed(folder: str) -> None:
    assert "salur" not in packages_distributions().get(folder, [])


def test_the_wheel_cannot_be_uploaded_by_mistake() -> None:
    assert "Private :: Do Not Upload" in distribution("salur").metadata.get_all("Classifier", [])
