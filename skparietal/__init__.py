"""Scikit-learn estimators for synthetic data, adversarial attacks and fair exposure."""

__version__ = "0.1.0"

__all__ = [
    "__version__",
]
