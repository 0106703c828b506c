"""Words of Chinese, Japanese, Korean and Thai, by tokenizers that the extra `asian` installs.

Chinese, Japanese and Thai are cut into words; Korean words, which spaces set apart, lose their
particles and endings. Of all of them what is no noun, verb or adjective is left out.
"""

import importlib.metadata
import os
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

BREAK = "\n"
"""Separates two words that no phrase may span: punctuation, or the end of a run."""

Split = Callable[[str], list[str]]
"""Returns the words of a run of characters without spaces, `BREAK` in place of all others."""

_PACKAGES = {
    "zh": ("rjieba",),
    "ja": ("sudachipy", "sudachidict-small"),
    "th": ("pythainlp",),
    "ko": ("kiwipiepy", "kiwipiepy-model"),
}
"""What finds the words of a language; dictionaries after the tokenizer."""
_NAMES = {"zh": "Chinese", "ja": "Japanese", "th": "Thai", "ko": "Korean"}
_PAIRS = "pairs of characters"
_NO_TOKENIZER = dict.fromkeys(("km", "lo", "my", "bo", "dz"), _PAIRS)
_INSTEAD = {"zh": _PAIRS, "ja": _PAIRS, "th": _PAIRS, "ko": "words with their endings"}
_FEW = 0.01  # of the texts


@cache
def _versions(language: str) -> dict[str, str]:
    """Return the versions of what finds the words of a language, none unless all is installed."""
    try:
        return {name: importlib.metadata.version(name) for name in _PACKAGES.get(language, ())}
    except importlib.metadata.PackageNotFoundError:
        return {}


def tokenizer(language: str) -> str:
    """Return the package that finds the words of a language and its version, "" if none does.

    Example
    -------
    >>> tokenizer("en")
    ''
    """
    return next((f"{name} {version}" for name, version in _versions(language).items()), "")


def tokenizer_versions() -> dict[str, str]:
    """Return the versions of tokenizers and dictionaries: other words make other names."""
    return {name: v for language in _PACKAGES for name, v in _versions(language).items()}


def words_found_by(texts: Mapping[str, int]) -> dict[str, str]:
    """Return by language what finds words, of languages that need more than spaces.

    `texts` is how many texts are in each language.

    Example
    -------
    >>> words_found_by({"en": 10, "km": 2})
    {'km': 'pairs of characters'}
    """
    instead = {**_INSTEAD, **_NO_TOKENIZER}
    return {code: tokenizer(code) or instead[code] for code in sorted(texts) if code in instead}


def missing_in_words(texts: Mapping[str, int]) -> str:
    """Return a sentence on tokenizers that would help with 1 % of the texts or more, or ""."""
    missing = [
        code
        for code in sorted(_PACKAGES)
        if texts.get(code, 0) > _FEW * sum(texts.values()) and not tokenizer(code)
    ]
    if not missing:
        return ""
    count = sum(texts[code] for code in missing)
    kinds = " and ".join(sorted({_INSTEAD[code] for code in missing}))
    names = ", ".join(_NAMES[code] for code in missing)
    return (
        f"{count:,} of {sum(texts.values()):,} texts are in {names}: keywords are {kinds}. For "
        "words: pip install 'newsnest[asian]'"
    )


def splitter(language: str) -> Split | None:
    """Return what cuts a run without spaces into words, None where nothing is installed for it."""
    return _SPLITTERS[language]() if language in _SPLITTERS and tokenizer(language) else None


def korean_nouns(spellings: Iterable[str]) -> list[str]:
    """Return what is left of Korean words without particles and endings, "" of those not nominal.

    Each is read by itself, so that it costs once what occurs often.
    """
    words = list(spellings)
    found = _kiwi().tokenize(words) if words else []
    return [_nominal(word, parts) for word, parts in zip(words, found, strict=True)]


_NOMINAL = ("NNG", "NNP", "XR", "XPN", "XSN", "SL", "SH", "SN", "NNB", "NR", "SO", "SW", "SP")
_MEANT = ("NNG", "NNP", "XR", "SL", "SH")


def _nominal(word: str, parts: Iterable[Any]) -> str:
    end, meant = 0, False
    for part in parts:
        if part.tag not in _NOMINAL or part.start < end:
            break
        end, meant = part.start + part.len, meant or part.tag in _MEANT
    return word[:end] if meant else ""


@cache
def _kiwi() -> Any:
    from kiwipiepy import Kiwi

    return Kiwi(num_workers=1)


@cache
def _chinese() -> Split:
    import rjieba

    kept = ("n", "v", "a", "j", "i", "l", "s", "g", "z", "b")

    def split(run: str) -> list[str]:
        return [word if tag.startswith(kept) else BREAK for word, tag in rjieba.tag(run)]

    return split


_POSSIBLE_ADVERB = "副詞可能"  # "today", "all"


@cache
def _japanese() -> Split:
    import sudachipy

    tokenize = sudachipy.Dictionary(dict="small").tokenizer(mode=sudachipy.SplitMode.C)

    def split(run: str) -> list[str]:
        words: list[str] = []
        prefix = ""
        for part in tokenize.tokenize(run):
            word, (kind, finer, finest, *_) = part.surface(), part.part_of_speech()
            if kind == "接尾辞" and finer == "名詞的" and words and words[-1] != BREAK:
                words[-1] += word  # 容疑 + 者
            elif kind == "接頭辞":
                prefix = word
                continue
            elif kind == "形状詞" or (
                kind == "名詞" and finer in ("普通名詞", "固有名詞") and finest != _POSSIBLE_ADVERB
            ):
                words.append(prefix + word)
            else:
                words.append(BREAK)
            prefix = ""
        return words

    return split


@cache
def _thai() -> Split:
    if "PYTHAINLP_READ_MODE" not in os.environ:  # its older name; both are an error
        os.environ.setdefault("PYTHAINLP_READ_ONLY", "1")  # or it makes a folder in the home
    from pythainlp.corpus import thai_stopwords
    from pythainlp.tokenize import word_tokenize

    stops = thai_stopwords()

    def split(run: str) -> list[str]:
        return [BREAK if word in stops else word for word in word_tokenize(run)]

    return split


_SPLITTERS: dict[str, Callable[[], Split]] = {"zh": _chinese, "ja": _japanese, "th": _thai}
