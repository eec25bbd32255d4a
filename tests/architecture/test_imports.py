"""What starts must start light: the service never loads scikit-learn, and nothing is wired at import."""

import subprocess
import sys

import pytest

HEAVY = ("sklearn", "scipy", "matplotlib", "joblib", "cleanlab", "pandas")


@pytest.mark.parametrize("module", ["model.router", "model.registry", "model.lapor", "service", "service.cli"])
def test_service_side_modules_load_no_data_science(module: str) -> None:
    code = f"import sys, {module}; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_pysastrawis_stock_factory_is_never_imported() -> None:
    code = "import sys, model.router; print('Sastrawi.Stemmer.StemmerFactory' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("command", ["models", "import"])
def test_a_model_is_taken_back_and_an_export_read_without_what_trains_one(command: str) -> None:
    heavy = tuple(name for name in HEAVY if name != "joblib")
    code = f"import sys; from training.cli import commands; commands.get_command(None, {command!r}); " + (
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
