"""Degrees of freedom, effective ridge and power-law problems of a covariance spectrum."""

import numpy as np
from scipy.optimize import brentq


def check_spectrum(spectrum):
    """Eigenvalues as a float vector, or a clear error.

    Parameters
    ----------
    spectrum : array-like of shape (n_features,)
        Eigenvalues of a covariance matrix.

    Returns
    -------
    spectrum : ndarray of shape (n_features,)
        The same values in floating point.

    Raises
    ------
    ValueError
        If the values are not one row of finite, non-negative numbers with a positive sum.
    """
    spectrum = np.asarray(spectrum, dtype=float)
    if spectrum.ndim != 1 or spectrum.size == 0:
        raise ValueError(
            f"spectrum must be a non-empty vector of eigenvalues, got shape {spectrum.shape}."
        )
    if not np.all(np.isfinite(spectrum)) or spectrum.min() < 0 or spectrum.max() == 0:
        raise ValueError("spectrum must hold finite eigenvalues >= 0, at least one of them > 0.")
    return spectrum


def degrees_of_freedom(spectrum, kappa):
    """First and second degrees of freedom of ridge regression with effective ridge kappa.

    df1 = sum s/(s + kappa) and df2 = sum s^2/(s + kappa)^2 over the eigenvalues s.

    Parameters
    ----------
    spectrum : array-like of shape (n_features,)
        Eigenvalues of the covariance.
    kappa : float or array-like
        Effective ridge >= 0; any shape.

    Returns
    -------
    df1, df2 : float or ndarray of the shape of kappa
        Degrees of freedom, between 0 and the number of positive eigenvalues.
    """
    spectrum = check_spectrum(spectrum)
    spectrum = spectrum[spectrum > 0]
    shrinkage = spectrum / (spectrum + np.asarray(kappa, dtype=float)[..., None])
    return shrinkage.sum(axis=-1), (shrinkage**2).sum(axis=-1)


def effective_ridge(spectrum, lam, n_samples):
    """Effective ridge kappa: the root of lam = kappa (1 - df1(kappa) / n_samples).

    A ridge of lam on n_samples rows acts, in the deterministic equivalent, like a ridge of kappa on
    the population covariance.

    Parameters
    ----------
    spectrum : array-like of shape (n_features,)
        Eigenvalues of the covariance.
    lam : float or array-like
        Ridge >= 0 on the mean squared loss (scikit-learn's alpha is n_samples times this).
    n_samples : float
        Number of rows, > 0.

    Returns
    -------
    kappa : float or ndarray of the shape of lam
        Zero when lam is 0 and the rows are at least as many as the positive eigenvalues.

    Raises
    ------
    ValueError
        If lam is negative or n_samples is not positive.
    """
    spectrum = check_spectrum(spectrum)
    lam = np.asarray(lam, dtype=float)
    if n_samples <= 0:
        raise ValueError(f"n_samples must be positive, got {n_samples}.")
    if np.any(lam < 0) or not np.all(np.isfinite(lam)):
        raise ValueError("lam must be finite and >= 0.")
    roots = [_effective_ridge(spectrum[spectrum > 0], value, n_samples) for value in lam.ravel()]
    return np.reshape(roots, lam.shape)[()]


def _effective_ridge(spectrum, lam, n_samples):
    if lam == 0 and n_samples >= spectrum.size:
        return 0.0

    def excess(log_kappa):
        kappa = np.exp(log_kappa)
        return kappa - lam - kappa * np.sum(spectrum / (spectrum + kappa)) / n_samples

    # kappa df1(kappa) <= trace, hence lam <= kappa <= lam + trace / n_samples.
    upper = lam + spectrum.sum() / n_samples
    lower = max(lam, np.finfo(float).tiny, upper * 1e-300)
    if lam == 0:
        # df1 = n_samples holds above the smallest eigenvalue times (size/n_samples - 1).
        lower = spectrum.min() * (spectrum.size / n_samples - 1)
    if excess(np.log(lower)) >= 0:
        return lower
    return np.exp(brentq(excess, np.log(lower), np.log(upper) + 1e-9, xtol=1e-14, rtol=1e-14))


def power_law_problem(n_features, capacity, source):
    """Spectrum and coefficients of a regression problem with power-law capacity and source.

    Eigenvalues s_k = k^-capacity and coefficients w_k with w_k^2 s_k = k^-(1 + 2 capacity source).

    Parameters
    ----------
    n_features : int
        Number of eigenvalues.
    capacity : float
        Decay of the spectrum, > 1 for a trace that stays bounded.
    source : float
        Smoothness of the target, > 0: the larger, the easier.

    Returns
    -------
    spectrum, coef : ndarrays of shape (n_features,)
        Eigenvalues and true coefficients in the eigenbasis.

    References
    ----------
    Dohmatob, Feng, Kempe, Model Collapse Demystified: The Case of Regression, 2024 (the regime of
    its Theorem 5.1).
    """
    k = np.arange(1, n_features + 1, dtype=float)
    spectrum = k**-capacity
    return spectrum, np.sqrt(k ** -(1 + 2 * capacity * source) / spectrum)


def ridge_chain(mean, second_moment, spectrum, kappa, dof, noise_variance, n_generations):
    """Coefficients after a chain of ridge fits, each trained on the labels of the one before.

    One generation with effective ridge kappa shrinks a coefficient by s/(s + kappa) and adds noise
    of variance v s/(s + kappa)^2, v being its test error on its own noisy labels over its rows.

    Parameters
    ----------
    mean, second_moment : ndarray of shape (n_features,)
        First and second moments of the coefficients in the eigenbasis, before the chain.
    spectrum : ndarray of shape (n_features,)
        Positive eigenvalues.
    kappa : float
        Effective ridge of each generation.
    dof : float
        Rows of a generation minus its second degrees of freedom.
    noise_variance : float
        Variance of the noise added to the labels of each generation.
    n_generations : int
        Length of the chain.

    Returns
    -------
    mean, second_moment : ndarray of shape (n_features,)
        Moments after the chain.
    """
    shrinkage = spectrum / (spectrum + kappa)
    spread = spectrum / (spectrum + kappa) ** 2
    for _ in range(n_generations):
        error = noise_variance + kappa**2 * np.sum(second_moment * spread, axis=-1)
        second_moment = shrinkage**2 * second_moment + (error / dof)[..., None] * spread
        mean = shrinkage * mean
    return mean, second_moment
