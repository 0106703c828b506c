"""How training pairs are put into batches."""

from newsnest.train.samplers.component import ComponentBatchSampler
from newsnest.train.samplers.packing import pack_pairs, pair_components

__all__ = ["ComponentBatchSampler", "pack_pairs", "pair_components"]
