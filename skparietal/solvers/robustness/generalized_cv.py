"""Point of a frontier with the least risk when its clean error is estimated by generalised CV."""

from dataclasses import replace
from functools import partial

import numpy as np

# Largest share of n degrees of freedom; the smaller one where knots may lead to interpolation.
CAP, WIDE_CAP = 0.9, 0.6

ZOOM = np.linspace(-1, 1, 17)
N_ZOOMS = 4


def locate_gcv(path, risk, n_samples, *, intercept=True, cap=None):
    """Positions that minimise the risk of (s / (1 - df / n), b), one per radius.

    The training error s flatters a flexible predictor; dividing by 1 - df/n undoes it, as in
    generalised cross-validation (squared: s^2 / (1 - df/n)^2).

    Parameters
    ----------
    path : RidgePath or PiecewisePath
        Frontier of the training error.
    risk : GaussianRisk or SurrogateRisk
        With an array of radii >= 0.
    n_samples : float
        Sum of the sample weights.
    intercept : bool, default=True
        Whether one more degree of freedom went into the intercept.
    cap : float, default=None
        Points with more than this share of n degrees of freedom are left out: at interpolation the
        estimate is 0/0. Zero is never left out. None is .9, and .6 for a path with knots whose end
        interpolates: near it the estimate is the smaller the better the knots fit the noise.

    Returns
    -------
    position : ndarray of shape (n_radii,)
        On the path.

    References
    ----------
    Golub, Heath, Wahba, Generalized cross-validation as a method for choosing a good ridge
    parameter, 1979; its use for the adversarial risk is ours.
    """
    radii = np.asarray(risk.radius, dtype=float)
    if cap is None:
        interpolates = len(path.loss.center) + intercept >= n_samples
        cap = WIDE_CAP if interpolates and not path.smooth else CAP
    score = partial(_score, path, replace(risk, radius=radii[:, None]), n_samples, intercept, cap)
    scan = np.broadcast_to(path.scan, (len(radii), len(path.scan)))
    best = np.argmin(score(scan), axis=1)
    position = path.scan[best]
    inside = np.isfinite(position) & (best > 0) & (best < len(path.scan) - 1)
    width = np.where(inside, path.scan[-1] - path.scan[-2] if len(path.scan) > 1 else 0.0, 0.0)
    for _ in range(N_ZOOMS):
        around = position[:, None] + width[:, None] * ZOOM
        position = around[np.arange(len(radii)), np.argmin(score(around), axis=1)]
        width = width / 8
    return _vertex(position, width, score)


def _score(path, risk, n_samples, intercept, cap, position):
    """Estimated risk at an array of positions, one row per radius."""
    shape, flat = position.shape, position.ravel()
    clean, dual, _ = (v.reshape(shape) for v in path.errors(flat))
    left = remaining_share(path, flat, n_samples, intercept).reshape(shape)
    kept = (left >= 1 - cap) | (position <= path.ends[0])
    return np.where(kept, risk.value(clean / left, dual), np.inf)


def remaining_share(path, position, n_samples, intercept):
    """Share 1 - df / n of the rows that is left after the degrees of freedom.

    Parameters
    ----------
    path : RidgePath or PiecewisePath
        Frontier of the training error.
    position : ndarray of shape (n,)
        On the path.
    n_samples : float
        Sum of the sample weights.
    intercept : bool
        Whether one more degree of freedom went into the intercept.

    Returns
    -------
    share : ndarray of shape (n,)
        Positive: cut at rounding, and 1 where nothing but an intercept was fitted to one row.
    """
    df = path.degrees_of_freedom(position) + (intercept and n_samples > 1)
    return np.maximum(1 - df / n_samples, np.finfo(float).eps)


def _vertex(position, width, score):
    """Vertex of the parabola through three neighbours: a continuous function of the data."""
    left, middle, right = score(position[:, None] + width[:, None] * np.array([-1.0, 0.0, 1.0])).T
    with np.errstate(invalid="ignore", divide="ignore"):
        shift = 0.5 * (left - right) / (left - 2 * middle + right)
    usable = np.isfinite(shift) & (np.abs(shift) <= 1) & (width > 0)
    return position + np.where(usable, shift, 0.0) * width
