"""The straight walk: corpus → embed → cluster → describe → nest. The only composer of the parts."""

from newsnest.options import Centre, Options
from newsnest.pipeline.build import Built, build
from newsnest.pipeline.nest_texts import NestConfig, NestedTexts, TextFrame, nest_texts
from newsnest.pipeline.recut import recut

__all__ = [
    "Built", "Centre", "NestConfig", "NestedTexts", "Options", "TextFrame", "build", "nest_texts",
    "recut",
]  # fmt: skip
