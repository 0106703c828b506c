"""What is trained on, validated on and held out never meet."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from newsnest.errors import InputError, ParameterError
from newsnest.labelled import (
    GradedReading,
    Splitting,
    TrainingData,
    leaking_pairs,
    parse_data,
    read_training_data,
)
from newsnest.labelled.graded import holds_pairs
from recipe_rows import gold_rows


def read(*told: str, progress=None, encode=None, **splitting) -> TrainingData:
    files = parse_data(told, GradedReading())
    more = {} if progress is None else {"progress": progress}
    return read_training_data(files, Splitting(**splitting), encode=encode, **more)


def test_a_file_says_itself_how_it_is_read(pair_file: Path, gold_file: Path):
    usual = GradedReading(same_is=0.5)
    (file,) = parse_data([f"{pair_file},scale=4:1,max_pairs=7,score=overall"], usual)
    assert file.path == pair_file and holds_pairs(file)
    assert file.reading == GradedReading(scale=(4.0, 1.0), same_is=0.5, max_pairs=7)
    assert file.fields == {"score": "overall"}
    assert not holds_pairs(parse_data([str(gold_file)], GradedReading())[0])
    assert parse_data([f"{gold_file},max_days=7"], GradedReading())[0].reading.max_days == 7


def test_a_comma_may_stand_in_a_path(write_rows):
    path = write_rows("a,b.jsonl", [{"text": "a", "story": "s"}])
    assert parse_data([f"{path},max_days=2"], GradedReading())[0].path == path


def test_named_fields_tell_pairs_from_articles(write_rows):
    path = write_rows("p.jsonl", [{"left": "a", "right": "b", "score": 1}])
    assert holds_pairs(parse_data([f"{path},text1=left,text2=right"], GradedReading())[0])


def test_an_unknown_key_is_told_with_the_file(pair_file: Path):
    with pytest.raises(ParameterError, match=r"pairs.csv: .* got 'scal'. Did you mean 'scale'"):
        parse_data([f"{pair_file},scal=4:1"], GradedReading())


def test_a_value_of_another_kind_is_told_with_the_file(pair_file: Path):
    with pytest.raises(
        ParameterError, match=r"pairs.csv: max_pairs must be a whole number or none"
    ):
        parse_data([f"{pair_file},max_pairs=many"], GradedReading())


@pytest.mark.parametrize(
    "said", ["max_pairs=-1", "max_pairs=0", "per_grade=0", "max_days=-1", "max_days=nan"]
)
def test_a_number_of_a_file_that_counts_nothing_is_refused(gold_file: Path, said: str):
    with pytest.raises(ParameterError, match=f"{said[:3]}.* must be at least [01], got"):
        parse_data([f"{gold_file},{said}"], GradedReading())


def test_what_is_said_twice_or_without_end_is_refused(gold_file: Path):
    with pytest.raises(
        ParameterError, match=r"gold.jsonl: max_pairs must be given once, got it twice"
    ):
        parse_data([f"{gold_file},max_pairs=3,max_pairs=5"], GradedReading())
    with pytest.raises(ParameterError, match=r"max_days must be finite, got inf. Leave it out"):
        parse_data([f"{gold_file},max_days=inf"], GradedReading())


def test_a_validation_split_of_gold_articles_is_used_whole(gold_file: Path, write_rows):
    rows = [json.loads(line) for line in gold_file.read_text().splitlines()]
    stories = sorted({row["story"] for row in rows})
    held = set(stories[::2])
    told = [{**row, "split": "dev" if row["story"] in held else "train"} for row in rows]
    swapped = [{**row, "split": "train" if row["split"] == "dev" else "dev"} for row in told]
    data = read(f"{write_rows('own.jsonl', told)},max_pairs=10", share=0.1)
    other = read(str(write_rows("swapped.jsonl", swapped)), share=0.1)
    assert len(data.train) == 10 and len(data.validation) == len(other.train) > 10


def test_a_missing_file_is_told(tmp_path: Path):
    with pytest.raises(InputError, match="must be a file to train on, got none"):
        parse_data([str(tmp_path / "none.csv")], GradedReading())


def test_a_share_is_split_off_that_shares_no_article(pair_file: Path):
    data = read(f"{pair_file},scale=4:1", share=0.25)
    assert data.validation and data.train
    assert not leaking_pairs(data.train, data.validation)
    (source,) = data.sources
    assert source["train_pairs"] + source["validation_pairs"] + source["in_two_parts"] == 120
    assert len(source["digest"]) == 40 and source["reading"]["scale"] == (4.0, 1.0)


def test_splits_of_the_file_are_honoured_and_others_left_alone(write_rows):
    rows = [
        {"text1": f"{s}{i}", "text2": f"{s}{i} too", "score": i % 2, "split": s}
        for s in ("train", "dev", "test")
        for i in range(4)
    ]
    data = read(str(write_rows("p.jsonl", rows)))
    assert {p.split for p in data.train} == {"train"} and len(data.train) == 4
    assert {p.split for p in data.validation} == {"dev"} and len(data.validation) == 4
    assert data.sources[0]["held_out"] == 4


def test_no_pair_is_trained_on_that_shares_an_article_with_what_is_held_out(write_rows):
    rows = [
        {"text1": "a", "text2": "b", "score": 1, "split": "train"},
        {"text1": "c", "text2": "d", "score": 1, "split": "train"},
        {"text1": "e", "text2": "f", "score": 0, "split": "dev"},
        {"text1": "b", "text2": "g", "score": 0, "split": "test"},
    ]
    data = read(str(write_rows("p.jsonl", rows)))
    assert [p.text1 for p in data.train] == ["c"] and data.leaking == 1


def test_nothing_to_train_on_is_told_with_the_splits_there_are(write_rows):
    rows = [{"text1": "a", "text2": "b", "score": 1, "split": "test"}]
    path = write_rows("p.jsonl", rows)
    with pytest.raises(InputError, match=r'p.jsonl: no row has the split "train".*got "test"'):
        read(str(path))
    rows = [{"text1": "a", "text2": "b", "score": 1, "split": s} for s in ("train", "dev", "test")]
    with pytest.raises(InputError, match="no pair to train on is left of 2 read"):
        read(str(write_rows("q.jsonl", rows)))


def test_pairs_are_built_from_gold_and_no_story_is_in_two_parts(gold_file: Path):
    data = read(str(gold_file), share=0.25)
    stories = [
        {gold[2] for p in part for gold in (p.gold1, p.gold2)}
        for part in (data.train, data.validation)
    ]
    assert stories[0] and stories[1] and not stories[0] & stories[1]
    assert {p.score for p in data.train} == {0.75, 0.25, 0.0}


def test_gold_articles_of_a_held_out_split_are_in_no_pair(write_rows):
    rows = [{**row, "split": "test" if row["story"] in ("s0", "s1") else ""} for row in gold_rows()]
    data = read(str(write_rows("g.jsonl", rows)), share=0.25)
    used = {i for p in (*data.train, *data.validation) for i in (p.id1, p.id2)}
    assert not [i for i in used if i.startswith(("0-", "1-"))]
    assert data.sources[0]["held_out"] == 8


def test_hard_pairs_are_built_where_an_encoder_is_at_hand(gold_file: Path):
    asked: list[int] = []

    def encode(texts):
        asked.append(len(texts))
        vectors = np.random.default_rng(0).normal(size=(len(texts), 8)).astype(np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    assert read(str(gold_file), share=0.25, encode=encode).sources[0]["hard"] > 0
    assert sum(asked) == 48
    read(str(gold_file), share=0.25, encode=encode, hard=0.0)
    assert sum(asked) == 48


def test_ids_and_labels_of_two_files_are_not_taken_for_each_other(gold_file: Path, write_rows):
    other = write_rows("o.jsonl", [{**row, "text": row["text"] + " the"} for row in gold_rows()])
    data = read(str(gold_file), str(other), share=0.25)
    assert {gold[2].partition(":")[0] for p in data.train for gold in (p.gold1,)} == {"0", "1"}
    assert data.leaking == 0


def test_the_same_seed_gives_the_same_pairs_and_another_one_others(gold_file: Path):
    one, same, other = (read(str(gold_file), share=0.25, seed=s) for s in (0, 0, 1))
    assert one == same and one.train != other.train


def test_max_pairs_draws_from_a_file_and_validation_has_its_own_limit(pair_file: Path, tally):
    data = read(f"{pair_file},scale=4:1,max_pairs=60", progress=tally, share=0.5, max_validation=10)
    assert len(data.train) <= 50 and len(data.validation) == 10
    assert any("validation: 10 of" in note for note in tally.notes)


def test_stories_that_last_are_pointed_out_unless_a_window_is_given(gold_file: Path, tally):
    read(str(gold_file), progress=tally, share=0.25)
    assert any("stories last longer than 30 days" in note for note in tally.notes)
    tally.notes.clear()
    read(f"{gold_file},max_days=40", progress=tally, share=0.25)
    assert not tally.notes


def test_a_large_file_need_not_drown_a_small_one(pair_file: Path, gold_file: Path, tally):
    told = f"{pair_file},scale=4:1"
    data = read(told, f"{gold_file},max_pairs=30", progress=tally, share=0.25)
    assert data.sources[1]["train_pairs"] == round(30 * 0.75)
    assert data.sources[1]["validation_pairs"] <= round(30 * 0.25)
    (note,) = [note for note in tally.notes if note.startswith("pairs of each file")]
    counts = [source["train_pairs"] for source in data.sources]
    assert f"gold.jsonl {counts[1]:,} ({counts[1] / sum(counts):.0%})" in note


def test_files_weigh_in_validation_as_they_do_in_training(gold_file: Path):
    (source,) = read(str(gold_file), share=0.25).sources
    assert source["validation_pairs"] <= round(source["train_pairs"] / 3)


def test_a_file_of_which_no_pair_can_be_used_is_told(write_rows):
    rows = [{"text1": "", "text2": "b", "score": 1}, {"text1": "a", "text2": "b", "score": None}]
    with pytest.raises(InputError, match="no pair can be used: 1 rows lack a text, 1 a score"):
        read(str(write_rows("p.jsonl", rows)))
