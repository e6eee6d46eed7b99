"""Points of a frontier between clean error and dual norm that minimise a risk."""

import numpy as np
from scipy.optimize import brentq

from skparietal.solvers.monotone_root import monotone_root


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
    """Positions where the excess (s^2 minus the floor) falls to a value.

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
    return _locate(path, lambda x: path.errors(x)[0] ** 2 - path.loss.floor, targets)[0]


def _locate(path, function, targets):
    # Rounding must not break the order that the bracketing relies on.
    measured = function(path.knots)
    at_knots = np.minimum.accumulate(measured)
    right = np.searchsorted(-at_knots, -targets)
    inside = (right > 0) & (right < len(path.knots))
    position = np.where(right == 0, path.ends[0], path.ends[1])
    if not inside.any():
        return position, 1
    right, wanted = right[inside], targets[inside]
    if len(wanted) == 1 and measured[right[0]] <= wanted[0]:
        # Nearly half the time of a fit to a small table would go into arrays of one number.
        position[inside], report = brentq(
            lambda x: function(np.array([x]))[0] - wanted[0],
            path.knots[right[0] - 1],
            path.knots[right[0]],
            xtol=1e-300,
            rtol=1e-15,
            full_output=True,
        )
        return position, report.function_calls
    position[inside], n_iter = monotone_root(
        lambda x: function(x) - wanted,
        path.knots[right - 1],
        path.knots[right],
        at_knots[right - 1] - wanted,
        at_knots[right] - wanted,
    )
    return position, n_iter + 1
