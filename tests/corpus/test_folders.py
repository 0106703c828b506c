"""A directory says what it passes over, and no link leads out of it unasked."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from newsnest.corpus import ReadOptions, digest, find_origins, read_articles
from newsnest.errors import InputError
from newsnest.types import Article, Notice

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links and pipes")


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret.txt").write_text("The secret of another folder")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_text("Ferry strike ends")
    (folder / "sub" / "b.TXT").write_text("Bank holds rate")
    return folder


def texts(folder: Path, **options: bool) -> list[str]:
    read = read_articles([folder], options=ReadOptions(detect_language=False, **options))
    return sorted(item.text for item in read if isinstance(item, Article))


def notices(folder: Path, **options: bool) -> list[str]:
    read = read_articles([folder], options=ReadOptions(**options))
    return [item.message for item in read if isinstance(item, Notice)]


OURS = ["Bank holds rate", "Ferry strike ends"]


def test_a_link_out_of_the_directory_is_followed_only_if_asked(folder: Path, outside: Path):
    (folder / "link.txt").symlink_to(outside / "secret.txt")
    (folder / "more").symlink_to(outside)
    assert texts(folder) == OURS
    assert notices(folder) == [
        "2 links out of the directory were not followed (--follow-links does), first "
        f"{folder}/link.txt"
    ]
    assert texts(folder, follow_links=True) == [*OURS, *["The secret of another folder"] * 2]
    assert notices(folder, follow_links=True) == []


def test_a_link_within_the_directory_is_read_and_loops_end(folder: Path):
    (folder / "again.txt").symlink_to("sub/b.TXT")
    (folder / "sub" / "loop").symlink_to(folder)
    assert texts(folder) == sorted([*OURS, "Bank holds rate"])
    assert notices(folder) == [
        f"1 link to a folder was not followed (--follow-links does), first {folder}/sub/loop"
    ]
    assert texts(folder, follow_links=True) == sorted([*OURS, "Bank holds rate"])


def test_a_directory_that_is_named_by_a_link_is_read(folder: Path, tmp_path: Path):
    (tmp_path / "named").symlink_to(folder)
    assert texts(tmp_path / "named") == OURS


def test_what_is_no_file_is_counted(folder: Path, monkeypatch):
    (folder / "broken.txt").symlink_to("nowhere")
    (folder / "self.txt").symlink_to("self.txt")
    os.mkfifo(folder / "pipe.txt")
    monkeypatch.chdir(folder)  # the name of a socket is short
    with socket.socket(socket.AF_UNIX) as one:
        one.bind("socket.txt")
    assert texts(folder) == OURS
    assert notices(folder) == [
        f"2 broken links were passed over, first {folder}/broken.txt",
        f"2 pipes, sockets or devices were passed over, first {folder}/pipe.txt",
    ]


def test_hidden_files_and_what_archives_leave_are_counted(folder: Path):
    for name in (".DS_Store", "._a.txt", ".git/c.txt", "__MACOSX/a.txt"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("x")
    assert texts(folder) == OURS
    assert notices(folder) == [
        f"4 hidden files and folders were passed over, first {folder}/.DS_Store"
    ]
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "d.txt").write_text("Named itself it is read")
    assert texts(folder / ".hidden") == ["Named itself it is read"]


def test_what_cannot_be_opened_is_counted(folder: Path, monkeypatch):
    # The tests may run as root, who may open everything.
    scandir, access = os.scandir, os.access

    def refuse(path: Path):
        if Path(path).name == "sub":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    monkeypatch.setattr(
        os, "access", lambda path, mode: path.name != "c.txt" and access(path, mode)
    )
    (folder / "c.txt").write_text("Closed")
    assert texts(folder) == ["Ferry strike ends"]
    (said,) = notices(folder)
    assert said == (
        f"2 files or folders cannot be opened and were passed over, first {folder}/c.txt"
    )


def test_files_that_are_not_what_their_names_say_are_counted(folder: Path):
    (folder / "book.csv").write_bytes(b"PK\x03\x04 and more")
    (folder / "paper.pdf").write_bytes(b"%PDF-1.7")
    (folder / "noending").write_text("x")
    assert texts(folder) == OURS
    assert notices(folder) == [
        f"1 file is not of the kind its name says and was passed over, first {folder}/book.csv",
        f"2 files of other kinds were passed over, first {folder}/noending",
    ]


def test_a_directory_of_nothing_to_read_says_what_is_there(tmp_path: Path):
    (tmp_path / "paper.pdf").touch()
    with pytest.raises(InputError, match=r"got 1 of other kinds \(the first: .*paper\.pdf\)"):
        find_origins([tmp_path])


def test_the_digest_is_that_of_what_is_read(folder: Path, outside: Path):
    plain = digest([folder])
    (folder / "link.txt").symlink_to(outside / "secret.txt")
    (folder / ".DS_Store").touch()
    (folder / "paper.pdf").touch()
    assert digest([folder]) == plain
    followed = digest([folder], follow_links=True)
    assert followed != plain
    (outside / "secret.txt").write_text("Another secret")
    assert digest([folder]) == plain
    assert digest([folder], follow_links=True) not in (plain, followed)
    (folder / "a.txt").write_text("Ferry strike goes on")
    assert digest([folder]) != plain


@pytest.mark.parametrize(
    ("name", "start", "said"),
    [
        ("a.zip", b"", "must be a file of articles, got an archive. Unpack it and name the fol"),
        ("a.tar.gz", b"\x1f\x8b", "got an archive"),
        ("a.tgz", b"\x1f\x8b", "got an archive"),
        ("a.jsonl.bz2", b"BZh91AY&SY", "packed in a way that is not read. Unpack it, or pack it"),
        ("a.XLSX", b"PK\x03\x04", r"got a workbook. Save its sheet as CSV \(UTF-8\)"),
        ("a.docx", b"PK\x03\x04", "got a document. Save it as a web page or as plain text"),
        ("a.pdf", b"%PDF-", "got a document"),
        ("a.nest", b"SQLite format 3\0", "got a nest. Look into it: newsnest show NEST"),
        ("a.db", b"", "got a database. Export its articles as CSV or JSON Lines"),
        ("a.pkl", b"", "got a table of another kind. Save it as Parquet or CSV"),
        ("a.mhtml", b"", r"got mail or a bundle of pages. Save the pages as \.html"),
        ("a.csv", b"PK\x03\x04", "got an archive or a document of Office. Unpack it, or save its"),
        ("a.csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "got a document of Office"),
        ("a.txt", b"%PDF-1.4", "got a document"),
        ("a.jsonl", b"SQLite format 3\0", "got a database"),
        ("a", b"text", r"got no suffix. Rename it, or say its format: --format jsonl\|json"),
    ],
)
def test_a_file_of_a_kind_that_is_not_read_is_named_with_the_cure(
    tmp_path: Path, name: str, start: bytes, said: str
):
    path = tmp_path / name
    path.write_bytes(start)
    with pytest.raises(InputError, match=said):
        find_origins([path])


def test_an_address_is_no_file():
    address = "https://example.org/feed.xml"
    with pytest.raises(InputError, match=r"https://example\.org/feed\.xml must be a file, got an"):
        find_origins([address])


@pytest.mark.parametrize("name", ["news.jsonl", "NEWS.JSONL", "news.JSONL.GZ", "news.jsonl.gz"])
def test_what_is_packed_is_told_by_its_first_bytes_and_names_may_be_in_capitals(
    tmp_path: Path, name: str
):
    import gzip

    path = tmp_path / name
    path.write_bytes(gzip.compress(b'{"title": "Packed"}\n'))
    (article,) = (one for one in read_articles([path]) if isinstance(one, Article))
    assert article.title == "Packed"
