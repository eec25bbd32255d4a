"""The lexicon of cues, and what is refused in one."""

import pytest

from model.cues import GROUPS, Cues, load_cues, read_cues
from model.faults import InvalidData
from model.text import load_abbreviations

CUES = load_cues()


def test_the_lexicon_has_cues_for_every_group() -> None:
    assert all(CUES.phrases[group] for group in (*GROUPS, "here"))


def test_no_cue_holds_an_abbreviation_for_none_is_left_once_words_are_read() -> None:
    short = load_abbreviations()
    assert [cue for cues in CUES.phrases.values() for cue in cues if any(word in short for word in cue.split())] == []


def test_another_cue_or_group_is_another_digest_and_another_order_is_not() -> None:
    cues = Cues({"misuse": ["suap", "sogok"], "here": ["sini"]})
    assert cues.digest == Cues({"here": ["sini"], "misuse": ["sogok", "suap"]}).digest
    others = [
        {"misuse": ["suap"], "here": ["sini"]},
        {"demand": ["suap", "sogok"], "here": ["sini"]},
        {"misuse": ["suap", "sogok"]},
    ]
    assert len({cues.digest, *(Cues(other).digest for other in others)}) == 4


def test_every_wrong_line_of_a_lexicon_is_named() -> None:
    content = "# cues\nsuap\tmisuse\nSuap\tmisuse\nsogok\tbribes\nsuap\tmisuse\ndi sini\there\na b c d e\tmisuse\nsogok"
    with pytest.raises(InvalidData) as caught:
        read_cues(content, "cues.tsv")
    assert [fault.line for fault in caught.value.faults] == [3, 4, 5, 6, 7, 8]
    assert "cues.tsv:4: group 'bribes': one of misuse, official" in str(caught.value)
    assert "cues.tsv:5: 'suap' stands already above in misuse" in str(caught.value)
