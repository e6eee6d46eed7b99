"""Best rankings of users for given slopes, and what they add up to; in blocks and threads."""

from dataclasses import dataclass, replace
from functools import reduce
from operator import add

import numpy as np
from joblib import Parallel, delayed

from skparietal.exposure import add_exposure, rank_rows
from skparietal.solvers.ranking.ranking_problem import ExposureState

ROWS_PER_TASK = 256  # users that one thread ranks for at a time


@dataclass(frozen=True)
class UserBlock:  # numpydoc ignore=PR02
    """Some rows of the relevance table with the state of their users.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_users, n_items)
        Relevance.
    weight : ndarray of shape (n_users,)
        Activity.
    group : ndarray of shape (n_users,), dtype int, or None
        User group of each row, from 0.
    utility : ndarray of shape (n_users,)
        Utility under the current policy, in units of relevance times position weight.
    response : ndarray of shape (n_users,)
        Utility under the last response.
    """

    X: np.ndarray
    weight: np.ndarray
    group: np.ndarray | None
    utility: np.ndarray
    response: np.ndarray


@dataclass(frozen=True)
class Response:  # numpydoc ignore=PR02
    """Sums over users of what a direction's best rankings give; those of blocks add up.

    Parameters
    ----------
    user_value : float
        Sum of weight times welfare at the current policy.
    user_gain : float
        Sum of weight times slope times the relative utility gained by the response.
    exposure : ExposureState
        Exposure given by the response.
    """

    user_value: float
    user_gain: float
    exposure: ExposureState

    def __add__(self, other):
        one, two = self.exposure, other.exposure
        return Response(
            self.user_value + other.user_value,
            self.user_gain + other.user_gain,
            ExposureState(one.mass + two.mass, one.weight + two.weight),
        )


def respond(problem, block, bonus, step):
    """Move the users of a block by the last step, then rank for them by the index scores.

    Parameters
    ----------
    problem : RankingProblem
        Objective and position weights.
    block : UserBlock
        Users with their last response.
    bonus : ndarray of shape (n_user_groups, n_items)
        Item part of the index scores.
    step : float
        How far the users move towards their last response, in [0, 1].

    Returns
    -------
    block : UserBlock
        With the new utilities and responses.
    response : Response
        Sums over the block.
    """
    utility = block.utility + step * (block.response - block.utility)
    relative = utility / problem.total_attention
    slope = problem.objective.user_slope(relative)
    scale = None if problem.linear_in_utility else slope
    rankings, gained = rank_block(problem, block.X, block.group, bonus, scale)
    exposure = ExposureState(np.zeros(bonus.shape), group_weights(block, len(bonus)))
    add_exposure(
        exposure.mass,
        rankings,
        problem.position_weights,
        sample_weight=block.weight,
        user_group=block.group,
    )
    gain = block.weight @ (slope * (gained - utility)) / problem.total_attention
    value = block.weight @ problem.objective.user_value(relative)
    return replace(block, utility=utility, response=gained), Response(value, gain, exposure)


def rank_block(problem, X, group, bonus, slope):
    """Best rankings of some users for given slopes of the objective.

    Parameters
    ----------
    problem : RankingProblem
        Position weights and candidates.
    X : ndarray or CSR matrix of shape (n_users, n_items)
        Relevance.
    group : ndarray of shape (n_users,) or None
        User group of each row.
    bonus : ndarray of shape (n_user_groups, n_items)
        Item part of the index scores.
    slope : ndarray of shape (n_users,) or None
        Slope of each user's welfare; None is 1.

    Returns
    -------
    rankings : ndarray of shape (n_users, top_k)
        Items, best first, -1 where there are not enough.
    utility : ndarray of shape (n_users,)
        In units of relevance times position weight.
    """
    rankings, relevance = rank_rows(
        X,
        len(problem.position_weights),
        bonus=bonus[0] if group is None else bonus[group],
        scale=slope,
        candidates=problem.candidates,
    )
    return rankings, relevance @ problem.position_weights


def group_weights(block, n_groups):
    """Sum of weights of each user group.

    Parameters
    ----------
    block : UserBlock
        Users.
    n_groups : int
        Number of user groups.

    Returns
    -------
    weights : ndarray of shape (n_groups,)
        Sums.
    """
    if block.group is None:
        return np.array([block.weight.sum()])
    return np.bincount(block.group, weights=block.weight, minlength=n_groups)


class LocalUsers:  # numpydoc ignore=PR02
    """All the users on this machine, ranked for in threads.

    Parameters
    ----------
    problem : RankingProblem
        What to maximise.
    X : ndarray or CSR matrix of shape (n_users, n_items)
        Relevance.
    weight : ndarray of shape (n_users,)
        Activity.
    group : ndarray of shape (n_users,) or None
        User group of each row, from 0.
    utility : ndarray of shape (n_users,)
        Utilities of the policy to start from; updated in place.
    n_jobs : int, default=None
        Threads. The blocks and the order of the sums do not depend on it.
    """

    def __init__(self, problem, X, weight, group, utility, n_jobs=None):
        self.problem = problem
        self.block = UserBlock(X, weight, group, utility, np.zeros_like(utility))
        self.n_jobs = n_jobs

    @property
    def n_users(self):  # numpydoc ignore=RT01
        """Number of users."""
        return len(self.block.weight)

    @property
    def total_weight(self):  # numpydoc ignore=RT01
        """Sum of the users' weights."""
        return self.block.weight.sum()

    @property
    def utility(self):  # numpydoc ignore=RT01
        """Utility of each user, in units of relevance times position weight."""
        return self.block.utility

    def rows(self, rows):
        """Some users.

        Parameters
        ----------
        rows : slice or ndarray of int
            Which ones.

        Returns
        -------
        block : UserBlock
            Their rows.
        """
        block = self.block
        group = None if block.group is None else block.group[rows]
        return UserBlock(
            block.X[rows], block.weight[rows], group, block.utility[rows], block.response[rows]
        )

    def __call__(self, bonus, step):
        """Move all users by the last step and rank for them, see :func:`respond`.

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
        slices = [slice(a, a + ROWS_PER_TASK) for a in range(0, self.n_users, ROWS_PER_TASK)]
        parts = Parallel(n_jobs=self.n_jobs, prefer="threads")(
            delayed(respond)(self.problem, self.rows(rows), bonus, step) for rows in slices
        )
        for rows, (block, _) in zip(slices, parts):
            self.block.utility[rows], self.block.response[rows] = block.utility, block.response
        return reduce(add, (response for _, response in parts))
