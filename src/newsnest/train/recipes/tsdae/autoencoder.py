"""An encoder with a decoder, and a head where there is one: what is trained, epoch by epoch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Transformer
from torch import Tensor, nn

from newsnest.embed import base_names
from newsnest.errors import InputError, ParameterError
from newsnest.progress import Task
from newsnest.train.losses.reconstruction import ReconstructionDecoder, check_reconstruction
from newsnest.train.recipes.tsdae import DenoisingSettings
from newsnest.train.run import prefix_of, same_dice
from newsnest.train.unlabelled import delete_words
from newsnest.types import Ints, Vectors

_WINDOW = 32  # batches whose texts are sorted by length: less padding, still at random
_ENCODED = 64  # texts at a time where nothing is trained
_CLIP = 1.0


@dataclass(frozen=True, slots=True)
class Targets:
    """What a head should predict."""

    shares: Vectors  # float32 (n, k), rows sum to 1; rows without confidence may be anything
    confidence: Vectors  # (n,), at least 0: how much a row counts
    weight: float  # λ in [0, 1], of the clusters against the reconstruction


@dataclass(frozen=True, slots=True)
class Epoch:
    """How an epoch is trained."""

    key: tuple[int, ...]  # decides noise, batches and dropout: equal keys give equal epochs
    done: int  # steps of the stage before this epoch
    rising: int  # steps over which the rates rise
    targets: Targets | None = None  # of the head; None: reconstruction alone


@dataclass(frozen=True, slots=True)
class Losses:
    """Mean losses of an epoch; `clusters` is 0 where there are no targets."""

    reconstruction: float
    clusters: float


class Autoencoder:
    """A model, texts, and what restores the texts from the model's vectors.

    The model is trained in place; each call chooses which texts it trains on. Raises ParameterError
    if the model is no transformer, and InputError if no text has a token that it knows.
    """

    def __init__(
        self,
        model: SentenceTransformer,
        texts: Sequence[str],
        settings: DenoisingSettings,
        *,
        bfloat16: bool,
    ) -> None:
        if not isinstance(model[0], Transformer):
            raise ParameterError(
                f"Autoencoder: base must be a transformer, got {type(model[0]).__name__}. "
                f"Choose {base_names()}."
            )
        self.model, self.texts, self.settings = model, texts, settings
        self.bfloat16 = bfloat16
        self.prefix = prefix_of(model) or None
        found = model.tokenizer(
            list(texts),
            add_special_tokens=False,
            truncation=True,
            max_length=settings.restored_tokens,
        )["input_ids"]
        vocabulary = np.unique(np.concatenate([np.asarray(row, np.int64) for row in found]))
        unknown = model.tokenizer.unk_token_id
        if not np.setdiff1d(vocabulary, [] if unknown is None else [unknown]).size:
            raise InputError(
                "train: the texts hold no token that the base knows. "
                "Choose a base for their language, such as multilingual."
            )
        self.tokens = [np.searchsorted(vocabulary, np.asarray(row, np.int64)) for row in found]
        self.lengths = np.array([len(row) for row in self.tokens])
        self.head: nn.Linear | None = None
        self.frozen = False
        with same_dice():
            # The decoder starts the same whatever has drawn before.
            torch.manual_seed(settings.seed)
            self.decoder = ReconstructionDecoder(
                int(model.get_embedding_dimension() or 0),
                vocabulary.tolist(),
                embeddings=token_table(model),
            ).to(model.device)

    def set_head(self, weight: Vectors, bias: Vectors) -> None:
        """Give it a linear head: weight (k, d), bias (k,)."""
        k, d = weight.shape
        self.head = nn.Linear(d, k).to(self.model.device)
        with torch.no_grad():
            self.head.weight.copy_(torch.from_numpy(np.ascontiguousarray(weight)))
            self.head.bias.copy_(torch.from_numpy(bias))

    def modules(self) -> dict[str, nn.Module]:
        """Return what has weights, by name."""
        parts: dict[str, nn.Module] = {"model": self.model, "decoder": self.decoder}
        if self.head is not None:
            parts["head"] = self.head
        return parts

    def optimizer(self) -> torch.optim.AdamW:
        """Return AdamW over the weights, without the encoder's where it is frozen."""
        s = self.settings
        own = [p for name, part in self.modules().items() if name != "model"
               for p in part.parameters()]  # fmt: skip
        groups = [{"params": own, "lr": s.head_learning_rate, "peak": s.head_learning_rate}]
        if not self.frozen:
            weights = [p for p in self.model.parameters() if p.requires_grad]
            groups.append({"params": weights, "lr": s.learning_rate, "peak": s.learning_rate})
        return torch.optim.AdamW(groups, weight_decay=s.weight_decay, fused=True)

    def encode(self) -> Vectors:
        """Return unit vectors of the clean texts, float32 (n, d)."""
        self.model.eval()
        with self._precision():
            found = self.model.encode(
                list(self.texts),
                prompt=self.prefix or "",
                batch_size=_ENCODED,
                show_progress_bar=False,
                convert_to_tensor=True,
                normalize_embeddings=True,
            )
        # Once more in float32: under autocast lengths are 1 to three digits only.
        vectors: Vectors = nn.functional.normalize(found.float(), dim=1).cpu().numpy()
        return vectors

    def noised(self, rows: Sequence[int], rng: np.random.Generator) -> Tensor:
        """Return the vectors (b, d) of noised texts, with their graph."""
        texts = [delete_words(self.texts[row], self.settings.noise, rng) for row in rows]
        features = self.model.preprocess(texts, prompt=self.prefix)
        features = {
            name: value.to(self.model.device) if isinstance(value, Tensor) else value
            for name, value in features.items()
        }
        vectors: Tensor = self.model(features)["sentence_embedding"]
        return vectors

    def wanted(self, rows: Sequence[int]) -> Tensor:
        """Return the tokens to restore, int64 (b, t), −100 after the end of a text."""
        width = max(1, *(len(self.tokens[row]) for row in rows))
        out = np.full((len(rows), width), -100, np.int64)
        for at, row in enumerate(rows):
            out[at, : len(self.tokens[row])] = self.tokens[row]
        return torch.from_numpy(out).to(self.model.device)

    def batches(self, rows: Ints, rng: np.random.Generator) -> list[list[int]]:
        """Deal rows into batches at random, those of like length together."""
        size = self.settings.batch_size
        order = rng.permutation(rows)
        out: list[list[int]] = []
        for start in range(0, len(order), size * _WINDOW):
            window = order[start : start + size * _WINDOW]
            window = window[np.argsort(self.lengths[window], kind="stable")]
            out += [window[at : at + size].tolist() for at in range(0, len(window), size)]
        return [out[at] for at in rng.permutation(len(out)).tolist()]

    def losses(
        self, rows: Sequence[int], rng: np.random.Generator, targets: Targets | None
    ) -> tuple[Tensor, Tensor]:
        """Return the reconstruction and the cluster loss of a batch."""
        with self._precision():
            with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
                vectors = self.noised(rows, rng)
            rebuilt = self.decoder(vectors, self.wanted(rows))
            if targets is None or self.head is None:
                return rebuilt, rebuilt.new_zeros(())
            logits = self.head(nn.functional.normalize(vectors, dim=1)).float()
        # Outside of autocast, so that the log-softmax is in float32.
        device = logits.device
        shares = torch.from_numpy(targets.shares[rows]).to(device)
        confidence = torch.from_numpy(targets.confidence[rows]).to(device)
        return rebuilt, cluster_loss(logits, shares, confidence)

    def check(self, rows: Ints) -> float:
        """Return the length of the reconstruction's gradient at the vectors of a first batch.

        Raises ParameterError if none reaches them.
        """
        self.model.train()
        chosen = rows[: self.settings.batch_size].tolist()
        with same_dice(), self._precision():
            vectors = self.noised(chosen, np.random.default_rng(0))
            return check_reconstruction(self.decoder(vectors, self.wanted(chosen)), vectors)

    def held_out_loss(self, rows: Ints) -> float:
        """Return the reconstruction loss of rows, a token's mean; the noise is always the same."""
        rng = np.random.default_rng([3, self.settings.seed])
        for part in self.modules().values():
            part.eval()
        total = count = 0.0
        ordered = rows[np.argsort(self.lengths[rows], kind="stable")]
        with torch.no_grad():
            for start in range(0, len(ordered), self.settings.batch_size):
                chosen = ordered[start : start + self.settings.batch_size].tolist()
                tokens = float(self.lengths[chosen].sum())
                total += float(self.losses(chosen, rng, None)[0]) * tokens
                count += tokens
        return total / max(count, 1.0)

    def head_arrays(self) -> tuple[Vectors, Vectors]:
        """Return weight (k, d) and bias (k,) of the head, float32."""
        assert self.head is not None
        weight, bias = (p.detach().float().cpu().numpy() for p in self.head.parameters())
        return weight, bias

    def probabilities(self, vectors: Vectors) -> Vectors:
        """Return the head's soft assignment, float32 (n, k)."""
        assert self.head is not None
        with torch.no_grad():
            logits = self.head(torch.from_numpy(vectors).to(self.model.device))
            found: Vectors = logits.float().softmax(dim=1).cpu().numpy()
        return found

    def state(self) -> dict[str, Tensor]:
        """Return all weights, by part and name, contiguous and on the CPU."""
        return {
            f"{part}.{name}": value.detach().cpu().contiguous().clone()
            for part, module in self.modules().items()
            for name, value in module.state_dict().items()
        }

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take weights that `state` gave; the head is that of the state, or none."""
        self.head = None
        if "head.weight" in state:
            k, d = state["head.weight"].shape
            self.head = nn.Linear(d, k).to(self.model.device)
        for part, module in self.modules().items():
            own = {
                n.removeprefix(f"{part}."): v for n, v in state.items() if n.startswith(f"{part}.")
            }
            module.load_state_dict(own)

    def _precision(self) -> torch.autocast:
        device = self.model.device.type
        return torch.autocast(device, dtype=torch.bfloat16, enabled=self.bfloat16)


def token_table(model: SentenceTransformer) -> nn.Parameter | None:
    """Return the token embeddings of a model; None where they are no plain table."""
    try:
        table = model[0].auto_model.get_input_embeddings()
    except (AttributeError, NotImplementedError):
        return None
    weight = getattr(table, "weight", None)
    return weight if isinstance(weight, nn.Parameter) and weight.dim() == 2 else None


def cluster_loss(logits: Tensor, shares: Tensor, confidence: Tensor) -> Tensor:
    """Return the cross-entropy of soft targets, each row as much as it is confident.

    From (b, k), rows of `shares` sum to 1, and confidence (b,) of at least 0, a scalar:
    Σ confidence · CE / b. 0 where no row is confident.
    """
    rows = -(shares * logits.log_softmax(dim=1)).sum(dim=1)  # (b,)
    return (rows * confidence).mean()


def train_epoch(
    auto: Autoencoder, rows: Ints, optimizer: torch.optim.Optimizer, epoch: Epoch, task: Task
) -> Losses:
    """Train an epoch on rows in place, and return its mean losses.

    The optimizer is that of `auto.optimizer`; each step advances `task`. Raises ParameterError if a
    loss is not finite.
    """
    rng = np.random.default_rng(list(epoch.key))
    # By the epoch's own key: dropout is the same after a resumption.
    torch.manual_seed(int(rng.integers(2**31)))
    for part in auto.modules().values():
        part.train()
    weight = 0.0 if epoch.targets is None else epoch.targets.weight
    sums = np.zeros(2)
    for number, chosen in enumerate(auto.batches(rows, rng), start=epoch.done + 1):
        rise = min(1.0, number / max(1, epoch.rising))
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * rise
        rebuilt, clusters = auto.losses(chosen, rng, epoch.targets)
        losses = np.array([float(rebuilt.detach()), float(clusters.detach())])
        if not np.isfinite(losses).all():
            raise ParameterError(
                f"train: the losses must stay finite, got {losses[0]:g} and {losses[1]:g} at step "
                f"{number}. Lower learning_rate, or set precision=float32."
            )
        torch.autograd.backward(weight * clusters + (1 - weight) * rebuilt)
        for group in optimizer.param_groups:
            nn.utils.clip_grad_norm_(group["params"], _CLIP)
        optimizer.step()
        for part in auto.modules().values():  # a frozen encoder too: the decoder reads its table
            part.zero_grad(set_to_none=True)
        sums += losses * len(chosen)
        task.advance()
    mean = sums / len(rows)
    return Losses(float(mean[0]), float(mean[1]))
