"""Closed forms of the papers, one module per subject."""

from skparietal.theory.feedback import (
    best_of_k,
    breakdown_point,
    kept_purity,
    kept_share,
    label_margin,
)
from skparietal.theory.filtered_ridge import (
    bayes_agreement,
    filtered_ridge_accuracy,
    linear_feedback_accuracy,
    linear_feedback_rates,
    required_size,
)
from skparietal.theory.tails import (
    bigram_error,
    capacity_error,
    clean_error,
    curated_floor,
    cut_error,
    generations_error,
    generator_error,
    grokking_plateau,
    mixed_error,
    n_known,
    narrowed_error,
    nucleus_cut,
    surviving_share,
    tail_mass,
)

__all__ = [
    "bayes_agreement",
    "best_of_k",
    "bigram_error",
    "breakdown_point",
    "capacity_error",
    "clean_error",
    "curated_floor",
    "cut_error",
    "filtered_ridge_accuracy",
    "generations_error",
    "generator_error",
    "grokking_plateau",
    "kept_purity",
    "kept_share",
    "label_margin",
    "linear_feedback_accuracy",
    "linear_feedback_rates",
    "mixed_error",
    "n_known",
    "narrowed_error",
    "nucleus_cut",
    "required_size",
    "surviving_share",
    "tail_mass",
]
