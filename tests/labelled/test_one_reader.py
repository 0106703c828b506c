"""Every command reads labels, pairs and judgements in every shape in which it reads articles."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from newsnest.cli.main import main
from newsnest.labelled import (
    GradedReading,
    ParallelReading,
    Splitting,
    TextReading,
    parse_data,
    read_gold,
    read_labels,
    read_pairs,
    read_parallel,
    read_query_items,
    read_retrieval,
    read_titled,
    read_training_data,
    read_training_texts,
    read_translations,
)
from newsnest.pipeline.calibration import Resampling
from newsnest.pipeline.gold_calibration import GoldFiles, calibrate_by_gold
from newsnest.pipeline.pair_calibration import PairFiles, calibrate_by_pairs
from newsnest.progress import SILENT
from newsnest.study.config import ArticleFiles
from newsnest.study.data import read_corpus

Rows = Sequence[dict[str, object]]
Write = Callable[[str, Rows], Path]

SHAPES = ("semicolons", "latin", "bars", "list", "zst", "parquet")


def packed(content: bytes) -> bytes:
    out = pa.BufferOutputStream()
    with pa.CompressedOutputStream(out, "zstd") as stream:
        stream.write(content)
    return out.getvalue().to_pybytes()


@pytest.fixture(params=SHAPES)
def write(request, tmp_path: Path) -> Write:
    """Write rows of a name in one of the shapes people have them in."""

    def table(rows: Rows, mark: str) -> str:
        lines = [list(rows[0]), *(list(row.values()) for row in rows)]
        return "".join(mark.join(str(value) for value in line) + "\n" for line in lines)

    def write(name: str, rows: Rows) -> Path:
        shape = request.param
        if shape == "parquet":
            path = tmp_path / f"{name}.parquet"
            pq.write_table(pa.Table.from_pylist(list(rows)), path)
            return path
        if shape == "list":
            path = tmp_path / f"{name}.json"
            path.write_text(json.dumps(rows, indent=1))
            return path
        mark = "|" if shape == "bars" else ";"
        content = table(rows, mark).encode("latin-1" if shape == "latin" else "utf-8")
        packing = {"zst": (".zst", packed), "bars": (".gz", gzip.compress)}
        ending, pack = packing.get(shape, ("", bytes))
        path = tmp_path / f"{name}.csv{ending}"
        path.write_bytes(pack(content))
        return path

    return write


WORDS = ("Été", "sea wall", "bank rates", "cup final", "police raid", "storm coast")


def articles(n: int = 24) -> list[dict[str, object]]:
    """What `cluster` and `train pairs` read: id, headline, story, summary."""
    return [
        {
            "ID": f"a{i:02}",
            "headline": f"{WORDS[i % 6]} {i}",
            "story": f"s{i % 6}",
            "summary": f"{WORDS[i % 6]} for the town {i}",
        }
        for i in range(n)
    ]


def graded() -> list[dict[str, object]]:
    return [
        {"sentence1": f"{WORDS[i % 6]} {i}", "sentence2": f"{WORDS[j % 6]} {i}", "Score": s / 2}
        for i in range(12)
        for s, j in ((2, i), (1, i + 1), (0, i + 2))
    ]


def translations() -> list[dict[str, object]]:
    return [
        {"key": str(i), "langue": lang, "texte": f"{WORDS[i % 6]} {i} {lang}"}
        for i in range(30)
        for lang in ("en", "fr")
    ]


def run(*words: object) -> str:
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_clusters_are_compared_with_gold_and_predicted_files(write: Write):
    rows = articles()
    gold, predicted = write("gold", rows), write("exported", [{**row, "topic": 1} for row in rows])
    told = json.loads(run("evaluate", "clusters", predicted, "--gold", gold, "--level", "story",
                          "--json"))  # fmt: skip
    assert told["story"]["articles"] == 24 and told["story"]["accuracy"] == 1.0
    assert read_labels(gold, ["story"])["a03"] == ("s3",)


def test_pairs_are_evaluated(write: Write):
    file = write("pairs", graded())
    assert [pair.score for pair in read_pairs(file).pairs[:3]] == [1.0, 0.5, 0.0]
    assert read_pairs(file).pairs[0].text1 == "Été 0"
    told = json.loads(run("evaluate", "pairs", file, "--encoder", "tfidf", "--resamples", "0",
                          "--json"))  # fmt: skip
    assert told["scores"][0]["pairs"] == 36


def test_alignment_is_evaluated_and_trained_on(write: Write):
    file = write("sentences", translations())
    (french,) = read_parallel(file).languages
    assert (french.language, french.texts[0], french.pivot_texts[0]) == (
        "fr",
        "Été 0 fr",
        "Été 0 en",
    )
    told = json.loads(run("evaluate", "alignment", file, "--encoder", "tfidf", "--resamples", "0",
                          "--json"))  # fmt: skip
    assert told["scores"][0]["sentences"] == 30
    files = parse_data([str(file)], ParallelReading())
    assert len(read_translations(files, Splitting(share=0.25)).train) > 10


def test_retrieval_is_evaluated(write: Write):
    corpus = write("corpus", articles(12))
    queries = write("queries", [{"qid": 1, "id": "q1", "text": "sea wall"}])
    qrels = write("qrels", [{"query-id": "q1", "corpus-id": "a01", "score": 1}])
    task = read_retrieval((corpus, queries, qrels))
    assert task.documents["a00"] == "Été 0. Été for the town 0" and task.qrels == {"q1": {"a01": 1}}
    told = json.loads(run("evaluate", "retrieval", corpus, queries, qrels, "--encoder", "tfidf",
                          "--resamples", "0", "--json"))  # fmt: skip
    assert told["documents"] == 12
    pairs = write("pairs", [{"query": "sea", "item": "Été"}, {"query": "cup", "item": "final"}])
    assert read_query_items(pairs).documents == {"d0": "Été", "d1": "final"}


def test_articles_are_trained_on(write: Write):
    gold = write("gold", articles())
    assert [(a.id, a.text, a.gold[2]) for a in read_gold(gold)][:1] == [("a00", "Été 0", "s0")]
    data = read_training_data(parse_data([str(gold)], GradedReading()), Splitting(share=0.25))
    assert data.sources[0]["kind"] == "gold" and data.train and data.validation
    texts = read_training_texts(parse_data([f"{gold},gold=Story"], TextReading()))
    assert texts.gold is not None and texts.gold[:2] == ("s0", "s1")
    titled = read_titled(gold)
    told = dict(zip((a.id for a in titled.articles), titled.stories.tolist(), strict=True))
    assert len(told) == 24 and told["a00"] == told["a06"] != told["a01"]


def test_graded_pairs_are_trained_on(write: Write):
    files = parse_data([str(write("pairs", graded()))], GradedReading())
    data = read_training_data(files, Splitting(share=0.25))
    assert data.sources[0]["kind"] == "pairs" and {p.score for p in data.train} <= {0, 0.375, 0.75}


def test_a_model_is_calibrated_by_gold_and_by_pairs(write: Write, tiny_model: Path, tmp_path: Path):
    model = tmp_path / "model"
    shutil.copytree(tiny_model, model)
    few = Resampling(resamples=2)
    gold = GoldFiles([write("gold", articles())])
    assert [level.name for level in calibrate_by_gold(model, gold, resampling=few)] == ["story"]
    judged = PairFiles([write("pairs", graded())], levels=("story",))
    assert [level.name for level in calibrate_by_pairs(model, judged, resampling=few)] == ["story"]


def test_a_study_reads_gold_beside_its_articles_or_from_a_file(write: Write, monkeypatch):
    from newsnest.corpus import ReadOptions

    class Config:
        read = ReadOptions()

    gold = write("gold", articles())
    for beside in (None, gold):
        found = read_corpus(ArticleFiles((gold,), beside, "story"), Config(), SILENT)  # type: ignore[arg-type]
        assert len(found.articles) == 24 and len(set(found.gold.tolist())) == 6
