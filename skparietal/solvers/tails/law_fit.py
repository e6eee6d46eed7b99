"""Robust fit of a parametric law to log errors: many starts, or many data sets, at once."""

from dataclasses import dataclass

import numpy as np

_FIRST_STEPS, _FINALISTS = 4, 3  # a few steps tell the basins apart
_SOFTER = 0.1, 0.01  # thresholds on the way to a small one
_COARSE = 1e-2  # tolerance on that way
_FINE = 1e-4  # tolerance of the end, from which the best start goes on alone
_LEAST_SHARE = 0.05  # of the majorising weights beyond delta, see descend


@dataclass(frozen=True)
class LawFit:  # numpydoc ignore=PR02
    """Best parameters of a law with their certificate.

    Parameters
    ----------
    theta : ndarray of shape (n_parameters,)
        Minimiser of sum_i w_i huber(log f(x_i; theta) - log y_i).
    objective : float
        That sum.
    residuals : ndarray of shape (n_samples,)
        The differences log f(x_i) - log y_i.
    jacobian : ndarray of shape (n_samples, n_parameters)
        Derivatives of log f at theta.
    free : ndarray of shape (n_parameters,) of bool
        False where theta lies on its bound.
    optimality : float
        Decrease that a further step promises, relative to the objective; near zero at a minimum.
    """

    theta: np.ndarray
    objective: float
    residuals: np.ndarray
    jacobian: np.ndarray
    free: np.ndarray
    optimality: float


def huber(residuals, delta):
    """Huber's loss: r^2 / 2 up to delta, delta |r| - delta^2 / 2 beyond.

    Parameters
    ----------
    residuals : ndarray
        Any shape.
    delta : float
        Threshold > 0; infinity gives least squares.

    Returns
    -------
    loss : ndarray
        Of the shape of residuals.
    """
    size = np.abs(residuals)
    inner = np.minimum(size, delta)
    return inner * (size - 0.5 * inner)


def fit_law(law, z, log_y, weights, *, delta, n_starts, rng):
    """Fit a law by Huber's loss on log errors.

    A few steps of least squares from all starts, then Huber's loss with delta lowered step by step
    from the best: with a small delta from the beginning the problem is nearly as rough as least
    absolute deviations and a start ends in the next kink.

    Parameters
    ----------
    law : object
        Of `skparietal.scaling_laws`.
    z : ndarray of shape (n_samples, n_columns)
        Centred log sizes.
    log_y : ndarray of shape (n_samples,)
        Natural logs of the errors.
    weights : ndarray of shape (n_samples,)
        Numbers of repetitions, > 0.
    delta : float
        Threshold of Huber's loss, in natural log units.
    n_starts : int
        Starting points.
    rng : RandomState
        For the starting points.

    Returns
    -------
    fit : LawFit
        With the least objective.
    """
    problem = law, z, log_y, weights
    theta = law.starts(z, log_y, n_starts, rng)
    theta, _, _ = descend(*problem, theta, delta=np.inf, max_iter=_FIRST_STEPS, tol=_COARSE)
    loss = weights @ huber(law.log_value(theta, z)[0] - log_y, max(delta, 0.05)).T
    theta = theta[_best_distinct(loss, _FINALISTS)]
    for step in [s for s in _SOFTER if s > delta]:
        theta, _, _ = descend(*problem, theta, delta=step, max_iter=15, tol=_COARSE)
    theta, objective, optimality = descend(*problem, theta, delta=delta, max_iter=100)
    best = np.argmin(objective)
    if optimality[best] > _FINE:  # rare: laws of many parameters on few rows
        rest = descend(*problem, theta[best : best + 1], delta=delta, max_iter=400)
        theta[best], objective[best], optimality[best] = (part[0] for part in rest)
    value, jacobian = law.log_value(theta[best : best + 1], z)
    low, high = law.bounds(z, log_y)
    free = (theta[best] > low) & (theta[best] < high)
    return LawFit(
        theta[best], objective[best], value[0] - log_y, jacobian[0], free, optimality[best]
    )


def _best_distinct(loss, n_kept):
    """Indices of the least losses, of which equal ones (the same minimum) count once."""
    order = np.argsort(loss, kind="stable")
    new = np.append(True, np.diff(loss[order]) > 1e-3 * loss[order[1:]])
    return order[new][:n_kept]


def descend(law, z, log_y, weights, theta, *, delta, max_iter, tol=1e-8):
    """Damped Newton steps on Huber's loss, for many problems side by side.

    The loss lies below the weighted square with weight min(1, delta/|r|): least squares with these
    weights always descend, but slowly once few residuals are below delta. Newton's step leaves the
    others out, for the loss is linear there, and ends in a few steps if it begins nearby. The share
    of their weights that counts falls with each step that lowers the loss and rises with each that
    does not, and so does Levenberg's and Marquardt's damping.

    Parameters
    ----------
    law : object
        Of `skparietal.scaling_laws`.
    z : ndarray of shape (n_samples, n_columns)
        Centred log sizes.
    log_y : ndarray of shape (n_samples,) or (n_problems, n_samples)
        Natural logs of the errors, of one problem for all starts or of one for each.
    weights : ndarray of shape (n_samples,)
        Numbers of repetitions.
    theta : ndarray of shape (n_problems, n_parameters)
        Starts.
    delta : float
        Threshold of Huber's loss; infinity for least squares.
    max_iter : int
        Bound on the steps.
    tol : float, default=1e-8
        A problem is solved when a step promises less than tol times the objective.

    Returns
    -------
    theta : ndarray of shape (n_problems, n_parameters)
        End points.
    objective, optimality : ndarrays of shape (n_problems,)
        Loss, and the promised decrease of the last step relative to it.
    """
    low, high = law.bounds(z, log_y)
    theta = _between(low, theta, high)
    log_y = np.broadcast_to(log_y, (len(theta), len(z)))
    value, jacobian = law.log_value(theta, z)
    residuals = value - log_y
    objective = huber(residuals, delta) @ weights
    damping, share = np.full(len(theta), 1e-3), np.ones(len(theta))
    optimality = np.full(len(theta), np.inf)
    for _ in range(max_iter):
        run = np.flatnonzero(optimality > tol)
        if run.size == 0:
            break
        start = theta[run]
        force, curvature = _pull(residuals[run], weights, delta, share[run])
        step, promise = _damped_step(
            force, curvature, jacobian[run], damping[run], start, low, high
        )
        trial = _between(low, start + step, high)
        value, slopes = law.log_value(trial, z)
        trial_residuals = value - log_y[run]
        trial_objective = huber(trial_residuals, delta) @ weights
        better = trial_objective <= objective[run]
        # The floor stands for residuals of rounding size, at which nothing is left to gain.
        optimality[run] = promise / (objective[run] + 1e-20)
        damping[run] = _between(1e-12, damping[run] * np.where(better, 0.2, 8.0), 1e8)
        share[run] = _between(_LEAST_SHARE, share[run] * np.where(better, 0.3, 4.0), 1.0)
        kept = run[better]
        theta[kept], objective[kept] = trial[better], trial_objective[better]
        residuals[kept], jacobian[kept] = trial_residuals[better], slopes[better]
    return theta, objective, optimality


def _between(low, x, high):
    """The function np.clip, which for arrays so small spends most of its time on its arguments."""
    return np.minimum(np.maximum(x, low), high)


def _pull(residuals, weights, delta, share):
    """Derivative of the loss, and its curvature: a share of the majorising one beyond delta."""
    if delta == np.inf:
        return weights * residuals, np.broadcast_to(weights, residuals.shape)
    size = np.abs(residuals)
    outer = delta / np.maximum(size, delta)
    curvature = np.where(size > delta, share[:, None] * outer, 1.0)
    return weights * residuals * outer, weights * curvature


def _damped_step(force, curvature, jacobian, damping, theta, low, high):
    """Solution of (H + damping diag H) step = -gradient in the free parameters, and its promise."""
    gradient = np.matmul(force[:, None], jacobian)[:, 0]
    hessian = np.matmul((curvature[:, :, None] * jacobian).transpose(0, 2, 1), jacobian)
    stuck = np.where(gradient > 0, theta <= low, (theta >= high) & (gradient < 0))
    if stuck.any():
        gradient = np.where(stuck, 0.0, gradient)
        hessian[stuck[:, :, None] | stuck[:, None, :]] = 0.0
    diagonal = np.einsum("skk->sk", hessian)
    # A parameter without influence must not make the system singular.
    diagonal += damping[:, None] * diagonal + 1e-12 * diagonal.max(axis=1, keepdims=True) + 1e-30
    step = -np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
    return step, -0.5 * np.einsum("sk,sk->s", gradient, step)
