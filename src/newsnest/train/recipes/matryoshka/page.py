"""The page beside a model: what it is, without a word of the texts it was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from newsnest.train.run.place import PAGE_HEAD

_PAGE = (
    PAGE_HEAD
    + """# An encoder that nests news

Trained from {base} by `newsnest train matryoshka`. Prefixes of its vectors are levels:

| Level | Leading dimensions |
|---|---|
{rows}

```python
from sentence_transformers import SentenceTransformer

model = SentenceTransformer("path/of/this/folder", truncate_dim={dims})
```

Validation Pearson {before:.4f} before training, {after:.4f} after. Data, settings, versions and
preflight stand in newsnest.json.

## Source
```bibtex
{citation}
```
"""
)


def readme(metadata: Mapping[str, Any], loss: Any) -> str:
    """Return the page, Markdown.

    Parameters
    ----------
    metadata
        Content of newsnest.json.
    loss
        Has a `citation`.
    """
    levels = metadata["levels"]
    scores = metadata["validation"]
    return _PAGE.format(
        base=metadata["base"]["name"],
        rows="\n".join(f"| {level['name']} | {level['dims']} |" for level in levels),
        dims=levels[0]["dims"],
        before=scores["before"]["pearson"],
        after=scores["after"]["pearson"],
        citation=loss.citation.strip(),
    )
