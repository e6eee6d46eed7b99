"""Points of the frontier between clean error and dual norm, and the proof that they are on it."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from skparietal.solvers.robustness.monotone_root import monotone_root


@dataclass(frozen=True, eq=False)
class FrontierPoint:  # numpydoc ignore=PR02
    """A point of the frontier between clean error and dual norm, with its certificate.

    Parameters
    ----------
    coef : ndarray of shape (n_features,)
        Coefficients.
    clean : float
        Root mean squared error s.
    dual : float
        Dual norm b of the coefficients.
    gap : float
        Duality gap relative to the objective, for the problem that the point solves.
    multiplier : float
        Price of the norm: minus the derivative of s^2 / 2 in b along the frontier.
    n_iter : int
        Iterations, knots or root-finding steps.
    solver : str
        Name of the method that found it.
    limit : tuple or None
        As given to `frontier_point`.
    """

    coef: np.ndarray
    clean: float
    dual: float
    gap: float
    multiplier: float
    n_iter: int = 1
    solver: str = ""
    limit: tuple | None = None


def frontier_point(loss, norm, risk, coef, *, limit=None, **facts):
    """Coefficients as a frontier point, with the duality gap of a risk there.

    The lower bound: the risk is convex and increasing in (s, b), so it is above its tangent plane
    at the point, where s(v) >= z'(center - v) + sqrt(floor (1 - z'S^-1 z)) for every z with
    z'S^-1 z <= 1, and b(v) >= z'v / t for every z of attack norm t. The z used is the pull over s,
    shrunk until both hold.

    Parameters
    ----------
    loss : QuadraticLoss or RowLoss
        Clean error.
    norm : Norm
        Norm of the attack.
    risk : GaussianRisk or SurrogateRisk
        Objective, with one radius.
    coef : ndarray of shape (n_features,)
        Coefficients.
    limit : (ndarray of shape (n_features,), float, float), default=None
        Another z with its z'S^-1 z and z'center, from the solver's dual variables or the end of a
        path; needed where s is 0 at the coefficients, so that the pull over s is undefined.
    **facts
        Further fields of the point.

    Returns
    -------
    point : FrontierPoint
        With gap relative to the risk.
    """
    pull, excess = loss.pull(coef)
    clean, dual = np.sqrt(excess + loss.floor), norm.dual.norm(coef)
    price, value = norm.norm(pull), risk.value(clean, dual)
    slopes = risk.slopes(clean, dual)
    bounds = [slopes[0] * clean + slopes[1] * dual, 0.0]
    if clean > 0:
        reach = (pull @ coef + excess) / clean
        bounds[1] = slopes[0] * _bound(loss, slopes, price / clean, excess / clean**2, reach)
    if limit is not None:
        z, square, reach = limit
        bounds.append(slopes[0] * _bound(loss, slopes, norm.norm(z), square, reach))
    gap = (bounds[0] - max(bounds[1:])) / value if value > 0 else 0.0
    return FrontierPoint(
        coef, float(clean), float(dual), float(max(gap, 0.0)), float(price), limit=limit, **facts
    )


def _bound(loss, slopes, attack, square, reach):
    """Least value of s + (J_b / J_s) b that a vector z of this attack norm proves."""
    if attack > 0 and slopes[1] == 0:
        return 0.0
    limits = np.sqrt(square), attack * slopes[0] / slopes[1] if attack > 0 else 0.0
    shrink = 1 / max(1.0, *limits)
    noise = loss.floor * max(1 - shrink**2 * square, 0.0)
    return shrink * reach + np.sqrt(noise)


def locate_radius(path, risk):
    """Positions of the minimisers of a risk, one per radius.

    The attack size for which a point is optimal falls along the path, from the collapse radius at
    zero: one root per radius.

    Parameters
    ----------
    path : RidgePath or PiecewisePath
        Frontier.
    risk : GaussianRisk or SurrogateRisk
        With an array of radii >= 0.

    Returns
    -------
    position : ndarray of shape (n_radii,)
        Ends of the path included.
    n_iter : int
        Evaluations of the path.
    """
    return _locate(path, lambda x: risk.optimal_radius(*path.errors(x)), risk.radius)


def locate_excess(path, excess):
    """Positions where the excess (s^2 minus its least value) falls to a value.

    Parameters
    ----------
    path : RidgePath or PiecewisePath
        Frontier.
    excess : ndarray of shape (n,)
        Squared units of y.

    Returns
    -------
    position : ndarray of shape (n,)
        Ends of the path included.
    """
    targets = np.asarray(excess, dtype=float)
    return _locate(path, lambda x: path.errors(x)[0] ** 2 - path.least, targets)[0]


def _locate(path, function, targets):
    # Rounding must not break the order that the bracketing relies on.
    at_knots = np.minimum.accumulate(function(path.knots))
    right = np.searchsorted(-at_knots, -targets)
    inside = (right > 0) & (right < len(path.knots))
    position = np.where(right == 0, path.ends[0], path.ends[1])
    if not inside.any():
        return position, 1
    right, wanted = right[inside], targets[inside]
    if len(wanted) == 1:
        # Nearly half the time of a fit to a small table would go into arrays of one number.
        ends = path.knots[right[0] - 1], path.knots[right[0]]
        position[inside], n_iter = _scalar_root(lambda x: function(x) - wanted[0], *ends)
        return position, n_iter + 1
    position[inside], n_iter = monotone_root(
        lambda x: function(x) - wanted,
        path.knots[right - 1],
        path.knots[right],
        at_knots[right - 1] - wanted,
        at_knots[right] - wanted,
    )
    return position, n_iter + 1


def _scalar_root(function, low, high):
    """Root of a falling function; the end where rounding has taken the change of sign."""
    if function(low) <= 0:
        return low, 1
    if function(high) >= 0:
        return high, 2
    root, report = brentq(function, low, high, xtol=1e-300, rtol=1e-12, full_output=True)
    return root, report.function_calls + 2
