"""Language codes: those that are given made one kind, those that are missing detected."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any, TypeVar

import numpy as np

from newsnest.progress import SILENT, Progress
from newsnest.types import Article, Notice, Rejected

Item = TypeVar("Item", bound=Article | Rejected | Notice)

_LETTERS_NEEDED = 3
_SURE = 0.5
_SHARE = 0.01
_READ = 2_000
"""Characters that decide the language; more change nothing and cost time."""

_UNSPECIFIED = frozenset(
    ("und", "unk", "unknown", "none", "null", "nan", "mul", "zxx", "n/a", "-", "xx")
)
_CODE = re.compile(r"([a-z]{2,3})(?:[-_][a-z0-9]+)*")

# ISO 639-2 and 639-3 → 639-1, for the languages news is commonly labelled with.
_SHORT_CODES = (
    "afr:af amh:am ara:ar arb:ar asm:as aze:az bel:be ben:bn bos:bs bul:bg cat:ca ces:cs cze:cs "
    "cmn:zh cym:cy wel:cy dan:da deu:de ger:de ell:el gre:el eng:en epo:eo est:et eus:eu "
    "baq:eu fas:fa per:fa pes:fa fin:fi fra:fr fre:fr gle:ga glg:gl guj:gu hau:ha heb:he "
    "hin:hi hrv:hr hun:hu hye:hy arm:hy ibo:ig ind:id isl:is ice:is ita:it jpn:ja kan:kn "
    "kat:ka geo:ka kaz:kk khm:km kin:rw kor:ko lao:lo lat:la lav:lv lin:ln lit:lt ltz:lb "
    "lug:lg mal:ml mar:mr mkd:mk mac:mk mlg:mg mlt:mt mon:mn msa:ms may:ms zsm:ms mya:my "
    "bur:my nep:ne nld:nl dut:nl nno:nn nob:nb nor:no orm:om pan:pa pol:pl por:pt pus:ps "
    "ron:ro rum:ro run:rn rus:ru sin:si slk:sk slo:sk slv:sl sna:sn som:so spa:es sqi:sq "
    "alb:sq srp:sr swa:sw swh:sw swe:sv tam:ta tel:te tgl:tl tha:th tir:ti tur:tr ukr:uk "
    "urd:ur uzb:uz vie:vi xho:xh yid:yi yor:yo zho:zh chi:zh zul:zu"
)
_SHORT = dict(pair.split(":") for pair in _SHORT_CODES.split())
_NAMES = (
    "english:en anglais:en inglés:en french:fr français:fr francés:fr spanish:es español:es "
    "espagnol:es german:de deutsch:de allemand:de italian:it italiano:it italien:it "
    "portuguese:pt português:pt portugais:pt dutch:nl nederlands:nl russian:ru русский:ru "
    "arabic:ar العربية:ar chinese:zh 中文:zh japanese:ja 日本語:ja korean:ko turkish:tr "
    "polish:pl swedish:sv hindi:hi ukrainian:uk greek:el"
)
_NAMED = dict(pair.split(":") for pair in _NAMES.split())


def normalise_language(given: str) -> str | None:
    """Return the ISO 639-1 code ("EN-us" → "en"), "" if unspecified, None if it is not a code.

    Codes of three letters stay as they are where there is no shorter one.

    Examples
    --------
    >>> normalise_language("EN-us"), normalise_language("fra"), normalise_language("und")
    ('en', 'fr', '')
    """
    code = given.strip().lower()
    if not code or code in _UNSPECIFIED:
        return ""
    if code in _NAMED:
        return _NAMED[code]
    found = _CODE.fullmatch(code)
    if found is None:
        return None
    return _SHORT.get(found[1], found[1]) if found[1] not in _UNSPECIFIED else ""


def detect_language(text: str) -> str:
    """Return the ISO 639-1 code of a text, "" where that is uncertain.

    By py3langid: naive Bayes over byte n-grams, no network, deterministic; about 0.1 ms a sentence
    after 0.5 s for the model. Uncertain is a text of fewer than three letters, and one whose best
    language has less than half of the probability: that is a third of English headlines, but all
    of the wrong guesses on them but one (`benchmarks/languages.py`). `settle_languages` decides
    those by the company they are in. Nigerian Pidgin is left out of the languages, because it
    takes 6 in 100 English headlines for it.

    Examples
    --------
    >>> detect_language("Le gouvernement présente son budget au parlement ce mardi")
    'fr'
    """
    if not _is_long_enough(text):
        return ""
    code, probability = _identifier().classify(text[:_READ])
    return str(code) if probability >= _SURE else ""


def settle_languages(items: Iterable[Item], *, progress: Progress = SILENT) -> Iterator[Item]:
    """Give articles of uncertain language the likeliest one among those the corpus speaks.

    A corpus speaks a language if at least 1 % of its certain articles do. Where nothing is certain,
    the likeliest language of all is taken. Texts of fewer than three letters keep "".

    Parameters
    ----------
    items
        What `read_articles` yields.
    progress
        One task: uncertain articles.

    Yields
    ------
    The same items; uncertain articles come last.

    Notes
    -----
    The result does not depend on the order of the items. Uncertain articles are held in memory.

    Examples
    --------
    >>> from newsnest.types import Article
    >>> sure = [Article(str(n), "Rain in the valley", lang="en") for n in range(3)]
    >>> [a.lang for a in settle_languages([Article("x", "Gaza talks stall"), *sure])][-1]
    'en'
    """
    counts: Counter[str] = Counter()
    uncertain: list[Article] = []
    for item in items:
        if isinstance(item, Article):
            if not item.lang:
                uncertain.append(item)
                continue
            counts[item.lang] += 1
        yield item
    spoken = {code for code, count in counts.items() if count >= _SHARE * counts.total()}
    if not uncertain:
        return
    with progress.start("settle languages", len(uncertain), "articles") as task:
        for article in uncertain:
            lang = _likeliest(f"{article.title}\n{article.text}", spoken)
            yield replace(article, lang=lang)  # type: ignore[misc]  # an Article, as it was
            task.advance()


def _likeliest(text: str, spoken: set[str]) -> str:
    if not _is_long_enough(text):
        return ""
    ranked = [str(code) for code, _ in _identifier().rank(text.strip()[:_READ])]
    return next((code for code in ranked if code in spoken), ranked[0])


def _is_long_enough(text: str) -> bool:
    return sum(map(str.isalpha, text[:_READ])) >= _LETTERS_NEEDED


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages([code for code in identifier.labels if code != "pcm"])
    # That leaves half floats in columns; the same numbers in rows are found twice as fast.
    identifier.nb_ptc = np.ascontiguousarray(identifier.nb_ptc, dtype=np.float32)
    return identifier
