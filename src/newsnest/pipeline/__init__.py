"""The straight walk: corpus → embed → cluster → describe → nest. The only composer of the parts."""

from newsnest.pipeline.build import Built, build
from newsnest.pipeline.options import Centre, Options

__all__ = ["Built", "Centre", "Options", "build"]
