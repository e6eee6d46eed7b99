"""Roots of many monotone functions at once."""

import numpy as np


def monotone_root(function, low, high, at_low, at_high, *, max_iter=100):
    """One root per entry, by Chandrupatla's bracketing method on arrays.

    Parameters
    ----------
    function : callable
        Arrays of positions, one per entry -> values; only the sign change in the bracket matters.
    low, high : ndarray of shape (n,)
        Brackets.
    at_low, at_high : ndarray of shape (n,)
        Values at the ends, of opposite signs (or zero).
    max_iter : int, default=100
        Evaluations; the method halves the bracket at the latest every second one.

    Returns
    -------
    root : ndarray of shape (n,)
        To the last digits of the position.
    n_iter : int
        Evaluations made.

    References
    ----------
    Chandrupatla, A new hybrid quadratic/bisection algorithm for finding the zero of a nonlinear
    function without using derivatives, 1997.
    """
    a, b, fa, fb = (np.array(v, dtype=float) for v in (low, high, at_low, at_high))
    c, fc = a.copy(), fa.copy()
    step = np.full_like(a, 0.5)
    n_iter = 0
    while n_iter < max_iter:
        n_iter += 1
        best = np.where(np.abs(fa) < np.abs(fb), a, b)
        width = np.abs(b - a)
        tolerance = 2e-16 * np.abs(best) + 1e-300
        done = (width <= 2 * tolerance) | (np.minimum(np.abs(fa), np.abs(fb)) == 0)
        if done.all():
            break
        share = np.clip(step, *_margins(tolerance, width))
        x = np.where(done, best, a + share * (b - a))
        fx = np.where(done, 0.0, function(x))
        same = np.sign(fx) == np.sign(fa)
        c, fc = np.where(same, a, b), np.where(same, fa, fb)
        b, fb = np.where(same, b, a), np.where(same, fb, fa)
        a, fa = np.where(done, best, x), fx
        step = _next_step(a, b, c, fa, fb, fc)
    return np.where(np.abs(fa) < np.abs(fb), a, b), n_iter


def _margins(tolerance, width):
    margin = np.minimum(tolerance / np.where(width > 0, width, 1), 0.5)
    return margin, 1 - margin


def _next_step(a, b, c, fa, fb, fc):
    with np.errstate(all="ignore"):
        xi, phi = (a - b) / (c - b), (fa - fb) / (fc - fb)
        inverse_quadratic = fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (
            fc - fa
        ) * fb / (fc - fb)
        good = (phi**2 < xi) & ((1 - phi) ** 2 < 1 - xi) & np.isfinite(inverse_quadratic)
    return np.where(good, inverse_quadratic, 0.5)
