"""Names of clusters: headlines for stories, keywords above them."""

import html
from collections import Counter
from collections.abc import Sequence

import numpy as np
import regex

from newsnest.describe.sentences import split_sentences
from newsnest.invisible import without_invisible
from newsnest.types import Article, Ints, Labels

SEPARATOR = " · "
NAME_KEYWORDS = 3
MAX_CHARACTERS = 140
_OUTLET = regex.compile(r"^(?P<head>.*\S)\s+[-–—|·»]\s+(?P<outlet>[^|]{2,60})$")
_SIGNS = regex.compile(r"[^\p{L}\p{N}]+")
_DOMAIN = regex.compile(r"^www\.|\.(?:com|org|net|co|news|fr|de|es|it|uk|eu)(?:\.\p{Ll}{2})?$")


def headline_name(article: Article) -> str:
    """Return the headline that names a story.

    White space is collapsed, entities are decoded, and a trailing outlet (" - Reuters", " | BBC
    News") is removed if it is the article's own. Without a title, the first sentence of the text is
    used, cut after at most 140 characters.

    Example
    -------
    >>> headline_name(Article(id="1", title="Fed waits  | Reuters", source="Reuters"))
    'Fed waits'
    """
    if article.title.strip():
        return _without_outlet(_plain_line(article.title), article.source) or article.id
    sentences = split_sentences(article.text[: 10 * MAX_CHARACTERS], article.lang)
    first = _plain_line(sentences[0] if sentences else article.headline)
    if len(first) <= MAX_CHARACTERS:
        return first or article.id
    cut = first[:MAX_CHARACTERS]
    return f"{cut.rpartition(' ')[0] or cut}…"


def _plain_line(text: str) -> str:
    """Decode entities, which may hide what is not to be seen, and collapse white space."""
    return " ".join(without_invisible(html.unescape(text)).split())


def _without_outlet(title: str, source: str) -> str:
    found = _OUTLET.match(title)
    if not source or found is None:
        return title
    outlet, own = _plain(found["outlet"]), _plain(_DOMAIN.sub("", source.strip().lower()))
    known = len(own) > 1 and (own in outlet or (len(outlet) > 3 and outlet in own))
    head: str = found["head"]
    return head if known else title


def _plain(text: str) -> str:
    plain: str = _SIGNS.sub("", text.casefold())
    return plain


def keyword_name(keywords: Sequence[str], count: int = NAME_KEYWORDS) -> str:
    """Join the first keywords, capitalised unless they have a spelling of their own.

    Example
    -------
    >>> keyword_name(("floods", "Valencia", "iPhone", "rescue"))
    'Floods · Valencia · iPhone'
    """
    return SEPARATOR.join(_capital(keyword) for keyword in keywords[:count])


def _capital(keyword: str) -> str:
    first = keyword.split(" ", 1)[0]
    if not first.islower():
        return keyword
    upper = keyword[0].upper()
    return (upper if len(upper) == 1 else keyword[0]) + keyword[1:]


def story_names(heads: Sequence[str], keywords: Sequence[tuple[str, ...]]) -> list[str]:
    """Make headlines unique: repeated ones get a keyword of their cluster, then a number."""
    seen = Counter(head.casefold() for head in heads)
    return _unique(
        [
            [head, *(f"{head}{SEPARATOR}{_capital(word)}" for word in words)]
            if seen[head.casefold()] > 1
            else [head]
            for head, words in zip(heads, keywords, strict=True)
        ]
    )


def upper_names(
    labels: Labels,
    finer: Labels,
    finer_names: Sequence[str],
    keywords: Sequence[tuple[str, ...]],
) -> list[str]:
    """Name the clusters of a level by their keywords, all names different.

    A cluster with one child takes the child's name; one without keywords takes the name of its
    largest child. `labels` and `finer` are int32 (n,), this level and the next finer one.
    """
    children, first = np.unique(finer, return_index=True)
    parent = labels[first]
    count = np.bincount(parent, minlength=len(keywords))
    # Labels are numbered from the largest cluster on, so the first child is the largest.
    _, place = np.unique(parent, return_index=True)
    largest = children[place]
    choices = []
    for label, words in enumerate(keywords):
        if count[label] == 1 or not words:
            child = finer_names[largest[label]]
            choices.append([child, *(f"{child}{SEPARATOR}{_capital(w)}" for w in words)])
        else:
            shortest = min(NAME_KEYWORDS, len(words))
            choices.append([keyword_name(words, k) for k in range(shortest, len(words) + 1)])
    return _unique(choices)


def _unique(choices: Sequence[Sequence[str]]) -> list[str]:
    """Take the first choice of each cluster; clusters with the same name move to their next one."""
    place: Ints = np.zeros(len(choices), dtype=np.int64)
    while True:
        names = [options[at] for options, at in zip(choices, place.tolist(), strict=True)]
        seen = Counter(name.casefold() for name in names)
        moved = False
        for label, name in enumerate(names):
            if seen[name.casefold()] > 1 and place[label] + 1 < len(choices[label]):
                place[label] += 1
                moved = True
        if not moved:
            return _numbered(names)


def _numbered(names: Sequence[str]) -> list[str]:
    """Number names that are still equal, in the order of labels: "Floods", "Floods (2)"."""
    taken = {name.casefold() for name in names}
    met: Counter[str] = Counter()
    result = []
    for name in names:
        key = name.casefold()
        met[key] += 1
        unique = name
        number = met[key]
        while number > 1 and (unique := f"{name} ({number})").casefold() in taken:
            number += 1
        taken.add(unique.casefold())
        result.append(unique)
    return result
