"""The table of readers: the formats, those of other packages, and what never leaks out of them."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from newsnest.corpus import (
    READERS,
    Reader,
    ReadOptions,
    Row,
    Source,
    format_of,
    read_articles,
)
from newsnest.corpus.dates.parse import parse_date
from newsnest.errors import InputError, ParameterError
from newsnest.labelled import read_labels
from newsnest.types import Article, Rejected

from .reading import read, read_bytes

SAMPLES = {
    "jsonl": b'{"title": "Rain in Nantes"}\n',
    "json": b'[{"title": "Rain in Nantes"}]',
    "csv": b"id;headline\n1;Rain in Nantes\n",
    "tsv": b"id\theadline\n1\tRain in Nantes\n",
    "txt": b"Rain in Nantes\n",
    "html": b"<html><head><title>Rain in Nantes</title></head><body></body></html>",
    "xml": b"<rss version='2.0'><channel><item><title>Rain in Nantes</title></item></channel>"
    b"</rss>",
}


def read_ini(source: Source) -> Iterator[Row | Rejected]:
    """A format of somebody else: key=value lines, an article a section."""
    values: dict[str, object] = {}
    for line in source.lines():
        if line.text.startswith("["):
            if values:
                yield Row(source.file, line.number - 1, values, None)
            values = {"id": line.text.strip("[]")}
        elif "=" in line.text:
            key, _, value = line.text.partition("=")
            values[key] = value
    if values:
        yield Row(source.file, 1, values, None)


INI = Reader("ini", (".ini",), read_ini)
CVS = Reader("cvs", (".csv",), read_ini)


@pytest.fixture
def installed(monkeypatch):
    """Pretend that a package declares an entry point of this name and object."""

    def install(name: str, value: str) -> None:
        point = EntryPoint(name, value, READERS.group)
        monkeypatch.setattr(
            "importlib.metadata.entry_points",
            lambda group: [point] if group == READERS.group else [],
        )
        monkeypatch.setattr(READERS, "_found", ((), {}))

    return install


@pytest.mark.parametrize("reader", READERS.built_in.values(), ids=lambda reader: reader.name)
def test_every_reader_reads_its_format_by_suffix_and_by_name(tmp_path: Path, reader: Reader):
    assert READERS[reader.name] is reader
    for suffix in reader.suffixes:
        assert format_of(Path(f"news{suffix}")) == reader.name
        assert format_of(Path(f"NEWS{suffix.upper()}.GZ")) == reader.name
    if reader.name not in SAMPLES:
        return  # Parquet is written in test_read
    for name in (f"a{reader.suffixes[-1]}", "b.unknown"):
        path = tmp_path / name
        path.write_bytes(SAMPLES[reader.name])
        options = {"format": reader.name} if name == "b.unknown" else {}
        (article,) = read(path, **options).articles
        assert "Rain in Nantes" in (article.title, article.text)


def test_the_pages_list_every_suffix_that_is_read():
    pages = [page.read_text() for page in Path(__file__).parents[2].glob("docs/**/*.md")]
    suffixes = [f"`{suffix}`" for reader in READERS.built_in.values() for suffix in reader.suffixes]
    assert any(all(suffix in page for suffix in suffixes) for page in pages)


def test_a_package_adds_a_format_by_an_entry_point(tmp_path: Path, installed):
    installed("ini", f"{__name__}:INI")
    got = read_bytes(tmp_path, "news.ini", b"[a]\nheadline=Rain\nstory=s1\n[b]\nheadline=Flood\n")
    assert [(a.id, a.title) for a in got.articles] == [("a", "Rain"), ("b", "Flood")]
    assert read_labels(tmp_path / "news.ini", ["story"]) == {"a": ("s1",), "b": (None,)}
    assert list(READERS)[-1] == "ini"
    assert ReadOptions(format="ini").format == "ini"
    with pytest.raises(InputError, match=r"must end in one of .*\.ini .*xml\|ini"):
        read_bytes(tmp_path, "news.odd", b"x")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("ini", "newsnest.corpus:nothing", "'ini' of package .* must load, got AttributeError: "),
        ("ini", "newsnest.corpus:__all__", "'ini' of package .* must be a Reader, got list"),
        ("other", f"{__name__}:INI", "'other' of package .* must have that name itself, got 'ini'"),
        ("csv", f"{__name__}:INI", "'csv' must be a new name, got one that is built in"),
        ("cvs", f"{__name__}:CVS", r"\.csv must be the suffix of one format, got csv and cvs"),
    ],
)
def test_an_entry_point_that_is_no_reader_is_told(installed, name, value, message):
    installed(name, value)
    with pytest.raises(ParameterError, match=message):
        format_of(Path("news.unknown"))


def test_entry_points_are_looked_for_only_where_a_format_is_unknown(tmp_path: Path):
    (tmp_path / "a.csv").write_text("title\nRain\n")
    code = (
        "import importlib.metadata as m; m.entry_points = None; from newsnest.corpus import *; "
        f"print(len(list(read_articles([{str(tmp_path / 'a.csv')!r}]))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"


def test_a_format_that_is_unknown_is_answered_with_the_known_ones():
    with pytest.raises(
        ParameterError, match="format must be one of jsonl, .*xml, got 'jsnl'.*json"
    ):
        ReadOptions(format="jsnl")


ODD = (
    "10 March 2024 10:00 BRST",
    "10. März 2024 16:52 MESZ",
    "5 mars 2024 10:00 XYZ",
    "2024-W10-3",
)


def test_odd_dates_are_read_without_a_warning_and_alike_where_warnings_are_errors():
    before = [parse_date(text) for text in ODD]
    parse_date.__globals__["_from_text"].cache_clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert [parse_date(text) for text in ODD] == before


def test_a_page_with_an_unknown_time_zone_is_read_without_a_warning(tmp_path: Path):
    page = (
        '<html><head><meta property="article:published_time" content="2024-03-05 10:00 BRST">'
        f"<title>Rain</title></head><body><article><p>{'word ' * 80}</p></article></body></html>"
    )
    (tmp_path / "a.html").write_text(page)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (article,) = read_articles([tmp_path / "a.html"])
    assert isinstance(article, Article) and article.date is not None


def test_a_page_of_which_only_the_title_is_read_is_told(tmp_path: Path) -> None:
    page = b"<html><head><title>Ferry strike ends</title></head><body></body></html>"
    got = read_bytes(tmp_path, "a.html", page)
    assert [(a.title, a.text) for a in got.articles] == [("Ferry strike ends", "")]
    assert "1 page has no main text that could be found" in got.notices[0].message
