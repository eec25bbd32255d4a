"""Mask the numbers that tell who somebody is: of identity cards, telephones, accounts, customers, vehicles, houses.

A number is found by its shape, or by a looser shape behind a word that announces it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Set as AbstractSet

from model.personal_names import ME

_SEP = r"[ .\-/_]"
_DIGIT = re.compile(r"\d")
_LONG_NUMBER = re.compile(r"\d(?:[\d .()\-]{5}|\d\d {0,2}[/_~*] {0,2}\d{3})")  # not "12/05/2024", which many texts hold
"""What every number below holds: a text without it, as most, skips them all."""
_ODD = re.compile(
    r"(?<=\d)(?:([\u00a0\u2009\u202f])|([\u2010-\u2015\u2212])|[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]{1,3})(?=\d)"
    r"|([^\D0-9])"
)
"""Blanks, dashes, invisible marks and digits that no keyboard has: a number copied from elsewhere is written with them."""
_BORN_WORDS = frozenset(("lahir", "lahirnya", "kelahiran", "ttl"))

_NPWP = re.compile(rf"(?<!\d)\d{{2}}\.\d{{3}}\.\d{{3}}\.\d{_SEP}\d{{3}}\.\d{{3}}(?!\d)")
_NPWP_CUED = re.compile(rf"(?i)\b(npwp\b[^\d\n\[\]]{{0,20}})(\d(?:{_SEP}?\d){{13,15}})(?!\d)")

_MEMBER = re.compile(  # a civil servant's NIP, which tells the day of birth, and the number on a JKN card
    r"(?<!\d)(?:(?:19|20)\d\d(?:0[1-9]|1[0-2])[0-3]\d([ .\-]?)(?:19|20)\d\d(?:0[1-9]|1[0-2])\1[12]\1\d{3}"
    rf"|000\d(?:{_SEP}?\d){{9}})(?!\d)"
)
_MEMBER_CUED = re.compile(
    r"(?i)\b((?:nip|nuptk|bpjs|bpjstk|jkn|kis|kpj|kartu)\b[^\d\n\[\]]{0,40})(?!(?:19|20)\d\d[ \-](?:19|20)\d\d[ \-])"
    r"(\d{3}(?:[ \-]?\d){8,15})(?![\d.,]?\d)"
    r"|\b((?:taspen|asabri|karis|karsu)(?:nya)?\b[^\d\n\[\]]{0,20})(\d{9,18})(?!\d)"
)
"""In groups too, but not years in a row."""
_CARD_CUED = re.compile(
    r"(?i)\b((?:sim(?: (?:[acd]|b[12i]{0,2}))?(?: umum)?|kia)\b[^\d\n\[\]]{0,20})(\d{12,16}|\d{4}[ \-]\d{4}[ \-]\d{4,8})(?!\d)"
    r"|\b(nisn\b[^\d\n\[\]]{0,20})(\d{10})(?!\d)"
    r"|\b((?:paspor|passport|karpeg)(?:nya)?\b[^\d\n\[\]]{0,20}?\b)(?!rp)([a-z]{1,2}[ \-]?\d{6,7})(?!\d)"
)
_CHASSIS_CUED = re.compile(
    r"(?i)\b((?:noka|nosin|(?:no|nomor|nomer)[ .]{1,2}(?:rangka|mesin))(?:nya)?\b[ .:=]{1,3})(?=[a-z]*\d)([a-z0-9]{8,17})\b"
)
"""The number of a vehicle's frame or engine."""
_BORN = re.compile(
    r"(?i)(?<!akta )(?<!akte )(?<!surat )(?<!keterangan )\b((?:lahir(?:nya)?|kelahiran|ttl)\b[^\d\n\[\].!?;]{0,40})"
    r"(?:(?:0?[1-9]|[12]\d|3[01])(?:[ ./\-]{1,2}(?:0?[1-9]|1[0-2])[ ./\-]{1,2}"
    r"|[ \-]{0,2}(?:jan|feb|mar|apr|mei|may|jun|jul|ag[ust]|sep|okt|oct|nov|nop|des|dec)[a-z]{0,6}[ ,\-]{0,2})(?:19|20)?\d\d"
    r"|(?:19|20)\d\d-[01]\d-[0-3]\d|[0-3]\d[01]\d(?:19|20)\d\d)(?!\d)"
)
"""A day of birth, not that of a birth certificate; a year alone stays, for it says who may have what."""
_SIXTEEN = re.compile(  # with four more, what is bought for a meter; years in a row are no number
    rf"(?<!\d)(?:\d{{16}}(?:\d{{4}})?|(?!(?:(?:19|20)\d\d{_SEP}){{3}}(?:19|20)\d\d)\d{{4}}({_SEP})\d{{4}}\1\d{{4}}\1\d{{4}}(?:\1\d{{4}})?|"
    rf"\d{{6}}{_SEP}\d{{6}}{_SEP}\d{{4}}|\d{{2}}({_SEP})\d{{2}}\2\d{{2}}\2\d{{6}}\2\d{{4}})(?!\d)"
)
_NUMBER_CUED = re.compile(
    rf"(?i)\b((?:nik|ktp|kk|kartu keluarga|nokk)\b[^\d\n\[\]]{{0,20}})(\d(?:{_SEP}?[\dx*]){{13,17}})(?![\dx*])"
)
_KK_BEFORE = re.compile(r"(?i)\b(?:kk|kartu keluarga|nokk|ksk)\b[^\d\n\[\]]{0,20}$")
_CARD_BEFORE = re.compile(r"(?i)\b(?:atm|kartu debit|kartu kredit|virtual account|va|briva)\b[^\d\n\[\]]{0,20}$")

_PHONE_GAP = r"[ .\-/_~*]{1,3}"
_NO_LETTER = r"(?!\d{1,5}/\d{1,5}/(?:19|20)\d\d(?!\d))"
"""Not before "0812/345/2024", by which an office finds a letter."""
_MOBILE = re.compile(  # whole first: what stands behind a whole number is another; then in groups, of two digits or more
    rf"(?<!\d){_NO_LETTER}(?:\(?\+?62\)?{_SEP}?(?:\(0\) ?)?|0)8[1-9](?:\d{{7,10}}|(?:(?:{_PHONE_GAP}(?=\d\d))?\d){{7,10}})(?!-?\d)"
)
_MOBILE_LETTERS = re.compile(
    rf"(?<!\w){_NO_LETTER}(?:\+?62[ .\-]?|[0Oo])8[1-9IilOo](?:[\dIilOo]{{7,10}}"
    rf"|[\dIilOo]{{1,2}}(?:{_PHONE_GAP}(?=[IilOo]{{0,4}}\d)[\dIilOo]{{2,5}}){{2,3}})(?!\w)"
)
"""A number with letters that look like digits: "o812", "08l2"."""
_DIGITS = "nol|kosong|satu|dua|tiga|empat|lima|enam|tujuh|delapan|lapan|sembilan"
_DIGIT_WORDS = frozenset(_DIGITS.split("|"))
_SPELLED_MOBILE = re.compile(
    r"(?i)(?<!\w)(?:(?:nol|kosong|enam[ ,.\-]{1,3}dua|0|\+?62)[ ,.\-]{0,3})?(?:delapan|lapan|8)\d{0,3}"
    rf"(?:[ ,.\-]{{1,3}}(?:{_DIGITS}|\d{{1,4}})\b){{4,14}}(?!\w)"
)
"""A number told in words, some of it perhaps in digits; `_spelled` counts them."""
_LEAST_TOLD = 4
"""Words for digits in a number told so: fewer are an ordinary text's."""
_LANDLINE = re.compile(
    r"(?<![\d.,])(?:\(0\d{2,3}\) ?|0[2-79]\d{1,2}[ \-]|\+62[ \-]?[2-79]\d{1,2}[ \-]?)\d{3,4}[ \-]?\d{2,5}(?![\d.,]\d)"
    r"|(?<!\d)0[2-79]\d{7,10}(?!\d)"
)
_PHONE_CUED = re.compile(
    rf"(?i)\b((?:telp|tlp|telepon|telpon|tlpn|no\.? ?hp|nohp|hp|wa|whatsapp|whats app|kontak|call|sms)\b[^\w\n\[\]]{{0,5}})"
    rf"(\+?\d(?:{_SEP}?\d){{7,14}})(?!\d)"
)

_ACCOUNT = re.compile(
    r"(?i)\b((?:no\.? ?|nomor )?(?:rekening|rek|norek|briva|virtual account)\b"
    r"(?:[ .:=\-]{1,3}(?:bank[a-z]*(?: [a-z]+){0,2}|"
    r"bri|bni|bca|mandiri|btn|bpd|bsi|bpr|bjb|kaltimtara|no|nomor|saya|nya|di|adalah|an|atas nama)\b){0,4}"
    r"[ .:=\-]{0,3})"
    r"(\d(?:[ \-]?\d){7,21}|(?!\d{1,3}(?:\.\d{3})+(?!\d))(?=(?:\.?\d){9})\d{1,8}(?:\.\d{1,8}){2,5})(?![\d.,]?\d)"
)
"""With full stops too ("200.01.03.48827.1"), but not a sum of money."""
_AT_BANK = re.compile(
    r"(?i)\b((?:bri|bni|bca|btn|bsi|bpd|bpr|bjb|mandiri|(?:bank ?)?kaltimtara|bankaltim(?:tara)?|no\.? va|nomor va)[ .:=\-]{1,3})"
    r"(\d{10,18}|\d{4}-\d\d-\d{6}-\d\d-\d|(?!(?:19|20)\d\d )(?=(?:\D?\d){9})\d{3,6}(?:[ \-]\d{2,6}){1,4})(?!\d)"
)
"""An account behind its bank alone ("transfer ke BRI 033301012345509"); "Mandiri 2023 2024 2025" is none."""

_UTILITY = "pln|pdam|perumdam|telkom|indihome|wifi|internet|listrik|air|prabayar|pascabayar"
_CUSTOMER = (
    r"(?i)\b((?:id[ \-]?pel(?:anggan)?|nopel|nosamb?|(?:id|kode|no|nomor|nomer|nmr)[ .:]{1,2}"
    rf"(?:plg|pel(?:anggan)?|langganan|samb(?:ungan)?|s[lr]|meter(?:an)?|kwh|porsi(?: haji)?|peserta"
    rf"|{_UTILITY}|rek(?:ening)? (?:{_UTILITY}))"
    rf"|(?:(?:pelanggan|meter(?:an)?|sambungan)(?: (?:{_UTILITY}))?|rek(?:ening)? (?:{_UTILITY}))(?: (?:saya|kami))?"
    r" (?:no|nomor|nomer|nmr|id))(?:nya)?\b"
    rf"(?:[ .:=\-]{{1,3}}(?:{_UTILITY}|meter(?:an)?|pelanggan|rumah|saya|kami|adalah|no|nomor|id)\b){{0,4}}[ .:=\-]{{0,3}})"
)
_CUSTOMER_CUED = re.compile(
    _CUSTOMER + r"(?:[a-z]{1,2}-)?(?=(?:\D?\d){5})(?:\d{1,8}(?:[.\-/]\d{1,8}){1,5}|\d{5,20}|\d{3,6}(?: \d{2,6}){0,4} \d{3,6})(?!\d)"
)
"""A number by which a company knows whom it serves; not that of a bill ("rekening air 1500000"), before which no "no" stands."""
_METER_CUED = re.compile(r"(?i)\b(meter(?:an)?(?:nya)?[ .:]{1,2})\d{11,12}(?!\d)")
CUSTOMER_MASKED = re.compile(_CUSTOMER + r"\[NOMOR\]")
_CUSTOMER_WORDS = frozenset(
    "idpel pel plg nopel nosam nosamb pelanggan pelanggannya langganan sambungan samb sl sr meter meternya meteran meterannya "
    f"kwh porsi peserta {_UTILITY.replace('|', ' ')}".split()
)

_HOUSE_CUED = re.compile(
    rf"(?i)(?<!\w)((?:(?:rumah|rmh|kost?|kontrakan|alamat(?: rumah)?) ?(?:{ME}|kami|ku)|alamat (?:rumah|pelapor|ktp)"
    rf"|(?:{ME}|kami|\[NAMA\])(?:[ ,][^\n!?;:\[\]]{{0,30}}?)?[ ,](?<!yang )(?:tinggal|beralamat|domisili|berdomisili)"
    r"|\[NAMA\][^\w\[]{1,3}alamat)\b"
    r"(?:[^\n!?;\[\]]{0,40}?\b(?:jl|jln|jalan|gg|gang|lorong|perum|perumahan|kompleks?|blok|rt)\b[^\n!?;,\[\]]{0,40}?)??"
    r"[ ,.:]{0,3})"
    r"(?:\b((?:no|nomor|nomer)\b[ .:]{0,3})\d{1,4}(?:[/\-]\d{1,3})?(?: ?[a-d])?\b"
    r"|\b(blok[ .:]{0,2})[a-z]{0,2}[ .\-/]{0,2}\d{1,3}(?:[ ,./]{0,3}(?:no|nomor)\b[ .:]{0,2}\d{1,3})?\b)"
)
"""The number of the house that somebody lives in, behind a word for living; street and RT before it stay."""
_HOUSE_WORDS = frozenset(("no", "nomor", "nomer", "blok"))
_HOMES = ("rumah", "rmh", "kos", "kost", "kontrakan", "alamat")
_LIVING_WORDS = frozenset((*_HOMES, *(f"{home}ku" for home in _HOMES), "tinggal", "beralamat", "domisili", "berdomisili"))
_REGIONS = (
    "A AA AB AD AE AG B BA BB BD BE BG BH BK BL BM BN BP D DA DB DC DD DE DG DH DK DL DM DN DR DS DT E EA EB ED F G H K KB KH KT "
    "KU L M N P PA PB R S T W Z"
)
_PLATE_REGION = rf"(?:{'|'.join(sorted(_REGIONS.split(), key=len, reverse=True))})"
_NO_WORDS = "|".join(code for code in _REGIONS.split() if len(code) == 2 and code not in ("DD", "DR", "DS"))
"""Of the codes those that are no word in small letters, as "dr" (dari), "ds" (desa) and "dd" (dana desa) are."""
_PLATE_GAP = r"(?:[.\-_]| {1,2})?"
_PLATE_HERE = re.compile(rf"\d{{3,4}}{_PLATE_GAP}[A-Za-z]{{1,3}}\b")
"""What every plate without a cue holds: it is found by its digits, which costs a tenth of looking for a region's letters."""
_PLATE = re.compile(
    rf"\b(?:{_PLATE_REGION}{_PLATE_GAP}\d{{3,4}}{_PLATE_GAP}(?=[A-Z]{{1,3}}\b)"
    rf"|(?i:{_NO_WORDS}){_PLATE_GAP}\d{{3,4}}{_PLATE_GAP})([A-Za-z]{{1,3}})\b"
)
_VEHICLES = "plat|pelat|nopol|mobil|motor|truk|truck|pickup|bus|angkot|travel"
_PLATE_CUED = re.compile(
    rf"(?i)\b((?:{_VEHICLES}|no\.? ?pol|nomor polisi)\b[^\d\n\[\]]{{0,25}}?\b)"
    rf"({_PLATE_REGION}{_PLATE_GAP}\d{{1,4}}{_PLATE_GAP}([a-z]{{1,3}}))\b"
)
_VEHICLE_BEFORE = re.compile(r"(?i)mobil|motor|truk|truck|pickup|bus|angkot|travel")
_PLATE_BARE = re.compile(
    rf"(?i)\b((?:plat|pelat|nopol|no\.? ?pol|nomor polisi)\b[^\d\n\[\]]{{0,25}}?\b){_PLATE_REGION}{_PLATE_GAP}\d{{3,4}}(?![.,]?\w)"
)
"""Behind a word for the plate itself its last letters may be wanting."""
_PLATE_WORDS = frozenset((*_VEHICLES.split("|"), "pol", "polisi"))
_NO_PLATE_END = re.compile(
    r"(?i)ada|ag|all|ayo|bln|bbm|bh|bpk|bu|cm|com|dan|di|dr|dgn|ha|hp|hr|hri|ini|itu|jam|jl|jt|jg|kali|ke|kg|kk|km|kw|kwh|kva|l|lt|m|mm|mw|"
    r"no|nya|org|orang|pak|per|pkl|rb|rp|rt|rw|s|sd|sdh|sdr|sk|sm|th|thn|ton|tgl|utk|va|w|wib|wita|wit|x|yg|ya|yth"
)
"""Words of three letters or fewer behind a number that is no plate: "Dana DD 2023 dan", "B 200 m"."""


def mask_numbers(text: str, said: AbstractSet[str]) -> str:
    """Put marks for all numbers but those of houses. `said` are the words of the text, in lower case."""
    if _DIGIT.search(text):
        plain = _ODD.sub(_typed, text)
        text = masked if (masked := _mask_digits(plain, said)) != plain else text
        text = _mask_plates(text, said)
    return _SPELLED_MOBILE.sub(_spelled, text) if len(said & _DIGIT_WORDS) > 2 else text


def mask_houses(text: str, said: AbstractSet[str]) -> str:
    """Put marks for the numbers of houses that somebody lives in; names must be masked by then, for one may say whose it is."""
    if said.isdisjoint(_HOUSE_WORDS) or said.isdisjoint(_LIVING_WORDS):
        return text
    return _HOUSE_CUED.sub(_unnumbered, text)


def _typed(odd: re.Match[str]) -> str:
    """Write what is odd as a keyboard does."""
    blank, dash, digit = odd.groups()
    return " " if blank else "-" if dash else str(unicodedata.decimal(digit)) if digit else ""


def _unnumbered(match: re.Match[str]) -> str:
    return f"{match[1]}{match[2] or match[3]}[NOMOR]"


def _spelled(match: re.Match[str]) -> str:
    """Put a mark for a number told in words, where it has as many digits as a telephone's, and words enough to be told so."""
    parts = re.findall(r"[^\W\d_]+|\d+", match[0])
    digits = sum(len(part) if part.isdigit() else 1 for part in parts)
    told = sum(part.isalpha() for part in parts) >= _LEAST_TOLD
    return "[TELEPON]" if told and 9 <= digits <= 15 else match[0]


def _mask_digits(text: str, said: AbstractSet[str]) -> str:
    if not said.isdisjoint(_CUSTOMER_WORDS):
        text = _METER_CUED.sub(r"\1[NOMOR]", _CUSTOMER_CUED.sub(r"\1[NOMOR]", text))
    if said.isdisjoint(_BORN_WORDS) and not _LONG_NUMBER.search(text):
        return text
    text = _NPWP.sub("[NPWP]", text)
    text = _NPWP_CUED.sub(r"\1[NPWP]", text)
    text = _BORN.sub(r"\1[NOMOR]", text)
    text = _MEMBER.sub("[NOMOR]", text)
    text = _SIXTEEN.sub(_identity_mark, text)
    text = _NUMBER_CUED.sub(lambda match: match[1] + ("[KK]" if _KK_BEFORE.search(match[1]) else "[NIK]"), text)
    text = _MOBILE.sub("[TELEPON]", text)
    text = _MOBILE_LETTERS.sub("[TELEPON]", text)
    text = _PHONE_CUED.sub(r"\1[TELEPON]", text)
    text = _MEMBER_CUED.sub(lambda match: f"{match[1] or match[3]}[NOMOR]", text)
    text = _CHASSIS_CUED.sub(r"\1[NOMOR]", text)
    text = _CARD_CUED.sub(lambda match: f"{match[1] or match[3] or match[5]}[NOMOR]", text)
    text = _ACCOUNT.sub(r"\1[REKENING]", text)
    text = _AT_BANK.sub(r"\1[REKENING]", text)
    return _LANDLINE.sub("[TELEPON]", text)


def _mask_plates(text: str, said: AbstractSet[str]) -> str:
    if _PLATE_HERE.search(text):
        text = _PLATE.sub(lambda match: match[0] if _NO_PLATE_END.fullmatch(match[1]) else "[PLAT]", text)
    if said.isdisjoint(_PLATE_WORDS):
        return text
    text = _PLATE_CUED.sub(_plate, text)
    return _PLATE_BARE.sub(r"\1[PLAT]", text)


def _identity_mark(match: re.Match[str]) -> str:
    """Name a number of 16 digits by the word before it; without one it is a NIK, by far the commonest. 20 are a meter's token."""
    if sum(map(str.isdigit, match[0])) == 20:
        return "[NOMOR]"
    before = match.string[max(match.start() - 40, 0) : match.start()]
    if _KK_BEFORE.search(before):
        return "[KK]"
    return "[REKENING]" if _CARD_BEFORE.search(before) else "[NIK]"


def _plate(match: re.Match[str]) -> str:
    """Put a mark for a plate behind a word for one, or for a vehicle; "truk B 200 M" is none, but "nopol KT 1620 BU" is."""
    told = match[3].isupper() and not _VEHICLE_BEFORE.match(match[1])
    return match[0] if len(match[3]) > 1 and not told and _NO_PLATE_END.fullmatch(match[3]) else f"{match[1]}[PLAT]"
