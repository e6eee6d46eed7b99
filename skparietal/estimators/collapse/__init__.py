"""Regression on synthetic data: how strong a penalty, how much weight for the synthetic rows."""

from skparietal.estimators.collapse.adaptive_ridge_collapse import AdaptiveRidgeCollapse
from skparietal.estimators.collapse.synthetic_mix_ridge import SyntheticMixRidge

__all__ = ["AdaptiveRidgeCollapse", "SyntheticMixRidge"]
