"""The way of a complaint, end to end on a small model."""

import dataclasses
import json
import math
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.aspects import Findings
from model.complaint import Complaint
from model.policy import MAX_CANDIDATES, MIN_WORDS, NEVER, Policy, PolicyError, Threshold
from model.reliability import Reliability, ReliabilityError
from model.router import MAX_PLACES, Router
from model.routing import Candidate, Decision, FiredRule, Reason

WATER = "Air PDAM mati sudah tiga hari, mohon PDAM memeriksa pipa dan air pelanggan"
LAMP = "Lampu jalan poros Sangatta-Bengalon mati sudah seminggu, gelap sekali kalau malam"


def test_a_lamp_on_the_national_road_goes_to_the_national_body(router: Router) -> None:
    routing = router.route(Complaint(text=LAMP))
    assert routing.agency == "bptd"
    assert "nasional" in {place.road_class for place in routing.places}


def test_a_rule_moves_what_the_classifier_took_for_the_kabupatens(router: Router) -> None:
    reading = router.reader.read(Complaint(text=LAMP))
    moved, fired = router.reader.apply_rules([Candidate("dishub", 0.9), Candidate("bptd", 0.1)], reading)
    assert moved[0].agency == "bptd"
    assert [rule.sentence for rule in fired] == ["Lampu di jalan nasional diurus BPTD."]


def test_a_lamp_in_a_gang_does_not(router: Router) -> None:
    assert router.route(Complaint(text="lampu jalan di gang kami mati sudah seminggu")).rules == ()


def test_the_same_complaint_gives_the_same_routing(router: Router, tiny_artifact) -> None:  # type: ignore[no-untyped-def]
    other = Router.load(tiny_artifact)
    complaint = Complaint(text=LAMP, title="PJU", kecamatan="Bengalon")
    assert dataclasses.asdict(router.route(complaint)) == dataclasses.asdict(other.route(complaint))


def test_many_complaints_are_routed_as_each_alone(router: Router) -> None:
    complaints = [Complaint(LAMP), Complaint(""), Complaint("sampah menumpuk", title="DLH"), Complaint(LAMP, kecamatan="Bengalon")]
    assert router.route_all(complaints) == [router.route(complaint) for complaint in complaints]
    assert router.route_all([]) == []


def test_an_answer_without_evidence_is_the_same_in_all_else(router: Router) -> None:
    (without,) = router.route_all([Complaint(LAMP)], evidence=False)
    full = router.route(Complaint(LAMP))
    assert full.evidence
    assert without == dataclasses.replace(full, evidence=())


def test_a_confidential_report_never_goes_out_by_itself(router: Router) -> None:
    routing = router.route(Complaint(text="air pdam mati sudah tiga hari di sangatta utara", confidential=True))
    assert routing.decision is Decision.REVIEW
    assert Reason.CONFIDENTIAL in routing.reasons


@pytest.mark.parametrize(
    ("findings", "reasons"),
    [
        (Findings(), ()),
        (Findings(oversight=True), (Reason.OVERSIGHT,)),
        (Findings(is_complaint=False), (Reason.NOT_A_COMPLAINT,)),
        (Findings(missing=("waktu",)), ()),
    ],
)
def test_alleged_wrongdoing_and_what_is_no_complaint_wait_however_sure_the_model_is(
    lax: Router, monkeypatch: pytest.MonkeyPatch, findings: Findings, reasons: tuple[Reason, ...]
) -> None:
    monkeypatch.setattr(lax, "_aspects", SimpleNamespace(read=lambda *_: findings))
    assert (lax.route(Complaint(WATER)).decision is Decision.AUTO, lax.route(Complaint(WATER)).reasons) == (not reasons, reasons)


@pytest.mark.parametrize(("agency", "reasons"), [("", (Reason.AUTHORITY_CONFLICT,)), ("perumdam", ())])
def test_where_a_rule_asks_for_a_person_one_looks_and_where_it_names_an_agency_none_need(
    lax: Router, monkeypatch: pytest.MonkeyPatch, agency: str, reasons: tuple[Reason, ...]
) -> None:
    fired = (FiredRule("lain", "Ini diurus yang lain.", "perumdam"), FiredRule("air", "Ini diurus bersama.", agency))
    monkeypatch.setattr(lax.reader, "apply_rules", lambda ranked, _: (tuple(ranked), fired))
    routing = lax.route(Complaint(WATER))
    assert (routing.rules, routing.reasons) == (fired, reasons)
    assert (routing.decision is Decision.REVIEW) is bool(reasons)


@pytest.mark.parametrize("emergency", [True, False])
def test_an_emergency_is_told_beside_the_decision_and_left_out_where_there_is_none(
    lax: Router, monkeypatch: pytest.MonkeyPatch, emergency: bool
) -> None:
    monkeypatch.setattr(lax.reader, "what_to_do", lambda _: "Telepon 112.")
    monkeypatch.setattr(lax, "_aspects", SimpleNamespace(read=lambda *_: Findings(emergency=emergency)))
    routing = lax.route(Complaint(WATER))
    assert (routing.decision, routing.reasons) == (Decision.AUTO, ())
    assert routing.emergency == ("Telepon 112." if emergency else "")
    assert routing.to_dict().get("emergency") == ("Telepon 112." if emergency else None)


@pytest.mark.parametrize(("received_at", "reasons"), [("2026-03-31T23:00:00+08:00", ()), ("2026-04-01", (Reason.AGENCY_INACTIVE,))])
def test_nothing_goes_by_itself_to_an_agency_that_had_ended(
    lax: Router, monkeypatch: pytest.MonkeyPatch, received_at: str, reasons: tuple[Reason, ...]
) -> None:
    ended = (dataclasses.replace(agency, valid_until="2026-03-31") for agency in lax.register.agencies)
    monkeypatch.setattr(lax, "register", dataclasses.replace(lax.register, agencies=tuple(ended)))
    assert lax.route(Complaint(WATER, received_at=received_at)).reasons == reasons


def test_secrecy_or_a_place_that_is_contradicted_is_reason_enough_to_wait(lax: Router) -> None:
    secret = lax.route(Complaint(WATER, confidential=True))
    assert (secret.decision, secret.reasons) == (Decision.REVIEW, (Reason.CONFIDENTIAL,))
    torn = lax.route(Complaint(f"{WATER} di Desa Kolek Kecamatan Sangkulirang", kecamatan="Kaubun"))
    assert (torn.decision, torn.reasons) == (Decision.REVIEW, (Reason.PLACE_CONFLICT,))


def test_the_reporter_is_asked_where_nothing_but_the_place_is_wanting_and_else_a_person(lax: Router) -> None:
    camat = "pelayanan surat pengantar di kantor camat lambat, camat tidak ada di tempat"
    assert (lax.route(Complaint(camat)).decision, lax.route(Complaint(camat)).reasons) == (Decision.ASK, (Reason.PLACE_NEEDED,))
    secret = lax.route(Complaint(camat, confidential=True))
    assert (secret.decision, secret.reasons) == (Decision.REVIEW, (Reason.CONFIDENTIAL, Reason.PLACE_NEEDED))


@pytest.mark.parametrize("text", ["", "   ", "air", "😀😀😀", "\x00\x00", "‮‮"])
def test_too_little_text_is_for_a_person(router: Router, text: str) -> None:
    routing = router.route(Complaint(text=text))
    assert routing.decision is Decision.REVIEW
    assert Reason.TOO_LITTLE_TEXT in routing.reasons


def test_words_that_nobody_knows_are_for_a_person(router: Router) -> None:
    assert Reason.UNKNOWN_WORDS in router.route(Complaint(text="qzxv wvxq zzqp xqqz vvzx")).reasons


def test_a_family_without_a_place_asks_for_it(router: Router) -> None:
    routing = router.route(Complaint(text="pelayanan surat pengantar di kantor camat lambat, camat tidak ada di tempat"))
    assert routing.agency == "kecamatan"
    assert Reason.PLACE_NEEDED in routing.reasons
    assert "lokasi" in routing.missing


def test_a_text_of_nothing_but_places_makes_no_endless_answer(router: Router) -> None:
    routing = router.route(Complaint("Kantor camat Bengalon tutup. " + "Telen, Kaubun. " * 900))
    assert len(routing.places) == MAX_PLACES
    assert [place.name for place in routing.places[:3]] == ["Bengalon", "Telen", "Kaubun"]


def test_a_family_with_a_place_names_its_unit(router: Router) -> None:
    routing = router.route(Complaint(text="pelayanan surat pengantar di kantor camat lambat", kecamatan="Kaubun"))
    assert (routing.agency, routing.unit) == ("kecamatan", "Kaubun")


def test_form_and_text_that_contradict_each_other_are_for_a_person(router: Router) -> None:
    routing = router.route(Complaint(text="sampah menumpuk di Desa Kolek Kecamatan Sangkulirang", kecamatan="Kaubun"))
    assert Reason.PLACE_CONFLICT in routing.reasons


def test_candidates_are_ranked_and_listed(router: Router) -> None:
    routing = router.route(Complaint(text="sampah belum diangkut"))
    probabilities = [candidate.probability for candidate in routing.candidates]
    assert probabilities == sorted(probabilities, reverse=True)
    assert 1 <= routing.listed <= len(routing.candidates) <= 7


def test_what_no_reason_keeps_back_goes_out_by_itself_and_nothing_else(lax: Router) -> None:
    routings = [lax.route(Complaint(text)) for text in (WATER, LAMP, "air mati", "xyzzy qwrt plugh bkjh")]
    assert [routing.decision is Decision.AUTO for routing in routings] == [not routing.reasons for routing in routings]
    assert {routing.decision for routing in routings} == {Decision.AUTO, Decision.REVIEW}


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=400), st.text(max_size=40), st.text(max_size=20), st.booleans())
def test_every_text_has_a_routing(router: Router, text: str, title: str, kecamatan: str, confidential: bool) -> None:
    routing = router.route(Complaint(text=text, title=title, kecamatan=kecamatan, confidential=confidential))
    json.dumps(dataclasses.asdict(routing))
    assert routing.agency in router.register.by_id
    assert 0 <= routing.candidates[0].probability <= 1


def test_a_low_probability_is_a_reason_and_a_close_second_another() -> None:
    policy = Policy(0.05, 0.9, Threshold(0.9, 100), {})
    sure = [Candidate("a", 0.95), Candidate("b", 0.01)]
    low = [Candidate("a", 0.6), Candidate("b", 0.3)]
    close = [Candidate("a", 0.6), Candidate("b", 0.31)]
    assert list(policy.doubts(sure, 10, 10)) == []
    assert list(policy.doubts(low, 10, 10)) == [Reason.LOW_CONFIDENCE]
    assert list(policy.doubts(close, 10, 10)) == [Reason.SMALL_MARGIN]


def test_what_reaches_the_threshold_to_the_last_digit_may_go_out() -> None:
    policy = Policy(0.05, 0.9, Threshold(0.9, 100), {})
    assert list(policy.doubts([Candidate("a", 0.9), Candidate("b", 0.0)], 10, 10)) == []
    assert list(policy.doubts([Candidate("a", math.nextafter(0.9, 0)), Candidate("b", 0.0)], 10, 10)) == [Reason.LOW_CONFIDENCE]


@pytest.mark.parametrize(
    ("words", "known", "reasons"),
    [
        (0, 0, [Reason.TOO_LITTLE_TEXT]),
        (MIN_WORDS - 1, 2, [Reason.TOO_LITTLE_TEXT]),
        (MIN_WORDS, 3, []),
        (10, 4, [Reason.UNKNOWN_WORDS]),
        (10, 5, []),
    ],
)
def test_however_sure_few_words_or_few_known_ones_are_doubted(words: int, known: int, reasons: list[Reason]) -> None:
    policy = Policy(0.05, 0.9, Threshold(0.9, 100), {})
    assert list(policy.doubts([Candidate("a", 1.0), Candidate("b", 0.0)], words, known)) == reasons


def test_the_list_ends_with_the_last_candidate_that_reaches_the_cut_and_is_never_empty_or_long() -> None:
    policy = Policy(0.05, 0.9, Threshold(0.9, 100), {}, list_cut=0.2)
    listed = [policy.listed([Candidate("a", share) for share in shares]) for shares in ((0.5, 0.2, 0.1), (0.1, 0.1), (0.2,) * 9)]
    assert listed == [2, 1, MAX_CANDIDATES]


def test_an_agencys_own_threshold_comes_before_the_overall_one() -> None:
    policy = Policy(0.05, 0.9, Threshold(0.5, 100), {"a": Threshold(NEVER, 0)})
    assert list(policy.doubts([Candidate("a", 0.99), Candidate("b", 0.0)], 10, 10)) == [Reason.LOW_CONFIDENCE]
    assert policy.guarantee("a").scope == "a"
    assert policy.guarantee("b").scope == "overall"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("overall", [0.5]),
        ("overall", ["x", 1]),
        ("overall", [-0.1, 1]),
        ("overall", [NEVER + 0.1, 1]),
        ("overall", [float("nan"), 1]),
        ("overall", [0.5, -1]),
        ("overall", [0.5, 1.5]),
        ("overall", {0: 0.5, 1: 1}),
        ("target_error", 2),
        ("target_error", "0.05"),
        ("target_error", True),
        ("list_cut", None),
        ("per_agency", []),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(name: str, value: object) -> None:
    table = Policy(0.05, 0.9, Threshold(0.5, 100), {}).to_dict()
    with pytest.raises(PolicyError):
        Policy.from_dict(table | {name: value})


def test_a_policy_survives_the_manifest() -> None:
    own = {"a": Threshold(0.7, 12), "b": Threshold(NEVER, 0)}
    usual = Policy(0.05, 0.9, Threshold(0.5, 100), own, list_cut=0.02, list_coverage=0.8)
    extreme = Policy(0.05, 0.9, Threshold(0.0, 0), {}, list_cut=0.0, list_coverage=1.0)
    for policy in (usual, extreme):
        assert Policy.from_dict(json.loads(json.dumps(policy.to_dict()))) == policy


def test_honest_probabilities_keep_the_order() -> None:
    curve = Reliability(-0.3, 0.8, 0.4)
    found = curve.recalibrate([Candidate("a", 0.5), Candidate("b", 0.45), Candidate("c", 0.05)])
    values = [candidate.probability for candidate in found]
    assert values == sorted(values, reverse=True)
    assert found[0].probability == curve(0.5)


def test_an_agency_that_was_wrong_of_late_is_trusted_less() -> None:
    curve = Reliability(0.0, 1.0, 0.5, {"a": -1.0})
    assert curve(0.9, "a") < curve(0.9) == curve(0.9, "b")
    assert Reliability.from_dict(curve.to_dict()) == curve


@pytest.mark.parametrize(
    "table",
    [
        {},
        {"intercept": 0, "gain": 0, "loss": 1, "per_agency": {}},
        {"intercept": 0, "gain": 1, "loss": -1, "per_agency": {}},
        {"intercept": 0, "gain": 1, "loss": 1, "per_agency": {"a": float("nan")}},
        {"intercept": 0, "gain": 1, "loss": 1, "per_agency": []},
    ],
)
def test_a_curve_that_does_not_rise_is_refused(table: dict[str, float]) -> None:
    with pytest.raises(ReliabilityError):
        Reliability.from_dict(table)
