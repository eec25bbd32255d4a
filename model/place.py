"""Kecamatan, desa and roads named in a complaint, and what they and the form together say of the place.

Names are compared without their spaces and in a folded spelling, so that "Sangata", "Jemur Wonosari" and
"jemurwonosari", "Dabek" and "Dabeq" are found as they come. The words are walked once; the longest name wins.
A name that is also an ordinary word (Saka, Telaga) counts only behind a word like "desa", or where the form agrees.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import compress
from operator import attrgetter
from typing import NamedTuple

from model.register import ROAD_WORDS, Agency, Place, Register
from model.remembered import Remembered
from model.routing import FoundPlace, Span
from model.text import CACHE_SIZE, Word, load_abbreviations, load_roots, tokenise

MAX_GAP = 3
"""Characters between two words of one name: "Sangatta - Bengalon" has three."""
_COMMA = 2
"""Characters of a comma and a blank: between two names they make a list, where a blank or a dash makes a way or one address."""
MIN_TYPO = 7
"""Letters of a word in a name from which a missing, added or swapped letter or a wrong vowel is forgiven."""
MIN_WRONG_LETTER = 10
"""Letters from which a wrong consonant is forgiven too."""
MAX_CANDIDATES = 7
"""Places that are told where several are possible."""
MIN_FOLDED = 5
"""Letters from which a word is recognised in another spelling at all."""
_LONGEST = 12
"""Words of a form's field that are looked at."""
_MAX_FILLERS = 4
"""Words like "ke" that are stepped over within one road's name."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Papua, Yogyakarta, Aceh, West Sumatra and Lampung have names of their own for the two.
_KECAMATAN_CUES = _words("kecamatan kec camat sekcam distrik kapanewon kemantren")
_DESA_CUES = _words("desa ds kelurahan kel lurah kades dusun dsn kampung kampong kp kpg kalurahan gampong nagari pekon")
_LOCAL = _words(
    "warga masyarakat penduduk pesisir pantai nelayan wisata puskesmas pustu polindes posyandu polsek koramil kua"
    " sd sdn smp smpn sma sman smk smkn"
)
"""What no ordinary word follows as often as a name: proof enough even for Saka."""
_REMOTE = _words("ke ka dari dr arah menuju tujuan jurusan sampai sampe hingga sungai jalan jl jln ruas poros raya")
"""What speaks of a place that one comes from or goes to, or that a river or road is named after: weaker than where something is."""
_NEAR = _words(
    "di asal daerah wilayah kawasan pasar simpang pelabuhan jembatan antara alamat lokasi ujung depan dekat sekitar neng nang ning"
)
_PREPOSITIONS = _words("di ke ka dari dr menuju")
_CUES = _KECAMATAN_CUES | _DESA_CUES | _LOCAL | _REMOTE | _NEAR
_NOT_PLACES = _words(
    "pt cv ud pd toko warung wr rm kios bengkel hotel koperasi kud perumahan perum griya villa gang gg apotek klinik kapal"
    " kelompok poktan gapoktan kwt"
)
"""What stands before the name of a business, a housing estate, an alley or a group, not of a place."""
_NAMESAKES = _words("rs rsu rsud sakit bandara bandar udara airport stadion universitas")
"""What else is named after the men that roads are named after, and stands in another town: hospitals and airports."""
_PERSONS = _words("pak bapak bpk bu ibu sdr sdri saudara haji hj ustad ustadz om tante mas mbak")
_AND = _words("dan serta sama atau")
_POSSESSIVES = _words("kami kita kito saya sy ku ulun tercinta")
"""What may stand between "desa" and its name: "desa kami Senyiur"."""
_SHORT = {
    "tanjung": ("tj", "tjg"),
    "teluk": ("tlk",),
    "muara": ("mra",),
    "batu": ("bt",),
    "bukit": ("bkt",),
    "danau": ("dn",),
    "pulau": ("pl",),
    "gunung": ("gn",),
    "sungai": ("sei",),
    "simpang": ("simp", "spg"),
}
"""How maps and people shorten the first word of a name: "Tj. Labu", "Tlk. Lingga". One that is also something else is none
("MA Bengalon" is a school)."""

_JALAN = ROAD_WORDS - {"poros"}
_FILLERS = _words("ke ka dari dr arah menuju sampai antara nuju neng arep dan lintas")
"""What may stand between the words of a road: "jalan dari Sangatta ke Bengalon"."""
_WRITTEN = attrgetter("written")
_ROAD, _TRUNK = "J", "P"
"""What a key has for a word like "jalan" and for "poros"; folded words are lower-case, so none is mistaken for these."""

_FOLDS = re.compile(r"oe|dj|tj|sj|([bdgkt])h|ph|(?<=a)w\b|[vfqyzx]")
_FOLDED = {
    "w": "u",
    "oe": "u",
    "dj": "j",
    "tj": "c",
    "sj": "si",
    "ph": "p",
    "v": "p",
    "f": "p",
    "q": "k",
    "y": "i",
    "z": "s",
    "x": "ks",
}
_DOUBLED = re.compile(r"(.)\1+")
_PREFIXES = _words("pe pem pen peng peny per pel me mem men meng meny ber be ter te se ke di")
_SUFFIXES = _words("an kan nya annya kannya i lah ku mu")


def fold(word: str) -> str:
    """Fold a normalised word into the spelling that names are compared in: "sangatta" and "sangata" are one."""
    return _DOUBLED.sub(r"\1", _FOLDS.sub(lambda match: match[1] or _FOLDED[match[0]], word))


class ResolvedPlace(NamedTuple):
    """What text and form together say of the place.

    `kecamatan` and `desa` are empty where unknown. `candidates` are the places still possible, the likeliest first:
    one where the place is known. `conflict`: text and form cannot both be right; the form's place then stands first.
    """

    kecamatan: str = ""
    desa: str = ""
    conflict: bool = False
    candidates: tuple[Place, ...] = ()


class _Meaning(NamedTuple):
    """What a name stands for; `caution` says behind which words it counts.

    0 any, 1 one like "di", 2 one like "desa", 3 a preposition: "sgt" is Sangatta in "di sgt", but "jalan sgt rusak" is "sangat".
    """

    kind: str
    name: str
    kecamatan: str = ""
    desa: str = ""
    road_class: str = ""
    caution: int = 0


class _Form(NamedTuple):
    """The form's place: known, or one of several; `torn` where its desa does not lie in its kecamatan."""

    place: Place | None = None
    possible: tuple[Place, ...] = ()
    torn: bool = False


class _Mention(NamedTuple):
    """The places that a name in the text may stand for, and how the text speaks of it."""

    places: tuple[Place, ...]
    cue: str
    is_road: bool

    @property
    def kecamatan(self) -> frozenset[str]:
        return frozenset(place.kecamatan for place in self.places)

    @property
    def strength(self) -> int:
        """3 for "desa Kolek" or "Kec. Kaubun", 2 for "di Kolek" or "Kolek", 1 for "ke Kolek", 0 for a road."""
        if self.is_road:
            return 0
        return 3 if self.cue in _KECAMATAN_CUES or self.cue in _DESA_CUES else 1 if self.cue in _REMOTE else 2


class PlaceFinder:
    """Finds the names of one register. Compiled once; threads may share it."""

    def __init__(self, register: Register) -> None:
        """Compile the names of a register: some 20 ms."""
        self._register = register
        self._roots = load_roots()
        self._kecamatan = {name: Place(name, type="kecamatan") for name in register.kecamatan}
        self._kecamatan |= {place.kecamatan: place for place in register.places if not place.desa}
        self._desa = {(place.kecamatan, place.desa): place for place in register.places if place.desa}
        self._spelled: set[str] = set()
        self._seams: dict[str, set[int]] = {}
        self._labels: dict[str, str] = {}
        self._meanings: dict[str, tuple[_Meaning, ...]] = {}
        for label, meaning in self._names():
            for spelling in _spellings(label):
                self._add(spelling, label, meaning)
        self._prefixes = frozenset(key[:end] for key in self._meanings for end in range(1, len(key) + 1))
        self._near = self._near_spellings()
        self._key = Remembered(self._key_anew, CACHE_SIZE)
        self._form = lru_cache(maxsize=2_000)(self._form_anew)

    def __reduce__(self) -> tuple[type[PlaceFinder], tuple[Register]]:
        """Travel to another process as the register alone: the rest is compiled there."""
        return type(self), (self._register,)

    # Compiling

    def _names(self) -> Iterator[tuple[str, _Meaning]]:
        for name, place in self._kecamatan.items():
            for label in (name, *place.aliases):
                yield label, _Meaning("kecamatan", name, name, caution=self._caution(label, place))
        for (kecamatan, desa), place in self._desa.items():
            for label in (desa, *place.aliases):
                yield label, _Meaning("desa", desa, kecamatan, desa, caution=self._caution(label, place))
        for road in self._register.roads:
            for label in (road.name, *road.aliases):
                yield label, _Meaning("road", road.name, road.kecamatan, road_class=road.road_class)

    def _caution(self, label: str, place: Place) -> int:
        if place.ordinary and label == place.name:
            return 2
        words = [token.text for token in tokenise(label)]
        if len(words) > 1:
            return 0
        if words[0] in load_abbreviations():
            return 3
        if words[0] in self._roots:
            return 2
        return 1 if len(words[0]) < 4 or self._is_word(words[0]) else 0

    def _is_word(self, word: str) -> bool:
        """Tell whether a word is, or may be, an ordinary affixed one; errs on that side, and costs microseconds."""
        cores = {word, *(word[len(prefix) :] for prefix in _PREFIXES if word.startswith(prefix))}
        cores |= {core[: -len(suffix)] for core in cores for suffix in _SUFFIXES if core.endswith(suffix)}
        return any(len(core) > 2 and core in self._roots for core in cores)

    def _add(self, spelling: str, label: str, meaning: _Meaning) -> None:
        words = [token.text for token in tokenise(spelling)]
        marks = [""]
        if meaning.kind == "road" and words[0] in _JALAN:
            # Who says "jalan poros" for a road means the same road as who says "jalan".
            words, marks = (words[2:], [_TRUNK]) if words[1:2] == ["poros"] else (words[1:], [_ROAD, _TRUNK])
        elif meaning.kind == "road" and words[0] == "poros":
            words, marks = words[1:], [_TRUNK]
        self._spelled.update(words)
        folded = [fold(word) for word in words]
        # Joined, "Kapas Sari" loses one s; apart, it keeps both.
        for mark in marks:
            for key in {mark + "".join(folded), mark + fold("".join(words))}:
                seams = {len(mark) + len("".join(folded[:count])) for count in range(len(words))}
                self._seams.setdefault(key, set()).update(seams)
                self._labels.setdefault(key, label)
                known = self._meanings.get(key, ())
                if not any(other[:4] == meaning[:4] for other in known):
                    self._meanings[key] = (*known, meaning)

    def _near_spellings(self) -> dict[str, str]:
        """Map each long, uncommon word of a name, and the word less any one letter, to that word; "" where two would claim it."""
        near: dict[str, str] = {}
        for word in sorted(fold(word) for word in self._spelled if len(word) >= MIN_TYPO and not self._is_word(word)):
            for spelling in (word, *_without_one(word)):
                near[spelling] = word if near.get(spelling, word) == word else ""
        return near

    def _key_anew(self, word: str) -> str:
        """Answer what stands for a written word in a key; "" where it cannot be part of a name."""
        if word in _JALAN:
            return _ROAD
        if word == "poros":
            return _TRUNK
        folded = fold(word)
        if word in self._spelled:
            return folded
        if len(folded) < MIN_FOLDED or self._is_word(word):
            # "bayi" is not Baay, nor "pengadaan" Pengadan, though they fold alike.
            return folded if folded == word else ""
        if len(folded) < MIN_TYPO - 1:
            return folded
        for spelling in (folded, *_without_one(folded)):
            meant = self._near.get(spelling, "")
            if meant and meant[0] == folded[0] and _is_typo(folded, meant):
                return meant
        return folded

    # Finding

    def find(self, words: Sequence[Word], kecamatan: str = "", desa: str = "") -> tuple[FoundPlace, ...]:
        """Answer the places and roads named in the words of a complaint, as they were written, in order.

        `kecamatan` and `desa` are the form's: a name that is also an ordinary word counts where the form agrees.
        """
        written = list(filter(None, map(_WRITTEN, words)))
        if len(written) < len(words):
            words = [word for word in words if word.written]
        keys = list(map(self._key.__getitem__, written))
        form = self._form(kecamatan, desa)
        found: list[FoundPlace] = []
        end = 0  # of the last name, a road's too: the next begins there or behind
        place_end, place_cue = -1, ""  # where the last kecamatan or desa ends, and its cue
        doubtful: tuple[int, FoundPlace] | None = None  # where the last name ends that nothing proves, and what it would be
        for start in compress(range(len(keys)), map(self._prefixes.__contains__, keys)):
            if start < end:
                continue
            stop, name, whole = self._longest(words, keys, start)
            if not name:
                continue
            cue = _before(words, start)
            if owned := cue in _POSSESSIVES:
                cue = _owner(words, start) or cue
            if cue in _AND and start - 1 == place_end:
                cue = place_cue  # "Desa Kolek dan Saka": the word before the first name holds for the next
            elif found and start == end:
                cue = "jalan"  # "jembatan provinsi Senyiur", "jalur Sangatta - Bengalon"
            meanings = _meant(self._meanings[name], cue)
            kind = meanings[0].kind
            if start == place_end and kind == found[-1].kind and _is_listed(words, start, place_cue):
                cue = place_cue  # "Kec. Kaubun, Bengalon dan Telen"; but "Desa Kolek, Sangkulirang" is one place
            span = Span(words[start].field, words[start].start, words[stop - 1].end)
            place = _as_found(span, meanings, self._labels[name], cue if cue in _CUES else "")
            if kind == "road":
                if cue in _NAMESAKES and keys[start] not in (_ROAD, _TRUNK):
                    continue  # "RSUD A.W. Sjahranie" and "bandara APT Pranoto" are in Samarinda
            elif cue in _NOT_PLACES:
                continue
            else:
                caution = meanings[0].caution if whole else 2
                if caution and not self._is_proved(meanings, caution, "" if owned and caution > 1 else cue, form):
                    doubtful = stop, place
                    continue
                if doubtful and start - doubtful[0] in (0, 1) and place.desa == "" and place.kecamatan == doubtful[1].kecamatan:
                    found.append(doubtful[1])  # "Saka, Kec. Sangkulirang": its kecamatan right behind it proves the name
                place_end, place_cue = stop, cue
            found.append(place)
            end = stop
        return tuple(found)

    def _longest(self, words: Sequence[Word], keys: Sequence[str], start: int) -> tuple[int, str, bool]:
        """Answer (end, key, whole) of the longest name from a word on; not `whole` where one of its words is written as two.

        `keys` has for each word what stands for it.
        """
        prefixes, meanings, key = self._prefixes, self._meanings, keys[start]
        is_road = key in (_ROAD, _TRUNK)
        best = (start, "", True)
        seams: set[int] = set()
        stepped_over = at_once = 0
        stop = start + 1
        while True:
            # "jalan ke perusahaan" is no road of that name; "jalan dari Sangatta ke Bengalon" is.
            if key in meanings and (not at_once or stepped_over > at_once):
                best = (stop, key, seams <= self._seams[key])
            while is_road and stop < len(words) and words[stop].written in _FILLERS and stepped_over < _MAX_FILLERS:
                if key == _ROAD and words[stop].written == "lintas":
                    key = _TRUNK  # "jalan lintas Sangatta-Bengalon"; but "lalu lintas Bengalon" is none
                stepped_over += 1
                at_once += key == _ROAD
                stop += 1
            if stop == len(words) or not _adjoins(words[stop - 1], words[stop]):
                return best
            part = keys[stop]
            if part == _TRUNK and key == _ROAD:
                key = part
            elif part and key + part in prefixes:
                seams.add(len(key))
                key += part
            else:
                return best
            stop += 1

    def _is_proved(self, meanings: Sequence[_Meaning], caution: int, cue: str, form: _Form) -> bool:
        if cue in _PERSONS:
            return False
        if caution == 3:
            return cue in _PREPOSITIONS
        if cue in _CUES and (caution < 2 or not (cue in _REMOTE or cue in _NEAR)):
            return True
        if form.place is None:
            return False
        return any(
            meaning.kecamatan == form.place.kecamatan and (caution < 2 or meaning.desa in ("", form.place.desa))
            for meaning in meanings
        )

    # Resolving

    def _lookup(self, name: str, kind: str) -> tuple[Place, ...]:
        """Answer the places of a kind that a written name may stand for; words such as "Kec." before it are stepped over.

        A name may begin with such a word itself ("Kampung Baru", "Dusun Utara"), so the whole is looked for first.
        """
        words = [token.text for token in tokenise(name)][:_LONGEST]
        while True:
            key = "".join(self._key[word] for word in words)
            meanings = [meaning for meaning in self._meanings.get(key, ()) if meaning.kind == kind]
            if meanings or len(words) < 2 or not (words[0] in _KECAMATAN_CUES or words[0] in _DESA_CUES):
                break
            words = words[1:]
        return tuple(
            self._desa[meaning.kecamatan, meaning.desa] if meaning.desa else self._kecamatan[meaning.kecamatan]
            for meaning in meanings
        )

    def _form_anew(self, kecamatan: str, desa: str) -> _Form:
        districts = {place.kecamatan for place in self._lookup(kecamatan, "kecamatan")}
        villages = self._lookup(desa, "desa")
        if not districts and not villages:
            return _Form()
        inside = [place for place in villages if place.kecamatan in districts]
        possible = tuple(inside or [self._kecamatan[name] for name in sorted(districts)] or villages)
        return _Form(possible[0] if len(possible) == 1 else None, possible, torn=bool(districts and villages and not inside))

    def _possible(self, found: FoundPlace) -> tuple[Place, ...]:
        if found.kind == "road":
            return (self._kecamatan[found.kecamatan],) if found.kecamatan in self._kecamatan else ()
        if (found.kecamatan, found.desa) in self._desa:
            return (self._desa[found.kecamatan, found.desa],)
        if found.kind == "kecamatan" and found.kecamatan in self._kecamatan:
            return (self._kecamatan[found.kecamatan],)
        return self._lookup(found.name, found.kind)

    def resolve(self, found: Iterable[FoundPlace], kecamatan: str = "", desa: str = "") -> ResolvedPlace:
        """Combine the places found in the text with what the form says.

        What the text only points to ("ke Wahau") gives way to where something is ("di Wahau"); a road decides only where
        nothing else does. Several places in the text are no conflict where one of them is the form's, and neither is a name
        that several kecamatan share, such as the capital's.
        """
        form = self._form(kecamatan, desa)
        mentions = [_Mention(places, place.cue, place.kind == "road") for place in found if (places := self._possible(place))]
        if form.place is None:
            return self._from_text([*mentions, *([_Mention(form.possible, "kecamatan", False)] if form.possible else ())])
        here = form.place.kecamatan
        agreeing = [mention for mention in mentions if here in mention.kecamatan]
        against = [
            mention
            for mention in mentions
            if mention.strength > 1 and len(mention.kecamatan) == 1 and here not in mention.kecamatan
        ]
        if form.place.desa and not any(form.place in mention.places for mention in agreeing):
            against += [mention for mention in agreeing if mention.strength == 3 and all(place.desa for place in mention.places)]
            agreeing = [mention for mention in agreeing if mention not in against]
        if form.torn or (against and not agreeing):
            others = (place for mention in against for place in mention.places)
            return ResolvedPlace(here, form.place.desa, True, _unique((form.place, *others)))
        if form.place.desa:
            return ResolvedPlace(here, form.place.desa, False, (form.place,))
        return self._within(here, agreeing)

    def _from_text(self, mentions: Sequence[_Mention]) -> ResolvedPlace:
        shared: frozenset[str] = frozenset()
        for strength in (3, 2, 1, 0):
            level = [mention for mention in mentions if mention.strength == strength]
            named = {name for mention in level if len(mention.kecamatan) == 1 for name in mention.kecamatan}
            if shared:
                named &= shared
            if len(named) > 1:
                # Who names a village and a town says where it is, and where the office is.
                named = {
                    place.kecamatan for mention in level if len(mention.places) == 1 for place in mention.places if place.desa
                } or named
            if len(named) == 1:
                return self._within(named.pop(), mentions)
            if named:
                break
            for mention in level:
                if len(mention.kecamatan) > 1:
                    shared = shared & mention.kecamatan or shared or mention.kecamatan
        if len(shared) == 1:
            return self._within(next(iter(shared)), mentions)
        strongest = max((mention.strength for mention in mentions), default=0)
        places = (place for mention in mentions if mention.strength == strongest for place in mention.places)
        return ResolvedPlace(candidates=_unique(places))

    def _within(self, kecamatan: str, mentions: Sequence[_Mention]) -> ResolvedPlace:
        """Settle on a kecamatan, and on the desa in it that the mentions agree on, the strongest first."""
        for strength in (3, 2, 1):
            desa = _unique(
                place
                for mention in mentions
                if mention.strength == strength
                for place in mention.places
                if place.kecamatan == kecamatan and place.desa
            )
            if len(desa) == 1:
                return ResolvedPlace(kecamatan, desa[0].desa, False, desa)
            if desa:
                return ResolvedPlace(kecamatan, "", False, desa)
        namesake = self._desa.get((kecamatan, kecamatan))
        return ResolvedPlace(kecamatan, "", False, (self._kecamatan[kecamatan], *([namesake] if namesake else ())))


def unit_of(agency: Agency, place: ResolvedPlace, register: Register) -> str:
    """Answer the name of the office of a family that a place belongs to; "" where the place does not say, or it is no family.

    `register` tells which names of desa are two places': these go with their kecamatan.
    A kecamatan with a desa of its own name ("Genteng") is taken for that desa where the family has one office per desa.
    """
    if agency.per == "kecamatan":
        return place.kecamatan
    if agency.per != "desa":
        return ""
    villages = {(candidate.kecamatan, candidate.desa) for candidate in place.candidates if candidate.desa}
    where = (place.kecamatan, place.desa) if place.desa else villages.pop() if len(villages) == 1 else ("", "")
    return register.village(*where)


def _spellings(label: str) -> Iterator[str]:
    """Yield a name, and each way of writing it with its first word shortened."""
    yield label
    first, _, rest = label.partition(" ")
    if rest:
        yield from (f"{short} {rest}" for short in _SHORT.get(first.lower(), ()))


def _adjoins(word: Word, following: Word) -> bool:
    return word.field == following.field and following.start - word.end <= MAX_GAP


def _before(words: Sequence[Word], start: int) -> str:
    """Answer the word right before a name, "" where there is none."""
    return words[start - 1].written if start and _adjoins(words[start - 1], words[start]) else ""


def _owner(words: Sequence[Word], start: int) -> str:
    """Answer the word before the possessive before a name where it is one like "desa": "desa kami Senyiur"."""
    cue = _before(words, start - 1)
    return cue if cue in _DESA_CUES or cue in _KECAMATAN_CUES else ""


def _is_listed(words: Sequence[Word], start: int, cue: str) -> bool:
    """Tell whether a name right behind another of its kind stands in a list with it rather than at the other end of a way.

    A comma makes a list, and so does a word like "Kec.", whatever stands between the two: "Kec. Kaubun/Bengalon".
    """
    return words[start].start - words[start - 1].end == _COMMA or cue in _KECAMATAN_CUES or cue in _DESA_CUES


def _meant(meanings: tuple[_Meaning, ...], cue: str) -> tuple[_Meaning, ...]:
    """Choose among the kinds of place that share a name: the kecamatan, unless a word like "desa" stands before."""
    if len(meanings) == 1:
        return meanings
    kinds = ("desa", "kecamatan", "road") if cue in _DESA_CUES else ("kecamatan", "road", "desa")
    return next(chosen for kind in kinds if (chosen := tuple(meaning for meaning in meanings if meaning.kind == kind)))


def _as_found(span: Span, meanings: Sequence[_Meaning], label: str, cue: str) -> FoundPlace:
    first = meanings[0]
    if len(meanings) == 1:
        return FoundPlace(span, first.kind, first.name, first.kecamatan, first.desa, first.road_class, cue)
    kecamatan = first.kecamatan if all(meaning.kecamatan == first.kecamatan for meaning in meanings) else ""
    return FoundPlace(span, first.kind, label, kecamatan, "", first.road_class, cue)


def _unique(places: Iterable[Place]) -> tuple[Place, ...]:
    return tuple(dict.fromkeys(places))[:MAX_CANDIDATES]


def _without_one(word: str) -> Iterator[str]:
    return (word[:index] + word[index + 1 :] for index in range(len(word)))


def _is_typo(written: str, meant: str) -> bool:
    """Tell whether a word is one slip away from a name: a letter added, missing, or swapped with its neighbour, or a wrong one.

    A wrong consonant makes another name too easily (Sidomulyo is not Simomulyo), so only long names are forgiven that.
    """
    short, long = sorted((written, meant), key=len)
    if short == long or len(long) - len(short) > 1:
        return short == long
    at = next((index for index, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if len(short) < len(long):
        return short[at:] == long[at + 1 :]
    if short[at + 1 :] == long[at + 1 :]:
        return len(meant) >= MIN_WRONG_LETTER or (short[at] in "aeiou" and long[at] in "aeiou")
    return short[at : at + 2] == long[at : at + 2][::-1] and short[at + 2 :] == long[at + 2 :]
