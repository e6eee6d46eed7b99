"""Marginal likelihood of a shift between real and synthetic rows, and the average over it."""

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from skparietal.solvers.collapse.real_leave_one_out import explained_squares, ridge_path

# Ratio of the label noise variances; labels quieter than the lower end count as noise-free.
NOISE_RATIOS = (1e-6, 1e4)


class ShiftModel(NamedTuple):
    """How far the labels of the synthetic rows may lie from the real model, in units of real noise.

    Attributes
    ----------
    variance : ndarray of shape (n_features,)
        Variance of the synthetic least-squares fit along each eigenvector, times the scatter.
    mean_variance : float
        Variance of the synthetic mean of the targets.
    noise_ratio : float
        Label noise variance of synthetic over real rows.
    """

    variance: np.ndarray
    mean_variance: float
    noise_ratio: float

    @property
    def precision(self):  # numpydoc ignore=RT01
        """Weight of the synthetic rows along each eigenvector."""
        return 1 / self.variance

    @property
    def centre_weight(self):  # numpydoc ignore=RT01
        """Number of real rows that the synthetic mean is worth."""
        return 1 / self.mean_variance


def coefficient_shift(mixed, noise_ratio, ratio):
    """Shift of equal variance in every coefficient.

    Along an eigenvector with scatter g the synthetic rows then weigh 1 / (noise_ratio (1 + ratio g
    / g_mean)): the better they know a direction, the more the shift, not the noise, limits them.

    Parameters
    ----------
    mixed : MixedRows
        Both groups.
    noise_ratio : float
        Label noise variance of synthetic over real rows.
    ratio : float
        Shift over noise in the direction of the geometric mean of the scatter.

    Returns
    -------
    shift : ShiftModel
        The mean of the targets may shift by as much as the prediction of a typical row.
    """
    relative = mixed.scatter / _typical(mixed.scatter)
    mean_variance = noise_ratio / mixed.n_synthetic * (1 + ratio * relative.sum())
    return ShiftModel(noise_ratio * (1 + ratio * relative), mean_variance, noise_ratio)


def prediction_shift(mixed, noise_ratio, weight):
    """Shift in proportion to the inverse scatter, as sampling error of a least-squares generator.

    Then one weight serves all directions: the scalar weight of the synthetic rows.

    Parameters
    ----------
    mixed : MixedRows
        Both groups.
    noise_ratio : float
        Label noise variance of synthetic over real rows.
    weight : float
        Weight > 0 of a synthetic row.

    Returns
    -------
    shift : ShiftModel
        Of variance 1 / weight in every direction.
    """
    variance = np.full_like(mixed.scatter, 1 / weight)
    return ShiftModel(variance, 1 / (weight * mixed.n_synthetic), noise_ratio)


def _typical(scatter):
    positive = scatter[scatter > 0]
    return np.exp(np.mean(np.log(positive))) if positive.size else 1.0


class _Evidence:
    """Log marginal likelihood, the real noise variance profiled out, one per target and summed."""

    def __init__(self, mixed):
        self.mixed = mixed
        self.informed = mixed.scatter > 0
        with np.errstate(divide="ignore", invalid="ignore"):
            along = mixed.xy_synthetic**2 / mixed.scatter[:, None]
        self.along = np.where(self.informed[:, None], along, 0.0)
        rest = np.maximum(mixed.yy_synthetic - self.along.sum(axis=0), 0.0)
        n_rest = max(mixed.n_synthetic - mixed.centred - self.informed.sum(), 0.0)
        # Labels that are a linear function to rounding say nothing about the noise of real labels.
        label_scale = np.maximum(mixed.yy_real / mixed.n_real, np.finfo(float).tiny)
        self.noise_free = bool(n_rest > 0 and np.all(rest <= 1e-10 * n_rest * label_scale))
        self.rest, self.n_rest = (0.0, 0.0) if self.noise_free else (rest, n_rest)
        self.n_rows = mixed.n_real + self.informed.sum() + self.n_rest

    def of(self, shift, explained, log_det):
        """Evidence given the explained squares (..., n_targets) and the log determinant (...)."""
        mixed = self.mixed
        squares = mixed.yy_real + shift.precision @ self.along + self.rest / shift.noise_ratio
        squares = squares + mixed.between(shift.centre_weight) * mixed.gap_y**2
        # Constant targets leave nothing to explain: the floor keeps the logarithm finite.
        floor = np.finfo(float).tiny + np.finfo(float).eps * squares
        residual = np.maximum(squares - explained, floor)
        log_det = log_det + np.sum(np.log(shift.variance[self.informed]))
        log_det = log_det + self.n_rest * np.log(shift.noise_ratio)
        if mixed.centred:
            log_det = log_det + np.log(1 / mixed.n_real + shift.mean_variance)
        return -0.5 * np.sum(self.n_rows * np.log(residual) + log_det[..., None], axis=-1)

    def at(self, shift, alpha):
        """Evidence at one penalty."""
        explained, log_det = explained_squares(
            self.mixed, shift.precision, shift.centre_weight, alpha
        )
        return self.of(shift, explained, log_det - len(self.informed) * np.log(alpha))

    def loss(self, point):
        """Minus the evidence at logarithms of the noise ratio, the shift and the penalty."""
        noise_ratio, ratio, alpha = np.exp(point)
        return -self.at(coefficient_shift(self.mixed, noise_ratio, ratio), alpha)

    def along_path(self, shift, path, alphas):
        """Evidence at every penalty of a path."""
        log_det = path.log_det - len(self.informed) * np.log(alphas)
        return self.of(shift, path.explained, log_det)


def most_likely_shift(evidence, alphas):  # numpydoc ignore=PR01,RT01
    """Noise ratio and shift ratio of the largest evidence, the penalty being free."""
    noise_bounds = (NOISE_RATIOS[0],) * 2 if evidence.noise_free else NOISE_RATIOS
    # The shift ratio is in units of the synthetic noise: the quieter that is, the larger.
    bounds = np.log([noise_bounds, (1e-3, 1e12), (alphas[0], alphas[-1])])
    middle = np.log(alphas[len(alphas) // 2])
    starts = [
        np.clip((rho, ratio - rho, middle), *bounds.T)
        for rho in np.log([1e-4, 1e-2, 1e-1, 1.0, 10.0])
        for ratio in np.log([0.1, 3.0, 100.0])
    ]
    start = min(starts, key=evidence.loss)
    simplex = np.clip(np.vstack([start, start + np.diag([-1.5, 1.5, -2.0])]), *bounds.T)
    fit = minimize(
        evidence.loss,
        start,
        method="Nelder-Mead",
        bounds=bounds,
        options={"initial_simplex": simplex, "xatol": 0.05, "fatol": 0.02, "maxfev": 150},
    )
    return float(np.exp(fit.x[0])), float(np.exp(fit.x[1]))


class ShiftAverage(NamedTuple):
    """Average of ridge fits over what the shift may be.

    Attributes
    ----------
    coef : ndarray of shape (n_features, n_targets)
        Weighted mean of the candidates.
    offset : ndarray of shape (n_targets,)
        Prediction at the mean of the real rows minus the mean of their targets.
    weight : float
        Mean weight of the synthetic rows, over directions by their scatter and over candidates.
    alpha : float
        Geometric mean of the penalty.
    noise_ratio : float
        Estimated label noise variance of synthetic over real rows.
    """

    coef: np.ndarray
    offset: np.ndarray
    weight: float
    alpha: float
    noise_ratio: float


def _mass(evidence, candidates, alphas):
    """Normalised weights of the candidates, (n_candidates, n_alphas)."""
    loo = np.array([path.loo for _, path in candidates])
    room = np.array([path.room for _, path in candidates])
    log_mass = np.array([evidence.along_path(shift, path, alphas) for shift, path in candidates])
    # Where a fit interpolates to rounding, its leave-one-out error is 0/0.
    usable = room > 1e-6 if (room > 1e-6).any() else np.ones_like(room, dtype=bool)
    least = np.maximum(np.min(loo[usable], axis=0), np.finfo(float).tiny)
    log_mass -= evidence.mixed.n_real * np.sum(loo / least, axis=-1)
    log_mass = np.where(usable, log_mass, -np.inf)
    mass = np.exp(log_mass - log_mass.max())
    return mass / mass.sum()


def average_over_shifts(mixed, paths, weights, alphas):
    """Average ridge fits by evidence and leave-one-out error on the real rows.

    A candidate is a shift (equal in all coefficients, or a scalar weight) and a penalty. Its mass
    is its marginal likelihood under Gaussian coefficients, shift and noise, times exp(-n_real loo /
    loo_min): exponential weights on the leave-one-out error with the evidence as the prior. The
    first factor uses all rows and is sharp; the second assumes nothing about the shift and has the
    last word where it is not Gaussian (a few coefficients, shrunken labels).

    Parameters
    ----------
    mixed : MixedRows
        Both groups, at least one synthetic row.
    paths : list of RidgePath
        Fits of the scalar weights.
    weights : ndarray of shape (n_weights,)
        Scalar weights; 0 is reached by the limit of large shifts and skipped.
    alphas : ndarray of shape (n_alphas,)
        Penalties, ascending.

    Returns
    -------
    average : ShiftAverage
        The averaged fit.

    References
    ----------
    Leung, Barron, Information theory and mixing least-squares regressions, 2006 (exponential
    weights). The model of the shift and the combination are ours.
    """
    evidence = _Evidence(mixed)
    noise_ratio, ratio = most_likely_shift(evidence, alphas)
    # From a shift that is lost in the noise to synthetic rows that hardly count, about 2 a decade.
    largest = max(30 * ratio, 1e3 / min(noise_ratio, 1.0))
    ratios = np.r_[0.0, np.geomspace(max(0.03, ratio / 1e3), largest, 12)]
    shifts = [coefficient_shift(mixed, noise_ratio, ratio) for ratio in ratios]
    candidates = [
        (shift, ridge_path(mixed, shift.precision, shift.centre_weight, alphas)) for shift in shifts
    ]
    candidates += [
        (prediction_shift(mixed, noise_ratio, weight), path)
        for weight, path in zip(weights, paths)
        if weight > 0
    ]
    mass = _mass(evidence, candidates, alphas)
    total = max(mixed.scatter.sum(), np.finfo(float).tiny)
    mean_weight = [shift.precision @ mixed.scatter / total for shift, _ in candidates]
    return ShiftAverage(
        sum(np.tensordot(m, path.coef, 1) for m, (_, path) in zip(mass, candidates)),
        sum(m @ path.offset for m, (_, path) in zip(mass, candidates)),
        float(mass.sum(axis=1) @ mean_weight),
        float(np.exp(mass.sum(axis=0) @ np.log(alphas))),
        noise_ratio,
    )
