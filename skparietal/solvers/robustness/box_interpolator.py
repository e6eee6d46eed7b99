"""Interpolator of least largest coefficient, along the edges of the dual polyhedron."""

import numpy as np
from numpy.linalg import LinAlgError
from scipy.linalg.blas import dger
from scipy.linalg.lapack import dpstrf, sposv

# Reweighted least squares before the first vertex, and how their smoothing shrinks; each costs as
# much as ten edges.
N_GUESSES, SHARPER = 10, 0.5

# Edges per row before giving up, and rounding of a coefficient against the size of the box.
MAX_EDGES, ROUNDING = 20, 1e-10


def interpolate_in_box(loss):
    """Coefficients w of least max|w| with R w = target, for more features than rows.

    Its dual is the least-absolute-deviations fit that minimises sum|R'u| over target'u = 1. A
    vertex of it has as many zeros in R'u as there are free coefficients. From a free coefficient
    outside the box an edge leads to a better vertex; as many columns change sides on the way as
    pay, so that there are far fewer edges than knots of the box path.

    Parameters
    ----------
    loss : RowLoss
        Clean error without a floor.

    Returns
    -------
    coef : ndarray of shape (n_features,) or None
        None where the vertices are degenerate, or all rows are multiples of one.
    limit : (ndarray of shape (n_features,), float, float) or None
        Certificate, as `frontier_point` takes it.
    n_iter : int
        Edges followed.

    References
    ----------
    Barrodale, Roberts, An improved algorithm for discrete l1 linear approximation, 1973.
    """
    failed = None, None, 0
    chosen = _independent_rows(loss.root)
    rows, target = loss.root[chosen], loss.target[chosen]
    if len(chosen) < 2:
        return failed
    try:
        vertex = _Vertex(rows, target, _guess(rows, target))
        for n_iter in range(MAX_EDGES * len(rows)):
            if not vertex.improve():
                return *vertex.solution(loss), n_iter
    except LinAlgError:
        pass
    return failed


class _Vertex:
    """Free and held columns, and the inverse of [free columns, sum of signed held columns]."""

    def __init__(self, rows, target, guess):
        self.rows, self.target, self.columns = rows, target, np.ascontiguousarray(rows.T)
        sizes = np.abs(guess) / np.linalg.norm(self.columns, axis=1)
        self.free = np.argsort(sizes)[: len(rows) - 1]
        self.signs = np.sign(guess)
        self.signs[self.free] = 0.0
        self.held = rows @ self.signs
        self.inverse = np.asfortranarray(np.linalg.inv(self._matrix(rows)))

    def _matrix(self, rows):
        return np.column_stack([rows[:, self.free], rows @ self.signs])

    def improve(self):
        """Move along one edge; False where every free coefficient is inside the box."""
        *inside, bound = self.inverse @ self.target
        leaving = int(np.argmax(np.abs(inside)))
        size, sign = abs(inside[leaving]), np.sign(inside[leaving])
        if size <= bound * (1 + ROUNDING):
            return False
        values, slopes = self.inverse[[-1, leaving]] @ self.rows
        slopes *= sign
        crossing = np.flatnonzero(self.signs * slopes < 0)
        at = np.maximum(-values[crossing] / slopes[crossing], 0.0)
        order = np.argsort(at)
        crossing, kinks = crossing[order], 2 * np.abs(slopes[crossing[order]])
        # target'u over sum|R'u| is (bound + size x) / (rest + growth x), and grows until here.
        growth, rest = 1 + np.cumsum(kinks), 1 - np.cumsum(kinks * at[order])
        ends = size * rest <= bound * growth
        if not ends.any():
            raise LinAlgError("The edge has no end: rounding has the upper hand.")
        last = int(np.argmax(ends))
        self._exchange(leaving, crossing[last], sign, crossing[:last])
        return True

    def _exchange(self, leaving, entering, sign, passed):
        changed = np.append(passed, (self.free[leaving], entering))
        before = self.signs[changed]
        self.signs[passed] *= -1
        self.signs[self.free[leaving]], self.signs[entering] = sign, 0.0
        self.held = self.held + (self.signs[changed] - before) @ self.columns[changed]
        self.free[leaving] = entering
        self._replace(leaving, self.columns[entering])
        self._replace(len(self.rows) - 1, self.held)

    def _replace(self, k, column):
        """Inverse after column k has become another one."""
        image = self.inverse @ column
        pivot, image[k] = image[k], image[k] - 1
        if abs(pivot) < ROUNDING:
            raise LinAlgError("The new column is a combination of the others.")
        self.inverse = dger(
            -1 / pivot, image, self.inverse[k].copy(), a=self.inverse, overwrite_a=1
        )

    def solution(self, loss):
        """Coefficients and certificate, from a fresh factorisation."""
        *inside, bound = np.linalg.solve(self._matrix(self.rows), self.target)
        coef = bound * self.signs
        coef[self.free] = inside
        matrix = self._matrix(loss.root)
        last = np.zeros(len(inside) + 1)
        last[-1] = 1.0
        multipliers = np.linalg.solve(matrix.T @ matrix, last)
        # The least-norm row u with R'u zero on the free columns; its square is its last multiplier.
        row = matrix @ multipliers / np.sqrt(multipliers[-1])
        return coef, (row @ loss.root, 1.0, row @ loss.target)


def _independent_rows(rows):
    """Rows that span the others, by a Cholesky factorisation with pivots."""
    outer = rows @ rows.T
    tolerance = 1e-12 * np.max(np.diagonal(outer))
    _, pivots, rank, _ = dpstrf(outer, tol=tolerance)
    return np.sort(pivots[:rank] - 1)


def _guess(rows, target):
    """R'u of a smoothed least-absolute-deviations fit, in single precision: a place to start."""
    rows, target = rows.astype(np.float32), target.astype(np.float32)
    weights = np.ones(rows.shape[1], dtype=np.float32)
    for sharpness in range(N_GUESSES + 1):
        weighted = rows * np.sqrt(weights)
        _, u, failed = sposv(weighted @ weighted.T, target)
        if failed:
            raise LinAlgError("The rows are too nearly dependent.")
        values = u @ rows
        size = np.abs(values)
        smoothing = np.partition(size, len(rows))[len(rows)] * SHARPER**sharpness
        weights = size.max() / np.sqrt(size**2 + smoothing**2)
    return values.astype(float)
