"""Columns by the names that people's files give them, and what is said of the others."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from newsnest.corpus.column_names import CODES, LAST_RESORT, USUAL
from newsnest.corpus.columns import Columns, find_column, fold_name
from newsnest.errors import InputError

from .reading import read, read_bytes

STRIKE = "Ferry strike ends after nine days"
CREWS = "Crews go back to work on Friday."
URL = "https://harbour.example.org/1"
WANTED = {
    "title": STRIKE,
    "text": CREWS,
    "source": "Harbour Post",
    "date": "2024-03-05",
    "url": URL,
}

# Where a file comes from: its columns, and which of them is which field.
SHAPES: dict[str, tuple[str, dict[str, str]]] = {
    "news-please": (
        "authors date_download date_modify date_publish description filename image_url language "
        "localpath maintext source_domain title title_page title_rss url",
        {"title": "title", "text": "maintext", "source": "source_domain", "date": "date_publish"},
    ),
    "newspaper3k": (
        "title text authors publish_date top_image movies summary url source_url meta_lang",
        {"title": "title", "text": "text", "date": "publish_date", "url": "url"},
    ),
    "goose3": (
        "title cleaned_text publish_date domain final_url meta_lang tags",
        {"title": "title", "text": "cleaned_text", "date": "publish_date", "source": "domain"},
    ),
    "trafilatura": (
        "title author hostname date fingerprint id license comments raw_text text language image "
        "pagetype filedate source-hostname excerpt categories tags sitename",
        {"title": "title", "text": "text", "date": "date", "source": "sitename"},
    ),
    "Media Cloud": (
        "stories_id publish_date title url language ap_syndicated media_id media_name media_url "
        "indexed_date",
        {"id": "stories_id", "title": "title", "date": "publish_date", "source": "media_name"},
    ),
    "Factiva": (
        "AN BY CO HD IN LA LP NS PD RE SN TD WC",
        {"id": "AN", "title": "HD", "text": "TD", "date": "PD", "source": "SN", "lang": "LA"},
    ),
    "Europresse": (
        "id|journal|date|titre|texte|langue|auteurs",
        {"title": "titre", "text": "texte", "source": "journal", "lang": "langue"},
    ),
    "Nexis": (
        "Headline|Publication|Date|Load-Date|Length|Byline|Body|Section|Publication-Type",
        {"title": "Headline", "text": "Body", "source": "Publication", "date": "Date"},
    ),
    "ProQuest": (
        "Title|Abstract|StoreId|ArticleType|Authors|entryDate|language|pubdate|pubtitle|"
        "DocumentURL|Full text",
        {"title": "Title", "text": "Full text", "source": "pubtitle", "url": "DocumentURL"},
    ),
    "GDELT DOC": (
        "url url_mobile title seendate socialimage domain language sourcecountry",
        {"title": "title", "date": "seendate", "source": "domain", "url": "url"},
    ),
    "CC-News": (
        "requested_url plain_text published_date title sitename image_url crawl_date warc_path",
        {"title": "title", "text": "plain_text", "date": "published_date", "source": "sitename"},
    ),
    "Event Registry": (
        "uri lang isDuplicate date time dateTime dateTimePub dataType sim url title body "
        "source.uri source.dataType source.title image eventUri sentiment",
        {"title": "title", "text": "body", "source": "source.title", "date": "dateTimePub"},
    ),
    "NewsCatcher": (
        "title author published_date published_date_precision link clean_url excerpt summary "
        "rights rank topic country language media is_opinion _score _id",
        {"title": "title", "source": "clean_url", "date": "published_date", "url": "link"},
    ),
    "Guardian": (
        "id type sectionId sectionName webPublicationDate webTitle webUrl apiUrl fields.bodyText",
        {"title": "webTitle", "text": "fields.bodyText", "date": "webPublicationDate"},
    ),
    "New York Times": (
        "abstract web_url snippet source pub_date document_type news_desk headline.main _id",
        {"title": "headline.main", "summary": "abstract", "date": "pub_date", "url": "web_url"},
    ),
    "All the news": (
        "date year month day author title article url section publication",
        {"title": "title", "text": "article", "source": "publication", "date": "date"},
    ),
    "A million headlines": (
        "publish_date headline_text",
        {"title": "headline_text", "date": "publish_date"},
    ),
    "News category": (
        "category headline authors link short_description date",
        {"title": "headline", "summary": "short_description", "url": "link"},
    ),
    "UCI news aggregator": (
        "ID TITLE URL PUBLISHER CATEGORY STORY HOSTNAME TIMESTAMP",
        {"id": "ID", "title": "TITLE", "source": "PUBLISHER", "date": "TIMESTAMP"},
    ),
    "NELA-GT": (
        "id date source title content author url published published_utc collection_utc",
        {"title": "title", "text": "content", "source": "source", "date": "date"},
    ),
    "WordPress": (
        "ID post_title post_content post_date post_modified post_excerpt guid permalink",
        {"title": "post_title", "text": "post_content", "date": "post_date", "url": "permalink"},
    ),
    "Meltwater": (
        "Date|Headline|URL|Opening Text|Source|Influencer|Country|Language",
        {"title": "Headline", "summary": "Opening Text", "source": "Source", "url": "URL"},
    ),
    "BigKinds": (
        "뉴스 식별자|일자|언론사|기고자|제목|본문|URL",
        {"id": "뉴스 식별자", "title": "제목", "text": "본문", "source": "언론사", "date": "일자"},
    ),
}
# Title, date, outlet and text in the words of a language.
LANGUAGES = """
fr Titre|Date de publication|Journal|Texte intégral
de Überschrift|Erscheinungsdatum|Quelle|Volltext
es Título|Fecha de publicación|Medio|Cuerpo
it Titolo|Data di pubblicazione|Testata|Testo
pt Manchete|Data de publicação|Veículo|Conteúdo
nl Kop|Publicatiedatum|Krant|Tekst
pl Tytuł|Data publikacji|Źródło|Treść
sv Rubrik|Publiceringsdatum|Källa|Brödtext
da Overskrift|Dato|Kilde|Brødtekst
no Tittel|Publiseringsdato|Avis|Innhold
fi Otsikko|Julkaisupäivä|Lähde|Leipäteksti
cs Nadpis|Datum vydání|Zdroj|Obsah
ro Titlu|Data publicării|Sursă|Conținut
hu Cím|Dátum|Forrás|Szöveg
el Τίτλος|Ημερομηνία|Εφημερίδα|Κείμενο
tr Başlık|Tarih|Kaynak|Metin
ru Заголовок|Дата публикации|Издание|Текст
uk Назва|Дата публікації|Джерело|Зміст
ar العنوان|تاريخ النشر|المصدر|النص
he כותרת|תאריך|מקור|תוכן
fa تیتر|تاریخ انتشار|روزنامه|متن
hi शीर्षक|दिनांक|स्रोत|सामग्री
zh 标题|发布时间|来源|正文
zh 標題|發布時間|媒體|內容
ja 見出し|掲載日|新聞名|本文
ko 제목|게재일|언론사|본문
vi Tiêu đề|Ngày đăng|Nguồn|Nội dung
id Judul|Tanggal terbit|Sumber|Isi
"""


def names_of(columns: str) -> list[str]:
    return columns.split("|") if "|" in columns else columns.split()


def table(rows: list[list[str]]) -> bytes:
    out = StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


@pytest.mark.parametrize("shape", SHAPES)
def test_the_columns_of_crawlers_archives_and_data_sets_are_found(shape: str) -> None:
    columns, wanted = SHAPES[shape]
    found = Columns({}).match(tuple(names_of(columns)))
    assert {field: found[field][0] for field in wanted} == wanted


@pytest.mark.parametrize("line", LANGUAGES.strip().splitlines(), ids=lambda line: line[:2])
def test_tables_in_many_languages_are_read_without_a_flag(tmp_path: Path, line: str) -> None:
    names = line[3:].split("|")
    got = read_bytes(tmp_path, "a.csv", table([names, [STRIKE, "2024-03-05", "Post", CREWS]]))
    article = got.articles[0]
    assert (article.title, article.text, article.source) == (STRIKE, CREWS, "Post")
    assert article.date is not None
    assert article.date.date().isoformat() == "2024-03-05"
    assert not got.notices


def test_each_name_of_the_table_stands_for_one_field() -> None:
    seen: dict[str, str] = {}
    for field, names in USUAL.items():
        for name in names.split():
            assert fold_name(name)
            assert seen.setdefault(fold_name(name), field) == field, name
    for field, names in LAST_RESORT.items():
        for name in map(fold_name, names.split()):
            assert seen.get(name, "") != field, name
    assert not CODES.keys() & seen.keys()


def test_the_time_of_a_download_is_no_date_where_there_is_a_better_column(tmp_path: Path) -> None:
    rows = [
        {"title": "a", "date_publish": "2024-03-05", "date_download": "2024-04-01"},
        {"title": "b", "date_publish": None, "date_download": "2024-04-01"},
    ]
    rows = [{**row, "text": CREWS, "outlet": "Post"} for row in rows]
    got = read_bytes(tmp_path, "a.jsonl", b"\n".join(json.dumps(row).encode() for row in rows))
    assert [article.date and article.date.day for article in got.articles] == [5, None]
    assert not got.notices


def test_the_last_resort_for_a_date_is_told(tmp_path: Path) -> None:
    got = read_bytes(tmp_path, "a.csv", b"title,scraped_at\na,2024-03-05\nb,2024-03-06\n")
    assert all(article.date for article in got.articles)
    assert [notice.message for notice in got.notices] == ["2 dates were taken from “scraped_at”"]


def test_a_picture_is_no_outlet_and_a_name_no_address(tmp_path: Path) -> None:
    got = read_bytes(
        tmp_path,
        "a.csv",
        b"title,media,uri\na,https://example.org/a.jpg,75312\nb,Harbour Post,https://example.org/b\n",
    )
    assert [(a.source, a.url) for a in got.articles] == [
        ("", ""),
        ("Harbour Post", "https://example.org/b"),
    ]


def test_an_address_under_source_is_the_address(tmp_path: Path) -> None:
    row = {"title": "a", "source": URL, "source-hostname": "Harbour Post", "hostname": "x.org"}
    got = read_bytes(tmp_path, "a.json", json.dumps([row]).encode())
    assert got.articles[0].url == URL


@pytest.mark.parametrize(
    "names", ["category", "label", "label_date", "author", "section", "publication_id", "source_id"]
)
def test_false_friends_are_of_no_field(names: str) -> None:
    assert not Columns({}).match((names,))


def test_codes_of_two_letters_count_only_together() -> None:
    assert not Columns({}).match(("HD", "LA"))
    assert Columns({}).match(("HD", "LA", "PD"))["title"] == ("HD",)


def test_the_lead_paragraph_of_factiva_opens_the_text(tmp_path: Path) -> None:
    rows = [["AN", "HD", "LP", "TD", "SN"], ["1", STRIKE, CREWS, "The rest.", "Post"]]
    assert read_bytes(tmp_path, "a.csv", table(rows)).articles[0].text == f"{CREWS}\n\nThe rest."


def test_the_title_of_a_page_is_found_in_the_extras_of_gdelt(tmp_path: Path) -> None:
    names = ["GKGRECORDID", "V2.1DATE", "V2SOURCECOMMONNAME", "V2DOCUMENTIDENTIFIER", "V2EXTRASXML"]
    extras = f"<PAGE_LINKS>x</PAGE_LINKS><PAGE_TITLE>{STRIKE}</PAGE_TITLE>"
    rows = [names, ["20240305103000-1", "20240305103000", "harbour.org", URL, extras]]
    got = read_bytes(tmp_path, "a.csv", table(rows))
    article = got.articles[0]
    assert (article.title, article.source, article.url) == (STRIKE, "harbour.org", URL)
    assert article.date is not None
    assert article.date.isoformat() == "2024-03-05T10:30:00+00:00"
    assert [notice.message for notice in got.notices] == ["1 title was taken from “V2EXTRASXML”"]


def test_objects_and_lists_as_interfaces_of_news_give_them_are_read(tmp_path: Path) -> None:
    rows = [
        {"headline": {"main": STRIKE, "kicker": None}, "source": {"uri": "h", "title": "Post"}},
        {
            "title": {"rendered": STRIKE},
            "content": {"rendered": CREWS},
            "provider": [{"name": "P"}],
        },
        {"title": STRIKE, "body": CREWS, "summary": {"sentences": []}, "source": {"uri": "h"}},
    ]
    got = read_bytes(tmp_path, "a.json", json.dumps(rows).encode())
    assert [(a.title, a.source) for a in got.articles] == [
        (STRIKE, "Post"),
        (STRIKE, "P"),
        (STRIKE, ""),
    ]


UNUSED = [{"title": "a", "x": "1", "when_it_was": "5 March"}, {"title": "b", "x": "2"}]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.json", "a.parquet"])
def test_what_no_article_has_is_told_with_the_columns_not_used(tmp_path: Path, name: str) -> None:
    content = {
        "a.csv": b"title,x,when_it_was\na,1,5 March\nb,2,\n",
        "a.jsonl": b"\n".join(json.dumps(row).encode() for row in UNUSED),
        "a.json": json.dumps(UNUSED).encode(),
    }
    if name == "a.parquet":
        parquet.write_table(pa.Table.from_pylist(UNUSED), tmp_path / name)
        got = read(tmp_path / name)
    else:
        got = read_bytes(tmp_path, name, content[name])
    assert [notice.message for notice in got.notices] == [
        "no article has a date, an outlet or a text; columns not used: x, when_it_was"
    ]


def test_a_table_whose_columns_are_all_used_lacks_nothing_worth_a_notice(tmp_path: Path) -> None:
    assert not read_bytes(tmp_path, "a.csv", b"title,date\na,2024-03-05\n").notices
    assert not read_bytes(tmp_path, "a.csv", b"Unnamed: 0,title,date\n0,a,2024-03-05\n").notices
    assert not read_bytes(tmp_path, "a.txt", b"one\ntwo\n").notices


def test_many_columns_not_used_are_cut(tmp_path: Path) -> None:
    names = [f"c{number}" for number in range(40)]
    got = read_bytes(tmp_path, "a.csv", table([["title", *names], ["a", *names]]))
    assert got.notices[0].message.endswith("c10, c11 and 28 more")


def test_a_folder_of_many_objects_says_once_what_they_lack(tmp_path: Path) -> None:
    for number in range(3):
        content = json.dumps({"title": f"a{number}", "authors": "x", "date": "2024-03-05"})
        (tmp_path / f"{number}.json").write_text(content)
    got = read(tmp_path)
    assert len(got.articles) == 3
    assert [notice.message for notice in got.notices] == [
        "3 files have no article with an outlet or a text, "
        f"first {tmp_path / '0.json'} (columns not used: authors)"
    ]


def test_a_number_names_a_column_where_columns_are_numbered() -> None:
    assert find_column("2", ("column1", "column2")) == "column2"
    assert find_column("2", ("one", "two")) is None
    with pytest.raises(InputError, match=r"the column for title must exist, got '9' where"):
        Columns({"title": "9"}, header=False).check("a.csv", ("column1",))


def test_a_column_of_titles_under_another_name_is_told(tmp_path: Path) -> None:
    table = "subj,text,date,outlet\nFerry,Crews went back,2024-03-05,Harbour Post\n"
    got = read_bytes(tmp_path, "a.csv", table.encode())
    assert "no article has a title; columns not used: subj" in " ".join(
        notice.message for notice in got.notices
    )
