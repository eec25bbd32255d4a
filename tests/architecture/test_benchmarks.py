"""`make bench` calls each measurement with the options that it takes."""

from pathlib import Path

from tests.benchmarks import run


def test_a_measurement_is_given_the_real_data_only_where_it_takes_them() -> None:
    given = {name: "--real" in run.command(name, Path("elsewhere")) for name in ("drift", "peers", "next_labels", "speed")}
    assert given == {"drift": True, "peers": True, "next_labels": False, "speed": False}
