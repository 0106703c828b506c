"""Labels, graded pairs, parallel texts and judgements, read as `newsnest.corpus` reads articles.

Evaluation and training read their files here: strictly where every row counts, with counts of what
was left out where they do not.
"""

from newsnest.labelled.articles import GoldArticle, LabelledArticles, read_gold, read_labelled
from newsnest.labelled.build import BuildOptions, BuiltPairs, build_pairs
from newsnest.labelled.column_pairs import ColumnReading, all_column_pairs, read_column_pairs
from newsnest.labelled.data_files import DataFile, parse_data
from newsnest.labelled.graded import GradedReading, read_training_data
from newsnest.labelled.labels import Joined, LabelTable, join_labels, read_labels, read_levels
from newsnest.labelled.pairs import GRADES, Gold, Pair, PairFile, read_pairs, same_text
from newsnest.labelled.parallel import ParallelFile, ParallelTexts, read_parallel
from newsnest.labelled.retrieval import RetrievalTask, read_query_items, read_retrieval
from newsnest.labelled.split import (
    Split,
    article_components,
    article_groups,
    draw,
    leaking_pairs,
    split_articles,
    split_pairs,
)
from newsnest.labelled.texts import TextReading, TrainingTexts, read_training_texts
from newsnest.labelled.titled import TitledArticles, TitledReading, read_titled
from newsnest.labelled.training import Splitting, TrainingData, in_words
from newsnest.labelled.translations import ParallelReading, read_translations

__all__ = [
    "GRADES", "BuildOptions", "BuiltPairs", "ColumnReading", "DataFile", "Gold", "GoldArticle",
    "GradedReading", "Joined", "LabelTable", "LabelledArticles", "Pair", "PairFile",
    "ParallelFile", "ParallelReading", "ParallelTexts", "RetrievalTask", "Split", "Splitting",
    "TextReading", "TitledArticles", "TitledReading", "TrainingData", "TrainingTexts",
    "all_column_pairs", "article_components", "article_groups", "build_pairs", "draw", "in_words",
    "join_labels", "leaking_pairs", "parse_data", "read_column_pairs", "read_gold",
    "read_labelled", "read_labels", "read_levels", "read_pairs", "read_parallel",
    "read_query_items",
    "read_retrieval", "read_titled", "read_training_data", "read_training_texts",
    "read_translations", "same_text", "split_articles", "split_pairs",
]  # fmt: skip
