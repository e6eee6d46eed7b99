"""Normal equations of rows plus a diagonal: by eigenvectors, or by the rows if they are few."""

from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_solve, cholesky, eigh


class RidgeSolution(NamedTuple):
    """Solutions at every penalty.

    Attributes
    ----------
    coef : ndarray of shape (n_alphas, n_features, n_targets)
        In the coordinates of the equations.
    leverage : ndarray of shape (n_alphas, n_rows)
        x (gram + alpha)^-1 x' of the rows asked for.
    log_det : ndarray of shape (n_alphas,)
        Logarithm of the determinant of gram + alpha.
    df : ndarray of shape (n_alphas,)
        Degrees of freedom, the trace of (gram + alpha)^-1 gram.
    """

    coef: np.ndarray
    leverage: np.ndarray
    log_det: np.ndarray
    df: np.ndarray


def solve_by_eigenvectors(gram, right, rows, alphas):
    """Solve (gram + alpha) coef = right at every penalty from one eigendecomposition.

    Parameters
    ----------
    gram : ndarray of shape (n_features, n_features)
        Positive semi-definite; overwritten.
    right : ndarray of shape (n_features, n_targets)
        Right side.
    rows : ndarray of shape (n_rows, n_features)
        Rows whose leverage is wanted.
    alphas : ndarray of shape (n_alphas,)
        Penalties > 0.

    Returns
    -------
    solution : RidgeSolution
        Costs O(n_features^3 + n_rows n_features (n_features + n_alphas)).
    """
    values, vectors = eigh(gram, overwrite_a=True, check_finite=False)
    values = np.maximum(values, 0.0)
    inverse = 1 / (values + alphas[:, None])
    return RidgeSolution(
        vectors @ (inverse[:, :, None] * (vectors.T @ right)),
        inverse @ ((rows @ vectors) ** 2).T,
        -np.sum(np.log(inverse), axis=1),
        inverse @ values,
    )


def solve_by_rows(diagonal, factor, right, combination, alphas):
    """Solve (diag(diagonal) + factor'factor + alpha) coef = right by the inversion lemma.

    Parameters
    ----------
    diagonal : ndarray of shape (n_features,)
        Non-negative.
    factor : ndarray of shape (n_rows + 1, n_features)
        Rows of the low-rank part.
    right : ndarray of shape (n_features, n_targets)
        Right side.
    combination : tuple of ndarray of shape (n_rows,) and float
        Rows whose leverage is wanted: the first, times all rows of the factor but the last, plus
        the second, times the last.
    alphas : ndarray of shape (n_alphas,)
        Penalties > 0.

    Returns
    -------
    solution : RidgeSolution
        Costs O(n_alphas n_rows^2 n_features): less than the other way when the rows are few.
    """
    parts = [_solve_by_rows(diagonal + alpha, factor, right, combination) for alpha in alphas]
    coef, leverage, log_det, trace = (np.array(part) for part in zip(*parts))
    return RidgeSolution(coef, leverage, log_det, len(diagonal) - alphas * trace)


def _solve_by_rows(ridge, factor, right, combination):
    scaled = factor / ridge
    size = len(factor)
    solved, log_det = _one_plus(scaled @ factor.T, np.hstack([np.eye(size), scaled]))
    inverse, solved = solved[:, :size], solved[:, size:]
    coef = right / ridge[:, None] - solved.T @ (scaled @ right)
    # factor (gram + alpha)^-1 factor' = 1 - (1 + factor ridge^-1 factor')^-1.
    hat = np.eye(size) - inverse
    scale, last = combination
    leverage = scale**2 * np.diag(hat)[:-1] + 2 * scale * last * hat[:-1, -1]
    trace = np.sum(1 / ridge) - np.sum(solved * scaled)
    log_det += np.sum(np.log(ridge))
    return coef, leverage + last**2 * hat[-1, -1], log_det, trace


def explained_by_cholesky(gram, right, alpha):
    """Squares that one fit explains, right'(gram + alpha)^-1 right, and the log determinant.

    Parameters
    ----------
    gram : ndarray of shape (n_features, n_features)
        Positive semi-definite; overwritten.
    right : ndarray of shape (n_features, n_targets)
        Right side.
    alpha : float
        Penalty > 0.

    Returns
    -------
    explained : ndarray of shape (n_targets,)
        One value per target.
    log_det : float
        Logarithm of the determinant of gram + alpha.
    """
    gram[np.diag_indices_from(gram)] += alpha
    factor = cholesky(gram, lower=True, overwrite_a=True, check_finite=False)
    explained = np.sum(right * cho_solve((factor, True), right, check_finite=False), axis=0)
    return explained, 2 * np.sum(np.log(np.diag(factor)))


def explained_by_rows(diagonal, factor, right, alpha):
    """Compute the same for gram = diag(diagonal) + factor'factor, by the inversion lemma.

    Parameters
    ----------
    diagonal, factor, right : ndarrays
        As in `solve_by_rows`.
    alpha : float
        Penalty > 0.

    Returns
    -------
    explained : ndarray of shape (n_targets,)
        One value per target.
    log_det : float
        Logarithm of the determinant of gram + alpha.
    """
    ridge = diagonal + alpha
    scaled = factor / ridge
    inner = scaled @ factor.T
    projected = scaled @ right
    shrunk, log_det = _one_plus(inner, projected)
    explained = np.sum(right**2 / ridge[:, None], axis=0) - np.sum(projected * shrunk, axis=0)
    return explained, np.sum(np.log(ridge)) + log_det


def _one_plus(inner, right):
    """Solution of (1 + inner) x = right, and the log determinant; overwrites inner."""
    inner[np.diag_indices_from(inner)] += 1
    factor = cholesky(inner, lower=True, overwrite_a=True, check_finite=False)
    solution = cho_solve((factor, True), right, check_finite=False)
    return solution, 2 * np.sum(np.log(np.diag(factor)))
