"""What every reader of a format is given, and the record that names one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from newsnest.corpus.columns import Columns
from newsnest.corpus.lines import Line, read_lines
from newsnest.corpus.origin import Origin
from newsnest.corpus.rows import Row, Tally
from newsnest.progress import Task
from newsnest.types import Rejected


@dataclass(frozen=True, slots=True)
class Source:
    """One file to be read.

    Parameters
    ----------
    origin
        Where its bytes are, and what it is called in messages.
    encoding
        Read it in this encoding; None: detect it.
    columns
        Which column stands for which field.
    tally
        Counts what did not cost a row.
    task
        Advanced by the bytes read, or by the rows where the reader counts those.
    """

    origin: Origin
    encoding: str | None
    columns: Columns
    tally: Tally
    task: Task

    @property
    def file(self) -> str:
        """What the file is called in every message."""
        return self.origin.name

    def lines(self) -> Iterator[Line]:
        """Yield the decoded lines, unpacked where the file is compressed."""
        return read_lines(self.origin, encoding=self.encoding, tally=self.tally, task=self.task)


@dataclass(frozen=True, slots=True)
class Reader:
    """A format that is read.

    Parameters
    ----------
    name
        As `--format` takes it.
    suffixes
        Of file names, in lower case and with the dot: (".jsonl", ".ndjson").
    read
        Yields one `Row` or `Rejected` for each row of a `Source`. It raises `InputError` only for a
        file that is of no use at all.
    has_columns
        Whether rows are values under column names, which `--field` can map.
    counts_rows
        Whether progress counts rows, whose number is unknown, instead of bytes.
    """

    name: str
    suffixes: tuple[str, ...]
    read: Callable[[Source], Iterator[Row | Rejected]]
    has_columns: bool = True
    counts_rows: bool = False
