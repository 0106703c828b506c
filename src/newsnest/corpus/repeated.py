"""What is boilerplate is found by counting: an outlet repeats it, and others do not."""

import zlib
from array import array
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain

import numpy as np

from newsnest.corpus.affixes import Span, marks, spans
from newsnest.corpus.boilerplate import CORPUS, Boilerplate, Pattern
from newsnest.corpus.distinct import Candidate, Sample, only_here, unlike
from newsnest.corpus.tokens import GAP, written
from newsnest.progress import SILENT, Progress
from newsnest.types import Article

MIN_ARTICLES, MIN_SHARE = 5, 0.03
"""An outlet repeats what stands in so many of its articles, and in such a share of them."""
MIN_CORPUS_ARTICLES, MIN_CORPUS_SHARE = 12, 0.02
"""The same for what articles share whatever their outlet."""
UNBOUNDED_SHARE = 0.3
"""The same for an end that no punctuation sets off: "… on Monday Read Full Article at RT.com"."""
_TEMPLATE_SHARE = 0.8  # of the articles with this end begin it like this
_SAMPLE = 10_000  # articles of an outlet, and of the corpus

_Found = dict[str, tuple[Span, list[int]]]


def find_boilerplate(articles: Sequence[Article], *, progress: Progress = SILENT) -> Boilerplate:
    """Find what outlets repeat across many articles, and others do not.

    Counted are beginnings and ends of titles and texts that punctuation sets off, with what varies
    in them (numbers, months, days of the week; the place in a dateline; the headline in "The post …
    appeared first on …"), and whole sentences. An outlet, the `source` of an article, repeats what
    stands in five of its articles and 3 % of them; the corpus what stands in twelve and 2 %.

    Content stays. Others (nearly) never say what is boilerplate, neither word for word nor in their
    own words, nor does the outlet elsewhere; and the articles that share it are about as unlike as
    other articles of the outlet: a story that is told again and again is not boilerplate.

    Parameters
    ----------
    articles
        At least one, in any order.
    progress
        One task: articles counted.

    Returns
    -------
    Boilerplate
        The patterns that are taken out of these articles, and a way to take them out.

    Notes
    -----
    Linear in the texts; what articles share is counted by 64-bit hashes, eight bytes for every
    sentence and some twenty for every article, and words in an even sample of 20,000 articles.
    Deterministic; no list of words is used but the names of months and days.

    Examples
    --------
    >>> towns = "Brest Calais Dieppe Nantes Rouen Vannes".split()
    >>> texts = [f"{town.upper()}, May {day} (Gull) -- {town}." for day, town in enumerate(towns)]
    >>> gull = [Article(text, text=text, source="Gull") for text in texts]
    >>> others = [Article(f"o{i}", f"Snow {i}", source="Owl") for i in range(9)]
    >>> boilerplate = find_boilerplate(gull + others)
    >>> [pattern.text for pattern in boilerplate.patterns], boilerplate.strip(gull[0]).text
    (['… (Gull) --'], 'Brest.')
    """
    uses = Counter[Pattern]()
    deque(_taken_out(articles, uses, progress), maxlen=0)
    return _in_use(uses)


def strip_boilerplate(
    articles: Sequence[Article], *, progress: Progress = SILENT
) -> tuple[list[Article], Boilerplate]:
    """Return the articles without what `find_boilerplate` finds, and that."""
    uses = Counter[Pattern]()
    return list(_taken_out(articles, uses, progress)), _in_use(uses)


def _taken_out(
    articles: Sequence[Article], uses: Counter[Pattern], progress: Progress
) -> Iterator[Article]:
    """Yield the articles without what is found in them; count how often."""
    found = Boilerplate(_patterns(articles, progress))
    if not found.patterns:
        yield from articles
        return
    with progress.start("take out what is repeated", len(articles), "articles") as task:
        for article in articles:
            left, taken = found.taken(article)
            uses.update(taken)
            task.advance()
            yield left


def _in_use(uses: Mapping[Pattern, int]) -> Boilerplate:
    """Return the patterns that were taken out of articles, not those that others cover."""
    return Boilerplate(replace(pattern, articles=count) for pattern, count in uses.items())


def _patterns(articles: Sequence[Article], progress: Progress) -> list[Pattern]:
    # Samples that do not depend on the order of the articles, the smaller within the larger.
    names = np.fromiter((zlib.crc32(a.id.encode()) for a in articles), np.uint32, len(articles))
    order = np.argsort(names, kind="stable").tolist()
    by_outlet: dict[str, list[int]] = {CORPUS: order[:_SAMPLE]}
    for row in order:
        outlet = articles[row].source
        if outlet and len(by_outlet.setdefault(outlet, [])) < _SAMPLE:
            by_outlet[outlet].append(row)
    candidates: list[Candidate] = []
    total = sum(map(len, by_outlet.values()))
    with progress.start("count what is repeated", total, "articles") as task:
        for outlet, rows in by_outlet.items():
            candidates += _repeated(articles, outlet, rows)
            task.advance(len(rows))
    if not candidates:
        return []
    sample = Sample(articles, by_outlet[CORPUS])
    return [
        Pattern(one.outlet, one.span.name, written(one.example, one.span.key), len(one.rows))
        for one in unlike(list(only_here(candidates, sample)), sample)
    ]


def _repeated(articles: Sequence[Article], outlet: str, rows: Sequence[int]) -> list[Candidate]:
    """Return what enough of these articles share."""
    least, share = (MIN_ARTICLES, MIN_SHARE) if outlet else (MIN_CORPUS_ARTICLES, MIN_CORPUS_SHARE)
    need = max(least, share * len(rows))
    if len(rows) < need:
        return []
    own = [array("q", marks(articles[row], sentences=True)) for row in rows]
    counts = Counter(chain.from_iterable(own))
    frequent = {mark for mark, count in counts.items() if count >= need}
    found: _Found = {}
    for row, its in zip(rows, own, strict=True):
        if not frequent.isdisjoint(its):
            pieces = spans(articles[row], frequent, sentences=True)
            for name, span in {span.name: span for span in pieces}.items():
                found.setdefault(name, (span, []))[1].append(row)
    found = {name: item for name, item in found.items() if len(item[1]) >= need}
    longest: dict[object, tuple[Span, list[int]]] = {}
    for span, having in found.values():
        if not _is_repeated(span, having, found, len(rows)):
            continue
        # Of beginnings of the same articles the longest counts, and of ends.
        end = span.key if span.place == "sentence" else span.place == "head"
        best = longest.setdefault((span.part, end, *having), (span, having))[0]
        if (span.stop - span.first, len(span.key)) > (best.stop - best.first, len(best.key)):
            longest[(span.part, end, *having)] = span, having
    candidates = []
    for span, having in longest.values():
        article = articles[having[0]]
        begin, stop = span.characters(article)
        example = (article.title if span.part == "title" else article.text)[begin:stop].strip()
        candidates.append(Candidate(outlet, span, example, having, rows))
    return [one for one in candidates if one.words]


def _is_repeated(span: Span, rows: Sequence[int], found: _Found, articles: int) -> bool:
    """Tell whether enough of the articles share an end; of templates, nearly all with their end."""
    if span.place == "ending":
        return len(rows) >= UNBOUNDED_SHARE * articles
    _, gap, ending = span.key.partition(f" {GAP} ")
    if not gap or span.place != "tail":
        return True
    return len(rows) >= _TEMPLATE_SHARE * len(found[f"text ending: {ending}"][1])
