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
from skparietal.objectives.ranking import (
    BalancedExposure,
    GiniWelfare,
    ItemContext,
    QualityWeighted,
    RankingObjective,
    TwoSidedWelfare,
    check_ranking_objective,
)

__all__ = [
    "AlphaFair",
    "BalancedExposure",
    "GeneralizedGini",
    "GiniWelfare",
    "ItemContext",
    "LinearReward",
    "QualityWeighted",
    "RankingObjective",
    "RewardObjective",
    "TargetReward",
    "TwoSidedWelfare",
    "check_gini_weights",
    "check_ranking_objective",
    "check_reward_objective",
    "generalized_gini",
    "gini_weights",
    "project_permutohedron",
    "smoothed_generalized_gini",
]
