"""Kecamatan, desa and roads named in a complaint, and what they and the form together say of the place.

The words are walked once, and each name is looked up in every spelling that `model.gazetteer` knows; the longest wins. A name
that is also an ordinary word (Saka, Telaga) counts only behind a word like "desa", or where the form agrees.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import compress
from operator import attrgetter
from typing import NamedTuple

from model.gazetteer import DESA_CUES, KECAMATAN_CUES, ROAD, TRUNK, Gazetteer, Meaning, word_set
from model.register import Agency, Place, Register
from model.routing import FoundPlace, Span
from model.text import Word

MAX_GAP = 3
"""Characters between two words of one name: "Sangatta - Bengalon" has three."""
_COMMA = 2
"""Characters of a comma and a blank: between two names they make a list, where a blank or a dash makes a way or one address."""
MAX_CANDIDATES = 7
"""Places that are told where several are possible."""
_MAX_FILLERS = 4
"""Words like "ke" that are stepped over within one road's name."""


_LOCAL = word_set(
    "warga masyarakat penduduk pesisir pantai nelayan wisata puskesmas pustu polindes posyandu polsek koramil kua"
    " sd sdn smp smpn sma sman smk smkn"
)
"""What no ordinary word follows as often as a name: proof enough even for Saka."""
_REMOTE = word_set("ke ka dari dr arah menuju tujuan jurusan sampai sampe hingga sungai jalan jl jln ruas poros raya")
"""What speaks of a place that one comes from or goes to, or that a river or road is named after: weaker than where something is."""
_NEAR = word_set(
    "di asal daerah wilayah kawasan pasar simpang pelabuhan jembatan antara alamat lokasi ujung depan dekat sekitar neng nang ning"
)
_PREPOSITIONS = word_set("di ke ka dari dr menuju")
_CUES = KECAMATAN_CUES | DESA_CUES | _LOCAL | _REMOTE | _NEAR
_NOT_PLACES = word_set(
    "pt cv ud pd toko warung wr rm kios bengkel hotel koperasi kud perumahan perum griya villa gang gg apotek klinik kapal"
    " kelompok poktan gapoktan kwt"
)
"""What stands before the name of a business, a housing estate, an alley or a group, not of a place."""
_NAMESAKES = word_set("rs rsu rsud sakit bandara bandar udara airport stadion universitas")
"""What else is named after the men that roads are named after, and stands in another town: hospitals and airports."""
_PERSONS = word_set("pak bapak bpk bu ibu sdr sdri saudara haji hj ustad ustadz om tante mas mbak")
_AND = word_set("dan serta sama atau")
_POSSESSIVES = word_set("kami kita kito saya sy ku ulun tercinta")
"""What may stand between "desa" and its name: "desa kami Senyiur"."""
_FILLERS = word_set("ke ka dari dr arah menuju sampai antara nuju neng arep dan lintas")
"""What may stand between the words of a road: "jalan dari Sangatta ke Bengalon"."""
_WRITTEN = attrgetter("written")


class ResolvedPlace(NamedTuple):
    """What text and form together say of the place.

    `kecamatan` and `desa` are empty where unknown. `candidates` are the places still possible, the likeliest first:
    one where the place is known. `conflict`: text and form cannot both be right; the form's place then stands first.
    """

    kecamatan: str = ""
    desa: str = ""
    conflict: bool = False
    candidates: tuple[Place, ...] = ()


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
        return 3 if self.cue in KECAMATAN_CUES or self.cue in DESA_CUES else 1 if self.cue in _REMOTE else 2


class PlaceFinder:
    """Finds the places and roads of one register. Compiled once; threads may share it."""

    def __init__(self, register: Register) -> None:
        """Compile the names of a register: some 20 ms."""
        self._register = register
        self._names = Gazetteer(register)
        self._form = lru_cache(maxsize=2_000)(self._form_anew)

    def __reduce__(self) -> tuple[type[PlaceFinder], tuple[Register]]:
        """Travel to another process as the register alone: the rest is compiled there."""
        return type(self), (self._register,)

    # Finding

    def find(self, words: Sequence[Word], kecamatan: str = "", desa: str = "") -> tuple[FoundPlace, ...]:
        """Answer the places and roads named in the words of a complaint, as they were written, in order.

        `kecamatan` and `desa` are the form's: a name that is also an ordinary word counts where the form agrees.
        """
        names = self._names
        written = list(filter(None, map(_WRITTEN, words)))
        if len(written) < len(words):
            words = [word for word in words if word.written]
        keys = list(map(names.key.__getitem__, written))
        form = self._form(kecamatan, desa)
        found: list[FoundPlace] = []
        end = 0  # of the last name, a road's too: the next begins there or behind
        place_end, place_cue = -1, ""  # where the last kecamatan or desa ends, and its cue
        doubtful: tuple[int, FoundPlace] | None = None  # where the last name ends that nothing proves, and what it would be
        for start in compress(range(len(keys)), map(names.prefixes.__contains__, keys)):
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
            meanings = _meant(names.meanings[name], cue)
            kind = meanings[0].kind
            if start == place_end and kind == found[-1].kind and _is_listed(words, start, place_cue):
                cue = place_cue  # "Kec. Kaubun, Bengalon dan Telen"; but "Desa Kolek, Sangkulirang" is one place
            span = Span(words[start].field, words[start].start, words[stop - 1].end)
            place = _as_found(span, meanings, names.labels[name], cue if cue in _CUES else "")
            if kind == "road":
                if cue in _NAMESAKES and keys[start] not in (ROAD, TRUNK):
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
        names = self._names
        prefixes, meanings, key = names.prefixes, names.meanings, keys[start]
        is_road = key in (ROAD, TRUNK)
        best = (start, "", True)
        seams: set[int] = set()
        stepped_over = at_once = 0
        stop = start + 1
        while True:
            # "jalan ke perusahaan" is no road of that name; "jalan dari Sangatta ke Bengalon" is.
            if key in meanings and (not at_once or stepped_over > at_once):
                best = (stop, key, seams <= names.seams[key])
            while is_road and stop < len(words) and words[stop].written in _FILLERS and stepped_over < _MAX_FILLERS:
                if key == ROAD and words[stop].written == "lintas":
                    key = TRUNK  # "jalan lintas Sangatta-Bengalon"; but "lalu lintas Bengalon" is none
                stepped_over += 1
                at_once += key == ROAD
                stop += 1
            if stop == len(words) or not _adjoins(words[stop - 1], words[stop]):
                return best
            part = keys[stop]
            if part == TRUNK and key == ROAD:
                key = part
            elif part and key + part in prefixes:
                seams.add(len(key))
                key += part
            else:
                return best
            stop += 1

    def _is_proved(self, meanings: Sequence[Meaning], caution: int, cue: str, form: _Form) -> bool:
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

    def _form_anew(self, kecamatan: str, desa: str) -> _Form:
        districts = {place.kecamatan for place in self._names.lookup(kecamatan, "kecamatan")}
        villages = self._names.lookup(desa, "desa")
        if not districts and not villages:
            return _Form()
        inside = [place for place in villages if place.kecamatan in districts]
        possible = tuple(inside or [self._names.kecamatan[name] for name in sorted(districts)] or villages)
        return _Form(possible[0] if len(possible) == 1 else None, possible, torn=bool(districts and villages and not inside))

    def resolve(self, found: Iterable[FoundPlace], kecamatan: str = "", desa: str = "") -> ResolvedPlace:
        """Combine the places found in the text with what the form says.

        What the text only points to ("ke Wahau") gives way to where something is ("di Wahau"); a road decides only where
        nothing else does. Several places in the text are no conflict where one of them is the form's, and neither is a name
        that several kecamatan share, such as the capital's.
        """
        form = self._form(kecamatan, desa)
        mentions = [
            _Mention(places, place.cue, place.kind == "road") for place in found if (places := self._names.places_of(place))
        ]
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
        namesake = self._names.desa.get((kecamatan, kecamatan))
        return ResolvedPlace(kecamatan, "", False, (self._names.kecamatan[kecamatan], *([namesake] if namesake else ())))


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


def _adjoins(word: Word, following: Word) -> bool:
    return word.field == following.field and following.start - word.end <= MAX_GAP


def _before(words: Sequence[Word], start: int) -> str:
    """Answer the word right before a name, "" where there is none."""
    return words[start - 1].written if start and _adjoins(words[start - 1], words[start]) else ""


def _owner(words: Sequence[Word], start: int) -> str:
    """Answer the word before the possessive before a name where it is one like "desa": "desa kami Senyiur"."""
    cue = _before(words, start - 1)
    return cue if cue in DESA_CUES or cue in KECAMATAN_CUES else ""


def _is_listed(words: Sequence[Word], start: int, cue: str) -> bool:
    """Tell whether a name right behind another of its kind stands in a list with it rather than at the other end of a way.

    A comma makes a list, and so does a word like "Kec.", whatever stands between the two: "Kec. Kaubun/Bengalon".
    """
    return words[start].start - words[start - 1].end == _COMMA or cue in KECAMATAN_CUES or cue in DESA_CUES


def _meant(meanings: tuple[Meaning, ...], cue: str) -> tuple[Meaning, ...]:
    """Choose among the kinds of place that share a name: the kecamatan, unless a word like "desa" stands before."""
    if len(meanings) == 1:
        return meanings
    kinds = ("desa", "kecamatan", "road") if cue in DESA_CUES else ("kecamatan", "road", "desa")
    return next(chosen for kind in kinds if (chosen := tuple(meaning for meaning in meanings if meaning.kind == kind)))


def _as_found(span: Span, meanings: Sequence[Meaning], label: str, cue: str) -> FoundPlace:
    first = meanings[0]
    if len(meanings) == 1:
        return FoundPlace(span, first.kind, first.name, first.kecamatan, first.desa, first.road_class, cue)
    kecamatan = first.kecamatan if all(meaning.kecamatan == first.kecamatan for meaning in meanings) else ""
    return FoundPlace(span, first.kind, label, kecamatan, "", first.road_class, cue)


def _unique(places: Iterable[Place]) -> tuple[Place, ...]:
    return tuple(dict.fromkeys(places))[:MAX_CANDIDATES]
