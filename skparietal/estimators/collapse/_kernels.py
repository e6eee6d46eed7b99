"""Kernels of the ridge estimators: parameter constraints, matrices, weighted centring, spectrum."""

import warnings
from numbers import Real

import numpy as np
from scipy.linalg import eigh
from sklearn.metrics.pairwise import pairwise_kernels
from sklearn.utils._param_validation import Interval, StrOptions

KERNEL_CONSTRAINTS = {
    "kernel": [
        StrOptions({"linear", "rbf", "poly", "sigmoid", "laplacian", "cosine", "precomputed"}),
        callable,
    ],
    "gamma": [Interval(Real, 0, None, closed="left"), None],
    "degree": [Interval(Real, 0, None, closed="left")],
    "coef0": [Interval(Real, None, None, closed="neither")],
    "kernel_params": [dict, None],
}


def kernel_matrix(estimator, X, Y=None):
    """Kernel between the rows of X and Y, by the estimator's kernel parameters.

    Parameters
    ----------
    estimator : estimator
        With attributes kernel, gamma, degree, coef0 and kernel_params, meant as in
        :class:`~sklearn.kernel_ridge.KernelRidge`.
    X : ndarray of shape (n_samples, n_features)
        Rows; with kernel="precomputed" the kernel itself.
    Y : ndarray of shape (n_fitted, n_features), default=None
        Rows of the second argument; None means X.

    Returns
    -------
    K : ndarray of shape (n_samples, n_fitted)
        X itself (not a copy) when the kernel is precomputed.

    Raises
    ------
    ValueError
        If a precomputed kernel is given without Y and is not square.
    """
    if estimator.kernel == "precomputed":
        if Y is None and X.shape[0] != X.shape[1]:
            raise ValueError(
                "With kernel='precomputed' X must be a square kernel matrix of the training rows, "
                f"got shape {X.shape}."
            )
        return X
    if callable(estimator.kernel):
        parameters = estimator.kernel_params or {}
    else:
        parameters = {
            "gamma": estimator.gamma,
            "degree": estimator.degree,
            "coef0": estimator.coef0,
        }
    return pairwise_kernels(X, Y, metric=estimator.kernel, filter_params=True, **parameters)


def centre_kernel(K, sample_weight=None):
    """Kernel of the features minus their weighted mean.

    Parameters
    ----------
    K : ndarray of shape (n_samples, n_samples)
        Symmetric kernel matrix; left as it is.
    sample_weight : ndarray of shape (n_samples,), default=None
        Non-negative weights of the mean; None means equal ones.

    Returns
    -------
    K : ndarray of shape (n_samples, n_samples)
        A new, centred matrix: its weighted row sums are zero.
    """
    means = np.average(K, axis=0, weights=sample_weight).astype(K.dtype, copy=False)
    grand = np.average(means, weights=sample_weight).astype(K.dtype, copy=False)
    K = K - means
    K -= means[:, None]
    K += grand
    return K


def psd_eigh(K, magnitude=0.0):
    """Positive part of the spectrum of a symmetric matrix.

    Parameters
    ----------
    K : ndarray of shape (n_samples, n_samples)
        Symmetric matrix, meant to be positive semi-definite; overwritten.
    magnitude : float, default=0.0
        Largest absolute entry that K had before it was centred: what centring cancelled has left
        rounding errors of this scale.

    Returns
    -------
    eigenvalues : ndarray of shape (rank,)
        Those that exceed rounding, ascending.
    eigenvectors : ndarray of shape (n_samples, rank)
        The matching unit vectors, in the floating type of K.

    Warns
    -----
    UserWarning
        If negative eigenvalues beyond rounding were set to zero.
    """
    values, vectors = eigh(K, overwrite_a=True, check_finite=False)
    # The usual threshold of numerical rank.
    rounding = len(K) * np.finfo(K.dtype).eps * max(values[-1], magnitude)
    # Kernels computed in single precision are positive semi-definite up to about 1e-7.
    largest = max(values[-1], magnitude, np.finfo(K.dtype).tiny)
    if values[0] < -max(100 * rounding, 1e-6 * largest):
        warnings.warn(
            "The kernel matrix is not positive semi-definite (least eigenvalue "
            f"{values[0]:.2e}, largest {values[-1]:.2e}); its negative eigenvalues were set to "
            "zero. Consider a positive semi-definite kernel such as 'rbf'.",
            UserWarning,
            stacklevel=3,
        )
    keep = values > rounding
    return values[keep], vectors[:, keep]
