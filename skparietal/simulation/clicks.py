"""Users who click on rankings: an environment with known truth for the ranking bandit."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils import check_random_state

from skparietal.estimators.fair_ranking_fw import FairRankingFW
from skparietal.exposure import check_position_weights, rank_rows
from skparietal.objectives.ranking import RankingObjective, check_ranking_objective
from skparietal.solvers.concave_reward import ConcaveRewardOptimum
from skparietal.solvers.ranking_problem import ExposureState, RankingProblem

# Rounds whose contexts are drawn at once.
BLOCK = 512


@dataclass(frozen=True)
class RankingGoal:
    """Mean utility plus beta times a concave function of the exposures, of average rewards.

    Attributes
    ----------
    objective : RankingObjective
        With a linear users' part.
    beta : float
        Weight of the exposures.
    position_weights : ndarray of shape (top_k,)
        Exposure of each place.
    """

    objective: RankingObjective
    beta: float
    position_weights: np.ndarray

    def value(self, mean_reward):
        """Objective of the averages of what :meth:`ClickEnvironment.play` yields.

        Parameters
        ----------
        mean_reward : ndarray of shape (..., n_items + 1)
            Mean exposure of every item, then mean relative utility.

        Returns
        -------
        value : ndarray of shape (...)
            The larger the better.
        """
        n_items = mean_reward.shape[-1] - 1
        problem = RankingProblem(self.objective, self.beta, self.position_weights, n_items)
        rows = mean_reward.reshape(-1, n_items + 1)
        values = [
            row[-1] + problem.item_value(ExposureState(row[None, :-1], np.ones(1))) for row in rows
        ]
        return np.array(values).reshape(mean_reward.shape[:-1])


@dataclass(frozen=True)
class ClickEnvironment:
    """Users who look down a ranking and click on what is relevant to them.

    The place k is looked at with probability weight_k / weight_1, an item that is looked at is
    clicked with probability relevance = <context, its coefficients>. Made by
    :func:`make_click_environment`.

    Attributes
    ----------
    coef : ndarray of shape (n_items, n_features)
        Coefficients of the relevance, in [0, 1].
    concentration : float
        Of the symmetric Dirichlet distribution of the contexts.
    position_weights : ndarray of shape (top_k,)
        Exposure of each place.
    """

    coef: np.ndarray
    concentration: float
    position_weights: np.ndarray

    def draw_contexts(self, n, random_state=None):
        """Draw contexts.

        Parameters
        ----------
        n : int
            Number of contexts.
        random_state : int, RandomState instance or None, default=None
            Source of the draws.

        Returns
        -------
        X : ndarray of shape (n, n_features)
            Rows sum to 1.
        """
        alpha = np.full(self.coef.shape[1], self.concentration)
        return check_random_state(random_state).dirichlet(alpha, size=n)

    def relevance(self, X):
        """Click probabilities of every item once it is looked at.

        Parameters
        ----------
        X : ndarray of shape (n, n_features)
            Contexts.

        Returns
        -------
        relevance : ndarray of shape (n, n_items)
            In [0, 1].
        """
        return X @ self.coef.T

    def browse(self, X, rankings, random_state=None):
        """Looks and clicks on some rankings.

        Parameters
        ----------
        X : ndarray of shape (n, n_features)
            Contexts.
        rankings : ndarray of shape (n, top_k)
            Items, best first.
        random_state : int, RandomState instance or None, default=None
            Source of the draws.

        Returns
        -------
        looked, clicks : ndarray of shape (n, top_k), dtype bool
            As ``update`` of the bandit takes them.
        """
        generator = check_random_state(random_state)
        weights = self.position_weights
        looked = generator.uniform(size=rankings.shape) < weights / weights[0]
        relevance = np.take_along_axis(self.relevance(X), rankings, axis=1)
        return looked, looked & (generator.uniform(size=rankings.shape) < relevance)

    def play(self, bandit, n_rounds, random_state=None):
        """Let a bandit rank and learn.

        Parameters
        ----------
        bandit : object
            With ``rank(X)`` and ``update(X, rankings, looked, clicks)``.
        n_rounds : int
            Number of rankings, one context each.
        random_state : int, RandomState instance or None, default=None
            Source of contexts, looks and clicks.

        Yields
        ------
        rewards : ndarray of shape (n_items + 1,)
            Exposure of every item, then the expected utility over the sum of the weights.
        """
        generator = check_random_state(random_state)
        weights = self.position_weights
        for start in range(0, n_rounds, BLOCK):
            contexts = self.draw_contexts(min(BLOCK, n_rounds - start), generator)
            relevance = self.relevance(contexts)
            for t in range(len(contexts)):
                X = contexts[t : t + 1]
                rankings = bandit.rank(X)
                bandit.update(X, rankings, *self.browse(X, rankings, generator))
                rewards = np.zeros(len(self.coef) + 1)
                rewards[rankings[0]] = weights
                rewards[-1] = relevance[t, rankings[0]] @ weights / weights.sum()
                yield rewards

    def goal(self, bandit):
        """Objective that a bandit is after.

        Parameters
        ----------
        bandit : ConcaveRankingBandit
            With ``objective`` and ``beta``.

        Returns
        -------
        goal : RankingGoal
            Of this environment's rewards.
        """
        objective = check_ranking_objective(bandit.objective)
        return RankingGoal(objective, bandit.beta, self.position_weights)

    def optimum(self, goal, *, n_contexts=2000, max_iter=300, random_state=0):
        """Best value of a goal when the relevance is known, by batch Frank-Wolfe.

        Parameters
        ----------
        goal : RankingGoal
            From :meth:`goal`.
        n_contexts : int, default=2000
            Sample that stands for the distribution of the contexts.
        max_iter : int, default=300
            Iterations; the gap says what they left.
        random_state : int, RandomState instance or None, default=0
            Source of the sample.

        Returns
        -------
        optimum : ConcaveRewardOptimum
            Value, average rewards and certified gap.
        """
        relevance = self.relevance(self.draw_contexts(n_contexts, random_state))
        top_k = len(self.position_weights)
        if goal.beta == 0:
            shown = rank_rows(relevance, top_k)[1]
            utility = (shown @ self.position_weights).mean() / self.position_weights.sum()
            return ConcaveRewardOptimum(float(utility), np.empty(0), 0.0)
        ranker = FairRankingFW(
            goal.objective,
            beta=goal.beta,
            top_k=top_k,
            position_weights=self.position_weights,
            solver="fw",
            max_iter=max_iter,
            tol=0.0,
        ).fit(relevance)
        utility = ranker.user_utility_.mean() / self.position_weights.sum()
        mean_reward = np.append(ranker.item_exposure_, utility)
        return ConcaveRewardOptimum(ranker.objective_value_, mean_reward, ranker.gap_)


def make_click_environment(
    n_items=50, n_features=5, *, top_k=10, position_weights="dcg", popularity=1.0, random_state=None
):
    """Environment in which a few popular items would be shown to everybody.

    Parameters
    ----------
    n_items : int, default=50
        Number of items.
    n_features : int, default=5
        Number of features of a context: shares of as many tastes.
    top_k : int, default=10
        Length of the rankings.
    position_weights : {"dcg", "rr", "uniform"}, array-like or callable, default="dcg"
        Exposure of each place.
    popularity : float, default=1.0
        How much the relevance of the items differs for everybody alike; 0 is not at all.
    random_state : int, RandomState instance or None, default=None
        Source of the coefficients.

    Returns
    -------
    environment : ClickEnvironment
        Parameters only; every draw takes its own ``random_state``.

    Examples
    --------
    >>> from skparietal.simulation import make_click_environment
    >>> environment = make_click_environment(n_items=6, top_k=2, random_state=0)
    >>> X = environment.draw_contexts(3, random_state=0)
    >>> environment.relevance(X).shape
    (3, 6)
    """
    generator = check_random_state(random_state)
    quality = generator.uniform(size=(n_items, 1)) ** popularity
    coef = quality * generator.uniform(size=(n_items, n_features))
    return ClickEnvironment(coef, 0.5, check_position_weights(position_weights, top_k))
