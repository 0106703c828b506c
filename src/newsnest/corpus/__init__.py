"""Articles come in: readers of files, feeds and pages, and the folding of copies.

`read_articles` streams articles out of whatever it is pointed at, `fold_copies` says which of them
repeat another, `digest` recognises the same input again.
"""

from newsnest.corpus.copies import fold_copies
from newsnest.corpus.language import settle_languages
from newsnest.corpus.options import Notice, ReadOptions
from newsnest.corpus.origin import digest, spool_stdin
from newsnest.corpus.read import read_articles

__all__ = [
    "Notice",
    "ReadOptions",
    "digest",
    "fold_copies",
    "read_articles",
    "settle_languages",
    "spool_stdin",
]
