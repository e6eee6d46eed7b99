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
    diagonal = np.arange(len(right))

    def ridge(log_mu):
        mu, system = np.exp(log_mu), loss.gram.copy()
        system[diagonal, diagonal] += mu
        _, solution, failed = dposv(system, right, overwrite_a=1)
        if failed:
            return None, np.nan
        coef, rest = solution.T
        # The distance to the center is mu times rest, without cancellation.
        clean = np.sqrt(mu * mu * (coef @ rest) + loss.floor)
        dual = np.sqrt(coef @ coef)
        clean_slope, dual_slope = risk.slopes(clean, dual)
        return coef, np.log(clean * dual_slope / (clean_slope * dual)) - log_mu

    size = np.sqrt(loss.center @ loss.center)
    clean_slope, dual_slope = risk.slopes(np.sqrt(loss.floor), size)
    old = np.log(np.sqrt(loss.floor) * dual_slope / (clean_slope * size))
    step = at_old = ridge(old)[1]
    for n_iter in range(2, MAX_STEPS):
        new = old + step
        coef, at_new = ridge(new)
        if not np.isfinite(at_new):
            break
        if abs(at_new) <= CONVERGED:
            return coef, n_iter
        # The difference falls at a slope between -1 and 0 in log(mu): never step back the wrong way.
        slope = (at_new - at_old) / step
        step = -at_new / slope if slope < 0 else at_new
        old, at_old = new, at_new
    return None, MAX_STEPS
