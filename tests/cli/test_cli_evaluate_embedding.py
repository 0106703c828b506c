"""`newsnest evaluate embedding`, from a file to scores."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest

from newsnest.corpus import digest
from newsnest.errors import InputError, ParameterError
from newsnest.labelled import TitledReading, read_titled
from newsnest.pipeline.embedding import level_clusters, trained_on

THINGS = (
    "sea",
    "wall",
    "rates",
    "bank",
    "cup",
    "final",
    "storm",
    "coast",
    "police",
    "raid",
    "vote",
)


@pytest.fixture
def news(tmp_path):
    rng = np.random.default_rng(0)
    rows = []
    for i in range(60):
        words = [THINGS[k] for k in rng.choice(len(THINGS), 4, replace=False)]
        rows.append(
            {
                "id": f"{i:02}",
                "titre": " ".join(words[:3]) + f" n{i}",
                "lead": " ".join(words) + f" n{i} today",
                "event": f"e{i // 2}" if i < 40 else "",
                "lang": "en" if i % 2 else "fr",
                "source": ("a", "b", "c")[i % 3],
                "part": "test" if i < 50 else "train",
            }
        )
    rows += [{"id": "x", "titre": "alone"}, {**rows[0], "id": "again"}, {"id": "y"}]
    path = tmp_path / "news.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


FIELDS = {"text": "lead", "story": "event", "split": "part"}


def test_embedding_is_scored_in_words_and_in_json(newsnest, news):
    given = ",".join(f"{ours}={theirs}" for ours, theirs in FIELDS.items())
    command = ("evaluate", "embedding", news, "--encoder", "tfidf", "--field", given)
    command = (*command, "--resamples", "50", "--samples", "2")
    result = newsnest(*command, "--json")
    told = json.loads(result.stdout)
    assert told["articles"] == 60 and told["article"]["apart"] == 60 * 59 - 40
    assert told["story"]["together"] == 40
    assert told["left_out"] == {
        "without_title_or_text": 1, "with_a_title_or_text_again": 1, "not_articles": 1
    }  # fmt: skip
    assert list(told["clusters"]) == ["theme", "topic", "story"]
    story = told["clusters"]["story"]
    assert -1 <= story["stability"] <= 1 and set(story["nmi"]) == {"language", "source"}
    assert "60 articles; left out: 1 with a title or text again, 1 not articles" in result.stderr
    words = newsnest(*command, "--quiet")
    assert words.stderr == "" and words.stdout.startswith("60 articles, encoder tfidf\n")
    assert "NMI with language, source" in words.stdout and "AUROC, one story" in words.stdout
    only = json.loads(newsnest(*command, "--json", "--split", "test").stdout)
    assert only["articles"] == 50 and only["left_out"]["other_splits"] == 12
    few = json.loads(newsnest(*command, "--json", "--sample", "20", "--quiet").stdout)
    assert few["articles"] == 20 and few["left_out"]["not_drawn"] == 40


def test_a_profile_is_applied_and_said(newsnest, news, tmp_path):
    profile = tmp_path / "ours.toml"
    profile.write_text(
        "[[drop]]\nrule='b'\ncolumn='source'\nvalues=['b']\n[[replace]]\nrule='n'\npattern='n\\d'\n"
    )
    command = ("evaluate", "embedding", news, "--encoder", "tfidf", "--field", "text=lead")
    command = (*command, "--profile", profile, "--samples", "2", "--resamples", "0", "--json")
    told = json.loads(newsnest(*command).stdout)
    assert told["left_out"]["dropped_by_the_profile"] == 20
    assert told["profile"].startswith("ours ")


def test_clusters_are_those_of_a_run_by_text_alone(news):
    read = read_titled(news, TitledReading(FIELDS))
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(60, 16)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    found = level_clusters(rows, read.articles, encoder="tfidf")
    again = level_clusters(rows, read.articles, encoder="tfidf")
    for level, own in found.items():
        assert own.labels.shape == (60,) and len(own.vectors) == 60
        assert np.array_equal(own.labels, again[level].labels)
    assert found["theme"].labels.max() <= found["story"].labels.max()


def test_a_model_that_was_trained_on_the_file_is_told(news, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    sha256 = hashlib.sha256(news.read_bytes()).hexdigest()
    (folder / "newsnest.json").write_text(json.dumps({"data": [{"sha256": sha256}]}))
    assert trained_on(str(folder), news)
    assert not trained_on("tfidf", news)
    (folder / "newsnest.json").write_text(json.dumps({"data": [{"sha256": "0"}]}))
    assert not trained_on(str(folder), news)
    # Recipes that learn from articles say another digest.
    said = {"data": [{"digest": digest([news])}]}
    (folder / "newsnest.json").write_text(json.dumps(said))
    assert trained_on(str(folder), news) and not trained_on(str(folder), tmp_path / "none.jsonl")


def test_what_cannot_be_measured_is_said(newsnest, news, tmp_path):
    with pytest.raises(InputError, match="at least two articles .* other splits than 'none'"):
        read_titled(news, TitledReading({"text": "event"}, split="none"))
    with pytest.raises(ParameterError, match="got 'storey'. Did you mean 'story'?"):
        TitledReading({"storey": "event"})
