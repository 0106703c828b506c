"""The recipe `pairs`: from titles and summaries to an encoder that finds one by the other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from sentence_transformers import SentenceTransformer

import newsnest
from newsnest.embed import ModelRecord
from newsnest.errors import InputError, ParameterError
from newsnest.labelled import ColumnReading, Pair, Splitting, parse_data, read_column_pairs
from newsnest.progress import SILENT
from newsnest.train.evaluators import PairRetrievalEvaluator
from newsnest.train.recipes.pairs import PAIRS, PairsSettings
from newsnest.train.recipes.pairs.train import mine_negatives
from newsnest.train.settings import setting_fields, written

WORDS = ("sea", "wall", "breached", "town", "rates", "held", "bank", "raises", "cut", "storm")
OTHERS = ("resigns", "police", "arrest", "three", "raid", "team", "wins", "cup", "final", "ends")


def row(number: int, **more: object) -> dict[str, object]:
    """An article whose summary says its title in words of its own."""
    chosen = np.random.default_rng(number).choice(10, 4, replace=False)
    title = " ".join(WORDS[i] for i in chosen)
    summary = " ".join(OTHERS[i] for i in chosen) + f" {number}"
    return {"id": number, "title": title, "summary": summary, **more}


@pytest.fixture
def titles_file(write_rows) -> Path:
    return write_rows("titles.jsonl", [row(i) for i in range(80)])


@pytest.fixture
def chosen(tiny_model: Path, titles_file: Path, tmp_path: Path) -> Callable[..., PairsSettings]:
    def make(**changes) -> PairsSettings:
        usual = {
            "data": (str(titles_file),),
            "base": str(tiny_model),
            "output": tmp_path / "model",
            "save": "trained",
            "device": "cpu",
            "precision": "float32",
            "learning_rate": 3e-3,
            "epochs": 8,
            "evaluations": 1,
            "patience": 20,
            "validation": 0.25,
        }
        return PairsSettings(**{**usual, **changes})

    return make


def read(*told: str, **reading: object):
    files = parse_data(told, ColumnReading(**reading))  # type: ignore[arg-type]
    return read_column_pairs(files, Splitting(share=0.25))


def moved(first: Path, second: Path) -> float:
    one, two = (load_file(folder / "model.safetensors") for folder in (first, second))
    return max((one[k] - two[k]).abs().max().item() for k in one)


def test_titles_find_their_summaries_better_after_training(chosen, tally):
    folder = PAIRS.run(chosen(), progress=tally)
    kept = ModelRecord.read(folder).as_dict()
    scores = kept["validation"]
    assert scores["after"]["mrr_10"] > scores["before"]["mrr_10"] + 0.1
    assert (kept["recipe"], kept["guide"]) == ("pairs", None) and "levels" not in kept
    assert kept["data"][0]["kind"] == "columns" and kept["data"][0]["train_pairs"] == 60
    assert kept["loss"]["similarity_fct"] == "cosines" and kept["preflight"]["gradient"] > 0
    assert "newsnest train pairs" in (folder / "README.md").read_text()
    said = "\n".join(tally.notes)
    assert "60 pairs to train on, 20 to validate on" in said and "validation MRR@10" in said
    assert SentenceTransformer(str(folder), device="cpu").encode(["rates held"]).shape == (1, 32)
    assert PAIRS.run(chosen(), progress=tally) == folder
    assert "has ended already" in tally.notes[-1]


@pytest.mark.parametrize(
    "changes",
    [
        {"loss": "cached-mnr", "mini_batch_size": 4},
        {"loss": "megabatch", "batch_size": 60, "mini_batch_size": 8},
        {"loss": "guided"},
        {"loss": "guided", "negatives": 1},
        {"loss": "guided", "negatives": 2, "mini_batch_size": 8},
        {"negatives": 2, "lora": 4},
        {"average": 0.5},
    ],
    ids=lambda changes: "+".join(f"{k}={v}" for k, v in changes.items()),
)
def test_every_loss_trains_a_stock_model(chosen, tiny_model, changes):
    folder = PAIRS.run(chosen(epochs=2, **changes), progress=SILENT)
    assert moved(tiny_model, folder) > 0
    kept = ModelRecord.read(folder).as_dict()
    assert (kept["guide"] is not None) == (
        changes.get("loss") == "guided" or "negatives" in changes
    )
    assert (kept["chosen"]["negatives_at_random"] is not None) == ("negatives" in changes)
    assert {p.name for p in folder.iterdir()} >= {"modules.json", "newsnest.json", "README.md"}


def test_cached_gradients_train_the_same_weights(chosen, tmp_path):
    whole = PAIRS.run(chosen(epochs=1, output=tmp_path / "a"), progress=SILENT)
    for loss, other in (("cached-mnr", "b"), ("cached-mnr", "c")):
        cached = chosen(epochs=1, output=tmp_path / other, loss=loss, mini_batch_size=4)
        folder = PAIRS.run(cached, progress=SILENT)
        # Not the same: dropout draws other numbers in mini-batches.
        assert moved(whole, folder) < 0.05
    assert moved(tmp_path / "b", tmp_path / "c") == 0


def test_the_guide_is_neither_trained_nor_saved(chosen, tiny_model):
    from newsnest.train.recipes.pairs import train as pairs_train
    from newsnest.train.run import begin, find_base, load_base

    base = find_base(str(tiny_model))
    context = begin("pairs", chosen(loss="guided"))
    loss = pairs_train._make_loss(context, base, load_base(base, device="cpu"))
    loss.train()
    assert not loss.guide.training
    assert all(name.startswith("model.") for name, _ in loss.named_parameters())
    assert not any(p.requires_grad for p in loss.guide.parameters())
    assert "guide" not in loss.get_config_dict()


def test_columns_are_chosen_and_found_by_usual_names(write_rows, tmp_path):
    usual = write_rows(
        "usual.jsonl", [{"Titre": f"a{i}", "résumé": f"b{i}", "text": f"c{i}"} for i in range(8)]
    )
    assert {p.text2[0] for p in read(str(usual)).train} == {"b"}
    assert {p.text2[0] for p in read(f"{usual},columns=title:text").train} == {"c"}
    table = tmp_path / "faq.csv"
    table.write_text("q,answer,title\n" + "".join(f"x{i},y{i},z{i}\n" for i in range(8)))
    own = read(f"{table},columns=q:answer").train[0]
    assert (own.text1[0], own.text2[0]) == ("x", "y")
    mixed = read(str(table), columns=("q", "title")).train[0]
    assert (mixed.text1[0], mixed.text2[0]) == ("x", "z")


def test_texts_that_are_equal_after_cleaning_are_one_and_on_one_side(write_rows):
    rows = [row(i) for i in range(40)]
    rows += [{**rows[0], "title": str(rows[0]["title"]).upper() + " "}]  # the same pair
    rows += [{**row(90), "title": f"{rows[1]['title']}  "}]  # another summary of the same title
    rows += [{"title": "Cup", "summary": "cup"}, {"title": "Cup", "summary": ""}]
    path = write_rows("a.jsonl", rows)
    data = read(str(path))
    left_out = data.sources[0]["left_out"]
    assert left_out == {
        "have no two texts": 1,
        "say the same twice": 1,
        "repeat an earlier pair": 1,
    }
    assert len(data.train) + len(data.validation) == 41
    sides = [
        {t.casefold() for p in side for t in (p.text1, p.text2)}
        for side in (data.train, data.validation)
    ]
    assert sides[0].isdisjoint(sides[1])


def test_splits_and_stories_are_kept_apart(write_rows):
    rows = [row(i, split=("train", "dev", "test")[i % 3], story=f"s{max(i, 1)}") for i in range(60)]
    data = read(str(write_rows("a.jsonl", rows)))
    held = {r["story"] for r in rows if r["split"] != "train"}
    assert data.train and not {p.gold1[2] for p in data.train} & held
    assert data.leaking == 1 and len(data.validation) == 20
    split_up = read(str(write_rows("b.jsonl", [row(i, story=f"s{i // 4}") for i in range(60)])))
    stories = [{p.gold1[2] for p in side} for side in (split_up.train, split_up.validation)]
    assert stories[0].isdisjoint(stories[1])


def test_a_pair_that_is_trained_on_and_held_out_is_a_leak_and_no_copy(write_rows):
    rows = [{"title": f"t{i}", "summary": f"s{i}", "split": "train"} for i in range(10)]
    rows += [{**rows[3], "split": "test"}, {**rows[4], "split": "dev"}, rows[5]]
    data = read(f"{write_rows('p.jsonl', rows)}")
    assert {pair.text1 for pair in data.train} == {f"t{i}" for i in range(10)} - {"t3", "t4"}
    assert [pair.text1 for pair in data.validation] == ["t4"] and data.leaking == 2
    assert data.sources[0]["held_out"] == 1
    assert data.sources[0]["left_out"] == {"repeat an earlier pair": 1}


def test_stories_of_two_files_have_nothing_to_do_with_each_other(write_rows):
    told = []
    for name, first, trained, held in (("a.jsonl", 0, "1", "2"), ("b.jsonl", 200, "2", "1")):
        rows = [row(first + i, story=trained, split="train") for i in range(30)]
        rows += [row(first + i, story=held, split="dev") for i in (90, 91)]
        told.append(str(write_rows(name, rows)))
    data = read(*told)
    assert (len(data.train), len(data.validation), data.leaking) == (60, 4, 0)


def test_a_file_that_is_given_twice_has_its_stories_once(write_rows):
    rows = [
        row(i, story="1", split="train" if i else "dev", question=f"who {i}", answer=f"they {i}")
        for i in range(20)
    ] + [row(90, split="train", question="who 90", answer="they 90")]
    path = write_rows("a.jsonl", rows)
    data = read(str(path), f"{path},columns=question:answer")
    assert (len(data.train), len(data.validation), data.leaking) == (2, 2, 38)


def test_a_file_of_pairs_that_are_known_adds_nothing(write_rows, tally):
    rows = [row(i) for i in range(20)]
    whole, part = str(write_rows("a.jsonl", rows)), str(write_rows("b.jsonl", rows[:9]))
    data = read(whole, part)
    assert [pair.text1 for pair in data.train] == [pair.text1 for pair in read(whole).train]
    told = data.sources[1]
    assert (told["train_pairs"], told["left_out"]) == (0, {"repeat an earlier pair": 9})


def test_a_profile_cleans_and_counts(write_rows, tmp_path):
    profile = tmp_path / "ours.toml"
    profile.write_text(
        "[[drop]]\nrule='declined'\ncolumn='status'\nvalues=['no']\n"
        "[[replace]]\nrule='codes'\npattern='X\\d+'\n"
    )
    rows = [row(i, status="no" if i == 3 else "yes") for i in range(20)]
    rows[0]["title"] = f"X1 {rows[0]['title']}"
    path = write_rows("a.jsonl", rows)
    data = read(str(path), profile=str(profile))
    assert data.sources[0]["left_out"] == {"dropped by the profile (declined)": 1}
    assert not any("X1" in p.text1 for p in (*data.train, *data.validation))
    assert data.sources[0]["reading"]["profile"].startswith("ours ")


def test_most_draws_by_the_seed(titles_file):
    data = read(f"{titles_file},max_pairs=20")
    assert len(data.train) + len(data.validation) == 20
    assert data == read(f"{titles_file},max_pairs=20")


def test_bad_rows_are_counted_not_fatal(write_rows, tally):
    path = write_rows("a.jsonl", [row(i) for i in range(20)] + [{"title": ["a"], "summary": "b"}])
    path.write_text(path.read_text() + "{broken\n")
    files = parse_data([str(path)], ColumnReading())
    data = read_column_pairs(files, Splitting(share=0.25), progress=tally)
    assert data.sources[0]["left_out"] == {"cannot be read": 2}
    assert "a title is a list, expected a text" in "\n".join(tally.notes)


def test_what_cannot_be_read_is_said(write_rows, tmp_path):
    path = write_rows("a.jsonl", [row(i) for i in range(20)])
    with pytest.raises(InputError, match="must be a file to train on, got none"):
        read(str(tmp_path / "none.jsonl"))
    with pytest.raises(ParameterError, match="columns must be two, got 'title' twice"):
        read(f"{path},columns=title:title")
    with pytest.raises(
        InputError, match="the column 'text' must exist, .* Choose two of id, title, sum"
    ):
        read(f"{path},columns=title:text")
    held = write_rows("held.jsonl", [row(i, split="test") for i in range(20)])
    said = 'no pair of title and summary has the split "train" or none, of 20 read'
    with pytest.raises(InputError, match=said):
        read(str(held))
    empty = write_rows("empty.jsonl", [{**row(i), "summary": ""} for i in range(3)])
    with pytest.raises(InputError, match="of 0 read; 3 have no two texts"):
        read(str(empty))
    with pytest.raises(InputError, match="no pair to train on is left of 2 read"):
        rows = [row(0, split="train"), {**row(1), "title": row(0)["title"], "split": "dev"}]
        read(str(write_rows("b.jsonl", rows)))


def test_mined_negatives_are_near_but_less_than_the_pair(chosen, tiny_model, titles_file):
    model = SentenceTransformer(str(tiny_model), device="cpu")
    pairs = read(str(titles_file)).train
    settings = chosen(negatives=3, mining_margin=0.02, seed=1)
    mined = mine_negatives(pairs, model, settings)
    assert mined == mine_negatives(pairs, model, settings)
    assert all(len(set(texts)) == 3 for texts in mined.negatives)
    texts = [p.text1 for p in pairs] + [p.text2 for p in pairs]
    vectors = dict(zip(texts, model.encode(texts, normalize_embeddings=True), strict=True))
    fit = sum(
        float(vectors[p.text1] @ vectors[t]) <= 0.98 * float(vectors[p.text1] @ vectors[p.text2])
        for p, negatives in zip(pairs, mined.negatives, strict=True)
        for t in negatives
    )
    assert fit >= 3 * len(pairs) - mined.random
    assert all(
        p.text2 not in negatives for p, negatives in zip(pairs, mined.negatives, strict=True)
    )


def test_negatives_are_never_connected_with_their_pair(chosen, tiny_model):
    model = SentenceTransformer(str(tiny_model), device="cpu")
    pairs = [
        Pair("sea wall", "wall breached", 1.0),
        Pair("sea wall", "town storm", 1.0),  # the same title: its summaries are no negatives
        Pair("rates held", "bank holds", 1.0, gold1=("", "", "s1")),
        Pair("rates cut", "bank cut", 1.0, gold1=("", "", "s1")),  # the same story
        Pair("cup final", "team wins", 1.0),
    ]
    mined = mine_negatives(pairs, model, chosen(negatives=2, mining_margin=0.0))
    assert set(mined.negatives[0]).isdisjoint({"wall breached", "town storm"})
    assert set(mined.negatives[2]).isdisjoint({"bank holds", "bank cut"})
    with pytest.raises(ParameterError, match="negatives must be at most 3, the texts that are not"):
        mine_negatives(pairs, model, chosen(negatives=4))


def test_the_evaluator_scores_what_is_found():
    class Known:
        model_card_data = None

        def encode(self, texts, **kwargs):
            place = {"a": [1, 0], "b": [0, 2], "A": [3, 0.1], "B": [1, 0]}
            return np.array([place[t] for t in texts], np.float32)

    evaluator = PairRetrievalEvaluator([("a", "A"), ("b", "B")])
    scores = evaluator.scores(Known())  # type: ignore[arg-type]
    assert scores["mrr_10"] == 0.5 and scores["recall_1"] == 0 and scores["recall_10"] == 1
    with pytest.raises(ParameterError, match="pairs must hold at least two, got 1"):
        PairRetrievalEvaluator([("a", "A")])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"mini_batch_size": 4}, "mini_batch_size must be none with loss=mnr, got 4"),
        ({"loss": "megabatch", "negatives": 1}, "negatives must be 0 with loss=megabatch"),
        ({"loss": "guided", "negatives": 2}, "negatives must be 0 or 1 with loss=guided"),
        ({"guide": "minilm"}, "guide must be none with loss=mnr and no negatives, got 'minilm'"),
    ],
)
def test_settings_that_do_not_fit_are_refused(chosen, changes, said):
    with pytest.raises(ParameterError, match=said):
        PAIRS.run(chosen(**changes), progress=SILENT)


def test_a_small_mega_batch_is_told(chosen, tally):
    PAIRS.run(chosen(loss="megabatch", epochs=1), progress=tally)
    assert any("batches of 500 and more are meant" in note for note in tally.notes)


@pytest.mark.slow
def test_training_goes_on_after_a_kill_to_the_same_weights(chosen, tmp_path):
    settings = chosen(output=tmp_path / "whole", epochs=12, negatives=1)
    PAIRS.run(settings, progress=SILENT)
    told = [
        f"{own.name}={written(getattr(settings, own.name))}"
        for own in setting_fields(type(settings))
    ]
    command = [sys.executable, "-m", "newsnest", "train", "pairs", "--data", settings.data[0]]
    command += ["--base", settings.base, "-o", str(tmp_path / "killed")]
    command += [part for one in told for part in ("--set", one)]
    source = str(Path(newsnest.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": source, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    checkpoints = tmp_path / "killed.checkpoints"
    while len(list(checkpoints.glob("checkpoint-*/trainer_state.json"))) < 2:
        assert process.poll() is None, "it ended before it was killed"
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "killed").exists()
    torch.set_num_threads(1)
    subprocess.run(command, env=environment, check=True, stderr=subprocess.DEVNULL)
    assert moved(tmp_path / "whole", tmp_path / "killed") == 0


@pytest.mark.parametrize("name", ["faq.csv", "faq.jsonl"])
def test_a_column_that_is_not_there_is_named(name, write_rows, tmp_path):
    rows = [{"title": f"t{i}", "sumary": f"s{i}", "answer": f"a{i}"} for i in range(4)]
    if name.endswith(".csv"):
        (tmp_path / name).write_text(
            "title,sumary,answer\n" + "".join(",".join(row.values()) + "\n" for row in rows)
        )
    else:
        write_rows(name, rows)
    said = (
        "the column 'summary' must exist, got none of that name. Did you mean 'sumary'. Choose two "
        f"of title, sumary, answer: {name},columns=headline:lead"
    )
    with pytest.raises(InputError, match=said):
        read_column_pairs(parse_data([str(tmp_path / name)], ColumnReading()), Splitting())
    both = parse_data([f"{tmp_path / name},columns=quest:answer"], ColumnReading())
    with pytest.raises(InputError, match="the column 'quest' must exist, .* Choose two of title"):
        read_column_pairs(both, Splitting())


def test_a_tracker_that_there_is_not_is_told_before_the_training(chosen):
    with pytest.raises(ParameterError, match="trackers that are installed, got notthere: notthere"):
        PAIRS.run(chosen(report_to=("notthere",)), progress=SILENT)


@pytest.mark.parametrize("told", [None, "elsewhere"])
def test_what_tensorboard_logs_is_kept_beside_the_model(chosen, monkeypatch, told: str | None):
    class Stop(Exception):
        pass

    def stop(**given: object) -> None:
        raise Stop(os.environ["TENSORBOARD_LOGGING_DIR"])

    monkeypatch.delenv("TENSORBOARD_LOGGING_DIR", raising=False)
    if told:
        monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", told)
    monkeypatch.setattr("newsnest.train.run.trainer.CheckpointTrainer", stop)
    settings = chosen()
    with pytest.raises(Stop) as stopped:
        PAIRS.run(settings, progress=SILENT)
    output = settings.output.absolute()
    assert str(stopped.value) == (told or str(output.parent / "runs" / output.name))
    assert os.environ.get("TENSORBOARD_LOGGING_DIR") == told


def test_too_few_pairs_to_validate_on_are_told(write_rows):
    path = write_rows("a.jsonl", [row(i, story="1") for i in range(9)])
    with pytest.raises(InputError, match="of 9 pairs some must be split off to validate on"):
        read(str(path))
