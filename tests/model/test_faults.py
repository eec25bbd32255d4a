"""What is wrong is told whole, wherever it was found."""

import copy

from model.faults import ALIKE, Fault, InvalidData


def test_faults_come_back_from_another_process_as_they_were() -> None:
    error = InvalidData([Fault("a.jsonl", 3, "text is empty"), Fault("b.csv", 0, "no rows")])
    back = copy.copy(error)  # takes apart and puts together as a process does that sends it to another
    assert back.faults == error.faults
    assert str(back) == str(error) == "a.jsonl:3: text is empty\nb.csv: no rows"


def test_a_fault_that_a_file_has_over_and_over_hides_no_other() -> None:
    reason = "agency 'x' is not in the register"
    unknown = [Fault("a.jsonl", line, reason) for line in range(1, 3_001)]
    error = InvalidData([*unknown, Fault("a.jsonl", 3_001, "text is empty")])
    told = str(error).splitlines()
    assert len(error.faults) == 3_001
    assert told[:ALIKE] == [f"a.jsonl:{line}: {reason}" for line in range(1, ALIKE + 1)]
    assert told[ALIKE:] == [
        "a.jsonl: the same on 2,990 more lines that were read: agency 'x' is not in the register",
        "a.jsonl:3001: text is empty",
    ]
    assert str(InvalidData(unknown[:ALIKE])).splitlines() == told[:ALIKE]
