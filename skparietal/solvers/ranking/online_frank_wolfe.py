"""OFFR: Frank-Wolfe for fair ranking one mini-batch of users at a time."""

from dataclasses import dataclass

import numpy as np

from skparietal.exposure import add_exposure
from skparietal.solvers.ranking.bonus_path import BonusPath
from skparietal.solvers.ranking.frank_wolfe import FrankWolfeResult
from skparietal.solvers.ranking.ranking_problem import ExposureState
from skparietal.solvers.ranking.user_responses import rank_block


@dataclass
class OnlineState:  # numpydoc ignore=PR02
    """State of the online algorithm: constant in the number of users when welfare is linear.

    Parameters
    ----------
    exposure : ExposureState
        Weighted exposure given so far; weights grow when early passes are to be forgotten.
    path : BonusPath
        Bonuses used so far.
    """

    exposure: ExposureState
    path: BonusPath

    @classmethod
    def empty(cls, shape, capacity):
        """State before the first user.

        Parameters
        ----------
        shape : tuple of int
            Number of user groups and of items.
        capacity : int
            Number of bonuses that the path holds.

        Returns
        -------
        state : OnlineState
            Zeros.
        """
        return cls(ExposureState(np.zeros(shape), np.zeros(shape[0])), BonusPath(capacity))

    def scaled_to(self, weight):
        """Copy in which the users so far weigh as much as asked.

        Parameters
        ----------
        weight : float
            New sum of weights.

        Returns
        -------
        state : OnlineState
            The same policy.
        """
        return OnlineState(self.exposure.scaled_to(weight), self.path.scaled_to(weight))

    def add_user_groups(self, n):
        """Copy with room for user groups that come later; itself when there are none.

        Parameters
        ----------
        n : int
            Number of new groups.

        Returns
        -------
        state : OnlineState
            With n more groups.
        """
        if n == 0:
            return self
        return OnlineState(self.exposure.add_user_groups(n), self.path.add_user_groups(n))

    def serve(self, problem, X, weight, group, utility, *, factor=1.0):
        """Rank for one mini-batch of users with the same slopes, and count what was shown.

        Parameters
        ----------
        problem : RankingProblem
            Objective and position weights.
        X : ndarray or CSR matrix of shape (n_users, n_items)
            Relevance for the users of the batch, in order of arrival.
        weight : ndarray of shape (n_users,)
            Activity of each.
        group : ndarray of shape (n_users,) or None
            User group of each.
        utility : ndarray of shape (n_users,)
            Mean utility that each has had so far.
        factor : float, default=1.0
            How much this batch counts beside earlier ones.

        Returns
        -------
        rankings : ndarray of shape (n_users, top_k)
            What was shown.
        gained : ndarray of shape (n_users,)
            Utility of it, in units of relevance times position weight.
        """
        weight = weight if factor == 1 else factor * weight
        seen, arrived = _total(self.exposure.weight), _total(weight)
        bonus, item_slope = self._bonus(problem, seen)
        slope = None
        if not problem.linear_in_utility:
            slope = problem.objective.user_slope(utility / problem.total_attention)
        rankings, gained = rank_block(problem, X, group, bonus, slope)
        add_exposure(
            self.exposure.mass,
            rankings,
            problem.position_weights,
            sample_weight=weight,
            user_group=group,
        )
        if group is None:
            self.exposure.weight += arrived
        else:
            np.add.at(self.exposure.weight, group, weight)
        if item_slope is not None:
            self.exposure.move_center(arrived / (seen + arrived), item_slope)
        self.path.append(bonus, arrived)
        return rankings, gained

    def _bonus(self, problem, seen):
        """Bonuses, and the slopes that a center has to follow; none before the first user."""
        if seen == 0:
            return np.zeros_like(self.exposure.mass), None
        if not problem.objective.needs_center:
            return problem.bonus_at(self.exposure), None
        item_slope = problem.item_slope(self.exposure)
        return problem.bonus(item_slope), item_slope


def online_frank_wolfe(
    problem, users, state, *, rng, batch_size, first_pass=1, max_iter, tol, forget, on_pass=None
):
    """OFFR over a table of users: shuffled passes of mini-batches, each served in turn.

    Pass p counts p times when early passes are to be forgotten, for exposures and utilities alike:
    at the end of each pass the two belong to the same policy. The gap costs a pass and is computed
    after passes 1, 2, 4, 8, ... and at the end.

    Parameters
    ----------
    problem : RankingProblem
        What to maximise.
    users : LocalUsers
        All users; their utilities are updated in place.
    state : OnlineState
        Updated in place.
    rng : RandomState
        Shuffles the users.
    batch_size : int
        Users that are ranked with the same slopes.
    first_pass : int, default=1
        Number of the first pass; larger when an earlier solution is continued.
    max_iter : int
        Largest number of passes.
    tol : float
        Stop when the gap is at most tol * max(1, objective).
    forget : bool
        Whether later passes count more.
    on_pass : callable, default=None
        `on_pass(result)` after each pass; stops when it returns True.

    Returns
    -------
    result : FrankWolfeResult
        Certified.

    References
    ----------
    Usunier, Do, Dohmatob, Fast online ranking with fairness of exposure, 2022 (the online
    algorithm). The weights of the passes are derived here.
    """
    result = FrankWolfeResult(state.exposure)
    for n_iter in range(1, max_iter + 1):
        number = first_pass + n_iter - 1
        factor, share = (number, 2 / (number + 1)) if forget else (1.0, 1 / number)
        _online_pass(
            problem, users, state, rng.permutation(users.n_users), batch_size, factor, share
        )
        result.n_iter = n_iter
        power_of_two = n_iter & (n_iter - 1) == 0
        if power_of_two or n_iter == max_iter:
            _certify_online(problem, users, state, result)
        stop = on_pass is not None and on_pass(result)
        if result.converged(tol) and power_of_two:
            break
        if stop:
            if not power_of_two:
                _certify_online(problem, users, state, result)
            break
    return result


def _total(weight):
    """Sum; a serving loop with one user in one group is spared the microseconds."""
    return weight[0] if len(weight) == 1 else weight.sum()


def _online_pass(problem, users, state, order, batch_size, factor, share):
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        block = users.rows(rows)
        _, gained = state.serve(
            problem, block.X, block.weight, block.group, block.utility, factor=factor
        )
        users.utility[rows] += share * (gained - block.utility)


def _certify_online(problem, users, state, result):
    intercept, slope = problem.item_tangent(state.exposure)
    bonus = problem.bonus(slope)
    result.certify(problem, intercept, bonus, users(bonus, 0.0))
