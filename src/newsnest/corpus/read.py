"""Files, directories, feeds and standard input → a stream of articles."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from newsnest.corpus.clean import clean_read
from newsnest.corpus.columns import Columns
from newsnest.corpus.dates.orders import DateOrders
from newsnest.corpus.fields import ArticleMaker
from newsnest.corpus.identity import Made, Repeats
from newsnest.corpus.options import ReadOptions
from newsnest.corpus.origin import (
    BrokenStreamError,
    Origin,
    compression_of,
    name_of,
    read_chunks,
    spool_stdin,
)
from newsnest.corpus.readers import READERS, Folder, find_file, find_origins
from newsnest.corpus.rows import Row, Tally
from newsnest.corpus.source import Reader, Source, decode, sniff_encoding
from newsnest.corpus.tables.header import looks_like_table
from newsnest.drafts import discard
from newsnest.errors import InputError
from newsnest.progress import SILENT, Progress, Task
from newsnest.types import Article, Notice, Rejected

T = TypeVar("T")
Make = Callable[[Row, Columns, Tally, DateOrders], T | Rejected | None]
"""Makes something of a row, None of one that is passed over: the row, which column is which field,
counts, what dates say.
"""

_AS_THEY_COME = ReadOptions()
_SNIFFED = 1 << 16


def read_articles(
    paths: Sequence[str | Path],
    *,
    options: ReadOptions = _AS_THEY_COME,
    progress: Progress = SILENT,
) -> Iterator[Article | Rejected | Notice]:
    """Stream articles out of files, directories, feeds, pages and standard input.

    Every row becomes one `Article` or one `Rejected`; blank lines are passed over. A `Notice` at
    the end of a file counts what did not cost a row: lines that are not UTF-8, dates that cannot
    be read. A row without an id is named by a hash of its content.

    An id that comes again with the same text is passed over and counted; with another text the
    newer article is kept: an `Update`, which replaces the one of its id that was yielded before. So
    ``{article.id: article for article in …}`` holds what a nest would. Newer is what has the latest
    date, of those that say when it was published, changed or read; of equal dates content decides.

    Parameters
    ----------
    paths
        ``.jsonl .json .csv .tsv .parquet .txt`` (a text a line) ``.html .xml .rss .atom``, each
        also ``.gz`` or ``.zst``; directories, searched to the bottom, where each ``.txt`` and
        ``.html`` is one article; ``-`` for standard input.
    options
        Mapped columns, encoding, format, strictness, order of dates, cleaning profile.
    progress
        One task a file: bytes, or rows of a Parquet table.

    Yields
    ------
    Article, Rejected or Notice
        In the order of the paths and of the rows; an `Article` may be an `Update`.

    Raises
    ------
    InputError
        If a path cannot be read at all, a mapped column does not exist, or, with
        ``options.strict``, at the first row that is no article.

    Notes
    -----
    Memory does not grow with the file but for some 80 bytes an id, by which an id used twice is
    found. The result depends on nothing but the input and the options.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "news.jsonl")
    ...     _ = path.write_text('{"id": "a", "headline": "Rain in Nantes", "lang": "en"}')
    ...     [article.title for article in read_articles([path])]
    ['Rain in Nantes']
    """
    columns = Columns(options.fields, header=options.header)
    make = article_maker(options, columns)
    return read_made(paths, make, columns=columns, options=options, progress=progress)


def read_articles_with_rows(
    paths: Sequence[str | Path],
    *,
    options: ReadOptions = _AS_THEY_COME,
    leave_out: Callable[[Row], str] | None = None,
    progress: Progress = SILENT,
) -> Iterator[tuple[Article, Row] | Rejected | Notice]:
    """Stream what `read_articles` does, each article with its row: all columns of the file by name.

    Of rows with one id the first is kept: equal ones are passed over and counted, others set aside.

    Parameters
    ----------
    paths, options, progress
        See `read_articles`.
    leave_out
        Returns why a row is set aside before anything is made of it, "" to keep it.
    """
    columns = Columns(options.fields, whole_rows=True, header=options.header)
    article_of = article_maker(options, columns, "first")

    def make(
        row: Row, found: Columns, tally: Tally, orders: DateOrders
    ) -> tuple[Article, Row] | Rejected | None:
        if leave_out is not None and (reason := leave_out(row)):
            return row.reject(reason)
        made = article_of(row, found, tally, orders)
        return (made, row) if isinstance(made, Article) else made

    return read_made(paths, make, columns=columns, options=options, progress=progress)


def article_maker(
    options: ReadOptions, columns: Columns, repeats: Repeats = "newest"
) -> Make[Article]:
    """Return what makes articles of rows, as the options say, for `read_made`."""
    mapped = ArticleMaker(options, columns, repeats=repeats)
    plain = mapped.with_columns(Columns({}))

    def make(
        row: Row, found: Columns, tally: Tally, orders: DateOrders
    ) -> Article | Rejected | None:
        made = (mapped if found is columns else plain).make(row, tally, orders)
        if isinstance(made, Made) and options.profile is not None:
            cleaned = clean_read(made.article, row, options.profile, tally)
            if isinstance(cleaned, Rejected):
                return cleaned  # though strict: what a profile drops is as was wanted
            made = made._replace(article=cleaned)
        # Last, so that a version that is dropped hides no other.
        one = made if isinstance(made, Rejected) else mapped.identities.settle(made, row, tally)
        if options.strict and isinstance(one, Rejected):
            raise _not_an_article(one)
        return one

    return make


def read_rows(
    paths: Sequence[str | Path], columns: Columns, *, progress: Progress = SILENT
) -> Iterator[Row | Rejected]:
    """Stream the rows of files as they are.

    Parameters
    ----------
    paths
        See `read_articles`.
    progress
        One task a file; also reports how the file was read.
    columns
        Says what the header of a table must have, and what is read of a Parquet table.
    """
    for item in read_made(paths, lambda row, *_: row, columns=columns, progress=progress):
        if isinstance(item, Notice):
            progress.note(f"{item.file}: {item.message}")
        else:
            yield item


def read_made(
    paths: Sequence[str | Path],
    make: Make[T],
    *,
    columns: Columns,
    options: ReadOptions = _AS_THEY_COME,
    progress: Progress = SILENT,
) -> Iterator[T | Rejected | Notice]:
    """Stream what `make` makes of every row of files that can be read.

    It is handed the columns for rows of tables; for plain texts, pages and feeds others.
    """
    names = [str(path) for path in paths]
    if names.count("-") > 1:
        raise InputError("read_articles: - must be given once, got it several times. Name it once.")
    origins: list[Origin | Folder | None] = []
    origins += find_origins(
        [name for name in names if name != "-"],
        forced=options.format,
        follow_links=options.follow_links,
    )
    if "-" in names:
        origins.insert(names.index("-"), None)
    return _read_all(origins, _Reading(options, progress, columns, make))


def _not_an_article(made: Rejected) -> InputError:
    return InputError(
        f"read_articles: {made.file}, line {made.line}: every row must be an "
        f"article, got: {made.reason}. Mend that row, or leave out --strict, and "
        "such rows are set aside."
    )


class _Reading(Generic[T]):
    """One walk over all inputs: what is the same for every file of it."""

    def __init__(
        self, options: ReadOptions, progress: Progress, columns: Columns, make: Make[T]
    ) -> None:
        self.options = options
        self._progress = progress
        self._columns = columns
        self._plain_columns = Columns({})
        self._make = make

    def read(self, origin: Origin) -> Iterator[T | Rejected | Notice]:
        """Read one file and say at its end what was counted."""
        tally = Tally(origin.name)
        yield from self._read_file(origin, tally)
        yield from tally.notices()
        lacking, unused = tally.gap()
        if lacking:
            yield Notice(origin.name, f"no article has {lacking}; columns not used: {unused}")

    def read_folder(self, folder: Folder) -> Iterator[T | Rejected | Notice]:
        """Read a directory, and say at its end what was counted in all of its files."""
        shared = Tally(folder.name, rows=1)
        for origin in folder.files:
            if origin.format in ("txt", "html"):
                yield from self._read_file(origin, shared)
                continue
            tally = Tally(origin.name)
            yield from self._read_file(origin, tally)
            shared.absorb(tally)
            lacking, unused = tally.gap()
            if lacking:  # one notice for all: a folder may hold an article a file
                what = f"file has no article with {lacking}|files have no article with {lacking}"
                shared.count(what, f"{origin.name} (columns not used: {unused})")
        for one in folder.passed_over:
            shared.count(one.why, name_of(one.path))
        yield from shared.notices()

    def _read_file(self, origin: Origin, tally: Tally) -> Iterator[T | Rejected]:
        kind = origin.format or _sniff(origin.path, self.options.encoding, self._columns)
        reader = READERS[kind]
        columns = self._columns if reader.has_columns else self._plain_columns
        orders = DateOrders(lambda: self._rows_again(origin, reader), columns)
        with self._start(f"read {origin.name}", origin, reader) as task:
            for row in self._rows(origin, reader, tally, task):
                tally.rows += 1
                if isinstance(row, Row):
                    made = self._make(row, columns, tally, orders)
                    if made is not None:
                        yield made
                elif not isinstance(row, Rejected):  # a reader of another package
                    raise InputError(
                        f"read_rows: the reader of {reader.name} must yield Row and Rejected, got "
                        f"{type(row).__name__} for {origin.name}. Correct its package."
                    )
                elif self.options.strict:
                    raise _not_an_article(row)
                else:
                    yield row

    def _start(self, what: str, origin: Origin, reader: Reader) -> Task:
        if reader.counts_rows and not compression_of(origin.path):
            return self._progress.start(what, None, "rows")
        return self._progress.start(what, origin.path.stat().st_size, "bytes")

    def _rows_again(self, origin: Origin, reader: Reader) -> Iterator[Row | Rejected]:
        """Read a file once more, for what its dates say; the first reading counts and complains."""
        with self._start(f"dates of {origin.name}", origin, reader) as task:
            yield from self._rows(origin, reader, Tally(origin.name), task)

    def _rows(
        self, origin: Origin, reader: Reader, tally: Tally, task: Task
    ) -> Iterator[Row | Rejected]:
        encoding, records = self.options.encoding, self.options.records
        return reader.read(Source(origin, encoding, self._columns, tally, task, records))


def _read_all(
    origins: list[Origin | Folder | None], reading: _Reading[T]
) -> Iterator[T | Rejected | Notice]:
    """Read all in their order; None stands for standard input."""
    for origin in origins:
        if isinstance(origin, Folder):
            yield from reading.read_folder(origin)
        elif origin is not None:
            yield from reading.read(origin)
        else:
            path = spool_stdin()
            try:
                yield from reading.read(find_file(path, reading.options.format))
            finally:
                discard(path)


def _sniff(path: Path, encoding: str | None, columns: Columns) -> str:
    """Tell the format of standard input by how it begins."""
    start = b""
    try:
        for chunk in read_chunks(path, SILENT.start("", None, "bytes")):
            start += chunk
            if len(start) >= _SNIFFED:
                break
    except BrokenStreamError:
        pass  # the reader will meet the break again and set it aside
    if start.startswith(b"PAR1"):
        return "parquet"
    name, skip = sniff_encoding(start, encoding)
    start = start[:_SNIFFED]
    text = decode(start[skip:])[0] if name == "utf-8" else start.decode(name, "replace")
    text = text.lstrip("\ufeff \t\r\n")
    first_line = text.partition("\n")[0].strip()
    if text.startswith(("{", "[")):
        # An object whose first line is a lone brace goes on over lines.
        return "jsonl" if text.startswith("{") and first_line != "{" else "json"
    if text.startswith("<"):
        head = text[:1000].lower()
        return "html" if "<html" in head or "<!doctype html" in head else "xml"
    lines = [line for line in text.splitlines() if line.strip()][:20]
    # The last of many may be cut.
    return "csv" if looks_like_table(lines, columns) else "txt"
