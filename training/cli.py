"""salur-training: from complaints to a promoted model, one command a step."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

import click

from model.faults import SalurError

COMMANDS = {
    "import": "importing:import_",
    "train": "learning:train_",
    "evaluate": "judging:evaluate_",
    "replay": "judging:replay_",
    "compare": "judging:compare_",
    "suspects": "learning:suspects_",
    "predict": "predicting:predict_",
    "next": "judging:next_",
    "drift": "judging:drift_",
    "models": "versions:models_",
    "retrain": "learning:retrain_",
}
"""Module and function of each command, loaded only when asked for: `models rollback` need not wait for scikit-learn."""


class Commands(click.Group):
    """Loads a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # the signature is click's
        """Name all."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # the signature is click's
        """Load one."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        try:
            command: click.Command = getattr(import_module(f"training.commands.{module}"), name)
        except ModuleNotFoundError as error:  # beside the service alone, as in its image
            return _Missing(cmd_name, short_help=f"needs {error.name}, which is not installed")
        return command


class _Missing(click.Command):
    """Stands in the list for a command that cannot be loaded here; called in whatever way, it says what it needs."""

    def make_context(self, *args: Any, **options: Any) -> click.Context:  # noqa: ARG002  # the signature is click's
        raise SalurError(f"{self.name} {self.short_help}: pip install 'salur[training]'")


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run the command line: 0, or 2 with one line for each fault on standard error."""
    try:
        commands.main(args=args, prog_name="salur-training", standalone_mode=False)
    except SalurError as error:
        click.echo(f"salur-training: {error}", err=True)
        sys.exit(2)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        at = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "salur-training"
        click.echo(f"{at}: {' '.join(error.format_message().split()).rstrip('.')}; --help tells more", err=True)
        sys.exit(2)
    except click.Abort:
        click.echo("salur-training: stopped", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)
    except OSError as error:
        reason = error.strerror or error
        click.echo(f"salur-training: {error.filename}: {reason}" if error.filename else f"salur-training: {reason}", err=True)
        sys.exit(2)
    sys.exit(0)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="salur", prog_name="salur-training")
def commands() -> None:
    """Train, judge and promote models that say which agency is responsible."""
