"""How training pairs are put into batches."""

from newsnest.train.samplers.component import ComponentBatchSampler
from newsnest.train.samplers.length import LengthBatchSampler
from newsnest.train.samplers.negatives import NegativeBatchSampler
from newsnest.train.samplers.packing import pack_pairs, pair_components

__all__ = [
    "ComponentBatchSampler",
    "LengthBatchSampler",
    "NegativeBatchSampler",
    "pack_pairs",
    "pair_components",
]
