"""Words of a text in any script, as they are spelt, and the key under which each is counted.

Two steps, so that the expensive one runs once per distinct spelling and not once per occurrence:
`spellings` finds the words of a text, `word_key` turns one spelling into its key.
"""

import html
import itertools
import unicodedata

import regex

from newsnest.describe.segment import BREAK as BREAK
from newsnest.describe.segment import Split

UNSPACED = r"\p{Han}\p{Hiragana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}"
"""Scripts written without spaces. Katakana is set apart: a run of it is one (foreign) word."""
_KATAKANA = r"[\p{Katakana}ー]+"
_LETTER = rf"[\p{{L}}\p{{N}}--[{UNSPACED}\p{{Katakana}}]]"
_TAIL = rf"[\p{{L}}\p{{N}}\p{{M}}\u200c\u200d--[{UNSPACED}\p{{Katakana}}]]*"
_WORD = (
    r"(?:\p{Lu}\.){2,}"  # U.S., U.N.
    r"|\p{Lu}\p{Ll}{1,2}\.(?= \p{Lu})"  # Mt. Gox, St. Louis
    r"|\p{N}+(?:[.,]\p{N}+)+\p{L}*"  # 1.8B, 25,000
    r"|\p{Lu}{1,3}&\p{Lu}{1,3}"  # AT&T, S&P
    rf"|{_LETTER}{_TAIL}(?:['’·‐‑-]{_LETTER}{_TAIL})*(?::\p{{Ll}}+(?<=\p{{Lu}}:\p{{Ll}}+))?"
)
_SPOKEN = regex.compile(
    rf"{_WORD}|{_KATAKANA}|[{UNSPACED}][{UNSPACED}\p{{M}}]*|[^\s\p{{L}}\p{{N}}\p{{M}}]", regex.V1
)
_RUN = regex.compile(rf"[{UNSPACED}]", regex.V1)
_CLOSE = regex.compile(rf"[{UNSPACED}\p{{Katakana}}]", regex.V1)
_HANGUL = regex.compile(r"\p{Hangul}")
_NOT_PROSE = regex.compile(r"(?:https?://|www\.)\S+|\S+@\S+\.\S+")

_ELIDING = frozenset({"fr", "it", "ca", "oc", ""})
_ELISION = regex.compile(
    r"(?:[ldjmtsnc]|qu|jusqu|lorsqu|puisqu|quoiqu|un|dell|all|nell|sull|dall|coll|quest|quell|"
    r"sant|bell|tutt|mezz|com|senz|vent|trent|gl|degl|agl|negl|v)['’](?=\p{L}{2})",
    regex.IGNORECASE,
)
_CONNECTORS = frozenset(
    ("of", "de", "du", "des", "del", "della", "delle", "dei", "di", "da", "do", "dos", "das")
) | {"von", "van", "der"}
# Case endings that are set off: "Türkiye'de", "EU:ssa", "NATO-hoz".
_SET_OFF = {
    **dict.fromkeys(("tr", "az"), regex.compile(r"(?<=\p{L})['’]\p{Ll}+$")),
    **dict.fromkeys(("fi", "sv", "et", "no", "da"), regex.compile(r"(?<=\p{L}):\p{Ll}+$")),
    **dict.fromkeys(("hu", "et", "lt", "lv"), regex.compile(r"(?<=\p{Lu})[:-]\p{Ll}+$")),
}
_POSSESSIVE = regex.compile(r"['’]s$", regex.IGNORECASE)
# "3", "10th", "4bn", "25,000", "7-year-old": a number with its unit is no keyword. "5G", "G20" are.
_NUMBER = regex.compile(
    r"\p{N}[\p{N}.,]*(?:[BMKT]N?|[-‐‑]?\p{Ll}[\p{Ll}\p{N}\p{M}'’‐‑-]*)?(?:['’]\p{L}+)?"
)
_LETTERS = regex.compile(r"\p{L}")


def spellings(text: str, split: Split | None = None) -> list[str]:
    r"""Find the words of a text in order, as spelt, with `BREAK` for all punctuation between them.

    Words are runs of letters, marks and digits, joined by inner apostrophes and hyphens. In scripts
    without spaces they are overlapping pairs of characters (of grapheme clusters, where marks
    attach to a letter), or the words into which `split` cuts them; single characters there carry
    too little meaning and are dropped. Runs of Katakana stay whole; Hangul is split at spaces. URLs
    and e-mail addresses are left out, HTML entities decoded. Linear in the text.

    Source: Apache Lucene, CJKBigramFilter (outputUnigrams = false). Differs from the source in
    covering Thai, Lao, Khmer, Myanmar and Tibetan, in keeping Katakana runs whole, and in pairing
    within Han and within Hiragana only: a pair across the two is mostly half a noun and a particle.

    Example
    -------
    >>> spellings("L'état, c'est R&amp;D")
    ["L'état", '\n', "c'est", 'R&D']
    >>> spellings("北京大学")
    ['北京', '京大', '大学', '\n']
    """
    if "&" in text:
        text = html.unescape(text)
    if "://" in text or "@" in text or "www." in text:
        text = _NOT_PROSE.sub(" \u2022 ", text)
    found: list[str] = _SPOKEN.findall(text)
    if _RUN.search(text) is None:
        return [word if word[0].isalnum() else BREAK for word in found]
    words: list[str] = []
    for word in found:
        if _RUN.match(word):
            words += pairs(word) if split is None else split(word)
        else:
            words.append(word if word[0].isalnum() else BREAK)
    return words


_STRETCH = regex.compile(
    r"[\p{Han}\p{M}]+|\p{Hiragana}[\p{Hiragana}\p{M}]*|[^\p{Han}\p{Hiragana}]+", regex.V1
)


def pairs(run: str) -> list[str]:
    """Cut a run without spaces into overlapping pairs, with a break after each stretch."""
    words: list[str] = []
    for stretch in _STRETCH.findall(run):
        marks = regex.findall(r"\X", stretch)
        words += [first + second for first, second in itertools.pairwise(marks)]
        words.append(BREAK)
    return words


def is_pair(spelling: str) -> bool:
    """Tell whether a spelling is a pair of characters from a run without spaces."""
    return _RUN.match(spelling) is not None


_HIRAGANA = regex.compile(r"\p{Hiragana}{2}")


def is_ending(spelling: str) -> bool:
    """Tell whether a pair is Hiragana alone: particles and endings, which are no keywords."""
    return _HIRAGANA.fullmatch(spelling) is not None


def unseparated(first: str, second: str) -> str:
    """Join two overlapping pairs: 北京 and 京大 give 北京大."""
    shared: str = regex.match(r"\X", second).group()
    return first + second[len(shared) :]


def is_unspaced(spelling: str) -> bool:
    """Tell whether a spelling begins in a script that sets no spaces between words."""
    return _CLOSE.match(spelling) is not None


def is_hangul(spelling: str) -> bool:
    """Tell whether a spelling has Hangul, whose words end in particles."""
    return _HANGUL.search(spelling) is not None


def elides(language: str) -> bool:
    """Tell whether a language may elide an article, which a phrase keeps: "coup d'État"."""
    return language in _ELIDING


def is_connector(spelling: str) -> bool:
    """Tell whether a phrase may span this word: "Game of Thrones", "Banco de España"."""
    return spelling in _CONNECTORS


def bare(spelling: str, language: str = "") -> str:
    """Strip elided articles (French, Italian, Catalan), the possessive 's and endings set off.

    Example
    -------
    >>> bare("l'état", "fr"), bare("aujourd'hui", "fr"), bare("Ukraine’s", "en")
    ('état', "aujourd'hui", 'Ukraine')
    """
    word = _POSSESSIVE.sub("", spelling)
    if (ending := _SET_OFF.get(language)) is not None:
        word = ending.sub("", word)
    if language in _ELIDING and (found := _ELISION.match(word)):
        word = word[found.end() :]
    return str(word)


_NON_JOINER = "\u200c"  # Persian: the same word is written with and without


def word_key(word: str) -> str:
    """Return the key under which a bare word is counted, casefolded; "" if it cannot be a keyword.

    Numbers (alone or with a unit: "10th", "4bn", "7-year-old") and single letters cannot.

    Example
    -------
    >>> word_key("Reserve"), word_key("U.S."), word_key("10th"), word_key("5G")
    ('reserve', 'us', '', '5g')
    """
    if _NUMBER.fullmatch(word) or _LETTERS.search(word) is None:
        return ""
    key = word.casefold().replace("’", "'").replace(_NON_JOINER, "")
    if "." in key:
        key = key.replace(".", "")
    return key if len(key) > 1 else ""


_VARIANT = regex.compile(r"(?<=\p{L}{4})[-‐‑]?\p{N}+$|(?<=\p{L})[-‐‑](?=\p{L})")


def plain_key(key: str) -> str:
    """Return a key without hyphens and a number at its end, to be compared with other spellings.

    Example
    -------
    >>> plain_key("covid-19"), plain_key("co-operation"), plain_key("g20")
    ('covid', 'cooperation', 'g20')
    """
    return str(_VARIANT.sub("", key))


_INFLECTION = regex.compile(
    r"(?<=\p{L}{4})(?:ings?|ed|ers?|es|ies|s|ese|an(?:y|ies|istan)|i?ans?|ia|[aiy])$"
)


def word_family(key: str) -> str:
    """Return what the inflected forms of a word begin with: a key without its ending, six letters.

    Accents do not count. Crude on purpose, for any language.

    Example
    -------
    >>> word_family("floods"), word_family("flooding"), word_family("ukrainian")
    ('flood', 'flood', 'ukrain')
    >>> word_family("korea") == word_family("korean"), word_family("málaga")
    (True, 'malag')
    """
    if not key.isascii():
        key = _ACCENTS.sub("", unicodedata.normalize("NFKD", key))
    return str(_INFLECTION.sub("", key))[:6]


_ACCENTS = regex.compile(r"(?<=\p{Latin})\p{Mn}+")
