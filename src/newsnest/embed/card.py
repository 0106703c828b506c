"""A model's length, prompt and width from its configuration files, without loading the model."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from newsnest.embed.model_record import read_json

# Models whose length sentence-transformers takes from the two files that `_room` reads.
_PLAIN = ("bert", "distilbert", "mpnet", "roberta", "xlm-roberta")
_ENDLESS = 10**6
# In a Transformer's own file these overrule the tokenizer's and the model's files.
_OVERRULING = ("processor_kwargs", "tokenizer_args", "config_kwargs", "config_args",
               "do_lower_case")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Card:
    """What must be known of a model before it is loaded.

    `room` is how many tokens it reads, special ones included, None without a limit; `prompt` goes
    before texts to be clustered.
    """

    room: int | None
    prompt: str
    dimensions: int


def read_card(folder: Path) -> Card | None:
    """Return the card of a model of a usual make, None where it takes loading the model.

    Usual: a Transformer of a plain kind with a fast tokenizer, Pooling in one mode, and perhaps
    Normalize.
    """
    try:
        parts = _modules(folder)
        if parts is None:
            return None
        transformer, pooling = parts
        config = _read(folder / transformer / "sentence_bert_config.json")
        model = _read(folder / transformer / "config.json")
        usual = model["model_type"] in _PLAIN and not any(config.get(key) for key in _OVERRULING)
        if not usual or not (folder / transformer / "tokenizer.json").is_file():
            return None
        width = _width(_read(folder / pooling / "config.json"))
        if width is None:
            return None
        prompts = folder / "config_sentence_transformers.json"
        return Card(
            _room(config, model, _read(folder / transformer / "tokenizer_config.json")),
            clustering_prompt(_read(prompts) if prompts.is_file() else {}),
            width,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # loading the model raises, with the reason


def clustering_prompt(config: Mapping[str, Any]) -> str:
    """Return the prompt named "clustering", else the default one, else nothing."""
    prompts = config.get("prompts") or {}
    name = "clustering" if "clustering" in prompts else config.get("default_prompt_name")
    return str(prompts.get(name, "")) if name else ""


def usual_room(room: float | None) -> int | None:
    """Return a length, None for what stands for "no limit": nothing, infinity, a huge number."""
    return None if room is None or room > _ENDLESS else int(room)


def mean_pooled_bert(folder: Path) -> bool:
    """Tell whether a folder holds a BERT as it was first built, with mean pooling."""
    if read_card(folder) is None:
        return False
    parts = _modules(folder)
    assert parts is not None  # read_card has seen it
    transformer, pooling = parts
    model = _read(folder / transformer / "config.json")
    return (
        model["model_type"] == "bert"
        and model.get("hidden_act") == "gelu"
        and model.get("position_embedding_type", "absolute") == "absolute"
        and _modes(_read(folder / pooling / "config.json")) == ["mean"]
        and (folder / transformer / "model.safetensors").is_file()
    )


def model_modules(folder: Path) -> list[tuple[str, str]]:
    """Return kind and folder of each module of a model, as modules.json lists them."""
    modules = read_json(folder / "modules.json")
    return [(module["type"].rpartition(".")[2], str(module["path"])) for module in modules]


def transformer_folder(folder: Path) -> Path:
    """Return where the transformer's own files lie; for folders that have a card."""
    parts = _modules(folder)
    assert parts is not None
    return folder / parts[0]


def _modules(folder: Path) -> tuple[str, str] | None:
    """Return the folders of Transformer and Pooling, None where there is anything else."""
    found = model_modules(folder)
    kinds = [kind for kind, _ in found]
    if kinds not in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]):
        return None
    return found[0][1], found[1][1]


def _room(
    config: Mapping[str, Any], model: Mapping[str, Any], tokenizer: Mapping[str, Any]
) -> int | None:
    if config.get("max_seq_length") is not None:
        return usual_room(config["max_seq_length"])
    rooms = [tokenizer.get("model_max_length"), model.get("max_position_embeddings")]
    return usual_room(min((room for room in rooms if room is not None), default=None))


def _modes(pooling: Mapping[str, Any]) -> list[str]:
    """Return how token vectors become one, in the words of either kind of file."""
    if not pooling.get("include_prompt", True):
        return ["without prompt"]
    if "pooling_mode" in pooling:
        return [str(pooling["pooling_mode"])]
    marks = {key: mode for key, mode in pooling.items() if key.startswith("pooling_mode_")}
    return [
        key.removeprefix("pooling_mode_").removesuffix("_tokens")
        for key, chosen in marks.items()
        if chosen
    ]


def _width(pooling: Mapping[str, Any]) -> int | None:
    width = pooling.get("embedding_dimension", pooling.get("word_embedding_dimension"))
    modes = _modes(pooling)
    return None if width is None or len(modes) != 1 or "+" in modes[0] else int(width)


def _read(path: Path) -> dict[str, Any]:
    content = read_json(path)
    if not isinstance(content, dict):
        raise ValueError(f"{path} is no object")
    return content
