"""Tables as people have them: without a header, with lines above it, in odd dialects."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from newsnest.corpus.columns import Columns
from newsnest.corpus.tables.dialect import Dialect
from newsnest.corpus.tables.header import looks_like_table
from newsnest.corpus.tables.headerless import looks_like_article, propose
from newsnest.errors import InputError

from .reading import read_bytes

HEADERLESS = (
    b"2024-03-05,Harbour Post,Ferry strike ends after nine days\n"
    b"2024-03-06,Coast Wire,Ferry strike: crews back at work\n"
)
AGGREGATOR = (
    b"1\tFed says weak data caused by weather\thttp://latimes.example.com/1\tLA Times\tb\td4XyZ\t"
    b"latimes.example.com\t1394470370698\n"
    b"2\tFed's Plosser sees high bar for change\thttp://livemint.example.com/2\tLivemint\tb\td4XyZ\t"
    b"livemint.example.com\t1394470371207\n"
)


@pytest.mark.parametrize(
    ("name", "content", "cure"),
    [
        ("a.csv", HEADERLESS, "--no-header --field date=1 --field title=3."),
        ("a.tsv", HEADERLESS.replace(b",", b"\t"), "--no-header --field date=1 --field title=3."),
        (
            "a.csv",
            AGGREGATOR,
            "--no-header --field title=2 --field url=3 --field source=7 --field date=8.",
        ),
        ("a.csv", b"Ferry strike ends after nine long days\n", "--no-header --field title=1."),
        ("a.csv", "3,港口罢工九天后结束渡轮恢复通航各方表示欢迎\n".encode(), "--field title=2."),
        (
            "a.csv",
            b"2024-03-05,Message,Ferry strike ends after nine days\n"
            b"2024-03-06,News,Ferry strike: crews back at work\n",
            "--no-header --field date=1 --field title=3.",
        ),
    ],
)
def test_a_first_row_that_is_an_article_is_shown_with_the_cure(
    tmp_path: Path, name: str, content: bytes, cure: str
) -> None:
    with pytest.raises(InputError, match=r"got what looks like an article: column1 “") as caught:
        read_bytes(tmp_path, name, content)
    told = str(caught.value)
    assert told.removesuffix(" If it does name them, say one: --field title=COLUMN.").endswith(cure)
    # The cure works, and loses nothing.
    fields = dict(re.findall(r"--field (\w+)=(\d+)", cure))
    got = read_bytes(tmp_path, name, content, header=False, fields=fields)
    assert got.counts == (content.count(b"\n"), 0)
    assert not [article for article in got.articles if "date" in fields and not article.date]


def test_columns_without_names_can_be_given_by_number_or_name(tmp_path: Path) -> None:
    by_name = {"title": "column3", "source": "Column 2"}
    got = read_bytes(tmp_path, "a.csv", HEADERLESS, header=False, fields=by_name)
    assert [article.source for article in got.articles] == ["Harbour Post", "Coast Wire"]
    with pytest.raises(InputError, match=r"Name them: --field date=1 --field title=3\."):
        read_bytes(tmp_path, "a.csv", HEADERLESS, header=False)


def test_names_that_nobody_knows_are_no_article(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"got columns koppie, merknoot\. Name one of them") as no:
        read_bytes(tmp_path, "a.csv", b"koppie,merknoot\nRain,x\n")
    assert str(no.value).endswith("If that line is an article, read it too: --no-header.")


def test_a_mapped_column_settles_that_the_first_line_is_a_header(tmp_path: Path) -> None:
    content = b"2024-03-05,message\nx,Rain in Nantes\n"
    got = read_bytes(tmp_path, "a.csv", content, fields={"text": "message"})
    assert got.articles[0].text == "Rain in Nantes"


@pytest.mark.parametrize(
    ("above", "counted"),
    [
        ("Export of 2024-03-06 12:00\n", 1),
        ("# title, date and source of articles\n\n# made by X\n", 2),
        ("Articles,,Outlets\n", 1),
    ],
)
def test_lines_above_the_header_are_passed_over_and_told(
    tmp_path: Path, above: str, counted: int
) -> None:
    content = f"{above}title,date,source\nRain,2024-03-05,Post\n".encode()
    got = read_bytes(tmp_path, "a.csv", content)
    assert [article.title for article in got.articles] == ["Rain"]
    assert got.notices[0].message.startswith(f"{counted} line")
    assert "above the names of the columns" in got.notices[0].message


def test_a_header_again_and_a_second_header_are_no_articles(tmp_path: Path) -> None:
    content = "title,date\nTitre,Date\nRain,2024-03-05\ntitle,date\nWind,2024-03-06\n"
    got = read_bytes(tmp_path, "a.csv", content.encode())
    assert [article.title for article in got.articles] == ["Rain", "Wind"]
    assert [notice.message for notice in got.notices] == [
        "2 lines repeat the names of the columns and were passed over, first at line 2"
    ]


# name of the case: (content, title, text of the first article)
DIALECTS = {
    "named delimiter": ('"sep=;"\ntitle;text;score\nRain, wind;x;3,5\n', "Rain, wind", "x"),
    "tab named as delimiter": ("sep=\t\ntitle\ttext\nRain, wind\tx\n", "Rain, wind", "x"),
    "named delimiter saved again": ("sep=;;\ntitle;text\nRain;x\n", "Rain", "x"),
    "decimal commas": ("title;score;text\nRain;3,5;x\n", "Rain", "x"),
    "mark": ("\ufefftitle,text\nRain,x\n", "Rain", "x"),
    "delimiters at the end of rows": ("title,text\nRain,x,\nWind,y,,\n", "Rain", "x"),
    "delimiter at the end of the header": ("title,text,\nRain,x\n", "Rain", "x"),
    "row names of R": ('"title","text"\n"1","Rain","x"\n"2","Wind","y"\n', "Rain", "x"),
    "column twice": ("title,text,text\nRain,,x\n", "Rain", "x"),
    "wrapped name": ('title,"text\n(full)",text\nRain,y,x\n', "Rain", "x"),
    "escaped quotes": ('title,text\n"The \\"best\\", rain","x"\n', 'The "best", rain', "x"),
    "escaped quotes over lines": ('title,text\n"A \\"b\\"","x\ny \\"z\\""\n', 'A "b"', 'x\ny "z"'),
    "escaped backslash": ('title,text\n"a \\"b\\"","x\\\\"\n', 'a "b"', "x\\\\"),
    "path at the end": ('title,text\n"C:\\dir\\",x\n', "C:\\dir\\", "x"),
    "apostrophes": ("'title';'text'\n'Rain; wind';'x''s'\n", "Rain; wind", "x's"),
    "apostrophes in text": ("title,text\n'Tis rain,x\n", "'Tis rain", "x"),
    "old mac": ('title,text\rRain,"x\ny"\rWind,z\r', "Rain", "x\ny"),
    "windows in quotes": ('title,text\r\nRain,"x\r\ny"\r\n', "Rain", "x\ny"),
    "nul bytes": ("title,text\nRa\0in,x\0\n", "Ra in", "x"),
}


@pytest.mark.parametrize("case", DIALECTS)
def test_tables_of_many_dialects_are_read(tmp_path: Path, case: str) -> None:
    content, title, text = DIALECTS[case]
    got = read_bytes(tmp_path, "a.csv", content.encode())
    assert not got.rejected, got.reasons
    assert (got.articles[0].title, got.articles[0].text) == (title, text)


def test_columns_of_one_name_and_of_none_are_told(tmp_path: Path) -> None:
    got = read_bytes(tmp_path, "a.csv", DIALECTS["column twice"][0].encode())
    assert got.notices[0].message == (
        "1 column name occurs more than once, and the first column with a value counts, "
        "first “text”"
    )
    got = read_bytes(tmp_path, "a.csv", DIALECTS["row names of R"][0].encode())
    assert got.notices[0].message.startswith("1 column has no name, for each row has one value")


def test_standard_input_without_a_header_is_a_table() -> None:
    columns = Columns({})
    assert looks_like_table(HEADERLESS.decode().splitlines(), columns)
    assert looks_like_table(["Export", "title,date", "Rain,2024-03-05"], columns)
    assert looks_like_table(["Rain,x"], Columns({}, header=False))
    assert not looks_like_table(["Rain in Nantes, then wind", "Sun, at last, in Brest"], columns)
    assert not looks_like_table(["On 2024-03-05, rain fell", "Wind"], columns)


@pytest.mark.parametrize("row", [["title", "Date of publication"], ["Titre", "année", "n° 3"]])
def test_names_of_columns_do_not_look_like_an_article(row: list[str]) -> None:
    assert not looks_like_article(row)


def test_short_and_long_texts_are_proposed_as_title_and_text() -> None:
    rows = [["3", "Rain in Nantes again", "word " * 60], ["4", "Wind in Brest today", "word " * 90]]
    assert propose(rows) == {"title": 2, "text": 3}
    assert propose([["a"], ["b"]]) == {"title": 1}


def test_a_dialect_counts_the_values_that_a_line_begins_inside_quotes() -> None:
    dialect = Dialect(",")
    assert dialect.leaves('a","b') == ("open", 1)
    assert dialect.leaves('a",b,c') == ("closed", 2)
    assert dialect.leaves('a"') == ("closed", 0)
    assert dialect.leaves('a"b') == ("broken", 0)
    assert dialect.leaves("a") == ("open", 0)


# 200,000 quotes that open, in as many shapes; a pass each, not one for each quote.
OPEN_QUOTES = {
    "on lines of their own": '"\n',
    "on each line": 'a,"b\n',
    "closed and opened again": 'a","b\n',
    "doubled": '"a ""x\n',
}


@pytest.mark.parametrize("columns", [2, 2000])
@pytest.mark.parametrize("shape", OPEN_QUOTES)
def test_the_cost_of_open_quotes_is_linear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shape: str, columns: int
) -> None:
    calls = 0
    quoted = Dialect.quoted

    def counted(self: Dialect, line: str, at: int, *, strict: bool = False) -> tuple[str, int, str]:
        nonlocal calls
        calls += 1
        return quoted(self, line, at, strict=strict)

    monkeypatch.setattr(Dialect, "quoted", counted)
    names = ",".join(["title", *(f"c{number}" for number in range(1, columns))])
    lines = (OPEN_QUOTES[shape] * 500 + 'x"\n') * 40
    got = read_bytes(tmp_path, "a.csv", f"{names}\n{lines}".encode())
    assert got.counts[0] < 50
    assert calls < 5 * lines.count("\n") + 2000  # the lines that are sniffed


def test_a_header_of_very_many_names_is_read(tmp_path: Path) -> None:
    names = [f"c{number}" for number in range(100_000)]
    content = f"title,{','.join(names)}\nRain,{','.join(names)}\n"
    assert read_bytes(tmp_path, "a.csv", content.encode()).counts == (1, 0)
