import copy
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import islice, product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from Sastrawi.Dictionary.ArrayDictionary import ArrayDictionary
from Sastrawi.Stemmer.Stemmer import Stemmer

from model import text as text_module
from model.complaint import Complaint
from model.faults import InvalidData
from model.text import (
    MAX_COLD_STEMS,
    MAX_TOKENS,
    MAX_WORD,
    Analyzer,
    Word,
    WordStemmer,
    load_abbreviations,
    load_exceptions,
    load_roots,
    normalise_word,
    read_lexicon,
    tokenise,
)

GOLDEN = Path(__file__).parents[1] / "golden" / "stems.tsv"
ANALYZER = Analyzer()
STEMMER = WordStemmer()

# Every character there is, lone surrogates too, with those that break tokenisers more often than chance would have them.
ANY_CHARACTER = st.one_of(
    st.characters(codec=None),
    st.sampled_from(
        "aAzZ eé2050\n\t\0_-'’.,/:[]&;\\#\u00ad\u0301\u200b\u200d\u202e\u2066\ufeffâ€™Â\u00a0Ãðâ\u009f²ªﬁﷺİßＡ𝐣٣🙏\ud800"
    ),
)
ANY_TEXT = st.lists(
    st.one_of(
        ANY_CHARACTER,
        st.sampled_from(
            [
                "jalan",
                "Rusak",
                "yg",
                "BandungMohon",
                "anak2",
                "[NAMA]",
                "https://x.id/a",
                "\\n",
                "\\u00a0",
                "_x000D_",
                "&amp;",
                "â€œ",
            ]
        ),
    ),
    max_size=40,
).map("".join)


def texts(written: str) -> list[str]:
    return [token.text for token in tokenise(written)]


def stems(written: str, analyzer: Analyzer = ANALYZER) -> list[str]:
    return [word.stem for word in analyzer.words(Complaint(written))]


def unknown_affixed_words(count: int) -> list[str]:
    return [
        f"penge{''.join(letters)}ikannyalah" for letters in islice(product("bdgjkl", "aiueo", "mnprst", "aiueo", "bdgjkl"), count)
    ]


def as_written(text: str) -> list[Word]:
    """The words of a text, of an abbreviation's only the first."""
    return [word for word in ANALYZER.words(Complaint(text)) if word.written]


# Offsets


@settings(max_examples=300, deadline=None)
@given(ANY_TEXT)
def test_offsets_point_at_the_word_in_the_original_whatever_the_text(written: str) -> None:
    end = 0
    for word in as_written(written):
        assert end <= word.start < word.end <= len(written)
        assert normalise_word(written[word.start : word.end]) == word.written
        end = word.end


def test_offsets_count_from_the_start_of_the_field_that_the_word_stands_in() -> None:
    complaint = Complaint(title="Lampu mati", text="  Mohon \U0001f64f diperbaiki")
    assert [(word.field, word.start, word.end, word.written) for word in ANALYZER.words(complaint)] == [
        ("title", 0, 5, "lampu"),
        ("title", 6, 10, "mati"),
        ("text", 2, 7, "mohon"),
        ("text", 10, 20, "diperbaiki"),
    ]


def test_span_of_a_word_names_field_and_place() -> None:
    word = ANALYZER.words(Complaint("ada jln rusak"))[1]
    assert (word.span.field, word.span.start, word.span.end, word.text) == ("text", 4, 7, "jalan")


def test_words_of_one_abbreviation_share_its_place() -> None:
    words = ANALYZER.words(Complaint("di RS Kudungga"))
    assert [(word.text, word.start, word.end) for word in words] == [
        ("di", 0, 2),
        ("rumah", 3, 5),
        ("sakit", 3, 5),
        ("kudungga", 6, 14),
    ]


def test_only_the_first_word_of_each_field_opens_it() -> None:
    words = ANALYZER.words(Complaint(title="RS penuh", text="Tolong ditambah"))
    assert [word.text for word in words if word.first] == ["rumah", "tolong"]


# What is a word, and what is not


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Jalan rusak\\nMohon diperbaiki", ["jalan", "rusak", "mohon", "diperbaiki"]),
        ("rusak\\nmohon\\r\\nsegera", ["rusak", "mohon", "segera"]),
        ("siang\\tengah hari\\tTotal", ["siang", "tengah", "hari", "total"]),
        ("air\\u00a0keruh _x000D_ bau", ["air", "keruh", "bau"]),
        ("di BandungMohon dicek, terimakasihWassalam", ["di", "bandung", "mohon", "dicek", "terimakasih", "wassalam"]),
        ("DISHUB, DisHub, IndiHOME dan faKTA", ["dishub", "dishub", "indihome", "dan", "fakta"]),
        ("katanyaâ€œsudahâ€\u009d selesai", ["katanya", "sudah", "selesai"]),
        ("mohon ðŸ™\u008f anakÂ² dan Â kafÃ©", ["mohon", "anak", "dan", "kaf"]),
        ("lihat https://contoh.id/a?b=c www.contoh.id/foto HTTP://X.ID ya", ["lihat", "ya"]),
        ("nama [NAMA] hp [TELEPON] di [Sangatta]", ["nama", "hp", "di", "sangatta"]),
        ("A&amp;B &quot;C&#39;s&quot; &#x27;", ["a", "b", "c", "s"]),
        ("kawan & rekan; R&D", ["kawan", "rekan", "r", "d"]),
        ("sholat jum'at, do’a, ma`af", ["sholat", "jumat", "doa", "maaf"]),
        ("ja\u00adlan ja\u200blan \u202ejalan\u202c ja\u0301lan", ["jalan", "jalan", "jalan", "jalan"]),
        ("ibu-ibu RT.05/RW_02 jl.poros", ["ibu", "ibu", "rt", "05", "rw", "02", "jl", "poros"]),
        ("air\0mati", ["air", "mati"]),
        ("3×4 meter", ["3", "4", "meter"]),
        ("\U0001f62d\U0001f44d\U0001f3fb ... !!! \ufeff", []),
        ("", []),
        (" \n\t ", []),
    ],
)
def test_a_text_is_split_into_its_words(written: str, expected: list[str]) -> None:
    assert texts(written) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("TOLONGGGG", "tolong"),
        ("maaaaf", "maf"),
        ("saat", "saat"),
        ("Ａｉｒ", "air"),
        ("𝐣𝐚𝐥𝐚𝐧", "jalan"),
        ("kafé", "kafe"),
        ("ﬁle", "file"),
        ("anak2", "anak"),
        ("anak²", "anak"),
        ("kira2nya", "kiranya"),
        ("orang2an", "orangan"),
        ("lamaaa2", "lama"),
        ("RT05", "rt"),
        ("covid19", "covid"),
        ("km12", "km"),
        ("m2", "m2"),
        ("b3", "b3"),
        ("sp4n", "sp4n"),
        ("3kg", "3kg"),
        ("112", "112"),
        ("1110", "1110"),
        ("00000", "0"),
        ("6408011203", "0"),
        ("İ", "i"),
        ("x" * 1000, "x"),
        ("xy" * 1000, "xy" * (MAX_WORD // 2)),
        ("\u0301\u200b", ""),
        ("\ud800", ""),
    ],
)
def test_a_written_word_has_one_normal_form(written: str, expected: str) -> None:
    assert normalise_word(written) == expected


@settings(max_examples=300, deadline=None)
@given(ANY_TEXT)
def test_any_string_has_a_normal_form_that_stays_as_it_is(written: str) -> None:
    word = normalise_word(written)
    assert len(word) <= MAX_WORD
    assert word == "" or word.isalnum()
    assert normalise_word(word) == word


@settings(max_examples=200, deadline=None)
@given(ANY_TEXT, ANY_TEXT)
def test_any_complaint_is_read_without_an_error_and_the_same_way_each_time(title: str, written: str) -> None:
    complaint = Complaint(title=title, text=written)
    words = ANALYZER.words(complaint)
    assert all(word.text and word.stem for word in words)
    assert ANALYZER.words(complaint) == words
    abbreviations = load_abbreviations()
    tokens = [token for _, content in complaint.fields for token in tokenise(content, abbreviations)]
    assert [word.text for word in words] == [word for token in tokens for word in token.words]


def test_words_of_the_analyzer_were_written_as_tokenise_says() -> None:
    written = "Yth. Bpk, jln di RS rusak yg parah2 [NAMA] ﷺ²"
    assert [word[3:5] + word[6:] for word in as_written(written)] == [token[:3] for token in tokenise(written)]


@settings(max_examples=300, deadline=None)
@given(ANY_TEXT, ANY_TEXT)
def test_reading_piece_by_piece_gives_the_words_of_the_whole_text(one: str, other: str) -> None:
    written = f"{one} {other}"
    assert [word[3:5] + word[6:] for word in as_written(written)] == [token[:3] for token in tokenise(written)]


# Bounds


@pytest.mark.parametrize(
    "pattern",
    [
        "a",
        "aA",
        "abcDe",
        "a'",
        "'",
        "a\u200b",
        "\u0301\u0316",
        "\\n",
        "http:/",
        "https://",
        "www.",
        "[NAMA",
        "[",
        "&#1",
        "Ã",
        "â€",
        "ð\u009f",
        "_x",
        "0",
        "a ",
        "\u202ea ",
        "\0",
        "\ud800",
        "\ufdfa",
        "\U0001f64f",
        "\\u12",
        " ",
    ],
)
def test_a_megabyte_of_anything_is_read_in_linear_time(pattern: str) -> None:
    written = (pattern * (1_000_000 // len(pattern)))[:1_000_000]
    start = time.process_time()
    count = sum(1 for _ in tokenise(written))
    assert time.process_time() - start < 2
    assert count <= MAX_TOKENS


def test_a_megabyte_of_accents_on_one_letter_is_cheap() -> None:
    start = time.process_time()
    assert normalise_word("a" + "\u0301\u0316" * 500_000) == "a"
    assert time.process_time() - start < 0.5


def test_no_more_than_the_bound_of_words_is_read() -> None:
    assert len(ANALYZER.words(Complaint("a " * 9_000))) == MAX_TOKENS


def test_words_after_the_bound_of_stems_stand_as_they_are() -> None:
    words = [f"menolong{first}{second}" for first in "bcdfghjklm" for second in "bcdfghjklmnp"]
    known = "memperbaiki"
    before, after = stems(f"{known} {' '.join(words)}"), stems(f"{' '.join(words)} {known}")
    assert len(words) > MAX_COLD_STEMS
    assert before[0] == "baik"
    assert after[-1] == known


def test_roots_and_exceptions_do_not_count_towards_the_bound_of_stems() -> None:
    roots = [root for root in sorted(load_roots()) if len(root) == 6][: 2 * MAX_COLD_STEMS]
    assert stems(f"{' '.join(roots)} memperbaiki kerusakan")[-2:] == ["baik", "rusak"]


def test_stems_do_not_depend_on_what_was_read_before() -> None:
    long = Complaint(" ".join(unknown_affixed_words(2 * MAX_COLD_STEMS)) + " memperbaiki")
    fresh, warm = Analyzer(), Analyzer()
    for word in long.text.split():
        warm.stemmer.stem(word)
        warm.words(Complaint(word))
    assert fresh.words(long) == warm.words(long)


def test_a_hostile_text_of_unknown_affixed_words_is_read_fast() -> None:
    complaint = Complaint(" ".join(unknown_affixed_words(2_000)))
    analyzer = Analyzer()
    start = time.process_time()
    words = analyzer.words(complaint)
    assert time.process_time() - start < 2.0  # some 60 ms on an idle machine
    assert len(words) > 500


def test_a_known_text_is_read_in_microseconds() -> None:
    complaint = Complaint("Lampu jalan poros mati sudah seminggu, warga takut melintas malam hari, mohon segera diperbaiki. " * 3)
    ANALYZER.words(complaint)
    start = time.process_time()
    for _ in range(200):
        ANALYZER.words(complaint)
    assert (time.process_time() - start) / 200 < 0.0005  # some 45 microseconds on an idle machine


def test_a_full_cache_changes_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    complaint = Complaint("Mohon perbaikan jalan dan penerangan, kerusakannya parah, jln berlubang, mohon perbaikan jalan")
    monkeypatch.setattr(text_module, "CACHE_SIZE", 2)
    assert Analyzer().words(complaint) == ANALYZER.words(complaint)


def test_threads_share_one_analyzer_with_a_cache_that_overflows(monkeypatch: pytest.MonkeyPatch) -> None:
    golden = [line.split("\t")[0] for line in GOLDEN.read_text(encoding="utf-8").splitlines() if "\t" in line]
    complaints = [Complaint(" ".join(golden[start : start + 30])) for start in range(0, 270, 10)]
    expected = [ANALYZER.words(complaint) for complaint in complaints]
    monkeypatch.setattr(text_module, "CACHE_SIZE", 7)
    shared = Analyzer()
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(shared.words, complaints * 4)) == expected * 4


# Stems


def test_stems_are_the_golden_ones() -> None:
    rows = [line.split("\t") for line in GOLDEN.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    wrong = {word: STEMMER.stem(word) for word, stem in rows if STEMMER.stem(word) != stem}
    assert len(rows) >= 250
    assert wrong == {}


@pytest.mark.parametrize("word", ["", "0", "b3", "é", "ok", "dan", "qwxz"])
def test_what_has_no_affix_is_its_own_stem(word: str) -> None:
    assert STEMMER.stem(word) == word


def test_names_of_places_are_protected_word_by_word() -> None:
    stemmer = WordStemmer(["Sandaran", "Tepian Langsat"])
    assert [stemmer.stem(word) for word in ("sandaran", "tepian", "langsat", "perbaikan")] == [
        "sandaran",
        "tepian",
        "langsat",
        "baik",
    ]
    assert STEMMER.stem("sandaran") == "sandar"


def test_every_exception_changes_what_the_library_says() -> None:
    stock = Stemmer(ArrayDictionary(load_roots()))
    assert [word for word, stem in load_exceptions().items() if stock.stem_word(word) == stem] == []


def test_the_stem_of_an_exception_is_a_stem() -> None:
    assert {word: stem for word, stem in load_exceptions().items() if STEMMER.stem(stem) != stem} == {}


def test_a_copy_reads_alike_and_starts_with_an_empty_cache() -> None:
    analyzer = Analyzer(["Sandaran"])
    other = copy.deepcopy(analyzer)
    complaint = Complaint("Perbaikan jln di Sandaran")
    assert other is not analyzer
    assert other.words(complaint) == analyzer.words(complaint)
    assert other.stemmer.digest == analyzer.stemmer.digest


def test_digest_depends_on_the_protected_words_and_not_on_their_order() -> None:
    assert WordStemmer(["Sandaran", "Kaubun"]).digest == WordStemmer(["kaubun", "SANDARAN"]).digest
    assert WordStemmer(["Sandaran"]).digest != STEMMER.digest


# Lexicons


def test_abbreviations_are_expanded_in_one_step() -> None:
    forms = load_abbreviations()
    assert {form: words for form, words in forms.items() if any(word in forms for word in words)} == {}
    assert 300 <= len(forms) <= 600


def test_names_of_agencies_and_services_are_not_expanded() -> None:
    acronyms = "pju pdam pln bpjs ktp kk kua sim stnk skck spbu dishub dinsos disdukcapil satpol rsud bpn dprd kpu"
    assert set(acronyms.split()) & set(load_abbreviations()) == set()


@pytest.mark.parametrize(
    ("written", "level"), [("SDN 004", "sd"), ("SMPN1", "smp"), ("sman 2", "sma"), ("SMKN", "smk"), ("SLTA", "sma")]
)
def test_a_state_school_is_read_as_what_it_is(written: str, level: str) -> None:
    assert next(tokenise(written, abbreviations=load_abbreviations())).words == (level,)


def test_what_has_two_common_meanings_is_not_expanded() -> None:
    ambiguous = "dr kel sm sd smp km kt tk dpt spt pkl bkn ttg"
    assert set(ambiguous.split()) & set(load_abbreviations()) == set()


def test_abbreviations_and_exceptions_do_not_compete_for_a_word() -> None:
    assert set(load_abbreviations()) & set(load_exceptions()) == set()


def test_every_fault_of_a_lexicon_is_named_with_its_line() -> None:
    content = "# comment\n\nyg\tyang\nYth\tyang\nkab kabupaten\nyg\tyang\nrs\trumah sakit umum\nds\tDesa"
    with pytest.raises(InvalidData) as caught:
        read_lexicon(content, "words.tsv", most=2)
    assert [str(fault) for fault in caught.value.faults] == [
        "words.tsv:4: must be a normalised form, a tab, and 1 to 2 normalised words",
        "words.tsv:5: must be a normalised form, a tab, and 1 to 2 normalised words",
        "words.tsv:6: 'yg' stands already above",
        "words.tsv:7: must be a normalised form, a tab, and 1 to 2 normalised words",
        "words.tsv:8: must be a normalised form, a tab, and 1 to 2 normalised words",
    ]
