"""Which column of a file stands for which field: by the usual names, in many languages."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from newsnest.errors import InputError, did_you_mean

_NAMES: dict[str, str] = {
    "id": "id _id guid uid uuid articleid docid documentid newsid itemid identifier identifiant",
    "title": "title headline heading titre titel título titolo titular título manchete schlagzeile "
    "überschrift rubrik otsikko tytuł заголовок заглавие عنوان 标题 標題 タイトル 제목 "
    "articletitle newstitle newsheadline headlinetext",
    "text": "text body content fulltext articletext articlebody articlecontent maintext plaintext "
    "contentencoded article texte corps contenu texto cuerpo contenido contenuto testo "
    "conteúdo corpo inhalt tekst текст текст нص 正文 内容 內容 本文 본문 "
    "document doc sentence message",
    "summary": "summary description abstract lead teaser excerpt snippet standfirst dek subtitle "
    "shortdescription résumé chapo chapeau accroche resumen entradilla resumo sumario "
    "sommaire sommario riassunto zusammenfassung beschreibung samenvatting 摘要 要約",
    "lang": "lang language languagecode langcode locale langue idioma língua lengua sprache taal "
    "lingua язык 语言",
    "date": "date published publishedat pubdate publishdate publicationdate publishedtime "
    "publicationtime datepublished datetime timestamp time publishedon articledate "
    "datepublication datedepublication fecha fechapublicación fechadepublicación datum data "
    "datapublicação veröffentlicht erscheinungsdatum created createdat createdtime updated "
    "updatedat modified lastmodified isodate day дата 日期 日付 날짜",
    "source": "source outlet publisher publication newspaper sourcename sitename site media "
    "journal feed provider domain fuente medio fonte quelle zeitung éditeur bron источник 来源",
    "url": "url link permalink href uri canonicalurl weburl articleurl newsurl sourceurl lien "
    "enlace ссылка 链接",
}
"""Our name → the names it goes by, the more telling first."""


@lru_cache(maxsize=1024)  # every row of a file has the same few
def fold_name(name: str) -> str:
    """Fold a column name: no case, accents, spaces or punctuation."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    return "".join(char for char in plain if char.isalnum())


_RANK = {
    fold_name(name): (field, rank)
    # Backwards, so that a name of two fields stays with the one that stands first.
    for field, names in reversed(_NAMES.items())
    for rank, name in enumerate(names.split())
}


class Columns:
    """Which column stands for which field.

    `fields` maps our name to their column; what is not named is found by its usual names. With
    `whole_rows` every column of a Parquet table is read, not only those that are fields.
    """

    needs_text = True
    """Whether a table without a title and a text is refused."""

    def __init__(self, fields: Mapping[str, str], *, whole_rows: bool = False) -> None:
        self.fields = dict(fields)
        self.whole_rows = whole_rows
        self.match = lru_cache(maxsize=1024)(self._match)

    def _match(self, names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
        """Return our name → the columns that may hold it, the more telling first."""
        found: dict[str, tuple[str, ...]] = {}
        for field, wanted in self.fields.items():
            if (column := find_column(wanted, names)) is not None:
                found[field] = (column,)
        taken = {column for columns in found.values() for column in columns}
        usual: dict[str, list[tuple[int, str]]] = {}
        for name in names:
            field, rank = _RANK.get(fold_name(name[:100]), ("", 0))
            if field and field not in self.fields and name not in taken:
                usual.setdefault(field, []).append((rank, name))
        for field, ranked in usual.items():
            found[field] = tuple(name for _, name in sorted(ranked))
        return found

    def check(self, file: str, names: Iterable[str]) -> None:
        """Raise InputError if a mapped column is not among the names."""
        have = tuple(names)
        for field, wanted in self.fields.items():
            if find_column(wanted, have) is None:
                shown = ", ".join(have[:30])[:500] or "no columns"
                raise InputError(
                    f"read_articles: {file}: the column for {field} must exist, got {wanted!r} "
                    f"where there are {shown}.{did_you_mean(wanted, have)} "
                    f"Name one of these: --field {field}=COLUMN."
                )


def find_column(wanted: str, names: Sequence[str]) -> str | None:
    """Return the column of that name, or of one that is the same but for case and punctuation."""
    if wanted in names:
        return wanted
    return next((name for name in names if fold_name(name) == fold_name(wanted)), None)


def knows_a_text(names: Sequence[str], columns: Columns) -> bool:
    """Whether these columns can make an article."""
    return bool({"title", "text", "summary"} & columns.match(tuple(names)).keys())


def check_header(names: Sequence[str], columns: Columns, file: str, line: int) -> None:
    """Raise InputError if a mapped column is missing or no column is a title or a text."""
    columns.check(file, names)
    if columns.needs_text and not knows_a_text(names, columns):
        shown = ", ".join(names[:30])[:500]
        where = f"{file}, line {line}" if line else file
        raise InputError(
            f"read_articles: {where}: a column must be a title or a text, got columns {shown}. "
            "Name one of them: --field text=COLUMN."
        )
