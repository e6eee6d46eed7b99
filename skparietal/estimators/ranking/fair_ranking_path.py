"""A grid of trade-offs, each solution the start of the next."""

from copy import copy

from sklearn.base import clone


def fair_ranking_path(estimator, X, betas, *, sample_weight=None, user_groups=None):
    """Fit a fair ranking for each weight of the items, warm-started from the one before.

    Parameters
    ----------
    estimator : FairRankingFW
        Template; not changed.
    X : {array-like, CSR matrix} of shape (n_users, n_items)
        Relevance.
    betas : iterable of float
        Weights of the items, best in monotone order.
    sample_weight : array-like of shape (n_users,), default=None
        Activity of each user.
    user_groups : array-like of shape (n_users,), default=None
        Labels, only for "balanced".

    Returns
    -------
    path : list of FairRankingFW
        One fitted estimator per beta; `n_iter_` counts the passes that each added.

    Examples
    --------
    >>> import numpy as np
    >>> from skparietal import FairRankingFW, fair_ranking_path
    >>> X = np.random.default_rng(0).random((60, 20))
    >>> path = fair_ranking_path(FairRankingFW(solver="fw", max_iter=500), X, [0.1, 0.2, 0.4])
    >>> [model.beta for model in path]
    [0.1, 0.2, 0.4]
    """
    model = clone(estimator).set_params(warm_start=True)
    path = []
    for beta in betas:
        model.set_params(beta=beta).fit(X, sample_weight=sample_weight, user_groups=user_groups)
        path.append(copy(model))
    return path
