"""newsnest.json has one shape, is written whole, and records of earlier versions are read."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from newsnest.embed import LevelRecord, ModelRecord
from newsnest.embed.model_record import RECORD_FILE
from newsnest.embed.weights import folder_digests
from newsnest.errors import EncoderError

EARLIER = sorted((Path(__file__).parent / "records").glob("*.json"))
"""What 0.1.0.dev wrote: a recipe each, and `calibrate` on a plain sentence-transformers folder."""


@pytest.mark.parametrize("path", EARLIER, ids=lambda path: path.stem)
def test_records_of_earlier_versions_are_read_and_keep_what_they_say(path: Path, tmp_path: Path):
    old = json.loads(path.read_text())
    (tmp_path / RECORD_FILE).write_text(path.read_text())
    record = ModelRecord.read(tmp_path)
    assert (record.recipe, record.run) == (old.get("recipe", ""), old.get("run", ""))
    levels = [
        (one["name"], one["dims"], one["min_similarity"], one.get("dated"))
        for one in old.get("levels", [])
    ]
    assert [(o.name, o.dims, o.min_similarity, o.dated) for o in record.levels] == levels
    assert record.rotate == old.get("rotate")
    # Prefix and length lay at the top, or among what was chosen.
    for name in ("prefix", "max_length"):
        assert getattr(record, name) == old.get(name, old.get("chosen", {}).get(name))
    digests = {one.get("digest", one.get("sha256")) for one in old.get("data", [])}
    assert record.training_digests == digests
    calibrated = [file for one in old.get("calibration", {}).values() for file in one["data"]]
    assert record.calibration_digests == {f[k] for f in calibrated for k in ("digest", "sha256")}
    record.write(tmp_path)
    assert ModelRecord.read(tmp_path) == record
    now = json.loads((tmp_path / RECORD_FILE).read_text())
    lost = {key for key, value in old.items() if value not in ([], {}, None) and key not in now}
    assert not lost and {"prefix", "max_length"}.isdisjoint(now.get("chosen", {}))


def test_all_recipes_and_a_calibration_are_among_the_records_of_earlier_versions():
    names = {path.stem for path in EARLIER}
    assert names >= {"matryoshka", "adapter", "align", "pairs", "pretrain", "static", "tsdae"}
    assert names >= {"clusterbert", "sccl", "calibrated_plain"}


def test_what_is_written_is_read_and_leaves_no_draft(tmp_path: Path):
    record = ModelRecord(
        recipe="pairs", levels=(LevelRecord("story", 8, 0.5),), prefix="", seed=0, details={"k": 3}
    )
    ModelRecord(recipe="old").write(tmp_path)
    record.write(tmp_path)
    assert ModelRecord.read(tmp_path) == record
    assert [path.name for path in tmp_path.iterdir()] == [RECORD_FILE]
    assert json.loads((tmp_path / RECORD_FILE).read_text()) == {
        "recipe": "pairs",
        "levels": [{"name": "story", "dims": 8, "min_similarity": 0.5}],
        "prefix": "",
        "seed": 0,
        "k": 3,
    }


def test_a_folder_without_the_file_has_the_empty_record(tmp_path: Path):
    assert ModelRecord.read(tmp_path) == ModelRecord()
    assert ModelRecord().as_dict() == {}


def test_a_model_is_the_same_for_its_vectors_whatever_newsnest_json_says(tmp_path: Path):
    (tmp_path / "config.json").write_text("{}")
    before = folder_digests(tmp_path)
    ModelRecord(recipe="pairs").write(tmp_path)
    assert folder_digests(tmp_path) == before


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path):
    old = ModelRecord(recipe="old")
    old.write(tmp_path)
    with pytest.raises(TypeError):
        replace(old, details={"new": object()}).write(tmp_path)
    assert ModelRecord.read(tmp_path) == old


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path: Path):
    with pytest.raises(EncoderError, match="must be a folder that can be written to, got"):
        ModelRecord().write(tmp_path / "none")


def _rule(coefficients: str, intercept: str, more: str = "") -> str:
    linear = f'{{"coefficients": {coefficients}, "intercept": {intercept}}}'
    parts = ", ".join(f'"{name}": {linear}' for name in ("partner", "alone", "together"))
    return f'{{"story_rule": {{{parts}}}{more}}}'


def test_a_rule_for_stories_is_kept_as_it_is(tmp_path: Path):
    (tmp_path / RECORD_FILE).write_text(_rule('{"height": 2}', "-1.5"))
    record = ModelRecord.read(tmp_path)
    assert record.story_rule["alone"] == {"coefficients": {"height": 2}, "intercept": -1.5}
    assert record.as_dict() == {"story_rule": dict(record.story_rule)}


def test_a_model_goes_back_to_what_its_base_went_back_to():
    assert ModelRecord(base={"name": "own", "origin": "minilm"}).origin == "minilm"
    assert ModelRecord(base={"name": "minilm"}).origin == "minilm"
    assert ModelRecord(base={"name": "minilm"}, recipe="static").origin == "static"
    assert ModelRecord().origin == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"newsnest\.json must be JSON, got"),
        ("[]", "must hold a JSON object, got list"),
        ('{"levels": 3}', "levels must be a list of objects with name, dims .* got 3"),
        ('{"levels": [{"name": "story"}]}', "levels must be a list of objects"),
        ('{"levels": [{"name": "story", "dims": 0}]}', "levels must be a list of objects"),
        ('{"levels": [{"name": "s", "dims": 8, "min_similarity": 2}]}', "levels must be a list"),
        ('{"levels": [{"name": "story", "dims": 8, "dated": 2}]}', "levels must be a list of"),
        ('{"rotate": "yes"}', "rotate must be true or false, got 'yes'"),
        (
            '{"story_rule": 3}',
            "story_rule must be an object with partner, alone, together, .*got 3",
        ),
        ('{"story_rule": {"partner": {}}}', "story_rule must be an object with partner, alone"),
        (_rule("{}", '"high"'), "story_rule must be an object with .* coefficients by name and an"),
        (_rule('{"height": null}', "0"), "story_rule must be an object with partner, alone, toget"),
        (_rule("{}", "NaN"), "story_rule must be an object with partner, alone, together"),
        (
            _rule("{}", "0", ', "levels": [{"name": "story", "dims": 8, "min_similarity": 0.4}]'),
            "stories must have a story_rule or a min_similarity, got both",
        ),
        ("[" * 100_000, r"must be JSON, got: more than 100 lists or objects in each other"),
        ('{"a":' * 300 + "1" + "}" * 300, "more than 100 lists or objects in each other"),
        ('{"seed": ' + "9" * 5000 + "}", "must be JSON, got: Exceeds the limit"),
        ('{"levels": [{"name": "story", "dims": true}]}', "levels must be a list of objects"),
        (
            '{"levels": [{"name": "s", "dims": 8, "dated": NaN}]}',
            "levels must be a list of objects",
        ),
        (f'{{"levels": {list(range(10_000))}}}', "levels must be a list of objects .{0,300}$"),
        (_rule("{}", "1" + "0" * 400), "story_rule must be an object with partner, alone"),
        ('{"recipe": ["pairs"]}', r"recipe must be text, got \['pairs'\]"),
        ('{"chosen": {"prefix": 3}}', "prefix must be text, got 3"),
        ('{"max_length": "16"}', "max_length must be a whole number, got '16'"),
        ('{"seed": true}', "seed must be a whole number, got True"),
        ('{"seed": NaN}', "seed must be a whole number, got nan"),
        ('{"base": [1]}', r"base must be an object, got \[1\]"),
        ('{"versions": null}', "versions must be an object, got None"),
        ('{"chosen": 7}', "chosen must be an object, got 7"),
        ('{"data": {"a": 1}}', "data must be a list of objects, got {'a': 1}"),
        ('{"data": [{"digest": []}]}', "data must be a list of objects, got"),
        ('{"calibration": {"story": 0.5}}', "calibration must be an object of objects with their"),
        ('{"calibration": {"story": {"data": 3}}}', "calibration must be an object of objects"),
    ],
)
def test_a_record_of_another_shape_is_refused(tmp_path: Path, text: str, message: str):
    (tmp_path / RECORD_FILE).write_text(text)
    with pytest.raises(EncoderError, match=message):
        ModelRecord.read(tmp_path)


def test_a_record_that_is_no_text_huge_or_not_to_be_read_is_refused(tmp_path: Path, monkeypatch):
    path = tmp_path / RECORD_FILE
    path.write_bytes(b'{"recipe": "\xff"}')
    with pytest.raises(EncoderError, match="must be JSON, got: 'utf-8' codec can't decode"):
        ModelRecord.read(tmp_path)
    with path.open("wb") as file:
        file.truncate((64 << 20) + 1)
    with pytest.raises(EncoderError, match="must be JSON, got: more than 64 MB"):
        ModelRecord.read(tmp_path)
    monkeypatch.setattr(Path, "stat", lambda *_, **__: (_ for _ in ()).throw(OSError(5, "I/O")))
    monkeypatch.setattr(Path, "is_file", lambda _: True)
    with pytest.raises(EncoderError, match="must be a file that can be read, got: I/O. Check its"):
        ModelRecord.read(tmp_path)


@pytest.mark.parametrize("name", ["modules.json", "config_sentence_transformers.json"])
def test_a_model_whose_other_files_are_nested_too_deep_is_an_error_of_ours(
    static_model: Path, name: str
):
    from newsnest.embed import load_encoder

    (static_model / name).write_text("[" * 100_000)
    with pytest.raises(EncoderError, match="Save the model again|Save or download the model"):
        load_encoder(str(static_model)).prepare(["sea wall"])
