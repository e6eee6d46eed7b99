"""Serving users as they come: who they are, what they had, which problem they are ranked by."""

from dataclasses import dataclass, replace

import numpy as np

from skparietal.estimators.ranking._ranking_input import (
    check_activity,
    check_relevance,
    encode_users,
    make_problem,
    merit_of,
)
from skparietal.objectives.ranking import check_ranking_objective
from skparietal.solvers.ranking.online_frank_wolfe import OnlineState
from skparietal.solvers.ranking.ranking_problem import RankingProblem


class Visits:
    """Running mean utility of users by id, with changes held back until they are stored.

    Parameters
    ----------
    known : dict
        Number of visits and mean utility by id.
    ids : sequence of hashable
        Who comes.
    """

    def __init__(self, known, ids):
        self.known = known
        self.ids = ids
        self.changed = {}

    def _of(self, user):
        return self.changed.get(user) or self.known.get(user, (0, 0.0))

    def utility(self, rows):
        """Mean utility that some of the users have had.

        Parameters
        ----------
        rows : slice
            Which ones.

        Returns
        -------
        utility : ndarray
            0 for who comes for the first time.
        """
        return np.array([self._of(user)[1] for user in self.ids[rows]])

    def count(self, rows, gained):
        """Count one visit of some of the users.

        Parameters
        ----------
        rows : slice
            Which ones.
        gained : ndarray
            Utility of what they were shown.
        """
        for user, gain in zip(self.ids[rows], gained.tolist()):
            visits, utility = self._of(user)
            self.changed[user] = (visits + 1, utility + (gain - utility) / (visits + 1))

    def stored(self):
        """Apply the changes.

        Returns
        -------
        known : dict
            The dictionary that was given, updated.
        """
        self.known.update(self.changed)
        return self.known


class Strangers:
    """In place of :class:`Visits` where the users' welfare is linear: nobody is remembered."""

    def utility(self, rows):  # numpydoc ignore=GL08
        return np.zeros(rows.stop - rows.start)

    def count(self, rows, gained):  # numpydoc ignore=GL08
        pass


@dataclass
class Stream:  # numpydoc ignore=PR02
    """Validated users with the state that they will change.

    Parameters
    ----------
    problem : RankingProblem
        What they are ranked by.
    state : OnlineState
        Exposure so far.
    X : ndarray or CSR matrix of shape (n_users, n_items)
        Relevance.
    weight : ndarray of shape (n_users,)
        Activity.
    labels : ndarray or None
        Labels of the user groups.
    group : ndarray of shape (n_users,) or None
        User groups.
    visits : Visits or Strangers
        What the users had.
    """

    problem: RankingProblem
    state: OnlineState
    X: np.ndarray
    weight: np.ndarray
    labels: np.ndarray | None
    group: np.ndarray | None
    visits: Visits | Strangers

    def serve(self, batch_size):
        """Rank for all the users in order of arrival, some at a time.

        Parameters
        ----------
        batch_size : int
            Users that are ranked with the same slopes.

        Returns
        -------
        rankings : ndarray of shape (n_users, top_k), dtype int64
            What they were shown.
        """
        n_users = self.X.shape[0]
        rankings = np.empty((n_users, len(self.problem.position_weights)), dtype=np.int64)
        for start in range(0, n_users, batch_size):
            rows = slice(start, min(start + batch_size, n_users))
            rankings[rows], gained = self.state.serve(
                self.problem,
                self.X[rows],
                self.weight[rows],
                None if self.group is None else self.group[rows],
                self.visits.utility(rows),
            )
            self.visits.count(rows, gained)
        return rankings


def open_stream(estimator, X, user_ids, sample_weight, user_groups):
    """Validate users that come to an estimator, fitted or not.

    Parameters
    ----------
    estimator : FairRankingFW
        Its state is not changed, but for the number and names of the items at the first call.
    X : array-like or sparse matrix of shape (n_users, n_items)
        Relevance.
    user_ids : array-like of shape (n_users,) or None
        Who comes.
    sample_weight : array-like of shape (n_users,) or None
        Activity.
    user_groups : array-like of shape (n_users,) or None
        Labels.

    Returns
    -------
    stream : Stream
        Ready to be served.
    """
    first = not hasattr(estimator, "_state")
    objective = (
        check_ranking_objective(estimator.objective) if first else estimator._problem.objective
    )
    X = check_relevance(estimator, X, objective, reset=first)
    weight = check_activity(sample_weight, X)
    merit = merit_of(estimator, objective, X, weight)
    if first:
        n_groups = 0 if objective.by_user_group else 1
        problem = make_problem(estimator, objective, X.shape[1], merit)
        state = OnlineState.empty((n_groups, X.shape[1]), 2 * estimator.n_stored)
    else:
        problem, state = estimator._problem, estimator._state
        if merit is not None and estimator.item_merit is None:
            problem = replace(problem, merit=problem.merit + merit)
    labels, group = None, None
    if objective.by_user_group:
        known = getattr(estimator, "user_groups_", ())
        labels, group = encode_users(user_groups, X.shape[0], known)
        state = state.add_user_groups(len(labels) - len(known))
    visits = _visits(estimator, objective, user_ids, X.shape[0])
    return Stream(problem, state, X, weight, labels, group, visits)


def _visits(estimator, objective, user_ids, n_users):
    if objective.user_alpha == 1:
        return Strangers()
    if user_ids is None:
        raise ValueError(
            "With user_alpha < 1 a ranking depends on what the user has had: pass user_ids, one "
            "per row of X (range(n) for users who never come back), or take user_alpha=1."
        )
    ids = user_ids.tolist() if hasattr(user_ids, "tolist") else list(user_ids)
    if len(ids) != n_users:
        raise ValueError(
            f"user_ids has {len(ids)} entries but X has {n_users} rows: pass one per row."
        )
    return Visits(getattr(estimator, "user_state_", {}), ids)
