"""Environments with known truth for bandits with concave goals, and runs over many seeds."""

from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator, clone
from sklearn.utils import Bunch, check_random_state

from skparietal.objectives import check_reward_objective
from skparietal.solvers.bandits.concave_reward import maximize_concave_reward

# Rounds whose contexts are drawn at once.
BLOCK = 512


@dataclass(frozen=True)
class ConcaveBanditEnvironment:
    """I.i.d. contexts with linear expected rewards, several per action.

    Made by :func:`make_concave_bandit`.

    Attributes
    ----------
    coef : ndarray of shape (n_features, n_rewards) or (n_actions, n_features, n_rewards)
        True coefficients: one matrix for features of the actions, or one per action for contexts.
    concentration : ndarray of shape (n_actions, n_features) or (n_features,)
        Of the Dirichlet distributions of the features of each action, or of the contexts.
    noise : float
        Standard deviation of every reward around its expectation.

    Examples
    --------
    >>> import numpy as np
    >>> from skparietal.simulation import ConcaveBanditEnvironment
    >>> environment = ConcaveBanditEnvironment(
    ...     coef=np.eye(2), concentration=np.array([[9.0, 1.0], [1.0, 9.0]]), noise=0.1
    ... )
    >>> bool(environment.mean_rewards(environment.draw_contexts(100, 0))[:, 0, 0].mean() > 0.8)
    True
    """

    coef: np.ndarray
    concentration: np.ndarray
    noise: float

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
        X : ndarray of shape (n, n_features) or (n, n_actions, n_features)
            As the bandits take them with model="disjoint" or model="shared". Rows sum to 1.
        """
        generator = check_random_state(random_state)
        X = generator.standard_gamma(self.concentration, size=(n, *self.concentration.shape))
        return X / X.sum(axis=-1, keepdims=True)

    def mean_rewards(self, X):
        """Expected rewards of every action.

        Parameters
        ----------
        X : ndarray of shape (n, n_features) or (n, n_actions, n_features)
            Contexts.

        Returns
        -------
        mean_rewards : ndarray of shape (n, n_actions, n_rewards)
            Between 0 and 1.
        """
        if self.coef.ndim == 2:
            return X @ self.coef
        return np.einsum("nd,kdr->nkr", X, self.coef, optimize=True)

    def play(self, bandit, n_rounds, random_state=None):
        """Let a bandit act and learn.

        Parameters
        ----------
        bandit : object
            With ``act(X)`` and ``update(X, actions, rewards)``, and actions 0, 1, ...
        n_rounds : int
            Number of decisions, one context each.
        random_state : int, RandomState instance or None, default=None
            Source of contexts and noise; independent of what the bandit does.

        Yields
        ------
        rewards : ndarray of shape (n_rewards,)
            What one decision earned.
        """
        generator = check_random_state(random_state)
        for start in range(0, n_rounds, BLOCK):
            X = self.draw_contexts(min(BLOCK, n_rounds - start), generator)
            expected = self.mean_rewards(X)
            noise = self.noise * generator.standard_normal((len(X), 1, expected.shape[2]))
            for t in range(len(X)):
                actions = bandit.act(X[t : t + 1])
                rewards = expected[t, actions] + noise[t]
                bandit.update(X[t : t + 1], actions, rewards)
                yield rewards[0]

    def goal(self, bandit):
        """Objective that a bandit is after.

        Parameters
        ----------
        bandit : ConcaveRewardBandit
            With ``objective``.

        Returns
        -------
        objective : object
            With ``value``.
        """
        return check_reward_objective(bandit.objective)

    def optimum(self, objective, *, n_contexts=100_000, random_state=0):
        """Best value of an objective over all stochastic policies.

        Parameters
        ----------
        objective : str or RewardObjective
            As in :class:`~skparietal.ConcaveRewardBandit`.
        n_contexts : int, default=100_000
            Sample that stands for the distribution of the contexts. The optimum moves by about
            the standard deviation of a reward over the square root of it.
        random_state : int, RandomState instance or None, default=0
            Source of the sample.

        Returns
        -------
        optimum : ConcaveRewardOptimum
            Value, average rewards and certified gap.
        """
        objective = check_reward_objective(objective)
        X = self.draw_contexts(n_contexts, random_state)
        return maximize_concave_reward(objective, self.mean_rewards(X))


def make_concave_bandit(
    n_actions=10,
    n_rewards=4,
    n_features=6,
    *,
    model="shared",
    strength=(0.2, 1.0),
    noise=0.1,
    random_state=None,
):
    """Environment where the rewards compete and some are harder to earn than others.

    Every feature is a trait that serves mostly one reward, the first traits weakly and the last
    strongly, so that the largest mean reward neglects some rewards altogether. The first actions
    have one trait each, the others mix traits.

    Parameters
    ----------
    n_actions : int, default=10
        Number of actions.
    n_rewards : int, default=4
        Number of rewards.
    n_features : int, default=6
        Number of traits.
    model : {"shared", "disjoint"}, default="shared"
        "shared": the context holds the traits of every action, drawn around its own, for
        ``ConcaveRewardBandit(model="shared")``. "disjoint": the context is one random mixture; each
        action earns its own rewards, times an efficiency between 0.5 and 1 that depends on it.
    strength : tuple of float, default=(0.2, 1.0)
        Expected reward of the weakest and of the strongest trait.
    noise : float, default=0.1
        Standard deviation of every reward around its expectation.
    random_state : int, RandomState instance or None, default=None
        Source of the environment's parameters.

    Returns
    -------
    environment : ConcaveBanditEnvironment
        Parameters only; every draw takes its own ``random_state``.

    Examples
    --------
    >>> from skparietal.simulation import make_concave_bandit
    >>> environment = make_concave_bandit(random_state=0)
    >>> X = environment.draw_contexts(3, random_state=0)
    >>> environment.mean_rewards(X).shape
    (3, 10, 4)
    >>> bool(environment.optimum("alpha_fair", n_contexts=1000).gap < 1e-6)
    True
    """
    generator = check_random_state(random_state)
    loadings = generator.uniform(0, 0.05, size=(n_features, n_rewards))
    served = np.arange(n_features) % n_rewards
    loadings[np.arange(n_features), served] = np.linspace(*strength, n_features)
    traits = generator.dirichlet(np.full(n_features, 0.3), size=n_actions)
    pure = min(n_actions, n_features)
    traits[:pure] = (0.9 * np.eye(n_features) + 0.1 / n_features)[:pure]
    if model == "shared":
        return ConcaveBanditEnvironment(loadings, 20 * traits + 0.05, noise)
    if model != "disjoint":
        raise ValueError(f'model must be "shared" or "disjoint"; got {model!r}.')
    efficiency = generator.uniform(0.5, 1, size=(n_actions, n_features, 1))
    coef = efficiency * (traits @ loadings)[:, None, :]
    return ConcaveBanditEnvironment(coef, np.full(n_features, 0.5), noise)


class ScalarizedBandit(BaseEstimator):
    """Baseline that feeds a bandit with the objective of each single reward vector.

    It maximises the average of f(reward) instead of f(average reward); the two differ for every f
    that is not linear, so that its regret does not vanish.

    Parameters
    ----------
    bandit : ConcaveRewardBandit
        Bandit for the scalar reward; give it the objective "mean".
    objective : str or RewardObjective
        The function f.
    random_state : int, RandomState instance or None, default=None
        Passed to the bandit.

    Examples
    --------
    >>> import numpy as np
    >>> from skparietal import ConcaveRewardBandit
    >>> from skparietal.simulation import ScalarizedBandit
    >>> bandit = ScalarizedBandit(ConcaveRewardBandit("mean", actions=[0, 1]), "alpha_fair")
    >>> action = bandit.act(np.ones((1, 3)))
    >>> bandit = bandit.update(np.ones((1, 3)), action, np.array([[0.95, 0.95]]))
    >>> bandit.bandit_.mean_reward_  # the logarithm of 0.95 + 0.05
    array([0.])
    """

    def __init__(self, bandit, objective, random_state=None):
        self.bandit = bandit
        self.objective = objective
        self.random_state = random_state

    def act(self, X):
        """Actions of the bandit.

        Parameters
        ----------
        X : ndarray
            Contexts.

        Returns
        -------
        actions : ndarray of shape (n_samples,)
            Labels.
        """
        if not hasattr(self, "bandit_"):
            self.bandit_ = clone(self.bandit).set_params(random_state=self.random_state)
        return self.bandit_.act(X)

    def update(self, X, actions, rewards):
        """Learn the objective of each reward vector.

        Parameters
        ----------
        X : ndarray
            Contexts.
        actions : ndarray of shape (n_samples,)
            Labels.
        rewards : ndarray of shape (n_samples, n_rewards)
            What the actions earned.

        Returns
        -------
        self : ScalarizedBandit
            Updated bandit.
        """
        scalar = check_reward_objective(self.objective).value(rewards)
        self.bandit_.update(X, actions, scalar[:, None])
        return self


def simulate(
    bandit,
    environment,
    n_rounds,
    *,
    objective=None,
    optimum=None,
    seeds=8,
    record="geomspace",
    n_jobs=None,
    verbose=0,
):
    """Run a bandit in an environment over several seeds and follow its regret.

    Parameters
    ----------
    bandit : estimator
        Cloned for every seed, which becomes its ``random_state`` if it has one.
    environment : object
        With ``play``, ``goal`` and ``optimum``: :class:`ConcaveBanditEnvironment` or
        :class:`ClickEnvironment`.
    n_rounds : int
        Decisions per seed.
    objective : str or object with ``value``, default=None
        What the regret is about; None means the bandit's own objective, ``environment.goal``.
    optimum : float, default=None
        Best value of the objective; None asks the environment.
    seeds : int or iterable of int, default=8
        Seeds, or their number; a seed fixes contexts, noise and draws of the bandit.
    record : {"geomspace"} or array-like of int, default="geomspace"
        Rounds, from 1, after which to look; 30 in geometric progression by default.
    n_jobs : int, default=None
        Seeds to run at the same time; see joblib.
    verbose : int, default=0
        Above 0, joblib reports the progress over the seeds.

    Returns
    -------
    run : Bunch
        rounds : ndarray of shape (n_recorded,)
            Rounds behind each column.
        mean_reward : ndarray of shape (n_seeds, n_recorded, n_rewards)
            Average of the rewards so far.
        objective : ndarray of shape (n_seeds, n_recorded)
            Objective of the average rewards.
        regret : ndarray of shape (n_seeds, n_recorded)
            Optimum minus objective. Below zero by luck.
        optimum : float
            What the regret is measured from.

    Examples
    --------
    >>> from skparietal import ConcaveRewardBandit
    >>> from skparietal.simulation import make_concave_bandit, simulate
    >>> environment = make_concave_bandit(random_state=0)
    >>> bandit = ConcaveRewardBandit(model="shared")
    >>> best = environment.optimum("alpha_fair", n_contexts=1000).value
    >>> run = simulate(bandit, environment, 300, seeds=2, record=[30, 100, 300], optimum=best)
    >>> run.regret.shape
    (2, 3)
    """
    seeds = range(seeds) if isinstance(seeds, int) else list(seeds)
    if isinstance(record, str):
        record = np.unique(np.geomspace(1, n_rounds, 30).round().astype(int))
    rounds = np.asarray(record)
    objective = environment.goal(bandit) if objective is None else objective
    if isinstance(objective, str):
        objective = check_reward_objective(objective)
    if optimum is None:
        optimum = environment.optimum(objective).value
    runs = Parallel(n_jobs=n_jobs, verbose=verbose)(
        delayed(_mean_rewards_of_run)(bandit, environment, rounds, seed) for seed in seeds
    )
    mean_reward = np.array(runs)
    value = objective.value(mean_reward)
    return Bunch(
        rounds=rounds,
        mean_reward=mean_reward,
        objective=value,
        regret=optimum - value,
        optimum=optimum,
    )


def _mean_rewards_of_run(bandit, environment, rounds, seed):
    bandit = clone(bandit)
    if "random_state" in bandit.get_params(deep=False):
        bandit.set_params(random_state=seed)
    total, means, recorded = 0.0, [], set(rounds.tolist())
    for t, rewards in enumerate(environment.play(bandit, rounds.max(), seed), start=1):
        total = total + rewards
        if t in recorded:
            means.append(total / t)
    return means
