"""Bandits whose goal is concave in the average rewards."""

from skparietal.estimators.bandits.concave_ranking_bandit import ConcaveRankingBandit
from skparietal.estimators.bandits.concave_reward_bandit import ConcaveRewardBandit

__all__ = ["ConcaveRankingBandit", "ConcaveRewardBandit"]
