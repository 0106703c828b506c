"""One row a describer of the registry: what every describer must do."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from newsnest.describe import DESCRIBERS, Description, load_describer
from newsnest.errors import ParameterError
from newsnest.types import Article

NEWS = [
    Article("1", "Floods hit Valencia", "Floods hit the city of Valencia on Monday night.", "en"),
    Article("2", "Valencia counts its floods", "The floods of Valencia left many homeless.", "en"),
    Article("3", "Fed keeps rates on hold", "The Federal Reserve kept its rates on hold.", "en"),
    Article("4", "地震が東京を襲う", "", "ja"),
    Article("5", "", "Minister resigns after a vote in parliament on Tuesday.", ""),
]
VECTORS = np.array([[1, 0], [0.8, 0.6], [0, 1], [-1, 0], [0, -1]], np.float32)
LEVELS = [np.array(level, np.int32) for level in ([0, 0, 0, 1, 1], [0, 0, 1, 2, 3])]
ROWS = ["keywords"]


def test_every_describer_of_the_registry_has_a_row():
    assert list(DESCRIBERS.built_in) == ROWS
    assert all(known.summary for known in DESCRIBERS.values())


@pytest.mark.parametrize("name", ROWS)
def test_a_describer_keeps_the_contract(name, tally):
    describer = load_describer(name)
    assert describer.name == name
    found = describer.describe(NEWS, VECTORS, LEVELS, progress=tally)
    assert [len(level) for level in found] == [2, 4]
    for level, labels in zip(found, LEVELS, strict=True):
        assert len({one.name for one in level}) == len(level)
        for label, one in enumerate(level):
            assert isinstance(one, Description) and one.name
            assert labels[one.representative] == label
            texts = {NEWS[row].id: NEWS[row] for row in np.flatnonzero(labels == label)}
            for sentence in one.summary:
                assert sentence.text in (
                    texts[sentence.article].text,
                    texts[sentence.article].title,
                )
    weights = np.array([2.0, 1, 1, 1, 3])
    again = load_describer(name)
    for given in ({}, {"weights": weights}):
        one, other = (d.describe(NEWS, VECTORS, LEVELS, **given) for d in (describer, again))
        assert one == other
    assert describer.describe([], VECTORS[:0], []) == []
    assert describer.describe(NEWS, VECTORS, []) == []


def test_an_unknown_describer_lists_the_known_ones():
    with pytest.raises(ParameterError, match=r"must be one of keywords, got 'keyword'\. Did you"):
        load_describer("keyword")


def test_importing_describe_reads_no_word_lists():
    code = (
        "import sys, newsnest.describe; "
        "print(*{'sklearn', 'scipy', 'regex', 'stopwordsiso', 'sentencex'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not done.stdout.strip()
