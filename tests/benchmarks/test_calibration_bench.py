"""The script on calibration judges pairs of two rows."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from calibration import others_by_similarity


def test_a_row_is_not_its_own_neighbour_where_another_has_the_same_text():
    view = np.array([[1, 0], [1, 0], [0.6, 0.8], [0, 1]], np.float32)
    found = others_by_similarity(view, np.array([1, 0, 3]))
    assert found.tolist() == [[0, 2, 3], [1, 2, 3], [2, 0, 1]]
