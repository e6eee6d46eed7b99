"""Position weights, exact row-wise top-k, rankings by index scores, exposure of a ranking."""

from functools import lru_cache

import numpy as np
from scipy import sparse

PARTITION_UP_TO = 2_000  # items; longer rows are cut by a sampled threshold first
PIECE = 2**16  # scores of a long row that are compared at a time
BLOCK_SIZE = 2**17  # scores held at once: about the second-level cache
PAD = -1  # item number where a row has fewer candidates than places


def check_position_weights(position_weights, top_k):
    """Share of attention of each place of a ranking.

    Parameters
    ----------
    position_weights : {"dcg", "rr", "uniform"}, array-like of shape (>= top_k,) or callable
        "dcg" is 1 / log2(1 + k), "rr" is 1 / k, "uniform" is 1. A callable maps top_k to an array.
    top_k : int
        Number of places.

    Returns
    -------
    weights : ndarray of shape (top_k,)
        Non-increasing and non-negative, in double precision.

    Raises
    ------
    ValueError
        If the name is unknown, or the weights are too few, negative, increasing, not finite or all
        zero.

    Examples
    --------
    >>> from skparietal.exposure import check_position_weights
    >>> check_position_weights("rr", 3)
    array([1.        , 0.5       , 0.333...])
    """
    places = np.arange(1, top_k + 1)
    named = {"dcg": 1 / np.log2(1 + places), "rr": 1 / places, "uniform": np.ones(top_k)}
    if isinstance(position_weights, str):
        if position_weights not in named:
            raise ValueError(
                f"position_weights must be one of {sorted(named)}, an array or a callable; "
                f"got {position_weights!r}."
            )
        return named[position_weights]
    weights = position_weights(top_k) if callable(position_weights) else position_weights
    weights = np.asarray(weights, dtype=float)
    if weights.ndim != 1 or len(weights) < top_k:
        raise ValueError(
            f"position_weights must have at least top_k={top_k} entries in one dimension; "
            f"got shape {weights.shape}."
        )
    weights = weights[:top_k]
    if not np.isfinite(weights).all() or weights[-1] < 0 or (np.diff(weights) > 0).any():
        raise ValueError(
            "position_weights must be finite, non-negative and non-increasing: the first place "
            "gets the most attention."
        )
    if weights[0] == 0:
        raise ValueError("position_weights must not all be zero.")
    return weights


def topk_rows(scores, k):
    """Exact columns of the k largest entries of each row, the largest first.

    Short rows go through `numpy.argpartition`. Longer ones are first cut at a threshold estimated
    on a few thousand fixed positions, chosen so that about 2k entries survive; the survivors are
    partitioned. When fewer than k survive, the row is partitioned whole, so that the answer is
    exact whatever the estimate.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_columns)
        Scores without NaN.
    k : int
        Number of columns wanted, at most n_columns.

    Returns
    -------
    columns : ndarray of shape (n_rows, k), dtype int64
        Ties are broken in a way that depends on the row alone.

    Examples
    --------
    >>> import numpy as np
    >>> from skparietal.exposure import topk_rows
    >>> topk_rows(np.array([[0.1, 0.7, 0.3], [5.0, 1.0, 2.0]]), 2)
    array([[1, 2],
           [0, 2]])
    """
    if _is_short(scores.shape[1], k):
        return _topk_by_partition(scores, k)
    return np.stack([_topk_by_threshold(row.__getitem__, len(row), k) for row in scores])


def _is_short(n_columns, k):
    return n_columns <= max(PARTITION_UP_TO, 4 * k)


def _topk_by_partition(scores, k):
    n_rows, n_columns = scores.shape
    if n_rows == 1:
        return _topk_of_row(scores[0], k)[None]
    rows = np.arange(n_rows)[:, None]
    if k < n_columns:
        top = np.argpartition(scores, n_columns - k, axis=1)[:, n_columns - k :]
    else:
        top = np.broadcast_to(np.arange(n_columns), scores.shape)
    return top[rows, np.argsort(-scores[rows, top], axis=1, kind="stable")]


def _topk_of_row(row, k):
    n_columns = len(row)
    top = row.argpartition(n_columns - k)[n_columns - k :] if k < n_columns else np.arange(k)
    return top[(-row[top]).argsort(kind="stable")]


def _topk_by_threshold(score_at, n_columns, k):
    """Top-k of a row whose scores `score_at` gives for any index, in pieces that fit the cache."""
    probe = _probe(n_columns)
    expected = len(probe) * k / n_columns  # how many of the k best fall into the probe
    rank = min(len(probe), int(expected + 4 * np.sqrt(expected) + 4))
    threshold = np.partition(score_at(probe), len(probe) - rank)[len(probe) - rank]
    kept = np.concatenate(
        [
            start + np.flatnonzero(score_at(slice(start, start + PIECE)) >= threshold)
            for start in range(0, n_columns, PIECE)
        ]
    )
    if len(kept) < k:
        return _topk_of_row(score_at(slice(None)), k)
    return kept[_topk_of_row(score_at(kept), k)]


@lru_cache(maxsize=8)
def _probe(n_columns):
    """Fixed random positions at which a threshold is estimated."""
    size = min(4096, n_columns // 8)
    return np.sort(np.random.default_rng(0).choice(n_columns, size, replace=False))


def rank_rows(X, k, *, bonus=None, scale=None, candidates="all"):
    """Top-k rankings by index scores, scale_i X_ij + bonus_j, and the relevance of what is shown.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_users, n_items)
        Relevance.
    k : int
        Number of places.
    bonus : ndarray of shape (n_items,) or (n_users, n_items), default=None
        Added to the scores, for all users alike or for each; None adds nothing.
    scale : ndarray of shape (n_users,), default=None
        Multiplies the relevance of each user; None is 1.
    candidates : {"all", "stored", "implicit"}, default="all"
        "all" ranks every column of a dense X. A CSR matrix is ranked over its stored entries
        ("stored"), or over all items with missing entries at relevance 0 ("implicit"); the latter
        looks only at the stored entries and the items of largest bonus.

    Returns
    -------
    items : ndarray of shape (n_users, k), dtype int64
        Columns, best first; -1 where a row has fewer candidates than places.
    relevance : ndarray of shape (n_users, k)
        Entries of X at these items; 0 at the padding.
    """
    n_users, n_items = X.shape
    rank = _RANKERS[candidates]
    if scale is not None:
        scale = scale[:, None].astype(X.dtype, copy=False)
    if n_users == 1:
        return rank(X, k, bonus, scale)
    width = n_items if candidates == "all" else max(1, int(np.diff(X.indptr).max(initial=1)) + k)
    step = max(1, BLOCK_SIZE // width)
    if n_users <= step:
        return rank(X, k, bonus, scale)
    blocks = [
        rank(
            X[start : start + step],
            k,
            bonus[start : start + step] if bonus is not None and bonus.ndim == 2 else bonus,
            None if scale is None else scale[start : start + step],
        )
        for start in range(0, n_users, step)
    ]
    return tuple(np.concatenate(parts) for parts in zip(*blocks))


def _rank_dense(X, k, bonus, scale):
    if bonus is not None:
        bonus = bonus.astype(X.dtype, copy=False)
    if len(X) == 1:  # a serving loop, where every call counts
        items = _rank_row(X, 0, k, bonus, scale)
        return items[None], X[0, items][None]
    if _is_short(X.shape[1], k):
        items = _topk_by_partition(_index_scores(X, bonus, scale), k)
    else:
        items = np.stack([_rank_row(X, row, k, bonus, scale) for row in range(len(X))])
    return items, X[np.arange(len(X))[:, None], items]


def _rank_row(X, row, k, bonus, scale):
    own_bonus = bonus[row] if bonus is not None and bonus.ndim == 2 else bonus
    own_scale = None if scale is None else scale[row]
    if _is_short(X.shape[1], k):
        return _topk_of_row(_index_scores(X[row], own_bonus, own_scale), k)

    def score_at(index):
        piece = None if own_bonus is None else own_bonus[index]
        return _index_scores(X[row, index], piece, own_scale)

    return _topk_by_threshold(score_at, X.shape[1], k)


def _index_scores(relevance, bonus, scale):
    if scale is None:
        return relevance if bonus is None else relevance + bonus
    scores = relevance * scale
    return scores if bonus is None else np.add(scores, bonus, out=scores)


def _rank_stored(X, k, bonus, scale):
    ids, relevance = _padded(X)
    return _rank_candidates(ids, relevance, ids == PAD, k, bonus, scale)


def _rank_implicit(X, k, bonus, scale):
    ids, relevance = _padded(X)
    if bonus is None:
        bonus = np.zeros(X.shape[1], dtype=X.dtype)
    if bonus.ndim == 2:
        raise ValueError(
            "candidates='implicit' needs one bonus for all users; use candidates='stored', or a "
            "dense X with candidates='all', for an objective with user groups."
        )
    # An item that no row stores is shown only if its bonus is among the k + nnz largest.
    n_head = min(X.shape[1], k + ids.shape[1])
    head = topk_rows(bonus[None], n_head)[0]
    place = np.full(X.shape[1] + 1, PAD)  # one more: the padding -1 points there
    place[head] = np.arange(n_head)
    in_head = place[ids]
    hidden = np.zeros((X.shape[0], n_head), dtype=bool)
    rows, columns = np.nonzero(in_head != PAD)
    hidden[rows, in_head[rows, columns]] = True
    ids = np.hstack([ids, np.broadcast_to(head, hidden.shape)])
    relevance = np.hstack([relevance, np.zeros(hidden.shape, dtype=X.dtype)])
    hidden = np.hstack([ids[:, :-n_head] == PAD, hidden])
    return _rank_candidates(ids, relevance, hidden, k, bonus, scale)


_RANKERS = {"all": _rank_dense, "stored": _rank_stored, "implicit": _rank_implicit}


def _padded(X):
    """Column numbers and entries of CSR rows as rectangles, padded with -1 and 0."""
    counts = np.diff(X.indptr)
    ids = np.full((X.shape[0], counts.max(initial=0)), PAD, dtype=np.int64)
    relevance = np.zeros(ids.shape, dtype=X.dtype)
    stored = np.arange(ids.shape[1]) < counts[:, None]
    ids[stored], relevance[stored] = X.indices, X.data
    return ids, relevance


def _rank_candidates(ids, relevance, hidden, k, bonus, scale):
    scores = relevance.copy() if scale is None else relevance * scale
    if bonus is not None:
        bonus = bonus.astype(scores.dtype, copy=False)
        scores += bonus[ids] if bonus.ndim == 1 else np.take_along_axis(bonus, ids, axis=1)
    scores[hidden] = -np.inf
    width = min(k, ids.shape[1])
    top = topk_rows(scores, width) if width else np.empty((len(ids), 0), dtype=np.int64)
    shown = np.isfinite(np.take_along_axis(scores, top, axis=1))
    items = np.full((len(ids), k), PAD, dtype=np.int64)
    values = np.zeros((len(ids), k), dtype=relevance.dtype)
    items[:, :width] = np.where(shown, np.take_along_axis(ids, top, axis=1), PAD)
    values[:, :width] = np.where(shown, np.take_along_axis(relevance, top, axis=1), 0)
    return items, values


def add_exposure(mass, rankings, position_weights, *, sample_weight=None, user_group=None):
    """Add the exposure of some rankings to running sums, in place.

    Parameters
    ----------
    mass : ndarray of shape (n_user_groups, n_items)
        Sums of sample weight times position weight.
    rankings : ndarray of shape (n_users, k)
        Items, best first; -1 is an empty place.
    position_weights : ndarray of shape (k,)
        Attention of each place.
    sample_weight : ndarray of shape (n_users,), default=None
        Activity of each user; None is 1.
    user_group : ndarray of shape (n_users,), default=None
        Row of `mass` that each user adds to; None is the first.
    """
    activity = np.ones(len(rankings)) if sample_weight is None else sample_weight
    if len(rankings) == 1 and rankings[0, -1] != PAD:  # a serving loop; items do not repeat
        row = 0 if user_group is None else user_group[0]
        mass[row, rankings[0]] += activity[0] * position_weights
        return
    values = activity[:, None] * position_weights
    flat = rankings if user_group is None else rankings + user_group[:, None] * mass.shape[1]
    shown = rankings != PAD
    if shown.all():  # quicker than to select what is all there
        np.add.at(mass.reshape(-1), flat.ravel(), values.ravel())
    else:
        np.add.at(mass.reshape(-1), flat[shown], values[shown])


def relevance_at(X, rankings):
    """Entries of a relevance table at one ranking per row.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_users, n_items)
        Relevance.
    rankings : ndarray of shape (n_users, k)
        Items; -1 is an empty place.

    Returns
    -------
    relevance : ndarray of shape (n_users, k)
        0 at empty places.
    """
    rows = np.repeat(np.arange(len(rankings)), rankings.shape[1])
    values = X[rows, rankings.ravel()]
    values = values.toarray() if sparse.issparse(values) else np.asarray(values)
    return np.where(rankings == PAD, 0.0, values.reshape(rankings.shape))
