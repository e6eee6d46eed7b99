"""Validation of what a fair ranking is fitted on: relevance, weights, groups of users and items."""

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.utils import column_or_1d
from sklearn.utils.validation import check_non_negative, validate_data

from skparietal._compat import check_sample_weight
from skparietal.estimators._clean_input import is_clean
from skparietal.exposure import check_position_weights
from skparietal.solvers.ranking.ranking_problem import RankingProblem


def check_relevance(estimator, X, objective, *, reset=False):
    """Validate a relevance table.

    Parameters
    ----------
    estimator : FairRankingFW
        For its `candidates` and the number of items.
    X : array-like or sparse matrix of shape (n_users, n_items)
        Relevance.
    objective : RankingObjective
        A concave users' welfare needs non-negative relevance.
    reset : bool, default=False
        Whether this is the first table.

    Returns
    -------
    X : ndarray or CSR matrix of shape (n_users, n_items)
        In single or double precision.
    """
    stored = estimator.candidates != "all"
    if sparse.issparse(X) and not stored:
        raise TypeError(
            "Sparse data was passed but candidates='all' ranks every column of a dense X. Take "
            "candidates='stored' to rank only the stored entries, or candidates='implicit' to "
            "give the missing ones relevance 0."
        )
    if reset or stored or not _is_served(estimator, X):
        X = validate_data(
            estimator,
            X,
            accept_sparse="csr" if stored else False,
            dtype=[np.float64, np.float32],
            order=None if stored else "C",
            reset=reset,
        )
    if stored:
        X = X if sparse.issparse(X) else sparse.csr_array(X)
        if not X.has_canonical_format:
            X = X.copy()
            X.sum_duplicates()
    if objective.user_alpha < 1:
        check_non_negative(X, "FairRankingFW with user_alpha < 1")
    return X


def _is_served(estimator, X):
    """Whether a further dense table needs no validation; names are for scikit-learn to compare."""
    return (
        not hasattr(estimator, "feature_names_in_")
        and is_clean(X, (estimator.n_features_in_,), (np.float64, np.float32))
        and X.flags.c_contiguous
    )


def check_activity(sample_weight, X):
    """Validate user weights.

    Parameters
    ----------
    sample_weight : array-like of shape (n_users,), float or None
        Activity; None is 1.
    X : ndarray or CSR matrix of shape (n_users, n_items)
        Relevance.

    Returns
    -------
    weight : ndarray of shape (n_users,)
        In double precision.
    """
    if sample_weight is None:
        return np.ones(X.shape[0])
    weight = check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    if not weight.sum() > 0:
        raise ValueError("sample_weight must have a positive sum: no user is left to rank for.")
    return weight


def encode_users(user_groups, n_users, known=(), *, grow=True):
    """Numbers of the user groups, in the order in which their labels came.

    Parameters
    ----------
    user_groups : array-like of shape (n_users,)
        Labels.
    n_users : int
        Number of rows of X.
    known : sequence, default=()
        Labels that have numbers already.
    grow : bool, default=True
        Whether new labels get the next numbers; otherwise they are refused.

    Returns
    -------
    labels : ndarray
        Known and new labels; the position is the number.
    codes : ndarray of shape (n_users,), dtype int
        Number of each user's label.
    """
    if user_groups is None:
        raise ValueError(
            "BalancedExposure compares user groups: pass user_groups, one label per row of X."
        )
    user_groups = column_or_1d(user_groups)
    if len(user_groups) != n_users:
        raise ValueError(
            f"user_groups has {len(user_groups)} labels but X has {n_users} rows: pass one per row."
        )
    labels, codes = np.unique(user_groups, return_inverse=True)
    number = {label: place for place, label in enumerate(known)}
    new = [label for label in labels if label not in number]
    if new and not grow:
        raise ValueError(f"user_groups has labels that were not seen in fit: {new}.")
    number.update({label: len(number) + place for place, label in enumerate(new)})
    return np.array(list(number)), np.array([number[label] for label in labels])[codes]


def encode_items(item_groups, n_items):
    """Numbers of the item groups.

    Parameters
    ----------
    item_groups : array-like of shape (n_items,) or None
        Labels; None makes each item a group of its own.
    n_items : int
        Number of columns of X.

    Returns
    -------
    codes : ndarray of shape (n_items,), dtype int, or None
        From 0.
    """
    if item_groups is None:
        return None
    item_groups = column_or_1d(item_groups)
    if len(item_groups) != n_items:
        raise ValueError(
            f"item_groups has {len(item_groups)} labels but X has {n_items} columns: pass one per "
            "column."
        )
    codes = np.unique(item_groups, return_inverse=True)[1]
    if codes.max() == 0:
        raise ValueError(
            "item_groups has a single group, whose exposure no ranking can change: pass at least "
            "two, or None for one group per item."
        )
    return codes


def check_merit(item_merit, n_items):
    """Validate merits given by the user.

    Parameters
    ----------
    item_merit : array-like of shape (n_items,)
        Non-negative, not all 0.
    n_items : int
        Number of columns of X.

    Returns
    -------
    merit : ndarray of shape (n_items,)
        In double precision.
    """
    merit = column_or_1d(item_merit).astype(float)
    if len(merit) != n_items:
        raise ValueError(
            f"item_merit has {len(merit)} entries but X has {n_items} columns: pass one per column."
        )
    if not np.isfinite(merit).all() or merit.min() < 0 or merit.max() == 0:
        raise ValueError("item_merit must be finite, non-negative and not all zero.")
    return merit


def make_problem(estimator, objective, n_items, merit):
    """Problem that an estimator's parameters describe.

    Parameters
    ----------
    estimator : FairRankingFW
        Parameters.
    objective : RankingObjective
        Copied, so that later changes of the parameter do not reach the fitted problem.
    n_items : int
        Number of columns of X.
    merit : ndarray of shape (n_items,) or None
        Merit of the items.

    Returns
    -------
    problem : RankingProblem
        Checked.
    """
    problem = RankingProblem(
        objective=clone(objective),
        beta=float(estimator.beta),
        position_weights=check_position_weights(
            estimator.position_weights, min(estimator.top_k, n_items)
        ),
        n_items=n_items,
        item_group=encode_items(estimator.item_groups, n_items),
        candidates=estimator.candidates,
        merit=merit,
    )
    objective.check(len(problem.group_share), problem.group_share)
    return problem


def merit_of(estimator, objective, X, weight):
    """Merit of the items: what the user says, or the sum of relevance over the users.

    Parameters
    ----------
    estimator : FairRankingFW
        For its `item_merit`.
    objective : RankingObjective
        For whether it needs any.
    X : ndarray or CSR matrix of shape (n_users, n_items)
        Relevance.
    weight : ndarray of shape (n_users,)
        Activity.

    Returns
    -------
    merit : ndarray of shape (n_items,) or None
        In any unit.
    """
    if not objective.needs_merit:
        return None
    if estimator.item_merit is not None:
        return check_merit(estimator.item_merit, X.shape[1])
    return X.T @ weight
