"""A package of somebody else adds an encoder, a describer and a loss, without a change to ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from newsnest import load_encoder
from newsnest.describe import DESCRIBERS, load_describer
from newsnest.embed import KNOWN, base_names, encoder_names
from newsnest.errors import EncoderError, ParameterError
from newsnest.types import Article

LOUD_NEWS = '''
"""Everything a news desk shouts."""

import hashlib

import numpy as np
import torch

from newsnest.describe import Description, KnownDescriber
from newsnest.embed import KnownEncoder
from newsnest.train.losses import KnownLoss, PairLoss


class ShoutEncoder:
    """Counts the words of a text in 16 buckets."""

    name, dimensions, fingerprint = "shout", 16, "shout 1"

    def prepare(self, texts, *, progress=None):
        pass

    def encode(self, texts, *, progress=None):
        rows = np.full((len(texts), 16), 1e-3, np.float32)
        for row, text in zip(rows, texts):
            for word in text.upper().split():
                row[hashlib.md5(word.encode()).digest()[0] % 16] += 1
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def count_cut(self, texts):
        return 0


class ShoutDescriber:
    """Calls a cluster by its first headline, in capitals."""

    name, fingerprint = "shout", "shout 1"

    def describe(self, articles, vectors, labels, *, weights=None, progress=None):
        def one(level, label):
            row = int(np.flatnonzero(level == label)[0])
            return Description(f"{articles[row].headline.upper()} {label}", (), (), row)

        return [[one(level, label) for label in range(level.max() + 1)] for level in labels]


class ShoutLoss(PairLoss):
    """Pulls the two texts of a pair together, whatever their label says."""

    citation = "@misc{shout, title={Shout}}"

    def compute_loss_from_embeddings(self, embeddings, labels):
        return (embeddings[0] - embeddings[1]).square().mean()


ENCODER = KnownEncoder("words in 16 buckets", lambda config: ShoutEncoder(), frozenset({"en"}))
DESCRIBER = KnownDescriber("headlines in capitals", lambda **options: ShoutDescriber())
LOSS = KnownLoss("pull pairs together", ShoutLoss, "two texts", "any, not read")
'''

ENTRY_POINTS = """
[newsnest.encoders]
shout = loud_news:ENCODER
whisper = no_such_module:ENCODER

[newsnest.describers]
shout = loud_news:DESCRIBER

[newsnest.losses]
shout = loud_news:LOSS
"""


@pytest.fixture
def loud_news(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the package, as pip would have installed it."""
    folder = tmp_path / "site"
    info = folder / "loud_news-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "loud_news.py").write_text(LOUD_NEWS, encoding="utf-8")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: loud-news\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    sys.modules.pop("loud_news", None)


def test_an_encoder_of_another_package_is_listed_and_loaded(loud_news):
    assert encoder_names().startswith(
        "minilm, static, tfidf, multilingual, static-multilingual, shout, whis"
    )
    assert base_names() == "minilm, multilingual, a model folder or a hub id"
    assert "loud_news" in sys.modules  # to ask whether it can be trained
    assert KNOWN["shout"].languages == {"en"} and not KNOWN["shout"].trainable
    assert load_encoder("shout").encode(["Sea wall", "sea WALL"]).shape == (2, 16)
    with pytest.raises(EncoderError, match=r"multilingual, shout, whisper, .*Did you mean 'shout'"):
        load_encoder("shoutt")


def test_a_broken_encoder_names_its_package_and_breaks_no_other(loud_news):
    with pytest.raises(EncoderError, match=r"'whisper' of package loud-news must load, got Modul"):
        load_encoder("whisper")
    assert load_encoder("tfidf").name == "tfidf"
    assert KNOWN.summaries()["shout"] == "words in 16 buckets"
    assert KNOWN.summaries()["whisper"].startswith("cannot be used: ")


def test_a_describer_of_another_package_describes(loud_news):
    assert list(DESCRIBERS) == ["keywords", "shout"]
    news, rows = [Article("1", "Sea wall breached")], np.ones((1, 1), np.float32)
    (level,) = load_describer("shout").describe(news, rows, [np.zeros(1, np.int32)])
    assert level[0].name == "SEA WALL BREACHED 0"
    with pytest.raises(ParameterError, match="must be one of keywords, shout, got 'sing'"):
        load_describer("sing")


def test_a_loss_of_another_package_trains(loud_news):
    from newsnest.train.losses import LOSSES

    assert list(LOSSES)[-1] == "shout"
    loss = LOSSES["shout"].loss(torch.nn.Identity())
    a, b = torch.eye(2, requires_grad=True), torch.zeros(2, 2)
    loss.compute_loss_from_embeddings([a, b], torch.ones(2)).backward()
    assert a.grad.tolist() == [[0.5, 0.0], [0.0, 0.5]]


def newsnest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.run(
        [sys.executable, "-m", "newsnest", *arguments],
        cwd=folder.parent,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_newsnest_cluster_takes_the_encoder_of_another_package(loud_news):
    rows = [f'{{"id": "{i}", "title": "Sea wall breached in town {i // 2}"}}' for i in range(6)]
    (loud_news.parent / "news.jsonl").write_text("\n".join(rows) + "\n")
    done = newsnest(loud_news, "cluster", "news.jsonl", "-o", "a.nest", "--encoder", "shout")
    assert done.returncode == 0, done.stderr
    shown = newsnest(loud_news, "show", "a.nest", "--json")
    assert shown.returncode == 0 and "Sea wall breached" in shown.stdout
    wrong = newsnest(loud_news, "cluster", "news.jsonl", "-o", "b.nest", "--encoder", "whisper")
    assert wrong.returncode == 1 and "Traceback" not in wrong.stderr
    assert "'whisper' of package loud-news must load" in " ".join(wrong.stderr.split())
