"""Measures of rankings: exposure of items, inequality, utility of users, differences of groups."""

import numpy as np
from scipy import sparse
from sklearn.utils import check_array, check_random_state, column_or_1d

from skparietal.exposure import (
    PAD,
    add_exposure,
    check_position_weights,
    rank_rows,
    relevance_at,
)

MAX_ENVY_USERS = 2000  # envy compares all pairs of users


def _check_rankings(rankings, n_items):
    rankings = np.asarray(rankings)
    if rankings.ndim < 2 or not np.issubdtype(rankings.dtype, np.integer):
        raise ValueError(
            "rankings must be integers of shape (n_users, top_k) or (n_samples, n_users, top_k), "
            f"as predict and sample return; got shape {rankings.shape} of {rankings.dtype}."
        )
    if rankings.size and not (rankings.min() >= PAD and rankings.max() < n_items):
        raise ValueError(
            f"rankings must hold items from 0 to {n_items - 1}, and {PAD} at empty places; got "
            f"{rankings.min()} to {rankings.max()}."
        )
    return rankings.reshape(-1, *rankings.shape[-2:])


def item_exposure(rankings, n_items, *, position_weights="dcg", sample_weight=None):
    """Mean exposure of each item.

    Parameters
    ----------
    rankings : array-like of shape (n_users, top_k) or (n_samples, n_users, top_k)
        Items, best first; -1 is an empty place.
    n_items : int
        Number of items.
    position_weights : str, array-like or callable, default="dcg"
        Attention of each place, see :func:`skparietal.exposure.check_position_weights`.
    sample_weight : array-like of shape (n_users,), default=None
        Activity; None is 1.

    Returns
    -------
    exposure : ndarray of shape (n_items,)
        In units of position weights per user.

    Examples
    --------
    >>> from skparietal.metrics import item_exposure
    >>> item_exposure([[0, 1], [0, 2]], 3, position_weights=[1.0, 0.5])
    array([1.  , 0.25, 0.25])
    """
    samples = _check_rankings(rankings, n_items)
    weights = check_position_weights(position_weights, samples.shape[-1])
    activity = np.ones(samples.shape[1]) if sample_weight is None else column_or_1d(sample_weight)
    mass = np.zeros((1, n_items))
    for sample in samples:
        add_exposure(mass, sample, weights, sample_weight=activity)
    return mass[0] / (activity.sum() * len(samples))


def user_utility(X, rankings, *, position_weights="dcg"):
    """Utility of each user: relevance of what was shown times position weight.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_users, n_items)
        Relevance.
    rankings : array-like of shape (n_users, top_k) or (n_samples, n_users, top_k)
        Items, best first; -1 is an empty place.
    position_weights : str, array-like or callable, default="dcg"
        Attention of each place.

    Returns
    -------
    utility : ndarray of shape (n_users,)
        Mean over samples.
    """
    X = check_array(X, accept_sparse="csr")
    samples = _check_rankings(rankings, X.shape[1])
    weights = check_position_weights(position_weights, samples.shape[-1])
    return np.mean([relevance_at(X, sample) @ weights for sample in samples], axis=0)


def ndcg_at_k(X, rankings, *, position_weights="dcg"):
    """Utility of each user over the largest possible one.

    With "dcg" weights, scikit-learn's :func:`sklearn.metrics.ndcg_score` user by user.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_users, n_items)
        True relevance, non-negative.
    rankings : array-like of shape (n_users, top_k) or (n_samples, n_users, top_k)
        Items, best first.
    position_weights : str, array-like or callable, default="dcg"
        Attention of each place.

    Returns
    -------
    ndcg : ndarray of shape (n_users,)
        In [0, 1]; 1 for users to whom nothing is relevant.
    """
    X = check_array(X, accept_sparse="csr")
    top_k = np.shape(rankings)[-1]
    weights = check_position_weights(position_weights, top_k)
    # Missing entries count 0, and so does the padding of rows that store fewer than top_k.
    stored = "stored" if sparse.issparse(X) else "all"
    places = min(top_k, X.shape[1])
    ideal = rank_rows(X, places, candidates=stored)[1] @ weights[:places]
    utility = user_utility(X, rankings, position_weights=weights)
    return np.divide(utility, ideal, out=np.ones_like(ideal), where=ideal > 0)


def gini_index(x):
    """Gini index of a non-negative vector: 0 when all are equal, nearly 1 when one has all.

    Parameters
    ----------
    x : array-like of shape (n,)
        Exposures, of any unit, not all zero.

    Returns
    -------
    gini : float
        Mean absolute difference over twice the mean.

    Examples
    --------
    >>> from skparietal.metrics import gini_index
    >>> gini_index([1.0, 1.0, 1.0]), gini_index([0.0, 0.0, 1.0])
    (0.0, 0.666...)
    """
    lorenz = lorenz_curve(x)[1]
    # Twice the area between the diagonal and the curve, by trapezia.
    return float(1 - (lorenz[1:] + lorenz[:-1]).mean())


def lorenz_curve(x):
    """Share of the whole that the worst-off hold together.

    Parameters
    ----------
    x : array-like of shape (n,)
        Non-negative, not all zero.

    Returns
    -------
    population : ndarray of shape (n + 1,)
        Share of the entries, from 0 to 1, the smallest first.
    share : ndarray of shape (n + 1,)
        Their share of the sum.
    """
    population, curve = generalized_lorenz_curve(x)
    if curve[-1] == 0:
        raise ValueError("The Lorenz curve of a vector of zeros is not defined.")
    return population, curve / curve[-1]


def generalized_lorenz_curve(x):
    """Sum that the worst-off hold together, per entry.

    A curve above another one belongs to a vector that every increasing and inequality-averse
    welfare prefers.

    Parameters
    ----------
    x : array-like of shape (n,)
        Non-negative.

    Returns
    -------
    population : ndarray of shape (n + 1,)
        Share of the entries, from 0 to 1, the smallest first.
    curve : ndarray of shape (n + 1,)
        Their sum over n, in units of x; it ends at the mean.
    """
    x = column_or_1d(x).astype(float)
    if not np.isfinite(x).all() or x.min() < 0:
        raise ValueError("x must be finite and non-negative.")
    n = len(x)
    return np.arange(n + 1) / n, np.append(0.0, np.cumsum(np.sort(x))) / n


def coverage(rankings, n_items):
    """Share of the items that are shown at all.

    Parameters
    ----------
    rankings : array-like of shape (n_users, top_k) or (n_samples, n_users, top_k)
        Items; -1 is an empty place.
    n_items : int
        Number of items.

    Returns
    -------
    coverage : float
        In [0, 1].
    """
    shown = np.unique(_check_rankings(rankings, n_items))
    return float((shown != PAD).sum() / n_items)


def min_max_ratio(exposure):
    """Smallest exposure over the largest: 1 when all are equal.

    Parameters
    ----------
    exposure : array-like of shape (n_groups,)
        Exposure of items or of item groups, relative to their size.

    Returns
    -------
    ratio : float
        In [0, 1].
    """
    exposure = column_or_1d(exposure)
    return float(exposure.min() / exposure.max())


def exposure_merit_gap(exposure, merit):
    """Root mean square distance of relative exposure from proportionality to merit.

    Parameters
    ----------
    exposure : array-like of shape (n_items,)
        Of any unit.
    merit : array-like of shape (n_items,)
        Non-negative, of any unit.

    Returns
    -------
    gap : float
        0 when exposure is proportional to merit; in units of the mean exposure.
    """
    exposure, merit = column_or_1d(exposure), column_or_1d(merit)
    return float(np.sqrt(np.mean((exposure / exposure.mean() - merit / merit.mean()) ** 2)))


def group_exposure_gap(exposures):
    """Mean over items of the distance between user groups of the item's exposure.

    Parameters
    ----------
    exposures : array-like of shape (n_user_groups, n_items)
        Mean exposure of each item to the users of each group, of any unit.

    Returns
    -------
    gap : float
        0 when all groups are shown the same; in units of the mean exposure.
    """
    exposures = check_array(exposures, ensure_min_samples=2)
    deviation = exposures - exposures.mean(axis=0)
    return float(np.sqrt((deviation**2).sum(axis=0)).mean() / exposures.mean())


def envy(X, exposures, *, random_state=None):
    """How much more each user would have had from another user's exposures.

    Parameters
    ----------
    X : array-like of shape (n_users, n_items)
        Relevance.
    exposures : sparse matrix of shape (n_users, n_items)
        As `expected_exposure` returns.
    random_state : int, RandomState instance or None, default=None
        Draws the 2,000 users that are compared when there are more.

    Returns
    -------
    envy : ndarray of shape (n_users or 2000,)
        Non-negative, in units of utility; 0 for who prefers their own.
    """
    X = check_array(X, accept_sparse="csr")
    exposures = sparse.csr_array(exposures)
    if X.shape[0] > MAX_ENVY_USERS:
        rng = check_random_state(random_state)
        rows = rng.choice(X.shape[0], MAX_ENVY_USERS, replace=False)
        X, exposures = X[rows], exposures[rows]
    utilities = exposures @ (X.T if not sparse.issparse(X) else X.T.toarray())
    return np.maximum(utilities.max(axis=0) - utilities.diagonal(), 0.0)
