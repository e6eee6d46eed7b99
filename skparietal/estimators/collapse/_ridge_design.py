"""Columns that a ridge is fitted on: inputs, or explicit features of kernels and wide tables."""

from dataclasses import dataclass

import numpy as np

from skparietal.estimators.collapse._kernels import centre_kernel, psd_eigh


@dataclass(frozen=True)
class RidgeDesign:
    """Training rows in few columns, and the way back from their coefficients.

    Attributes
    ----------
    columns : ndarray of shape (n_samples, n_columns)
        Training rows; ridge on them is the ridge wanted.
    back : ndarray of shape (n_outputs, n_columns)
        back @ coef are the coefficients of the inputs or, for a kernel, of the training rows.
    constant : ndarray of shape (n_columns,)
        constant @ coef is to be added to the intercept.
    """

    columns: np.ndarray
    back: np.ndarray
    constant: np.ndarray


def linear_design(X, sample_weight, centre):  # numpydoc ignore=PR01,RT01
    """Return the inputs, or fewer columns with the same inner products if they outnumber the rows.

    With centre, the inner products are about the mean: the model must have an intercept.
    """
    n_samples, n_features = X.shape
    if n_features <= n_samples:
        return RidgeDesign(X, np.eye(n_features), np.zeros(n_features))
    mean = np.average(X, axis=0, weights=sample_weight) if centre else np.zeros(n_features)
    X = X - mean
    columns, dual = _empirical_features(X @ X.T)
    back = X.T @ dual
    return RidgeDesign(columns, back, -mean @ back)


def kernel_design(K, sample_weight, centre):  # numpydoc ignore=PR01,RT01
    """Return the coordinates of the training rows along the eigenvectors of their kernel."""
    if not centre:
        columns, dual = _empirical_features(K.copy())
        return RidgeDesign(columns, dual, np.zeros(columns.shape[1]))
    columns, dual = _empirical_features(
        centre_kernel(K, sample_weight), magnitude=float(np.max(np.abs(K)))
    )
    # The centred kernel times dual differs from K times this by a constant.
    dual = dual - (sample_weight / np.sum(sample_weight))[:, None] * dual.sum(axis=0)
    return RidgeDesign(columns, dual, columns.mean(axis=0) - K.mean(axis=0) @ dual)


def _empirical_features(K, magnitude=0.0):
    values, vectors = psd_eigh(K, magnitude)
    if values.size == 0:  # rows that are all alike: one column of zeros
        nothing = np.zeros((len(K), 1))
        return nothing, nothing
    root = np.sqrt(values)
    return vectors * root, vectors / root
