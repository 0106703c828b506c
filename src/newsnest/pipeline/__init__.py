"""The straight walk: corpus → embed → cluster → describe → nest. The only composer of the parts."""

from newsnest.pipeline.build import Built, build
from newsnest.pipeline.nest_texts import NestConfig, NestedTexts, TextFrame, nest_texts
from newsnest.pipeline.options import Centre, Options

__all__ = [
    "Built", "Centre", "NestConfig", "NestedTexts", "Options", "TextFrame", "build", "nest_texts",
]  # fmt: skip
