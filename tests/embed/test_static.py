from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from newsnest.embed import StaticEncoder
from newsnest.embed.kept import cache_folder
from newsnest.embed.pieces import plain_tokenizer
from newsnest.embed.static import name_unknown
from newsnest.errors import EncoderError


def test_distilled_once_kept_whole_and_verified(tiny_model, tmp_path, tally, monkeypatch, capfd):
    def make():
        return StaticEncoder(locate=lambda progress: tiny_model, folder=tmp_path)

    first = make()
    first.prepare([], progress=tally)
    assert "once on this machine" in tally.notes[0]
    assert " s, kept in " in tally.notes[1]
    assert capfd.readouterr() == ("", "")
    (kept,) = (tmp_path / "static").iterdir()

    monkeypatch.setattr(StaticEncoder, "_distil", lambda *a: pytest.fail("distilled twice"))
    second = make()
    second.prepare([])
    assert second.fingerprint == first.fingerprint
    assert second.encode(["sea wall"]).tobytes() == first.encode(["sea wall"]).tobytes()

    # No torch where the vectors are kept already.
    code = (
        "import sys; from pathlib import Path; from newsnest.embed import StaticEncoder; "
        f"e = StaticEncoder(locate=lambda p: Path({str(tiny_model)!r}), "
        f"folder=Path({str(tmp_path)!r})); e.encode(['sea wall']); "
        "print('torch' in sys.modules, 'transformers' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]

    (kept / "model.safetensors").write_bytes(b"torn")
    with pytest.raises(EncoderError, match=r"must have SHA-256 .* Delete .* and run again"):
        make().prepare([])
    (kept / "newsnest-static.json").unlink()
    with pytest.raises(EncoderError, match="must hold the distilled vectors, got"):
        make().prepare([])


def test_a_failed_distillation_leaves_nothing(tiny_model, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "model2vec.distill", None)
    encoder = StaticEncoder(locate=lambda progress: tiny_model, folder=tmp_path)
    with pytest.raises(
        EncoderError, match=r"must be distilled by model2vec .*model2vec\[distill\]"
    ):
        encoder.prepare([])
    assert list((tmp_path / "static").iterdir()) == []


def test_a_model_that_is_not_whole_is_told(tiny_model, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(tiny_model, broken)
    weights = next(broken.rglob("*.safetensors"))
    weights.write_bytes(weights.read_bytes()[:99])
    encoder = StaticEncoder(locate=lambda progress: broken, folder=tmp_path / "cache")
    with pytest.raises(EncoderError, match="must be a model that model2vec can distil, got Safe"):
        encoder.prepare([])


def test_a_cache_that_cannot_be_written_is_told(tiny_model, tmp_path):
    (tmp_path / "file").touch()
    encoder = StaticEncoder(locate=lambda progress: tiny_model, folder=tmp_path / "file")
    with pytest.raises(EncoderError, match="cache must be a folder that can be written to, got"):
        encoder.prepare([])


def test_the_cache_folder_follows_the_environment(monkeypatch):
    monkeypatch.setenv("NEWSNEST_CACHE", "/a")
    monkeypatch.setenv("XDG_CACHE_HOME", "/b")
    assert cache_folder() == Path("/a")
    monkeypatch.delenv("NEWSNEST_CACHE")
    assert cache_folder() == Path("/b/newsnest")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "newsnest"


@pytest.mark.parametrize("variable", ["NEWSNEST_CACHE", "XDG_CACHE_HOME"])
def test_a_cache_in_the_home_of_nobody_is_told(monkeypatch, variable):
    monkeypatch.delenv("NEWSNEST_CACHE", raising=False)
    monkeypatch.setenv(variable, "~nobody-here/x")
    with pytest.raises(EncoderError, match="home folder that exists, got '~nobody-here/x'. Set"):
        cache_folder()


def test_the_unknown_piece_of_a_unigram_keeps_its_number_when_others_are_left_out(tmp_path):
    path = tmp_path / "tokenizer.json"
    vocab = [["<pad>", 0.0], ["<unk>", 0.0], [",", -3.0]]
    tokenizer = {"version": "1.0", "model": {"type": "Unigram", "unk_id": 2, "vocab": vocab}}
    path.write_text(json.dumps(tokenizer))
    name_unknown(path)
    assert plain_tokenizer(tmp_path).encode("x").ids == [1]
    path.write_text('{"model": {"type": "WordPiece"}}')
    name_unknown(path)
    assert path.read_text() == '{"model": {"type": "WordPiece"}}'
