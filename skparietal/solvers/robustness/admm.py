"""Any attack norm with a projection, by the alternating direction method of multipliers."""

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from skparietal.solvers.robustness.frontier import frontier_point

RELAXATION = 1.7
CHECK_EVERY = 20


class RidgeSystem:
    """Solutions of min |F w - a|^2 + kappa |w - b|^2, from one factorisation.

    Parameters
    ----------
    factor : ndarray of shape (n_rows, n_features)
        F. With fewer rows than columns the system of the rows is factorised instead (Woodbury).
    """

    def __init__(self, factor):
        self.factor = factor
        n, d = factor.shape
        self.kappa = max(np.einsum("ij,ij->", factor, factor) / d, np.finfo(float).tiny)
        self.wide = n < d
        self.outer = factor @ factor.T if self.wide else factor.T @ factor
        self.solver = cho_factor(self.outer + self.kappa * np.eye(len(self.outer)))

    def solve(self, a, b):
        """Minimiser and F times it.

        Parameters
        ----------
        a : ndarray of shape (n_rows,)
            Target of F w.
        b : ndarray of shape (n_features,)
            Target of w.

        Returns
        -------
        w : ndarray of shape (n_features,)
            Minimiser.
        fw : ndarray of shape (n_rows,)
            F w.
        """
        if not self.wide:
            w = cho_solve(self.solver, self.factor.T @ a + self.kappa * b, check_finite=False)
            return w, self.factor @ w
        right = self.outer @ a + self.kappa * (self.factor @ b)
        fw = cho_solve(self.solver, right, check_finite=False)
        return b + self.factor.T @ (a - fw) / self.kappa, fw


def minimize_admm(loss, norm, risk, *, tol=1e-8, max_iter=5000, system=None):
    """Minimiser under a norm with a Euclidean projection, such as a group norm.

    Splits u = F (center - w) and v = w; the risk other than the surrogate is reached through the
    surrogate with the radius J_b / J_s at the current point.

    Parameters
    ----------
    loss : QuadraticLoss or RowLoss
        Clean error.
    norm : Norm
        Norm of the attack, with `project`.
    risk : GaussianRisk or SurrogateRisk
        Objective, with one radius.
    tol : float, default=1e-8
        Relative duality gap at which to stop.
    max_iter : int, default=5000
        Iterations at the most.
    system : RidgeSystem, default=None
        Of `loss.root`, if it is at hand.

    Returns
    -------
    point : FrontierPoint
        The best point seen, with its gap.
    """
    system = RidgeSystem(loss.root) if system is None else system
    target = loss.target
    size = np.sqrt(target @ target + loss.floor)
    penalty = 1 / max(size, np.finfo(float).tiny)
    radius = risk.slopes(size, 0.0)[1] / risk.slopes(size, 0.0)[0]
    u, v = target, np.zeros_like(loss.correlation)
    du, dv = np.zeros_like(u), np.zeros_like(v)
    pace, last = 1.0, 0.0
    best = frontier_point(loss, norm, risk, v, solver="admm")
    for n_iter in range(1, max_iter + 1):
        w, fw = system.solve(target - u + du, v + dv)
        moved = RELAXATION * (target - fw) + (1 - RELAXATION) * u
        kept = RELAXATION * w + (1 - RELAXATION) * v
        old = u, v
        u = _prox_clean(moved + du, 1 / penalty, loss.floor)
        shifted = kept - dv
        v = shifted - norm.project(shifted, radius / (penalty * system.kappa))
        du, dv = du + moved - u, dv + v - kept
        if n_iter % CHECK_EVERY and n_iter != max_iter:
            continue
        row = penalty * du
        limit = system.factor.T @ row, row @ row, row @ target
        point = frontier_point(loss, norm, risk, v, limit=limit, n_iter=n_iter, solver="admm")
        best = min(point, best, key=lambda p: p.gap)
        if best.gap <= tol:
            break
        slopes = risk.slopes(point.clean, point.dual)
        pace, last = _damped(pace, last, np.log(slopes[1] / slopes[0] / radius))
        radius *= np.exp(pace * last)
        change = balance(moved - u, kept - v, u - old[0], v - old[1], system.kappa)
        penalty, du, dv = penalty * change, du / change, dv / change
    return best


def _prox_clean(p, step, floor):
    """Proximal point of step * sqrt(|u|^2 + floor)."""
    length = np.linalg.norm(p)
    if floor == 0:
        return p * max(1 - step / max(length, np.finfo(float).tiny), 0.0)
    # t + step t / sqrt(t^2 + floor) = length: increasing and concave, so Newton from above.
    t = length
    for _ in range(50):
        root = np.sqrt(t * t + floor)
        excess = t + step * t / root - length
        t = max(t - excess / (1 + step * floor / root**3), 0.0)
        if abs(excess) <= 1e-15 * length:
            break
    return p * (t / max(length, np.finfo(float).tiny))


def _damped(pace, last, step):
    """Half the pace whenever the step turns round: the clean error may jump with the radius."""
    return (pace / 2 if step * last < 0 else min(1.2 * pace, 1.0)), step


def balance(primal_u, primal_v, moved_u, moved_v, kappa):
    """Factor on the penalty that keeps the primal and the dual residual of like size.

    Parameters
    ----------
    primal_u, primal_v : ndarray
        Disagreement of the copies with the coefficients.
    moved_u, moved_v : ndarray
        Last steps of the copies.
    kappa : float
        Weight of the second pair.

    Returns
    -------
    factor : float
        2, 1 or 1/2.

    References
    ----------
    Boyd, Parikh, Chu, Peleato, Eckstein, Distributed optimization and statistical learning via the
    alternating direction method of multipliers, 2011 (section 3.4.1).
    """
    primal = np.sqrt(primal_u @ primal_u + kappa * primal_v @ primal_v)
    dual = np.sqrt(moved_u @ moved_u + kappa * moved_v @ moved_v)
    if primal > 10 * dual:
        return 2.0
    return 0.5 if dual > 10 * primal else 1.0
