"""Rows of a regression under attack in the units that its solvers work in."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from skparietal.estimators.robustness._linear import LARGEST_RADIUS
from skparietal.norms import Norm
from skparietal.solvers.robustness.change_of_variables import (
    original_coef,
    transformed_coef,
    transformed_gram,
)
from skparietal.solvers.robustness.eigenbasis import eigenbasis
from skparietal.solvers.robustness.quadratic_loss import QuadraticLoss, RowLoss

# Few columns: their second moments cost no more than the rest of a fit. Many rows per column: the
# loss is kept for `path`, and second moments are the smaller thing to keep.
FEW, TALL = 100, 10


@dataclass(frozen=True, eq=False)
class ScaledRows:
    """Centred rows in the variables where the attack has its base norm, of size about one.

    Multiplied by the root of their share of the weight, so that sums of squares are means. Scaling
    by one number each for X and y changes no solution and keeps extreme units from overflowing.
    """

    X: np.ndarray
    Y: np.ndarray
    weights: np.ndarray
    x_mean: np.ndarray
    y_mean: np.ndarray
    x_scale: float
    y_scale: np.ndarray
    norm: Norm
    transform: np.ndarray

    @classmethod
    def of(cls, X, y, sample_weight, norm, fit_intercept):  # numpydoc ignore=PR01,RT01
        """Scale checked arrays; rows of weight zero are left out."""
        if sample_weight is None:
            weights = np.ones(len(X))
        else:
            kept = sample_weight > 0
            X, y, weights = X[kept], y[kept], sample_weight[kept].astype(np.float64)
        X, Y = X.astype(np.float64, copy=False), y.astype(np.float64).reshape(len(y), -1)
        x_mean, y_mean = np.zeros(X.shape[1]), np.zeros(Y.shape[1])
        if fit_intercept:
            shares = weights / weights.sum()
            x_mean, y_mean = shares @ X, shares @ Y
            X, Y = X - x_mean, Y - y_mean
        norm, transform = norm.reduce()
        if transform is not None:
            X = X * transform if transform.ndim == 1 else X @ transform
        (x_scale, x_factor), (y_scale, y_factor) = _scale(X, x_mean), _scale(Y, y_mean, axis=0)
        with np.errstate(over="ignore"):
            unit = y_scale / x_scale
        if not np.all(np.isfinite(unit)):
            raise ValueError("The coefficients overflow: y is too large for X. Rescale either.")
        root = np.sqrt(weights / weights.sum())[:, None]
        # In place where X is a copy already: every pass over it counts in a fit.
        X = np.multiply(X, root * x_factor, out=X if fit_intercept else None)
        Y = Y * (root * y_factor)
        return cls(X, Y, weights, x_mean, y_mean, x_scale, y_scale, norm, transform)

    @cached_property
    def gram(self):  # numpydoc ignore=PR01,RT01
        """X'X, or None unless there are more rows than columns."""
        return self.X.T @ self.X if len(self.X) > self.X.shape[1] else None

    def spread(self):  # numpydoc ignore=PR01,RT01
        """Standard deviations of the columns in the original units; from X'X if it was needed."""
        gram = vars(self).get("gram")
        squares = np.einsum("ij,ij->j", self.X, self.X) if gram is None else np.diagonal(gram)
        return self.x_scale * np.sqrt(squares)

    @cached_property
    def basis(self):  # numpydoc ignore=PR01,RT01
        """Eigenbasis of X'X."""
        return eigenbasis(self.gram, self.X if self.gram is None else None)

    def loss(self, k, *, with_basis=False, few_columns=False):  # numpydoc ignore=PR01,RT01
        """Training error of target k; of the rows themselves where few columns will be used."""
        n, d = self.X.shape
        if few_columns and d > FEW and n < TALL * d:
            return RowLoss(self.X, self.Y[:, k])
        basis = self.basis if with_basis else None
        return QuadraticLoss.of_rows(self.X, self.Y[:, k], gram=self.gram, basis=basis)

    def radius(self, radius):  # numpydoc ignore=PR01,RT01
        """Attack size in the units of the scaled rows."""
        return np.minimum(np.asarray(radius, dtype=float) / self.x_scale, LARGEST_RADIUS)

    def coef(self, scaled, k):  # numpydoc ignore=PR01,RT01
        """Coefficients of target k in the original units, from scaled ones (..., n_features)."""
        return original_coef(self.transform, scaled) * (self.y_scale[k] / self.x_scale)

    def without_rows(self):  # numpydoc ignore=PR01,RT01
        """The units alone, to be kept after the fit."""
        return replace(self, X=None, Y=None, weights=None)

    def plain(self):  # numpydoc ignore=PR01,RT01
        """Rows without the roots of their weights, and their shares of the weight."""
        shares = self.weights / self.weights.sum()
        return self.X / np.sqrt(shares)[:, None], shares

    def plain_target(self, k):  # numpydoc ignore=PR01,RT01
        """Target k without the roots of the weights."""
        return self.Y[:, k] / np.sqrt(self.weights / self.weights.sum())

    def training_error(self, coefs):  # numpydoc ignore=PR01,RT01
        """Root mean squared residual of each target in the original units."""
        residual = self.Y - self.X @ np.array(coefs).T
        return np.linalg.norm(residual, axis=0) * self.y_scale

    def scaled_covariance(self, covariance):  # numpydoc ignore=PR01,RT01
        """Covariance of the features in the scaled variables."""
        return transformed_gram(self.transform, covariance) / self.x_scale**2

    def scaled_coef(self, coef, k):  # numpydoc ignore=PR01,RT01
        """Inverse of `coef`."""
        return transformed_coef(self.transform, coef * (self.x_scale / self.y_scale[k]))

    def intercept(self, coef, k):  # numpydoc ignore=PR01,RT01
        """Intercept for coefficients (..., n_features) in the original units."""
        return self.y_mean[k] - coef @ self.x_mean


def _scale(centred, mean, axis=None):
    """Largest absolute value and its inverse; 1 and 0 where that is rounding of the mean."""
    size = np.maximum(np.max(centred, axis=axis), -np.min(centred, axis=axis))
    noise = 1e-14 * (np.max(np.abs(mean)) if axis is None else np.abs(mean))
    real = size > np.maximum(noise, np.finfo(float).tiny)
    scale = np.where(real, size, 1.0)[()]
    return scale, np.where(real, 1 / scale, 0.0)[()]
