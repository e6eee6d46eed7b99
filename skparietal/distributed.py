"""Fair rankings of more users than one machine holds, with Dask."""

from contextlib import nullcontext
from functools import reduce
from operator import add

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_array, column_or_1d

from skparietal._compat import with_callbacks
from skparietal.estimators.ranking._ranking_input import check_merit, encode_users, make_problem
from skparietal.objectives.ranking import check_ranking_objective
from skparietal.solvers.ranking.user_responses import UserBlock, respond


class DaskUsers:  # numpydoc ignore=PR02
    """Users whose relevance and utilities stay on the workers.

    Parameters
    ----------
    problem : RankingProblem
        What to maximise.
    blocks : list of Delayed
        Each a :class:`~skparietal.solvers.ranking.user_responses.UserBlock`, on its worker.
    weight : ndarray of shape (n_users,)
        Activity of all users.
    """

    def __init__(self, problem, blocks, weight):
        self.problem = problem
        self.blocks = blocks
        self.n_users = len(weight)
        self.total_weight = weight.sum()

    def __call__(self, bonus, step):
        """Move all users by the last step and rank for them: one message down and one up a block.

        Parameters
        ----------
        bonus : ndarray of shape (n_user_groups, n_items)
            Item part of the index scores.
        step : float
            How far the users move towards their last response.

        Returns
        -------
        response : Response
            Summed over users.
        """
        import dask

        remote = dask.delayed(respond, nout=2, pure=False)
        pairs = dask.persist(*(remote(self.problem, b, bonus, step) for b in self.blocks))
        self.blocks = [pair[0] for pair in pairs]
        return reduce(add, dask.compute(*(pair[1] for pair in pairs)))

    @property
    def utility(self):  # numpydoc ignore=RT01
        """Utility of each user, gathered from the workers."""
        import dask

        utilities = dask.compute(*(block.utility for block in self.blocks))
        return np.concatenate(utilities)


def fit_ranking(estimator, X, *, sample_weight=None, user_groups=None, client=None):
    """Fit a fair ranking by batch Frank-Wolfe on a Dask array of users.

    Every pass sends the item bonuses to the workers and one vector of exposures back per block;
    relevance and utilities stay where they are. The result is that of
    :meth:`skparietal.FairRankingFW.fit` up to the order of the sums.

    Parameters
    ----------
    estimator : FairRankingFW
        Template with `solver="fw"`; not changed.
    X : dask.array.Array of shape (n_users, n_items)
        Relevance, dense, in blocks of rows.
    sample_weight : array-like of shape (n_users,), default=None
        Activity; None is 1.
    user_groups : array-like of shape (n_users,), default=None
        Labels, only for "balanced".
    client : distributed.Client, default=None
        Cluster to run on; None takes the active one, or threads of this machine.

    Returns
    -------
    fitted : FairRankingFW
        As if fitted on one machine.

    Raises
    ------
    ValueError
        If the solver is online, the sizes of the blocks are unknown, or a block holds NaN or
        infinity.
    TypeError
        If X is no Dask array.

    Examples
    --------
    >>> import dask.array as da
    >>> from skparietal import FairRankingFW
    >>> from skparietal.distributed import fit_ranking
    >>> X = da.random.default_rng(0).random((400, 20), chunks=(100, 20))
    >>> fit_ranking(FairRankingFW(solver="fw", max_iter=200), X).n_features_in_
    20
    """
    if estimator.solver != "fw" or estimator.candidates != "all" or estimator.warm_start:
        raise ValueError(
            "fit_ranking needs solver='fw', candidates='all' and warm_start=False; online, serve "
            "each part of the users by an estimator of its own with partial_fit."
        )
    _check_dask(X)
    fitted = clone(estimator)
    fitted._validate_params()
    objective = check_ranking_objective(fitted.objective)
    n_users, n_items = X.shape
    weight = _check_weight(sample_weight, n_users)
    labels, group = None, None
    if objective.by_user_group:
        labels, group = encode_users(user_groups, n_users)
    with client.as_current() if client is not None else nullcontext():
        blocks = _user_blocks(X, weight, group, ensure_non_negative=objective.user_alpha < 1)
        merit = _merit(fitted, objective, blocks, n_items)
        problem = make_problem(fitted, objective, n_items, merit)
        fitted.n_features_in_ = n_items
        run = with_callbacks(lambda model: model._fit_users(problem, users, labels))
        users = DaskUsers(problem, blocks, weight)
        return run(fitted)


def _check_dask(X):
    if not hasattr(X, "rechunk"):
        raise TypeError(
            f"X must be a two-dimensional Dask array, got {type(X).__name__}: FairRankingFW.fit "
            "takes data in memory, and to_dask_array(lengths=True) converts a Dask data frame."
        )
    if np.isnan(np.sum(X.shape)):
        raise ValueError(
            f"The sizes of the blocks of X are unknown (shape {X.shape}): call "
            "X.compute_chunk_sizes() first."
        )


def _check_weight(sample_weight, n_users):
    if sample_weight is None:
        return np.ones(n_users)
    weight = column_or_1d(sample_weight).astype(float)
    if len(weight) != n_users or weight.min() < 0 or not weight.sum() > 0:
        raise ValueError("sample_weight must be one non-negative number per user, not all zero.")
    return weight


def _user_blocks(X, weight, group, ensure_non_negative):
    """Blocks of rows with their users' state, on the workers."""
    import dask

    rows = X.rechunk({1: -1})
    bounds = np.cumsum([0, *rows.chunks[0]])
    blocks = [
        dask.delayed(_user_block)(
            part, weight[a:b], None if group is None else group[a:b], ensure_non_negative
        )
        for part, a, b in zip(rows.to_delayed().ravel(), bounds[:-1], bounds[1:])
    ]
    return dask.persist(*blocks)


def _user_block(X, weight, group, ensure_non_negative):
    X = check_array(
        X,
        dtype=[np.float64, np.float32],
        ensure_non_negative=ensure_non_negative,
        input_name="X",
    )
    return UserBlock(X, weight, group, np.zeros(len(X)), np.zeros(len(X)))


def _merit(estimator, objective, blocks, n_items):
    import dask

    if not objective.needs_merit:
        return None
    if estimator.item_merit is not None:
        return check_merit(estimator.item_merit, n_items)
    parts = [dask.delayed(_weighted_relevance)(block) for block in blocks]
    return sum(dask.compute(*parts))


def _weighted_relevance(block):
    return block.X.T @ block.weight
