"""Kept: the nest, one SQLite file with articles, vectors, clusters, names and history."""

from newsnest.nest.export import export
from newsnest.nest.records import Cluster, Member, Rejected, Result, Run, Sentence, plural
from newsnest.nest.store import Nest

__all__ = ["Cluster", "Member", "Nest", "Rejected", "Result", "Run", "Sentence", "export", "plural"]
