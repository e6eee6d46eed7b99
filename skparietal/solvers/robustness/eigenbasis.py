"""Eigenbasis of a matrix of second moments, and its least-norm solutions."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg.lapack import dposv

# Eigenvalues below this share of the largest one are rounding: their directions are dropped.
EIGENVALUE_CUT = 1e-11


@dataclass(frozen=True, eq=False)
class Eigenbasis:  # numpydoc ignore=PR02
    """Eigenvalues above rounding and their orthonormal vectors.

    Parameters
    ----------
    values : ndarray of shape (rank,)
        Positive, increasing.
    vectors : ndarray of shape (n_features, rank)
        One per column.
    """

    values: np.ndarray
    vectors: np.ndarray

    def solve(self, v):
        """Least-norm solution x of S x = v.

        Parameters
        ----------
        v : ndarray of shape (n_features,)
            Right-hand side.

        Returns
        -------
        x : ndarray of shape (n_features,)
            In the span of the vectors.
        """
        return self.vectors @ ((self.vectors.T @ v) / self.values)


def eigenbasis(gram=None, factor=None):
    """Eigenbasis of S from itself or from a root of it.

    Parameters
    ----------
    gram : ndarray of shape (n_features, n_features), default=None
        S.
    factor : ndarray of shape (n_rows, n_features), default=None
        Root of S. With more rows than columns it is decomposed itself, which costs more than S but
        keeps twice the digits.

    Returns
    -------
    basis : Eigenbasis
        Without the directions of zero variance.
    """
    if gram is not None:
        values, vectors = np.linalg.eigh(gram)
        kept = _above_rounding(values)
        return Eigenbasis(values[kept], vectors[:, kept])
    if len(factor) > factor.shape[1]:
        _, roots, rows = np.linalg.svd(factor, full_matrices=False)
        kept = _above_rounding(roots)[::-1]
        return Eigenbasis(roots[::-1][kept] ** 2, rows[::-1][kept].T)
    values, vectors = np.linalg.eigh(factor @ factor.T)
    kept = _above_rounding(values)
    values, vectors = values[kept], vectors[:, kept]
    return Eigenbasis(values, factor.T @ (vectors / np.sqrt(values)))


def _above_rounding(values):
    return values > EIGENVALUE_CUT * max(np.max(values, initial=0.0), np.finfo(float).tiny)


def solve_positive(gram, v):
    """Least-norm solution of S x = v; by Cholesky where S allows it.

    Parameters
    ----------
    gram : ndarray of shape (n_features, n_features)
        Symmetric positive semi-definite.
    v : ndarray of shape (n_features,)
        Right-hand side in the range of S.

    Returns
    -------
    x : ndarray of shape (n_features,)
        Solution.
    """
    # LAPACK's driver itself: in small problems scipy's checks would cost more than the solution.
    factor, x, failed = dposv(gram, v)
    diagonal = np.diagonal(factor)
    if failed or diagonal.min() ** 2 < EIGENVALUE_CUT * diagonal.max() ** 2:
        return eigenbasis(gram=gram).solve(v)
    return x
