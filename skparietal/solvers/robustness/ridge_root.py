"""Minimiser under a Euclidean attack without an eigenbasis, for few columns and one radius."""

import numpy as np
from scipy.linalg.lapack import dposv

# Steps of the secant method, and the relative step at which it has converged: what is left is
# squared in the risk.
MAX_STEPS, CONVERGED = 30, 1e-11


def minimize_by_ridge_root(loss, risk):
    """Ridge solution whose penalty is mu = s r / b, r the slope in b over the slope in s.

    Both sides are functions of log(mu); their difference is brought to zero by secant steps.

    Parameters
    ----------
    loss : QuadraticLoss
        Clean error with a positive definite S.
    risk : GaussianRisk or SurrogateRisk
        Objective, with one radius.

    Returns
    -------
    coef : ndarray of shape (n_features,) or None
        None where S is not positive definite or the steps did not converge.
    n_iter : int
        Linear systems solved.
    """
    right = np.column_stack([loss.correlation, loss.center])
    size = np.sqrt(loss.center @ loss.center)
    old = _penalty(risk, np.sqrt(loss.floor), size)
    step = at_old = _ridge(loss, right, risk, old)[1]
    for n_iter in range(2, MAX_STEPS):
        new = old + step
        coef, at_new = _ridge(loss, right, risk, new)
        if not np.isfinite(at_new):
            break
        if abs(at_new) <= CONVERGED:
            return coef, n_iter
        # The difference falls in log(mu), at most as fast as log(mu) grows.
        slope = (at_new - at_old) / step
        step = -at_new / slope if slope < 0 else at_new
        old, at_old = new, at_new
    return None, MAX_STEPS


def _ridge(loss, right, risk, log_mu):
    """Ridge solution and the logarithm of the penalty that it asks for, minus log(mu)."""
    mu, system = np.exp(log_mu), loss.gram.copy()
    system.flat[:: len(system) + 1] += mu
    _, solution, failed = dposv(system, right, overwrite_a=1)
    if failed:
        return None, np.nan
    coef, rest = solution.T
    # The distance to the center is mu times rest, without cancellation.
    clean = np.sqrt(mu * mu * max(coef @ rest, 0.0) + loss.floor)
    return coef, _penalty(risk, clean, np.sqrt(coef @ coef)) - log_mu


def _penalty(risk, clean, dual):
    """Logarithm of s / b times the slope of the risk in b over its slope in s."""
    clean_slope, dual_slope = risk.slopes(clean, dual)
    return np.log(clean * dual_slope / (clean_slope * dual))
