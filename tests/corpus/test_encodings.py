"""Encodings: what is none of text is refused, and the order of bytes is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsnest.corpus import ReadOptions, read_articles
from newsnest.errors import InputError, ParameterError
from newsnest.types import Article, Notice

ROWS = '{"title": "Grève à Lorient", "text": "日本"}\n{"title": "Ferry"}\n'


def read(path: Path, **options: str) -> tuple[list[str], list[str]]:
    items = list(read_articles([path], options=ReadOptions(detect_language=False, **options)))
    titles = [item.title for item in items if isinstance(item, Article)]
    return titles, [item.message for item in items if isinstance(item, Notice)]


@pytest.mark.parametrize(
    "name", ["punycode", "idna", "rot13", "base64", "hex", "zip", "bz2", "uu", "quopri",
             "undefined", "unicode_escape", "raw_unicode_escape"],
)  # fmt: skip
def test_a_codec_of_no_text_is_refused(name: str):
    with pytest.raises(ParameterError, match=rf"must be one of text, got '{name}'\. Name one such"):
        ReadOptions(encoding=name)


@pytest.mark.parametrize(
    ("name", "meant"),
    [("uft-8", "utf-8"), ("utf16le", "utf-16le"), ("window-1252", "windows-1252")],
)
def test_an_unknown_encoding_is_told_which_was_meant(name: str, meant: str):
    with pytest.raises(ParameterError, match=f"must be one Python knows, .* mean '{meant}'"):
        ReadOptions(encoding=name)


def test_a_name_that_no_codec_can_have_is_refused():
    with pytest.raises(ParameterError, match="encoding must be one Python knows, got"):
        ReadOptions(encoding="a\0b")


@pytest.mark.parametrize("order", ["le", "be"])
@pytest.mark.parametrize("width", ["16", "32"])
def test_the_order_of_bytes_is_found_without_a_mark(tmp_path: Path, width: str, order: str):
    path = tmp_path / "a.jsonl"
    path.write_bytes(ROWS.encode(f"utf-{width}-{order}"))
    titles, said = read(path, encoding=f"utf-{width}")
    assert titles == ["Grève à Lorient", "Ferry"]
    assert said == [
        f"1 file has no byte order mark and was read as utf-{width}-{order}, first {path}"
    ]
    assert read(path, encoding=f"utf-{width}-{order}") == (titles, [])
    path.write_bytes(ROWS.encode(f"utf-{width}"))  # with a mark
    assert read(path, encoding=f"utf-{width}") == (titles, [])


def test_utf_16_is_found_where_nobody_said_so(tmp_path: Path):
    path = tmp_path / "a.csv"
    path.write_bytes("title,date\nGrève à Lorient,2024-03-05\n".encode("utf-16-le"))
    titles, said = read(path)
    assert titles == ["Grève à Lorient"]
    assert said == [f"1 file has no byte order mark and was read as utf-16-le, first {path}"]


@pytest.mark.parametrize("width", ["16", "32"])
def test_what_is_not_in_the_encoding_is_an_error_that_names_the_file(tmp_path: Path, width: str):
    path = tmp_path / "a.jsonl"
    path.write_text(ROWS, encoding="utf-8")
    with pytest.raises(
        InputError, match=rf"a\.jsonl must begin with a byte order mark .*utf-{width}-le"
    ):
        read(path, encoding=f"utf-{width}")
    path.write_bytes(b"")
    assert read(path, encoding=f"utf-{width}") == ([], ["holds no rows"])


def test_utf_7_of_old_mail_is_read(tmp_path: Path):
    path = tmp_path / "a.jsonl"
    path.write_bytes('{"title": "Grève"}\n'.encode("utf-7"))
    assert read(path, encoding="utf-7")[0] == ["Grève"]
