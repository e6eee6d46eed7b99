"""Classifiers that keep the rows a verifier approves."""

from skparietal.estimators.feedback.feedback_filtered_classifier import FeedbackFilteredClassifier

__all__ = ["FeedbackFilteredClassifier"]
