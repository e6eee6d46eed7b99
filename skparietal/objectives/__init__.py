"""Concave objectives: what rankings and bandits share, as small objects."""

from skparietal.objectives.bandits import (
    AlphaFair,
    GeneralizedGini,
    LinearReward,
    RewardObjective,
    TargetReward,
    check_reward_objective,
)
from skparietal.objectives.gini import (
    check_gini_weights,
    generalized_gini,
    gini_weights,
    project_permutohedron,
    smoothed_generalized_gini,
)

__all__ = [
    "AlphaFair",
    "GeneralizedGini",
    "LinearReward",
    "RewardObjective",
    "TargetReward",
    "check_gini_weights",
    "check_reward_objective",
    "generalized_gini",
    "gini_weights",
    "project_permutohedron",
    "smoothed_generalized_gini",
]
