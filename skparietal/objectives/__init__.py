"""Concave objectives: what rankings and bandits share, as small objects."""

from skparietal.objectives.gini import (
    check_gini_weights,
    generalized_gini,
    gini_weights,
    project_permutohedron,
    smoothed_generalized_gini,
)

__all__ = [
    "check_gini_weights",
    "generalized_gini",
    "gini_weights",
    "project_permutohedron",
    "smoothed_generalized_gini",
]
