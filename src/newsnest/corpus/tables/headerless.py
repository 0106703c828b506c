"""A table whose first row is an article: noticed, and how to read it without losing that row."""

import re
from collections.abc import Sequence

from newsnest.corpus.dates.parse import parse_date

_WORDS = 6
_CHARACTERS = 60
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]{16}")
_HOST = re.compile(r"(?:[\w-]+\.)+[a-z]{2,}", re.IGNORECASE)
_SHOWN = 12
_LOOKED_AT = 1000


def looks_like_article(values: Sequence[str]) -> bool:
    """Whether a row holds a date, an address or a sentence, which no name of a column is."""
    return is_of_an_article(values) or any(map(_is_sentence, values[:_LOOKED_AT]))


def is_of_an_article(values: Sequence[str]) -> bool:
    """Whether a row holds a date, an address or a long text."""
    return any(
        _is_date(value) or _is_address(value) or len(value) > 200 for value in values[:_LOOKED_AT]
    )


def _is_date(value: str) -> bool:
    text = value.strip()
    return 8 <= len(text) <= 40 and any(map(str.isdigit, text)) and bool(parse_date(text, "DMY"))


def _is_address(value: str) -> bool:
    return value.strip().lower().startswith(("http://", "https://", "www."))


def _is_sentence(value: str) -> bool:
    spaced = len(value.split()) >= _WORDS or len(value) > _CHARACTERS
    return spaced or _UNSPACED.search(value) is not None


def propose(rows: Sequence[Sequence[str]]) -> dict[str, int]:
    """Return which column, counted from 1, looks like which field."""
    found: dict[str, int] = {}
    texts: list[tuple[float, int]] = []
    for number, cells in enumerate(zip(*rows, strict=True), 1):
        values = [cell.strip() for cell in cells if cell.strip()]
        words = sum(len(value.split()) for value in values) / max(1, len(values))
        for field, is_one in (
            ("date", _is_date),
            ("url", _is_address),
            ("source", _HOST.fullmatch),
        ):
            if field not in found and values and all(map(is_one, values)):
                found[field] = number
                break
        else:
            length = sum(map(len, values)) / max(1, len(values))
            is_text = words >= 3 or (length > 12 and not "".join(values).isascii())
            texts.append((length if is_text else 0.0, number))
    texts = sorted((one for one in texts if one[0]), reverse=True) or texts[-1:]
    if texts:
        found["title"] = texts[-1][1] if len(texts) < 3 else min(texts[:2])[1]
    if len(texts) > 1:
        found["text"] = texts[0][1]
    return dict(sorted(found.items(), key=lambda one: one[1]))


def shown(values: Sequence[str]) -> str:
    """Return the first row for a message, its columns numbered."""
    cells = [
        f"column{number} “{' '.join(value.split())[:60]}”"
        for number, value in enumerate(values[:_SHOWN], 1)
    ]
    return ", ".join(cells) + " …" * (len(values) > _SHOWN)


def fields_for(rows: Sequence[Sequence[str]]) -> str:
    """Return the options that name the columns of these rows."""
    return " ".join(f"--field {field}={number}" for field, number in propose(rows).items())
