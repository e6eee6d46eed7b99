"""Gradient descent on least squares in closed form: the whole path from one eigenbasis."""

import numpy as np

from skparietal.norms import GroupNorm, LpNorm

# Times of the grid, in units of the slowest and of the fastest direction.
EARLIEST, LATEST = 1e-4, 50.0

# Share of the largest entry that a preconditioner keeps for directions that it would switch off.
LEAST_RATE = 1e-9


class GradientFlow:
    """Path of dw/dt = q - S w from zero, in the eigenbasis of S.

    Parameters
    ----------
    basis : Eigenbasis
        Of S, the covariance of the (preconditioned) features, per sample.
    correlation : ndarray of shape (n_features,)
        Covariance q of the features and the target.
    learning_rate : float, default=None
        None for continuous time; otherwise gradient descent with this step, and time is the number
        of steps times the learning rate.
    """

    def __init__(self, basis, correlation, learning_rate=None):
        self.basis, self.learning_rate = basis, learning_rate
        self.coordinates = basis.vectors.T @ correlation

    def kept(self, times):
        """Share of the least-squares solution that each direction has reached.

        Parameters
        ----------
        times : ndarray of shape (n_times,)
            Times >= 0; inf is least squares.

        Returns
        -------
        kept : ndarray of shape (n_times, rank)
            1 - exp(-eigenvalue time), or 1 - (1 - rate eigenvalue)^steps.
        """
        values = self.basis.values
        if self.learning_rate is None:
            return -np.expm1(-np.multiply.outer(times, values))
        finished = np.isinf(times)
        steps = np.where(finished, 0, np.round(np.asarray(times) / self.learning_rate))[:, None]
        # Steps past the minimum flip the sign of what is left; the power is of an integer.
        left = (1 - self.learning_rate * values) ** steps
        return np.where(finished[:, None], 1.0, 1 - left)

    def coef(self, times):
        """Coefficients.

        Parameters
        ----------
        times : ndarray of shape (n_times,)
            Times >= 0.

        Returns
        -------
        coef : ndarray of shape (n_times, n_features)
            One row per time.
        """
        return (self.kept(times) * (self.coordinates / self.basis.values)) @ self.basis.vectors.T

    def excess(self, times):
        """Squared training error above that of least squares.

        Parameters
        ----------
        times : ndarray of shape (n_times,)
            Times >= 0.

        Returns
        -------
        excess : ndarray of shape (n_times,)
            Per sample.
        """
        return (1 - self.kept(times)) ** 2 @ (self.coordinates**2 / self.basis.values)

    def degrees_of_freedom(self, times):
        """Trace of the smoother.

        Parameters
        ----------
        times : ndarray of shape (n_times,)
            Times >= 0.

        Returns
        -------
        df : ndarray of shape (n_times,)
            Without the intercept.
        """
        return self.kept(times).sum(axis=1)

    def grid(self, n_times, max_iter):
        """Times from the first step to convergence, with 0 and inf.

        Parameters
        ----------
        n_times : int
            Number of times in between, at the most.
        max_iter : int
            Last step of gradient descent; not used in continuous time.

        Returns
        -------
        times : ndarray of shape (n_grid,)
            Increasing.
        """
        values = self.basis.values
        if len(values) == 0:
            return np.array([0.0, np.inf])
        last = LATEST / values[0]
        if self.learning_rate is None:
            between = np.geomspace(EARLIEST / values[-1], last, n_times)
        else:
            steps = max(min(np.ceil(last / self.learning_rate), max_iter), 1)
            between = self.learning_rate * np.unique(np.round(np.geomspace(1, steps, n_times)))
        return np.concatenate([[0.0], between, [np.inf]])


def tangent_preconditioner(norm, coef):
    """Learning rates whose ellipsoid touches the dual ball at given coefficients.

    By Hoelder, |w|_q^2 <= sum(w^2 / eta) times a norm of eta, with equality at eta = |w|^(2 - q):
    the ridge path with these rates runs through the coefficients. For linf attacks eta = |w|.

    Parameters
    ----------
    norm : Norm
        Norm of the attack: lp with p > 2, or the largest of Euclidean group norms.
    coef : ndarray of shape (n_features,)
        Coefficients that the path shall reach.

    Returns
    -------
    rates : ndarray of shape (n_features,) or None
        Positive; None for a norm without such an ellipsoid here.

    References
    ----------
    The preconditioning of Scetbon, Dohmatob, Robust Linear Regression: Gradient-descent,
    Early-stopping, and Beyond, 2023, is for Mahalanobis attacks; this extension is derived here.
    """
    if isinstance(norm, LpNorm) and norm.p > 2:
        rates = np.abs(coef) ** (2 - norm.dual.p)
    elif isinstance(norm, GroupNorm) and np.isinf(norm.p):
        rates = norm.spread(norm.group_norms(coef))
    else:
        return None
    top = rates.max()
    return np.maximum(rates, LEAST_RATE * top) if top > 0 else np.ones_like(rates)
