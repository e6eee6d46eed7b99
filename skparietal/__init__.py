"""Scikit-learn estimators for synthetic data, adversarial attacks and fair exposure."""

from skparietal.estimators.associative_memory import AssociativeMemory
from skparietal.estimators.concave_reward_bandit import ConcaveRewardBandit
from skparietal.estimators.fair_ranking_fw import FairRankingFW

__version__ = "0.1.0"

__all__ = [
    "AssociativeMemory",
    "ConcaveRewardBandit",
    "FairRankingFW",
    "__version__",
]
