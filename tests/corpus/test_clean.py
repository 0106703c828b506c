"""Cleaning: articles, files, and the same while reading."""

from __future__ import annotations

import gzip
import json
import time
from pathlib import Path

import pytest

from newsnest.corpus import (
    Change,
    ReadOptions,
    clean_article,
    clean_files,
    load_profile,
    read_articles,
    source,
)
from newsnest.corpus.clean_files import clean_files_with_articles
from newsnest.corpus.clean_profile import Filter, Minimum, Profile, Replace
from newsnest.errors import InputError, ParameterError
from newsnest.types import Article

from .reading import read

REGIONAL = load_profile("fr-regional")


def title(text: str) -> str:
    return clean_article([("title", text)], {}, REGIONAL).texts[0]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("S56 - F3 Bretagne : grève à Lorient le 12/03", "Bretagne : grève à Lorient"),
        ("JT 19/20 Incendie usine Lubrizol 26/09/2019 18h30", "Incendie usine Lubrizol"),
        ("Météo Colmar: Prévisions du vendredi 10 janvier 2020", "Météo Colmar: Prévisions"),
        ("Les prix plafonnés jusqu'au 10 juillet", "Les prix plafonnés"),
        ("Grève des bus les 14, 15 et 16 janvier", "Grève des bus"),
        ("Fête du livre du 14 au 16 janvier 2024 à Nantes", "Fête du livre à Nantes"),
        ("Marché samedi 14 et dimanche 15 janvier", "Marché"),
        ("Marché lundi 14, mardi 15, jeudi 17 janvier", "Marché"),
        ("Marché lundi 14, mardi 15 et jeudi 17 janvier", "Marché"),
        ("Marché lundi, mardi, jeudi 17 janvier", "Marché"),
        ("Marché lundi, mardi et jeudi 17 janvier à Nantes", "Marché à Nantes"),
        ("Marché les 14, 15, 17 janvier", "Marché"),
        ("Le marché du dimanche, 3 000 visiteurs", "Le marché du dimanche, 3 000 visiteurs"),
        ("Loto : numéros 4, 9, 12 janvier", "Loto : numéros 4, 9"),
        ("Gilets jaunes : acte 9, 12 janvier", "Gilets jaunes : acte 9"),
        ("Le point sur le Covid-19 et 3 janvier", "Le point sur le Covid-19 et"),
        ("Deux morts et 16 blessés le 3 janvier", "Deux morts et 16 blessés"),
        ("Les vœux du maire, c’est à 18 h 30 !", "Les vœux du maire, c’est !"),
        ("Accident mortel sur la D78 près de Condom", "Accident mortel sur la D78 près de Condom"),
        ("Deux morts dans un choc sur la D78", "Deux morts dans un choc sur la D78"),
        ("2h de retard pour le TGV", "2h de retard pour le TGV"),
        ("54 décès en 24h, la baisse se poursuit", "54 décès en 24h, la baisse se poursuit"),
        ("Les 24h du Mans annulées", "Les 24h du Mans annulées"),
        ("Note de 10/10 pour elle", "Note de 10/10 pour elle"),
        ("Les Volvo S90 et V90 restylées", "Les Volvo S90 et V90 restylées"),
        ("Tunnel fermé au trafic D76", "Tunnel fermé au trafic"),
        ("<em>Thérapie</em> de <b class='x'>groupe</b>", "Thérapie de groupe"),
        ("Le port bloqué à 7h, l'essentiel", "Le port bloqué, l'essentiel"),
        ("Il est 7h, l'essentiel du jour", "Il est 7h, l'essentiel du jour"),
        ("Fermeture de 8h à 20h des parcs", "Fermeture des parcs"),
        ("Couvre-feu entre 20h et 6h du matin dans la ville", "Couvre-feu dans la ville"),
        ("Concert au port à partir de 14 h 30", "Concert au port"),
        ("Il est écarté du JT de 20h", "Il est écarté du JT de 20h"),
        ("Une pharmacie ouverte 24h/24", "Une pharmacie ouverte 24h/24"),
    ],
)
def test_regional_titles_lose_dates_hours_and_codes_alone(before, after):
    assert title(before) == after


def test_regional_summaries_lose_what_belongs_to_the_mail():
    mail = (
        "Bonjour à tous,\n\nLes marins pêcheurs de Lorient bloquent le port depuis ce matin à "
        "l'aube. Contact : jean.le-goff@example.fr, tél. 06 12 34 56 78 ou +33 (0)2 97 00 00 00.\n"
        "Voir https://example.fr/a?b=1 pour la suite. Ils ont passé une bonne journée là-bas.\n"
        "Merci d'avance.\n\nCordialement,\nJean Le Goff\nRédacteur en chef\n"
    )
    done = clean_article([("text", mail)], {}, REGIONAL)
    assert done.drop is None
    for gone in ("Bonjour", "@", "06 12", "+33", "https", "Merci", "Cordialement", "Rédacteur"):
        assert gone not in done.texts[0]
    assert "Ils ont passé une bonne journée là-bas." in done.texts[0]
    assert {"greetings", "e-mail addresses", "phone numbers", "signatures", "sign-offs"} <= {
        change.rule for change in done.changes
    }


def test_a_sign_off_is_one_where_no_more_than_a_signature_follows():
    for kept in (
        "Bises, serrage de mains : les gestes que l'épidémie a fait disparaître. Un sondage.",
        "Merci beaucoup, ont dit les habitants du quartier au maire et à ses adjoints.",
    ):
        assert clean_article([("text", kept)], {}, REGIONAL).texts[0] == kept
    words = "Le maire présente le projet de halle à tous ceux qui y vendent ou y achètent."
    for gone in ("Bises, Jeanne", "Merci beaucoup,", "Bonne journée !", "Bises"):
        done = clean_article([("text", f"{words}\n{gone}\n")], {}, REGIONAL)
        assert done.texts[0].removesuffix("Jeanne").strip() == words
    done = clean_article([("text", f"{words} Tél. +32 2 555 12 12")], {}, REGIONAL)
    assert done.texts[0] == f"{words} Tél."


def test_a_short_title_drops_and_a_short_summary_is_emptied():
    short = clean_article([("title", "Grève F3"), ("text", "x " * 20)], {}, REGIONAL)
    assert short.drop is not None and short.drop.rule == "title too short"
    assert short.drop.reason == "title: 1 of at least 3 words"
    emptied = clean_article([("title", "Grève à Lorient"), ("text", "Direct.")], {}, REGIONAL)
    assert emptied.drop is None and emptied.texts == ("Grève à Lorient", "")
    assert emptied.changes == (Change("summary too short", "text", "Direct.", ""),)
    nothing = clean_article([("title", ""), ("text", "Direct.")], {}, REGIONAL)
    assert nothing.drop is not None and nothing.drop.rule == "nothing left"
    # A corpus without titles is not a corpus of short titles.
    assert clean_article([("title", ""), ("text", "x " * 20)], {}, REGIONAL).drop is None


def test_characters_are_counted_for_languages_without_spaces():
    profile = Profile("p", minimum=(Minimum("short", "title", characters=3),))
    assert clean_article([("title", "台风登陆")], {}, profile).drop is None
    dropped = clean_article([("title", "台风 !")], {}, profile).drop
    assert dropped is not None and dropped.reason == "title: 2 of at least 3 letters and digits"


def test_filters_look_at_the_first_column_that_is_filled():
    only = Filter("ours", ("desk", "Bureau d'origine"), ("Nantes",), keep=True)
    profile = Profile("p", filters=(only, Filter("declined", ("status",), ("declined",), False)))

    def dropped(**values: object) -> str:
        drop = clean_article([("title", "x")], values, profile).drop
        return "" if drop is None else f"{drop.rule}: {drop.reason}"

    assert (
        dropped() == dropped(desk=" NANTES ") == dropped(desk="", bureau_d_origine="Nantes") == ""
    )
    assert dropped(desk="Brest", bureau_d_origine="Nantes") == "ours: desk is 'Brest'"
    assert dropped(status="Declined") == "declined: status is 'Declined'"
    assert dropped(status="ok") == dropped(status=None) == ""


def test_replacements_go_in_order_and_are_literal():
    rules = (Replace("a", "a+", by=r"\1"), Replace("b", r"\\1", by="c", parts=("title",)))
    done = clean_article([("title", "xay"), ("text", "xay")], {}, Profile("p", replace=rules))
    assert done.texts == ("xcy", r"x\1y")
    assert [(c.rule, c.part, c.before, c.after) for c in done.changes] == [
        ("a", "title", "xay", r"x\1y"),
        ("b", "title", r"x\1y", "xcy"),
        ("a", "text", "xay", r"x\1y"),
    ]


def test_a_changed_text_keeps_its_paragraphs_and_an_unchanged_one_every_space():
    profile = Profile("p", replace=(Replace("x", "X"),))
    done = clean_article([("text", "a  X b\nX\nc\n\n\n\nd"), ("text", "a  b\n\n\nc ")], {}, profile)
    assert done.texts == ("a b\n\nc\n\nd", "a  b\n\n\nc ")


def test_a_pattern_that_runs_away_is_stopped():
    bad = Profile("p", replace=(Replace("runs", "(?:a|aa)+$", parts=("title",)),))
    began = time.monotonic()
    with pytest.raises(InputError, match=r"\[\[replace\]\] 'runs': pattern must be done .* in 1.0"):
        clean_article([("title", "a" * 60 + "b")], {}, bad)
    assert time.monotonic() - began < 20


ROWS = [
    {"id": "1", "title": "F3 - Grève à Lorient", "summary": "Court.", "n": 1.5, "tags": ["a"]},
    {"id": "2", "title": "Vœux du maire de Brest", "status": "refusé"},
    {"id": "3", "title": "JT 12/13"},
    {"id": "4", "title": "", "text": ""},
    {"id": "5", "titre": "Tempête sur la côte", "text": "Le vent a soufflé. " * 4},
]


@pytest.fixture
def rows_file(tmp_path):
    path = tmp_path / "rows.jsonl"
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS)
    path.write_text(lines + "{broken\n", encoding="utf-8")
    return path


def test_files_keep_ids_and_all_other_fields(rows_file, tmp_path):
    out = tmp_path / "out.jsonl"
    report = clean_files([rows_file], REGIONAL, output=out)
    assert (report.rows, report.kept, report.changed) == (6, 2, 1)
    assert (report.dropped, report.rejected) == (2, 2)
    kept = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert kept == [{**ROWS[0], "title": "Grève à Lorient", "summary": ""}, ROWS[4]]
    rules = report.rules
    assert rules["declined"].dropped == rules["title too short"].dropped == 1
    assert rules["station and region codes"].changed == rules["summary too short"].changed == 1
    assert rules["dates"].changed == 0
    assert rules["declined"].examples[0].after == "status is 'refusé'"
    told = report.as_dict()
    assert [rule["rule"] for rule in told["rules"]] == list(rules)
    assert json.dumps(told)
    assert not list(tmp_path.glob("*.partial"))


def test_a_dry_run_writes_nothing_and_limits_examples(rows_file, tmp_path):
    report = clean_files([rows_file], REGIONAL, examples=0)
    assert report.kept == 2 and not any(rule.examples for rule in report.rules.values())
    assert [path.name for path in tmp_path.iterdir()] == ["rows.jsonl"]


def test_cleaning_while_reading_makes_the_articles_of_the_cleaned_file(rows_file, tmp_path):
    clean_files([rows_file], REGIONAL, output=tmp_path / "out.jsonl")
    while_reading = read(rows_file, profile=REGIONAL)
    assert while_reading.articles == read(tmp_path / "out.jsonl").articles
    assert while_reading.counts == (2, 4)
    assert (
        "dropped by rule 'declined' of the profile fr-regional: status is 'refusé'"
        in while_reading.reasons
    )
    assert "1 article was changed by the profile fr-regional, first at" in str(
        while_reading.notices
    )


def test_strict_reading_lets_a_profile_drop(rows_file, tmp_path):
    path = tmp_path / "good.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS[:3]), encoding="utf-8")
    assert read(path, profile=REGIONAL, strict=True).counts == (1, 2)
    with pytest.raises(InputError, match="line 4: every row must be an article"):
        read(rows_file, profile=REGIONAL, strict=True)


def test_tables_texts_and_odd_values_are_cleaned_too(tmp_path):
    profile = load_profile("generic")
    table = tmp_path / "a.csv.gz"
    with gzip.open(table, "wt", encoding="utf-8") as file:
        file.write("kopf,n\nRain https://example.org/x in Nantes,1\n")
    report = clean_files(
        [table], profile, output=tmp_path / "a.jsonl", options=_mapped(title="kopf")
    )
    assert report.kept == 1
    assert json.loads((tmp_path / "a.jsonl").read_text()) == {"kopf": "Rain in Nantes", "n": "1"}
    (tmp_path / "t.txt").write_text("Wind, see www.example.org\n")
    clean_files([tmp_path / "t.txt"], profile, output=tmp_path / "t.jsonl")
    assert json.loads((tmp_path / "t.jsonl").read_text()) == {"text": "Wind, see"}
    (tmp_path / "o.jsonl").write_text('{"title": ["a", "b"]}\n{"title": "Rain", "n": NaN}\n')
    odd = clean_files([tmp_path / "o.jsonl"], profile, output=tmp_path / "o2.jsonl")
    assert odd.first_rejected is not None and "is a list" in odd.first_rejected.reason
    assert json.loads((tmp_path / "o2.jsonl").read_text()) == {"title": "Rain", "n": None}


def _mapped(**fields: str):
    from newsnest.corpus import ReadOptions

    return ReadOptions(fields=fields)


def test_an_output_that_cannot_be_is_refused(rows_file, tmp_path):
    with pytest.raises(ParameterError, match=r"output must end in .jsonl, got 'a.csv'"):
        clean_files([rows_file], REGIONAL, output=tmp_path / "a.csv")
    with pytest.raises(ParameterError, match="output must be another file than the input"):
        clean_files([rows_file], REGIONAL, output=rows_file)
    with pytest.raises(ParameterError, match="output must lie in a folder that exists, got"):
        clean_files([rows_file], REGIONAL, output=tmp_path / "none" / "a.jsonl")
    with pytest.raises(
        ParameterError, match=r"must be a file that can be written, got .* too long"
    ):
        clean_files([rows_file], REGIONAL, output=tmp_path / f"{'a' * 250}.jsonl")


def test_where_nothing_is_left_what_was_there_stays(tmp_path):
    rows, output = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    rows.write_text('{"id": 1, "title": "F3"}\nnot JSON\n', encoding="utf-8")
    output.write_text("there", encoding="utf-8")
    with pytest.raises(
        InputError, match="nothing is left .* 1 rows are no articles, 1 were dropped"
    ):
        clean_files([rows], REGIONAL, output=output)
    assert output.read_text() == "there" and len(list(tmp_path.iterdir())) == 2
    assert clean_files([rows], REGIONAL).kept == 0


def test_a_file_without_rows_is_an_error_and_writes_nothing(tmp_path):
    empty = tmp_path / "empty.jsonl"
    empty.write_text("")
    for output in (None, tmp_path / "out.jsonl"):
        with pytest.raises(InputError, match="no article could be read from .*: there are no rows"):
            clean_files([empty], REGIONAL, output=output)
    assert [path.name for path in tmp_path.iterdir()] == ["empty.jsonl"]


def test_cleaning_reads_its_input_once_and_returns_what_clustering_makes_of_it(
    rows_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []
    read_chunks = source.read_chunks
    monkeypatch.setattr(source, "read_chunks", lambda p, t: opened.append(p) or read_chunks(p, t))
    report, articles = clean_files_with_articles([rows_file], REGIONAL)
    assert opened == [rows_file]
    assert report == clean_files([rows_file], REGIONAL)
    options = ReadOptions(profile=REGIONAL, detect_language=False)
    read = read_articles([rows_file], options=options)
    assert articles == [one for one in read if isinstance(one, Article)]


@pytest.mark.parametrize(
    ("tail", "left"),
    [
        (" Contact: 06 12 34 56 78 - a@mairie.fr https://www.fete.fr Cordialement", ""),
        ("\nContact :\nTél : 06 12 34 56 78\nMail : a@mairie.fr\nBien cordialement,\nAnne", ""),
        (" Courriel : a@b.fr / Tel. 02 99 12 34 56.", ""),
        (" (contact : a@b.fr)", ""),
        (" Plus d'infos sur www.fete.fr", ""),
        (" Renseignements et inscriptions au 02 99 12 34 56 ou sur www.fete.fr", ""),
        (" Site internet : www.fete.fr Facebook : https://fb.com/fete Merci, cordialement", ""),
        (" Contact presse : Anne Le Goff", " Contact presse : Anne Le Goff"),
        (" Mail: la Poste ouvre un nouveau guichet.", " Mail: la Poste ouvre un nouveau guichet."),
        (" Au contact : un match rude.", " Au contact : un match rude."),
        (" Plus d'infos sur la fête demain.", " Plus d'infos sur la fête demain."),
    ],
)
def test_labels_go_with_what_they_announced(tail, left):
    said = "La fête du port aura lieu samedi sur les quais, avec de nombreux artistes locaux."
    assert clean_article([("text", said + tail)], {}, REGIONAL).texts == (said + left,)
