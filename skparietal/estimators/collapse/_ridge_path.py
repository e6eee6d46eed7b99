"""A decomposed table: every ridge of a path from one eigendecomposition, linear or kernel."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils import gen_batches

from skparietal.estimators.collapse._kernels import centre_kernel, kernel_matrix, psd_eigh
from skparietal.moments import Moments
from skparietal.solvers.collapse.ridge_spectrum import RidgeSpectrum


@dataclass(frozen=True)
class RidgePath:
    """Ridge fits of one table for any lam.

    Predictions are design(X) @ coef + intercept, where design(X) is X for the linear kernel and the
    kernel against the fitted rows otherwise.

    Attributes
    ----------
    spectrum : RidgeSpectrum
        What the choice of the ridge depends on.
    basis : ndarray of shape (n_columns, rank)
        coef = basis @ spectrum.coordinates(lam).
    x_mean : ndarray of shape (n_columns,)
        Weighted means of the columns of the design (zero without an intercept).
    y_mean : ndarray of shape (n_targets,)
        Weighted means of the targets (zero without an intercept).
    """

    spectrum: RidgeSpectrum
    basis: np.ndarray
    x_mean: np.ndarray
    y_mean: np.ndarray

    def at(self, lam):
        """Fit of one ridge.

        Parameters
        ----------
        lam : float
            Ridge on the mean squared loss.

        Returns
        -------
        coef : ndarray of shape (n_columns, n_targets)
            Coefficients of the design.
        intercept : ndarray of shape (n_targets,)
            Constants.
        """
        coef = self.basis @ self.spectrum.coordinates(lam).astype(self.basis.dtype)
        return coef, self.y_mean - self.x_mean @ coef

    def squared_errors(self, design, Y, lam, sample_weight):
        """Weighted mean squared error of every ridge on other rows.

        Parameters
        ----------
        design : ndarray of shape (n_rows, n_columns)
            Design of the other rows.
        Y : ndarray of shape (n_rows, n_targets)
            Their targets.
        lam : ndarray of shape (n_alphas,)
            Ridges on the mean squared loss.
        sample_weight : ndarray of shape (n_rows,) or None
            Their weights.

        Returns
        -------
        errors : ndarray of shape (n_alphas, n_targets)
            One per ridge and target.
        """
        scores = (design - self.x_mean) @ self.basis
        residuals = Y - self.y_mean
        return np.stack(
            [
                np.average(
                    (residuals - scores @ self.spectrum.coordinates(value)) ** 2,
                    axis=0,
                    weights=sample_weight,
                )
                for value in lam
            ]
        )


def path_of_moments(moments, fit_intercept):
    """Linear path from the moments of a table of any number of rows.

    Parameters
    ----------
    moments : Moments
        Of the training rows.
    fit_intercept : bool
        Whether to centre.

    Returns
    -------
    path : RidgePath
        Fits of those rows.
    """
    if not fit_intercept:
        moments = moments.about_origin()
    spectrum, basis = RidgeSpectrum.of_moments(moments, int(fit_intercept))
    return RidgePath(spectrum, basis, moments.x_mean, moments.y_mean)


def _path_of_wide_table(X, Y, sample_weight, fit_intercept):
    """Linear path from the rows' Gram matrix, for more features than rows."""
    x_mean, y_mean = (
        _means(X, sample_weight, fit_intercept),
        _means(Y, sample_weight, fit_intercept),
    )
    root = _root(X, sample_weight)
    X, Y = (X - x_mean) * root, (Y - y_mean) * root
    values, vectors = psd_eigh(X @ X.T)
    T = len(X) if sample_weight is None else sample_weight.sum()
    spectrum = RidgeSpectrum.of_kernel(values, vectors, Y, T, int(fit_intercept))
    return RidgePath(spectrum, X.T @ (vectors / np.sqrt(values)), x_mean, y_mean)


def _path_of_kernel(K, Y, sample_weight, fit_intercept):
    """Kernel path: coefficients are those of the fitted rows (dual)."""
    y_mean = _means(Y, sample_weight, fit_intercept)
    k_mean = _means(K, sample_weight, fit_intercept)
    root = _root(K, sample_weight)
    magnitude = np.abs(K).max()
    centred = centre_kernel(K, sample_weight) if fit_intercept else K.copy()
    centred *= root
    centred *= root.T
    values, vectors = psd_eigh(centred, magnitude * np.max(root) ** 2)
    T = len(K) if sample_weight is None else sample_weight.sum()
    spectrum = RidgeSpectrum.of_kernel(values, vectors, (Y - y_mean) * root, T, int(fit_intercept))
    return RidgePath(spectrum, root * vectors / np.sqrt(values), k_mean, y_mean)


def leverage_inflation(X, path, sample_weight):
    """Factor by which uneven leverages inflate the error of least squares; 1 for Gaussian rows.

    The mean of h/(1 - h) over the rows' leverages h, over its value for equal ones.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Training rows, more than features.
    path : RidgePath
        Their linear path.
    sample_weight : ndarray of shape (n_rows,) or None
        Frequency weights.

    Returns
    -------
    factor : float
        From 1 to 5 (a row of leverage 1 would make it infinite).
    """
    spectrum = path.spectrum
    T, rank = spectrum.n_samples, spectrum.eigenvalues.size
    whiten = path.basis / np.sqrt(T * spectrum.eigenvalues).astype(path.basis.dtype)
    ratios = np.empty(len(X))
    # In batches: a second matrix of the size of X would double the memory.
    for batch in gen_batches(len(X), 1024):
        scores = (X[batch] - path.x_mean) @ whiten
        leverage = np.einsum("ij,ij->i", scores, scores)
        ratios[batch] = leverage / np.maximum(1 - leverage, 1e-12)
    return float(np.clip(np.average(ratios, weights=sample_weight) * (T - rank) / rank, 1.0, 5.0))


def design_of(estimator, X, X_fit):
    """Design matrix of new rows.

    Parameters
    ----------
    estimator : estimator
        With the parameters of a kernel.
    X : ndarray of shape (n_rows, n_features)
        New rows.
    X_fit : ndarray of shape (n_fitted, n_features)
        Fitted rows.

    Returns
    -------
    design : ndarray of shape (n_rows, n_columns)
        X for the linear kernel, else the kernel against the fitted rows.
    """
    return X if estimator.kernel == "linear" else kernel_matrix(estimator, X, X_fit)


def path_of_rows(estimator, X, Y, sample_weight):
    """Path of an estimator's kernel on training rows.

    Parameters
    ----------
    estimator : estimator
        With the parameters of a kernel, and fit_intercept.
    X : ndarray of shape (n_rows, n_features)
        Training rows, or their precomputed kernel.
    Y : ndarray of shape (n_rows, n_targets)
        Targets.
    sample_weight : ndarray of shape (n_rows,) or None
        Frequency weights.

    Returns
    -------
    path : RidgePath
        Fits of those rows.
    moments : Moments or None
        Of the rows, for the linear kernel with no more features than rows.
    """
    if estimator.kernel != "linear":
        K = kernel_matrix(estimator, X)
        return _path_of_kernel(K, Y, sample_weight, estimator.fit_intercept), None
    if X.shape[1] > X.shape[0]:
        return _path_of_wide_table(X, Y, sample_weight, estimator.fit_intercept), None
    moments = Moments.of(X, Y, sample_weight)
    return path_of_moments(moments, estimator.fit_intercept), moments


def _means(table, sample_weight, fit_intercept):
    if not fit_intercept:
        return np.zeros(table.shape[1], table.dtype)
    return np.average(table, axis=0, weights=sample_weight).astype(table.dtype, copy=False)


def _root(table, sample_weight):
    if sample_weight is None:
        return np.ones((1, 1), table.dtype)
    return np.sqrt(sample_weight).astype(table.dtype, copy=False)[:, None]
