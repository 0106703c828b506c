"""More than a hundred ways a file can be wrong, and what becomes of its rows."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pytest

from .reading import read_bytes

GOOD = b'{"id": "g", "title": "Rain in Nantes"}\n'
CSV = b"id,title,text\n"
BIG = b"x" * (10 << 20)
RSS = (
    b'<?xml version="1.0"?><rss version="2.0"><channel><title>Paper</title>'
    b"<item><title>One</title><guid>1</guid></item><item><title>Two</title><guid>2</guid></item>"
    b"</channel></rss>"
)
PAGE = b"<html lang=en><head><title>Storm hits coast</title></head><body><p>Wind.</p></body></html>"
TEN = b"".join(b'{"id": "%d", "title": "Title number %d"}\n' % (i, i) for i in range(10))


def zst(data: bytes) -> bytes:
    return pa.compress(data, codec="zstd", asbytes=True)


# name of the case: (file name, content, articles, rejected)
JSONL = {
    "empty file": (b"", 0, 0),
    "only blank lines": (b"\n\n  \n\t\n", 0, 0),
    "no newline at the end": (GOOD.strip(), 1, 0),
    "windows line ends": (GOOD.strip() + b"\r\n" + b'{"title": "b"}\r\n', 2, 0),
    "old mac line ends": (GOOD.strip() + b"\r" + b'{"title": "b"}\r', 2, 0),
    "mark at the start": (b"\xef\xbb\xbf" + GOOD, 1, 0),
    "two marks at the start": (b"\xef\xbb\xbf\xef\xbb\xbf" + GOOD, 1, 0),
    "no json": (b"hello\n" + GOOD, 1, 1),
    "cut object": (b'{"title": "a\n' + GOOD, 1, 1),
    "cut at the end": (GOOD + b'{"title": "a', 1, 1),
    "trailing comma": (b'{"title": "a",}\n', 0, 1),
    "single quotes": (b"{'title': 'a'}\n", 0, 1),
    "two objects on a line": (b'{"title": "a"}{"title": "b"}\n', 2, 0),
    "two objects on a later line": (GOOD + b'{"title": "a"}{"title": "b"}\n', 1, 1),
    "object and rubbish": (b'{"title": "a"} x\n', 0, 1),
    "array": (b'["a"]\n', 0, 1),
    "number": (b"3\n", 0, 1),
    "text": (b'"a"\n', 0, 1),
    "null": (b"null\n", 0, 1),
    "true": (b"true\n", 0, 1),
    "not a number": (b"NaN\n", 0, 1),
    "empty object": (b"{}\n", 0, 1),
    "title null": (b'{"title": null}\n', 0, 1),
    "title empty": (b'{"title": "", "text": "  "}\n', 0, 1),
    "title only control characters": (b'{"title": "\\u0000\\u0001"}\n', 0, 1),
    "title only invisible": (b'{"title": "\\u200b\\ufeff"}\n', 0, 1),
    "title a number": (b'{"title": 3}\n', 1, 0),
    "title true": (b'{"title": true}\n', 1, 0),
    "title a list": (b'{"title": ["a", "b"]}\n', 0, 1),
    "title a list of one": (b'{"title": ["a"]}\n', 1, 0),
    "title an object": (b'{"title": {"a": 1}}\n', 0, 1),
    "text a list": (b'{"title": "a", "text": ["b", "c"]}\n', 0, 1),
    "id an object": (b'{"title": "a", "id": {"oid": 1}}\n', 0, 1),
    "id a number": (b'{"title": "a", "id": 7}\n', 1, 0),
    "id twice": (GOOD + GOOD, 1, 0),
    "same id as number and text": (b'{"title": "a", "id": 7}\n{"title": "b", "id": "7"}\n', 2, 0),
    "same content twice": (b'{"title": "a"}\n{"title": "a"}\n', 2, 0),
    "date unreadable": (b'{"title": "a", "date": "soon"}\n', 1, 0),
    "date a list": (b'{"title": "a", "date": [2024, 3]}\n', 0, 1),
    "date infinite": (b'{"title": "a", "date": Infinity}\n', 1, 0),
    "date huge": (b'{"title": "a", "date": 1e300}\n', 1, 0),
    "number of 5000 digits": (b'{"title": "a", "date": ' + b"9" * 5000 + b"}\n" + GOOD, 1, 1),
    "lone high surrogate": (b'{"title": "a \\ud800 b"}\n', 1, 0),
    "lone low surrogate": (b'{"title": "\\udc00"}\n', 1, 0),
    "surrogate in a key": (b'{"title": "a", "\\ud800": 1}\n', 1, 0),
    "surrogate in a rejected row": (b'{"text": ["\\ud800", ""]}\n', 0, 1),
    "surrogate as id": (b'{"title": "a", "id": "\\ud800"}\n', 1, 0),
    "control characters escaped": (b'{"title": "a\\u0007b\\u0000"}\n', 1, 0),
    "control character raw": (b'{"title": "a\x07b"}\n', 1, 0),
    "nul bytes": (b"\0\0\0\n" + GOOD, 1, 1),
    "bad escape": (b'{"title": "\\x41"}\n', 0, 1),
    "deeply nested": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"\n" + GOOD, 1, 1),
    "deep brackets": (b"[" * 1_000_000 + b"\n" + GOOD, 1, 1),
    "ten megabytes in a line": (b'{"title": "' + BIG + b'"}\n' + GOOD, 2, 0),
    "ten megabytes of rubbish": (BIG + b"\n" + GOOD, 1, 1),
    "line beyond the limit": (BIG * 4 + b"\n" + GOOD, 1, 1),
    "line beyond the limit at the end": (GOOD + BIG * 4, 1, 1),
    "not utf-8": ('{"title": "Élection à Nîmes"}\n'.encode("latin-1"), 1, 0),
    "half a character": (b'{"title": "caf\xc3"}\n', 1, 0),
    "undefined in windows-1252": (b'{"title": "a\x81b"}\n', 1, 0),
    "overlong utf-8": (b'{"title": "a\xc0\xafb"}\n', 1, 0),
    "key twice": (b'{"title": "a", "title": "b"}\n', 1, 0),
    "unknown columns": (b'{"foo": "a", "bar": "b"}\n', 0, 1),
    "ten thousand columns": (
        json.dumps({f"c{i}": i for i in range(10_000)} | {"title": "a"}).encode() + b"\n",
        1,
        0,
    ),
}
TABLES = {
    "header only": (CSV, 0, 0),
    "blank lines between": (CSV + b"\n1,a,b\n\n2,c,d\n", 2, 0),
    "too few": (CSV + b"1,a\n2,b,c\n", 1, 1),
    "too many": (CSV + b"1,a,b,c\n2,b,c\n", 1, 1),
    "quoted newline": (CSV + b'1,"a\nb",c\n2,d,e\n', 2, 0),
    "quoted quote": (CSV + b'1,"say ""hi""",c\n', 1, 0),
    "stray quotes": (CSV + b'1,"he said "hi" then",c\n', 1, 0),
    "quote in an open value": (CSV + b'1,5" nail,c\n', 1, 0),
    "quote never closes": (CSV + b'1,"a,b\n2,c,d\n3,e,f\n', 2, 1),
    "quote never closes among quoted": (CSV + b'1,"a,b\n2,"c","d"\n3,"e","f"\n', 2, 1),
    "quote never closes on the last line": (CSV + b'1,a,b\n2,"c', 1, 1),
    "every line opens a quote": (CSV + b'1,"a\n' * 2000, 0, 2000),
    "a quote alone a line": (CSV + b'"\n' * 2001, 0, 2001),
    "space before quote": (CSV + b'1, "a, b", "c"\n', 1, 0),
    "space after quote": (CSV + b'1,"a" ,"c"\n', 1, 0),
    "nul bytes": (CSV + b"1,a\0b,c\n", 1, 0),
    "huge value": (CSV + b"1," + BIG + b",c\n", 1, 0),
    "huge quoted value": (CSV + b'1,"' + BIG + b'",c\n', 1, 0),
    "many quotes": (CSV + b"1," + b'"' * 200_000 + b",c\n", 1, 0),
    "many commas": (CSV + b"," * 200_000 + b"\n2,b,c\n", 1, 1),
    "no title no text": (CSV + b"1,,\n", 0, 1),
    "not utf-8": (CSV + b"1,caf\xe9,c\n", 1, 0),
    "semicolons": (b"id;title\n1;a, b\n", 1, 0),
    "bars": (b"id|title\n1|a\n", 1, 0),
    "tabs": (b"id\ttitle\n1\ta\n", 1, 0),
    "excel says its delimiter": (b"sep=;\nid;title\n1;a\n", 1, 0),
    "column twice": (b"title,title\n,b\n", 1, 0),
    "nameless column": (b",title\n0,a\n", 1, 0),
    "quoted header": (b'"id","title"\n1,a\n', 1, 0),
    "mark before a quoted header": (b'\xef\xbb\xbf"id","title"\n1,a\n', 1, 0),
    "id twice": (CSV + b"1,a,b\n1,c,d\n", 1, 0),
    "line beyond the limit": (CSV + BIG * 4 + b"\n1,a,b\n", 1, 1),
    "quoted value over the end of a bad line": (CSV + b'1,"a\n' + BIG * 4 + b"\n2,b,c\n", 1, 2),
    "alternating quotes": (CSV + b'x","y\n' * 2000 + b'z"\n', 1, 1998),
}
OTHERS = {
    "txt": ("a.txt", b"one\n\ntwo\nthree", 3, 0),
    "txt nul": ("a.txt", b"\0\0\n\x01\nfour\n", 1, 2),
    "txt binary": ("a.txt", bytes(range(256)), 1, 1),
    "txt huge": ("a.txt", BIG * 4 + b"\nb\n", 1, 1),
    "tsv headline in quotes": ("a.tsv", b'id\ttitle\n1\t"Foo" says bar\n2\t"Open\n', 2, 0),
    "tsv quoted newline": ("a.tsv", b'id\ttitle\n1\t"a\nb"\n', 1, 0),
    "tsv too few": ("a.tsv", b"id\ttitle\n1\n2\tb\n", 1, 1),
    "json array": ("a.json", b'[{"title": "a"}, {"title": "b"}]', 2, 0),
    "json array cut": ("a.json", b'[{"title": "a"}, {"title": "b"', 1, 1),
    "json array not closed": ("a.json", b'[{"title": "a"}', 1, 1),
    "json array of mixed things": ("a.json", b'[{"title": "a"}, 3, null, "x"]', 1, 3),
    "json array and more": ("a.json", b'[{"title": "a"}] x', 1, 1),
    "json object over lines": ("a.json", b'{\n "title": "a"\n}\n', 1, 0),
    "json lines by another name": ("a.json", GOOD + b'{"title": "b"}\n', 2, 0),
    "json empty": ("a.json", b"", 0, 0),
    "json rubbish": ("a.json", b"hello", 0, 1),
    "json deep": ("a.json", b"[" * 1_000_000, 0, 1),
    "gz": ("a.jsonl.gz", gzip.compress(TEN), 10, 0),
    "gz empty file": ("a.jsonl.gz", b"", 0, 0),
    "gz is plain": ("a.jsonl.gz", GOOD, 0, 1),
    "gz cut in its head": ("a.jsonl.gz", gzip.compress(TEN)[:5], 0, 1),
    "gz cut in its check": ("a.jsonl.gz", gzip.compress(TEN)[:-4], 10, 1),
    "gz and rubbish": ("a.jsonl.gz", gzip.compress(TEN) + b"rubbish", 10, 1),
    "gz twice": ("a.jsonl.gz", gzip.compress(GOOD) + gzip.compress(b'{"title": "b"}'), 2, 0),
    "gz bad check": ("a.jsonl.gz", gzip.compress(TEN)[:-8] + b"\1" * 8, 10, 1),
    "zst": ("a.jsonl.zst", zst(TEN), 10, 0),
    "zst empty file": ("a.jsonl.zst", b"", 0, 0),
    "zst is plain": ("a.jsonl.zst", GOOD, 0, 1),
    "zst cut": ("a.jsonl.zst", zst(TEN)[:8], 0, 1),
    "zst twice": ("a.jsonl.zst", zst(GOOD) + zst(b'{"title": "b"}'), 2, 0),
    "csv gz cut": ("a.csv.gz", gzip.compress(CSV + b"1,a,b\n")[:-4], 1, 1),
    "txt gz cut": ("a.txt.gz", gzip.compress(b"one\ntwo\n")[:-4], 2, 1),
    "rss": ("a.xml", RSS, 2, 0),
    "rss empty": ("a.xml", b"", 0, 0),
    "rss rubbish": ("a.xml", b"hello", 0, 1),
    "rss cut": ("a.xml", RSS[:-40], 1, 1),
    "rss nul": ("a.xml", b"\0" * 100, 0, 1),
    "rss entry without words": ("a.xml", RSS.replace(b"<title>Two</title>", b""), 1, 1),
    "rss id twice": ("a.xml", RSS.replace(b">2<", b">1<"), 1, 0),
    "xml that is no feed": ("a.xml", b"<?xml version='1.0'?><a><b/></a>", 0, 1),
    "rss gz cut": ("a.xml.gz", gzip.compress(RSS)[:-4], 2, 1),
    "rss wrong encoding named": ("a.xml", RSS.replace(b'"1.0"', b'"1.0" encoding="x"'), 2, 0),
    "page": ("a.html", PAGE, 1, 0),
    "page empty": ("a.html", b"", 0, 1),
    "page of spaces": ("a.html", b" \n ", 0, 1),
    "page without words": ("a.html", b"<html><body></body></html>", 0, 1),
    "page binary": ("a.html", b"\x89PNG\r\n\x1a\n" + b"\0" * 50, 0, 1),
    "page unclosed": ("a.html", PAGE[:-30], 1, 0),
    "page deep": ("a.html", b"<title>Deep</title>" + b"<div>" * 10_000 + b"x", 1, 0),
    "page gz cut": ("a.html.gz", gzip.compress(PAGE)[:-4], 0, 1),
    "parquet empty": ("a.parquet", b"", 0, 1),
    "parquet rubbish": ("a.parquet", b"PAR1 hello PAR1", 0, 1),
    "parquet gz rubbish": ("a.parquet.gz", b"hello", 0, 1),
    "utf-16 little": ("a.jsonl", '{"title": "é"}\n'.encode("utf-16"), 1, 0),
    "utf-16 big": ("a.jsonl", b"\xfe\xff" + '{"title": "é"}\n'.encode("utf-16-be"), 1, 0),
    "utf-16 cut": ("a.jsonl", GOOD.decode().encode("utf-16")[:-1], 0, 1),
    "utf-16 csv": ("a.csv", "id;title\n1;é\n".encode("utf-16"), 1, 0),
    "utf-16 lone surrogate": ("a.txt", b"\xff\xfea\x00\x00\xd8b\x00", 1, 0),
    "utf-32": ("a.txt", "é\n".encode("utf-32"), 1, 0),
    "mark alone": ("a.txt", b"\xef\xbb\xbf", 0, 0),
    "utf-16 mark alone": ("a.txt", b"\xff\xfe", 0, 0),
}
CASES = (
    [(f"jsonl: {name}", "a.jsonl", *case) for name, case in JSONL.items()]
    + [(f"csv: {name}", "a.csv", *case) for name, case in TABLES.items()]
    + [(name, *case) for name, case in OTHERS.items()]
)


def test_there_are_more_than_a_hundred_kinds_of_malformed_input() -> None:
    assert len(CASES) >= 150


@pytest.mark.parametrize(
    ("file", "content", "articles", "rejected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_every_row_becomes_an_article_or_a_rejected_row(
    tmp_path: Path, file: str, content: bytes, articles: int, rejected: int
) -> None:
    got = read_bytes(tmp_path, file, content)
    assert got.counts == (articles, rejected), got.reasons[:500]
    for row in got.rejected:
        assert row.reason
        assert len(row.content) < 10_100
        row.content.encode()
    for article in got.articles:
        assert article.id
        (article.id + article.title + article.text).encode()
