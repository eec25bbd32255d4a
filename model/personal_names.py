"""Mask the names of people, and of their accounts of social media.

A name is looked for behind a word that announces one ("nama saya", "a/n", "Bu"), and masked where it is no office ("Pak Camat"),
no street ("Jl. H. Agus Salim") and no ordinary word. Then `model.bare_names` looks for those that nothing announces.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from model import names
from model.bare_names import mask_bare

ME = "saya|sya|sy|aku|ulun"
"""How people call themselves: in full, in short, among friends, in Banjar."""
_MEDIA = "facebook|fb|instagram|ig|tiktok|twitter|telegram|threads"
_MEDIA_WORDS = frozenset(_MEDIA.split("|"))
_HANDLE = re.compile(
    rf"(?<![\w.@])@([a-zA-Z][\w.]{{1,28}}\w)|(?i:\b(?:{_MEDIA}) ?: ?)(?=[a-zA-Z.]{{0,28}}[\d_.]\w)([a-zA-Z][\w.]{{1,28}}\w)"
)
"""The name of an account: "@budi_99", "IG: rina.wati"."""
_OF_OFFICE = re.compile(
    r"kutim|kaltim|kota|pemkab|pemkot|pemprov|pemdes|kecamatan|kelurahan|^desa[._]|kantor|dinas|badan|balai|bagian|sekretariat|inspekt|"
    r"dinkes|dinsos|dishub|disdik|dukcapil|kominfo|humas|lapor|resmi|official|info|polres|polsek|polda|polisi|pol_pp|lantas|satpol|"
    r"damkar|basarnas|dp2kb|dp3a|dprd|kement|menteri|pengawas|rsud|^rs[._]|^rsjd?|bpjs|bank|pdam|perumdam"
)
"""What the account of an office has in its name: it tells whom a complaint is about, and is nobody's."""

_WORD = r"[^\W\d_]+(?:['’][^\W\d_]+)?\.?"
_GAP = r"(?:[ \t\u00a0]+|(?<=\b[^\W\d_]\.))"
"""What parts two words of a name: blanks, or nothing behind an initial ("M.Yusuf")."""


def _opening(words: Iterable[str]) -> str:
    """Write a look at the first letter of words: where it is none of theirs, as nearly everywhere, none of them is tried."""
    return f"(?=[{''.join(sorted({word[0] for word in words}))}])"


_NAME_CUED = re.compile(
    rf"(?i)\b(nama (?:{ME}|lengkap|panggilan|pelapor|pemilik|pasien|pemohon|siswa|murid|korban|kepala keluarga|"
    r"(?:(?:ibu|bapak|ayah)(?: kandung)?|anak|suami|istri)(?: saya)?)(?: (?:adalah|yaitu|ialah))?|"
    r"namaku|jenengku|atas nama|bernama|(?:yg|yang|dengan|dgn) nama|"
    r"nama(?=[ \t]{0,15}:)|a/n|a\.n|an\.|(?<=\] )an|(?<=\] \()an|(?<=\], )an)"
    rf"(?:[ \t\u00a0]*[:.=,][ \t\u00a0]*|[ \t\u00a0]+)((?:{_WORD}{_GAP}){{0,3}}{_WORD})"
)
_NAME_WORDS = frozenset(("nama", "namaku", "jenengku", "bernama", "n", "an"))
_POSTS = (
    "kades|lurah|camat|ketua rt|ketua rw|rt|kadus|sekdes|kepsek|kepala desa|kepala sekolah|kepala dusun|guru|mandor|dokter|bidan|"
    "perawat|satpam|suster|bripda|briptu|brigadir|bripka|aipda|aiptu|ipda|iptu|akp|kompol|serda|sertu|serka|kopda|praka"
)
_FAMILIAR = (
    "om|tante|kak|bang|abang|pakde|bude|mbah|cak|bos|acil|julak|nek|kai|mang|koh|cik|pace|mace|lae|habib|daeng|gus|oma|opa|wak|"
    "pakcik|makcik|si"
)
_TITLES = (
    f"{_FAMILIAR}|bapak|pak|ibu|bu|tuan|nyonya|nona|saudari|saudara|mas|mbak|mba|kang|ustadz|ustad|haji|hajah|almarhumah|almarhum|"
    f"{_POSTS}"
)
_DOTTED = "bpk|tn|ny|nn|sdri|sdr|ust|hj|h|drg|drs|dra|dr|alm"
_TITLE_WORDS = frozenset(title.split()[0] for title in f"{_TITLES}|{_DOTTED}".split("|"))
_HONORIFIC = re.compile(
    rf"\b(?i:{_opening(_TITLE_WORDS)}({_TITLES}|ketua r[tw] ?\d{{1,3}}|(?:{_DOTTED})\.?))"
    rf"(?:[ \t\u00a0]+|(?<=\.)(?<!\b[Dd][Rr]\.))((?:{_WORD}{_GAP}){{0,3}}{_WORD})"  # "Hj.Siti"; but "dr.Sangatta" is "dari"
)
_RELATIVES = (
    "suami|isteri|istri|anak|adik|kakak|ibu|bapak|ayah|mertua|menantu|orang tua|kakek|nenek|paman|bibi|tante|keponakan|sepupu|cucu|"
    "teman|tetangga"
)
_PARTIES = "korban|pelaku|terlapor|saksi|tersangka|pelapor"
_KIN_WORDS = frozenset(f"{word.split()[0]}{ending}" for word in _RELATIVES.split("|") for ending in ("", "nya", "ku"))
_KIN = re.compile(
    rf"\b(?i:{_opening(_KIN_WORDS)}((?:{_RELATIVES})(?:nya|ku| (?:{ME}|kami|kita))))"
    rf"(?:,| ?:)?[ \t\u00a0]+\(?((?:{_WORD}{_GAP}){{0,3}}{_WORD})"
)
_PARTY_WORDS = frozenset(("namanya", *_PARTIES.split("|"), *_MEDIA.split("|")))
_PARTY = re.compile(
    rf"\b(?i:{_opening(_PARTY_WORDS)}(namanya|{_PARTIES}|(?:{_MEDIA})(?: (?:{ME}|kami))?))"
    rf"(?:,| ?:)?[ \t\u00a0]+\(?((?:{_WORD}{_GAP}){{0,3}}{_WORD})"
)
_SELF = re.compile(
    rf"\b(?i:(perkenalkan (?:{ME})|perkenalkan|{ME})),?[ \t\u00a0]+((?:{_WORD}{_GAP}){{0,3}}?{_WORD})"
    r"(?=,? (?i:warga|dari|selaku|umur|usia|tinggal|alamat|beralamat|penduduk|ketua)\b)"
)
_SELF_WORDS = frozenset((*ME.split("|"), "perkenalkan"))
_SIGNED = re.compile(
    r"\b(?i:(?<!alamat )(?<!lokasi )(?<!domisili )"  # behind which a place stands
    r"(hormat saya|hormat kami|salam hormat|salam(?= ?,)|tertanda|ttd|wassalam(?:u ?alaikum)?(?: wr\.? ?wb)?|"
    rf"(?:pemohon|pengirim|penanggung jawab|(?:kontak|contact) person|cp|{_PARTIES})[ \t]{{0,15}}(?=:)))"
    rf"[\s:.,]{{1,6}}(?!(?i:ttd|tertanda)\b)((?:{_WORD}{_GAP}){{0,3}}{_WORD})"
)
_SIGNED_WORDS = frozenset(
    (
        *("hormat", "salam", "tertanda", "ttd", "wassalam", "wassalamu", "wassalamualaikum"),
        *("pemohon", "pengirim", "penanggung", "person", "cp", *_PARTIES.split("|")),
    )
)
_CHAT = re.compile(
    r"(?m)(^[\[\u200e]{0,2}(?=\d)[\d/.:, ]{8,22}(?:\] | - )(?=[^:\n]{1,60}:)(?:~ ?)?\u2068?|@\u2068)"
    rf"((?:{_WORD}{_GAP}){{0,3}}{_WORD})"
)
"""Who wrote a message that was copied out of WhatsApp ("[30/11 08.12] Budi Santoso: ..."), and whom it mentions."""
_BIN = re.compile(r"(?i)(?<![ \t\u00a0])[ \t\u00a0]+(?:bin|binti)[ \t\u00a0]+")
_BIN_WORDS = frozenset(("bin", "binti"))
_BEFORE_BIN = re.compile(rf"(?:(?:{_WORD}{_GAP}){{0,2}}{_WORD})$")
_BEHIND_BIN = re.compile(rf"(?:{_WORD}{_GAP}){{0,2}}{_WORD}")
_NEAR = 90
_TITLE_BEFORE = re.compile(r"(?i)\b(?:bapak|pak|ibu|bu|bpk)\.?[ \t\u00a0]+$")
_OF_SOMEBODY = re.compile(r"(?i)\b(?:pasien|pemohon|siswa|murid|korban|keluarga|yg|yang|dengan|dgn)\b")
"""Whose names are talked of without being told ("nama siswa SMPN 2"): behind these only what is written as a name."""
_GLUED = re.compile(r"[A-Z]{2,}[a-z]+")
"""An abbreviation with a suffix: "Pak RTnya"."""
_CAPITAL = frozenset(("h", "haji", "dr", "mas", "ny", "tn", "nn"))
"""Cues that often mean something else ("dr" is "dari", "mas kawin"; "dr." is not): behind them only known names with a capital."""
_WEAK = frozenset((*_CAPITAL, *_POSTS.split("|")))
"""Cues behind which only known names count: with a capital, or such as are no other word."""


def mask_accounts(text: str, said: AbstractSet[str]) -> str:
    """Put marks for accounts of social media. `said` are the words of the text, in lower case."""
    return _HANDLE.sub(_account, text) if "@" in text or not said.isdisjoint(_MEDIA_WORDS) else text


def _account(match: re.Match[str]) -> str:
    """Put a mark for the name of an account that is somebody's: not an office's, and not "@orang" or "@Rp" of a price."""
    name = (match[1] or match[2]).lower()
    parts = [part for part in re.split(r"[._\d]+", name) if part]
    if _OF_OFFICE.search(name) or parts[0] == "rp" or any(part in names.offices() for part in parts) or names.is_ordinary(name):
        return match[0]
    start = match.start(1 if match[1] else 2) - match.start()
    return f"{match[0][: max(start - 1, 0) if match[1] else start]}[NAMA]"


def mask_names(text: str, said: AbstractSet[str]) -> str:
    """Put marks for the names of people. `said` are the words of the text, in lower case."""
    if not said.isdisjoint(_BIN_WORDS):  # first: what a cue masks leaves "bin" behind a mark, and the father's name behind that
        text = _with_parents(text)
    if ":" in text or "\u2068" in text:
        text = _CHAT.sub(lambda match: _named(match, strong=False, weak=True), text)
    if not said.isdisjoint(_NAME_WORDS):
        text = _NAME_CUED.sub(lambda match: _named(match, strong=not _OF_SOMEBODY.search(match[1])), text)
    if not said.isdisjoint(_TITLE_WORDS):
        text = _behind_titles(text)
    if not said.isdisjoint(_KIN_WORDS):
        text = _KIN.sub(lambda match: _named(match, strong=False), text)
    if not said.isdisjoint(_PARTY_WORDS):
        text = _PARTY.sub(lambda match: _named(match, strong=False, weak=True), text)
    if not said.isdisjoint(_SIGNED_WORDS):
        text = _SIGNED.sub(lambda match: _named(match, strong=False), text)
    if not said.isdisjoint(_SELF_WORDS):
        text = _SELF.sub(lambda match: _named(match, strong=False), text)
    return mask_bare(text, said)


def _behind_titles(text: str) -> str:
    """Mask the names behind titles; where no name follows one, another title may: "Pak H. Budi", "Bu Bidan Rina"."""
    pieces: list[str] = []
    done = at = 0
    while match := _HONORIFIC.search(text, at):
        told = _named(match, strong=False)
        if told == match[0]:
            at = match.end(1)
            continue
        pieces += (text[done : match.start()], told)
        done = at = match.end()
    return "".join((*pieces, text[done:])) if pieces else text


def _named(match: re.Match[str], *, strong: bool, weak: bool = False) -> str:
    """Put a mark for the name behind a cue, where there is one and cue and name are not those of a place.

    A `strong` cue announces a name, so that one in small letters counts too. Behind a `weak` one only known names count.
    """
    cue, words = match[1].lower().rstrip("0123456789 "), match[2]  # "ketua RT 12" is as weak a cue as "ketua RT"
    before = match.string[max(match.start() - 30, 0) : match.start()]
    weak = weak or (cue in _WEAK and not (cue in ("h", "haji") and _TITLE_BEFORE.search(before)))
    length = _name_length(words, strong=strong, weak=weak, small=cue not in _CAPITAL)
    if not length or names.is_of_place(before) or (cue.startswith("dr") and words.split()[0].lower() in names.of_streets()):
        return match[0]  # "di Dr. Soetomo" is a hospital
    start = match.start(2) - match.start()
    return match[0][:start] + "[NAMA]" + match[0][start + length :]


def _name_length(words: str, *, strong: bool, weak: bool, small: bool) -> int:
    """Answer how many characters of the words behind a cue are the name; 0 where there is none.

    `strong` and `weak` as for `_named`. Behind a weak cue a known name may be in small letters if `small`, and no other word.
    """
    end = 0
    capital = False
    for match in re.finditer(_WORD, words):
        word = match[0].rstrip(".")
        if _GLUED.fullmatch(word):
            break
        if not end and len(word) == 1 and word.isupper() and (word == "I" or match[0].endswith(".")):
            continue  # "M. Yusuf", "I Ketut": masked with the name, where one follows
        plain = word.lower()
        known = plain in names.known()
        if end > 0:
            # A second word is written as the first was. Initials belong to the name ("Budi S.").
            initial = len(word) == 1 and match[0].endswith(".")
            fits = known or (capital and word[0].isupper() and (initial or (len(word) > 2 and not names.is_ordinary(plain))))
        else:
            capital = word[0].isupper()
            if known:
                fits = capital or not weak or (small and not names.is_ordinary(plain))
            else:
                titled = capital and not word.isupper()
                fits = not weak and len(word) > 2 and (strong or titled) and not names.is_ordinary(plain)
        if not fits:
            break
        end = match.end() if len(word) == 1 else match.start() + len(word)
    return end


def _with_parents(text: str) -> str:
    """Mask all of both names of "Siti Aminah binti Ahmad Yani", not the word "bin" of "tong bin sampah"."""
    pieces: list[str] = []
    done = 0
    for match in _BIN.finditer(text):
        behind = _BEHIND_BIN.match(text, match.end(), match.end() + _NEAR)
        if not behind or not _may_be_parent(behind[0].split()[0]):
            continue  # "tong bin sampah": what stands before is the dearer to look for
        before = _BEFORE_BIN.search(text, max(done, match.start() - _NEAR), match.start())
        if not before or not _may_be_parent(before[0].split()[-1]):
            continue
        start, end = before.end(), behind.start()
        for word in reversed(list(re.finditer(r"\S+", before[0]))):
            if start < before.end() and not _goes_on(word[0]):
                break
            start = before.start() + word.start()
        for word in re.finditer(r"\S+", behind[0]):
            if end > behind.start() and not _goes_on(word[0]):
                break
            end = behind.start() + word.end()
        pieces += (text[done:start], "[NAMA]")
        done = end
    return "".join((*pieces, text[done:])) if pieces else text


def _may_be_parent(word: str) -> bool:
    plain = word.rstrip(".").lower()
    return plain in names.known() or (word[0].isupper() and plain not in names.common())


def _goes_on(word: str) -> bool:
    """Tell whether a further word belongs to the name."""
    plain = word.rstrip(".").lower()
    return plain in names.known() or (word[0].isupper() and len(plain) > 2 and not names.is_ordinary(plain))
