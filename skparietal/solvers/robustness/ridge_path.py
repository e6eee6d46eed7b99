"""Frontier of a Euclidean attack: the ridge path."""

import numpy as np

# Penalties scanned for brackets, beyond the spectrum on either side: exp(42) = 2e18.
MARGIN, STEP = 42.0, 1.0


class RidgePath:
    """Ridge solutions of every penalty, in the eigenbasis of S.

    Every minimiser of an increasing function of (s, b), b the Euclidean norm, is one of them. A
    position on the path is minus the logarithm of the penalty on the mean squared error
    (scikit-learn's alpha is n times the penalty): -inf is zero, inf is the center.

    Parameters
    ----------
    loss : QuadraticLoss or RowLoss
        Clean error.
    basis : Eigenbasis, default=None
        Eigenbasis of S if it is at hand; its computation is all that the path costs.
    until : GaussianRisk or SurrogateRisk, default=None
        Not used; the paths share one signature.
    """

    ends = (-np.inf, np.inf)
    smooth = True

    def __init__(self, loss, basis=None, *, until=None):
        self.loss = loss
        self.basis = loss.basis if basis is None else basis
        self.least = loss.least
        self.coordinates = self.basis.vectors.T @ loss.center
        values, power = self.basis.values, self.coordinates**2
        self._moments = np.column_stack([values * power, values**2 * power])
        spread = -np.log(values[[-1, 0]]) if len(values) else np.zeros(2)
        self.knots = np.arange(spread[0] - MARGIN, spread[1] + MARGIN, STEP)
        self.scan = np.append(-np.inf, np.linspace(spread[0] - 12, spread[1] + 12, 200))

    def errors(self, position):
        """Clean error, dual norm and price of the norm.

        Parameters
        ----------
        position : ndarray of shape (n,) or float
            Positions.

        Returns
        -------
        clean, dual, multiplier : ndarray of shape (n,)
            As in FrontierPoint.
        """
        mu = np.exp(-np.maximum(position, self.knots[0]))
        sums = (1 / (self.basis.values + mu[..., None])) ** 2 @ self._moments
        dual = np.sqrt(sums[..., 1])
        return np.sqrt(mu**2 * sums[..., 0] + self.least), dual, mu * dual

    def coef(self, position):
        """Coefficients.

        Parameters
        ----------
        position : ndarray of shape (n,)
            Positions.

        Returns
        -------
        coef : ndarray of shape (n, n_features)
            One row per position.
        """
        return (self._shrinkage(position) * self.coordinates) @ self.basis.vectors.T

    def limit(self):
        """Pull over s as the path runs into the center, for the certificate there.

        Returns
        -------
        z : ndarray of shape (n_features,)
            Proportional to the center.
        square : float
            Its square in the inverse of S: 1.
        reach : float
            Its product with the center.
        """
        size = np.sqrt(self.coordinates**2 @ (1 / self.basis.values))
        z = self.loss.center / max(size, np.finfo(float).tiny)
        return z, 1.0, z @ self.loss.center

    def degrees_of_freedom(self, position):
        """Trace of the smoother.

        Parameters
        ----------
        position : ndarray of shape (n,)
            Positions.

        Returns
        -------
        df : ndarray of shape (n,)
            Without the intercept.
        """
        return self._shrinkage(position).sum(axis=-1)

    def _shrinkage(self, position):
        values = self.basis.values
        return values / (values + np.exp(-np.asarray(position))[..., None])
