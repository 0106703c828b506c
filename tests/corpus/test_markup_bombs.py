"""Pages and feeds that would take minutes or gigabytes are set aside with the reason."""

import sys
from pathlib import Path

import pytest

from newsnest.errors import InputError

from .reading import read_bytes

MANY = 200_000
TEXT = "The harbour of Nantes stays closed for the whole summer, the mayor said on Monday."


def page(body: str) -> bytes:
    return f"<html><head><title>Rain</title></head><body>{body}</body></html>".encode()


def feed(items: str, doctype: str = "") -> bytes:
    return f"{doctype}<rss version='2.0'><channel><title>T</title>{items}</channel></rss>".encode()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (f"<p>{TEXT}</p>" * MANY, r"the page holds 200,004 tags, more than 15,000, too many"),
        ("<br>" * MANY, r"the page holds 200,004 tags, more than 15,000"),
        (f"<p>{'<a>x</a>' * 9_000}</p>", r"one paragraph holds 9,000 tags, more than 2,000"),
        (
            f"<p {' '.join(f'a{n}=1' for n in range(MANY))}>x</p>",
            r"one tag holds 200,000 attributes, more than 200",
        ),
    ],
)
def test_a_page_that_would_take_minutes_is_set_aside(
    tmp_path: Path, body: str, reason: str
) -> None:
    got = read_bytes(tmp_path, "a.html", page(body))
    assert got.counts == (0, 1)
    assert reason in got.reasons


def test_scripts_do_not_count_as_tags_of_a_page(tmp_path: Path) -> None:
    got = read_bytes(
        tmp_path, "a.html", page(f"<p>{TEXT}</p><script>x='{'<p>' * MANY}'</script><p>{TEXT}</p>")
    )
    assert got.counts == (1, 0)
    assert TEXT in got.articles[0].text


def test_a_page_of_words_and_angle_brackets_alone_is_read(tmp_path: Path) -> None:
    got = read_bytes(tmp_path, "a.html", page(f"<p>{TEXT}</p>" + "< " * MANY))
    assert got.counts == (1, 0)


_TENFOLD = (f"&a{n - 1};" * 10 for n in range(1, 12))
LAUGHS = '<!ENTITY a0 "ha">' + "".join(
    f'<!ENTITY a{n} "{value}">' for n, value in enumerate(_TENFOLD, start=1)
)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (feed("<" * 2_000_000), "the feed holds 2,000,000 characters < and & that begin no tag"),
        (feed("&" * 2_000_000), "the feed holds 2,000,000 characters < and & that begin no tag"),
        (
            feed("<item " + " ".join(f"a{n}='1'" for n in range(MANY)) + "/>"),
            "one tag holds 200,000 attributes, more than 200",
        ),
        (
            feed("<item><title>&a11;</title></item>", f"<!DOCTYPE r [{LAUGHS}]>"),
            "declares the entity 'a1', which expands to other entities or to more than 1,048,576",
        ),
        (
            feed("&a;" * MANY, f'<!DOCTYPE r [<!ENTITY a "{"x" * MANY}">]>'),
            "declares the entity 'a', which expands to other entities or to more than 1,048,576",
        ),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_feed_that_would_take_minutes_is_set_aside(
    tmp_path: Path, content: bytes, reason: str, encoding: str
) -> None:
    got = read_bytes(tmp_path, "a.xml", content.decode().encode(encoding))
    assert got.counts == (0, 1)
    assert reason in got.reasons


def test_entities_that_a_feed_declares_for_characters_are_read(tmp_path: Path) -> None:
    declared = '<!DOCTYPE rss [\n<!ENTITY nbsp "&#160;">\n<!ENTITY rd "R&amp;D">\n]>\n'
    got = read_bytes(
        tmp_path, "a.xml", feed("<item><title>Rain&nbsp;ends</title></item>", declared)
    )
    assert [article.title for article in got.articles] == ["Rain ends"]


@pytest.mark.parametrize(
    ("name", "content", "package"),
    [
        ("a.html", page(f"<p>{TEXT}</p>"), "trafilatura"),
        ("a.xml", feed("<item><title>Rain</title></item>"), "feedparser"),
    ],
)
def test_a_broken_installation_is_no_bad_page_or_feed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError, match=rf"{name} cannot be read, for a package is missing or br"):
        read_bytes(tmp_path, name, content)
