"""What is wrong is told whole, wherever it was found."""

import copy

from model.faults import Fault, InvalidData


def test_faults_come_back_from_another_process_as_they_were() -> None:
    error = InvalidData([Fault("a.jsonl", 3, "text is empty"), Fault("b.csv", 0, "no rows")])
    back = copy.copy(error)  # takes apart and puts together as a process does that sends it to another
    assert back.faults == error.faults
    assert str(back) == str(error) == "a.jsonl:3: text is empty\nb.csv: no rows"
