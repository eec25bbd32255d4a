"""Which language a complaint leans to, by a few hundred common words: enough to cut figures into slices, and for nothing else."""

from __future__ import annotations

import re

STANDARD, COLLOQUIAL, REGIONAL, ENGLISH = "standard", "colloquial", "regional", "english"
_SHARES = ((ENGLISH, 0.25), (REGIONAL, 0.08), (COLLOQUIAL, 0.06))
"""Share of a text's words from which it leans to a language; the first that holds decides."""
_WORDS = re.compile(r"[^\W\d_]+")

_LEXICON = {
    # Javanese, Banjar and Kutai, Sundanese, Bugis and Makassar; words that are Indonesian too are left out.
    REGIONAL: """
        kulo kula ora mboten ra wis wes sampun sing ono ana nggih niki niku nyuwun nuwun matur iki kuwi jare jarene arep nek
        yen karo iso saged opo nopo saiki kabeh ojo wong banyu dalan omah omahku piye pripun durung dereng maneh podo wae
        mawon mung wingi bengi neng ning nang teng soko saking dadi kudu saben nganti bocah wedi udan iwak sak dikon mlebu
        tekan carane banyune lha yo taun ulun kada mun handak haja jua kawa urang banar kadada gasan wahini pian bubuhan ikam
        samalam imbah etam endik ndik suah nyawa tulung umpat jar gin sida tuha saurang sakalinya dibari dibaiki kampong leh
        ni abdi teu henteu aya kumaha punten nuhun hatur ieu eta naon geus atuh mah teh parantos tiasa upami hoyong sanes
        ayeuna tabe ji ki pi kodong iye pang
    """,
    COLLOQUIAL: """
        gak nggak ngga enggak ga gk engga udah udh dah belom blm aja aj doang banget bgt gimana gmn kenapa knp kayak kyk dong
        deh sih nih tuh kok loh lho yg dgn krn utk klo kalo klu kl jgn tlg sm dr dri pd skrg skg bgmn trus trs gitu gini gtu
        pake cuma cuman emang emg gue gua gw lu lo bro min gan woy woi bgtu ngapain mulu bikin ketauan ampe nyampe makasih
        mksh thx
    """,
    ENGLISH: """
        the a an is are was were be been has have had do does did not no and or but if to of in on at for from with by please
        help this that these those there here it its we you they he she my our your their when why what how which who will
        would can could should very road street water power broken since near because
    """,
}
_OF = {word: language for language, words in _LEXICON.items() for word in words.split()}


def leaning(text: str) -> str:
    """Tell which language a text leans to: STANDARD, COLLOQUIAL, REGIONAL or ENGLISH."""
    words = _WORDS.findall(text.casefold())
    found = [_OF[word] for word in words if word in _OF]
    return next((language for language, share in _SHARES if words and found.count(language) >= share * len(words)), STANDARD)
