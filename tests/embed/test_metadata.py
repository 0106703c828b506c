from __future__ import annotations

import json
from pathlib import Path

import pytest

from newsnest.embed.weights import METADATA, folder_digests, read_metadata, write_metadata
from newsnest.errors import EncoderError


def test_what_is_written_is_read_and_leaves_no_draft(tmp_path: Path):
    content = {"levels": [{"name": "story", "dims": 8, "min_similarity": 0.5, "dated": None}]}
    write_metadata(tmp_path, {"old": True})
    write_metadata(tmp_path, content)
    assert read_metadata(tmp_path) == content
    assert [path.name for path in tmp_path.iterdir()] == [METADATA]


def test_a_model_is_the_same_for_its_vectors_whatever_newsnest_json_says(tmp_path: Path):
    (tmp_path / "config.json").write_text("{}")
    before = folder_digests(tmp_path)
    write_metadata(tmp_path, {"levels": []})
    assert folder_digests(tmp_path) == before


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path):
    write_metadata(tmp_path, {"old": True})
    with pytest.raises(TypeError):
        write_metadata(tmp_path, {"new": object()})
    assert read_metadata(tmp_path) == {"old": True}


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path: Path):
    with pytest.raises(EncoderError, match="must be a folder that can be written to, got"):
        write_metadata(tmp_path / "none", {})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"rotate": "yes"}, "rotate must be true or false, got 'yes'"),
        ({"levels": [{"name": "story", "dims": 8, "dated": 2}]}, "levels must be a list of"),
    ],
)
def test_metadata_of_another_shape_is_refused(tmp_path: Path, content, message):
    (tmp_path / METADATA).write_text(json.dumps(content))
    with pytest.raises(EncoderError, match=message):
        read_metadata(tmp_path)
