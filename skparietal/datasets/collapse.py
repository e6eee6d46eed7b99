"""Regression data whose labels were made by a chain of fitted models, with the truth known."""

import numpy as np
from scipy.linalg import lstsq, solve
from sklearn.utils import Bunch, check_random_state

from skparietal.spectrum import check_spectrum

FEATURES = ("gaussian", "t", "binary")


def make_collapse_regression(
    n_samples=200,
    n_features=100,
    *,
    spectrum=None,
    coef=None,
    noise_variance=0.25,
    n_generations=1,
    generator_n_samples=None,
    generator_alpha=0.0,
    generator_noise_variance=None,
    features="gaussian",
    return_truth=True,
    random_state=None,
):
    """Generate regression data labelled by the last of a chain of fitted linear models.

    Each generation draws fresh rows, labels them with the coefficients of the one before plus
    noise, and fits a ridge; the last one labels the rows that are returned.

    Parameters
    ----------
    n_samples : int, default=200
        Rows returned.
    n_features : int, default=100
        Features; ignored when spectrum is given.
    spectrum : array-like of shape (n_features,), default=None
        Variances of the (uncorrelated) features; None means 1 each.
    coef : array-like of shape (n_features,), default=None
        True coefficients; None draws a random direction of unit signal variance, isotropic after
        whitening.
    noise_variance : float, default=0.25
        Variance of the label noise of the rows returned.
    n_generations : int, default=1
        Fits between the truth and the labels; 0 gives clean labels.
    generator_n_samples : int, default=None
        Rows of each of them; None means n_samples.
    generator_alpha : float, default=0.0
        Their ridge, on scikit-learn's scale; 0 is minimum-norm least squares.
    generator_noise_variance : float, default=None
        Variance of their label noise; None means noise_variance.
    features : {"gaussian", "t", "binary"}, default="gaussian"
        Law of the rows: Gaussian; multivariate t with 4 degrees of freedom (a few rows of great
        leverage); or independent signs.
    return_truth : bool, default=True
        Whether to return the truth as well.
    random_state : int, RandomState instance or None, default=None
        Seed of all draws.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        Rows.
    y : ndarray of shape (n_samples,)
        Labels.
    truth : Bunch
        Only if return_truth: coef, the true coefficients; label_coef, those that made y;
        spectrum, the variances; noise_variance. The excess risk of a fit is
        ``truth.spectrum @ (fit.coef_ - truth.coef) ** 2``.

    Raises
    ------
    ValueError
        If spectrum, coef or features is malformed, or a number or a variance is negative.

    References
    ----------
    Dohmatob, Feng, Kempe, Model Collapse Demystified: The Case of Regression, 2024 (the setting).

    Examples
    --------
    >>> from skparietal.datasets import make_collapse_regression
    >>> X, y, truth = make_collapse_regression(100, 5, n_generations=3, random_state=0)
    >>> X.shape, y.shape, truth.label_coef.shape
    ((100, 5), (100,), (5,))
    """
    if features not in FEATURES:
        raise ValueError(f"features must be one of {FEATURES}, got {features!r}.")
    rng = check_random_state(random_state)
    spectrum = check_spectrum(np.ones(n_features) if spectrum is None else spectrum)
    coef = _random_direction(rng, spectrum) if coef is None else np.asarray(coef, dtype=float)
    if coef.shape != spectrum.shape:
        raise ValueError(f"coef must have shape {spectrum.shape}, got {coef.shape}.")
    if generator_noise_variance is None:
        generator_noise_variance = noise_variance
    if min(n_generations, generator_alpha, noise_variance, generator_noise_variance) < 0:
        raise ValueError("n_generations, generator_alpha and the noise variances must be >= 0.")
    rows = n_samples if generator_n_samples is None else generator_n_samples
    label_coef = coef
    for _ in range(n_generations):
        X, y = _draw(rng, rows, spectrum, features, label_coef, generator_noise_variance)
        label_coef = _ridge(X, y, generator_alpha)
    X, y = _draw(rng, n_samples, spectrum, features, label_coef, noise_variance)
    if not return_truth:
        return X, y
    return (
        X,
        y,
        Bunch(coef=coef, label_coef=label_coef, spectrum=spectrum, noise_variance=noise_variance),
    )


def _random_direction(rng, spectrum):
    direction = rng.standard_normal(spectrum.size) * (spectrum > 0)
    root = np.sqrt(np.where(spectrum > 0, spectrum, 1.0))
    return direction / np.linalg.norm(direction) / root


def _draw(rng, n_samples, spectrum, features, coef, noise_variance):
    shape = (n_samples, spectrum.size)
    X = rng.choice([-1.0, 1.0], shape) if features == "binary" else rng.standard_normal(shape)
    if features == "t":
        # 2 / chi2(4) has mean 1, so that the covariance stays the spectrum.
        X *= np.sqrt(2 / rng.chisquare(4, (n_samples, 1)))
    X *= np.sqrt(spectrum)
    return X, X @ coef + np.sqrt(noise_variance) * rng.standard_normal(n_samples)


def _ridge(X, y, alpha):
    n_samples, n_features = X.shape
    if alpha == 0:
        return lstsq(X, y)[0]
    if n_samples < n_features:
        return X.T @ solve(X @ X.T + alpha * np.eye(n_samples), y, assume_a="pos")
    return solve(X.T @ X + alpha * np.eye(n_features), X.T @ y, assume_a="pos")
