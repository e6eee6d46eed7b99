"""Broken scaling laws and the memory of heavy tails."""

from skparietal.estimators.tails.scaling_law_regressor import ScalingLawRegressor
from skparietal.estimators.tails.tail_memory_classifier import TailMemoryClassifier

__all__ = ["ScalingLawRegressor", "TailMemoryClassifier"]
