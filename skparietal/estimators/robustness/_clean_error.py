"""The clean error in an objective: training error, or one about another center or covariance."""

import numpy as np
from sklearn.base import clone
from sklearn.covariance import LedoitWolf

from skparietal.solvers.robustness.quadratic_loss import QuadraticLoss


def is_empirical(covariance):
    """Whether the covariance is that of the training rows.

    Parameters
    ----------
    covariance : str, array-like or estimator
        As given to the estimator.

    Returns
    -------
    empirical : bool
        True for "empirical".
    """
    return isinstance(covariance, str) and covariance == "empirical"


def check_combination(model, *, weighted):
    """Refuse parameters of AdversarialRidge that contradict one another.

    Parameters
    ----------
    model : AdversarialRidge
        Its parameters.
    weighted : bool
        Whether sample weights are given.

    Raises
    ------
    ValueError
        With the way out.
    """
    empirical = is_empirical(model.covariance)
    two_stage = model.initial_estimator is not None or not empirical
    if two_stage and model.scale in ("gcv", "train", "unbiased"):
        raise ValueError(
            "initial_estimator and covariance need scale='noise_free' or the noise variance as "
            f"a float, got scale={model.scale!r}."
        )
    if model.objective == "empirical" and (two_stage or model.scale == "noise_free"):
        raise ValueError(
            "objective='empirical' works on the training rows: scale='noise_free', "
            "initial_estimator and covariance do not apply to it."
        )
    if model.objective == "empirical" and model.max_clean_loss is not None:
        raise ValueError("max_clean_loss needs objective='gaussian' or 'surrogate'.")
    if weighted and not empirical:
        raise ValueError("sample_weight needs covariance='empirical'.")


def clean_error(
    rows, k, X, y, *, scale, initial_estimator, covariance, fit_intercept, **form
):  # numpydoc ignore=PR01,RT01
    """Clean error of target k in scaled units; parameters as those of the estimator."""
    loss = rows.loss(k, **form)
    if initial_estimator is not None:
        loss = loss.about(rows.scaled_coef(_initial_coef(initial_estimator, X, y, k), k), 0.0)
    if not is_empirical(covariance):
        gram = rows.scaled_covariance(_covariance(covariance, X))
        loss = QuadraticLoss(loss.center, 0.0, gram)
    if scale in ("gcv", "train"):
        return loss
    return loss.about(loss.center, _noise(rows, k, loss, scale, fit_intercept))


def _noise(rows, k, loss, scale, fit_intercept):
    """Variance that no predictor removes."""
    if scale == "noise_free":
        return 0.0
    if scale != "unbiased":
        return float(scale) / rows.y_scale[k] ** 2
    n, df = rows.weights.sum(), rows.X.shape[1] + fit_intercept
    if n <= df:
        raise ValueError(
            f"scale='unbiased' needs more rows than coefficients ({n:.0f} <= {df}); use "
            "scale='gcv'."
        )
    return loss.least * n / (n - df)


def _initial_coef(estimator, X, y, k):
    fitted = clone(estimator).fit(X, y)
    if not hasattr(fitted, "coef_"):
        raise ValueError("initial_estimator must be linear: it has no coef_ after fit.")
    return np.atleast_2d(fitted.coef_)[k]


def _covariance(covariance, X):
    if isinstance(covariance, str):
        covariance = LedoitWolf()
    if hasattr(covariance, "fit"):
        return clone(covariance).fit(X).covariance_
    matrix = np.asarray(covariance, dtype=float)
    if matrix.shape != (X.shape[1], X.shape[1]) or not np.allclose(matrix, matrix.T):
        raise ValueError(
            f"covariance must be symmetric of shape ({X.shape[1]}, {X.shape[1]}), got "
            f"{matrix.shape}."
        )
    return matrix
