"""What the tests of reading share: write bytes, read them, sort out what came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from newsnest.corpus import Notice, ReadOptions, read_articles
from newsnest.types import Article, Rejected


@dataclass
class Got:
    articles: list[Article]
    rejected: list[Rejected]
    notices: list[Notice]

    @property
    def counts(self) -> tuple[int, int]:
        return len(self.articles), len(self.rejected)

    @property
    def reasons(self) -> str:
        return " | ".join(row.reason for row in self.rejected)


def read(paths: Path | Sequence[Path], **options: object) -> Got:
    options.setdefault("detect_language", False)
    named = [paths] if isinstance(paths, Path) else list(paths)
    got = Got([], [], [])
    for item in read_articles(named, options=ReadOptions(**options)):  # type: ignore[arg-type]
        if isinstance(item, Article):
            got.articles.append(item)
        elif isinstance(item, Rejected):
            got.rejected.append(item)
        else:
            got.notices.append(item)
    return got


def read_bytes(folder: Path, name: str, content: bytes, **options: object) -> Got:
    path = folder / name
    path.write_bytes(content)
    return read(path, **options)
