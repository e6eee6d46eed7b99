"""Frontier of a maximum-norm attack: the lasso path."""

import warnings

import numpy as np
from sklearn.linear_model import lars_path, lars_path_gram

from skparietal.solvers.piecewise_path import PiecewisePath


def lasso_path(loss, basis=None):
    """Lasso solutions of every penalty, by least-angle regression.

    Parameters
    ----------
    loss : QuadraticLoss
        Clean error.
    basis : Eigenbasis, default=None
        Not used; the paths share one signature.

    Returns
    -------
    path : PiecewisePath
        Its price is scikit-learn's Lasso alpha; its degrees of freedom are the numbers of nonzero
        coefficients.

    References
    ----------
    Efron, Hastie, Johnstone, Tibshirani, Least angle regression, 2004. Zou, Hastie, Tibshirani, On
    the degrees of freedom of the lasso, 2007.
    """
    scale = np.max(np.abs(loss.correlation), initial=0.0)
    if scale == 0:
        return PiecewisePath(loss, np.zeros((1, len(loss.center))), *np.zeros((3, 1)))
    with warnings.catch_warnings():
        # Collinear columns make it drop regressors; the duality gap decides what that cost.
        warnings.simplefilter("ignore")
        if loss.factor is None:
            # A copy: the routine reorders the Gram matrix in place.
            alphas, _, coef = lars_path_gram(
                loss.correlation, loss.gram.copy(), n_samples=1, method="lasso", max_iter=100_000
            )
        else:
            target = loss.factor @ loss.center
            alphas, _, coef = lars_path(
                loss.factor, target, method="lasso", alpha_min=0.0, max_iter=100_000
            )
            alphas = alphas * len(target)
    coef = coef.T
    active = np.count_nonzero(coef, axis=1)
    return PiecewisePath(
        loss, coef, np.abs(coef).sum(axis=1), alphas, np.maximum(active, np.roll(active, 1))
    )
