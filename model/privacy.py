"""Mask personal data in a complaint: what it leaves is enough to route it, and no more.

Marks are [NIK] [KK] [NPWP] [NOMOR] [TELEPON] [EMAIL] [PLAT] [REKENING] [NAMA]. [NOMOR] is of a NIP, a card, a passport, a licence,
a customer or a meter, of the house that the reporter lives in, or the day of a birth; [NAMA] an account of social media too.
Streets, desa, RT and RW stay: they decide the unit. So does the number of a house that nobody calls theirs: a place of the matter.
A number is found by its shape, or by a looser shape behind a word that announces it; a name only behind such a word
("nama saya", "a/n", "Bu"), and only where it is no office ("Pak Camat"), no street ("Jl. H. Agus Salim") and no ordinary word.
So a name without a cue stays: masking is a net with holes, not a proof of anonymity.

Every pattern is linear in the length of the text, and a match costs the same however many there are:
only one run of letters or of blanks behind a cue may repeat without a bound.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from functools import lru_cache
from importlib import resources

from model.text import load_abbreviations, load_roots

MARKS = ("[NIK]", "[KK]", "[NPWP]", "[NOMOR]", "[TELEPON]", "[EMAIL]", "[PLAT]", "[REKENING]", "[NAMA]")
_IDENTIFYING = ("[NIK]", "[KK]", "[NPWP]")

_SEP = r"[ .\-/_]"
_ME = "saya|sya|sy|aku|ulun"
"""How people call themselves: in full, in short, among friends, in Banjar."""
_LETTERS = re.compile(r"[^\W\d_]+")
_MAX_PASSES = 5
"""A mark can free what stood beside it ("Bu Rina Pak Tono"), so passes go on until one changes nothing: two for nearly all."""
_DIGIT = re.compile(r"\d")
_LONG_NUMBER = re.compile(r"\d(?:[\d .()\-]{5}|\d\d {0,2}[/_~*] {0,2}\d{3})")  # not "12/05/2024", which many texts hold
"""What every number below holds: a text without it, as most, skips them all."""
_ODD = re.compile(
    r"(?<=\d)(?:([\u00a0\u2009\u202f])|([\u2010-\u2015\u2212])|[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]{1,3})(?=\d)"
    r"|([^\D0-9])"
)
"""Blanks, dashes, invisible marks and digits that no keyboard has: a number copied from elsewhere is written with them."""
_EMAIL = re.compile(r"(?<![\w.+\-])[\w.+\-]{1,64}@[\w\-]{1,63}(?:\.[\w\-]{1,63}){1,4}")
_MAIL = "gmail|gmai|gmial|ymail|yahoo|hotmail|outlook|icloud|live|rocketmail|protonmail|proton"
_MAIL_WORDS = frozenset(("at", *_MAIL.split("|")))
_DOT = r"(?: ?[.,] ?| ?[(\[{<] ?(?:dot|titik|\.) ?[)\]}>] ?| (?:dot|titik) )"
_EMAIL_SPELLED = re.compile(
    rf"(?i)(?<![\w.+\-])(?:[\w.+\-]{{1,64}} (?:dot|titik|underscore) ){{0,2}}[\w.+\-]{{1,64}}"
    rf"(?: ?[(\[{{<] ?(?:at|et|a|@) ?[)\]}}>] ?[\w\-]{{1,63}}(?:{_DOT}[a-z]{{2,20}}\b){{1,3}}"
    rf"|(?: (?:at|et) | ?@ ?)(?:{_MAIL})\b(?:{_DOT}(?:com|co|id|net|org)\b){{1,3}}| ?@ ?(?:{_MAIL})\b(?: com\b)?)"
)
"""An address as people write it who fear that it is taken: "budi (at) gmail (dot) com"; a bare "at" only before a house of mail."""
_BORN_WORDS = frozenset(("lahir", "lahirnya", "kelahiran", "ttl"))
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

_NPWP = re.compile(rf"(?<!\d)\d{{2}}\.\d{{3}}\.\d{{3}}\.\d{_SEP}\d{{3}}\.\d{{3}}(?!\d)")
_NPWP_CUED = re.compile(rf"(?i)\b(npwp\b[^\d\n\[\]]{{0,20}})(\d(?:{_SEP}?\d){{13,15}})(?!\d)")

_MEMBER = re.compile(  # a civil servant's NIP, which tells the day of birth, and the number on a JKN card
    r"(?<!\d)(?:(?:19|20)\d\d(?:0[1-9]|1[0-2])[0-3]\d([ .\-]?)(?:19|20)\d\d(?:0[1-9]|1[0-2])\1[12]\1\d{3}"
    rf"|000\d(?:{_SEP}?\d){{9}})(?!\d)"
)
_MEMBER_CUED = re.compile(r"(?i)\b((?:nip|nuptk|bpjs|bpjstk|jkn|kis|kpj)\b[^\d\n\[\]]{0,20})(\d{11,18})(?!\d)")
_CARD_CUED = re.compile(
    r"(?i)\b((?:sim(?: (?:[acd]|b[12i]{0,2}))?(?: umum)?|kia)\b[^\d\n\[\]]{0,20})(\d{12,16}|\d{4}[ \-]\d{4}[ \-]\d{4,8})(?!\d)"
    r"|\b(nisn\b[^\d\n\[\]]{0,20})(\d{10})(?!\d)"
    r"|\b((?:paspor|passport)(?:nya)?\b[^\d\n\[\]]{0,20}?\b)(?!rp)([a-z]{1,2}[ \-]?\d{6,7})(?!\d)"
)
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
_MOBILE = re.compile(
    rf"(?<!\d){_NO_LETTER}(?:\(?\+?62\)?{_SEP}?(?:\(0\) ?)?|0)8[1-9](?:\d{{7,10}}|\d{{1,2}}(?:{_PHONE_GAP}\d{{2,5}}){{2,3}})(?!\d)"
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
    r"(?<![\d.,])(?:\(0\d{2,3}\) ?|0[2-79]\d{1,2}[ \-])\d{3,4}[ \-]?\d{2,5}(?![\d.,]\d)|(?<!\d)0[2-79]\d{7,10}(?!\d)"
)
_PHONE_CUED = re.compile(
    rf"(?i)\b((?:telp|tlp|telepon|telpon|tlpn|no\.? ?hp|nohp|hp|wa|whatsapp|whats app|kontak|call|sms)\b[^\w\n\[\]]{{0,5}})"
    rf"(\+?\d(?:{_SEP}?\d){{7,14}})(?!\d)"
)

_ACCOUNT = re.compile(
    r"(?i)\b((?:no\.? ?|nomor )?(?:rekening|rek|norek|briva|virtual account)\b"
    r"(?:[ .:=\-]{1,3}(?:bank[a-z]*(?: [a-z]+){0,2}|"
    r"bri|bni|bca|mandiri|btn|bpd|bsi|bpr|bjb|kaltimtara|no|nomor|saya|nya|an|atas nama)\b){0,4}"
    r"[ .:=\-]{0,3})"
    r"(\d(?:[ \-]?\d){7,21})(?![\d.,]?\d)"
)
_AT_BANK = re.compile(
    r"(?i)\b((?:bri|bni|bca|btn|bsi|bpd|bpr|bjb|mandiri|(?:bank ?)?kaltimtara|bankaltim|no\.? va|nomor va)[ .:=\-]{1,3})"
    r"(\d{10,18}|\d{4}-\d\d-\d{6}-\d\d-\d)(?!\d)"
)
"""An account behind its bank alone ("transfer ke BRI 033301012345509"): one run of digits, for "Mandiri 2023 2024 2025" is none."""

_UTILITY = "pln|pdam|perumdam|telkom|indihome|wifi|internet|listrik|air|prabayar|pascabayar"
_CUSTOMER = (
    r"(?i)\b((?:id[ \-]?pel(?:anggan)?|nopel|nosamb?|(?:id|kode|no|nomor|nomer|nmr)[ .:]{1,2}"
    rf"(?:plg|pel(?:anggan)?|langganan|samb(?:ungan)?|s[lr]|meter(?:an)?|kwh|porsi(?: haji)?"
    rf"|{_UTILITY}|rek(?:ening)? (?:{_UTILITY}))"
    rf"|(?:(?:pelanggan|meter(?:an)?|sambungan)(?: (?:{_UTILITY}))?|rek(?:ening)? (?:{_UTILITY}))(?: (?:saya|kami))?"
    r" (?:no|nomor|nomer|nmr|id))(?:nya)?\b"
    rf"(?:[ .:=\-]{{1,3}}(?:{_UTILITY}|meter(?:an)?|pelanggan|rumah|saya|kami|adalah|no|nomor|id)\b){{0,4}}[ .:=\-]{{0,3}})"
)
_CUSTOMER_CUED = re.compile(
    _CUSTOMER + r"(?:[a-z]{1,2}-)?(?=(?:\D?\d){5})(?:\d{1,8}(?:[.\-/]\d{1,8}){1,5}|\d{5,20}|\d{3,6}(?: \d{3,6}){1,5})(?!\d)"
)
"""A number by which a company knows whom it serves; not that of a bill ("rekening air 1500000"), before which no "no" stands."""
_CUSTOMER_MASKED = re.compile(_CUSTOMER + r"\[NOMOR\]")
_CUSTOMER_WORDS = frozenset(
    "idpel pel plg nopel nosam nosamb pelanggan pelanggannya langganan sambungan samb sl sr meter meternya meteran meterannya "
    f"kwh porsi {_UTILITY.replace('|', ' ')}".split()
)

_HOUSE_CUED = re.compile(
    rf"(?i)(?<!\w)((?:(?:rumah|rmh|kost?|kontrakan|alamat(?: rumah)?) ?(?:{_ME}|kami|ku)|alamat (?:rumah|pelapor|ktp)"
    rf"|(?:{_ME}|kami|\[NAMA\])(?:[ ,][^\n!?;:\[\]]{{0,30}}?)?[ ,](?<!yang )(?:tinggal|beralamat|domisili|berdomisili)"
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

_WORD = r"[^\W\d_]+(?:['’][^\W\d_]+)?\.?"
_GAP = r"(?:[ \t\u00a0]+|(?<=\b[^\W\d_]\.))"
"""What parts two words of a name: blanks, or nothing behind an initial ("M.Yusuf")."""


def _opening(words: Iterable[str]) -> str:
    """Write a look at the first letter of words: where it is none of theirs, as nearly everywhere, none of them is tried."""
    return f"(?=[{''.join(sorted({word[0] for word in words}))}])"


_NAME_CUED = re.compile(
    rf"(?i)\b(nama (?:{_ME}|lengkap|panggilan|pelapor|pemilik|pasien|pemohon|siswa|murid|korban|kepala keluarga|"
    r"(?:(?:ibu|bapak|ayah)(?: kandung)?|anak|suami|istri)(?: saya)?)(?: (?:adalah|yaitu|ialah))?|"
    r"namaku|atas nama|bernama|nama(?=[ \t]{0,15}:)|a/n|a\.n|an\.|(?<=\] )an|(?<=\] \()an|(?<=\], )an)"
    rf"(?:[ \t\u00a0]*[:.=,][ \t\u00a0]*|[ \t\u00a0]+)((?:{_WORD}{_GAP}){{0,3}}{_WORD})"
)
_NAME_WORDS = frozenset(("nama", "namaku", "bernama", "n", "an"))
_POSTS = (
    "kades|lurah|camat|ketua rt|ketua rw|rt|kadus|sekdes|kepsek|kepala desa|kepala sekolah|kepala dusun|guru|mandor|dokter|bidan|"
    "perawat|satpam|suster|bripda|briptu|brigadir|bripka|aipda|aiptu|ipda|iptu|akp|kompol|serda|sertu|serka|kopda|praka"
)
_FAMILIAR = "om|tante|kak|bang|abang|pakde|bude|mbah|cak|bos"
_TITLES = f"{_FAMILIAR}|bapak|pak|ibu|bu|saudari|saudara|mas|mbak|mba|kang|ustadz|ustad|haji|hajah|almarhumah|almarhum|{_POSTS}"
_DOTTED = "bpk|sdri|sdr|ust|hj|h|drg|drs|dra|dr|alm"
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
_KIN_WORDS = frozenset((*(word.split()[0] for word in _RELATIVES.split("|")), "namanya", *_PARTIES.split("|"), *_MEDIA.split("|")))
_KIN = re.compile(
    rf"\b(?i:{_opening(_KIN_WORDS)}((?:{_RELATIVES}) (?:{_ME}|kami)|namanya|{_PARTIES}|(?:{_MEDIA})(?: (?:{_ME}|kami))?))"
    rf"(?:,| ?:)?[ \t\u00a0]+\(?((?:{_WORD}{_GAP}){{0,3}}{_WORD})"
)
_SELF = re.compile(
    rf"\b(?i:(perkenalkan (?:{_ME})|perkenalkan|{_ME}))[ \t\u00a0]+((?:{_WORD}{_GAP}){{0,3}}?{_WORD})"
    r"(?=,? (?i:warga|dari|selaku|umur|usia|tinggal|alamat|beralamat|penduduk|ketua)\b)"
)
_SELF_WORDS = frozenset((*_ME.split("|"), "perkenalkan"))
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
_BIN = re.compile(r"(?i)(?<![ \t\u00a0])[ \t\u00a0]+(?:bin|binti)[ \t\u00a0]+")
_BIN_WORDS = frozenset(("bin", "binti"))
_BEFORE_BIN = re.compile(rf"(?:(?:{_WORD}{_GAP}){{0,2}}{_WORD})$")
_BEHIND_BIN = re.compile(rf"(?:{_WORD}{_GAP}){{0,2}}{_WORD}")
_NEAR = 90
_PLACE_BEFORE = re.compile(
    r"(?i)(?:(?<!kepala )(?<!guru )\b(?:jl|jln|jalan|gg|gang|rs|rsu|rsud|masjid|musholla|mushola|langgar|lapangan|stadion|gedung|"
    r"pasar|simpang(?: \d)?|jembatan|bandara|pelabuhan|taman|poros|raya|bendungan|waduk|tugu|universitas|yayasan|ponpes|pesantren|"
    r"madrasah|mts|makam|perum|komplek|toko|warung|bengkel|hotel|klinik|apotek|sd|sdn|smp|sma|smk|tk|pt|cv|kapal|km|dusun|desa|"
    r"kecamatan|kec|kelurahan|kel)\b\.?[ \t\u00a0]*){1,2}"
    r"(?:(?:prof|dr|drs|ir|kh|hj|h|r|raden|bapak|pak|ibu|bu|haji|letjen|mayjend?|brigjen|jend|jenderal|letkol|kolonel|kapten|mayor)"
    r"\.?[ \t\u00a0]+){0,3}$"
)
_TITLE_BEFORE = re.compile(r"(?i)\b(?:bapak|pak|ibu|bu|bpk)\.?[ \t\u00a0]+$")
_OF_SOMEBODY = re.compile(r"(?i)\b(?:pasien|pemohon|siswa|murid|korban|keluarga)\b")
"""Whose names are talked of without being told ("nama siswa SMPN 2"): behind these only what is written as a name."""
_GLUED = re.compile(r"[A-Z]{2,}[a-z]+")
"""An abbreviation with a suffix: "Pak RTnya"."""
_CAPITAL = frozenset(("h", "haji", "dr", "mas"))
"""Cues that often mean something else ("dr" is "dari", "mas kawin"; "dr." is not): behind them only known names with a capital."""
_WEAK = frozenset((*_CAPITAL, *_POSTS.split("|"), *_FAMILIAR.split("|")))
"""Cues behind which only known names count: with a capital, or such as are no other word."""
_PREFIXES = {
    "": (
        *("", "di", "ter", "ber", "be", "me", "mem", "men", "meng", "pe", "pem", "pen", "peng", "per", "se", "ke", "nge", "ng"),
        *("n", "diper", "memper", "diber", "keber", "keter"),
    ),
    "p": ("mem", "pem", "m"),
    "t": ("men", "pen", "n"),
    "k": ("meng", "peng", "ng"),
    "s": ("meny", "peny", "ny"),
}
"""By the first letter of the root that a prefix has swallowed."""
_SUFFIXES = ("", "nya", "kan", "an", "i", "lah", "kah", "ku", "mu", "pun")


def mask(text: str) -> str:
    """Answer the text with personal data replaced by marks. Masking twice changes nothing more; no text raises."""
    if not text:  # most forms leave fields empty
        return text
    for _ in range(_MAX_PASSES):
        masked = _mask_once(text)
        if masked == text:
            break
        text = masked
    return text


def is_identified(masked: str) -> bool:
    """Tell whether a masked text told an office or a company who somebody is: a NIK, KK or NPWP, or a customer's number.

    [NOMOR] alone does not: it may be a day of birth.
    """
    return any(mark in masked for mark in _IDENTIFYING) or _CUSTOMER_MASKED.search(masked) is not None


def _mask_once(text: str) -> str:
    if "@" in text:
        text = _EMAIL.sub("[EMAIL]", text)
    said = _said(text)
    if not said.isdisjoint(_MAIL_WORDS):
        text = _EMAIL_SPELLED.sub("[EMAIL]", text)
    if "@" in text or not said.isdisjoint(_MEDIA_WORDS):
        text = _HANDLE.sub(_account, text)
    if _DIGIT.search(text):
        plain = _ODD.sub(_typed, text)
        text = masked if (masked := _mask_numbers(plain, said)) != plain else text
        text = _mask_plates(text, said)
    if len(said & _DIGIT_WORDS) > 2:
        text = _SPELLED_MOBILE.sub(_spelled, text)
    text = _mask_names(text, said)
    if said.isdisjoint(_HOUSE_WORDS) or said.isdisjoint(_LIVING_WORDS):
        return text
    return _HOUSE_CUED.sub(_unnumbered, text)


def _said(text: str) -> AbstractSet[str]:
    """Answer the words of a text: a pattern whose words are not among them is not tried, which saves two thirds of the time."""
    return frozenset(_LETTERS.findall(text.lower()))


def _account(match: re.Match[str]) -> str:
    """Put a mark for the name of an account that is somebody's: not an office's, and not "@orang" or "@Rp" of a price."""
    name = (match[1] or match[2]).lower()
    parts = [part for part in re.split(r"[._\d]+", name) if part]
    if _OF_OFFICE.search(name) or parts[0] == "rp" or any(part in _offices() for part in parts) or _is_ordinary(name):
        return match[0]
    start = match.start(1 if match[1] else 2) - match.start()
    return f"{match[0][: max(start - 1, 0) if match[1] else start]}[NAMA]"


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


def _mask_numbers(text: str, said: AbstractSet[str]) -> str:
    if not said.isdisjoint(_CUSTOMER_WORDS):
        text = _CUSTOMER_CUED.sub(r"\1[NOMOR]", text)
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
    text = _MEMBER_CUED.sub(r"\1[NOMOR]", text)
    text = _CARD_CUED.sub(lambda match: f"{match[1] or match[3] or match[5]}[NOMOR]", text)
    text = _ACCOUNT.sub(r"\1[REKENING]", text)
    text = _AT_BANK.sub(r"\1[REKENING]", text)
    return _LANDLINE.sub("[TELEPON]", text)


def _mask_plates(text: str, said: AbstractSet[str]) -> str:
    if _PLATE_HERE.search(text):
        text = _PLATE.sub(lambda match: match[0] if _NO_PLATE_END.fullmatch(match[1]) else "[PLAT]", text)
    if said.isdisjoint(_PLATE_WORDS):
        return text
    text = _PLATE_CUED.sub(
        lambda match: match[0] if len(match[3]) > 1 and _NO_PLATE_END.fullmatch(match[3]) else f"{match[1]}[PLAT]", text
    )
    return _PLATE_BARE.sub(r"\1[PLAT]", text)


def _mask_names(text: str, said: AbstractSet[str]) -> str:
    if not said.isdisjoint(_BIN_WORDS):  # first: what a cue masks leaves "bin" behind a mark, and the father's name behind that
        text = _with_parents(text)
    if not said.isdisjoint(_NAME_WORDS):
        text = _NAME_CUED.sub(lambda match: _named(match, strong=not _OF_SOMEBODY.search(match[1])), text)
    if not said.isdisjoint(_TITLE_WORDS):
        text = _behind_titles(text)
    if not said.isdisjoint(_KIN_WORDS):
        text = _KIN.sub(lambda match: _named(match, strong=False, weak=True), text)
    if not said.isdisjoint(_SIGNED_WORDS):
        text = _SIGNED.sub(lambda match: _named(match, strong=False), text)
    return text if said.isdisjoint(_SELF_WORDS) else _SELF.sub(lambda match: _named(match, strong=False), text)


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


def _identity_mark(match: re.Match[str]) -> str:
    """Name a number of 16 digits by the word before it; without one it is a NIK, by far the commonest. 20 are a meter's token."""
    if sum(map(str.isdigit, match[0])) == 20:
        return "[NOMOR]"
    before = match.string[max(match.start() - 40, 0) : match.start()]
    if _KK_BEFORE.search(before):
        return "[KK]"
    return "[REKENING]" if _CARD_BEFORE.search(before) else "[NIK]"


def _named(match: re.Match[str], *, strong: bool, weak: bool = False) -> str:
    """Put a mark for the name behind a cue, where there is one and cue and name are not those of a place.

    A `strong` cue announces a name, so that one in small letters counts too. Behind a `weak` one only known names count.
    """
    cue, words = match[1].lower().rstrip("0123456789 "), match[2]  # "ketua RT 12" is as weak a cue as "ketua RT"
    before = match.string[max(match.start() - 30, 0) : match.start()]
    weak = weak or (cue in _WEAK and not (cue in ("h", "haji") and _TITLE_BEFORE.search(before)))
    length = _name_length(words, strong=strong, weak=weak, small=cue not in _CAPITAL)
    if not length or _PLACE_BEFORE.search(before):
        return match[0]
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
        known = plain in _names()
        if end > 0:
            # A second word is written as the first was. Initials belong to the name ("Budi S.").
            initial = len(word) == 1 and match[0].endswith(".")
            fits = known or (capital and word[0].isupper() and (initial or (len(word) > 2 and not _is_ordinary(plain))))
        else:
            capital = word[0].isupper()
            if known:
                fits = capital or not weak or (small and not _is_ordinary(plain))
            else:
                titled = capital and not word.isupper()
                fits = not weak and len(word) > 2 and (strong or titled) and not _is_ordinary(plain)
        if not fits:
            break
        end = match.end() if len(word) == 1 else match.start() + len(word)
    return end


@lru_cache(maxsize=20_000)
def _is_ordinary(word: str) -> bool:
    """Tell whether a word is no name: a root of the dictionary, with or without affixes, an abbreviation, an office."""
    if word in _offices() or word in load_abbreviations():
        return True
    bodies = [word[: len(word) - len(suffix)] for suffix in _SUFFIXES if word.endswith(suffix)]
    return any(
        body.startswith(prefix) and len(body) > len(prefix) + 2 and lost + body[len(prefix) :] in load_roots()
        for body in bodies
        for lost, prefixes in _PREFIXES.items()
        for prefix in prefixes
    )


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
    return plain in _names() or (word[0].isupper() and plain not in _common())


def _goes_on(word: str) -> bool:
    """Tell whether a further word belongs to the name."""
    plain = word.rstrip(".").lower()
    return plain in _names() or (word[0].isupper() and len(plain) > 2 and not _is_ordinary(plain))


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    """Words of the dictionary that nobody is called by. Made once: that takes a millisecond, and a text can hold many "bin"."""
    return load_roots() - _names()


def _lexicon(name: str) -> frozenset[str]:
    lines = resources.files("model").joinpath("lexicon", name).read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    return _lexicon("names.txt")


@lru_cache(maxsize=1)
def _offices() -> frozenset[str]:
    return _lexicon("no_names.txt")
