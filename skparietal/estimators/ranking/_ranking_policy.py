"""The policy that a fair ranking learned: its stored bonuses, applied to any rows."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from skparietal.exposure import add_exposure, relevance_at
from skparietal.solvers.ranking.ranking_problem import ExposureState, RankingProblem
from skparietal.solvers.ranking.user_responses import rank_block


@dataclass(frozen=True)
class StoredPolicy:  # numpydoc ignore=PR02
    """A mixture of rankings by index scores, one part for each stored bonus.

    Parameters
    ----------
    problem : RankingProblem
        Objective and position weights.
    bonuses : ndarray of shape (n_stored, n_user_groups, n_items)
        Item parts of the index scores, in order of time.
    weights : ndarray of shape (n_stored,)
        Probabilities of the parts.
    """

    problem: RankingProblem
    bonuses: np.ndarray
    weights: np.ndarray

    def replay(self, X, group):
        """Rankings of all the parts in order, each user's slope following from those before.

        Parameters
        ----------
        X : ndarray or CSR matrix of shape (n_users, n_items)
            Relevance.
        group : ndarray of shape (n_users,) or None
            User groups.

        Yields
        ------
        part : tuple of (weight, rankings, utility, slope)
            Probability; items; mean utility of the parts so far; slope used.
        """
        utility = np.zeros(X.shape[0])
        total = 0.0
        for bonus, weight in zip(self.bonuses, self.weights):
            slope = self.slope(utility, first=total == 0)
            rankings, gained = rank_block(self.problem, X, group, bonus, slope)
            total += weight
            utility = utility + (weight / total) * (gained - utility)
            yield weight, rankings, utility, slope

    def slope(self, utility, first=False):
        """Slope of each user's welfare at a mean utility; 1 before anything was shown.

        Parameters
        ----------
        utility : ndarray of shape (n_users,)
            In units of relevance times position weight.
        first : bool, default=False
            Whether nothing was shown yet.

        Returns
        -------
        slope : ndarray of shape (n_users,) or None
            Multiplies the relevance; None is 1.
        """
        if first or self.problem.linear_in_utility:
            return None
        return self.problem.objective.user_slope(utility / self.problem.total_attention)

    def final_slope(self, X, group):
        """Slope of each user's welfare once all the parts were shown.

        Parameters
        ----------
        X : ndarray or CSR matrix of shape (n_users, n_items)
            Relevance.
        group : ndarray of shape (n_users,) or None
            User groups.

        Returns
        -------
        slope : ndarray of shape (n_users,) or None
            Multiplies the relevance; None is 1.
        """
        if self.problem.linear_in_utility:
            return None
        *_, (_, _, utility, _) = self.replay(X, group)
        return self.slope(utility)

    def draw(self, X, group, parts):
        """Rankings by the part that each user was dealt.

        Parameters
        ----------
        X : ndarray or CSR matrix of shape (n_users, n_items)
            Relevance.
        group : ndarray of shape (n_users,) or None
            User groups.
        parts : ndarray of shape (n_users,), dtype int
            Number of the part.

        Returns
        -------
        rankings : ndarray of shape (n_users, top_k), dtype int64
            Items, best first.
        """
        rankings = np.empty((X.shape[0], len(self.problem.position_weights)), dtype=np.int64)
        if self.problem.linear_in_utility:
            for part in np.unique(parts):
                rows = np.flatnonzero(parts == part)
                own = None if group is None else group[rows]
                bonus = self.bonuses[part]
                rankings[rows] = rank_block(self.problem, X[rows], own, bonus, None)[0]
            return rankings
        for part, (_, shown, _, _) in enumerate(self.replay(X, group)):
            rankings[parts == part] = shown[parts == part]
        return rankings

    def exposure(self, X, group):
        """Expected exposure of every item to every user.

        Parameters
        ----------
        X : ndarray or CSR matrix of shape (n_users, n_items)
            Relevance.
        group : ndarray of shape (n_users,) or None
            User groups.

        Returns
        -------
        exposure : csr_array of shape (n_users, n_items)
            In units of position weights.
        """
        total = sparse.csr_array(X.shape)
        for weight, rankings, _, _ in self.replay(X, group):
            rows, places = np.nonzero(rankings >= 0)
            values = weight * self.problem.position_weights[places]
            columns = rankings[rows, places]
            total = total + sparse.csr_array((values, (rows, columns)), shape=X.shape)
        return total

    def value(self, X, sample_weight, group, relevance=None):
        """Objective of the mixture on some users.

        Parameters
        ----------
        X : ndarray or CSR matrix of shape (n_users, n_items)
            Relevance that the rankings follow.
        sample_weight : ndarray of shape (n_users,)
            Activity.
        group : ndarray of shape (n_users,) or None
            User groups.
        relevance : ndarray or CSR matrix of shape (n_users, n_items), default=None
            Relevance that the utilities count; None is X.

        Returns
        -------
        value : float
            User welfare plus item part.
        """
        n_groups = self.bonuses.shape[1]
        mass = np.zeros(self.bonuses.shape[1:])
        truth = np.zeros(X.shape[0])
        for weight, rankings, utility, _ in self.replay(X, group):  # noqa: B007 (the last one counts)
            add_exposure(
                mass,
                rankings,
                self.problem.position_weights,
                sample_weight=weight * sample_weight,
                user_group=group,
            )
            if relevance is not None:
                shown = relevance_at(relevance, rankings)
                truth += weight * (shown @ self.problem.position_weights)
        utility = utility if relevance is None else truth
        codes = np.zeros(len(truth), dtype=int) if group is None else group
        exposure = ExposureState(mass, np.bincount(codes, sample_weight, minlength=n_groups))
        welfare = self.problem.objective.user_value(utility / self.problem.total_attention)
        return np.average(welfare, weights=sample_weight) + self.problem.item_value(exposure)
