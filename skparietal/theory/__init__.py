"""Closed forms of the papers, one module per subject."""

from skparietal.theory.feedback import (
    bayes_agreement,
    best_of_k,
    breakdown_point,
    filtered_ridge_accuracy,
    kept_purity,
    label_margin,
    linear_feedback_accuracy,
    linear_feedback_rates,
    required_size,
)

__all__ = [
    "bayes_agreement",
    "best_of_k",
    "breakdown_point",
    "filtered_ridge_accuracy",
    "kept_purity",
    "label_margin",
    "linear_feedback_accuracy",
    "linear_feedback_rates",
    "required_size",
]
