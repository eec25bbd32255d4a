from model.complaint import Complaint
from model.place import ResolvedPlace
from model.register import Agency, Register
from model.routing import Candidate
from model.rules import load_rules
from model.text import Analyzer
from training.measures.rule_figures import Case, RuleFigures, measure_rules

RULES = b"""
[[rule]]
id = "gang"
agencies = ["dpupr"]
any = ["gang"]
move_to = "perkim"
sentence = "Gang adalah urusan Perkim."
source = "BK"

[[rule]]
id = "periksa"
any = ["batas"]
review = true
on = false
sentence = "Periksa."
source = "BK"
"""


def case(text: str, first: str, agency: str) -> Case:
    words = Analyzer().words(Complaint(text=text))
    return Case((Candidate(first, 0.7), Candidate("dishub", 0.3)), words, ResolvedPlace(), (), agency)


def test_a_rule_is_measured_alone_and_all_that_are_on_together() -> None:
    rules = load_rules(
        Register((Agency("dpupr", "DPUPR"), Agency("perkim", "Perkim"), Agency("dishub", "Dishub")), files={"rules.toml": RULES})
    )
    cases = [
        case("parit gang mampet", "dpupr", "perkim"),
        case("gang dan jalan utama", "dpupr", "dpupr"),
        case("gang gelap", "dpupr", "perkim"),
        case("batas desa", "dpupr", "dpupr"),
        case("lampu mati", "dishub", "dishub"),
    ]
    assert measure_rules(rules, cases) == (
        RuleFigures("gang", on=True, moves=True, fired=3, right_without=1, right_with=2),
        RuleFigures("periksa", on=False, moves=False, fired=1, right_without=1, right_with=1),
        RuleFigures("all", on=True, moves=True, fired=3, right_without=1, right_with=2),
    )


def test_the_gain_counts_what_a_rule_breaks_against_it() -> None:
    assert RuleFigures("x", on=True, moves=True, fired=5, right_without=3, right_with=1).gain == -2
