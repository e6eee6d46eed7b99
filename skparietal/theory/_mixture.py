"""Deterministic equivalents of ridge fits on two groups of rows: the engine of `mixing`."""

from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq

from skparietal.spectrum import check_spectrum, degrees_of_freedom, effective_ridge


class Mixture(NamedTuple):
    """Deterministic equivalent of one weighted ridge fit.

    On average the fit is spectrum / (spectrum + kappa) times the share-weighted mean of the two
    models; around this mean it fluctuates with variance v spectrum / (spectrum + kappa)^2.
    """

    kappa: float
    share_real: float
    share_synthetic: float
    # Sum over the groups of share^2 / n_group: 1 / (effective number of rows).
    inverse_rows: tuple


class MixProblem(NamedTuple):
    """Checked arguments that all risks share."""

    spectrum: np.ndarray
    coef: np.ndarray
    shift: np.ndarray
    n_real: float
    n_synthetic: float
    noise_real: float
    noise_synthetic: float

    @classmethod
    def of(
        cls, spectrum, coef, shift, n_real, n_synthetic, noise_real, noise_synthetic
    ):  # numpydoc ignore=PR01,RT01
        """Check the arguments; the noise of synthetic rows defaults to that of real rows."""
        spectrum = check_spectrum(spectrum)
        coef, shift = np.asarray(coef, dtype=float), np.asarray(shift, dtype=float)
        for name, value in (("coef", coef), ("shift", shift)):
            if value.shape != spectrum.shape:
                raise ValueError(
                    f"{name} must have the shape of spectrum, {spectrum.shape}; got {value.shape}."
                )
        noise_synthetic = noise_real if noise_synthetic is None else noise_synthetic
        if shift.min() < 0 or noise_real < 0 or noise_synthetic < 0:
            raise ValueError("shift and the noise variances must be >= 0.")
        if n_real < 0 or n_synthetic < 0 or n_real + n_synthetic == 0:
            raise ValueError(
                "n_real and n_synthetic must be >= 0 and not both 0, "
                f"got {n_real} and {n_synthetic}."
            )
        return cls(spectrum, coef, shift, n_real, n_synthetic, noise_real, noise_synthetic)


def check_lam(lam):  # numpydoc ignore=PR01,RT01
    """Return the ridge as an array, or raise a ValueError."""
    lam = np.asarray(lam, dtype=float)
    if not np.all(np.isfinite(lam)) or np.any(lam < 0):
        raise ValueError("lam must be finite and >= 0.")
    return lam


def check_weight(weight):  # numpydoc ignore=PR01,RT01
    """Return the weight of a synthetic row as a float, or raise a ValueError."""
    if not (np.isfinite(weight) and weight >= 0):
        raise ValueError(f"weight must be finite and >= 0, got {weight}.")
    return float(weight)


def ratio(numerator, denominator):  # numpydoc ignore=PR01,RT01
    """Quotient with 0/0 = 0, for directions without variance."""
    return np.divide(numerator, denominator, out=np.zeros_like(denominator), where=denominator != 0)


def _group_leverage(df1, n_real, n_synthetic, weight):
    """The eta with n_real eta/(1 + eta) + n_synthetic weight eta/(1 + weight eta) = df1."""
    a = weight * (n_real + n_synthetic - df1)
    b = n_real + n_synthetic * weight - df1 * (1 + weight)
    root = np.sqrt(b**2 + 4 * a * df1)
    return 2 * df1 / (b + root) if b > 0 else (root - b) / (2 * a)


def mixture_of(problem, lam, weight):  # numpydoc ignore=PR01,RT01
    """Effective ridge and shares of a weighted fit."""
    s = problem.spectrum[problem.spectrum > 0]
    n1, n2 = problem.n_real, problem.n_synthetic
    rows = n1 + n2 * (weight > 0)
    if rows == 0:
        raise ValueError("weight must be > 0 when there are no real rows.")
    alpha = lam * (n1 + n2)
    if alpha == 0 and s.size >= rows:  # interpolation: the weights no longer matter
        sizes = np.array([n1, n2 * (weight > 0)], dtype=float)
        return _of_sizes(effective_ridge(s, 0.0, rows), sizes, problem)
    kappa = _weighted_effective_ridge(s, alpha, n1, n2, weight)
    eta = _group_leverage(np.sum(s / (s + kappa)), n1, n2, weight)
    return _of_sizes(kappa, np.array([n1 / (1 + eta), n2 * weight / (1 + weight * eta)]), problem)


def _of_sizes(kappa, sizes, problem):
    shares = sizes / sizes.sum()
    counts = np.array([problem.n_real, problem.n_synthetic], dtype=float)
    return Mixture(kappa, *shares, tuple(ratio(shares**2, counts)))


def _weighted_effective_ridge(s, alpha, n_real, n_synthetic, weight):
    """The kappa whose shares satisfy alpha = kappa (sum of the groups' effective sizes)."""
    if alpha == 0:
        return 0.0
    rows = n_real + n_synthetic * (weight > 0)

    def excess(log_kappa):
        kappa = np.exp(log_kappa)
        df1 = np.sum(s / (s + kappa))
        if df1 >= rows:
            return -alpha
        eta = _group_leverage(df1, n_real, n_synthetic, weight)
        sizes = n_real / (1 + eta) + n_synthetic * weight / (1 + weight * eta)
        return kappa * sizes - alpha

    # With M = n_real + weight n_synthetic: alpha <= kappa M <= alpha + max(1, weight) trace.
    total = n_real + n_synthetic * weight
    lower = np.log(alpha / total)
    upper = np.log((alpha + max(1.0, weight) * s.sum()) / total)
    return np.exp(brentq(excess, lower - 1e-9, upper + 1e-9, xtol=1e-14, rtol=1e-14))


def fit_moments(problem, mixture, mean_error, variance):  # numpydoc ignore=PR01,RT01
    """Mean error of the fit against coef, and the scale v of its fluctuations.

    The synthetic model is coef + mean_error on average with the given variance around it. v adds up
    what each group's labels deviate from the mean fit, noise and misfit alike.
    """
    s, kappa = problem.spectrum, mixture.kappa
    shrinkage, share = ratio(s, s + kappa), mixture.share_synthetic
    fit_error = shrinkage * share * mean_error - (1 - shrinkage) * problem.coef
    spread = (shrinkage * share) ** 2 * variance
    misfit_real = np.sum(s * (fit_error**2 + spread))
    misfit_synthetic = np.sum(
        s * ((fit_error - mean_error) ** 2 + (1 - shrinkage * share) ** 2 * variance)
    )
    inverse_real, inverse_synthetic = mixture.inverse_rows
    df2 = np.sum(shrinkage**2)
    scale = inverse_real * (problem.noise_real + misfit_real)
    scale += inverse_synthetic * (problem.noise_synthetic + misfit_synthetic)
    return fit_error, scale / (1 - df2 * (inverse_real + inverse_synthetic))


def weighted_risk(problem, lam, weight):  # numpydoc ignore=PR01,RT01
    """Bias, variance and zeta at one ridge and weight: the parts of `fit_moments` by source."""
    mixture = mixture_of(problem, lam, weight)
    s, nothing = problem.spectrum, np.zeros_like(problem.spectrum)
    shrinkage = ratio(s, s + mixture.kappa)
    df2, share = np.sum(shrinkage**2), mixture.share_synthetic

    quiet = problem._replace(noise_real=0.0, noise_synthetic=0.0)
    error, v = fit_moments(quiet, mixture, nothing, nothing)
    bias = np.sum(s * error**2) + v * df2
    flat = problem._replace(coef=nothing)
    variance = fit_moments(flat, mixture, nothing, nothing)[1] * df2
    spread = np.sum(s * (shrinkage * share) ** 2 * problem.shift)
    shifted = quiet._replace(coef=nothing)
    zeta = spread + fit_moments(shifted, mixture, nothing, problem.shift)[1] * df2
    return bias, variance, zeta


def _projected_effective_ridge(s, lam, n_rows, n_components):
    """The kappa with lam = kappa (1 - df1/n_components) (1 - df1/n_rows)."""
    fewest = min(n_rows, n_components)
    lower = effective_ridge(s, 0.0, fewest)
    if lam == 0:
        return lower

    def excess(log_kappa):
        kappa = np.exp(log_kappa)
        df1 = np.sum(s / (s + kappa))
        if df1 >= fewest:
            return -lam
        return kappa * (1 - df1 / n_components) * (1 - df1 / n_rows) - lam

    upper = lam + s.sum() * (1 / n_components + 1 / n_rows)
    start = np.log(max(lower, lam)) - 1e-9
    return np.exp(brentq(excess, start, np.log(upper) + 1e-9, xtol=1e-14, rtol=1e-14))


def projected_risk(problem, lam, m):  # numpydoc ignore=PR01,RT01
    """Bias, variance and zeta at one ridge for m random projections."""
    positive = problem.spectrum > 0
    s, shift, coef = (v[positive] for v in (problem.spectrum, problem.shift, problem.coef))
    n = problem.n_real + problem.n_synthetic
    p1, p2 = problem.n_real / n, problem.n_synthetic / n
    kappa = _projected_effective_ridge(s, lam, n, m)
    df1, df2 = degrees_of_freedom(s, kappa)
    spread = _quotient(df1 - df2, m - df2) * kappa
    df2_projected = df1 - (m - df1) * _quotient(df1 - df2, m - df2)
    u = _quotient(df2_projected, n - df2_projected)

    unfitted = kappa**2 * s / (s + kappa) ** 2 + spread * s**2 / (s + kappa) ** 2
    raw = np.sum(shift * s)
    fitted = np.sum(shift * s**2 / (s + kappa))
    squared = np.sum(shift * s**3 / (s + kappa) ** 2)
    squared += spread * np.sum(shift * s**2 / (s + kappa) ** 2)
    bias = (1 + u) * np.sum(unfitted * coef**2)
    variance = (p1 * problem.noise_real + p2 * problem.noise_synthetic) * u
    zeta = p2**2 * (1 + p1 * u) * squared
    zeta += p2 * u * (raw - 2 * p2 * fitted + p2**2 * squared)
    return bias, variance, zeta


def _quotient(numerator, denominator):
    return numerator / denominator if denominator > 0 else np.inf
