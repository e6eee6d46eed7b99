"""What the linear estimators under attack share: constraints, prediction and attacks on it."""

import warnings
from numbers import Real

import numpy as np
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from skparietal._compat import check_sample_weight
from skparietal.metrics.adversarial import adversarial_r2_score
from skparietal.norms import check_norm

NORM_CONSTRAINTS = [
    StrOptions({"l1", "l2", "linf"}),
    Interval(Real, 1, None, closed="left"),
    HasMethods(["norm", "worst_case"]),
]
RADIUS_CONSTRAINTS = [Interval(Real, 0, None, closed="left")]

# Attack sizes beyond this many data scales are cut to it: their squares must not overflow.
LARGEST_RADIUS = 1e100


def warn_of_unequal_columns(spread, norm, stacklevel=4):
    """Warn where an lp attack moves columns of very different scales by the same amount.

    Parameters
    ----------
    spread : ndarray of shape (n_features,)
        Standard deviations of the columns; constant columns are not counted.
    norm : str, float or Norm
        As given to the estimator: only a plain lp norm treats all columns alike.
    stacklevel : int, default=4
        Of the warning: past the method fit and scikit-learn's wrapper of it.
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
