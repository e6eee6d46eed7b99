"""Frontier of a maximum-norm attack: the lasso path."""

import numpy as np

from skparietal.solvers.robustness.free_block import FreeBlock
from skparietal.solvers.robustness.piecewise_path import END, MAX_KNOTS, Knots, still_on_boundary


def lasso_path(loss, basis=None, *, until=None):
    """Lasso solutions of every penalty, by the homotopy of least-angle regression.

    Scikit-learn's `lars_path` drops columns for good near interpolation, where it then ends early;
    here a column that the others explain waits until one of them leaves.

    Parameters
    ----------
    loss : QuadraticLoss or RowLoss
        Clean error.
    basis : Eigenbasis, default=None
        Not used; the paths share one signature.
    until : GaussianRisk or SurrogateRisk, default=None
        Risk whose minimiser is wanted: the path ends soon after it.

    Returns
    -------
    path : PiecewisePath
        Its price is scikit-learn's Lasso alpha; its degrees of freedom are the numbers of nonzero
        coefficients.

    References
    ----------
    Osborne, Presnell, Turlach, A new approach to variable selection in least squares problems,
    2000. Efron, Hastie, Johnstone, Tibshirani, Least angle regression, 2004. Zou, Hastie,
    Tibshirani, On the degrees of freedom of the lasso, 2007.
    """
    pull, face = loss.correlation.copy(), FreeBlock(loss)
    coef, signs = np.zeros_like(pull), np.zeros_like(pull)
    price = np.max(np.abs(pull), initial=0.0)
    knots = Knots(loss, coef, price)
    waiting = np.zeros(len(pull), dtype=bool)
    entering, changed = True, -1
    following = int(np.argmax(np.abs(pull))) if price > 0 else -1
    for _ in range(MAX_KNOTS * len(pull)):
        if price == 0 or knots.passed(until):
            break
        if not entering:
            signs[following] = 0.0
            face.remove(following)
            waiting[:] = False
            changed = following
        elif face.add(following):
            signs[following], changed = np.sign(pull[following]), -1
        else:
            waiting[following] = True
        active, direction = face.members, np.zeros_like(pull)
        inside = face.solve(signs[active])
        direction[active] = inside
        moved = face.pulls(face.combine(inside))
        steps = _entering(pull, price, moved, waiting)
        steps[active] = _leaving(coef[active], signs[active], inside)
        if changed >= 0 and still_on_boundary(steps[changed], price):
            steps[changed] = np.inf
        following = int(np.argmin(steps))
        # With as many coefficients as rows all pulls vanish together: the end, not a knot.
        ended = not price - steps[following] > END * knots.prices[0]
        step = price if ended else steps[following]
        coef, price, pull = coef + step * direction, price - step, pull - step * moved
        pull[active] = price * signs[active]
        entering = signs[following] == 0
        if not entering and not ended:
            coef[following] = 0.0
        knots.append(coef, np.abs(coef).sum(), price, len(face), direction)
    return knots.path()


def _leaving(coef, signs, direction):
    """Fall of the price until a coefficient is back at zero."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(signs * direction < 0, -coef / direction, np.inf)


def _entering(pull, price, moved, waiting):
    """Fall of the price until a pull is as large as the price."""
    with np.errstate(divide="ignore", invalid="ignore"):
        up = np.where(moved < 1, (price - pull) / (1 - moved), np.inf)
        down = np.where(moved > -1, (price + pull) / (1 + moved), np.inf)
    return np.where(waiting, np.inf, np.maximum(np.minimum(up, down), 0.0))
