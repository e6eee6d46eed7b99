"""Displays in scikit-learn's style, drawn with matplotlib."""

from skparietal.plotting.collapse_curve import CollapseCurveDisplay

__all__ = ["CollapseCurveDisplay"]
