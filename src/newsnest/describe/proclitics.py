"""Arabic and Hebrew words without the little words that are written as their first letters."""

from collections.abc import Mapping

import regex

LANGUAGES = frozenset(("ar", "he"))
_CONJUNCTIONS, _PREPOSITIONS = {"ar": "وف", "he": "וש"}, {"ar": "بكل", "he": "בלמכ"}
_ARTICLE = {"ar": "ال", "he": "ה"}
_SHORTEST = 3
_ARABIC_MARKS = regex.compile("[\u0640\u064b-\u0652\u0670]")
_ALEF = str.maketrans("أإآٱ", "اااا")


def without_proclitics(spelling: str, language: str, known: Mapping[str, int]) -> str:
    """Strip "and", "so", "in", "to" and the like off an Arabic or Hebrew word; keep its article.

    A letter goes if what is left, with or without the article, occurs in `known`, which counts
    spellings, at least as often: "وقال" ("and said") goes with "قال", "وزير" ("minister") stays.
    Before an article it goes if the rest occurs at all.

    Example
    -------
    >>> without_proclitics("بالحكومة", "ar", {"حكومة": 1})
    'الحكومة'
    >>> without_proclitics("وقال", "ar", {"قال": 3}), without_proclitics("وزير", "ar", {})
    ('قال', 'وزير')
    """
    word, article = spelling, _ARTICLE[language]
    for letters in (_CONJUNCTIONS[language], _PREPOSITIONS[language]):
        rest = word[1:]
        if not word.startswith(tuple(letters)):
            continue
        if language == "ar" and word.startswith("لل"):
            rest = article + word[2:]
        plain = rest.removeprefix(article)
        if len(plain) < _SHORTEST:
            continue
        count = known.get(plain, 0) + known.get(article + plain, 0)
        # Nothing but names begins with a letter and an article: California, Baltimore.
        least = 1 if language == "ar" and rest.startswith(article) else max(known.get(word, 0), 1)
        if count >= least:
            word = rest
    return word


def arabic_key(key: str) -> str:
    """Return the key of an Arabic word: no article, no vowel signs, one kind of alef.

    Example
    -------
    >>> arabic_key("الإنتخابات")
    'انتخابات'
    """
    plain: str = _ARABIC_MARKS.sub("", key).translate(_ALEF)
    rest = plain.removeprefix(_ARTICLE["ar"])
    return rest if len(rest) >= _SHORTEST else plain
