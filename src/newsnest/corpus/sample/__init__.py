"""The bundled sample: 498 short articles in three languages, with what belongs together.

NOTICE: the texts were written for this project and are covered by its licence. The outlets are
invented. The stories follow public events of September 2025 told in our own words; colour and
smaller details are made up. Use them to try newsnest, never as a record of what happened.

`articles.jsonl` is what a newsroom's export looks like, a few broken rows included; `gold.jsonl`
gives id, theme, topic and story of every article, and `copy_of` where it repeats another's text.
"""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).resolve().parent


def sample_path() -> Path:
    """Return the path of the sample's articles.

    Returns
    -------
    Path
        A JSON Lines file: id, title, text, lang, date, source, url. Four of its rows cannot become
        articles, one is an earlier version of an article, and one article has a date nobody can
        read, as real exports have them.

    Examples
    --------
    >>> sample_path().name
    'articles.jsonl'
    """
    return _HERE / "articles.jsonl"


def gold_path() -> Path:
    """Return the path of the sample's gold labels.

    Returns
    -------
    Path
        A JSON Lines file: id, theme, topic, story, and `copy_of` (the id of the article whose text
        is repeated) for wire copies. One row for every article, in the order of the articles.

    Examples
    --------
    >>> gold_path().name
    'gold.jsonl'
    """
    return _HERE / "gold.jsonl"
