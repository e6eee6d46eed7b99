"""Frontier of an l1 attack: least squares in a box that grows from zero."""

import numpy as np

from skparietal.solvers.robustness.free_block import FreeBlock
from skparietal.solvers.robustness.piecewise_path import END, MAX_KNOTS, Knots, still_on_boundary


def box_path(loss, basis=None, *, until=None):
    """Least-squares solutions with absolute coefficients at most t, for every t.

    Coefficients sit on the box ("held") or move inside it ("free"); with the partition fixed they
    are linear in t, and the next change of the partition is the next knot.

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
        Its price is the sum of the absolute pulls; its degrees of freedom are the number of free
        coefficients plus one.

    References
    ----------
    The homotopy is that of Osborne, Presnell, Turlach (On the LASSO and its dual, 2000) for the
    dual norm. Vaiter, Deledalle, Fadili, Peyre, Dossal, The degrees of freedom of partly smooth
    regularizers, 2017.
    """
    pull, face = loss.correlation.copy(), FreeBlock(loss)
    # Columns of zeros never leave zero.
    signs = np.where(face.sizes > 0, np.where(pull >= 0, 1.0, -1.0), 0.0)
    coef, bound, price = np.zeros_like(pull), 0.0, np.abs(pull).sum()
    held = signs @ face.atoms
    knots = Knots(loss, coef, price)
    waiting = np.zeros(len(pull), dtype=bool)
    changed = -1
    for _ in range(MAX_KNOTS * len(pull)):
        if price == 0 or knots.passed(until):
            break
        free, direction = face.members, signs.copy()
        inside = -face.solve(face.on_members(held))
        direction[free] = inside
        moved = face.pulls(held + face.combine(inside))
        curvature = signs @ moved
        steps = _release(pull, signs, moved, waiting)
        steps[free] = _meet(coef[free], bound, inside)
        if changed >= 0 and still_on_boundary(steps[changed], bound):
            steps[changed] = np.inf
        changed = int(np.argmin(steps))
        # With as many free coefficients as rows all pulls vanish together: the end, not a knot.
        ended = not price - steps[changed] * curvature > END * knots.prices[0]
        if ended and not curvature > 0:
            break
        step = price / curvature if ended else steps[changed]
        coef, bound, pull = coef + step * direction, bound + step, pull - step * moved
        pull[free] = 0.0
        price = 0.0 if ended else max(signs @ pull, 0.0)
        knots.append(coef, bound, price, len(face) + 1, direction)
        if not signs[changed]:
            signs[changed] = np.sign(coef[changed])
            coef[changed] = bound * signs[changed]
            held = held + signs[changed] * face.atoms[changed]
            face.remove(changed)
            waiting[:] = False
        elif face.add(changed):
            held = held - signs[changed] * face.atoms[changed]
            signs[changed] = pull[changed] = 0.0
        else:
            waiting[changed], changed = True, -1
    return knots.path()


def _release(pull, signs, moved, waiting):
    """Growth of the box until a pull that holds a coefficient on it is zero."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((signs * moved > 0) & ~waiting, np.maximum(pull / moved, 0.0), np.inf)


def _meet(coef, bound, direction):
    """Growth of the box until it meets a coefficient inside."""
    with np.errstate(divide="ignore", invalid="ignore"):
        up = np.where(direction > 1, (bound - coef) / (direction - 1), np.inf)
        down = np.where(direction < -1, (bound + coef) / (-direction - 1), np.inf)
    return np.minimum(up, down)
