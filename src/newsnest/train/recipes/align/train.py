"""What the recipe `align` does, step by step; loads torch."""

from collections.abc import Sequence
from functools import partial

from sentence_transformers import SentenceTransformer
from torch import nn

from newsnest.errors import InputError, ParameterError
from newsnest.evaluate.alignment import MIN_SENTENCES, relational_similarity
from newsnest.labelled import Pair
from newsnest.train.evaluators import EncoderEvaluator
from newsnest.train.losses import TranslationLoss, TranslationTerms
from newsnest.train.recipes.align import AlignSettings
from newsnest.train.run import JUDGE, PairRun, Publication, TrainingContext
from newsnest.train.samplers import LengthBatchSampler


def train_align(context: TrainingContext[AlignSettings]) -> None:
    """Train as `newsnest.train.recipes.align.ALIGN` describes."""
    s, data = context.settings, context.read_pairs()
    held = data.validation
    if len(held) < MIN_SENTENCES:
        raise InputError(
            f"train align: there must be {MIN_SENTENCES} translations to validate on, got "
            f"{len(held)}. Give more data, or raise validation."
        )
    teacher = context.load_base()
    run = PairRun(
        context=context,
        make_loss=partial(_make_loss, s, teacher),
        data=data,
        judge=TransferEvaluator(held, teacher=teacher, name=JUDGE),
        sampler=LengthBatchSampler,
        connect_from=None,
    )
    run.train()
    pivot = data.train[0].lang2

    publication = Publication(
        title="An encoder that learned other languages",
        text=f"Trained from {s.base} by `newsnest train align`. Validation: relational similarity "
        f"with the base's {pivot}.",
        chosen={"pivot": pivot, "languages": sorted({pair.lang1 for pair in data.train})},
    )
    run.publish(publication, {"of translations": "relational", f"of {pivot}": "kept"})


def _make_loss(
    s: AlignSettings, teacher: SentenceTransformer, model: SentenceTransformer
) -> TranslationLoss:
    if not s.dropout:
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0  # what is saved stays the base's
    terms = TranslationTerms(s.original, s.similarity, s.contrastive, s.temperature)
    return TranslationLoss(model, teacher=teacher, terms=terms, mini_batch_size=s.mini_batch_size)


class TransferEvaluator(EncoderEvaluator):
    """How far translations, and originals, lie to each other as a frozen teacher has the originals.

    `AlignmentEvaluator` compares languages within one model; a model that forgets its own language
    may gain there. This one loses. The first text of a pair is a translation, the second its
    original in the language that the teacher knows, which encodes the originals once.

    Metrics: `relational`, the relational similarity of the model's translations and the teacher's
    originals, all languages together; `kept`, that of the model's originals and the teacher's;
    `transfer`, the mean of the two, is primary. `relational_fr` and so on for languages of three
    sentences or more. Raises ParameterError if there are fewer than three sentences.
    """

    def __init__(
        self, pairs: Sequence[Pair], *, teacher: SentenceTransformer, name: str = ""
    ) -> None:
        super().__init__("transfer", name=name, batch_size=64)
        if len(pairs) < MIN_SENTENCES:
            raise ParameterError(
                f"TransferEvaluator: pairs must hold at least {MIN_SENTENCES} sentences, got "
                f"{len(pairs)}. Keep more to validate on."
            )
        self.translations = [pair.text1 for pair in pairs]
        self.originals = [pair.text2 for pair in pairs]
        self.rows: dict[str, list[int]] = {}
        for row, pair in enumerate(pairs):
            self.rows.setdefault(pair.lang1, []).append(row)
        self.targets = self._encode(teacher, self.originals)

    def scores(self, model: SentenceTransformer) -> dict[str, float]:
        """Return the three means, then every language."""
        translated = self._encode(model, self.translations)
        relational = _number(relational_similarity(translated, self.targets))
        now = self._encode(model, self.originals)
        kept = _number(relational_similarity(now, self.targets))
        single = {
            f"relational_{language}": _number(
                relational_similarity(translated[rows], self.targets[rows])
            )
            for language, rows in sorted(self.rows.items())
            if len(rows) >= MIN_SENTENCES
        }
        means = {"transfer": (relational + kept) / 2, "relational": relational, "kept": kept}
        return means | single


def _number(value: float) -> float:
    """Return 0, as of no relation at all, where nothing is defined."""
    return value if value == value else 0.0
