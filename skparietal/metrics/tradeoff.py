"""Choosing a ranking on a grid: fairness among those that keep enough utility."""

import numpy as np
from sklearn.pipeline import Pipeline

from skparietal.metrics.exposure import gini_index, item_exposure, ndcg_at_k


def score_ranking(estimator, X, y=None, *, position_weights=None):
    """Utility and inequality of an estimator's rankings, for `scoring` in GridSearchCV.

    Parameters
    ----------
    estimator : estimator
        With a `predict` that returns rankings of the columns of X; a pipeline will do.
    X : {array-like, sparse matrix} of shape (n_users, n_items)
        Input of the estimator.
    y : array-like of shape (n_users, n_items), default=None
        True relevance; None, or anything of another shape, takes X.
    position_weights : str, array-like or callable, default=None
        Attention of each place. None takes those of the estimator, or of the last step of a
        pipeline; "dcg" if it has none.

    Returns
    -------
    scores : dict
        "ndcg", the mean over users (with other weights than "dcg": of their utility over the
        largest possible one), and "gini", of the items' exposures.
    """
    rankings = estimator.predict(X)
    relevance = y if np.shape(y) == np.shape(X) else X
    if position_weights is None:
        ranker = estimator[-1] if isinstance(estimator, Pipeline) else estimator
        position_weights = getattr(ranker, "position_weights_", "dcg")
    attention = {"position_weights": position_weights}
    return {
        "ndcg": float(np.mean(ndcg_at_k(relevance, rankings, **attention))),
        "gini": gini_index(item_exposure(rankings, np.shape(X)[1], **attention)),
    }


def make_tradeoff_refit(utility="ndcg", fairness="gini", min_utility=0.97, greater_is_better=None):
    """Rule for `refit` of GridSearchCV: the fairest candidate that keeps enough utility.

    The objective changes with beta, so that its value cannot choose beta: two measures from outside
    do.

    Parameters
    ----------
    utility : str, default="ndcg"
        Name of the score that must not fall too far.
    fairness : str, default="gini"
        Name of the score to optimise.
    min_utility : float, default=0.97
        Share of the largest mean utility that a candidate must keep; of a negative one, by what
        part of its size a candidate may fall below it.
    greater_is_better : bool, default=None
        Whether a larger `fairness` is better; None says no for "gini" and yes for the rest.

    Returns
    -------
    refit : callable
        `refit(cv_results)` returns the index of the chosen candidate.

    Examples
    --------
    >>> from skparietal.metrics import make_tradeoff_refit
    >>> results = {"mean_test_ndcg": [1.0, 0.98, 0.6], "mean_test_gini": [0.9, 0.7, 0.1]}
    >>> make_tradeoff_refit()(results)
    1
    """
    if greater_is_better is None:
        greater_is_better = fairness != "gini"

    def refit(cv_results):  # numpydoc ignore=GL08
        kept = np.asarray(cv_results[f"mean_test_{utility}"], dtype=float)
        fair = np.asarray(cv_results[f"mean_test_{fairness}"], dtype=float)
        fair = fair if greater_is_better else -fair
        best = np.nanmax(kept)
        enough = kept >= best - (1 - min_utility) * abs(best)
        return int(np.nanargmax(np.where(enough, fair, -np.inf)))

    return refit
