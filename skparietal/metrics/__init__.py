"""Risks, scorers and measures of exposure."""

from skparietal.metrics.adversarial import (
    adversarial_mean_squared_error,
    adversarial_r2_score,
    affine_coefficients,
    make_adversarial_scorer,
)
from skparietal.metrics.deep_features import (
    local_intrinsic_dimensionality,
    mahalanobis_confidence,
)
from skparietal.metrics.exposure import (
    coverage,
    envy,
    exposure_merit_gap,
    generalized_lorenz_curve,
    gini_index,
    group_exposure_gap,
    item_exposure,
    lorenz_curve,
    min_max_ratio,
    ndcg_at_k,
    user_utility,
)
from skparietal.metrics.off_policy import off_policy_mean_reward
from skparietal.metrics.regret import regret_slope
from skparietal.metrics.tradeoff import make_tradeoff_refit, score_ranking
from skparietal.metrics.verified import (
    VerifiedKFold,
    split_verified,
    verified_score,
    verified_scorer,
)

__all__ = [
    "VerifiedKFold",
    "adversarial_mean_squared_error",
    "adversarial_r2_score",
    "affine_coefficients",
    "coverage",
    "envy",
    "exposure_merit_gap",
    "generalized_lorenz_curve",
    "gini_index",
    "group_exposure_gap",
    "item_exposure",
    "local_intrinsic_dimensionality",
    "lorenz_curve",
    "mahalanobis_confidence",
    "make_adversarial_scorer",
    "make_tradeoff_refit",
    "min_max_ratio",
    "ndcg_at_k",
    "off_policy_mean_reward",
    "regret_slope",
    "score_ranking",
    "split_verified",
    "user_utility",
    "verified_score",
    "verified_scorer",
]
