"""Gradient descent on least squares in closed form: the whole path from one eigenbasis."""

import numpy as np

from skparietal.adversarial_risk import GaussianRisk
from skparietal.solvers.robustness.change_of_variables import (
    original_coef,
    transformed_correlation,
    transformed_gram,
)
from skparietal.solvers.robustness.frontier import locate_radius
from skparietal.solvers.robustness.quadratic_loss import QuadraticLoss, eigenbasis
from skparietal.solvers.robustness.ridge_path import RidgePath

# Times of the grid, in units of the slowest and of the fastest direction.
EARLIEST, LATEST = 1e-4, 50.0


class GradientFlow:
    """Path of dw/dt = P (q - S w) from zero, in the eigenbasis of T' S T, where P = T T'.

    Parameters
    ----------
    gram : ndarray of shape (n_features, n_features)
        Covariance S of the features, per sample.
    correlation : ndarray of shape (n_features,)
        Covariance q of the features and the target.
    transform : None or ndarray of shape (n_features,) or (n_features, n_variables)
        Root T of the preconditioner P; a vector is a diagonal, None the identity.
    learning_rate : float, default=None
        None for continuous time; otherwise gradient descent with this step, and time is the number
        of steps times the learning rate.
    basis : Eigenbasis, default=None
        Of T' S T, if it is at hand; its computation is all that the path costs.
    """

    def __init__(self, gram, correlation, transform=None, *, learning_rate=None, basis=None):
        self.transform, self.learning_rate = transform, learning_rate
        self.basis = eigenbasis(transformed_gram(transform, gram)) if basis is None else basis
        self.coordinates = self.basis.vectors.T @ transformed_correlation(transform, correlation)

    @property
    def explained(self):  # numpydoc ignore=RT01
        """Part of the target's variance that least squares explains."""
        return np.sum(self.coordinates**2 / self.basis.values)

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
            One row per time, for the features themselves.
        """
        reached = self.kept(times) * (self.coordinates / self.basis.values)
        return original_coef(self.transform, reached @ self.basis.vectors.T)

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

    def ridge_time(self, norm, radius, floor):
        """Time that needs no search: one over the penalty of the best ridge for the attack.

        In the preconditioned variables the attack is taken for a Euclidean one, of the size at
        which it costs the least-squares solution as much.

        Parameters
        ----------
        norm : Norm
            Norm of the attack.
        radius : float
            Size of the attack.
        floor : float
            Mean squared error of least squares.

        Returns
        -------
        time : float
            0 where the best ridge is zero, inf where it is least squares.
        """
        if len(self.basis.values) == 0:
            return 0.0
        # The path reads S off the basis alone.
        center = self.basis.vectors @ (self.coordinates / self.basis.values)
        path = RidgePath(QuadraticLoss(center, floor), self.basis)
        size, dual = np.linalg.norm(center), norm.dual.norm(original_coef(self.transform, center))
        scale = dual / size if size > 0 else 1.0
        position, _ = locate_radius(path, GaussianRisk(np.array([radius * scale])))
        return float(np.exp(position[0]))
