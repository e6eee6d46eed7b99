"""Regression with real and synthetic rows whose truth is known."""

import numpy as np
from sklearn.utils import Bunch, check_random_state


def make_mixed_regression(
    n_real=100,
    n_synthetic=1000,
    n_features=50,
    *,
    spectrum=None,
    coef=None,
    shift_error=0.1,
    noise_variance_real=0.25,
    noise_variance_synthetic=None,
    return_truth=False,
    random_state=None,
):
    """Generate real rows, and synthetic rows whose labels come from a shifted model.

    Inputs are Gaussian and independent. Real labels are x'coef + noise, synthetic ones x'(coef +
    delta) + noise, with delta of equal variance in all coefficients.

    Parameters
    ----------
    n_real, n_synthetic : int, default=100, 1000
        Numbers of rows.
    n_features : int, default=50
        Number of features; ignored when `spectrum` is given.
    spectrum : array-like of shape (n_features,), default=None
        Variances of the features; None means 1.
    coef : array-like of shape (n_features,), default=None
        True coefficients. None draws Gaussian ones and scales them so that x'coef has variance 1.
    shift_error : float, default=0.1
        Excess risk c^2 of the synthetic labels: delta is scaled to have exactly this one.
    noise_variance_real : float, default=0.25
        Variance of the label noise of real rows.
    noise_variance_synthetic : float, default=None
        Variance of the label noise of synthetic rows; None means that of the real rows.
    return_truth : bool, default=False
        Whether to return the truth as well.
    random_state : int, RandomState instance or None, default=None
        Source of randomness.

    Returns
    -------
    X : ndarray of shape (n_real + n_synthetic, n_features)
        Inputs, real rows first.
    y : ndarray of shape (n_real + n_synthetic,)
        Labels.
    synthetic : ndarray of bool of shape (n_real + n_synthetic,)
        True where a row is synthetic.
    truth : Bunch
        With `coef`, `shift` (delta), `spectrum`; only if `return_truth`.

    Raises
    ------
    ValueError
        If a variance or `shift_error` is negative, or `coef` does not match the spectrum.
    """
    rng = check_random_state(random_state)
    spectrum = np.ones(n_features) if spectrum is None else np.asarray(spectrum, dtype=float)
    if noise_variance_synthetic is None:
        noise_variance_synthetic = noise_variance_real
    if min(spectrum.min(), shift_error, noise_variance_real, noise_variance_synthetic) < 0:
        raise ValueError("spectrum, shift_error and the noise variances must be >= 0.")
    if coef is None:
        coef = rng.standard_normal(spectrum.size)
        coef /= np.sqrt(np.sum(spectrum * coef**2))
    coef = np.asarray(coef, dtype=float)
    if coef.shape != spectrum.shape:
        raise ValueError(f"coef must have shape {spectrum.shape}, got {coef.shape}.")
    shift = rng.standard_normal(spectrum.size)
    shift *= np.sqrt(shift_error / np.sum(spectrum * shift**2))
    synthetic = np.arange(n_real + n_synthetic) >= n_real
    X = rng.standard_normal((len(synthetic), spectrum.size)) * np.sqrt(spectrum)
    noise = np.where(synthetic, noise_variance_synthetic, noise_variance_real)
    y = X @ coef + np.where(synthetic, X @ shift, 0.0)
    y += np.sqrt(noise) * rng.standard_normal(len(synthetic))
    if return_truth:
        return X, y, synthetic, Bunch(coef=coef, shift=shift, spectrum=spectrum)
    return X, y, synthetic
