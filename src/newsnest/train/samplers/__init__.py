"""How training pairs are put into batches: each sampler plugs into the trainer's arguments."""

from newsnest.train.samplers.base import LengthBatchSampler
from newsnest.train.samplers.component import ComponentBatchSampler, NegativeBatchSampler
from newsnest.train.samplers.packing import pack_pairs, text_components
from newsnest.train.samplers.stratified import Clustering, ClusterStratifiedBatchSampler, Strata

__all__ = [
    "ClusterStratifiedBatchSampler",
    "Clustering",
    "ComponentBatchSampler",
    "LengthBatchSampler",
    "NegativeBatchSampler",
    "Strata",
    "pack_pairs",
    "text_components",
]
