"""Graded pairs of texts to train on: read, built from gold labels, split without leaks."""

from newsnest.train.pairs.build import BuildOptions, BuiltPairs, build_pairs
from newsnest.train.pairs.dataset import label_rows, pair_dataset
from newsnest.train.pairs.gold import GoldArticle, read_gold
from newsnest.train.pairs.pair import GRADES, Pair
from newsnest.train.pairs.read import PairSet, read_pairs
from newsnest.train.pairs.split import (
    Split,
    article_groups,
    leaking_pairs,
    split_articles,
    split_pairs,
)

__all__ = [
    "GRADES",
    "BuildOptions",
    "BuiltPairs",
    "GoldArticle",
    "Pair",
    "PairSet",
    "Split",
    "article_groups",
    "build_pairs",
    "label_rows",
    "leaking_pairs",
    "pair_dataset",
    "read_gold",
    "read_pairs",
    "split_articles",
    "split_pairs",
]
