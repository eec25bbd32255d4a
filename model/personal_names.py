"""Mask the names of people, and of their accounts of social media.

A name is looked for behind a word that announces one ("nama saya", "Bu", "dipukul oleh"), and masked where it is no office ("Pak
Camat"), no street ("Jl. H. Agus Salim") and no ordinary word. How much counts as a name depends on the cue (`Trust`). Then
`model.bare_names` looks for those that nothing announces, and at last come those beside a name ("[NAMA] dan Rina") and who signs.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from enum import IntEnum
from typing import NamedTuple

from model import names
from model.bare_names import mask_bare

ME = "saya|sya|sy|aku|ulun|gw|gue|kulo|ambo|abdi|awak|beta"
"""How people call themselves: in full, in short, among friends, in the languages of regions."""
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
_NAME = rf"((?:{_WORD}{_GAP}){{0,4}}{_WORD})"
_EACH_WORD = re.compile(_WORD)


class Trust(IntEnum):
    """What a cue says of the words behind it: which of them count as a name. Each counts what the one before does, and more."""

    KNOWN = 0
    """Names that are known: with a capital, or such as are no other word."""
    PAIR = 1
    """Two words with capitals, of which the first is none of the language, or one is known."""
    CAPITAL = 2
    """A single word with a capital that is none of the language; a known name in small letters that is another word too."""
    RARE = 3
    """A word of the language with a capital, if it is a rare one."""
    ANY = 4
    """A word in small letters that is none of the language."""


_NAME_CUED = re.compile(
    rf"(?i)\b(nama (?:{ME}|lengkap|panggilan|pelapor|pemilik|pasien|pemohon|siswa|murid|korban|kepala keluarga|"
    r"(?:(?:ibu|bapak|ayah)(?: kandung)?|anak|suami|istri)(?: saya)?)(?: (?:adalah|yaitu|ialah))?|"
    r"namaku|jenengku|banamo|atas nama|bernama|panggilan(?:nya|ku)|(?:yg|yang|dengan|dgn) nama|"
    r"nama(?=[ \t]{0,15}:)|a/n|a\.n|an\.|(?<=\] )an|(?<=\] \()an|(?<=\], )an)"
    rf"(?:[ \t\u00a0]*[:.=,][ \t\u00a0]*|[ \t\u00a0]+){_NAME}"
)
_NAME_WORDS = frozenset(("nama", "namaku", "jenengku", "banamo", "bernama", "panggilannya", "panggilanku", "n", "an"))
_LETTERS = re.compile(r"[^\W\d_]+")
_BLANKS = r"[ \t\u00a0]+"
_OWNERS = frozenset((*ME.split("|"), "kami", "kita"))


class _Kind(NamedTuple):
    """A kind of cues: what is trusted behind one, what stands between the two, and whether the name may be in small letters."""

    trust: Trust
    behind: re.Pattern[str]
    small: bool = False


_NEXT = re.compile(rf"{_BLANKS}{_NAME}")
_NEXT_CAPITAL = re.compile(rf"{_BLANKS}(?=[A-Z]){_NAME}")
_DOTTED = re.compile(rf"(?:\.(?:{_BLANKS})?|{_BLANKS}){_NAME}")
_OPENED = re.compile(rf"(?:,| ?:)?{_BLANKS}\(?{_NAME}")
_QUALIFIED = re.compile(rf"(?:(?: (?:(?!dari|pada|untuk)[a-z]{{3,15}}|[A-Z]{{2,5}})){{0,2}}{_BLANKS}(?=[A-Z])|{_BLANKS}){_NAME}")
_KINDS = {
    "title": _Kind(Trust.CAPITAL, _NEXT, small=True),
    "dotted": _Kind(Trust.CAPITAL, _DOTTED, small=True),
    "ambiguous": _Kind(Trust.KNOWN, _NEXT_CAPITAL),
    "familiar": _Kind(Trust.RARE, _NEXT, small=True),
    "post": _Kind(Trust.KNOWN, _NEXT, small=True),
    "chair": _Kind(Trust.KNOWN, re.compile(rf"(?: ?\d{{1,3}})?{_BLANKS}{_NAME}"), small=True),
    "relative": _Kind(Trust.RARE, _OPENED, small=True),
    "party": _Kind(Trust.KNOWN, _OPENED, small=True),
    "self": _Kind(Trust.CAPITAL, re.compile(rf",?{_BLANKS}{_NAME}"), small=True),
    "done": _Kind(Trust.RARE, _NEXT_CAPITAL),
    "agent": _Kind(Trust.PAIR, _NEXT_CAPITAL),
    "company": _Kind(Trust.KNOWN, _NEXT_CAPITAL),
    "job": _Kind(Trust.KNOWN, _QUALIFIED, small=True),
}
"""By their names in `lexicon/announcing.tsv`, which tells what they are."""
_WHO = re.compile(
    r"(?i)(?: [^\W\d_]+){0,3}(?:,? (?:warga|dari|selaku|umur|usia|tinggal|alamat|beralamat|penduduk|ketua)\b|,? \[TELEPON\])"
)
"""What tells that the words in small letters behind "saya" were a name."""
_MARK = re.compile(r"\[NAMA\]")
_AND = re.compile(rf"(?: \(\d{{1,2}}[^()\n]{{0,8}}\))?,? (?:dan|sama|serta|&|bersama) (?=[A-Z]){_NAME}")
_LAST = re.compile(r"(?:[.!?)] ?|\n)(?:([-–—~]+) ?)?(?!A+m+i+n\b)((?:[A-Z][^\W\d_]*\.?[ \t\u00a0]+){0,3}[A-Z][^\W\d_]+)[.)]?\s*\Z")
"""What stands by itself at the end, a dash before it or not: who signs. Not all of a text, as of a form's field: a place."""
_MAX_SIGNATURE = 90
_PARTIES = "korban|pelaku|terlapor|saksi|tersangka|pelapor"
_SIGNED = re.compile(
    r"\b(?i:(?<!alamat )(?<!lokasi )(?<!domisili )"  # behind which a place stands
    r"(hormat saya|hormat kami|salam hormat|salam(?= ?,)|tertanda|ttd|wassalam(?:u ?alaikum)?(?: wr\.? ?wb)?|"
    rf"(?:pemohon|pengirim|penanggung jawab|(?:kontak|contact) person|cp|{_PARTIES})[ \t]{{0,15}}(?=:)))"
    rf"[\s:.,]{{1,6}}(?!(?i:ttd|tertanda)\b){_NAME}"
)
_SIGNED_WORDS = frozenset(
    (
        *("hormat", "salam", "tertanda", "ttd", "wassalam", "wassalamu", "wassalamualaikum"),
        *("pemohon", "pengirim", "penanggung", "person", "cp", *_PARTIES.split("|")),
    )
)
_CHAT = re.compile(
    r"(?m)(^[\[\u200e]{0,2}(?=\d)[\d/.:, ]{8,22}(?:\] | - )(?=[^:\n]{1,60}:)(?:~ ?)?\u2068?|@\u2068)"
    rf"{_NAME}"
)
"""Who wrote a message that was copied out of WhatsApp ("[30/11 08.12] Budi Santoso: ..."), and whom it mentions."""
_BIN = re.compile(r"(?i)(?<![ \t\u00a0])[ \t\u00a0]+(?:bin|binti)[ \t\u00a0]+")
_BIN_WORDS = frozenset(("bin", "binti"))
_BEFORE_BIN = re.compile(rf"(?:(?:{_WORD}{_GAP}){{0,2}}{_WORD})$")
_BEHIND_BIN = re.compile(rf"(?:{_WORD}{_GAP}){{0,2}}{_WORD}")
_NEAR = 90
_NEAR_PLACE = 30
"""Characters before a cue in which a word for a place is looked for."""
_TITLES = frozenset(("title", "dotted", "familiar", "ambiguous"))
"""Kinds of cues that are no part of the name behind another cue: "milik H. Hasan"."""
_OF_SOMEBODY = re.compile(r"(?i)\b(?:pasien|pemohon|siswa|murid|korban|keluarga|yg|yang|dengan|dgn)\b")
"""Whose names are talked of without being told ("nama siswa SMPN 2"): behind these only what is written as a name."""
_GLUED = re.compile(r"[A-Z]{2,}[a-z]+")
"""An abbreviation with a suffix: "Pak RTnya"."""


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
        text = _CHAT.sub(lambda match: _named(match, Trust.KNOWN), text)
    if not said.isdisjoint(_NAME_WORDS):
        text = _NAME_CUED.sub(lambda match: _named(match, Trust.RARE if _OF_SOMEBODY.search(match[1]) else Trust.ANY), text)
    if not names.announcing().keys().isdisjoint(said):
        text = _behind_cues(text)
    if not said.isdisjoint(_SIGNED_WORDS):
        text = _SIGNED.sub(lambda match: _named(match, Trust.CAPITAL), text)
    return _without_signature(_with_others(mask_bare(text, said)))


def _behind_cues(text: str) -> str:
    """Mask the names behind words that announce one; where none follows, another such word may: "Pak H. Budi", "Bu Bidan Rina"."""
    pieces: list[str] = []
    done = 0
    before: re.Match[str] | None = None
    for cue in _LETTERS.finditer(text):
        if cue[0].lower() in names.announcing() and cue.start() >= done and text[cue.start() - 1 : cue.start()] != "[":
            beside = before[0].lower() if before and not text[before.end() : cue.start()].strip(" \t\u00a0") else ""
            start, end = _name_behind(cue, beside)
            if end:
                pieces += (text[done:start], "[NAMA]")
                done = end
        before = cue
    return "".join((*pieces, text[done:])) if pieces else text


def _name_behind(cue: re.Match[str], before: str) -> tuple[int, int]:
    """Answer where the name behind a cue begins and ends, 0 and 0 where none is; `before` is the word before, or nothing."""
    word, text = cue[0].lower(), cue.string
    kind = _kind(word, before, dotted=text[cue.end() : cue.end() + 1] == ".")
    match = _KINDS[kind].behind.match(text, cue.end()) if kind in _KINDS else None
    if not match or (word == "dr" and match[0][0] == "." and match[0][1:2].strip()):  # "dr.Sangatta" is "dari"
        return 0, 0
    trust, _, small = _KINDS[kind]
    start = match.start(1)
    end = start + _name_length(match[1], trust, small=small)
    if kind == "self" and not _WHO.match(text, end):
        if not text[start].isupper():
            return 0, 0
        if before and before not in names.announcing():  # "rumah saya Kutawangi"
            end = start + _name_length(match[1], Trust.PAIR, small=small)
    if end == start or names.is_of_place(text[max(cue.start() - _NEAR_PLACE, 0) : cue.start()]):
        return 0, 0
    if kind == "job" and names.is_of_place(text[cue.end() : start]):
        return 0, 0
    if word == "dr" and match[1].split()[0].lower() in names.of_streets():  # "di Dr. Soetomo" is a hospital
        return 0, 0
    return start, end


def _kind(word: str, before: str, *, dotted: bool) -> str:
    """Answer of which kind a cue is, with the word before it and the full stop behind it."""
    kinds = names.announcing()
    if dotted and kinds[word] == "ambiguous":
        return "dotted"  # "dr." is no "dari"
    if word in _OWNERS and kinds.get(f"{before}nya") in ("relative", "party"):
        return kinds[f"{before}nya"]  # "istri saya", "fb saya"
    if word in ("h", "haji") and kinds.get(before) in ("title", "dotted"):
        return "dotted"
    if kinds[word] in ("agent", "company") and kinds.get(before) in ("done", "deed"):
        return "done"  # "dipukul oleh", "bertemu dengan"
    return kinds.get(f"{before} {word}", kinds[word])


def _with_others(text: str) -> str:
    """Mask who is named beside somebody: "[NAMA] dan Rina"."""
    pieces: list[str] = []
    done = 0
    for mark in _MARK.finditer(text):
        at = mark.end()
        while (match := _AND.match(text, at)) and (length := _name_length(match[1], Trust.CAPITAL, small=False)):
            pieces += (text[done : match.start(1)], "[NAMA]")
            done = at = match.start(1) + length
    return "".join((*pieces, text[done:])) if pieces else text


def _without_signature(text: str) -> str:
    if not (match := _LAST.search(text, max(len(text) - _MAX_SIGNATURE, 0))):
        return text
    length = _name_length(match[2], Trust.CAPITAL if match[1] else Trust.KNOWN, small=False)
    if length < len(match[2]) or names.is_of_place(text[max(match.start(2) - _NEAR_PLACE, 0) : match.start(2)]):
        return text
    if not names.of_streets().isdisjoint(match[2].lower().split()):
        return text
    return f"{text[: match.start(2)]}[NAMA]{text[match.end(2) :]}"


def _named(match: re.Match[str], trust: Trust) -> str:
    """Put a mark for the name behind a cue, the last group, where there is one and it is not that of a place."""
    start = match.start(match.re.groups)
    length = _name_length(match[match.re.groups], trust, small=True)
    if not length or names.is_of_place(match.string[max(match.start() - _NEAR_PLACE, 0) : match.start()]):
        return match[0]
    return f"{match[0][: start - match.start()]}[NAMA]{match.string[start + length : match.end()]}"


def _name_length(words: str, trust: Trust, *, small: bool) -> int:
    """Answer how many characters of the words behind a cue are the name; 0 where there is none.

    Where only known names are trusted, one may be in small letters if `small`, and no other word.
    """
    end = 0
    capital = told = rare = False
    for match in _EACH_WORD.finditer(words):
        word = match[0].rstrip(".")
        plain = word.lower().replace("'", "")
        known = plain in names.known()
        initial = len(word) == 1 and match[0].endswith(".")
        titled = names.announcing().get(plain) in _TITLES
        if (titled and not end and trust < Trust.ANY) or _GLUED.fullmatch(word) or plain in names.beside("place"):
            break
        short = initial or (plain in names.beside("short") and not titled)
        if word[0].isupper() and (plain in names.beside("part") or (short and not end)):
            continue  # "M. Yusuf", "Abd. Rasyid", "I Ketut", "La Ode": masked with the name, where one follows
        if end:
            if plain in names.beside("firm") and (word[0].isupper() == capital or not known):
                return 0
            # A further word is written as the first was. Initials belong to the name ("Budi S.").
            further = capital and word[0].isupper() and names.may_follow(word)
            fits = known or further or (capital and initial)
            told = told or known or (further and not rare)
        else:
            capital = word[0].isupper()
            rare = names.is_ordinary(plain)
            if known:
                fits = told = capital or trust > Trust.PAIR or (small and not rare)
            else:
                uncommon = capital and not word.isupper() and not names.is_common(plain)
                fits = trust > Trust.KNOWN and len(word) > 2 and (uncommon or (trust == Trust.ANY and not rare))
                told = trust >= (Trust.RARE if rare else Trust.CAPITAL)
        if not fits:
            break
        end = match.end() if len(word) == 1 else match.start() + len(word)
        if match[0].endswith(".") and len(word) > 1 and plain not in names.beside("short"):
            break  # a sentence ends
    return end if told else 0


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
    return plain in names.known() or plain in names.mostly() or (word[0].isupper() and plain not in names.common())


def _goes_on(word: str) -> bool:
    """Tell whether a further word belongs to the name."""
    plain = word.rstrip(".").lower()
    return plain in names.known() or (word[0].isupper() and len(plain) > 2 and not names.is_ordinary(plain))
