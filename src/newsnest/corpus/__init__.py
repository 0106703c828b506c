"""Articles come in: readers of files, feeds and pages, boilerplate, and the folding of copies.

`read_articles` streams articles out of whatever it is pointed at, `find_boilerplate` finds what
outlets repeat across them, `fold_copies` says which of them repeat another, `digest` recognises the
same input again.
"""

from newsnest.corpus.boilerplate import Boilerplate, Pattern
from newsnest.corpus.clean import Change, Cleaned, Drop, clean_article
from newsnest.corpus.clean_files import CleanReport, clean_files
from newsnest.corpus.clean_profile import Profile, load_profile, profile_names
from newsnest.corpus.copies import fold_copies
from newsnest.corpus.language import settle_languages
from newsnest.corpus.options import ReadOptions
from newsnest.corpus.origin import spool_stdin
from newsnest.corpus.read import read_articles, read_articles_with_rows, read_rows
from newsnest.corpus.readers import READERS, digest, find_origins, format_of
from newsnest.corpus.repeated import find_boilerplate
from newsnest.corpus.rows import Row, reject
from newsnest.corpus.source import Reader, Source
from newsnest.corpus.strays import tell_strays
from newsnest.types import Notice, Update

__all__ = [
    "READERS", "Boilerplate", "Change", "CleanReport", "Cleaned", "Drop", "Notice", "Pattern",
    "Profile", "ReadOptions", "Reader", "Row", "Source", "Update", "clean_article", "clean_files",
    "digest", "find_boilerplate", "find_origins", "fold_copies", "format_of", "load_profile",
    "profile_names", "read_articles", "read_articles_with_rows", "read_rows", "reject",
    "settle_languages", "spool_stdin", "tell_strays",
]  # fmt: skip
