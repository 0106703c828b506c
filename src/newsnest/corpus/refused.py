"""Kinds of files that are not read, by suffix and by first bytes: what they are, and the cure."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Refused:
    """What a file is, and what makes it readable."""

    what: str
    cure: str


_UNPACK = "Unpack it and name the folder."
_ARCHIVE = Refused("an archive", _UNPACK)
_PACKED = Refused(
    "a file packed in a way that is not read", "Unpack it, or pack it with gzip or zstd."
)
_WORKBOOK = Refused("a workbook", "Save its sheet as CSV (UTF-8) and name that.")
_DOCUMENT = Refused("a document", "Save it as a web page or as plain text and name that.")
_DATABASE = Refused("a database", "Export its articles as CSV or JSON Lines and name that.")
_NEST = Refused("a nest", "Look into it: newsnest show NEST.")
_TABLE = Refused("a table of another kind", "Save it as Parquet or CSV and name that.")
_MAIL = Refused("mail or a bundle of pages", "Save the pages as .html and name their folder.")

_BY_SUFFIX: Mapping[str, Refused] = {
    suffix: refused
    for refused, suffixes in (
        (_ARCHIVE, ".zip .tar .tgz .tbz2 .txz .rar .7z .jar"),
        (_PACKED, ".bz2 .xz .lzma .lz4 .br .z"),
        (_WORKBOOK, ".xlsx .xlsm .xlsb .xls .ods .numbers"),
        (_DOCUMENT, ".pdf .docx .doc .odt .rtf .epub .pages .pptx .ppt"),
        (_DATABASE, ".sqlite .sqlite3 .db .mdb .accdb .sql .duckdb"),
        (_NEST, ".nest"),
        (_TABLE, ".pkl .pickle .npy .npz .feather .arrow .orc .avro .dta .sav .sas7bdat .rds"),
        (_MAIL, ".mhtml .mht .eml .msg .mbox .warc"),
    )
    for suffix in suffixes.split()
}
_ZIP = Refused("an archive or a document of Office", "Unpack it, or save its sheet as CSV (UTF-8).")
_BY_START = (
    (b"PK\x03\x04", _ZIP),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Refused("a document of Office", _WORKBOOK.cure)),
    (b"%PDF-", _DOCUMENT),
    (b"{\\rtf", _DOCUMENT),
    (b"SQLite format 3\0", _DATABASE),
    (b"Rar!\x1a\x07", _ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", _ARCHIVE),
    (b"BZh91AY&SY", _PACKED),
    (b"\xfd7zXZ\0", _PACKED),
    (b"ARROW1\0\0", _TABLE),
)


def refused_by_name(name: str) -> Refused | None:
    """Return what a file with a name in lower case, without .gz or .zst, is known to be."""
    return _BY_SUFFIX.get(Path(name).suffix)


def refused_by_start(path: Path) -> Refused | None:
    """Return what a file is that has begun like none of those that are read, whatever its name.

    Raises OSError if it cannot be opened.
    """
    with path.open("rb") as file:
        start = file.read(16)
    return next((refused for begun, refused in _BY_START if start.startswith(begun)), None)
