"""Our encoders and clusterer inside BERTopic, where it is installed."""

from __future__ import annotations

import numpy as np
import pytest

bertopic = pytest.importorskip("bertopic")


def test_an_encoder_and_rac_work_inside_bertopic(tiny_model):
    from bertopic.dimensionality import BaseDimensionalityReduction
    from sentence_transformers import SentenceTransformer

    from newsnest.cluster import RAC

    # Known to the tiny model as whole words.
    words = sorted(
        ["sea", "wall", "breached", "town", "rates", "held", "bank", "raises", "cut", "storm",
         "hits", "coast", "after", "minister", "resigns", "vote", "police", "cup"]
    )  # fmt: skip
    texts = [f"{words[i % 5]} {words[i % 5 + 6]} {words[i % 5 + 12]}" for i in range(60)]
    topics = bertopic.BERTopic(
        embedding_model=SentenceTransformer(str(tiny_model), device="cpu"),
        umap_model=BaseDimensionalityReduction(),
        hdbscan_model=RAC(min_similarity=0.9999),
    )
    found, _ = topics.fit_transform(texts)
    assert -1 not in found  # no outliers
    assert np.array_equal(np.bincount(found), [12] * 5)
    assert topics.transform(texts[:5])[0] == list(found[:5])
