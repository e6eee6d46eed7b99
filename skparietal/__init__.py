"""Scikit-learn estimators for synthetic data, adversarial attacks and fair exposure."""

from skparietal.estimators.concave_reward_bandit import ConcaveRewardBandit

__version__ = "0.1.0"

__all__ = [
    "ConcaveRewardBandit",
    "__version__",
]
