"""Vectors → hierarchy: exact average linkage, level by level. Sees arrays only, never text."""

from newsnest.cluster.rac import RAC, agglomerate

__all__ = ["RAC", "agglomerate"]
