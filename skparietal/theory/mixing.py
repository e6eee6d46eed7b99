"""Risk of ridge regression on a mixture of real and synthetic rows, and what the mixture costs."""

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from sklearn.utils import Bunch

from skparietal.spectrum import check_spectrum, degrees_of_freedom, effective_ridge
from skparietal.theory._mixture import (
    MixProblem,
    check_lam,
    check_weight,
    fit_moments,
    mixture_of,
    projected_risk,
    ratio,
    weighted_risk,
)


class MixRisk(NamedTuple):
    """Excess risk against the real model and its parts, per new row (the noise floor removed).

    Attributes
    ----------
    total : float or ndarray
        bias + variance + zeta.
    bias : float or ndarray
        Cost of the shrinkage.
    variance : float or ndarray
        Cost of the label noise of both groups.
    zeta : float or ndarray
        Cost of the shift between the models of the two groups.
    """

    total: np.ndarray
    bias: np.ndarray
    variance: np.ndarray
    zeta: np.ndarray


def mix_risk(
    spectrum,
    coef,
    shift,
    n_real,
    n_synthetic,
    lam,
    *,
    weight=1.0,
    noise_variance_real=0.0,
    noise_variance_synthetic=None,
    n_components=None,
):
    """Excess risk of ridge regression on real and synthetic rows.

    Real rows follow y = x'coef + noise, synthetic rows y = x'(coef + delta) + noise, with delta
    independent of coef and covariance diag(shift) in the eigenbasis of the inputs. The fit
    minimises (1/n)(sum over real rows + weight times sum over synthetic rows of the squared
    residuals) + lam norm(w)^2 with n = n_real + n_synthetic.

    Parameters
    ----------
    spectrum : array-like of shape (n_features,)
        Eigenvalues of the covariance of the inputs.
    coef : array-like of shape (n_features,)
        True coefficients in the eigenbasis.
    shift : array-like of shape (n_features,)
        Expected squared shift of each coefficient. Its sum weighted by the spectrum is c^2, the
        excess risk of the synthetic labels themselves.
    n_real, n_synthetic : int
        Numbers of rows; one of them may be 0.
    lam : float or array-like
        Ridge >= 0 on the mean loss; scikit-learn's alpha is n times this.
    weight : float, default=1.0
        Weight >= 0 of a synthetic row, real rows having 1.
    noise_variance_real : float, default=0.0
        Variance of the label noise of real rows.
    noise_variance_synthetic : float, default=None
        Variance of the label noise of synthetic rows; None means that of the real rows.
    n_components : int, default=None
        Size m of the model: the ridge is fitted on m Gaussian random projections of the inputs with
        entries of variance 1/m, as `sklearn.random_projection.GaussianRandomProjection` draws them.
        None fits the inputs themselves, the limit of large m.

    Returns
    -------
    risk : MixRisk
        Total, bias, variance and zeta, each of the shape of lam.

    Raises
    ------
    ValueError
        If shapes disagree, a value is negative, or `n_components` is given with a weight other
        than 1, for which no formula was derived.

    References
    ----------
    Dohmatob, Feng, Subramonian, Kempe, Strong Model Collapse, 2024 (the model, its zeta and the
    random projections). The weighted rows are derived here.
    """
    problem = MixProblem.of(
        spectrum, coef, shift, n_real, n_synthetic, noise_variance_real, noise_variance_synthetic
    )
    lam = check_lam(lam)
    if n_components is None:
        parts = [weighted_risk(problem, value, check_weight(weight)) for value in lam.ravel()]
    elif weight != 1:
        raise ValueError(
            "n_components can only be combined with weight=1: the risk of weighted rows under a "
            "random projection is not derived."
        )
    elif n_components < 1:
        raise ValueError(f"n_components must be >= 1, got {n_components}.")
    else:
        parts = [projected_risk(problem, value, n_components) for value in lam.ravel()]
    bias, variance, zeta = (np.reshape(part, lam.shape)[()] for part in zip(*parts))
    return MixRisk(bias + variance + zeta, bias, variance, zeta)


def shift_cost(spectrum, shift, n_real, n_synthetic, lam):
    """Zeta of classical ridge regression, in the closed form of Strong Model Collapse.

    Equal to the zeta of `mix_risk` with weight 1; kept apart because it was found independently.

    Parameters
    ----------
    spectrum : array-like of shape (n_features,)
        Eigenvalues of the covariance of the inputs.
    shift : array-like of shape (n_features,)
        Expected squared shift of each coefficient.
    n_real, n_synthetic : int
        Numbers of rows.
    lam : float or array-like
        Ridge >= 0 on the mean loss.

    Returns
    -------
    zeta : float or ndarray of the shape of lam
        Excess risk due to the shift.

    References
    ----------
    Dohmatob, Feng, Subramonian, Kempe, Strong Model Collapse, 2024.
    """
    s, shift = check_spectrum(spectrum), np.asarray(shift, dtype=float)
    n = n_real + n_synthetic
    p1, p2 = n_real / n, n_synthetic / n
    kappa = np.asarray(effective_ridge(s, lam, n))[..., None]
    df2 = degrees_of_freedom(s, kappa[..., 0])[1]
    u = df2 / (n - df2)
    gap = s + kappa + (s + kappa == 0)  # a direction without variance costs nothing: 0/1
    common = np.sum(shift * s**3 / gap**2, axis=-1)
    between = np.sum(shift * s * (p1 * s + kappa) ** 2 / gap**2, axis=-1)
    return p2**2 * (1 + p1 * u) * common + p2 * u * between


def strong_collapse_floor(shift_error, n_real, n_synthetic, weight=1.0):
    """Excess risk that no amount of rows removes at a fixed share of synthetic rows.

    The limit of `mix_risk` for many rows and a vanishing ridge: the squared (weighted) share of the
    synthetic rows times c^2. Only a weight that goes to 0 takes it to 0.

    Parameters
    ----------
    shift_error : float
        The c^2, excess risk of the synthetic labels: the sum of spectrum times shift.
    n_real, n_synthetic : float
        Numbers of rows, or their proportions.
    weight : float or array-like, default=1.0
        Weight of a synthetic row.

    Returns
    -------
    floor : float or ndarray of the shape of weight
        Excess risk.

    References
    ----------
    Dohmatob, Feng, Subramonian, Kempe, Strong Model Collapse, 2024.
    """
    synthetic = np.asarray(weight, dtype=float) * n_synthetic
    return (synthetic / (n_real + synthetic)) ** 2 * shift_error


def optimal_mix_weight(
    spectrum,
    coef,
    shift,
    n_real,
    n_synthetic,
    *,
    noise_variance_real=0.0,
    noise_variance_synthetic=None,
):
    """Weight of synthetic rows and ridge that minimise the theoretical risk.

    Parameters
    ----------
    spectrum, coef, shift : array-like of shape (n_features,)
        As in `mix_risk`.
    n_real, n_synthetic : int
        Numbers of rows.
    noise_variance_real : float, default=0.0
        Variance of the label noise of real rows.
    noise_variance_synthetic : float, default=None
        Variance of the label noise of synthetic rows; None means that of the real rows.

    Returns
    -------
    optimum : Bunch
        With `weight` (between 0 and 1e4), `lam` (on the mean loss) and `risk` (a `MixRisk`).
    """
    problem = MixProblem.of(
        spectrum, coef, shift, n_real, n_synthetic, noise_variance_real, noise_variance_synthetic
    )
    scale = np.log(problem.spectrum.mean())
    lam_bounds = (scale - 20, scale + 10)
    real_only = minimize_scalar(
        lambda log_lam: _log_risk([log_lam, -np.inf], problem), bounds=lam_bounds, method="bounded"
    )
    best = (real_only.fun, real_only.x, -np.inf)
    for start in (0.01, 1.0):
        fit = minimize(
            _log_risk,
            [real_only.x, np.log(start)],
            args=(problem,),
            bounds=[lam_bounds, (np.log(1e-4), np.log(1e4))],
            method="Nelder-Mead",
            options={"xatol": 1e-4, "fatol": 1e-10, "maxiter": 400},
        )
        best = min(best, (fit.fun, *fit.x))
    lam, weight = np.exp(best[1:])
    bias, variance, zeta = weighted_risk(problem, lam, weight)
    risk = MixRisk(bias + variance + zeta, bias, variance, zeta)
    return Bunch(weight=float(weight), lam=float(lam), risk=risk)


def _log_risk(point, problem):
    lam, weight = np.exp(point)
    return np.log(sum(weighted_risk(problem, lam, weight)))


def iterative_mixing_risk(
    spectrum,
    coef,
    shift,
    n_real,
    n_synthetic,
    lam,
    n_rounds,
    *,
    weight=1.0,
    noise_variance_real=0.0,
    noise_variance_synthetic=None,
):
    """Excess risk of each round when the synthetic labels are redrawn from the last fit.

    Round 1 trains on the given synthetic source; every later round draws fresh rows of both groups
    and labels the synthetic ones with the model of the round before. Each round multiplies the
    shift by the (squared) synthetic share, so that the risk falls to a level set by the real rows
    within about log(n) / log(1 / share^2) rounds.

    Parameters
    ----------
    spectrum, coef, shift : array-like of shape (n_features,)
        As in `mix_risk`.
    n_real, n_synthetic : int
        Numbers of rows of each round.
    lam : float
        Ridge >= 0 on the mean loss.
    n_rounds : int
        Number of rounds, >= 1.
    weight : float, default=1.0
        Weight of a synthetic row.
    noise_variance_real : float, default=0.0
        Variance of the label noise of real rows.
    noise_variance_synthetic : float, default=None
        Variance of the label noise of synthetic rows; None means that of the real rows.

    Returns
    -------
    risks : ndarray of shape (n_rounds,)
        Excess risk after each round; the first is the total of `mix_risk`.

    References
    ----------
    The iteration is that of Dohmatob, Feng, Subramonian, Kempe, Strong Model Collapse, 2024; the
    recursion of first and second moments is derived here.
    """
    problem = MixProblem.of(
        spectrum, coef, shift, n_real, n_synthetic, noise_variance_real, noise_variance_synthetic
    )
    mixture = mixture_of(problem, float(check_lam(lam)), check_weight(weight))
    s, kappa = problem.spectrum, mixture.kappa
    mean_error, variance = np.zeros_like(s), problem.shift
    risks = []
    for _ in range(n_rounds):
        fit_error, fluctuation = fit_moments(problem, mixture, mean_error, variance)
        shrinkage = ratio(s, s + kappa)
        variance = (shrinkage * mixture.share_synthetic) ** 2 * variance
        variance = variance + fluctuation * ratio(s, (s + kappa) ** 2)
        mean_error = fit_error
        risks.append(np.sum(s * (mean_error**2 + variance)))
    return np.array(risks)


def iterated_label_weight(weight):
    """Stationary variance of least squares when each round relabels the same rows.

    Every round fits labels weight * (fresh real labels) + (1 - weight) * (labels drawn from the
    last fit), at the same inputs.

    Parameters
    ----------
    weight : float or array-like
        Weight of the fresh real labels, in (0, 1].

    Returns
    -------
    ratio : float or ndarray
        Stationary variance over the variance of least squares on the real labels alone:
        (w^2 + (1 - w)^2) / (w (2 - w)), which is 1 at weight 1.

    Raises
    ------
    ValueError
        If a weight is not in (0, 1]; at 0 the variance grows without bound.

    References
    ----------
    Garg, Bhattacharya, Sur, Preventing Model Collapse Under Overparametrization: Optimal Mixing
    Ratios for Interpolation Learning and Ridge Regression, 2025 (its setting and the golden ratio;
    the variance ratio is derived here).
    """
    w = np.asarray(weight, dtype=float)
    if np.any(w <= 0) or np.any(w > 1):
        raise ValueError("weight must be in (0, 1].")
    return ((w**2 + (1 - w) ** 2) / (w * (2 - w)))[()]


def golden_label_weight():
    """Weight of fresh real labels that minimises `iterated_label_weight`: the golden ratio.

    Returns
    -------
    weight : float
        (sqrt(5) - 1) / 2 = 0.618..., the root of w^2 + w - 1, at which the ratio is 0.618 too.

    References
    ----------
    Garg, Bhattacharya, Sur, Preventing Model Collapse Under Overparametrization: Optimal Mixing
    Ratios for Interpolation Learning and Ridge Regression, 2025.
    """
    return (np.sqrt(5) - 1) / 2
