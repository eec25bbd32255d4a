"""What starts must start light: the service never loads scikit-learn, and nothing is wired at import."""

import subprocess
import sys

import pytest

HEAVY = ("sklearn", "scipy", "matplotlib", "joblib", "cleanlab", "pandas")


def test_service_side_modules_load_no_data_science_and_never_pysastrawis_stock_factory() -> None:
    unwanted = (*HEAVY, "Sastrawi.Stemmer.StemmerFactory")
    code = (
        "import importlib, sys\nfor module in {}:\n    importlib.import_module(module)\n    print(module, *sys.modules.keys() & {})"
    )
    modules = ("model.router", "model.registry", "model.lapor", "service", "service.cli")
    done = subprocess.run([sys.executable, "-c", code.format(modules, unwanted)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == list(modules), "what else is said was loaded by the module before it"


@pytest.mark.parametrize("command", ["models", "import"])
def test_a_model_is_taken_back_and_an_export_read_without_what_trains_one(command: str) -> None:
    heavy = tuple(name for name in HEAVY if name != "joblib")
    code = f"import sys; from training.cli import commands; commands.get_command(None, {command!r}); " + (
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
