"""What salur-training says of itself."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import version

import click
import pytest

from training.cli import commands, main


def _options() -> Iterator[tuple[str, click.Option]]:
    """Every option of every command, by the command's name."""
    waiting: list[click.Command] = [commands]
    while waiting:
        command = waiting.pop()
        if isinstance(command, click.Group):
            found = (command.get_command(click.Context(command), name) for name in command.list_commands(click.Context(command)))
            waiting += [one for one in found if one is not None]
        yield from ((str(command.name), option) for option in command.params if isinstance(option, click.Option))


def test_every_option_that_may_be_repeated_says_so() -> None:
    repeated = [(name, option) for name, option in _options() if option.multiple]
    assert len({option.name for _, option in repeated}) > 3
    assert [(name, option.name) for name, option in repeated if "May be repeated." not in (option.help or "")] == []


def test_the_help_names_the_variable_that_says_where_the_registry_is() -> None:
    given = [option for _, option in _options() if option.envvar]
    assert {option.envvar for option in given} == {"SALUR_MODELS"}
    assert all(option.show_envvar for option in given)


def test_what_is_installed_for_the_service_alone_is_told_what_training_needs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "training.commands.predicting", raising=False)
    monkeypatch.setitem(sys.modules, "joblib", None)
    with pytest.raises(SystemExit) as ended:
        main(["predict", "current"])
    told = "salur-training: predict needs joblib, which is not installed: pip install 'salur[training]'\n"
    assert (ended.value.code, capsys.readouterr().err) == (2, told)
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    listed = capsys.readouterr().out
    assert ended.value.code == 0
    assert "  predict   needs joblib, which is not installed\n" in listed
    assert "  models    Versions: what there is" in listed


def test_the_command_tells_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert (ended.value.code, capsys.readouterr().out) == (0, f"salur-training, version {version('salur')}\n")
