"""Two matters of two agencies in one complaint are for a person: sent to one of them, the other's would be lost."""

from __future__ import annotations

import pytest

from model.complaint import Complaint
from model.router import Router
from model.routing import Decision, Reason
from model.text import sentences

WATER = "Air PDAM mati sudah tiga hari, mohon PDAM memeriksa pipa dan air pelanggan"
RUBBISH = "Sampah di tempat pembuangan menumpuk dan bau, mohon DLH segera mengangkut sampah"


def test_each_matter_alone_goes_out_by_itself_and_both_together_wait(lax: Router) -> None:
    water, rubbish = lax.route(Complaint(WATER)), lax.route(Complaint(RUBBISH))
    assert (water.decision, water.agency) == (Decision.AUTO, "perumdam")
    assert (rubbish.decision, rubbish.agency) == (Decision.AUTO, "dlh")
    for both in (f"{WATER}. {RUBBISH}", f"{RUBBISH}\n{WATER}", f"Dua hal: 1) {WATER} 2) {RUBBISH}", f"(a) {RUBBISH} (b) {WATER}"):
        routing = lax.route(Complaint(both))
        assert (routing.decision, routing.reasons) == (Decision.REVIEW, (Reason.SEVERAL_MATTERS,))
    assert lax.route(Complaint(RUBBISH, title=WATER)).reasons == (Reason.SEVERAL_MATTERS,)


def test_several_sentences_on_one_matter_are_one(lax: Router) -> None:
    assert lax.route(Complaint(f"{WATER}. {WATER}! Mohon air segera mengalir. Terima kasih.")).decision is Decision.AUTO


@pytest.mark.parametrize(
    ("sentence", "known", "sure", "decision"),
    [
        ("Sampah menumpuk dan bau", 4, True, Decision.REVIEW),
        ("Kartu keluarga KTP", 3, True, Decision.AUTO),
        ("Rumah kami di samping kantor Disdukcapil", 6, False, Decision.AUTO),
    ],
    ids=["enough words that leave no doubt", "too few words", "words that leave doubt"],
)
def test_a_sentence_is_another_matter_only_where_enough_words_leave_no_doubt(
    lax: Router, sentence: str, known: int, sure: bool, decision: Decision
) -> None:
    words = lax.reader.analyzer.words(Complaint(sentence))
    probabilities = lax.scorer.probabilities(words)
    assert lax.scorer.agencies[probabilities.argmax()] != "perumdam"
    assert (lax.scorer.known(words), probabilities.max() >= 0.95) == (known, sure)
    assert lax.route(Complaint(f"{WATER}. {sentence}.")).decision is decision


def test_a_part_is_scored_as_if_it_stood_alone(router: Router) -> None:
    texts = ["sampah di pasar tidak diangkut", "lampu jalan padam semua", "zzqx"]
    words = router.reader.analyzer.words(Complaint(". ".join(texts)))
    parts = zip(texts, *router.scorer.parts(router.scorer.scores(words), [0, 5, 9]), strict=True)
    for text, best, likely, known in parts:
        alone = router.reader.analyzer.words(Complaint(text))
        probabilities = router.scorer.probabilities(alone)
        assert (best, known) == (probabilities.argmax(), router.scorer.known(alone))
        assert likely == pytest.approx(probabilities.max(), abs=1e-5)


def test_sentences_end_at_signs_lines_and_fields(router: Router) -> None:
    complaint = Complaint("Jalan rusak parah! Tolong\nyth bapak, segera; terima kasih.", title="Jalan")
    words = router.reader.analyzer.words(complaint)
    opens = [words[place].text for place in sentences(words, complaint)]
    assert opens == ["jalan", "jalan", "tolong", "yang", "terima"]
    assert sentences([], Complaint("")) == []


@pytest.mark.parametrize(
    ("text", "opens"),
    [
        ("mau lapor 1) jalan rusak 2) lampu mati 3) air keruh", ["mau", "jalan", "lampu", "air"]),
        ("a) jalan b) lampu", ["a", "jalan", "lampu"]),
        ("(1) jalan (2)lampu", ["1", "jalan", "lampu"]),
        ("warga (RT 1) dan (RT 2) kehabisan air", ["warga"]),
        ("hanya 1) jalan rusak", ["hanya"]),
        ("rapat 12) kemarin 3) ini", ["rapat"]),
        ("1) jalan :) 2) lampu", ["1", "jalan", "lampu"]),
        ("panjang 1.5) lebar 2.5) meter", ["panjang", "5", "5"]),
    ],
)
def test_the_points_of_a_list_are_sentences_and_brackets_are_not(router: Router, text: str, opens: list[str]) -> None:
    words = router.reader.analyzer.words(Complaint(text))
    assert [words[place].text for place in sentences(words, Complaint(text))] == opens
