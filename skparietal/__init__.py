"""Scikit-learn estimators for synthetic data, adversarial attacks and fair exposure."""

from skparietal.estimators.activation_graph_detector import ActivationGraphDetector
from skparietal.estimators.activation_graph_transformer import ActivationGraphTransformer
from skparietal.estimators.adaptive_ridge_collapse import AdaptiveRidgeCollapse
from skparietal.estimators.adversarial_ridge import AdversarialRidge
from skparietal.estimators.adversarial_ridge_cv import AdversarialRidgeCV
from skparietal.estimators.associative_memory import AssociativeMemory
from skparietal.estimators.concave_ranking_bandit import ConcaveRankingBandit
from skparietal.estimators.concave_reward_bandit import ConcaveRewardBandit
from skparietal.estimators.early_stopped_robust_gd import EarlyStoppedRobustGD
from skparietal.estimators.fair_ranking_fw import FairRankingFW
from skparietal.estimators.fair_ranking_path import fair_ranking_path
from skparietal.estimators.feedback_filtered_classifier import FeedbackFilteredClassifier
from skparietal.estimators.scaling_law_regressor import ScalingLawRegressor
from skparietal.estimators.synthetic_mix_ridge import SyntheticMixRidge
from skparietal.estimators.tail_memory_classifier import TailMemoryClassifier
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
