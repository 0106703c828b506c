"""Mark-up goes, words stay: in cells of tables, in feeds, and for any text."""

import json
import re
from html import escape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsnest.corpus import clean_files, load_profile
from newsnest.corpus.markup import to_text

from .reading import read_bytes

WORDS = st.sampled_from(["R&D", "AT&T", "5", "<", ">", "&", "<b", "<3", "a<b", "<-", "&c.", "x>y"])
PLAIN = st.lists(st.one_of(WORDS, st.from_regex(r"[\w’.,]{1,8}", fullmatch=True))).map(" ".join)


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("Mayor&#8217;s aide &amp; council clash", "Mayor’s aide & council clash"),
        ("Mayor&amp;#8217;s aide says &amp;quot;no&amp;quot;", 'Mayor’s aide says "no"'),
        ("Mayor&amp;amp;#8217;s aide", "Mayor’s aide"),
        ("Rail &lt;b&gt;strike&lt;/b&gt; ends", "Rail strike ends"),
        ("&amp;lt;p&amp;gt;No. &amp;lt;a href=&amp;#34;x&amp;#34;&amp;gt;More", "No. More"),
        ("<p>It <b>left</b>.</p><script>var a='<p>';</script><p>More</p>", "It left.\nMore"),
        ("<style type='x'>p {}</style>Rain<!-- wp:more --> ends", "Rain ends"),
        ("<div>Trains &nbsp;run again</div>", "Trains run again"),
        ("Trains&nbsp;&nbsp;run", "Trains run"),
        ("Rain in<br>Nantes<BR/>today", "Rain in\nNantes\ntoday"),
        ("Intro<p>One<p>Two", "Intro<p>One<p>Two"),
        ("<p>One<p>Two", "One\nTwo"),
        ("One.<p>Two", "One.\nTwo"),
        ("He left.</p>", "He left."),
        ('He <i>left</i>. <a href="https://example.o', "He left."),
        ("<![CDATA[AT&T <b>buys</b> rival &amp; more]]>", "AT&T buys rival & more"),
        ("<a href='a>b' title=\"It's\">q</a> y", "q y"),
        ("<tr><td>Nantes</td><td>3</td></tr>", "Nantes 3"),
        ("<o:p></o:p>Rain<amp-ad width=1></amp-ad>", "Rain"),
        ("<html><head><title>T</title></head><body>Rain</body></html>", "Rain"),
        ("<script async src='x'>cut off he", ""),
        ("[&#8230;]", "[…]"),
        ("It&#39s late&#8230", "It's late…"),
        ("<script src='x'/>Rain", "Rain"),
        ('The aide left. <a href="https://example.o', "The aide left."),
        ("if x <b and c> y, <i>so</i> <unk> z", "if x <b and c> y, so <unk> z"),
        ("<option selected>Rain<td nowrap>ends", "Rain ends"),
        ("Highlights:<p>Rain", "Highlights:\nRain"),
    ],
)
def test_mark_up_becomes_the_words_it_shows(cell: str, words: str) -> None:
    assert to_text(cell) == words


@pytest.mark.parametrize(
    "cell",
    [
        "Plan to drop the <marquee> tag and keep <a> in image maps",
        "Profits < losses at the port, R&D cut by 5 > 3",
        "Why <script> tags and the </p> tag go",
        "Texas Instruments <TXN.N> & STMicroelectronics <STM.PA>",
        'Hibernate <generator class="" > in IEnumerable<Element>, Func<T, object>',
        "John <john@example.org>, <https://example.org/?a=b&copy=2>",
        "if x<y and z>w, a<b>c",
        "the last <li> within",
        "R&#8 <m 7> and </m> of &#97 <U'<]>",
        "He asked: <p> or <li>? a[b[0]]>3",
        "rain <unk> in <num> towns <!-- so",
        "two  spaces\n\n and\u00a0others & more",
    ],
)
def test_words_between_angle_brackets_stay_to_the_letter(cell: str) -> None:
    assert to_text(cell) == cell


@given(PLAIN)
def test_text_without_real_mark_up_stays_as_it_is(text: str) -> None:
    assert to_text(text) == text


@given(st.text("ab <>&;#/!-=\"'\n", max_size=60))
def test_no_letter_outside_a_tag_is_lost(text: str) -> None:
    outside = re.sub(r"<[^<>]*>|&[^;\s]*;|<!--.*?-->", "", text, flags=re.DOTALL)
    if not re.search(r"<[a-z/!]", text):
        assert re.findall(r"\w", to_text(text)) == re.findall(r"\w", text)
    assert len(re.findall(r"\w", outside)) <= len(re.findall(r"\w", to_text(text)))


TAGS = (
    "<p> </p> <b> </b> <br/> <marquee> &amp; &lt; &gt; &#8217; &nbsp; &amp;lt;i&amp;gt; < > & a "
    "rain <script> </script> <x> </x> <!-- --> ]]>"
)
PIECES = st.sampled_from([*TAGS.split(), "<a href='x'>", " ", "\n", ". "])


@given(st.lists(PIECES, max_size=12).map("".join))
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    once = to_text(text)
    assert to_text(once) == once


@pytest.mark.parametrize(
    "bomb",
    [
        *(
            "<",
            "<a ",
            '<a x="',
            "<!--",
            "<p>",
            "<b></b>",
            "<script>",
            "</a ",
            "&",
            "&#38;",
            "&amp;lt;",
        ),
        *('="', "<!-- -->", "<![CDATA[", "]]>", "<a x='>"),
    ],
)
def test_a_long_run_of_anything_is_cleaned_in_linear_time(bomb: str) -> None:
    # A quadratic way would take many minutes.
    to_text(bomb * (300_000 // len(bomb)))
    to_text("<b>x</b>" + bomb * (150_000 // len(bomb)) + " " * 150_000 + "</script>-->")


ROW = {
    "id": "a&amp;b",
    "title": "Mayor&#8217;s aide <i>quits</i>",
    "content": "<p>The aide <b>left</b>.</p><script>var a=1;</script>",
    "source": "Fish &amp; Ships",
    "url": "https://example.org/?a=1&amp;b=2",
}


@pytest.mark.parametrize("kind", ["csv", "json", "jsonl", "parquet"])
def test_cells_of_every_kind_of_table_are_cleaned_and_counted(tmp_path: Path, kind: str) -> None:
    if kind == "csv":
        quoted = (value.replace('"', '""') for value in ROW.values())
        content = (",".join(ROW) + '\n"' + '","'.join(quoted) + '"\n').encode()
    elif kind == "parquet":
        pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        parquet.write_table(pa.Table.from_pylist([ROW]), tmp_path / "made")
        content = (tmp_path / "made").read_bytes()
    else:
        content = json.dumps([ROW] if kind == "json" else ROW).encode()
    got = read_bytes(tmp_path, f"a.{kind}", content)
    (article,) = got.articles
    assert (article.title, article.text) == ("Mayor’s aide quits", "The aide left.")
    assert (article.source, article.url) == ("Fish & Ships", "https://example.org/?a=1&b=2")
    assert article.id == "a&amp;b"
    assert "2 titles or texts held HTML, which was removed" in got.notices[0].message


def test_the_language_is_told_and_the_article_named_by_what_is_left(tmp_path: Path) -> None:
    def one(name: str, row: dict[str, str]) -> tuple[str, str]:
        got = read_bytes(tmp_path, name, json.dumps(row).encode(), detect_language=True)
        return got.articles[0].id, got.articles[0].lang

    said = "The aide said on Monday that the harbour will stay closed for the whole summer."
    marked = f"<p class='a b c d e f g h i j k l m'>{said}</p>".replace("<", "&lt;")
    assert one("a.jsonl", {"text": marked}) == one("b.jsonl", {"text": said})
    assert one("a.jsonl", {"text": marked})[1] == "en"


def test_clean_writes_cells_without_mark_up(tmp_path: Path) -> None:
    path, output = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    path.write_text(json.dumps(ROW))
    report = clean_files([path], load_profile("generic"), output=output)
    written = json.loads(output.read_text())
    assert written["title"] == "Mayor’s aide quits"
    assert written["content"] == "The aide left."
    assert (written["id"], written["source"]) == (ROW["id"], ROW["source"])
    assert "2 titles or texts held HTML" in report.notices[0].message


def test_a_feed_escaped_twice_and_tags_named_in_titles_are_read_right(tmp_path: Path) -> None:
    titles = [
        "Mayor&amp;#8217;s aide says &amp;quot;no&amp;quot;",
        "Plan to drop the &lt;marquee&gt; tag and keep &lt;a&gt;",
        "Profits &lt; losses, R&amp;D cut by 5 &gt; 3",
        "<![CDATA[AT&T <b>buys</b> rival &amp; more]]>",
    ]
    text = escape(escape("<p>No. <a href='/'>More</a></p>"))
    items = "".join(
        f"<item><title>{t}</title><description>{text}</description></item>" for t in titles
    )
    feed = f"<rss version='2.0'><channel><title>Fish &amp;amp; Ships</title>{items}</channel></rss>"
    got = read_bytes(tmp_path, "a.xml", feed.encode())
    assert [article.title for article in got.articles] == [
        'Mayor’s aide says "no"',
        "Plan to drop the <marquee> tag and keep <a>",
        "Profits < losses, R&D cut by 5 > 3",
        "AT&T buys rival & more",
    ]
    assert {(a.text, a.source) for a in got.articles} == {("No. More", "Fish & Ships")}
    assert not got.notices
