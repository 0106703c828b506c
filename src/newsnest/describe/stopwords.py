"""Stop words: lists for 58 languages; in all others the most frequent words.

The lists are those of stopwords-iso. A few of the English ones were drawn from web pages of the
1990s and contain words that matter in news ("Microsoft", "fire", "bill"): these are removed from
them. Words that may occur in any headline ("update", "photos") are added.
"""

from functools import cache

import regex
import stopwordsiso

FALLBACK = "en"
"""The language whose list is used if the language is unknown or has no list."""

FREQUENT_SHARE = 0.05
"""A word in more than this share of the texts of a language without a list is a stop word.

Measured on single sentences in 22 languages that have a list (SIB-200): 87 % of the words above 5 %
are on the list, and they account for two thirds of its occurrences; at 2 % only 71 % of them are on
the list, at 10 % they account for at most half of its occurrences.
"""

SHORT_LIST = 100
"""Languages with fewer listed words (Hausa, Swahili, Yoruba) are judged by frequency too."""

FREQUENT_WINDOW = 30
"""Number of words of each text to count for `FREQUENT_SHARE`: long texts contain more of any."""

FREQUENT_TEXTS = 10
"""Minimum number of texts, so that a few texts do not make a stop word of their own subject."""

_ALIASES = {"nb": "no", "nn": "no", "fil": "tl", "iw": "he", "in": "id", "ckb": "ku", "zsm": "ms"}


def _words(line: str) -> frozenset[str]:
    return frozenset(line.split())


_LET_THROUGH = {
    "en": _words(
        "bill computer fire ibm microsoft mill netscape system uk un tv cry gay ring test"
    ),
}

_ADDED = {
    "en": _words(
        "say says said mr mrs ms dr photo photos pic pics picture pictures video videos update "
        "updates updated watch live breaking news report reports reportedly today yesterday "
        "tomorrow monday tuesday wednesday thursday friday saturday sunday bn mn pc amid vs via "
        "exclusive opinion gallery read slideshow poll recap roundup review preview editorial "
        "editorials sponsored advertorial podcast podcasts explainer factbox newsletter min mins"
    ),
    "fr": _words(
        "vidéo vidéos photo photos direct exclusif actualité actualités info infos lundi mardi "
        "mercredi jeudi vendredi samedi dimanche hier demain aujourd'hui selon ans an après "
        "million millions milliard milliards janvier février mars avril mai juin juillet août "
        "septembre octobre novembre décembre mme m. jour jours face contre veut va vont fait "
        "faire"
    ),
    "es": _words(
        "vídeo vídeos video videos foto fotos directo lunes martes miércoles jueves viernes "
        "sábado domingo ayer hoy mañana según años año millones"
    ),
    "de": _words(
        "video videos foto fotos bild bilder montag dienstag mittwoch donnerstag freitag samstag "
        "sonntag gestern heute morgen laut millionen jahre jahren"
    ),
    "it": _words(
        "video foto diretta lunedì martedì mercoledì giovedì venerdì sabato domenica ieri oggi "
        "domani secondo anni anno milioni"
    ),
    "pt": _words(
        "vídeo vídeos foto fotos segunda terça quarta quinta sexta sábado domingo ontem hoje "
        "amanhã segundo anos ano milhões"
    ),
}

_ACRONYMS = {"en": frozenset({"US", "WHO", "IT"})}


def languages() -> frozenset[str]:
    """Return the codes of the languages that have a list."""
    return frozenset(stopwordsiso.langs())


@cache
def base_language(language: str) -> str:
    """Return the code of the list for a language: "pt-BR" → "pt", "nb" → "no"; "" for none.

    Example
    -------
    >>> base_language("pt-BR"), base_language("xx")
    ('pt', '')
    """
    code = regex.split("[-_]", language.strip().lower(), maxsplit=1)[0]
    code = _ALIASES.get(code, code)
    return code if code in languages() else ""


@cache
def stop_words(language: str) -> frozenset[str]:
    """Return the stop words of one language, casefolded; English ones if it has no list.

    The code may have any case and a region ("pt-BR"), or be "" for unknown.

    Example
    -------
    >>> "the" in stop_words("en"), "le" in stop_words("fr"), "fire" in stop_words("en")
    (True, True, False)
    """
    code = base_language(language) or FALLBACK
    listed = {word.casefold() for word in stopwordsiso.stopwords(code)}
    return frozenset((listed - _LET_THROUGH.get(code, set())) | _ADDED.get(code, set()))


@cache
def has_full_list(language: str) -> bool:
    """Tell whether a language has a list of at least `SHORT_LIST` words."""
    code = base_language(language)
    return bool(code) and len(stopwordsiso.stopwords(code)) >= SHORT_LIST


def is_acronym(spelling: str, language: str) -> bool:
    """Tell whether capitals make a stop word a name: "US" and "WHO", not "us" and "who"."""
    return spelling.replace(".", "") in _ACRONYMS.get(base_language(language) or FALLBACK, ())
