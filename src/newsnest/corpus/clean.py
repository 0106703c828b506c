"""Articles are cleaned by a profile; every change and every drop is recorded with its rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as copied
from itertools import groupby

from newsnest.corpus.clean_profile import Filter, Minimum, Profile, Replace
from newsnest.corpus.columns import fold_name
from newsnest.corpus.rows import Row, Tally
from newsnest.errors import InputError
from newsnest.types import Article, Rejected

NOTHING_LEFT = "nothing left"
"""The rule by which an article goes whose title and text were emptied."""

_SECONDS = 1.0
_SECONDS_PER_CHARACTER = 1e-5


@dataclass(frozen=True, slots=True)
class Change:
    """What one rule did to one part of an article.

    Parameters
    ----------
    rule
        Its name.
    part
        "title" or "text".
    before, after
        The whole part.
    """

    rule: str
    part: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Drop:
    """Why an article was dropped: the rule, and the reason in words."""

    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What became of an article.

    Parameters
    ----------
    texts
        Its parts, in the order they were given.
    changes
        What was done, in order.
    drop
        Set where the article is not to be kept.
    """

    texts: tuple[str, ...]
    changes: tuple[Change, ...]
    drop: Drop | None = None


def clean_article(
    parts: Sequence[tuple[str, str]], values: Mapping[str, object], profile: Profile
) -> Cleaned:
    """Clean the parts of one article.

    Parameters
    ----------
    parts
        "title" or "text", and what it says; a kind may occur twice, as text and summary do.
    values
        The row as its file has it, for filters.
    profile
        See `newsnest.corpus.load_profile`.

    Returns
    -------
    Cleaned
        A part that a rule changed has single spaces, and none at its ends.

    Raises
    ------
    InputError
        If a pattern takes more than a second (longer on texts above 100,000 characters).

    Notes
    -----
    Deterministic. Cleaning twice may be more than once: what a removal leaves can match again.

    Example
    -------
    >>> from newsnest.corpus import load_profile
    >>> parts = [("title", "Rain in Nantes https://example.org/1")]
    >>> clean_article(parts, {}, load_profile("generic")).texts
    ('Rain in Nantes',)
    """
    given = tuple(text for _, text in parts)
    for rule in profile.filters:
        drop = _filtered(rule, values)
        if drop is not None:
            return Cleaned(given, (), drop)
    changes: list[Change] = []
    texts = [_replaced(part, text, profile.replace, changes, profile.name) for part, text in parts]
    for minimum in profile.minimum:
        for at, (part, before) in enumerate(parts):
            if part != minimum.part or not before:
                continue
            lack = _lack(texts[at], minimum)
            if lack and minimum.otherwise == "drop":
                return Cleaned(tuple(texts), tuple(changes), Drop(minimum.rule, f"{part}: {lack}"))
            if lack and texts[at]:
                changes.append(Change(minimum.rule, part, texts[at], ""))
                texts[at] = ""
    drop = None
    if any(given) and not any(texts):
        drop = Drop(NOTHING_LEFT, "no title and no text is left")
    return Cleaned(tuple(texts), tuple(changes), drop)


def clean_read(article: Article, row: Row, profile: Profile, tally: Tally) -> Article | Rejected:
    """Clean an article just read and count it if it changed, or set its row aside with the rule."""
    cleaned = clean_article((("title", article.title), ("text", article.text)), row.values, profile)
    if cleaned.drop is not None:
        return row.reject(reason_of(cleaned.drop, profile))
    if cleaned.changes:
        tally.count(
            f"article was changed by the profile {profile.name}"
            f"|articles were changed by the profile {profile.name}",
            f"at {row.file}, line {row.line}",
        )
    title, text = cleaned.texts
    return copied(article, title=title, text=text)


DROPPED = "dropped by rule "
"""How the reason begins of every row that a profile drops."""


def reason_of(drop: Drop, profile: Profile) -> str:
    """Return why a row was dropped, as listed with rejected rows."""
    return f"{DROPPED}{drop.rule!r} of the profile {profile.name}: {drop.reason}"


def filtered_by(rule: Filter, values: Mapping[str, object]) -> tuple[str, str] | None:
    """Return the column of a row that a filter looks at, and its value; None where it has none."""
    wanted = [fold_name(name) for name in rule.columns]
    have = {fold_name(str(name)): value for name, value in values.items()}
    for name in wanted:
        value = have.get(name)
        text = "" if value is None else str(value).strip()
        if text:
            return name, text
    return None


def _filtered(rule: Filter, values: Mapping[str, object]) -> Drop | None:
    found = filtered_by(rule, values)
    if found is None:
        return None
    name, text = found
    among = text.casefold() in {v.strip().casefold() for v in rule.values}
    return None if among is rule.keep else Drop(rule.rule, f"{name} is {text[:60]!r}")


def _replaced(
    part: str, text: str, rules: Sequence[Replace], changes: list[Change], profile: str
) -> str:
    """Return a text after all rules; what they did is added to the changes."""
    for rule in rules:
        if part not in rule.parts or not text:
            continue
        limit = _SECONDS + _SECONDS_PER_CHARACTER * len(text)
        try:
            # A function, so that a backslash is one.
            after = rule.compiled.sub(lambda _, by=rule.by: by, text, timeout=limit)
        except TimeoutError:
            raise InputError(
                f"profile {profile}, [[replace]] {rule.rule!r}: pattern must be done with a {part} "
                f"of {len(text):,} characters in {limit:.1f} s, got more at {text[:60]!r}. "
                "Leave out repeats within repeats, such as (a+)+."
            ) from None
        if after != text:
            after = _spaced(part, after)
            changes.append(Change(rule.rule, part, text, after))
            text = after
    return text


def _spaced(part: str, text: str) -> str:
    """Return a text with single spaces and at most one blank line in a row; a title in one line."""
    if part == "title":
        return " ".join(text.split())
    lines = (" ".join(line.split()) for line in text.split("\n"))
    kept = ("\n\n" if not full else "\n".join(own) for full, own in groupby(lines, key=bool))
    return "".join(kept).strip()


def _lack(text: str, minimum: Minimum) -> str:
    """Say what a text lacks, "" if nothing."""
    words = sum(any(char.isalnum() for char in word) for word in text.split())
    characters = sum(char.isalnum() for char in text)
    if words < minimum.words:
        return f"{words} of at least {minimum.words} words"
    if characters < minimum.characters:
        return f"{characters} of at least {minimum.characters} letters and digits"
    return ""
