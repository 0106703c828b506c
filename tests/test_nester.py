"""Nester: texts and data frames in, labels out, as scikit-learn has it."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import newsnest
from newsnest import Nest, Nester, Options, build, read_articles
from newsnest.corpus import ReadOptions
from newsnest.corpus.in_memory import articles_in_memory
from newsnest.corpus.sample import sample_path
from newsnest.errors import InputError, NestError, ParameterError
from newsnest.types import Article

TEXTS = [
    "Sea wall breached in storm",
    "Rates are held by the bank",
    "Storm breaches the sea wall",
    "Bank holds rates again",
]


@pytest.fixture(scope="module")
def articles():
    return [item for item in read_articles([sample_path()]) if isinstance(item, Article)]


@pytest.fixture(scope="module")
def frame(articles):
    return pd.DataFrame(
        {
            "ID": [a.id for a in articles],
            "headline": [a.title for a in articles],
            "text": [a.text for a in articles],
            "published": [a.date for a in articles],
            "outlet": [a.source for a in articles],
            "language": [a.lang for a in articles],
        }
    )


@pytest.fixture(scope="module")
def nester(frame):
    return Nester("tfidf").fit(frame)


def test_labels_are_those_of_build_on_the_file(nester, tmp_path_factory):
    path = tmp_path_factory.mktemp("nest") / "sample.nest"
    build(sample_path(), path, Options(encoder="tfidf"))
    with Nest(path) as nest:
        label = {c.id: c.label for level in nest.levels() for c in nest.clusters(level)}
        by_id = {m.article.id: [label[c] for c in m.clusters] for m in nest.members()}
    wanted = np.array([by_id[name] for name in nester.ids_])
    for depth, level in enumerate(("theme", "topic", "story")):
        np.testing.assert_array_equal(nester.levels_[level], wanted[:, depth])
    np.testing.assert_array_equal(nester.labels_, wanted[:, 2])


def test_the_same_rows_give_the_same_labels_from_every_library(frame, nester):
    polars = pl.from_pandas(frame)
    arrow = pa.Table.from_pandas(frame)
    for rows in (polars, arrow):
        np.testing.assert_array_equal(Nester("tfidf").fit_predict(rows), nester.labels_)


def test_a_list_of_strings_with_times_is_nested():
    times = [datetime(2024, 3, day, tzinfo=UTC) for day in (5, 5, 6, 6)]
    nester = Nester("tfidf", min_similarity={"story": 0.1})
    by_words = nester.fit_predict(TEXTS)
    assert by_words[0] == by_words[2] != by_words[1] == by_words[3]
    by_day = nester.fit_predict(TEXTS, times=times, sources=["a", "b", "c", None])
    assert by_day[0] == by_day[1] != by_day[2] == by_day[3]  # four texts: the day tells most
    members = {m.article.title or m.article.text: m.article for m in nester.nest_.members()}
    assert members[TEXTS[2]].date == times[2]
    assert members[TEXTS[2]].source == "c"
    assert members[TEXTS[3]].source == ""


def test_fitted_articles_are_predicted_into_their_own_clusters(frame, nester):
    for level in ("topic", "story"):
        found = nester.predict(frame, level=level)
        assert found.dtype == np.int32
        assert (found == nester.levels_[level]).mean() > 0.95


def test_texts_without_dates_find_the_stories_of_dated_ones(frame, nester):
    texts = [f"{row.headline}. {row.text}" for row in frame.itertuples()]
    assert (nester.predict(texts) == nester.labels_).mean() > 0.9


def test_a_text_about_nothing_that_was_fitted_belongs_to_no_story(nester):
    found = nester.predict(["Zymurgy quokka xylophone"], times=["2001-01-01"])
    assert found.tolist() == [-1]


def test_predictions_survive_save_load_and_pickle(frame, nester, tmp_path):
    nester.save(tmp_path / "kept.nest")
    loaded = Nester.load(tmp_path / "kept.nest")
    unpickled = pickle.loads(pickle.dumps(nester))
    wanted = nester.predict(frame)
    np.testing.assert_array_equal(unpickled.labels_, nester.labels_)
    for other in (loaded, unpickled):
        np.testing.assert_array_equal(other.predict(frame), wanted)
    assert loaded.encoder == "tfidf"
    label = dict(zip(nester.ids_, nester.labels_.tolist(), strict=True))
    assert loaded.labels_.tolist() == [label[name] for name in loaded.ids_]
    with pytest.raises(NestError, match="cannot be written .* another name"):
        nester.save(tmp_path / "kept.nest")


def test_a_saved_nest_is_one_for_every_command(nester, tmp_path):
    nester.save(tmp_path / "kept.nest")
    with Nest(tmp_path / "kept.nest") as nest:
        assert [c.name for c in nest.clusters("story")] == [c.name for c in nester.clusters()]
        assert not build(_kept(nest), nest, Options(encoder="tfidf")).new


def _kept(nest):
    return [member.article for member in nest.members()]


def test_a_nest_with_a_write_ahead_log_is_loaded(tmp_path):
    with Nest(tmp_path / "a.nest", create=True) as nest:
        build(articles_in_memory(TEXTS), nest, Options(encoder="tfidf"))
        assert len(Nester.load(tmp_path / "a.nest").labels_) == 4  # while it is open for writing


def test_to_frame_has_a_row_for_every_row_in_the_library_it_came_in(frame, nester):
    table = nester.to_frame()
    assert isinstance(table, pd.DataFrame)
    assert table["id"].tolist() == frame["ID"].tolist()
    assert table["story"].tolist() == nester.labels_.tolist()
    assert isinstance(Nester("tfidf").fit(pl.from_pandas(frame[:50])).to_frame(), pl.DataFrame)
    assert isinstance(Nester("tfidf").fit(TEXTS).to_frame(), pd.DataFrame)


def test_to_frame_keeps_the_index_of_pandas(frame):
    shuffled = frame[:60].sample(frac=1.0, random_state=0)
    nester = Nester("tfidf").fit(shuffled)
    shuffled["story"] = nester.to_frame()["story"]
    assert shuffled["story"].tolist() == nester.labels_.tolist()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"min_similarity": 0.5}, "min_similarity must be cosines by level"),
        ({"time_scale": "12h"}, "time_scale must be a number of seconds or None, got '12h'"),
        ({"dims": "a"}, "dims must be a whole number or None"),
        ({"exact": "yes"}, "exact must be True, False or None"),
        ({"keep_copies": "no"}, "keep_copies must be True or False"),
        ({"keep_boilerplate": 0}, "keep_boilerplate must be True or False"),
        ({"read": "x"}, "read must be ReadOptions or None"),
        ({"describer": "longest"}, "describer must be one of keywords, got 'longest'"),
        ({"describer": 5}, "describer must be a Describer or the name of one, got int"),
    ],
)
def test_parameters_of_the_wrong_kind_are_named(parameters, message):
    with pytest.raises(ParameterError, match=message):
        Nester("tfidf", **parameters).fit(TEXTS)


def test_a_describer_can_be_named():
    names = [c.name for c in Nester("tfidf", describer="keywords").fit(TEXTS).clusters()]
    assert names == [c.name for c in Nester("tfidf").fit(TEXTS).clusters()]


def test_search_finds_words_and_leaves_copies_out(nester):
    found = nester.search("Novo Nordisk obesity", limit=4)
    assert "Novo Nordisk" in found[0].article.body
    assert found[0].story == nester.labels_[nester.ids_.index(found[0].article.id)]
    assert len({hit.article.body for hit in found}) == 4


def test_a_notebook_shows_escaped_names():
    texts = ["<script>alert(1)</script> storm hits", *TEXTS]
    shown = Nester("tfidf").fit(texts)._repr_mimebundle_()["text/html"]
    assert "<script>" not in shown
    assert "5 articles" in shown
    assert "Nester" in Nester("tfidf")._repr_mimebundle_()["text/html"]


def test_it_is_an_estimator():
    nester = Nester("tfidf", min_similarity={"story": 0.4}, dims=None)
    assert clone(nester).get_params() == nester.get_params()
    assert nester.set_params(order="coarse-to-fine").order == "coarse-to-fine"
    for call in (nester.clusters, nester.to_frame, lambda: nester.search("x")):
        with pytest.raises(NotFittedError):
            call()


def test_members_of_a_story_come_with_their_copies(nester):
    story = nester.clusters("story", limit=1)[0]
    assert len(list(nester.members(story))) == story.articles


@pytest.mark.parametrize(
    ("data", "beside", "error", "message"),
    [
        ("a text", {}, ParameterError, "got one str. Put a text into a list"),
        ({"text": ["a"]}, {}, ParameterError, "got one dict"),
        (5, {}, ParameterError, "got int. Give a list"),
        ([], {}, InputError, "at least one row, got none"),
        (["a", None], {}, InputError, "at position 1 that has no title and no text"),
        (["a", 5.5, ["b", "c"]], {}, InputError, "at position 2 that 'text' is a list"),
        (["a"], {"times": ["soon"]}, InputError, "dates, got 'soon' at position 0"),
        (["a"], {"times": []}, ParameterError, "times must hold one value per row, 1, got 0"),
        (
            ["a", "b"],
            {"langs": ["en"]},
            ParameterError,
            "langs must hold one value per row, 2, got 1",
        ),
        (["a", "b"], {"times": ["2024-01-01", 5]}, ParameterError, "values of one kind"),
        ([Article("1", "a"), "b"], {}, ParameterError, "articles must come alone"),
        ([Article("1", "a")], {"langs": ["en"]}, ParameterError, "articles must come alone"),
        (pd.DataFrame({"a": ["x"]}), {}, InputError, "a column must be a title or a text"),
        (
            pd.DataFrame({"id": ["x", "x"], "text": ["a", "b"]}),
            {},
            InputError,
            "at position 1 that id 'x' was used before",
        ),
    ],
)
def test_what_cannot_be_nested_is_refused(data, beside, error, message):
    with pytest.raises(error, match=message):
        Nester("tfidf").fit(data, **beside)


def test_an_unknown_level_is_named(nester):
    with pytest.raises(ParameterError, match="level must be one of theme, topic, story, got 'sto"):
        nester.clusters("storie")


def test_columns_can_be_mapped_and_unreadable_dates_are_noted():
    class Notes:
        def __init__(self):
            self.notes = []

        def note(self, message):
            self.notes.append(message)

    notes = Notes()
    rows = pd.DataFrame({"was": TEXTS, "date": ["2024-01-01", "soon", None, "2024-01-02"]})
    options = ReadOptions(fields={"text": "was"})
    found = articles_in_memory(rows, options=options, progress=notes)
    assert [a.text for a in found] == TEXTS
    assert [a.date is None for a in found] == [False, True, True, False]
    assert notes.notes == [
        "data frame: 1 date could not be read and was left out, first 'soon' at line 1"
    ]


def test_the_public_name_is_there():
    assert newsnest.Nester is Nester
    assert "Nester" in newsnest.__all__
