"""A model is calibrated, and the next run takes the values at once."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import invented
from newsnest.cluster import story_rule
from newsnest.corpus import digest
from newsnest.embed import LevelRecord, ModelRecord, load_encoder
from newsnest.errors import EncoderError, InputError, ParameterError
from newsnest.evaluate import bcubed_f1
from newsnest.nest import Nest
from newsnest.nest.export import rows as exported
from newsnest.pipeline import Options, build
from newsnest.pipeline.calibration import Resampling, calibrate_by_articles
from newsnest.pipeline.gold_calibration import GoldFiles, calibrate_by_gold
from newsnest.pipeline.model_levels import ModelLevels
from newsnest.pipeline.pair_calibration import PairFiles, calibrate_by_pairs

FEW = Resampling(50)
GOLD = {"story": "story_gold", "theme": "theme_gold"}
LEVELS = ["theme", "topic", "story"]


@pytest.fixture
def model(tiny_model: Path, tmp_path: Path) -> Path:
    """A model trained to nest, not calibrated, with more in its newsnest.json."""
    copy = tmp_path / "model"
    shutil.copytree(tiny_model, copy)
    levels = [
        {"name": name, "dims": dims, "min_similarity": None}
        for name, dims in zip(LEVELS, (8, 16, 32), strict=True)
    ]
    (copy / "newsnest.json").write_text(json.dumps({"recipe": "x", "levels": levels, "run": "y"}))
    return copy


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    return invented.write(tmp_path / "gold.jsonl", invented.articles())


def run_of(model: Path, corpus: Path, nest: Path, **options):
    """Cluster; return what was built and the labels of every article."""
    with Nest(nest, create=True) as opened:
        built = build([corpus], opened, Options(encoder=str(model), **options))
        return built, {row["id"]: row for row in exported(opened, built.run)}


def f1_of(labels, level: str) -> float:
    known = {row["id"]: row for row in invented.articles()}
    return bcubed_f1(
        [labels[key][level] for key in known], [known[key][GOLD[level]] for key in known]
    )


# ── by gold labels ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("dated", [True, False])
def test_a_run_reaches_the_very_score_that_calibration_promises(model, tmp_path, dated):
    file = invented.write(tmp_path / "gold.jsonl", invented.articles(dated=dated))
    story, theme = calibrate_by_gold(model, GoldFiles([file], GOLD), resampling=FEW)
    assert (story.name, theme.name) == ("story", "theme")
    built, labels = run_of(model, file, tmp_path / "a.nest")
    used = {level["name"]: level for level in built.run.facts["levels"]}
    assert f1_of(labels, "theme") == pytest.approx(theme.evidence["f1"]["value"], abs=1e-9)
    assert used["theme"]["min_similarity"] == pytest.approx(theme.min_similarity.value)
    assert story.min_similarity is None and used["story"]["by_evidence"]


def test_stories_are_cut_better_by_what_was_learnt_from_them(model, gold, tmp_path):
    before, labels = run_of(model, gold, tmp_path / "a.nest")
    committed = f1_of(labels, "story")
    story = calibrate_by_gold(model, GoldFiles([gold], GOLD), resampling=FEW)[0]
    after, labels = run_of(model, gold, tmp_path / "a.nest")
    told = story.evidence["f1"]
    assert story.evidence["learnt"] and told["before"]["value"] == pytest.approx(committed)
    assert f1_of(labels, "story") > told["before"]["value"] + 0.2
    assert told["gain"]["low"] > 0.2 and told["learnt"]["value"] > told["alone"]["value"]
    facts = [built.run.facts["stories"]["calibrated"] for built in (before, after)]
    assert facts == [False, True]


def test_labels_of_a_coarser_grain_make_fewer_stories(model, tmp_path):
    rows = invented.articles(stories=24)
    counts = []
    for apart in (1, 3):  # 3 stories a topic
        labelled = [
            {**row, "story_gold": f"s{int(row['story_gold'][1:]) // apart}"} for row in rows
        ]
        file = invented.write(tmp_path / f"gold{apart}.jsonl", labelled)
        calibrate_by_gold(model, GoldFiles([file], {"story": "story_gold"}), resampling=FEW)
        built, _ = run_of(model, file, tmp_path / "a.nest")
        counts.append(built.run.facts["clusters"]["story"])
    assert counts[1] < 0.7 * counts[0]


def test_labels_from_which_nothing_better_is_learnt_change_nothing(model, gold, tmp_path):
    rows = invented.articles()
    _, before = run_of(model, gold, tmp_path / "a.nest")
    labels = [{**row, "story_gold": "most" if number else "one"} for number, row in enumerate(rows)]
    named = GoldFiles([invented.write(tmp_path / "two.jsonl", labels)], {"story": "story_gold"})
    (story,) = calibrate_by_gold(model, named, resampling=FEW)
    assert not story.evidence["learnt"] and not story.rule
    content = ModelRecord.read(model).as_dict()
    assert "story_rule" not in content and not content["calibration"]["story"]["learnt"]
    _, after = run_of(model, gold, tmp_path / "a.nest")
    assert [row["story"] for row in before.values()] == [row["story"] for row in after.values()]


def test_no_other_value_would_have_scored_better(model, gold, tmp_path):
    theme = calibrate_by_gold(model, GoldFiles([gold], GOLD), resampling=FEW)[1]
    for value in np.arange(-0.2, 0.95, 0.1):
        _, labels = run_of(model, gold, tmp_path / "a.nest", min_similarity={"theme": value})
        assert f1_of(labels, "theme") <= theme.evidence["f1"]["value"] + 1e-9


def test_everything_else_in_newsnest_json_stays(model, gold):
    calibrate_by_gold(model, GoldFiles([gold], GOLD), resampling=FEW)
    content = ModelRecord.read(model).as_dict()
    assert (content["recipe"], content["run"]) == ("x", "y")
    levels = {level["name"]: level for level in content["levels"]}
    assert [level["name"] for level in content["levels"]] == LEVELS
    assert levels["topic"] == {"name": "topic", "dims": 16, "min_similarity": None}
    assert levels["story"] == {"name": "story", "dims": 32, "min_similarity": None}
    assert levels["theme"]["min_similarity"] is not None
    assert list(content["story_rule"]) == ["partner", "alone", "together"]
    kept = content["calibration"]["story"]
    assert kept["data"][0]["file"] == "gold.jsonl" and len(kept["data"][0]["digest"]) == 40
    assert (kept["by"], kept["articles"], kept["gold_clusters"]) == ("gold", 51, 12)
    found = content["calibration"]["theme"]["min_similarity"]
    low, value, high = (found[key] for key in ("low", "value", "high"))
    assert low <= value <= high
    assert "Outlet" not in json.dumps(content)  # no text of the data is kept


def test_a_level_calibrated_before_stays_when_another_one_is(model, gold):
    calibrate_by_gold(model, GoldFiles([gold], {"story": "story_gold"}), resampling=FEW)
    before = ModelRecord.read(model).as_dict()
    calibrate_by_gold(model, GoldFiles([gold], {"theme": "theme_gold"}), resampling=FEW)
    after = ModelRecord.read(model).as_dict()
    assert after["levels"][2] == before["levels"][2]
    assert after["calibration"]["story"] == before["calibration"]["story"]
    assert after["story_rule"] == before["story_rule"]
    assert after["levels"][0]["min_similarity"] is not None


def test_a_plain_model_keeps_its_views(tiny_model, gold, tmp_path):
    copy = tmp_path / "plain"
    shutil.copytree(tiny_model, copy)
    before, _ = run_of(copy, gold, tmp_path / "a.nest")
    theme = calibrate_by_gold(copy, GoldFiles([gold], GOLD), resampling=FEW)[1]
    after, labels = run_of(copy, gold, tmp_path / "a.nest")
    dims = [[level["dims"] for level in b.run.facts["levels"]] for b in (before, after)]
    assert dims[0] == dims[1] == [8, 16, 32]
    assert ModelRecord.read(copy).as_dict()["rotate"] is True
    assert f1_of(labels, "theme") == pytest.approx(theme.evidence["f1"]["value"], abs=1e-9)


def test_several_files_are_several_corpora(model, gold, tmp_path):
    rows = invented.articles(seed=5, copies=0)
    other = invented.write(tmp_path / "other.jsonl", rows)
    both = calibrate_by_gold(model, GoldFiles([gold, other], GOLD), resampling=FEW)
    assert both[0].evidence["articles"] == 51 + 48
    assert both[0].evidence["gold_clusters"] == 24


def test_only_rows_of_the_split_are_seen(model, tmp_path):
    rows = [
        {**row, "split": "dev" if number % 2 else "test"}
        for number, row in enumerate(invented.articles(copies=0))
    ]
    file = invented.write(tmp_path / "split.jsonl", rows)
    found = calibrate_by_gold(model, GoldFiles([file], GOLD, split="dev"), resampling=FEW)
    assert found[0].evidence["articles"] == 24


def test_it_is_said_where_the_model_was_trained_on_the_file(model, gold, tally):
    from newsnest.embed.weights import file_sha256

    content = ModelRecord.read(model).as_dict()
    (model / "newsnest.json").write_text(
        json.dumps({**content, "data": [{"sha256": file_sha256(gold.resolve())}]})
    )
    calibrate_by_gold(model, GoldFiles([gold], GOLD), resampling=FEW, progress=tally)
    told = [n for n in tally.notes if "gold.jsonl: the model was trained on this file" in n]
    # Recipes that learn from articles, such as static, say another digest.
    (model / "newsnest.json").write_text(
        json.dumps({**content, "data": [{"digest": digest([gold])}]})
    )
    calibrate_by_gold(model, GoldFiles([gold], GOLD), resampling=FEW, progress=tally)
    assert len(told) == 1 and tally.notes.count(told[0]) == 2


def test_it_is_said_what_a_second_calibration_replaces(model, gold, tally):
    theme = calibrate_by_gold(model, GoldFiles([gold], GOLD), resampling=FEW, progress=tally)[1]
    assert not any("replaced" in note for note in tally.notes)
    calibrate_by_articles(model, [gold], progress=tally)
    assert "story: a rule, which was calibrated before, is replaced" in tally.notes
    was = f"min_similarity {theme.min_similarity.value:.3f}"
    assert f"theme: {was}, which was calibrated before, is replaced" in tally.notes
    assert any(" independent texts are few: " in note for note in tally.notes)


def test_the_same_gold_gives_the_same_values(model, gold):
    one = calibrate_by_gold(model, GoldFiles([gold], GOLD), resampling=FEW)
    assert calibrate_by_gold(model, GoldFiles([gold], GOLD), resampling=FEW) == one


def test_labels_that_are_missing_or_too_few_are_told(model, gold, tmp_path):
    with pytest.raises(InputError, match="no row has a field called stori_gold. Did you mean"):
        calibrate_by_gold(model, GoldFiles([gold], {"story": "stori_gold"}))
    with pytest.raises(InputError, match="no row has a field called theme or topic or story"):
        calibrate_by_gold(model, GoldFiles([gold]))
    with pytest.raises(ParameterError, match="levels must be among theme, topic, story, got 'st"):
        calibrate_by_gold(model, GoldFiles([gold], {"storey": "story_gold"}))
    rows = [{**row, "story": "one"} for row in invented.articles()]
    same = invented.write(tmp_path / "same.jsonl", rows)
    with pytest.raises(InputError, match="must hold two labels or more, one of them on two artic"):
        calibrate_by_gold(model, GoldFiles([same]))
    assert ModelRecord.read(model).as_dict()["levels"][2]["min_similarity"] is None


# ── the run ─────────────────────────────────────────────────────────────────────────────────────


def test_a_recalibrated_model_makes_another_run_and_encodes_nothing_anew(
    model, gold, tmp_path, tally
):
    first, _ = run_of(model, gold, tmp_path / "a.nest")
    assert not run_of(model, gold, tmp_path / "a.nest")[0].new
    calibrate_by_gold(model, GoldFiles([gold], GOLD), resampling=FEW)
    with Nest(tmp_path / "a.nest") as nest:
        second = build([gold], nest, Options(encoder=str(model)), progress=tally)
    assert second.new and second.run.id != first.run.id
    assert second.run.facts["encoder"] == first.run.facts["encoder"]
    assert any("0 to encode" in note for note in tally.notes)
    assert any(note.startswith("theme:") and "calibrated" in note for note in tally.notes)
    assert any("in common as the model was calibrated" in note for note in tally.notes)
    assert not run_of(model, gold, tmp_path / "a.nest")[0].new


def test_what_is_said_beside_the_levels_makes_no_other_run(model, gold, tmp_path):
    run_of(model, gold, tmp_path / "a.nest")
    content = ModelRecord.read(model).as_dict()
    (model / "newsnest.json").write_text(json.dumps({**content, "recipe": "another"}))
    assert not run_of(model, gold, tmp_path / "a.nest")[0].new


def test_the_fingerprint_of_vectors_does_not_know_similarities(model, gold):
    def fingerprint() -> str:
        encoder = load_encoder(str(model))
        encoder.prepare([])
        return encoder.fingerprint

    before = fingerprint()
    calibrate_by_gold(model, GoldFiles([gold], GOLD), resampling=FEW)
    assert fingerprint() == before


def test_a_model_that_was_calibrated_to_a_cosine_is_still_cut_there(model, gold, tmp_path):
    content = ModelRecord.read(model).as_dict()
    content["levels"][2] |= {"min_similarity": 0.4, "dated": 0.2}
    (model / "newsnest.json").write_text(json.dumps(content))
    built, _ = run_of(model, gold, tmp_path / "a.nest", time_weight=0.0)
    story = built.run.facts["levels"][2]
    assert story["min_similarity"] == 0.4 and not story["by_evidence"]
    assert "stories" not in built.run.facts


def test_a_rule_of_evidence_that_there_is_none_of_is_told(model, gold, tmp_path):
    linear = {"coefficients": {"heigth": 1.0}, "intercept": 0.0}
    content = ModelRecord.read(model).as_dict()
    rule = {"partner": {**linear, "coefficients": {}}, "alone": linear, "together": linear}
    (model / "newsnest.json").write_text(json.dumps({**content, "story_rule": rule}))
    with pytest.raises(ParameterError, match="evidence must be among .* got 'heigth'. Did you me"):
        run_of(model, gold, tmp_path / "a.nest")


def test_a_trained_model_takes_the_rule_of_what_it_was_trained_from():
    def rule_of(encoder: str = "some/folder", **record):
        return ModelLevels.of(ModelRecord(**record)).stories_by(encoder)

    assert rule_of(base={"name": "tfidf"}) == story_rule("tfidf")
    assert rule_of(base={"name": "old", "origin": "tfidf"}) == story_rule("tfidf")
    assert rule_of(base={"name": "minilm"}, recipe="static") == story_rule("static")
    assert rule_of(base={"name": "some/folder"}) == rule_of() == story_rule("any")
    assert rule_of("sentence-transformers/all-MiniLM-L6-v2") == story_rule("minilm")


# ── dates ───────────────────────────────────────────────────────────────────────────────────────


def levels_of(**story) -> ModelLevels:
    return ModelLevels.of(ModelRecord(levels=(LevelRecord("story", 8, **story),)))


def test_without_dates_a_calibrated_value_is_used_as_it_is():
    none = np.full(9, np.nan)
    assert levels_of(min_similarity=0.4).similarities("any", 0.0, none, 0.0) == {"story": 0.4}
    assert levels_of(min_similarity=None).similarities("any", 0.0, none, 0.0) == {}


def test_with_dates_that_tell_articles_apart_the_dated_value_decides():
    times = np.arange(2000) * 86_400.0
    levels = levels_of(min_similarity=0.4, dated=0.2)
    assert levels.similarities("any", 0.3, times, 86_400.0)["story"] == pytest.approx(
        0.7 * 0.2 + 0.3
    )


def test_with_dates_that_tell_nothing_the_undated_value_decides():
    levels = levels_of(min_similarity=0.4, dated=0.2)
    assert levels.similarities("any", 0.3, np.zeros(50), 86_400.0)["story"] == pytest.approx(
        0.7 * 0.4 + 0.3
    )


def test_without_a_dated_value_dates_move_it_as_they_move_the_default():
    from newsnest.cluster.calibration import rule_for

    default = rule_for("story")
    step = default.dated - default.apply(default.usual)
    assert levels_of(min_similarity=0.4).rule("story", "any").dated == pytest.approx(0.4 + step)
    assert levels_of(min_similarity=-1.0).rule("story", "any").dated == -1.0


def test_levels_without_a_word_on_turning_are_not_turned():
    assert ModelLevels.of(ModelRecord()).rotate
    assert not levels_of().rotate
    assert ModelLevels.of(ModelRecord(rotate=False)).rotate is False


# ── by judged pairs ─────────────────────────────────────────────────────────────────────────────


def judged(
    path: Path, count: int = 200, *, grades=(4, 2, 1), alike: int = 40, text: str = "title"
) -> Path:
    """Pairs of one story, of one theme and of different themes; story pairs `alike` times."""
    rows = invented.articles(copies=0)
    found = {grade: [] for grade in grades}
    for a in rows:
        for b in rows:
            if a["id"] < b["id"]:
                same = (a["theme_gold"] == b["theme_gold"]) + (a["story_gold"] == b["story_gold"])
                found[grades[same if len(grades) == 3 else int(same == 2)]].append((a, b))
    chosen = [(*pair, grades[-1]) for pair in found[grades[-1]][:alike]]
    rest = list(grades[:-1])
    each = (count - alike) // len(rest)
    chosen += [(*pair, grade) for grade in rest for pair in found[grade][::7][:each]]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("text1", "text2", "score", "lang1", "lang2"))
        said = bodies() if text == "body" else {row["id"]: row["title"] for row in rows}
        writer.writerows((said[a["id"]], said[b["id"]], s, "en", "en") for a, b, s in chosen)
    return path


def test_judged_pairs_set_a_value_and_say_what_it_rests_on(model, tmp_path, gold):
    file = judged(tmp_path / "pairs.csv")
    (story,) = calibrate_by_pairs(
        model,
        PairFiles([file], (4.0, 1.0), levels=["story"], articles=[gold]),
        precision=0.6,
        resampling=FEW,
    )
    assert story.evidence["precision"]["value"] >= 0.6
    assert (story.evidence["pairs"], story.evidence["alike"]) == (189, 40)
    levels = ModelRecord.read(model).as_dict()["levels"]
    assert levels[2]["min_similarity"] == pytest.approx(story.min_similarity.value, abs=1e-6)
    assert [level["min_similarity"] for level in levels[:2]] == [None, None]
    assert ModelRecord.read(model).as_dict()["calibration"]["story"]["asked_precision"] == 0.6


def test_judged_pairs_replace_a_rule_by_a_value(model, tmp_path, gold):
    calibrate_by_gold(model, GoldFiles([gold], GOLD), resampling=FEW)
    named = PairFiles([judged(tmp_path / "p.csv")], (4.0, 1.0), levels=["story"], articles=[gold])
    calibrate_by_pairs(model, named, precision=0.6, resampling=FEW)
    record = ModelRecord.read(model)
    assert not record.story_rule and record.levels[2].min_similarity is not None
    built, _ = run_of(model, gold, tmp_path / "a.nest")
    assert "stories" not in built.run.facts


def test_pairs_that_a_run_puts_together_are_as_precise_as_was_asked(model, tmp_path):
    corpus = invented.write(tmp_path / "gold.jsonl", invented.articles(dated=False, copies=0))
    file = judged(tmp_path / "pairs.csv", text="body")
    named = PairFiles([file], (4.0, 1.0), levels=["story"], articles=[corpus])
    (story,) = calibrate_by_pairs(model, named, precision=0.6, resampling=FEW)
    _, labels = run_of(model, corpus, tmp_path / "a.nest")
    stories = {bodies()[key]: row["story"] for key, row in labels.items()}
    with file.open(newline="") as opened:
        pairs = [(r["text1"], r["text2"], r["score"] == "1") for r in csv.DictReader(opened)]
    together = [same for a, b, same in pairs if stories[a] == stories[b]]
    assert len(together) == story.evidence["above"]
    assert np.mean(together) == pytest.approx(story.evidence["precision"]["value"])


def bodies() -> dict[str, str]:
    rows = invented.articles(copies=0)
    return {row["id"]: f"{row['title']}. {row['text']}" for row in rows}


def test_pairs_that_a_model_cannot_tell_apart_are_refused_and_write_nothing(model, tmp_path):
    file = judged(tmp_path / "pairs.csv", alike=16, text="body")
    before = ModelRecord.read(model).as_dict()
    with pytest.raises(ParameterError, match="story: the pairs .* all together is the best guess"):
        calibrate_by_pairs(model, PairFiles([file], (4.0, 1.0), levels=["story"]), resampling=FEW)
    assert ModelRecord.read(model).as_dict() == before


def test_pairs_that_are_too_few_write_nothing_and_say_how_many_would_do(model, tmp_path):
    file = judged(tmp_path / "pairs.csv", 100, alike=10)
    with pytest.raises(ParameterError, match=r"story: the pairs must .* at least 20 .* got 10 of .*"
                       r"About \d+ pairs like these would do\. Other levels"):  # fmt: skip
        calibrate_by_pairs(model, PairFiles([file], (4.0, 1.0)), precision=0.9, resampling=FEW)
    assert "calibration" not in ModelRecord.read(model).as_dict()


def test_pairs_of_two_grades_must_say_which_level_they_judge(model, tmp_path):
    file = judged(tmp_path / "pairs.csv", grades=(0, 1))
    with pytest.raises(ParameterError, match="levels must be named where pairs have two grades"):
        calibrate_by_pairs(model, PairFiles([file]), resampling=FEW)
    named = PairFiles([file], levels=["story"])
    found = calibrate_by_pairs(model, named, precision=0.5, resampling=FEW)
    assert [level.name for level in found] == ["story"]


def test_pairs_without_text_are_counted_and_none_at_all_is_an_error(model, tmp_path, tally):
    file = judged(tmp_path / "pairs.csv")
    with file.open("a") as opened:
        opened.write("only one side,,4,en,en\n")
    named = PairFiles([file], (4.0, 1.0), levels=["story"])
    calibrate_by_pairs(model, named, precision=0.5, resampling=FEW, progress=tally)
    assert "189 pairs; 1 without text or score" in tally.notes
    file.write_text("text1,text2,score\na,,1\n")
    with pytest.raises(InputError, match="no pair has two texts and a score"):
        calibrate_by_pairs(model, PairFiles([file]))


# ── by articles alone ───────────────────────────────────────────────────────────────────────────


def test_measured_defaults_are_made_fixed(model, gold, tmp_path):
    before, _ = run_of(model, gold, tmp_path / "a.nest")
    found = calibrate_by_articles(model, [gold])
    assert [level.name for level in found] == ["story", "topic", "theme"]
    after, _ = run_of(model, gold, tmp_path / "a.nest")
    assert after.new
    stories = [built.run.facts["stories"] for built in (before, after)]
    assert stories[1] == {**stories[0], "calibrated": True}
    assert found[0].evidence["sharing"] == stories[0]["expected"]
    for one, other in zip(before.run.facts["levels"], after.run.facts["levels"], strict=True):
        assert one["min_similarity"] == pytest.approx(other["min_similarity"], abs=1e-5)


def test_a_folder_of_articles_is_a_corpus(model, gold, tmp_path):
    folder = tmp_path / "corpus"
    folder.mkdir()
    shutil.copy(gold, folder / "a.jsonl")
    calibrate_by_articles(model, [folder], levels=["theme"])
    (source,) = ModelRecord.read(model).as_dict()["calibration"]["theme"]["data"]
    assert source["file"] == "corpus" and len(source["digest"]) == 40 and "sha256" not in source


def test_articles_set_the_levels_asked_for_alone(model, gold):
    calibrate_by_articles(model, [gold], levels=["theme"])
    values = [level["min_similarity"] for level in ModelRecord.read(model).as_dict()["levels"]]
    assert values[0] is not None and values[1:] == [None, None]


def test_one_article_has_no_defaults(model, tmp_path):
    file = invented.write(tmp_path / "one.jsonl", invented.articles()[:1])
    with pytest.raises(InputError, match="two articles or more are needed"):
        calibrate_by_articles(model, [file])


def test_rows_set_aside_are_told(model, gold, tmp_path, tally):
    rows = [*invented.articles(), {"id": "empty", "title": ""}]
    file = invented.write(tmp_path / "news.jsonl", rows)
    calibrate_by_articles(model, [file], levels=["theme"], progress=tally)
    assert any(note.startswith("1 row set aside, the first at") for note in tally.notes)


def test_what_readers_notice_is_told(model, tmp_path, tally):
    rows = [{**row, "date": "03/04/2024"} for row in invented.articles()]
    file = invented.write(tmp_path / "news.jsonl", rows)
    calibrate_by_articles(model, [file], levels=["theme"], progress=tally)
    assert any("dates are ambiguous" in note for note in tally.notes)


def test_a_model_is_a_folder(tmp_path, gold):
    with pytest.raises(EncoderError, match="MODEL must be the folder of a model, got 'minilm'"):
        calibrate_by_articles(Path("minilm"), [gold])
    with pytest.raises(EncoderError, match="must hold a sentence-transformers model"):
        calibrate_by_articles(tmp_path, [gold])
