from __future__ import annotations

import json
import os
import signal

# Before anything imports huggingface_hub, which reads it once.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from collections.abc import Callable
from pathlib import Path

import pytest

from newsnest.progress import Task
from recipe_rows import gold_rows, write_pairs

# Tests interrupt commands, which inherit what a shell that runs us in the background has ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)

WORDS = """sea wall breached town rates held bank raises cut storm hits coast minister resigns after
vote police arrest three in raid team wins cup final strike ends query the holds"""


class Tally:
    """A progress that remembers."""

    def __init__(self) -> None:
        self.tasks: list[tuple[str, int | None, str]] = []
        self.done = 0
        self.notes: list[str] = []

    def start(self, what: str, total: int | None, unit: str) -> Task:
        self.tasks.append((what, total, unit))
        return _TallyTask(self)

    def note(self, message: str) -> None:
        self.notes.append(message)


class _TallyTask(Task):
    def __init__(self, tally: Tally) -> None:
        self.tally = tally

    def advance(self, steps: int = 1) -> None:
        self.tally.done += steps


@pytest.fixture
def tally() -> Tally:
    return Tally()


def build_tiny_model(folder: Path, *, max_length: int = 16, prompts: dict[str, str] | None = None):
    """Save a BERT of 2 layers and 32 dimensions over a few words, by stock modules only."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = "abcdefghijklmnopqrstuvwxyz:."
    tokens = [*marks, *WORDS.split(), *letters, *(f"##{letter}" for letter in letters)]
    vocabulary = {token: i for i, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(
        ("[SEP]", vocabulary["[SEP]"]), ("[CLS]", vocabulary["[CLS]"])
    )
    base = folder / "base"
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    ).save_pretrained(base)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(base)
    transformer = Transformer(str(base))
    pooling = Pooling(32, "mean")
    model = SentenceTransformer(modules=[transformer, pooling], device="cpu", prompts=prompts)
    model.max_seq_length = max_length
    model.save_pretrained(str(folder / "model"), create_model_card=False)
    return folder / "model"


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def make_tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    return lambda **options: build_tiny_model(tmp_path_factory.mktemp("tiny"), **options)


@pytest.fixture
def static_model(tiny_model: Path, tmp_path: Path) -> Path:
    """A static model as sentence-transformers saves it, over the tokens of the tiny model."""
    import numpy as np
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(tiny_model / "tokenizer.json"))
    rows = np.random.default_rng(0).standard_normal((tokenizer.get_vocab_size(), 12))
    modules = [StaticEmbedding(tokenizer, embedding_weights=rows.astype(np.float32)), Normalize()]
    SentenceTransformer(modules=modules, device="cpu").save_pretrained(str(tmp_path / "saved"))
    return tmp_path / "saved"


@pytest.fixture
def pair_file(tmp_path: Path) -> Path:
    return write_pairs(tmp_path / "pairs.csv")


@pytest.fixture
def write_rows(tmp_path: Path) -> Callable[..., Path]:
    def write(name: str, rows: list[dict[str, object]]) -> Path:
        path = tmp_path / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return path

    return write


@pytest.fixture
def gold_file(write_rows) -> Path:
    return write_rows("gold.jsonl", gold_rows())
