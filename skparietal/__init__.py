"""Scikit-learn estimators for synthetic data, adversarial attacks and fair exposure."""

from skparietal.estimators.bandits import ConcaveRankingBandit, ConcaveRewardBandit
from skparietal.estimators.collapse import AdaptiveRidgeCollapse, SyntheticMixRidge
from skparietal.estimators.feedback import FeedbackFilteredClassifier
from skparietal.estimators.graphs import ActivationGraphDetector, ActivationGraphTransformer
from skparietal.estimators.memory import AssociativeMemory
from skparietal.estimators.ranking import FairRankingFW, fair_ranking_path
from skparietal.estimators.robustness import (
    AdversarialRidge,
    AdversarialRidgeCV,
    EarlyStoppedRobustGD,
)
from skparietal.estimators.tails import ScalingLawRegressor, TailMemoryClassifier
from skparietal.tradeoff import robustness_accuracy_tradeoff

__version__ = "0.1.0"

__all__ = [
    "ActivationGraphDetector",
    "ActivationGraphTransformer",
    "AdaptiveRidgeCollapse",
    "AdversarialRidge",
    "AdversarialRidgeCV",
    "AssociativeMemory",
    "ConcaveRankingBandit",
    "ConcaveRewardBandit",
    "EarlyStoppedRobustGD",
    "FairRankingFW",
    "FeedbackFilteredClassifier",
    "ScalingLawRegressor",
    "SyntheticMixRidge",
    "TailMemoryClassifier",
    "__version__",
    "fair_ranking_path",
    "robustness_accuracy_tradeoff",
]
