"""Empirical adversarial risk: the mean of (|residual| + r b)^2 over the training rows."""

from dataclasses import dataclass, replace

import numpy as np

from skparietal.solvers.robustness.admm import CHECK_EVERY, RELAXATION, RidgeSystem, balance
from skparietal.solvers.robustness.training_face import TrainingFaces


@dataclass(frozen=True, eq=False)
class TrainedPoint:  # numpydoc ignore=PR02
    """Minimiser of the empirical adversarial risk.

    Parameters
    ----------
    coef : ndarray of shape (n_features,)
        Coefficients.
    intercept : float
        Intercept.
    gap : float
        Duality gap relative to the risk.
    n_iter : int
        Iterations.
    solver : str
        Name of the method.
    """

    coef: np.ndarray
    intercept: float
    gap: float
    n_iter: int
    solver: str


def empirical_risk(X, y, weights, norm, radius, coef, intercept):
    """Weighted mean of the squared worst-case residual.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Rows.
    y : ndarray of shape (n_samples,)
        Targets.
    weights : ndarray of shape (n_samples,)
        Positive, of sum 1.
    norm : Norm
        Norm of the attack.
    radius : float
        Size of the attack.
    coef : ndarray of shape (n_features,)
        Coefficients.
    intercept : float
        Intercept.

    Returns
    -------
    risk : float
        In squared units of y.
    """
    residual = np.abs(y - X @ coef - intercept) + radius * norm.dual.norm(coef)
    return float(weights @ residual**2)


def minimize_empirical_risk(
    X, y, weights, norm, radius, *, start=None, fit_intercept=True, tol=1e-8, max_iter=20_000
):
    """Adversarial training of a linear predictor by the method of multipliers.

    Splits the residuals u = y - X w - b0 from the coefficients v = w, which meet in the size of the
    coefficients; both proximal steps sort once and solve one piecewise linear equation.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Rows.
    y : ndarray of shape (n_samples,)
        Targets.
    weights : ndarray of shape (n_samples,)
        Positive, of sum 1.
    norm : Norm
        Norm of the attack; its dual needs `project_epigraph`.
    radius : float
        Size of the attack.
    start : ndarray of shape (n_features,), default=None
        Coefficients to start from.
    fit_intercept : bool, default=True
        Whether an intercept is fitted; it is free of charge for the attack.
    tol : float, default=1e-8
        Relative duality gap at which to stop.
    max_iter : int, default=20000
        Iterations at the most.

    Returns
    -------
    point : TrainedPoint
        The point of the smallest gap seen.

    References
    ----------
    Ribeiro, Zachariah, Bach, Schon, Regularization properties of adversarially-trained linear
    regression, 2023 (the problem).
    """
    mean = X.mean(axis=0) if fit_intercept else np.zeros(X.shape[1])
    X = X - mean
    system, problem = RidgeSystem(X), (X, y, weights, norm, radius)
    faces = TrainingFaces(*problem, fit_intercept)
    w = np.zeros(X.shape[1]) if start is None else start
    center = y.mean() if fit_intercept else 0.0
    u, v, t = y - X @ w - center, w, norm.dual.norm(w)
    bound, size = t, t
    du, dv, dbound, dsize = np.zeros_like(u), np.zeros_like(v), 0.0, 0.0
    penalty = 2 * weights.mean()
    best = TrainedPoint(w, center, np.inf, 0, "admm")
    for n_iter in range(1, max_iter + 1):
        target = y - u + du
        center = target.mean() if fit_intercept else 0.0
        w, fw = system.solve(target - center, v + dv)
        t = (bound + dbound + size + dsize) / 2
        residual = _relax(y - fw - center, u)
        kept, t_bound, t_size = _relax(w, v), _relax(t, bound), _relax(t, size)
        old = u, v
        rho = penalty, penalty * system.kappa
        u, bound = _prox_risk(residual + du, t_bound - dbound, weights, radius, *rho)
        v, size = norm.dual.project_epigraph(kept - dv, t_size - dsize)
        du, dbound = du + residual - u, dbound + bound - t_bound
        dv, dsize = dv + v - kept, dsize + size - t_size
        if n_iter % CHECK_EVERY and n_iter != max_iter:
            continue
        best = _better(best, problem, (v, center, penalty * du), n_iter, fit_intercept)
        # Signs have hardly settled before the second look.
        if best.gap > tol and n_iter > CHECK_EVERY:
            best = _better(best, problem, faces.solve(u, v), n_iter, fit_intercept)
        if best.gap <= tol:
            break
        change = balance(residual - u, kept - v, u - old[0], v - old[1], system.kappa)
        penalty, du, dv = penalty * change, du / change, dv / change
        dbound, dsize = dbound / change, dsize / change
    return replace(best, intercept=float(best.intercept - mean @ best.coef))


def _better(best, problem, model, n_iter, fit_intercept):
    """The model (coefficients, intercept, multipliers) if its certificate beats the best one."""
    gap = np.inf if model is None else training_gap(*problem, *model, fit_intercept)
    if gap >= best.gap:
        return best
    return TrainedPoint(model[0], float(model[1]), gap, n_iter, "admm")


def interpolating_point(X, y, weights, norm, radius, coef, row, *, fit_intercept=True):
    """The least-norm interpolator as the minimiser that it is for small radii.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Centred rows.
    y : ndarray of shape (n_samples,)
        Centred targets.
    weights : ndarray of shape (n_samples,)
        Positive, of sum 1.
    norm : Norm
        Norm of the attack.
    radius : float
        Size of the attack.
    coef : ndarray of shape (n_features,)
        Interpolator of least dual norm.
    row : ndarray of shape (n_samples,)
        Its multipliers: X'row has the attack norm that it has at the coefficients.
    fit_intercept : bool, default=True
        Whether an intercept is fitted.

    Returns
    -------
    point : TrainedPoint
        Its gap tells whether the radius is small enough.

    References
    ----------
    Ribeiro, Zachariah, Bach, Schon, Regularization properties of adversarially-trained linear
    regression, 2023 (up to which radius adversarial training interpolates).
    """
    gap = training_gap(X, y, weights, norm, radius, coef, 0.0, row, fit_intercept)
    return TrainedPoint(coef, 0.0, gap, 1, "interpolation")


def training_gap(X, y, weights, norm, radius, coef, intercept, row, fit_intercept):
    """Relative duality gap of a model, proved by multipliers of the residuals.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Rows.
    y : ndarray of shape (n_samples,)
        Targets.
    weights : ndarray of shape (n_samples,)
        Positive, of sum 1.
    norm : Norm
        Norm of the attack.
    radius : float
        Size of the attack.
    coef : ndarray of shape (n_features,)
        Coefficients.
    intercept : float
        Intercept.
    row : ndarray of shape (n_samples,)
        Multipliers, of any length.
    fit_intercept : bool
        Whether the intercept is free, so that the multipliers have to sum to zero.

    Returns
    -------
    gap : float
        Relative to the empirical risk, >= 0.
    """
    value = empirical_risk(X, y, weights, norm, radius, coef, intercept)
    row = row - row.mean() if fit_intercept else row
    lower = _dual_value(row, y, norm.norm(X.T @ row), weights, radius)
    return max((value - lower) / value, 0.0) if value > 0 else 0.0


def _relax(new, old):
    return RELAXATION * new + (1 - RELAXATION) * old


def _prox_risk(p, c, weights, radius, rho, rho_bound):
    """Minimiser over (u, b >= 0) of the risk plus rho/2 |u - p|^2 + rho_bound/2 (b - c)^2."""
    magnitude = np.abs(p)
    # Residual i is 0 from b = breaks[i] on; the equation for b is linear between breaks.
    breaks = rho * magnitude / (2 * weights * radius)
    order = np.argsort(breaks)
    shrunk = 2 * weights * radius * rho / (rho + 2 * weights)
    constants = np.cumsum((shrunk * magnitude)[order][::-1])[::-1]
    slopes = np.cumsum((shrunk * radius)[order][::-1])[::-1]
    flat = np.append(0.0, np.cumsum(2 * weights[order] * radius**2))
    constants, slopes = np.append(constants, 0.0), np.append(slopes, 0.0) + flat
    candidates = (rho_bound * c - constants) / (slopes + rho_bound)
    piece = np.flatnonzero(candidates <= np.append(breaks[order], np.inf))[0]
    b = max(candidates[piece], 0.0)
    kept = np.maximum(rho * magnitude - 2 * weights * radius * b, 0) / (rho + 2 * weights)
    return np.sign(p) * kept, b


def _dual_value(row, y, attack, weights, radius):
    """Lower bound of the risk from a row g: (g'y)^2 / (4 conj(g)), conj of degree two in g.

    conj(g) = sup over b >= 0 and m_i >= r b of b v + sum(|g_i| m_i - weight_i m_i^2) - r b sum|g_i|
    with v the attack norm of X'g; its b solves v = r sum max(|g_i|, 2 weight_i r b).
    """
    magnitude = np.abs(row)
    breaks = magnitude / (2 * weights * radius)
    order = np.argsort(breaks)
    rising = np.append(0.0, np.cumsum(2 * weights[order] * radius**2))
    steady = np.append(np.cumsum((radius * magnitude)[order][::-1])[::-1], 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        candidates = (attack - steady) / rising
    b = max(candidates[np.flatnonzero(candidates <= np.append(breaks[order], np.inf))[0]], 0.0)
    m = np.maximum(magnitude / (2 * weights), radius * b)
    conjugate = b * (attack - radius * magnitude.sum()) + np.sum(magnitude * m - weights * m**2)
    return (row @ y) ** 2 / (4 * conjugate) if conjugate > 0 else 0.0
