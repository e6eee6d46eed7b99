"""Errors of affine predictors under attack, and scorers of them."""

from numbers import Real

import numpy as np
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.validation import check_array

from skparietal._compat import check_sample_weight
from skparietal.adversarial_risk import worst_case_residual
from skparietal.norms import check_norm

# Error, relative to the size of the coefficients, below which a model counts as affine: it leaves
# room for the rounding of float32 pipelines.
AFFINE_TOLERANCE = 1e-5
N_PROBES = 16


def adversarial_mean_squared_error(y_true, y_pred, coef_norm, radius, *, sample_weight=None):
    """Mean squared error of an affine predictor when every row is attacked as badly as possible.

    Exact: the worst case of one row is (abs(residual) + radius coef_norm)^2.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Targets.
    y_pred : array-like of shape (n_samples,)
        Predictions without an attack.
    coef_norm : float
        Dual norm of the coefficients, such as ``norm.dual.norm(coef_)`` or ``dual_norm_``.
    radius : float
        Size of the attack, in the units of X.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights.

    Returns
    -------
    error : float
        Squared units of y, per sample.

    Raises
    ------
    ValueError
        If radius or coef_norm is negative or not finite, or the lengths differ.

    Examples
    --------
    >>> from skparietal.metrics import adversarial_mean_squared_error
    >>> adversarial_mean_squared_error([0.0, 1.0], [0.5, 1.0], coef_norm=2.0, radius=0.25)
    0.625
    """
    y_true, y_pred, sample_weight = _check_targets(y_true, y_pred, sample_weight)
    coef_norm, radius = _check_size("coef_norm", coef_norm), _check_size("radius", radius)
    worst = worst_case_residual(y_true - y_pred, coef_norm, radius)
    return float(np.average(worst**2, weights=sample_weight))


def adversarial_r2_score(y_true, y_pred, coef_norm, radius, *, sample_weight=None):
    """Coefficient of determination of an affine predictor under attack.

    One minus the adversarial mean squared error over the variance of the targets: 0 is a constant
    prediction, which no attack can move; greater is better.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Targets.
    y_pred : array-like of shape (n_samples,)
        Predictions without an attack.
    coef_norm : float
        Dual norm of the coefficients, such as ``norm.dual.norm(coef_)`` or ``dual_norm_``.
    radius : float
        Size of the attack, in the units of X.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights.

    Returns
    -------
    score : float
        At most 1; as in scikit-learn's `r2_score`, a constant target scores 1 or 0.
    """
    y_true, y_pred, sample_weight = _check_targets(y_true, y_pred, sample_weight)
    error = adversarial_mean_squared_error(
        y_true, y_pred, coef_norm, radius, sample_weight=sample_weight
    )
    mean = np.average(y_true, weights=sample_weight)
    variance = np.average((y_true - mean) ** 2, weights=sample_weight)
    if variance == 0:
        return 1.0 if error == 0 else 0.0
    return float(1 - error / variance)


def affine_coefficients(estimator, X):
    """Coefficients and intercept of any fitted affine model, from its predictions.

    Works for pipelines: the coefficients are those of the pipeline's input.

    Parameters
    ----------
    estimator : object
        Fitted, with `predict`.
    X : array-like of shape (n_samples, n_features)
        Rows that the model is meant for; affinity is tested on them and between them.

    Returns
    -------
    coef : ndarray of shape (n_features,) or (n_targets, n_features)
        Change of the prediction per unit of each feature.
    intercept : float or ndarray of shape (n_targets,)
        Prediction at zero.

    Raises
    ------
    ValueError
        If the model is not affine on and between the rows, so that no closed form of its worst case
        exists.
    """
    rows = check_array(X, dtype=np.float64)
    probes = rows[np.linspace(0, len(rows) - 1, min(len(rows), N_PROBES)).astype(int)]
    center, spread = rows.mean(axis=0), rows.std(axis=0)
    # Unit steps from the origin would leave the data far behind when its scale is small.
    spread = np.where(spread > 0, spread, np.maximum(np.abs(center), 1.0))
    steps = np.vstack([center, center + np.diag(spread)])
    values = _predict(estimator, steps, X)
    coef = (values[1:] - values[0]) / spread[:, None]
    probes = np.vstack([probes, (probes + probes[::-1]) / 2, (probes + center) / 2])
    error = np.abs(_predict(estimator, probes, X) - (probes - center) @ coef - values[0])
    size = 1 + np.abs(values[0]) + spread @ np.abs(coef)
    if not np.all(error <= AFFINE_TOLERANCE * size):
        raise ValueError(
            f"{type(estimator).__name__} is not affine in X (off by {np.max(error):.3g}): its "
            "worst case has no closed form. Use a linear model, after linear transformers only."
        )
    intercept = values[0] - center @ coef
    if coef.shape[1] == 1:
        return coef[:, 0], float(intercept[0])
    return coef.T, intercept


class AdversarialScorer:
    """Score of a fitted affine model under attack; made by `make_adversarial_scorer`.

    Parameters
    ----------
    norm : Norm
        Norm of the attack.
    radius : float
        Size of the attack.
    metric : {"mse", "r2", "mae"}
        What is measured.
    """

    def __init__(self, norm, radius, metric):
        self.norm, self.radius, self.metric = norm, radius, metric

    def __call__(self, estimator, X, y, sample_weight=None):
        """Score, averaged over targets; greater is better."""
        coef, intercept = affine_coefficients(estimator, X)
        dual = np.atleast_1d(check_norm(self.norm, coef.shape[-1]).dual.norm(coef))
        prediction = check_array(X, dtype=np.float64) @ coef.T + intercept
        predictions = prediction.reshape(len(prediction), -1).T
        targets = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")
        targets = targets.reshape(len(targets), -1).T
        if len(targets) != len(predictions):
            raise ValueError(f"y has {len(targets)} targets, the model {len(predictions)}.")
        columns = zip(targets, predictions, dual)
        return float(np.mean([self._score(*column, sample_weight) for column in columns]))

    def _score(self, y, prediction, dual, sample_weight):
        settings = {"coef_norm": dual, "radius": self.radius, "sample_weight": sample_weight}
        if self.metric == "r2":
            return adversarial_r2_score(y, prediction, **settings)
        if self.metric == "mse":
            return -adversarial_mean_squared_error(y, prediction, **settings)
        y, prediction, sample_weight = _check_targets(y, prediction, sample_weight)
        worst = worst_case_residual(y - prediction, dual, self.radius)
        return -np.average(worst, weights=sample_weight)

    def __repr__(self):
        return f"make_adversarial_scorer(norm={self.norm}, radius={self.radius}, {self.metric!r})"


def make_adversarial_scorer(norm="l2", radius=0.1, metric="mse"):
    """Scorer of affine models under attack, for `GridSearchCV` and `cross_val_score`.

    Parameters
    ----------
    norm : {"l1", "l2", "linf"}, float or Norm, default="l2"
        Norm that the attack is measured in, on the features that the model is given. Of a pipeline,
        these are its input.
    radius : float, default=0.1
        Size of the attack, in the units of X.
    metric : {"mse", "r2", "mae"}, default="mse"
        Negative mean squared error, R2, or negative mean absolute error, all under attack.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y, sample_weight=None)``; greater is better. With several targets,
        each is attacked on its own and the scores are averaged. It raises a ValueError for a model
        that is not affine in X.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import RidgeCV
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skparietal.metrics import make_adversarial_scorer
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = make_pipeline(StandardScaler(), RidgeCV()).fit(X, y)
    >>> make_adversarial_scorer("linf", radius=0.005, metric="r2")(model, X, y)
    0.258...
    """
    if metric not in ("mse", "r2", "mae"):
        raise ValueError(f"metric must be 'mse', 'r2' or 'mae', got {metric!r}.")
    return AdversarialScorer(check_norm(norm), _check_size("radius", radius), metric)


def _predict(estimator, rows, X):
    """Predictions (n_rows, n_targets) at new rows, in the container of the fit."""
    if hasattr(X, "columns") and hasattr(estimator, "feature_names_in_"):
        rows = type(X)(dict(zip(X.columns, rows.T)))
    return np.asarray(estimator.predict(rows), dtype=float).reshape(len(rows), -1)


def _check_targets(y_true, y_pred, sample_weight):
    pair = {"y_true": y_true, "y_pred": y_pred}
    y_true, y_pred = (
        column_or_1d(check_array(v, ensure_2d=False, dtype=np.float64, input_name=name))
        for name, v in pair.items()
    )
    check_consistent_length(y_true, y_pred)
    if sample_weight is not None:
        sample_weight = check_sample_weight(sample_weight, y_true, ensure_non_negative=True)
    return y_true, y_pred, sample_weight


def _check_size(name, value):
    if not isinstance(value, Real) or not np.isfinite(value) or value < 0:
        raise ValueError(f"{name} must be a finite number >= 0, got {value}.")
    return float(value)
