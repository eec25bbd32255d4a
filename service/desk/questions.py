"""The question to the reporter: polite, complete, and ready to be changed, from what is missing and what the matter is about."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_ASKS: Mapping[str, str] = {
    "lokasi": "di mana tepatnya: nama jalan atau gang, RT, {desa}, dan {kecamatan}, atau patokan yang mudah dikenali",
    "waktu": "kapan kejadiannya: tanggal dan kira-kira pukul berapa, atau sejak kapan berlangsung",
    "identitas": "data yang diperlukan untuk memeriksanya, misalnya {}. Mohon jangan menuliskan NIK atau nomor KK di sini",
    "uraian": "apa yang terjadi, siapa atau apa yang terdampak, dan apa yang Bapak/Ibu harapkan",
}
_CALLED: Mapping[str, str] = {"desa": "desa/kelurahan", "kecamatan": "kecamatan"}
"""What the region calls the two (`Register.called`)."""
_ELSE = "keterangan tambahan yang dapat membantu kami meneruskannya ke instansi yang tepat"
_WHERE: tuple[tuple[str, str], ...] = (
    (r"lampu|pju|tiang|kabel", "nomor tiang bila terbaca"),
    (r"jalan|jln|jembatan|lubang|parit|drainase|banjir", "dari mana sampai mana ruas yang rusak atau tergenang"),
    (r"sekolah|sdn?|smpn?|sman?|smkn?|paud|guru", "nama sekolahnya"),
    (r"puskesmas|pustu|rs|rsud|klinik|posyandu", "nama fasilitas kesehatannya"),
    (r"tambang|perusahaan|pabrik|limbah|sawit", "nama perusahaannya bila diketahui"),
)
"""What else tells where it is, by words of the matter."""
_WHOSE: tuple[tuple[str, str], ...] = (
    (r"air(?! (?:mata|banjir|hujan|sungai|laut))|pdam|perumdam|ledeng", "nomor sambungan pelanggan air"),
    (r"listrik|pln|meteran|token", "nomor ID pelanggan atau nomor meter"),
    (r"ktp|kk|akta|akte|capil|kia", "nomor pendaftaran atau tanggal pengurusan, dan tempat mengurusnya"),
    (r"bpjs (?:ketenagakerjaan|tk)|jht|jkk|jkm|jamsostek", "nama perusahaan dan tahun mulai terdaftar"),
    (r"bpjs|pbi|jkn|kis", "fasilitas kesehatan tempat terdaftar"),
    (r"bansos|pkh|bpnt|bantuan|blt", "nama bantuan dan tahun terakhir diterima"),
    (r"upah|gaji|phk|pesangon|lembur|thr", "nama perusahaan dan bagian tempat bekerja"),
    (r"beasiswa", "nama beasiswa, tahunnya, dan tempat belajar"),
    (r"sk|tpp|pppk|p3k|cpns|honorer|tk2d", "unit kerja dan tanggal pengusulan"),
    (r"sekolah|guru|ijazah|ppdb|spmb", "nama sekolah dan kelas"),
    (r"pbb|sppt|bphtb", "nomor objek pajak atau letak objeknya"),
    (r"sertifikat|sertipikat|ptsl|tanah", "letak tanah dan nomor berkas pendaftaran"),
    (r"izin|ijin|nib|pbg|imb", "nomor permohonan dan tanggal pengajuan"),
    (r"paspor", "nomor permohonan dan tanggal datang ke kantor"),
    (r"kredit|pinjaman|pinjol|leasing|tabungan|koperasi", "nama lembaga keuangan atau koperasinya dan tanggal kejadian"),
)
"""What tells whose case it is, by words of the matter; never a number that is the person's own."""
_ANYONE = "nomor pelanggan, nomor pendaftaran, atau nama kantor dan tanggal datang"
DAYS = 10
"""Working days after which LAPOR! closes a report that nobody answers."""


def ask(missing: Sequence[str], title: str = "", text: str = "", place: str = "", called: Mapping[str, str] = _CALLED) -> str:
    """Write the question in Indonesian; `place` is what is known of the place already, `called` as for `_CALLED`."""
    matter = f"{title} {text}"
    asked = [_one(name, matter, place, called) for name in _ASKS if name in missing] or [_ELSE]
    if len(asked) == 1:
        body = f"Agar dapat kami teruskan ke instansi yang berwenang, mohon lengkapi {asked[0]}."
    else:
        listed = "\n".join(f"{number}. {item}" + (";" if number < len(asked) else ".") for number, item in enumerate(asked, 1))
        body = f"Agar dapat kami teruskan ke instansi yang berwenang, mohon lengkapi:\n{listed}"
    said = next((one for one in (title, text) if any(map(str.isalpha, one))), "")  # forms that insist on a title get "-"
    about = f'Bapak/Ibu mengenai "{_short(said)}"' if said else "Bapak/Ibu"
    return (
        f"Yth. Bapak/Ibu Pelapor,\n\nTerima kasih atas laporan {about}. {body}\n\n"
        f"Mohon dibalas dalam {DAYS} hari kerja agar laporan tidak tertutup otomatis. Terima kasih."
    )


def _one(name: str, matter: str, place: str, called: Mapping[str, str]) -> str:
    if name == "lokasi":
        hint = _first(_WHERE, matter)
        known = f" (yang sudah kami ketahui: {place})" if place else ""
        return _ASKS[name].format_map(called) + (f"; juga {hint}" if hint else "") + known
    if name == "identitas":
        return _ASKS[name].format(_earliest(_WHOSE, matter) or _ANYONE)
    return _ASKS[name]


def _first(hints: Sequence[tuple[str, str]], matter: str) -> str:
    return next((hint for words, hint in hints if _found(words, matter)), "")


def _earliest(hints: Sequence[tuple[str, str]], matter: str) -> str:
    """Answer the hint whose word comes first in the matter: "akta rusak, rumah kemasukan air" is about the akta."""
    found = [(match.start(), hint) for words, hint in hints if (match := _found(words, matter))]
    return min(found, key=lambda one: one[0])[1] if found else ""


def _found(words: str, matter: str) -> re.Match[str] | None:
    return re.search(rf"\b(?:{words})(?:nya)?\b", matter, re.IGNORECASE)


def _short(text: str, limit: int = 80) -> str:
    words = " ".join(text.replace('"', "'").split())
    if len(words) <= limit:
        return words
    return words[:limit].rsplit(" ", 1)[0].rstrip(",.;:") + " …"
