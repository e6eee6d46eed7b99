"""Frontier of a polyhedral attack norm: a path of straight segments between knots."""

import numpy as np

from skparietal.solvers.robustness.quadratic_loss import INTERPOLATED

# A price of this share of the first one is rounding: the path ends. It gives up after so many knots
# per feature.
END, MAX_KNOTS = 1e-10, 20


class Knots:
    """Knots of a path as they are found, from zero on.

    Parameters
    ----------
    loss : QuadraticLoss or RowLoss
        Clean error.
    coef : ndarray of shape (n_features,)
        Zero.
    price : float
        Price of the norm at zero.
    """

    def __init__(self, loss, coef, price):
        self.loss, self.direction = loss, coef
        self.coefs, self.duals, self.prices, self.df = [coef], [0.0], [price], [0]
        self.excess = loss.pull(coef)[1]

    def append(self, coef, dual, price, df, direction):
        """Record the end of a segment.

        Parameters
        ----------
        coef : ndarray of shape (n_features,)
            Coefficients there.
        dual : float
            Dual norm.
        price : float
            Price of the norm.
        df : int
            Degrees of freedom on the segment.
        direction : ndarray of shape (n_features,)
            Of the segment.
        """
        self.excess -= (dual - self.duals[-1]) * (price + self.prices[-1])
        self.direction = direction
        for known, new in zip(
            (self.coefs, self.duals, self.prices, self.df), (coef, dual, price, df)
        ):
            known.append(new)

    def passed(self, risk):
        """Whether the minimiser of a risk has been passed.

        Parameters
        ----------
        risk : GaussianRisk, SurrogateRisk or None
            With one radius; None for never.

        Returns
        -------
        passed : bool
            The attack size for which a knot is optimal falls along the path.
        """
        if risk is None or len(self.prices) == 1:
            return False
        clean = np.sqrt(max(self.excess, 0.0) + self.loss.floor)
        return clean > 0 and bool(
            risk.optimal_radius(clean, self.duals[-1], self.prices[-1]) < risk.radius
        )

    def path(self):
        """The path as far as it went.

        Returns
        -------
        path : PiecewisePath
            With arrays of knots.
        """
        knots = map(np.array, (self.coefs, self.duals, self.prices, self.df))
        return PiecewisePath(self.loss, *knots, self.direction)


def still_on_boundary(step, size):
    """Whether a step is rounding: what has just changed sits on its boundary by construction.

    Parameters
    ----------
    step : float
        Step until it would change again.
    size : float
        Size of the parameter that the step changes.

    Returns
    -------
    still : bool
        True for rounding.
    """
    return abs(step) < 1e-12 * max(size, np.finfo(float).tiny)


class PiecewisePath:
    """Pareto points of clean error and a polyhedral dual norm.

    A position on the path is a knot number plus the share of the segment that follows; position 0
    is zero, the last one the end of the path. On a segment the coefficients, the dual norm and its
    price are linear, and the excess follows from d(excess)/d(dual) = -2 price.

    Parameters
    ----------
    loss : QuadraticLoss or RowLoss
        Clean error.
    coef : ndarray of shape (n_knots, n_features)
        Coefficients at the knots, from zero on.
    dual : ndarray of shape (n_knots,)
        Dual norm, increasing.
    multiplier : ndarray of shape (n_knots,)
        Price of the norm, decreasing.
    df : ndarray of shape (n_knots,)
        Degrees of freedom on the segment that ends at the knot, without the intercept.
    direction : ndarray of shape (n_features,)
        Direction of the last segment.
    """

    smooth = False

    def __init__(self, loss, coef, dual, multiplier, df, direction):
        self._direction = direction
        self.loss, self._coef, self._dual, self._multiplier, self._df = (
            loss,
            coef,
            dual,
            multiplier,
            df,
        )
        self.knots = np.arange(len(coef), dtype=float)
        self.scan = np.arange(0, len(coef) - 1 + 1e-9, 1 / 8)
        self.ends = (0.0, self.knots[-1])
        last = loss.pull(coef[-1])[1]
        # Below rounding of the residual: the end interpolates.
        last = last if last > INTERPOLATED * loss.pull(coef[0])[1] else 0.0
        self.least = last + loss.floor
        drops = np.diff(dual) * (multiplier[:-1] + multiplier[1:])
        self._excess = last + np.append(np.cumsum(drops[::-1])[::-1], 0.0)

    def _split(self, position):
        left = np.clip(np.floor(position).astype(int), 0, max(len(self.knots) - 2, 0))
        return left, np.minimum(left + 1, len(self.knots) - 1), position - left

    def errors(self, position):
        """Clean error, dual norm and price of the norm.

        Parameters
        ----------
        position : ndarray of shape (n,)
            Positions.

        Returns
        -------
        clean, dual, multiplier : ndarray of shape (n,)
            As in FrontierPoint.
        """
        left, right, share = self._split(position)
        # Where neither noise nor price is left both vanish together: take their ratio just before.
        if self.least == 0:
            share = np.where(right == len(self.knots) - 1, np.minimum(share, 1 - 1e-8), share)
        price = self._multiplier[left] + share * (self._multiplier[right] - self._multiplier[left])
        dual = self._dual[left] + share * (self._dual[right] - self._dual[left])
        rest = (1 - share) * (self._dual[right] - self._dual[left])
        excess = self._excess[right] + rest * (price + self._multiplier[right])
        return np.sqrt(excess + self.loss.floor), dual, price

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
        left, right, share = self._split(position)
        return (1 - share)[:, None] * self._coef[left] + share[:, None] * self._coef[right]

    def limit(self):
        """Pull over s as the path runs into its end, for the certificate there.

        Returns
        -------
        z : ndarray of shape (n_features,)
            Proportional to S times the last segment.
        square : float
            Its square in the inverse of S: 1.
        reach : float
            Its product with the center.
        """
        pull = self.loss.multiply(self._direction)
        z = pull / max(np.sqrt(self._direction @ pull), np.finfo(float).tiny)
        return z, 1.0, z @ self._coef[-1]

    def degrees_of_freedom(self, position):
        """Dimension of the face that the path moves on.

        Parameters
        ----------
        position : ndarray of shape (n,)
            Positions; at a knot, the smaller of the two segments'.

        Returns
        -------
        df : ndarray of shape (n,)
            Without the intercept.
        """
        before = self._df[np.minimum(np.ceil(position).astype(int), len(self._df) - 1)]
        after = self._df[np.minimum(np.floor(position).astype(int) + 1, len(self._df) - 1)]
        return np.minimum(before, after)
