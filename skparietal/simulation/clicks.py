"""Users who click on rankings: an environment with known truth for the ranking bandit."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils import check_random_state

from skparietal.estimators.ranking.fair_ranking_fw import FairRankingFW
from skparietal.exposure import check_position_weights
from skparietal.objectives.ranking import RankingObjective, check_ranking_objective
from skparietal.solvers.bandits.concave_reward import ConcaveRewardOptimum
from skparietal.solvers.ranking.ranking_problem import ExposureState, RankingProblem


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

    Examples
    --------
    >>> import numpy as np
    >>> from skparietal.objectives import TwoSidedWelfare
    >>> from skparietal.simulation import RankingGoal
    >>> goal = RankingGoal(TwoSidedWelfare(item_alpha=1.0), 0.5, np.array([1.0, 0.5]))
    >>> float(goal.value(np.array([1.0, 0.5, 0.0, 0.8])))  # utility 0.8, mean exposure 1
    1.3
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
    """Users who come at random, look down a ranking and click on what is relevant to them.

    The place k is looked at with probability weight_k / weight_1; an item that is looked at is
    clicked with a probability that is its relevance to the user.

    Attributes
    ----------
    contexts : ndarray of shape (n_users, n_features)
        What a bandit sees of each user.
    relevance : ndarray of shape (n_users, n_items)
        Click probabilities, in [0, 1].
    position_weights : ndarray of shape (top_k,)
        Exposure of each place.

    Examples
    --------
    >>> import numpy as np
    >>> from skparietal.simulation import ClickEnvironment
    >>> environment = ClickEnvironment(np.ones((1, 1)), np.array([[1.0, 0.0]]), np.ones(2))
    >>> environment.browse(np.array([0]), np.array([[1, 0]]))
    (array([[ True,  True]]), array([[False,  True]]))
    """

    contexts: np.ndarray
    relevance: np.ndarray
    position_weights: np.ndarray

    def browse(self, users, rankings, random_state=None):
        """Looks and clicks of some users on some rankings.

        Parameters
        ----------
        users : ndarray of shape (n,), dtype int
            Rows of ``contexts`` and ``relevance``.
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
        attention = self.position_weights / self.position_weights[0]
        looked = generator.uniform(size=rankings.shape) < attention
        relevance = self.relevance[users[:, None], rankings]
        return looked, looked & (generator.uniform(size=rankings.shape) < relevance)

    def play(self, bandit, n_rounds, random_state=None):
        """Let a bandit rank and learn, one user after another.

        Parameters
        ----------
        bandit : object
            With ``rank(X)`` and ``update(X, rankings, looked, clicks)``.
        n_rounds : int
            Number of rankings, each for a user drawn with replacement.
        random_state : int, RandomState instance or None, default=None
            Source of users, looks and clicks.

        Yields
        ------
        rewards : ndarray of shape (n_items + 1,)
            Exposure of every item, then the expected utility over the sum of the weights.
        """
        generator = check_random_state(random_state)
        weights = self.position_weights
        for user in generator.randint(len(self.contexts), size=(n_rounds, 1)):
            X = self.contexts[user]
            rankings = bandit.rank(X)
            bandit.update(X, rankings, *self.browse(user, rankings, generator))
            rewards = np.zeros(self.relevance.shape[1] + 1)
            rewards[rankings[0]] = weights
            rewards[-1] = self.relevance[user, rankings[0]] @ weights / weights.sum()
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

    def optimum(self, goal, *, max_iter=300):
        """Best value of a goal when the relevance is known, by batch Frank-Wolfe.

        Parameters
        ----------
        goal : RankingGoal
            From :meth:`goal`.
        max_iter : int, default=300
            Iterations; the gap says what they left.

        Returns
        -------
        optimum : ConcaveRewardOptimum
            Value, average rewards and certified gap.
        """
        ranker = FairRankingFW(
            goal.objective,
            beta=goal.beta,
            top_k=len(self.position_weights),
            position_weights=self.position_weights,
            solver="fw",
            max_iter=max_iter,
            tol=0.0,
        ).fit(self.relevance)
        utility = ranker.user_utility_.mean() / self.position_weights.sum()
        mean_reward = np.append(ranker.item_exposure_, utility)
        return ConcaveRewardOptimum(ranker.objective_value_, mean_reward, ranker.gap_)


def make_click_environment(
    n_items=50,
    n_features=5,
    *,
    n_users=2000,
    top_k=10,
    position_weights="dcg",
    popularity=1.0,
    random_state=None,
):
    """Environment in which a few popular items would be shown to everybody.

    Parameters
    ----------
    n_items : int, default=50
        Number of items.
    n_features : int, default=5
        Number of features of a context: shares of as many tastes.
    n_users : int, default=2000
        Number of users.
    top_k : int, default=10
        Length of the rankings.
    position_weights : {"dcg", "rr", "uniform"}, array-like or callable, default="dcg"
        Exposure of each place.
    popularity : float, default=1.0
        How much the relevance of the items differs for everybody alike; 0 is not at all.
    random_state : int, RandomState instance or None, default=None
        Source of users and items.

    Returns
    -------
    environment : ClickEnvironment
        Its relevance is linear in the contexts.

    Examples
    --------
    >>> from skparietal.simulation import make_click_environment
    >>> environment = make_click_environment(n_items=6, n_users=3, top_k=2, random_state=0)
    >>> environment.relevance.shape
    (3, 6)
    """
    generator = check_random_state(random_state)
    contexts = generator.dirichlet(np.full(n_features, 0.5), size=n_users)
    quality = generator.uniform(size=n_items) ** popularity
    relevance = contexts @ (generator.uniform(size=(n_features, n_items)) * quality)
    return ClickEnvironment(contexts, relevance, check_position_weights(position_weights, top_k))
