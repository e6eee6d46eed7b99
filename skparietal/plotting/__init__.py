"""Displays in scikit-learn's style, drawn with matplotlib."""

from skparietal.plotting.association import AssociationDisplay
from skparietal.plotting.collapse_curve import CollapseCurveDisplay
from skparietal.plotting.convergence import ConvergenceDisplay
from skparietal.plotting.fairness_tradeoff import FairnessTradeoffDisplay
from skparietal.plotting.lorenz import LorenzCurveDisplay
from skparietal.plotting.memory_scaling import MemoryScalingDisplay
from skparietal.plotting.regret import RegretCurveDisplay
from skparietal.plotting.scaling_law import ScalingLawDisplay
from skparietal.plotting.tradeoff import TradeoffDisplay

__all__ = [
    "AssociationDisplay",
    "CollapseCurveDisplay",
    "ConvergenceDisplay",
    "FairnessTradeoffDisplay",
    "LorenzCurveDisplay",
    "MemoryScalingDisplay",
    "RegretCurveDisplay",
    "ScalingLawDisplay",
    "TradeoffDisplay",
]
