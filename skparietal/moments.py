"""Mergeable, weighted sufficient statistics of least squares."""

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Moments:  # numpydoc ignore=PR02
    """Weighted count, means and centred scatters of a table (X, y).

    Everything that a linear least-squares method needs, in O(d^2) memory. Two tables' moments merge
    into the moments of the stacked table, so that a fit in batches, on several machines, or at once
    gives the same model. Weights are frequencies: weight 2 is the row twice.

    Parameters
    ----------
    weight : float
        Sum of the sample weights (the number of rows when there are none).
    x_mean : ndarray of shape (n_features,)
        Weighted mean of X.
    y_mean : ndarray of shape (n_targets,)
        Weighted mean of y.
    xx : ndarray of shape (n_features, n_features)
        Sum of weight times (x - x_mean)(x - x_mean)'. A sum, not a mean.
    xy : ndarray of shape (n_features, n_targets)
        Sum of weight times (x - x_mean)(y - y_mean)'.
    yy : ndarray of shape (n_targets,)
        Sum of weight times (y - y_mean)^2, one per target.

    References
    ----------
    Chan, Golub, LeVeque, Algorithms for computing the sample variance: analysis and
    recommendations, 1983 (the pairwise update of centred sums).
    """

    weight: float
    x_mean: np.ndarray
    y_mean: np.ndarray
    xx: np.ndarray
    xy: np.ndarray
    yy: np.ndarray

    @classmethod
    def of(cls, X, y, sample_weight=None):
        """Moments of one table.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Rows.
        y : ndarray of shape (n_samples,) or (n_samples, n_targets)
            Targets.
        sample_weight : ndarray of shape (n_samples,), default=None
            Non-negative frequency weights; None means 1 for every row.

        Returns
        -------
        moments : Moments
            In the floating type of X.

        Raises
        ------
        ValueError
            If the weights have no positive sum.
        """
        Y = y[:, None] if y.ndim == 1 else y
        weight = float(len(X) if sample_weight is None else np.sum(sample_weight))
        if not weight > 0:
            raise ValueError("sample_weight must have a positive sum: every row has weight zero.")
        x_mean = np.average(X, axis=0, weights=sample_weight).astype(X.dtype, copy=False)
        y_mean = np.average(Y, axis=0, weights=sample_weight).astype(Y.dtype, copy=False)
        X, Y = X - x_mean, Y - y_mean
        if sample_weight is not None:
            root = np.sqrt(sample_weight).astype(X.dtype, copy=False)[:, None]
            X *= root
            Y *= root
        return cls(weight, x_mean, y_mean, X.T @ X, X.T @ Y, np.einsum("ij,ij->j", Y, Y))

    def merge(self, other):
        """Moments of the two tables stacked.

        Parameters
        ----------
        other : Moments
            Moments of a table with the same columns.

        Returns
        -------
        moments : Moments
            Of all the rows; neither operand changes.
        """
        weight = self.weight + other.weight
        share = other.weight / weight
        dx, dy = other.x_mean - self.x_mean, other.y_mean - self.y_mean
        between = self.weight * share
        return Moments(
            weight,
            self.x_mean + share * dx,
            self.y_mean + share * dy,
            self.xx + other.xx + between * np.outer(dx, dx),
            self.xy + other.xy + between * np.outer(dx, dy),
            self.yy + other.yy + between * dy**2,
        )

    def about_origin(self):
        """Moments of the same rows about zero, for models without an intercept.

        Returns
        -------
        moments : Moments
            With zero means and uncentred scatters.
        """
        return replace(
            self,
            x_mean=np.zeros_like(self.x_mean),
            y_mean=np.zeros_like(self.y_mean),
            xx=self.xx + self.weight * np.outer(self.x_mean, self.x_mean),
            xy=self.xy + self.weight * np.outer(self.x_mean, self.y_mean),
            yy=self.yy + self.weight * self.y_mean**2,
        )
