"""What a policy would have earned, from the log of another one."""

import numpy as np
from sklearn.utils import check_array, check_consistent_length, column_or_1d


def off_policy_mean_reward(actions, logged_actions, rewards, propensities, *, sample_weight=None):
    """Inverse-propensity estimate of the average rewards of a policy that was not run.

    The mean over the log of r / p where the two policies agree and of 0 elsewhere. Unbiased when
    every action that the new policy takes had a positive probability; its variance grows like
    1 / p.

    Parameters
    ----------
    actions : array-like of shape (n,)
        What the policy to be judged does in each logged context.
    logged_actions : array-like of shape (n,)
        What was done.
    rewards : array-like of shape (n,) or (n, n_rewards)
        What it earned.
    propensities : array-like of shape (n,)
        Probability, in (0, 1], with which the logged action was chosen.
    sample_weight : array-like of shape (n,), default=None
        Weights of the rows of the log; None means 1 each.

    Returns
    -------
    mean_reward : ndarray of shape (n_rewards,)
        In the unit of the rewards.

    Raises
    ------
    ValueError
        If a propensity is outside (0, 1], or the lengths differ.

    References
    ----------
    Horvitz and Thompson, A generalization of sampling without replacement from a finite universe,
    1952. Dudik, Langford, Li, Doubly robust policy evaluation and learning, 2011.

    Examples
    --------
    >>> from skparietal.metrics import off_policy_mean_reward
    >>> off_policy_mean_reward([0, 0, 1, 1], [0, 1, 1, 0], [1.0, 0.0, 0.5, 1.0], [0.5] * 4)
    array([0.75])
    """
    rewards = check_array(rewards, ensure_2d=False, dtype=float, input_name="rewards")
    propensities = column_or_1d(propensities, dtype=float)
    actions, logged_actions = column_or_1d(actions), column_or_1d(logged_actions)
    check_consistent_length(actions, logged_actions, rewards, propensities)
    if not ((propensities > 0) & (propensities <= 1)).all():
        raise ValueError(
            "propensities must lie in (0, 1]: the probability with which each logged action was "
            "chosen. An action of probability 0 cannot have been logged."
        )
    weights = (actions == logged_actions) / propensities
    rewards = weights[:, None] * rewards.reshape(len(weights), -1)
    return np.average(rewards, axis=0, weights=sample_weight)
