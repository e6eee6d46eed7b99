"""What the linear estimators under attack share: scaled rows, prediction and attacks on it."""

import warnings
from dataclasses import dataclass, replace
from functools import cached_property
from numbers import Real

import numpy as np
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from skparietal._compat import check_sample_weight
from skparietal.metrics.adversarial import adversarial_r2_score
from skparietal.norms import Norm, check_norm
from skparietal.solvers.quadratic_loss import QuadraticLoss, eigenbasis

NORM_CONSTRAINTS = [
    StrOptions({"l1", "l2", "linf"}),
    Interval(Real, 1, None, closed="left"),
    HasMethods(["norm", "worst_case"]),
]
RADIUS_CONSTRAINTS = [Interval(Real, 0, None, closed="left")]

# Attack sizes beyond this many data scales are cut to it: their squares must not overflow.
LARGEST_RADIUS = 1e100


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
        X, Y = X.astype(np.float64), y.astype(np.float64).reshape(len(y), -1)
        weights = np.ones(len(X)) if sample_weight is None else sample_weight.astype(np.float64)
        if sample_weight is not None:
            X, Y, weights = X[weights > 0], Y[weights > 0], weights[weights > 0]
        norm, transform = norm.reduce()
        x_mean, y_mean = np.zeros(X.shape[1]), np.zeros(Y.shape[1])
        if fit_intercept:
            x_mean, y_mean = (np.average(A, axis=0, weights=weights) for A in (X, Y))
        X, Y = X - x_mean, Y - y_mean
        if transform is not None:
            X = X * transform if transform.ndim == 1 else X @ transform
        x_scale, y_scale = _scale(X, x_mean), _scale(Y, y_mean, axis=0)
        root = np.sqrt(weights / weights.sum())[:, None]
        X, Y = root * (X / x_scale), root * (Y / y_scale)
        return cls(X, Y, weights, x_mean, y_mean, x_scale, y_scale, norm, transform)

    @cached_property
    def gram(self):  # numpydoc ignore=PR01,RT01
        """X'X, or None unless there are more rows than columns."""
        return self.X.T @ self.X if len(self.X) > self.X.shape[1] else None

    @cached_property
    def basis(self):  # numpydoc ignore=PR01,RT01
        """Eigenbasis of X'X."""
        return eigenbasis(self.gram, self.X if self.gram is None else None)

    def loss(self, k, with_basis):  # numpydoc ignore=PR01,RT01
        """Training error of target k."""
        basis = self.basis if with_basis else None
        return QuadraticLoss.of_rows(self.X, self.Y[:, k], gram=self.gram, basis=basis)

    def radius(self, radius):  # numpydoc ignore=PR01,RT01
        """Attack size in the units of the scaled rows."""
        return np.minimum(np.asarray(radius, dtype=float) / self.x_scale, LARGEST_RADIUS)

    def coef(self, scaled, k):  # numpydoc ignore=PR01,RT01
        """Coefficients of target k in the original units, from scaled ones (..., n_features)."""
        if self.transform is not None:
            diagonal = self.transform.ndim == 1
            scaled = scaled * self.transform if diagonal else scaled @ self.transform.T
        return scaled * (self.y_scale[k] / self.x_scale)

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
        if self.transform is not None:
            T = np.diag(self.transform) if self.transform.ndim == 1 else self.transform
            covariance = T.T @ covariance @ T
        return covariance / self.x_scale**2

    def scaled_coef(self, coef, k):  # numpydoc ignore=PR01,RT01
        """Inverse of `coef`."""
        scaled = coef * (self.x_scale / self.y_scale[k])
        if self.transform is None:
            return scaled
        if self.transform.ndim == 1:
            return scaled / self.transform
        return np.linalg.solve(self.transform, scaled)

    def intercept(self, coef, k):  # numpydoc ignore=PR01,RT01
        """Intercept for coefficients (..., n_features) in the original units."""
        return self.y_mean[k] - coef @ self.x_mean


def _scale(centred, mean, axis=None):
    """Largest absolute value; 1 where that is rounding of the mean."""
    size = np.max(np.abs(centred), axis=axis)
    noise = 1e-14 * np.max(np.abs(mean), initial=0.0) if axis is None else 1e-14 * np.abs(mean)
    return np.where(size > np.maximum(noise, np.finfo(float).tiny), size, 1.0)[()]


def warn_of_unequal_columns(spread, norm, stacklevel=3):
    """Warn where an lp attack moves columns of very different scales by the same amount.

    Parameters
    ----------
    spread : ndarray of shape (n_features,)
        Standard deviations of the columns; constant columns are not counted.
    norm : str, float or Norm
        As given to the estimator: only a plain lp norm treats all columns alike.
    stacklevel : int, default=3
        Of the warning.
    """
    if not isinstance(norm, (str, Real)):
        return
    spread = spread[spread > 1e-12 * np.max(spread, initial=0.0)]
    if len(spread) and spread.max() > 1e3 * spread.min():
        warnings.warn(
            f"The columns of X have scales from {spread.min():.2g} to {spread.max():.2g}, but the "
            "attack may move each by the same amount. Scale X, or use "
            "skparietal.norms.ScaledNorm(norm, costs=1 / X.std(axis=0)).",
            UserWarning,
            stacklevel=stacklevel,
        )


class AttackedLinearModel(MultiOutputMixin, RegressorMixin):
    """Prediction and attacks of a fitted linear model with `norm` and `radius_`."""

    def predict(self, X):
        """Predict without an attack.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        y_pred : ndarray of shape (n_samples,) or (n_samples, n_targets)
            In the units of y.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        return X @ self.coef_.T + self.intercept_

    def adversarial_score(self, X, y, radius=None, sample_weight=None):
        """Coefficient of determination when every row is attacked as badly as possible.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets.
        radius : float, default=None
            Size of the attack; None for the one of the fit.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights.

        Returns
        -------
        score : float
            Greater is better, 0 is a constant prediction. Averaged over targets, each of which is
            attacked on its own.
        """
        prediction = self.predict(X)
        X, y = validate_data(self, X, y, reset=False, multi_output=True, y_numeric=True)
        if sample_weight is not None:
            sample_weight = check_sample_weight(sample_weight, X)
        dual = np.atleast_1d(check_norm(self.norm, X.shape[1]).dual.norm(self.coef_))
        radii = np.broadcast_to(self.radius_ if radius is None else radius, dual.shape)
        columns = zip(y.reshape(len(y), -1).T, prediction.reshape(len(y), -1).T, dual, radii)
        scores = [adversarial_r2_score(*column, sample_weight=sample_weight) for column in columns]
        return float(np.mean(scores))

    def worst_case_perturbation(self, X, y, radius=None):
        """What the attacker adds to each row: the step of norm `radius` with the largest error.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,)
            Targets; the step moves the prediction away from them.
        radius : float, default=None
            Size of the attack; None for the one of the fit.

        Returns
        -------
        perturbation : ndarray of shape (n_samples, n_features)
            Add it to X. With several targets, of shape (n_samples, n_features, n_targets): each is
            attacked on its own.
        """
        prediction = self.predict(X)
        X, y = validate_data(self, X, y, reset=False, multi_output=True, y_numeric=True)
        norm = check_norm(self.norm, X.shape[1])
        coef = np.atleast_2d(self.coef_).astype(float)
        radii = np.broadcast_to(self.radius_ if radius is None else radius, len(coef))
        if not np.all(np.isfinite(radii)) or np.any(radii < 0):
            raise ValueError(f"radius must be finite and >= 0, got {radius}.")
        step = radii[:, None] * np.array([norm.worst_case(w) for w in coef])
        # A row that is fitted exactly can be moved either way.
        sign = np.where(np.reshape(y - prediction, (len(X), -1)) > 0, -1.0, 1.0)
        perturbation = sign[:, None, :] * step.T
        return perturbation[:, :, 0] if self.coef_.ndim == 1 else perturbation
