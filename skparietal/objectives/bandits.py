"""Concave objectives of a vector of average rewards, for the bandits."""

from abc import ABCMeta, abstractmethod
from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval

from skparietal.objectives.gini import check_gini_weights, smoothed_generalized_gini
from skparietal.objectives.ranking import power_slope, power_welfare


class RewardObjective(BaseEstimator, metaclass=ABCMeta):
    """Concave function of the average of every reward; the base of those that the bandits maximise.

    A new objective is a subclass with :meth:`value` and :meth:`gradient`; nothing else has to be
    edited. :meth:`to_cvxpy` is needed only by the environments' exact ``optimum``.

    Examples
    --------
    >>> import numpy as np
    >>> from skparietal.objectives import RewardObjective
    >>> class Quadratic(RewardObjective):
    ...     def value(self, mean_reward):
    ...         return -((mean_reward - 1) ** 2).sum(axis=-1)
    ...
    ...     def gradient(self, mean_reward, n_rounds=0):
    ...         return 2 * (1 - mean_reward)
    >>> Quadratic().gradient(np.array([0.5, 1.0]))
    array([1., 0.])
    """

    _parameter_constraints: dict = {}

    def validate(self, n_rewards):
        """Check the parameters once, before any gradient is taken.

        Parameters
        ----------
        n_rewards : int
            Number of rewards per decision.

        Raises
        ------
        ValueError
            If a parameter is out of its range, or does not fit the number of rewards.
        """
        self._validate_params()

    @abstractmethod
    def value(self, mean_reward):
        """Objective at some average rewards.

        Parameters
        ----------
        mean_reward : ndarray of shape (..., n_rewards)
            Average of each reward along the last axis.

        Returns
        -------
        value : float or ndarray of shape (...)
            The larger the better.
        """

    @abstractmethod
    def gradient(self, mean_reward, n_rounds=0):
        """Supergradient at some average rewards: what a reward is worth next.

        Parameters
        ----------
        mean_reward : ndarray of shape (n_rewards,)
            Average of each reward.
        n_rounds : int, default=0
            Rounds behind the average. Objectives with a kink are smoothed less and less.

        Returns
        -------
        gradient : ndarray of shape (n_rewards,)
            Of the objective, or of its smoothing.
        """

    def to_cvxpy(self, mean_reward):
        """Objective as a concave cvxpy expression.

        Parameters
        ----------
        mean_reward : cvxpy.Expression of shape (n_rewards,)
            Average of each reward.

        Returns
        -------
        value : cvxpy.Expression
            Scalar.

        Raises
        ------
        NotImplementedError
            If the objective does not give one.
        """
        raise NotImplementedError(
            f"{type(self).__name__} has no to_cvxpy method; the exact optimum needs one."
        )


class AlphaFair(RewardObjective):
    """Alpha-fair welfare: the mean over the rewards of a concave power, or of the logarithm.

    The mean of sign(alpha) (z + eta)^alpha for alpha != 0 and of log(z + eta) (natural logarithm)
    for alpha = 0. The smaller alpha, the more the worst reward counts: 1 is the plain mean (eta is
    dropped), 0 the Nash welfare, minus infinity the minimum. Average rewards below zero count as
    zero, but for alpha = 1.

    Parameters
    ----------
    alpha : float, default=0.0
        At most 1.
    eta : float, default=0.05
        Added to the average rewards, in their unit; bounds the slope at zero. Must be positive
        unless alpha is 1.

    References
    ----------
    Mo and Walrand, Fair end-to-end window-based congestion control, 2000 (alpha-fairness). Do,
    Dohmatob, Pirotta, Lazaric, Usunier, Contextual bandits with concave rewards, and an application
    to fair ranking, 2023 (as the goal of a bandit).

    Examples
    --------
    >>> import numpy as np
    >>> from skparietal.objectives import AlphaFair
    >>> AlphaFair(eta=0.1).gradient(np.array([0.0, 0.9]))  # the poor reward is worth more
    array([5. , 0.5])
    """

    _parameter_constraints = {
        "alpha": [Interval(Real, None, 1, closed="right")],
        "eta": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, alpha=0.0, eta=0.05):
        self.alpha = alpha
        self.eta = eta

    def validate(self, n_rewards):  # numpydoc ignore=PR01
        """Check alpha and eta; see :meth:`RewardObjective.validate`."""
        super().validate(n_rewards)
        if self.eta == 0 and self.alpha < 1:
            raise ValueError(
                "eta=0 with alpha < 1 has an infinite slope at a reward of zero; use eta > 0."
            )

    def value(self, mean_reward):  # numpydoc ignore=PR01,RT01
        """Welfare of some average rewards; see :meth:`RewardObjective.value`."""
        return power_welfare(self._clipped(mean_reward), self.alpha, self.eta).mean(axis=-1)

    def gradient(self, mean_reward, n_rounds=0):  # numpydoc ignore=PR01,RT01
        """Slope of every reward; see :meth:`RewardObjective.gradient`."""
        slope = power_slope(self._clipped(mean_reward), self.alpha, self.eta)
        return slope / len(mean_reward)

    def _clipped(self, mean_reward):
        return mean_reward if self.alpha == 1 else np.maximum(mean_reward, 0.0)

    def to_cvxpy(self, mean_reward):  # numpydoc ignore=PR01,RT01
        """Welfare as a cvxpy expression; see :meth:`RewardObjective.to_cvxpy`."""
        import cvxpy as cp

        if self.alpha == 1:
            return cp.sum(mean_reward) / mean_reward.size
        shifted = mean_reward + self.eta
        if self.alpha == 0:
            return cp.sum(cp.log(shifted)) / mean_reward.size
        return np.sign(self.alpha) * cp.sum(cp.power(shifted, self.alpha)) / mean_reward.size


class GeneralizedGini(RewardObjective):
    """Generalised Gini welfare: a weighted sum of the sorted rewards, the worst counting most.

    Its gradient is that of the Moreau smoothing with parameter smoothing / sqrt(n_rounds + 1).

    Parameters
    ----------
    weights : array-like of shape (n_rewards,), default=None
        Non-increasing and non-negative, the first for the worst reward; (1, 0, ...) is the minimum.
        None means the weights for which the welfare is the mean times one minus the Gini index.
    smoothing : float, default=1.0
        Smoothing at the first round, in the unit of the rewards over that of the weights. The bound
        on the regret is smallest at the diameter of the rewards over the norm of the weights, about
        1 for rewards in [0, 1].

    References
    ----------
    Weymark, Generalized Gini inequality indices, 1981. Do and Usunier, Optimizing generalized Gini
    indices for fairness in rankings, 2022 (the smoothing).

    Examples
    --------
    >>> import numpy as np
    >>> from skparietal.objectives import GeneralizedGini
    >>> float(GeneralizedGini(weights=[1.0, 0.5, 0.25]).value(np.array([0.8, 0.2, 0.4])))
    0.6
    """

    _parameter_constraints = {
        "weights": ["array-like", None],
        "smoothing": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, weights=None, smoothing=1.0):
        self.weights = weights
        self.smoothing = smoothing

    def validate(self, n_rewards):  # numpydoc ignore=PR01
        """Check weights and smoothing; see :meth:`RewardObjective.validate`."""
        super().validate(n_rewards)
        check_gini_weights(self.weights, n_rewards)

    def value(self, mean_reward):  # numpydoc ignore=PR01,RT01
        """Welfare without smoothing; see :meth:`RewardObjective.value`."""
        weights = check_gini_weights(self.weights, np.shape(mean_reward)[-1])
        return np.sort(mean_reward, axis=-1) @ weights

    def gradient(self, mean_reward, n_rounds=0):  # numpydoc ignore=PR01,RT01
        """Gradient of the smoothed welfare; see :meth:`RewardObjective.gradient`."""
        weights = check_gini_weights(self.weights, len(mean_reward))
        smoothing = self.smoothing / np.sqrt(n_rounds + 1)
        return smoothed_generalized_gini(mean_reward, weights, smoothing)[1]

    def to_cvxpy(self, mean_reward):  # numpydoc ignore=PR01,RT01
        """Welfare as a cvxpy expression; see :meth:`RewardObjective.to_cvxpy`."""
        import cvxpy as cp

        weights = check_gini_weights(self.weights, mean_reward.size)
        drops = -np.diff(weights, append=0.0)  # Abel's summation over the k smallest
        # Older versions cannot evaluate sum_smallest of all entries.
        partial = [cp.sum_smallest(mean_reward, k) for k in range(1, mean_reward.size)]
        partial.append(cp.sum(mean_reward))
        return sum(drop * part for drop, part in zip(drops, partial) if drop > 0)


class LinearReward(RewardObjective):
    """Weighted sum of the rewards: the classical bandit with a scalar reward.

    Parameters
    ----------
    weights : array-like of shape (n_rewards,), default=None
        What a unit of each reward is worth; None means 1 / n_rewards for each.

    Examples
    --------
    >>> import numpy as np
    >>> from skparietal.objectives import LinearReward
    >>> float(LinearReward([1.0, -2.0]).value(np.array([0.5, 0.125])))
    0.25
    """

    _parameter_constraints = {"weights": ["array-like", None]}

    def __init__(self, weights=None):
        self.weights = weights

    def validate(self, n_rewards):  # numpydoc ignore=PR01
        """Check the number of weights; see :meth:`RewardObjective.validate`."""
        super().validate(n_rewards)
        if self.weights is not None:
            _check_one_per_reward("weights", self.weights, n_rewards)

    def value(self, mean_reward):  # numpydoc ignore=PR01,RT01
        """Weighted sum; see :meth:`RewardObjective.value`."""
        return mean_reward @ self.gradient(np.atleast_2d(mean_reward)[0])

    def gradient(self, mean_reward, n_rounds=0):  # numpydoc ignore=PR01,RT01
        """Weights, whatever the rewards; see :meth:`RewardObjective.gradient`."""
        if self.weights is None:
            return np.full(len(mean_reward), 1 / len(mean_reward))
        return np.asarray(self.weights, dtype=float)

    def to_cvxpy(self, mean_reward):  # numpydoc ignore=PR01,RT01
        """Weighted sum as a cvxpy expression; see :meth:`RewardObjective.to_cvxpy`."""
        return self.gradient(np.empty(mean_reward.size)) @ mean_reward


class TargetReward(RewardObjective):
    """Minus the Euclidean distance of the average rewards from a target.

    Its gradient is that of the Moreau smoothing with parameter smoothing / sqrt(n_rounds + 1): a
    unit vector towards the target, shorter when closer than the smoothing.

    Parameters
    ----------
    target : array-like of shape (n_rewards,)
        Wanted average of each reward, in its unit.
    smoothing : float, default=1.0
        Distance below which the pull weakens at the first round, in the unit of the rewards; best
        near their diameter.

    Examples
    --------
    >>> import numpy as np
    >>> from skparietal.objectives import TargetReward
    >>> float(TargetReward([0.5, 0.5]).value(np.array([0.5, 0.1])))
    -0.4
    """

    _parameter_constraints = {
        "target": ["array-like"],
        "smoothing": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, target, smoothing=1.0):
        self.target = target
        self.smoothing = smoothing

    def validate(self, n_rewards):  # numpydoc ignore=PR01
        """Check target and smoothing; see :meth:`RewardObjective.validate`."""
        super().validate(n_rewards)
        _check_one_per_reward("target", self.target, n_rewards)

    def value(self, mean_reward):  # numpydoc ignore=PR01,RT01
        """Minus the distance, without smoothing; see :meth:`RewardObjective.value`."""
        return -np.linalg.norm(mean_reward - np.asarray(self.target, dtype=float), axis=-1)

    def gradient(self, mean_reward, n_rounds=0):  # numpydoc ignore=PR01,RT01
        """Pull towards the target; see :meth:`RewardObjective.gradient`."""
        step = np.asarray(self.target, dtype=float) - mean_reward
        return step / max(np.linalg.norm(step), self.smoothing / np.sqrt(n_rounds + 1))

    def to_cvxpy(self, mean_reward):  # numpydoc ignore=PR01,RT01
        """Minus the distance as a cvxpy expression; see :meth:`RewardObjective.to_cvxpy`."""
        import cvxpy as cp

        return -cp.norm(mean_reward - np.asarray(self.target, dtype=float))


def _check_one_per_reward(name, values, n_rewards):
    values = np.asarray(values, dtype=float)
    if values.shape != (n_rewards,) or not np.isfinite(values).all():
        raise ValueError(
            f"{name} needs one finite number per reward, shape ({n_rewards},); got {values!r}."
        )


REWARD_OBJECTIVES = {"alpha_fair": AlphaFair, "ggf": GeneralizedGini, "mean": LinearReward}


def check_reward_objective(objective):
    """Objective of a bandit from its short name, or the object itself.

    Parameters
    ----------
    objective : {"alpha_fair", "ggf", "mean"} or object
        Short name of :class:`AlphaFair`, :class:`GeneralizedGini` or :class:`LinearReward` with
        their defaults, or any object with ``value`` and ``gradient``.

    Returns
    -------
    objective : object
        With ``value`` and ``gradient``.

    Raises
    ------
    ValueError
        If the name is not known.
    TypeError
        If the object lacks one of the two methods.
    """
    if isinstance(objective, str):
        if objective not in REWARD_OBJECTIVES:
            raise ValueError(f"objective={objective!r} is not one of {sorted(REWARD_OBJECTIVES)}.")
        return REWARD_OBJECTIVES[objective]()
    if isinstance(objective, type) or not (
        hasattr(objective, "value") and hasattr(objective, "gradient")
    ):
        raise TypeError(
            f"objective must be one of {sorted(REWARD_OBJECTIVES)} or an object with the methods "
            f"value and gradient; got {objective!r}."
        )
    return objective
