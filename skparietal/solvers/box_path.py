"""Frontier of an l1 attack: least squares in a box that grows from zero."""

import numpy as np

from skparietal.solvers.piecewise_path import PiecewisePath

# Bordering the inverse loses digits slowly: it is computed afresh after this many changes, and when
# a new column is nearly a combination of the others.
REFRESH = 40
NEARLY_DEPENDENT = 1e-4
DEPENDENT = 1e-11

# Relative distance below which two changes happen together.
TIE = 1e-9


def box_path(loss, basis=None, *, max_knots=None):
    """Least-squares solutions with absolute coefficients at most t, for every t.

    Coefficients sit on the box ("held") or move inside it ("free"); with the partition fixed they
    are linear in t, and the next change of the partition is the next knot.

    Parameters
    ----------
    loss : QuadraticLoss
        Clean error.
    basis : Eigenbasis, default=None
        Not used; the paths share one signature.
    max_knots : int, default=None
        Where to give up; 20 times the number of features by default.

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
    d = len(loss.center)
    signs = _start(loss)
    coef, bound = np.zeros(d), 0.0
    pull = loss.correlation.copy()
    face = _FreeBlock(loss)
    knots, bounds, prices, df = [coef], [0.0], [np.abs(pull).sum()], [0]
    changed = -1
    rank = d if loss.factor is None else len(loss.factor)
    for _ in range(20 * d if max_knots is None else max_knots):
        if prices[-1] <= 1e-11 * prices[0] or len(face.free) == rank:
            break
        direction = face.direction(signs)
        moved = loss.multiply(direction)
        step, changed = _next_change(coef, bound, pull, signs, direction, moved, changed)
        df.append(len(face.free) + 1)
        coef, bound, pull = coef + step * direction, bound + step, pull - step * moved
        pull[face.free] = 0.0
        knots.append(coef)
        bounds.append(bound)
        prices.append(max(signs @ pull, 0.0))
        if changed < 0:
            break
        if signs[changed]:
            signs[changed] = 0.0
            if not face.add(changed):
                break
        else:
            signs[changed] = np.sign(coef[changed])
            face.remove(changed)
    return PiecewisePath(loss, np.array(knots), *map(np.array, (bounds, prices, df)))


def _start(loss):
    """Signs of the coefficients as they leave zero; 0 for columns of zeros, which never do."""
    rows = loss.factor if loss.gram is None else None
    size = np.diagonal(loss.gram) if rows is None else np.einsum("ij,ij->j", rows, rows)
    return np.where(size > 0, np.where(loss.correlation >= 0, 1.0, -1.0), 0.0)


def _next_change(coef, bound, pull, signs, direction, moved, changed):
    """Growth of the box until a coefficient leaves or meets it, or the price of the box is zero."""
    with np.errstate(divide="ignore", invalid="ignore"):
        release = np.where((signs != 0) & (signs * moved > 0), pull / moved, np.inf)
        meet_up = np.where((signs == 0) & (direction > 1), (bound - coef) / (direction - 1), np.inf)
        meet_down = np.where(
            (signs == 0) & (direction < -1), (bound + coef) / (-direction - 1), np.inf
        )
    steps = np.minimum(release, np.minimum(meet_up, meet_down))
    # What has just changed sits on its boundary by construction.
    if changed >= 0 and abs(steps[changed]) < 1e-12 * max(bound, 1e-300):
        steps[changed] = np.inf
    following = int(np.argmin(steps))
    curvature = signs @ moved
    last = (signs @ pull) / curvature if curvature > 0 else np.inf
    # With as many free coefficients as rows all pulls vanish together: that is the end, not a knot.
    if last <= steps[following] * (1 + TIE) or not np.isfinite(steps[following]):
        return (last if np.isfinite(last) else 0.0), -1
    return max(steps[following], 0.0), following


class _FreeBlock:
    """Inverse of the block of S that belongs to the free coefficients, changed one at a time."""

    def __init__(self, loss):
        self.loss, self.free = loss, []
        self.inverse = np.zeros((0, 0))
        self.changes = 0

    def block(self, rows, columns):
        if self.loss.factor is None:
            return self.loss.gram[np.ix_(rows, columns)]
        return self.loss.factor[:, rows].T @ self.loss.factor[:, columns]

    def direction(self, signs):
        """Velocity of all coefficients when the box grows at unit speed."""
        direction = signs.copy()
        if self.free:
            direction[self.free] = -(self.inverse @ self.loss.multiply(signs)[self.free])
        return direction

    def add(self, j):
        """Free one coefficient; False if its column is a combination of the free ones."""
        border = self.block(self.free, [j])[:, 0]
        solved = self.inverse @ border
        size = self.block([j], [j])[0, 0]
        rest = size - border @ solved
        if rest <= DEPENDENT * size:
            return False
        extended = np.append(solved, -1.0)
        k = len(self.free)
        grown = np.zeros((k + 1, k + 1))
        grown[:k, :k] = self.inverse
        self.inverse = grown + np.outer(extended, extended) / rest
        self.free.append(j)
        self._refresh(rest < NEARLY_DEPENDENT * size)
        return True

    def remove(self, j):
        i = self.free.index(j)
        keep = np.arange(len(self.free)) != i
        column = self.inverse[keep, i]
        self.inverse = self.inverse[np.ix_(keep, keep)] - np.outer(
            column, column / self.inverse[i, i]
        )
        self.free.pop(i)
        self._refresh()

    def _refresh(self, now=False):
        self.changes += 1
        if self.free and (now or self.changes % REFRESH == 0):
            self.inverse = np.linalg.pinv(self.block(self.free, self.free), hermitian=True)
