from __future__ import annotations

import gzip
import io
import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from newsnest.corpus import ReadOptions, digest, read_articles, spool_stdin
from newsnest.errors import InputError, ParameterError
from newsnest.types import Article, Rejected

from .reading import read, read_bytes

DAY = datetime(2024, 3, 5, tzinfo=UTC)


def lines(*rows: object) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


@pytest.mark.parametrize(
    "names",
    [("title", "text", "date", "source", "url", "lang", "id"),
     ("Headline", "BODY", "pubDate", "outlet", "link", "language", "guid"),
     ("titre", "contenu", "date de publication", "éditeur", "lien", "langue", "identifiant"),
     ("Título", "cuerpo", "Fecha", "fuente", "enlace", "idioma", "_id"),
     ("titel", "inhalt", "datum", "Quelle", "URL", "sprache", "ID"),
     ("title", "content", "published_at", "publisher", "web_url", "lang_code", "article_id")],
)  # fmt: skip
def test_columns_are_found_by_their_usual_names(tmp_path: Path, names: tuple[str, ...]) -> None:
    values = ("A title", "A text", "2024-03-05", "Paper", "http://a", "EN-us", "7")
    expected = Article("7", "A title", "A text", "en", DAY, "Paper", "http://a")
    got = read_bytes(tmp_path, "a.jsonl", lines(dict(zip(names, values, strict=True))))
    assert got.articles == [expected]
    table = "\t".join(names) + "\n" + "\t".join(values) + "\n"
    assert read_bytes(tmp_path, "a.tsv", table.encode()).articles == [expected]


def test_text_wins_over_summary_when_it_is_not_empty(tmp_path: Path) -> None:
    rows = lines({"summary": "s", "text": "t"}, {"summary": "s", "text": " "}, {"summary": "s"})
    assert [a.text for a in read_bytes(tmp_path, "a.jsonl", rows).articles] == ["t", "s", "s"]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.json", "a.parquet"])
def test_a_mapped_column_is_used_and_a_missing_one_is_an_error(tmp_path: Path, name: str) -> None:
    row = {"title": "no", "story line": "yes", "number": "1"}
    if name == "a.csv":
        content = ",".join(row) + "\n" + ",".join(row.values()) + "\n"
        (tmp_path / name).write_text(content)
    elif name == "a.parquet":
        parquet.write_table(pa.table({key: [value] for key, value in row.items()}), tmp_path / name)
    else:
        (tmp_path / name).write_bytes(lines(row))
    got = read(tmp_path / name, fields={"title": "Story Line"})
    assert [a.title for a in got.articles] == ["yes"]
    with pytest.raises(InputError, match=r"column for text must exist, got 'body' where there are title, story line, number\. Name one of these: --field text=COLUMN"):  # fmt: skip  # noqa: E501
        read(tmp_path / name, fields={"text": "body"})


def test_a_table_without_a_text_is_an_error_that_lists_its_columns(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.csv, line 1: a column must be a title or a text, got columns foo, bar"):  # fmt: skip  # noqa: E501
        read_bytes(tmp_path, "a.csv", b"foo,bar\n1,2\n")


def test_numbers_and_truths_become_text_and_whole_floats_stay_whole(tmp_path: Path) -> None:
    rows = lines({"id": 7.0, "title": 2024}, {"id": 8, "title": True}, {"id": 1.5, "title": "x"})
    got = read_bytes(tmp_path, "a.jsonl", rows)
    assert [(a.id, a.title) for a in got.articles] == [("7", "2024"), ("8", "True"), ("1.5", "x")]


def test_an_outlet_may_be_an_object_with_a_name(tmp_path: Path) -> None:
    path = tmp_path / "news.json"
    path.write_text('[{"title": "Two words", "source": {"id": null, "name": "The Harbour Post"}}]')
    assert read(path).articles[0].source == "The Harbour Post"


def test_control_characters_and_surrogates_are_cleaned(tmp_path: Path) -> None:
    got = read_bytes(tmp_path, "a.jsonl", lines({"title": "a\x00b\ud800c", "text": "x\r\ny\rz"}))
    assert got.articles[0].title == "a b\ufffdc"
    assert got.articles[0].text == "x\ny\nz"


def test_ids_of_content_do_not_depend_on_the_order_of_rows(tmp_path: Path) -> None:
    rows = [{"title": f"t{n % 7}", "date": "2024-03-05"} for n in range(10)]
    one = read_bytes(tmp_path, "a.jsonl", lines(*rows)).articles
    other = read_bytes(tmp_path, "a.jsonl", lines(*reversed(rows))).articles
    assert {(a.id, a.title) for a in one} == {(a.id, a.title) for a in other}
    assert len({a.id for a in one}) == 10
    assert sum(a.id.endswith("-2") for a in one) == 3


def test_strict_reading_stops_at_the_first_bad_row(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"a\.jsonl, line 2: every row must .* valid JSON: .*\. Mend"
    ):
        read_bytes(tmp_path, "a.jsonl", b'{"title": "a"}\n{\n', strict=True)


def test_where_json_breaks_is_told_in_the_row_not_in_the_file(tmp_path: Path) -> None:
    got = read_bytes(tmp_path, "a.jsonl", b'{"title": "a"}\n{"title": "b", \n')
    assert (got.rejected[0].line, got.reasons) == (
        2, "is not valid JSON: Expecting property name enclosed in double quotes at character 16 "
        "of the row",
    )  # fmt: skip
    got = read_bytes(tmp_path, "a.json", b'[{"title": "a"},\n\n {"title": oh}]')
    assert got.rejected[0].line == 3
    assert got.reasons.endswith("from here on: Expecting value at character 11 of the row")


def test_rejected_content_is_the_row_as_found_and_says_when_it_is_cut(tmp_path: Path) -> None:
    got = read_bytes(tmp_path, "a.jsonl", b'{"x": 1}\n' + b"y" * 20_000)
    assert got.rejected[0].content == '{"x": 1}'
    assert got.rejected[0].line == 1
    assert got.rejected[1].content == "y" * 10_000 + " … (cut: 20,000 characters in all)"


def test_foreign_lines_are_counted_in_one_notice(tmp_path: Path) -> None:
    content = 'titre\nÉtat\nété\n"Nîmes"\n'.encode()
    content += "à Paris\nœuvre\n".encode("windows-1252")
    got = read_bytes(tmp_path, "a.csv", content)
    assert [a.title for a in got.articles] == ["État", "été", "Nîmes", "à Paris", "œuvre"]
    (notice,) = got.notices
    assert notice.file == str(tmp_path / "a.csv")
    assert notice.message == "2 lines are not UTF-8 and were read as Windows-1252, first at line 5"


def test_a_forced_encoding_is_used(tmp_path: Path) -> None:
    content = "Привет мир\n".encode("koi8-r")
    assert (
        read_bytes(tmp_path, "a.txt", content, encoding="koi8-r").articles[0].text == "Привет мир"
    )
    page = "<html><title>Привет мир</title></html>".encode("koi8-r")
    assert read_bytes(tmp_path, "a.html", page, encoding="koi8-r").articles[0].title == "Привет мир"
    bad = read_bytes(tmp_path, "a.txt", b"a\xffb\n", encoding="utf-8")
    assert "1 line holds bytes that are not utf-8, first at line 1" in bad.notices[0].message


def test_unreadable_dates_are_counted_with_the_first_example(tmp_path: Path) -> None:
    rows = [{"title": "a", "date": d} for d in ("soon", "later", "03/04/2024", "2024-03-05", "")]
    got = read_bytes(tmp_path, "a.jsonl", lines(*rows))
    assert [a.date for a in got.articles] == [None, None, None, DAY, None]
    assert [n.message for n in got.notices] == [
        "2 dates could not be read and were left out, first 'soon' at line 1",
        "1 date is ambiguous and was left out (set --date-order), first '03/04/2024' at line 3",
    ]
    ordered = read_bytes(tmp_path, "a.jsonl", lines(rows[2]), date_order="DMY")
    assert ordered.articles[0].date == datetime(2024, 4, 3, tzinfo=UTC)


def test_languages_are_made_one_kind_and_detected_where_missing(tmp_path: Path) -> None:
    said = ["EN-us", "fra", "English", "pcm", "zh_Hans", "und", "", "??"]
    text = "Le gouvernement présente son budget au parlement ce mardi"
    rows = [{"title": text, "lang": code} for code in said] + [{"title": "42"}]
    got = read_bytes(tmp_path, "a.jsonl", lines(*rows), detect_language=True)
    assert [a.lang for a in got.articles] == ["en", "fr", "en", "pcm", "zh", "fr", "fr", "fr", ""]
    assert "1 language code is unknown, first '??'" in got.notices[0].message


def test_pidgin_is_never_detected() -> None:
    from newsnest.corpus.language import _identifier

    assert "pcm" not in _identifier().labels
    assert {"en", "fr", "sw", "zh"} <= set(_identifier().labels)


def test_every_format_gives_the_same_articles(tmp_path: Path) -> None:
    rows = [
        {"id": f"{n}", "title": f"Title {n}", "text": f"Text, “{n}”\nnext line"} for n in range(9)
    ]
    expected = [Article(r["id"], r["title"], r["text"]) for r in rows]
    table = "id,title,text\n" + "".join(f'{r["id"]},{r["title"]},"{r["text"]}"\n' for r in rows)
    files = {
        "a.jsonl": lines(*rows),
        "a.json": json.dumps(rows, indent=2).encode(),
        "a.csv": table.encode(),
        "a.tsv": table.replace("Text, ", "Text; ").replace(",", "\t").replace("; ", ", ").encode(),
    }
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    files["a.parquet"] = (tmp_path / "a.parquet").read_bytes()
    for name, content in files.items():
        assert read_bytes(tmp_path, name, content).articles == expected
        assert read_bytes(tmp_path, name + ".gz", gzip.compress(content)).articles == expected
        packed = pa.compress(content, codec="zstd", asbytes=True)
        assert read_bytes(tmp_path, name + ".zst", packed).articles == expected


def test_parquet_columns_of_many_types_are_read(tmp_path: Path) -> None:
    nano = pa.array([1709596800123456789, None, 1], pa.timestamp("ns", "Europe/Paris"))
    table = pa.table(
        {
            "title": pa.array(["a", None, "c"]).dictionary_encode(),
            "text": pa.array([b"x", b"caf\xe9", None], pa.binary()),
            "date": nano,
            "source": [["a", "list"], None, None],
        }
    )
    parquet.write_table(table, tmp_path / "a.parquet")
    got = read(tmp_path / "a.parquet")
    assert got.counts == (2, 1)
    assert "'source' is a list" in got.reasons
    assert got.rejected[0].line == 1
    far = pa.table({"title": ["a"], "date": pa.array([2**62], pa.timestamp("ms"))})
    parquet.write_table(far, tmp_path / "b.parquet")
    assert read(tmp_path / "b.parquet").articles[0].date is None


def test_a_parquet_file_cut_or_damaged_keeps_what_could_be_read(tmp_path: Path) -> None:
    table = pa.table({"title": [f"title {n}" for n in range(5000)]})
    path = tmp_path / "a.parquet"
    parquet.write_table(table, path, row_group_size=1000, compression="gzip", use_dictionary=False)
    whole = path.read_bytes()
    assert read_bytes(tmp_path, "cut.parquet", whole[: len(whole) // 2]).counts == (0, 1)
    broken = bytearray(whole)
    broken[len(whole) // 2 : len(whole) // 2 + 200] = b"\0" * 200
    got = read_bytes(tmp_path, "bad.parquet", bytes(broken))
    assert 0 < len(got.articles) < 5000
    assert len(got.rejected) == 1
    assert "the table cannot be read from this row on" in got.reasons
    assert got.rejected[0].line == len(got.articles) + 1


def test_a_directory_is_read_to_the_bottom_in_order(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "a.txt").write_text("First text\nwith two lines")
    (tmp_path / "b" / "a.txt").write_bytes("Été".encode("latin-1"))
    (tmp_path / "b" / "c.jsonl").write_bytes(lines({"title": "row"}))
    (tmp_path / "z.html").write_text("<title>Page</title><p>Words of the page.</p>")
    (tmp_path / "image.png").write_bytes(b"")
    (tmp_path / "empty.txt").write_bytes(b"")
    got = read(tmp_path)
    assert [a.body.partition("\n")[0][:10] for a in got.articles] == ["First text", "Page. Word", "Été", "row"]  # fmt: skip  # noqa: E501
    assert got.rejected[0].file.endswith("empty.txt")
    told = " | ".join(n.message for n in got.notices)
    assert "1 file is not UTF-8 and was read as Windows-1252, first" in told
    assert "1 file of another kind was passed over, first" in told


def test_a_page_gives_title_text_date_outlet_address_and_language(tmp_path: Path) -> None:
    words = "The storm reached the coast on Tuesday and closed the harbour for hours. " * 8
    page = (
        '<html lang="en-GB"><head><title>Storm closes harbour</title>'
        '<meta property="og:site_name" content="The Paper">'
        '<meta property="article:published_time" content="2024-03-05">'
        '<link rel="canonical" href="https://paper.example/storm"></head>'
        "<body><nav>Home</nav><article><h1>Storm closes harbour</h1>"
        f"<p>{words}</p></article></body>"
    )
    (article,) = read_bytes(tmp_path, "a.html", page.encode()).articles
    assert article.title == "Storm closes harbour"
    assert "closed the harbour" in article.text
    assert (article.date, article.source, article.lang) == (DAY, "The Paper", "en")
    assert article.url == "https://paper.example/storm"


def test_a_page_in_the_encoding_it_names_is_read_and_told(tmp_path: Path) -> None:
    page = '<meta charset="windows-1251"><title>Привет, мир</title>'.encode("windows-1251")
    got = read_bytes(tmp_path, "a.html", page)
    assert got.articles[0].title == "Привет, мир"
    assert "read as windows-1251" in got.notices[0].message


ATOM = b"""<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="fr">
<title>Journal</title><entry><id>tag:1</id>
<title type="html">Fish &amp;amp; &lt;b>chips&lt;/b></title>
<link href="http://j/1"/><updated>2024-03-05T00:00:00Z</updated><summary>Short</summary>
<content type="html">&lt;p>One&lt;/p>&lt;script>x&lt;/script>
&lt;p>Two&lt;/p></content></entry></feed>"""


def test_an_atom_feed_gives_words_without_markup(tmp_path: Path) -> None:
    (article,) = read_bytes(tmp_path, "a.atom", ATOM).articles
    assert article == Article(
        "tag:1", "Fish & chips", "One\nTwo", "fr", DAY, "Journal", "http://j/1"
    )


def test_a_feed_reads_no_file_and_no_address_it_names(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("SECRET")
    feed = (
        f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file://{secret}">]>'
        '<rss version="2.0"><channel><item><title>a &x; b</title></item></channel></rss>'
    )
    got = read_bytes(tmp_path, "a.xml", feed.encode())
    assert "SECRET" not in str(got)
    assert read_bytes(tmp_path, "b.xml", str(secret).encode()).counts == (0, 1)
    assert read_bytes(tmp_path, "c.xml", b"http://127.0.0.1:9/feed").counts == (0, 1)


@pytest.mark.parametrize(
    ("content", "titles"),
    [
        (b'{"title": "a"}\n{"title": "b"}\n', ["a", "b"]),
        (b'\xef\xbb\xbf  {"title": "a"}\n{bad\n{"title": "b"}', ["a", "b"]),
        (b'[{"title": "a"}]', ["a"]),
        (b'{\n"title": "a"\n}', ["a"]),
        (b"<rss version='2.0'><channel><item><title>a</title></item></channel></rss>", ["a"]),
        (b"<!doctype html><title>a</title>", ["a"]),
        (b"id;headline\n1;a\n", ["a"]),
        (b"title\na\nb\n", ["a", "b"]),
        ("id,title\n1,é\n".encode("utf-16"), ["é"]),
        (gzip.compress(b'{"title": "a"}'), ["a"]),
        (pa.compress(b"id,title\n1,a", codec="zstd", asbytes=True), ["a"]),
    ],
)
def test_standard_input_is_sniffed(content: bytes, titles: list[str]) -> None:
    path = spool_stdin(io.BytesIO(content))
    try:
        got = read(path)
    finally:
        path.unlink()
    assert [a.title for a in got.articles] == titles


def test_standard_input_of_plain_lines_is_texts_and_is_called_dash(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(b"Rain, wind\n\x00\nSun\n"))
    monkeypatch.setattr(sys, "stdin", stdin)
    got = read([Path("-")])
    assert [a.text for a in got.articles] == ["Rain, wind", "Sun"]
    assert (got.rejected[0].file, got.rejected[0].line) == ("-", 2)


def test_standard_input_keeps_its_place_and_takes_a_forced_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.txt").write_text("file\n")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"title\nb\n")))
    got = read([tmp_path / "a.txt", Path("-"), tmp_path / "a.txt"], format="txt")
    assert [a.text for a in got.articles] == ["file", "title", "b", "file"]


def test_paths_that_cannot_be_read_are_errors_that_name_them(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.csv must exist, got no such file\. Check the"):
        read(tmp_path / "nowhere.csv")
    with pytest.raises(InputError, match=r"must hold at least one file to read, got 0 of other"):
        read(tmp_path)
    (tmp_path / "a.odd").write_text("x")
    with pytest.raises(InputError, match=r"a\.odd must end in one of \.jsonl, .*, got \.odd"):
        read(tmp_path / "a.odd")
    assert read(tmp_path / "a.odd", format="txt").articles[0].text == "x"
    with pytest.raises(InputError, match="- must be given once, got it several times"):
        read([Path("-"), Path("-")])
    with pytest.raises(InputError, match="must be a regular file or a directory, got neither"):
        read(Path("/dev/null"))
    with pytest.raises(InputError, match="digest: - must be named alone or spooled"):
        digest(["-"])


def test_a_file_that_may_not_be_opened_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("x")

    def refuse(*_: object, **__: object) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match=r"a\.txt must be readable, got Permission denied"):
        read(path)
    with pytest.raises(InputError, match=r"a\.txt must be readable, got Permission denied"):
        digest([path])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fields": {"txt": "a"}}, "a field must be one of id, title, .*, got 'txt'"),
        ({"format": "doc"}, "format must be one of jsonl, .*, got 'doc'"),
        ({"date_order": "YDM"}, "date_order must be one of DMY, MDY, YMD, got 'YDM'"),
        ({"encoding": "klingon"}, "encoding must be one Python knows, got 'klingon'"),
        ({"encoding": "hex"}, "encoding must be one of text, got 'hex'"),
        ({"encoding": "a\0b"}, "encoding must be one Python knows"),
    ],
)
def test_options_outside_their_domain_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=f"ReadOptions: {message}"):
        ReadOptions(**options)  # type: ignore[arg-type]


def test_a_digest_follows_contents_and_names_inside_directories(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
        (folder / "a.txt").write_text("x")
    assert digest([one]) == digest([other])
    assert digest([one / "a.txt"]) == digest([other / "a.txt"]) != digest([one])
    assert len(digest([one])) == 40
    (other / "a.txt").rename(other / "b.txt")
    assert digest([one]) != digest([other])
    assert digest([one, other]) != digest([other, one])
    with pytest.raises(InputError, match=r"digest: .* must exist"):
        digest([tmp_path / "none"])


class Steps:
    def __init__(self) -> None:
        self.started: list[tuple[str, int | None, str]] = []
        self.done = 0

    def start(self, what: str, total: int | None, unit: str) -> Steps:
        self.started.append((what, total, unit))
        return self

    def note(self, message: str) -> None: ...

    def advance(self, steps: int = 1) -> None:
        self.done += steps

    def __enter__(self) -> Steps:
        return self

    def __exit__(self, *_: object) -> None: ...


def test_progress_counts_every_byte_of_every_file(tmp_path: Path) -> None:
    paths = [tmp_path / "a.jsonl", tmp_path / "b.jsonl.gz"]
    paths[0].write_bytes(lines({"title": "a"}) * 1000)
    paths[1].write_bytes(gzip.compress(paths[0].read_bytes()))
    steps = Steps()
    list(read_articles(paths, options=ReadOptions(detect_language=False), progress=steps))
    sizes = [path.stat().st_size for path in paths]
    assert steps.started == [(f"read {p}", s, "bytes") for p, s in zip(paths, sizes, strict=True)]
    assert steps.done == sum(sizes)


def test_reading_streams(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(lines({"title": "a"}) * 200_000)
    steps = Steps()
    first = next(iter(read_articles([path], progress=steps)))
    assert isinstance(first, Article | Rejected)
    assert steps.done < path.stat().st_size


def test_importing_the_package_loads_no_reader() -> None:
    heavy = ["trafilatura", "feedparser", "pyarrow", "py3langid", "rensa", "dateparser", "lxml"]
    program = f"import newsnest.corpus, sys; print([m for m in {heavy} if m in sys.modules])"
    out = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("given", "shown", "cure"),
    [
        ("https://x.org/a?b=c", "https://x.org/a?b=c", "'https://x.org/a?b=c'"),
        (Path("https://x.org/a.csv"), "https://x.org/a.csv", "'https://x.org/a.csv'"),
        ("feed://x.org/rss", "feed://x.org/rss", "'https://x.org/rss'"),
        ("feed:https://x.org/rss", "feed:https://x.org/rss", "'https://x.org/rss'"),
        ("ftp://x.org/a", "ftp://x.org/a", "'ftp://x.org/a'"),
    ],
)
def test_an_address_is_refused_unmangled_wherever_a_path_is_taken(
    tmp_path: Path, given: str | Path, shown: str, cure: str
) -> None:
    from newsnest.labelled import TextReading, parse_data, read_labels
    from newsnest.options import Options
    from newsnest.pipeline.source import find_input

    wanted = f"{re.escape(shown)} must be a file, .*never fetches.* -o feed.xml {re.escape(cure)}"
    for take in (
        lambda: list(read_articles([given])),
        lambda: digest([given]),
        lambda: read_labels(Path(given), ["story"]),
        lambda: parse_data([str(given)], TextReading()),
        lambda: find_input(given, Options().read),
    ):
        with pytest.raises(InputError, match=wanted):
            take()
