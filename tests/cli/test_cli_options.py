"""The options of `newsnest cluster` are the fields of `Options`, said once."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import click
import pytest

from newsnest.cli.cluster import cluster
from newsnest.cli.reference import commands
from newsnest.corpus import ReadOptions
from newsnest.embed import KNOWN
from newsnest.options import flag_of
from newsnest.pipeline import Options

FIELDS = [one for one in fields(Options) if one.name != "read"]


def parsed(*words: str) -> dict[str, Any]:
    """Return what the command is given for the fields of Options, and for those of columns."""
    with cluster.make_context("cluster", ["news.csv", "-o", "n.nest", *words]) as context:
        names = {one.name for one in FIELDS} | {"fields"}
        return {name: value for name, value in context.params.items() if name in names}


def test_every_field_is_an_option_with_its_meaning():
    options = {own.name: own for own in cluster.params if isinstance(own, click.Option)}
    for one in FIELDS:
        option = options[one.name]
        assert "/".join([*option.opts, *option.secondary_opts]) == flag_of(one)
        assert str(option.help).startswith(one.metadata["meaning"])
        assert f"\n    {one.name}\n" in str(Options.__doc__)


def test_no_option_is_the_default_of_every_field():
    words = parsed()
    assert words.pop("fields") == {}
    assert Options(**words) == Options()


@pytest.mark.parametrize(
    "options",
    [
        Options(),
        Options(encoder="tfidf", long_texts="mean", backend="int8", order="coarse-to-fine"),
        Options(
            exact=True,
            centre="corpus",
            keep_copies=True,
            keep_boilerplate=True,
            time_scale=43_200.0,
        ),
        Options(exact=False, time_weight=0.25, min_similarity={"story": 0.4, "theme": 1 / 3}),
        Options(clusterer="kmeans:7", reduce="pca", dims=8, keyword_terms=9),
        Options(keyword_characters=3, read=ReadOptions(fields={"text": "body", "title": "head"})),
    ],
    ids=str,
)
def test_the_command_line_of_options_makes_the_same_options(options: Options):
    words = parsed(*options.command_line())
    read = ReadOptions(fields=words.pop("fields"))
    assert Options(**words, read=read) == options


def test_every_list_of_encoders_is_that_of_the_registry():
    asked = 0
    for context in commands():
        if context.command_path.startswith("newsnest train"):
            continue
        for option in context.command.params:
            if option.name == "encoder":
                assert ", ".join(KNOWN) in str(getattr(option, "help", ""))
                asked += 1
    assert asked >= 6
