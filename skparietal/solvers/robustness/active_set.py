"""Minimisers under maximum-norm and l1 attacks by guessing the face and solving on it.

On a face of the dual ball the minimiser is known up to one number, which a scalar equation gives.
The face is then corrected by the signs of coefficients and multipliers until it reproduces itself.
Fast, exact when it ends, and not certain to end: callers fall back on a path.
"""

from dataclasses import dataclass

import numpy as np
from numpy.linalg import LinAlgError
from scipy.linalg.lapack import dposv
from scipy.optimize import brentq

MAX_FACES = 60

# Pulls and steps below this share of the largest one are rounding.
ROUNDING = 1e-13


@dataclass(frozen=True, eq=False)
class _Face:
    """Least squares on a face, as a function of one number x in [0, end].

    coef = start + x direction, s^2 = rest + curvature (x - lowest)^2; dual norm and price are
    linear in x, given as (value at 0, slope).
    """

    start: np.ndarray
    direction: np.ndarray
    curvature: float
    lowest: float
    rest: float
    dual: tuple
    price: tuple
    end: float

    def slope(self, x, risk):
        """Derivative of the risk in the dual norm along the face, times s; negated."""
        clean = np.sqrt(self.rest + self.curvature * (x - self.lowest) ** 2)
        clean_slope, dual_slope = risk.slopes(clean, self.dual[0] + x * self.dual[1])
        return (self.price[0] + x * self.price[1]) * clean_slope - clean * dual_slope

    def minimize(self, risk):
        """The best x; an end of the interval where the slope does not change sign."""
        at_start, at_end = self.slope(0.0, risk), self.slope(self.end, risk)
        if at_start * at_end < 0:
            return brentq(self.slope, 0.0, self.end, args=(risk,), xtol=1e-300, rtol=1e-13)
        # A positive slope asks for a larger dual norm.
        return self.end if (at_start > 0 or at_end > 0) == (self.dual[1] > 0) else 0.0


def minimize_lasso_face(loss, risk):
    """Minimiser when the dual norm is the sum of absolute coefficients.

    Parameters
    ----------
    loss : QuadraticLoss or RowLoss
        Clean error.
    risk : GaussianRisk or SurrogateRisk
        Objective, with one radius.

    Returns
    -------
    coef : ndarray of shape (n_features,) or None
        None when no face reproduced itself.
    n_iter : int
        Faces tried.
    """
    return _pivot(loss, risk, np.sign(loss.center), _lasso_face, _correct_lasso)


def minimize_box_face(loss, risk):
    """Minimiser when the dual norm is the largest absolute coefficient.

    Parameters
    ----------
    loss : QuadraticLoss or RowLoss
        Clean error.
    risk : GaussianRisk or SurrogateRisk
        Objective, with one radius.

    Returns
    -------
    coef : ndarray of shape (n_features,) or None
        None when no face reproduced itself.
    n_iter : int
        Faces tried.
    """
    size = np.abs(loss.center)
    signs = np.where(size > 0.5 * size.max(), np.sign(loss.center), 0.0)
    return _pivot(loss, risk, signs, _box_face, _correct_box)


def _pivot(loss, risk, signs, make_face, correct):
    for n_iter in range(1, MAX_FACES + 1):
        try:
            face = make_face(loss, signs)
        except LinAlgError:
            break
        if face is None:
            break
        x = face.minimize(risk)
        coef, price = face.start + x * face.direction, face.price[0] + x * face.price[1]
        corrected = correct(loss, signs, coef, price, face.dual[0] + x * face.dual[1])
        if np.array_equal(corrected, signs):
            return coef, n_iter
        signs = corrected
    return None, MAX_FACES


def _lasso_face(loss, signs):
    """Nonzero coefficients and their signs are given; x is the penalty."""
    face = np.flatnonzero(signs)
    if len(face) == 0:
        return None
    right = np.column_stack([loss.correlation[face], signs[face]])
    solved = _solve(loss, face, right)
    start, direction = np.zeros_like(signs), np.zeros_like(signs)
    start[face], direction[face] = solved[:, 0], -solved[:, 1]
    curvature, length = signs[face] @ solved[:, 1], signs[face] @ solved[:, 0]
    rest = loss.pull(start)[1] + loss.floor
    end = max(length / curvature, 0.0)
    return _Face(start, direction, curvature, 0.0, rest, (length, -curvature), (0.0, 1.0), end)


def _correct_lasso(loss, signs, coef, price, dual):
    pull = loss.pull(coef)[0]
    kept = np.where(signs * coef > 0, signs, 0.0)
    rounding = ROUNDING * np.max(np.abs(loss.correlation))
    entering = (signs == 0) & (np.abs(pull) > price + rounding)
    return np.where(entering, np.sign(pull), kept)


def _box_face(loss, signs):
    """Coefficients that sit on the box and their signs are given; x is the size of the box."""
    free, held = np.flatnonzero(signs == 0), np.flatnonzero(signs)
    if len(held) == 0:
        return None
    start, direction = np.zeros_like(signs), signs.copy()
    if len(free):
        toward = loss.multiply(signs)[free]
        solved = _solve(loss, free, np.column_stack([loss.correlation[free], toward]))
        start[free], direction[free] = solved[:, 0], -solved[:, 1]
    curvature = signs @ loss.multiply(direction)
    price = signs @ (loss.correlation - loss.multiply(start))
    if price <= 0:
        return None
    end = price / curvature
    rest = loss.pull(start + end * direction)[1] + loss.floor
    return _Face(start, direction, curvature, end, rest, (0.0, 1.0), (price, -curvature), end)


def _correct_box(loss, signs, coef, price, dual):
    pull = loss.pull(coef)[0]
    rounding = ROUNDING * np.max(np.abs(loss.correlation))
    kept = np.where(signs * pull > -rounding, signs, 0.0)
    meeting = (signs == 0) & (np.abs(coef) > dual * (1 + 1e-10))
    return np.where(meeting, np.sign(coef), kept)


def _solve(loss, block, right):
    _, solution, failed = dposv(loss.block(block), right)
    if failed:
        raise LinAlgError("The columns of the face are collinear.")
    return solution
