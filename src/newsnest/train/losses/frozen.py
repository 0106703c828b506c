"""A model that is read and never trained, beside one that is."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class FrozenReader:
    """Reads texts by a frozen model; no module, so that it is no child of the loss it stands in.

    A child would get an optimizer and a wrapper, and be saved.

    Parameters
    ----------
    model
        Frozen from here on.
    """

    def __init__(self, model: nn.Module) -> None:
        self.model = model.eval().requires_grad_(False)

    def read(self, columns: Sequence[dict[str, Tensor]], size: int | None) -> Tensor:
        """Return the embeddings of all texts of all columns, shape (texts, d).

        Parameters
        ----------
        columns
            Features, as a loss gets them.
        size
            Texts that are read at a time; None: a column.
        """
        device = next(v.device for v in columns[0].values() if isinstance(v, Tensor))
        self.model.to(device)
        read = []
        with torch.no_grad():
            for column in columns:
                texts = len(column["input_ids"])
                for start in range(0, texts, size or texts):
                    part = slice(start, start + (size or texts))
                    piece = {
                        key: v[part] if isinstance(v, Tensor) and len(v) == texts else v
                        for key, v in column.items()
                    }
                    read.append(self.model(piece)["sentence_embedding"])
        return torch.cat(read)
