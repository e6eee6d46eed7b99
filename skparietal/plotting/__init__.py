"""Displays in scikit-learn's style, drawn with matplotlib."""

from skparietal.plotting.collapse_curve import CollapseCurveDisplay
from skparietal.plotting.regret import RegretCurveDisplay

__all__ = ["CollapseCurveDisplay", "RegretCurveDisplay"]
