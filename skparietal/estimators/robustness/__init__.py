"""Linear models that withstand attacks."""

from skparietal.estimators.robustness.adversarial_ridge import AdversarialRidge
from skparietal.estimators.robustness.adversarial_ridge_cv import AdversarialRidgeCV
from skparietal.estimators.robustness.early_stopped_robust_gd import EarlyStoppedRobustGD

__all__ = ["AdversarialRidge", "AdversarialRidgeCV", "EarlyStoppedRobustGD"]
