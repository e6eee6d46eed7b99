"""Risks, scorers and measures of exposure."""

from skparietal.metrics.off_policy import off_policy_mean_reward
from skparietal.metrics.verified import (
    VerifiedKFold,
    split_verified,
    verified_score,
    verified_scorer,
)

__all__ = [
    "VerifiedKFold",
    "off_policy_mean_reward",
    "split_verified",
    "verified_score",
    "verified_scorer",
]
