"""The model a recipe starts from, and what is done to its weights: LoRA, averaging, saving."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

from newsnest import embed
from newsnest.embed import card, loading, weights
from newsnest.errors import EncoderError, ParameterError
from newsnest.progress import SILENT, Progress

_PROMPT = "clustering"

Weights = Mapping[str, torch.Tensor]


@dataclass(frozen=True, slots=True)
class Base:
    """A model to start from, as named, and where it lies.

    Where `max_length`, the tokens read of a text, `prefix`, put before every text, or `pooling` of
    token vectors is None, it is the model's own.
    """

    name: str
    folder: Path
    max_length: int | None = None
    prefix: str | None = None
    pooling: str | None = None


def find_base(
    name: str,
    *,
    prefix: str | None = None,
    pooling: str | None = None,
    max_length: int | None = None,
    progress: Progress = SILENT,
) -> Base:
    """Find the model of a name, a folder or a hub id.

    Raises EncoderError where there is none, or it cannot be verified or fetched, and ParameterError
    where the name is that of an encoder without weights to train.
    """
    folder = weights.expanded(name)
    if name in embed.KNOWN or not name or not folder.exists():
        encoder = embed.load_encoder(name)
        if not isinstance(encoder, embed.SentenceTransformerEncoder):
            raise ParameterError(
                f"find_base: base must be a transformer, got {name!r}. Choose {embed.base_names()}."
            )
        folder, its_length, its_prefix = encoder.origin(progress)
        max_length = max_length or its_length
        prefix = its_prefix if prefix is None else prefix
    weights.check_model_folder(folder)
    return Base(name, folder, max_length, prefix, pooling)


def load_base(base: Base, *, device: str | None = None) -> SentenceTransformer:
    """Load a model in float32, with the prefix, pooling and length to train with.

    Raises EncoderError where it cannot be loaded, and ParameterError where it reads fewer tokens
    than asked for, or has no pooling that could be another.
    """
    try:
        with loading.quiet_loading():
            model = SentenceTransformer(
                str(base.folder), device=device, model_kwargs={"dtype": torch.float32}
            )
    except Exception as error:  # whatever other people's code makes of a folder that is not whole
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise EncoderError(
            f"load_base: {base.folder} must hold a sentence-transformers model, got: {reason} "
            "Save it again with save_pretrained()."
        ) from error
    _set_prefix(model, base)
    _set_length(model, base)
    _set_pooling(model, base)
    return model


def prefix_of(model: SentenceTransformer) -> str:
    """Return what a loaded model puts before every text."""
    return card.clustering_prompt(
        {"prompts": model.prompts, "default_prompt_name": model.default_prompt_name}
    )


def _set_prefix(model: SentenceTransformer, base: Base) -> None:
    prefix = prefix_of(model) if base.prefix is None else base.prefix
    if prefix or _PROMPT in model.prompts:
        model.prompts = {**model.prompts, _PROMPT: prefix}
    model.default_prompt_name = _PROMPT if prefix else None


def _set_length(model: SentenceTransformer, base: Base) -> None:
    if base.max_length is None:
        return
    config = model[0].auto_model.config if isinstance(model[0], Transformer) else None
    room = getattr(config, "max_position_embeddings", None)
    if room is not None and base.max_length > room:
        raise ParameterError(
            f"load_base: max_length must be at most {room}, which {base.name} can read, "
            f"got {base.max_length}. Lower it."
        )
    model.max_seq_length = base.max_length


def _set_pooling(model: SentenceTransformer, base: Base) -> None:
    if base.pooling is None:
        return
    if len(model) < 2 or not isinstance(model[1], Pooling):
        kinds = ", ".join(type(module).__name__ for module in model)
        raise ParameterError(
            f"load_base: pooling must be none for {base.name}, whose modules are {kinds}, "
            f"got {base.pooling!r}. Leave it out."
        )
    model[1] = Pooling(model[0].get_embedding_dimension(), base.pooling)


def add_lora(model: SentenceTransformer, rank: int) -> None:
    """Put LoRA adapters of a rank on the transformer; nothing else of it is trained from then on.

    Every linear layer gets one, with alpha twice the rank and a dropout of .1. Raises
    ParameterError where the model has no transformer, or a lower width, or peft is missing.
    """
    try:
        from peft import LoraConfig, TaskType, get_peft_model
    except ImportError as error:
        raise ParameterError(
            "add_lora: the package peft must be installed, got none. "
            'Run pip install "newsnest[train]".'
        ) from error
    if not isinstance(model[0], Transformer):
        raise ParameterError(
            f"add_lora: lora must be none for {type(model[0]).__name__}, got rank {rank}. "
            "Leave it out."
        )
    layers = [m for m in model[0].auto_model.modules() if isinstance(m, torch.nn.Linear)]
    widest = max((min(m.in_features, m.out_features) for m in layers), default=0)
    if rank > widest:
        raise ParameterError(
            f"add_lora: lora must be at most {widest}, the width of the model, got {rank}. Lower "
            "it, or leave it out to train all weights."
        )
    config = LoraConfig(
        task_type=TaskType.FEATURE_EXTRACTION,
        r=rank,
        lora_alpha=2 * rank,
        lora_dropout=0.1,
        target_modules="all-linear",
        exclude_modules=r".*pooler.*",  # no part of a sentence embedding
    )
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    model[0].model = get_peft_model(model[0].auto_model, config)


def merge_lora(model: SentenceTransformer) -> None:
    """Merge the adapters into their weights; the model is a stock one again."""
    model[0].model = model[0].auto_model.merge_and_unload()


def average_weights(model: SentenceTransformer, base: Weights, share: float) -> None:
    """Move the weights of a model, in place, towards `base`, the state of one of the same make.

    A share of 0 leaves the model as it is, 1 makes it the base. Source: WiSE-FT (arXiv 2109.01903),
    equation 1.
    """
    with torch.no_grad():
        for name, weight in model.named_parameters():  # tied ones once
            weight.lerp_(base[name].to(weight), share)
