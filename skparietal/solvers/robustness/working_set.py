"""Minimiser under a maximum-norm attack from a few columns at a time."""

import numpy as np

from skparietal.solvers.robustness.active_set import minimize_lasso_face
from skparietal.solvers.robustness.quadratic_loss import QuadraticLoss

# Columns to begin with, unless there are few rows, and the share of few rows beyond which a path
# is the better way.
FIRST, LARGEST = 60, 0.5

# Share of the columns of many rows from which on it takes them all.
MANY = 0.25

# Pulls beyond the price by less than this share are rounding.
SLACK = 1e-10


def minimize_on_working_set(loss, risk):
    """Minimiser of which most coefficients are zero, without the second moments of all columns.

    Solves on the columns that correlate most with the target, then looks which others pull harder
    than the price of the norm allows, and takes the hardest in.

    Parameters
    ----------
    loss : RowLoss
        Clean error.
    risk : GaussianRisk or SurrogateRisk
        Objective, with one radius.

    Returns
    -------
    coef : ndarray of shape (n_features,) or None
        None when too many columns are needed, or no face reproduced itself.
    n_iter : int
        Faces tried.
    """
    n, d = loss.root.shape
    largest = d if n > d else LARGEST * n
    chosen = _hardest(loss.correlation, min(FIRST, max(n // 4, 1)))
    n_iter = 0
    while len(chosen) <= largest:
        columns = loss.root[:, chosen]
        part = QuadraticLoss.of_rows(columns, loss.target)
        if loss.floor > 0:
            part = part.about(part.center, part.least + loss.floor)
        found, n_faces = minimize_lasso_face(part, risk)
        n_iter += n_faces
        if found is None:
            break
        pull = (loss.target - columns @ found) @ loss.root
        price = np.max(np.abs(pull[chosen]))
        excess = np.maximum(np.abs(pull) - price * (1 + SLACK), 0.0)
        excess[chosen] = 0.0
        if not excess.any():
            coef = np.zeros(d)
            coef[chosen] = found
            return coef, n_iter
        entering = _hardest(excess, max(len(chosen), 10))
        chosen = np.append(chosen, entering[excess[entering] > 0])
        if n > d and len(chosen) > MANY * d:
            chosen = np.arange(d)
    return None, n_iter


def _hardest(pull, n):
    """Indices of the n largest absolute pulls."""
    return np.argsort(-np.abs(pull))[:n]
