"""The columns of a file without a header."""

from newsnest.corpus.columns import Columns

_COLUMNS_KEPT = 1000


class Met:
    """Collects the columns of a file as its rows go by, to check mapped ones at its end."""

    def __init__(self) -> None:
        self.names: dict[str, None] = {}
        self._last: tuple[str, ...] = ()

    def note(self, names: tuple[str, ...]) -> None:
        """Remember the columns of one row."""
        # A file in which every row has keys of its own must not fill the memory.
        if names != self._last and len(self.names) < _COLUMNS_KEPT:
            self._last = names
            self.names.update(dict.fromkeys(names))

    def check(self, columns: Columns, file: str) -> None:
        """Raise InputError if rows were met and none had a mapped column."""
        if self.names:
            columns.check(file, self.names)
