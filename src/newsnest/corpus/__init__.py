"""Articles come in: readers of files, feeds and pages, and the folding of copies.

`read_articles` streams articles out of whatever it is pointed at, `fold_copies` says which of them
repeat another, `digest` recognises the same input again.
"""

from newsnest.corpus.clean import Change, Cleaned, Drop, clean_article
from newsnest.corpus.clean_files import CleanReport, clean_files
from newsnest.corpus.clean_profile import Profile, load_profile, profile_names
from newsnest.corpus.copies import fold_copies
from newsnest.corpus.language import settle_languages
from newsnest.corpus.options import Notice, ReadOptions
from newsnest.corpus.origin import digest, spool_stdin
from newsnest.corpus.read import read_articles, read_articles_with_rows

__all__ = [
    "Change",
    "CleanReport",
    "Cleaned",
    "Drop",
    "Notice",
    "Profile",
    "ReadOptions",
    "clean_article",
    "clean_files",
    "digest",
    "fold_copies",
    "load_profile",
    "profile_names",
    "read_articles",
    "read_articles_with_rows",
    "settle_languages",
    "spool_stdin",
]
