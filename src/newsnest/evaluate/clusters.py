"""How well clusters agree with gold labels: pairs, B-cubed, NMI, ARI, V-measure, accuracy."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from newsnest.errors import ParameterError
from newsnest.evaluate.bootstrap import Scores

Codes = NDArray[np.int64]
Values = Sequence[Hashable] | NDArray[np.generic]
"""Labels of any kind."""

NOISE = -1
_DENSE_CELLS = 4_000_000


@dataclass(frozen=True, slots=True)
class ClusterScores(Scores):
    """Agreement of predicted clusters with gold labels; every score is in [0, 1] but `ari`.

    Parameters
    ----------
    articles
        How many articles were scored.
    unlabelled
        How many were left out because they have no gold label.
    clusters, gold_clusters
        How many predicted clusters (each noise article is one) and gold ones were scored.
    noise
        Share of the scored articles that were predicted as noise (−1).
    pair_precision, pair_recall, pair_f1
        Over pairs of articles: of those put together, how many belong together, and the reverse.
        Precision is 1 where no pair was put together, recall 1 where none belongs together.
    bcubed_precision, bcubed_recall, bcubed_f1
        The same, averaged over articles.
    nmi
        Mutual information over the geometric mean of the entropies.
    ari
        Adjusted Rand index, in [−1, 1]; 0 is chance.
    v_measure
        Harmonic mean of homogeneity and completeness.
    accuracy
        Share of articles in the right cluster under the best one-to-one matching of clusters.
    nmi_language
        `nmi` of the prediction with the languages, over the articles whose language is known:
        clusters that only sort by language score high here. None where fewer than two languages
        are known.
    """

    articles: int
    unlabelled: int
    clusters: int
    gold_clusters: int
    noise: float
    pair_precision: float
    pair_recall: float
    pair_f1: float
    bcubed_precision: float
    bcubed_recall: float
    bcubed_f1: float
    nmi: float
    ari: float
    v_measure: float
    accuracy: float
    nmi_language: float | None


def cluster_scores(
    predicted: Values, gold: Values, *, languages: Sequence[str] | None = None
) -> ClusterScores:
    """Score predicted clusters against gold labels.

    Parameters
    ----------
    predicted
        (n,) labels of any kind; −1 (or "-1", as files have it) is noise, and every noise article
        is a cluster of its own.
    gold
        (n,) labels of any kind; None and "" mean no label, and the article is left out.
    languages
        (n,) codes, "" for unknown; None leaves `nmi_language` out.

    Returns
    -------
    ClusterScores
        With nothing to score every score is 0; a single article scores 1 throughout. One cluster
        for everything has an NMI, ARI and V of 0, unless gold is one cluster too: then 1.

    Raises
    ------
    ParameterError
        If the lengths differ.

    Notes
    -----
    O(n + cells) plus the matching, from the sparse contingency table; pairs are exact integers. A
    million articles take a few seconds. The matching is the Hungarian one on tables of up to four
    million cells and its sparse form above: both are exact and give the same value.
    Source: Bagga & Baldwin (1998) for B-cubed; Strehl & Ghosh (2002) for NMI.

    Example
    -------
    >>> scores = cluster_scores([0, 0, 1, 1], ["a", "a", "a", "b"])
    >>> round(scores.pair_precision, 3), round(scores.pair_recall, 3), scores.accuracy
    (0.5, 0.333, 0.75)
    """
    # scikit-learn loads pandas and scipy.stats: not where scores are imported only.
    from sklearn.metrics import adjusted_rand_score, v_measure_score

    _check_lengths(predicted, gold, languages)
    predicted_code, gold_code, labelled, noise = _scored(predicted, gold)
    n = labelled.size
    table = _contingency(predicted_code, gold_code)
    pairs = _pair_scores(table, n)
    bcubed = _bcubed_scores(table, n)
    return ClusterScores(
        articles=n,
        unlabelled=len(gold) - n,
        clusters=table.shape[0],
        gold_clusters=table.shape[1],
        noise=float(noise.mean()) if n else 0.0,
        pair_precision=pairs[0],
        pair_recall=pairs[1],
        pair_f1=_f1(*pairs),
        bcubed_precision=bcubed[0],
        bcubed_recall=bcubed[1],
        bcubed_f1=_f1(*bcubed),
        nmi=mutual_information(gold_code, predicted_code),
        ari=float(adjusted_rand_score(gold_code, predicted_code)) if n else 0.0,
        v_measure=float(v_measure_score(gold_code, predicted_code)) if n else 0.0,
        accuracy=_matched(table) / n if n else 0.0,
        nmi_language=None
        if languages is None
        else _language_nmi(predicted_code, _codes(_take(languages, labelled))),
    )


def bcubed_f1(predicted: Values, gold: Values) -> float:
    """Return the B-cubed F1 alone, as `cluster_scores` has it, in a fraction of the time.

    For trying many values of min_similarity; prefer `cluster_scores` for a report.

    Parameters
    ----------
    predicted, gold
        (n,) each, as in `cluster_scores`.

    Returns
    -------
    In [0, 1]; 0 with nothing to score.

    Raises
    ------
    ParameterError
        If the lengths differ.

    Notes
    -----
    O(n log n).

    Example
    -------
    >>> round(bcubed_f1([0, 0, 1, 1], ["a", "a", "a", "b"]), 3)
    0.706
    """
    _check_lengths(predicted, gold, None, caller="bcubed_f1")
    if _countable(predicted) and _countable(gold):
        table = _contingency(np.asarray(predicted, np.int64), np.asarray(gold, np.int64))
        return _f1(*_bcubed_scores(table, len(gold)))
    predicted_code, gold_code, labelled, _ = _scored(predicted, gold)
    return _f1(*_bcubed_scores(_contingency(predicted_code, gold_code), labelled.size))


def _scored(predicted: Values, gold: Values) -> tuple[Codes, Codes, Codes, NDArray[np.bool_]]:
    """Return predicted and gold codes of the rows with a gold label, these rows, and the noise."""
    gold_code = _codes(gold)
    labelled = np.flatnonzero(gold_code >= 0)
    predicted_code, noise = _split_noise(_take(predicted, labelled))
    return predicted_code, np.unique(gold_code[labelled], return_inverse=True)[1], labelled, noise


def _countable(labels: Values) -> bool:
    """Whether labels serve as row numbers as they are: whole, none of them noise, none far out."""
    if not isinstance(labels, np.ndarray) or labels.dtype.kind not in "iu" or not labels.size:
        return False
    return bool(labels.min() >= 0 and labels.max() < 4 * labels.size)


def _check_lengths(
    predicted: Values,
    gold: Values,
    languages: Sequence[str] | None,
    *,
    caller: str = "cluster_scores",
) -> None:
    for name, values in (("gold", gold), ("languages", languages)):
        if values is not None and len(values) != len(predicted):
            raise ParameterError(
                f"{caller}: {name} must hold one value per prediction ({len(predicted)}), "
                f"got {len(values)}. Join the two by id first."
            )


def _take(values: Values, rows: Codes) -> Values:
    if isinstance(values, np.ndarray):
        return values[rows]
    return [values[row] for row in rows.tolist()]


def _codes(values: Values) -> Codes:
    """Number labels as they are met; −1 for None and ""."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "iub":
        codes: Codes = np.unique(values, return_inverse=True)[1].astype(np.int64)
        return codes
    numbers: dict[Hashable, int] = {None: -1, "": -1}
    listed = values.tolist() if isinstance(values, np.ndarray) else values
    return np.array([numbers.setdefault(value, len(numbers)) for value in listed], dtype=np.int64)


def _split_noise(predicted: Values) -> tuple[Codes, NDArray[np.bool_]]:
    """Number the clusters 0 … k − 1, each noise article apart; also mark the noise."""
    if isinstance(predicted, np.ndarray) and predicted.dtype.kind in "iufb":
        noise = predicted == NOISE
    else:
        listed = predicted.tolist() if isinstance(predicted, np.ndarray) else predicted
        noise = np.array([value in (NOISE, str(NOISE)) for value in listed], dtype=bool)
    codes = _codes(predicted)
    codes[noise] = codes.max(initial=0) + 1 + np.arange(noise.sum())
    return np.unique(codes, return_inverse=True)[1], noise


def _contingency(predicted: Codes, gold: Codes) -> sparse.coo_array:
    """Count articles per (predicted, gold) pair; int64, cells unique and sorted."""
    shape = (int(predicted.max(initial=-1)) + 1, int(gold.max(initial=-1)) + 1)
    cell, count = np.unique(predicted * max(shape[1], 1) + gold, return_counts=True)
    place = (cell // max(shape[1], 1), cell % max(shape[1], 1))
    return sparse.coo_array((count.astype(np.int64), place), shape=shape)


def _sizes(table: sparse.coo_array) -> tuple[Codes, Codes]:
    rows, columns = (
        np.bincount(place, weights=table.data, minlength=size).astype(np.int64)  # exact below 2⁵³
        for place, size in zip((table.row, table.col), table.shape, strict=True)
    )
    return rows, columns


def _pair_scores(table: sparse.coo_array, n: int) -> tuple[float, float]:
    if n == 0:
        return 0.0, 0.0
    together, predicted, gold = (
        int((size * (size - 1) // 2).sum()) for size in (table.data, *_sizes(table))
    )
    return (
        together / predicted if predicted else 1.0,
        together / gold if gold else 1.0,
    )


def _bcubed_scores(table: sparse.coo_array, n: int) -> tuple[float, float]:
    if n == 0:
        return 0.0, 0.0
    rows, columns = _sizes(table)
    square = table.data.astype(np.float64) ** 2
    return (
        float((square / rows[table.row]).sum() / n),
        float((square / columns[table.col]).sum() / n),
    )


def _f1(precision: float, recall: float) -> float:
    total = precision + recall
    return 2 * precision * recall / total if total else 0.0


def mutual_information(left: NDArray[np.generic], right: NDArray[np.generic]) -> float:
    """Return the mutual information over the geometric mean of the entropies; 0 of nothing."""
    from sklearn.metrics import normalized_mutual_info_score

    if left.size == 0:
        return 0.0
    return float(normalized_mutual_info_score(left, right, average_method="geometric"))


def noise_apart(labels: Codes) -> Codes:
    """Return labels under which every noise row (−1) is a cluster of its own."""
    noise = labels == NOISE
    out = labels.copy()
    out[noise] = labels.max(initial=0) + 1 + np.arange(noise.sum())
    return out


def _language_nmi(predicted: Codes, language: Codes) -> float | None:
    known = language >= 0
    if np.unique(language[known]).size < 2:
        return None
    return mutual_information(language[known], predicted[known])


def _matched(table: sparse.coo_array) -> int:
    """Count the articles on the best one-to-one matching of predicted and gold clusters."""
    from scipy.optimize import linear_sum_assignment

    table = _undominated(_undominated(table).T.tocoo())
    if table.shape[0] * table.shape[1] <= _DENSE_CELLS:
        dense = table.toarray()
        rows, columns = linear_sum_assignment(dense, maximize=True)
        return int(dense[rows, columns].sum())
    return _matched_sparse(table)


def _undominated(table: sparse.coo_array) -> sparse.coo_array:
    """Drop the rows that no best matching needs.

    Among the rows that meet one and the same column alone, the heaviest does for all: most
    clusters of a fine clustering are such.
    """
    degree = np.bincount(table.row, minlength=table.shape[0])
    alone = degree[table.row] == 1
    order = np.lexsort((table.row, -table.data, table.col))
    order = order[alone[order]]
    again = np.zeros(table.nnz, dtype=bool)
    again[order[1:]] = table.col[order][1:] == table.col[order][:-1]
    rows, row = np.unique(table.row[~again], return_inverse=True)
    columns, column = np.unique(table.col[~again], return_inverse=True)
    return sparse.coo_array((table.data[~again], (row, column)), shape=(rows.size, columns.size))


def _matched_sparse(table: sparse.coo_array) -> int:
    """Do the same without the empty cells.

    Each cluster of the smaller side gets a partner of its own that is worth nothing, so that a
    full matching exists; all values are raised by one, for a stored zero is no edge.
    """
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    if table.shape[0] > table.shape[1]:
        table = table.T
    rows, columns = table.shape
    own = np.arange(rows)
    edges = sparse.coo_array(
        (
            np.concatenate([table.data + 1, np.ones(rows, np.int64)]).astype(np.float64),
            (np.concatenate([table.row, own]), np.concatenate([table.col, columns + own])),
        ),
        shape=(rows, columns + rows),
    ).tocsr()
    row, column = min_weight_full_bipartite_matching(edges, maximize=True)
    value: float = np.asarray(edges[row, column]).sum()
    return int(float(value)) - int(rows)
