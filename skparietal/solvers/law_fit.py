"""Robust fit of a parametric law to log errors: many starts, or many data sets, at once."""

from dataclasses import dataclass

import numpy as np

_LEAST_SQUARES = np.inf


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

    Least squares from all starts, then Huber's loss with delta lowered step by step from the two
    best: with a small delta from the beginning the problem is nearly as rough as least absolute
    deviations and a start ends in the next kink.

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
    theta, _, _ = descend(*problem, theta, delta=_LEAST_SQUARES, max_iter=15, tol=1e-3)
    loss = weights @ huber(law.log_value(theta, z)[0] - log_y, max(delta, 0.05)).T
    theta = theta[np.argsort(loss, kind="stable")[:2]]
    for step in [s for s in (0.1, 0.01) if s > delta]:
        theta, _, _ = descend(*problem, theta, delta=step, max_iter=15, tol=1e-3)
    theta, objective, optimality = descend(*problem, theta, delta=delta, max_iter=100)
    best = np.argmin(objective)
    value, jacobian = law.log_value(theta[best : best + 1], z)
    low, high = law.bounds(z, log_y)
    free = (theta[best] > low) & (theta[best] < high)
    return LawFit(
        theta[best], objective[best], value[0] - log_y, jacobian[0], free, optimality[best]
    )


def descend(law, z, log_y, weights, theta, *, delta, max_iter, tol=1e-8):
    """Levenberg-Marquardt steps on reweighted least squares, for many problems side by side.

    Huber's loss lies below the weighted square with weight min(1, delta/|r|), so that a step on the
    square that is accepted lowers the loss.

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
    theta = np.clip(theta, low, high)
    log_y = np.broadcast_to(log_y, (len(theta), len(z)))
    value, jacobian = law.log_value(theta, z)
    residuals = value - log_y
    objective = huber(residuals, delta) @ weights
    damping, optimality = np.full(len(theta), 1e-3), np.full(len(theta), np.inf)
    for _ in range(max_iter):
        run = np.flatnonzero(optimality > tol)
        if run.size == 0:
            break
        step, promise = _damped_step(
            residuals[run], jacobian[run], weights, delta, damping[run], theta[run], low, high
        )
        trial = np.clip(theta[run] + step, low, high)
        value, slopes = law.log_value(trial, z)
        trial_residuals = value - log_y[run]
        trial_objective = huber(trial_residuals, delta) @ weights
        better = trial_objective <= objective[run]
        # The floor stands for residuals of rounding size, at which nothing is left to gain.
        optimality[run] = promise / (objective[run] + 1e-20)
        damping[run] = np.clip(damping[run] * np.where(better, 0.2, 8.0), 1e-12, 1e8)
        kept = run[better]
        theta[kept], objective[kept] = trial[better], trial_objective[better]
        residuals[kept], jacobian[kept] = trial_residuals[better], slopes[better]
    return theta, objective, optimality


def _damped_step(residuals, jacobian, weights, delta, damping, theta, low, high):
    """Solution of (H + damping diag H) step = -gradient in the free parameters, and its promise."""
    scale = weights * np.minimum(1, delta / np.maximum(np.abs(residuals), 1e-300))
    weighted = scale[:, :, None] * jacobian
    gradient = np.einsum("sn,snk->sk", residuals, weighted)
    hessian = np.matmul(weighted.transpose(0, 2, 1), jacobian)
    stuck = ((theta <= low) & (gradient > 0)) | ((theta >= high) & (gradient < 0))
    gradient = np.where(stuck, 0.0, gradient)
    hessian[stuck[:, :, None] | stuck[:, None, :]] = 0.0
    diagonal = np.einsum("skk->sk", hessian)
    # A parameter without influence must not make the system singular.
    diagonal += damping[:, None] * diagonal + 1e-12 * diagonal.max(axis=1, keepdims=True) + 1e-30
    step = -np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
    return step, -0.5 * np.einsum("sk,sk->s", gradient, step)
