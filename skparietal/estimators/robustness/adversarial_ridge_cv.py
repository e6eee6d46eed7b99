"""AdversarialRidge whose training attack is chosen on held-out rows."""

from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, _fit_context
from sklearn.model_selection import KFold, check_cv
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import validate_data

from skparietal._compat import check_sample_weight
from skparietal.adversarial_risk import GaussianRisk, worst_case_residual
from skparietal.estimators.robustness._attack_problem import AttackProblem
from skparietal.estimators.robustness._linear import (
    NORM_CONSTRAINTS,
    RADIUS_CONSTRAINTS,
    AttackedLinearModel,
    warn_of_unequal_columns,
)
from skparietal.estimators.robustness._scaled_rows import ScaledRows
from skparietal.norms import check_norm
from skparietal.solvers.robustness.adversarial_least_squares import collapse_radius, frontier_path

# Training radii from this share of the collapse radius on.
SMALLEST_SHARE = 1e-3


class AdversarialRidgeCV(AttackedLinearModel, BaseEstimator):
    """Linear regression whose training attack is the one that wins on held-out rows under attack.

    The attack at test time is given; the one to train for is a regularisation that may be larger or
    smaller, or of another norm. Every fold costs one path, and held-out errors are exact.

    Parameters
    ----------
    radius : float, default=0.1
        Size of the attack at test time, in the units of X.
    norm : {"l1", "l2", "linf"}, float or Norm, default="l2"
        Norm of the attack at test time.
    train_radii : array-like of shape (n_radii,) or int, default=50
        Attack sizes to train for; an int is the size of a geometric grid up to the size at which
        all coefficients are zero.
    train_norms : list of norms, default=None
        Norms to train for; None is the norm of the attack alone. ``["l2", "linf"]`` lets a sparse
        model win where the attack is Euclidean and small.
    cv : int, cross-validation generator or iterable, default=5
        Splits; an int is that many contiguous folds, as everywhere in scikit-learn.
    fit_intercept : bool, default=True
        Whether an intercept is fitted; no attack changes it.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
        Coefficients.
    intercept_ : float or ndarray of shape (n_targets,)
        Intercept.
    radius_ : float
        Size of the attack at test time.
    train_radius_ : float or ndarray of shape (n_targets,)
        Attack size that won.
    train_norm_ : Norm or list of Norm
        Norm that won; one per target.
    train_radii_ : ndarray of shape (n_norms, n_radii) or (n_targets, n_norms, n_radii)
        Attack sizes that were compared.
    adv_mse_path_ : ndarray of shape (n_norms, n_radii) or (n_targets, n_norms, n_radii)
        Held-out adversarial mean squared error of each, at `radius` and `norm`.
    dual_norm_ : float or ndarray of shape (n_targets,)
        Dual norm of the coefficients.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if X had any.

    See Also
    --------
    AdversarialRidge : Without held-out rows; its default scale is corrected in closed form.

    References
    ----------
    Scetbon, Dohmatob, Robust Linear Regression: Gradient-descent, Early-stopping, and Beyond, 2023
    (the paths of models that are compared; the choice on held-out rows is ours).

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.preprocessing import scale
    >>> from skparietal import AdversarialRidgeCV
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = AdversarialRidgeCV(radius=0.1, train_norms=["l2", "linf"]).fit(scale(X), y)
    >>> model.adversarial_score(scale(X), y)
    0.45...
    """

    _parameter_constraints: dict = {
        "radius": RADIUS_CONSTRAINTS,
        "norm": NORM_CONSTRAINTS,
        "train_radii": ["array-like", Interval(Integral, 2, None, closed="left")],
        "train_norms": [list, tuple, None],
        "cv": ["cv_object"],
        "fit_intercept": ["boolean"],
    }

    def __init__(
        self,
        radius=0.1,
        *,
        norm="l2",
        train_radii=50,
        train_norms=None,
        cv=5,
        fit_intercept=True,
    ):
        self.radius = radius
        self.norm = norm
        self.train_radii = train_radii
        self.train_norms = train_norms
        self.cv = cv
        self.fit_intercept = fit_intercept

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Choose the training attack and fit to all rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets; each is attacked, and tuned, on its own.
        sample_weight : array-like of shape (n_samples,), default=None
            Frequency weights, in the fits and in the held-out errors.

        Returns
        -------
        self : AdversarialRidgeCV
            Fitted model.
        """
        X, y = validate_data(
            self, X, y, dtype=[np.float64, np.float32], multi_output=True, y_numeric=True
        )
        if len(X) < 2:
            raise ValueError("cross-validation needs at least 2 samples, got n_samples=1.")
        weights = check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        norm = check_norm(self.norm, X.shape[1])
        norms = [norm] if self.train_norms is None else self.train_norms
        if len(norms) == 0:
            raise ValueError("train_norms must hold at least one norm.")
        norms = [check_norm(candidate, X.shape[1]) for candidate in norms]
        Y = y.reshape(len(y), -1)
        paths = [_Paths(X, Y, weights, candidate, self.fit_intercept) for candidate in norms]
        radii = np.stack([self._radii(path) for path in paths], axis=1)
        errors = self._held_out_errors(X, Y, weights, norm, norms, radii)
        winners = [np.unravel_index(np.argmin(error), error.shape) for error in errors]
        fits = [
            paths[i].coefficients(radii[k, i, j : j + 1], k) for k, (i, j) in enumerate(winners)
        ]
        coef = np.array([fit[0][0] for fit in fits])
        intercept = np.array([fit[1][0] for fit in fits])
        chosen = np.array([radii[k, i, j] for k, (i, j) in enumerate(winners)])
        single = y.ndim == 1
        self.coef_ = (coef[0] if single else coef).astype(X.dtype)
        self.intercept_ = intercept.astype(X.dtype)[0] if single else intercept.astype(X.dtype)
        self.train_radius_ = chosen[0] if single else chosen
        self.train_norm_ = norms[winners[0][0]] if single else [norms[i] for i, _ in winners]
        self.train_radii_ = radii[0] if single else radii
        self.adv_mse_path_ = errors[0] if single else errors
        dual = np.atleast_1d(norm.dual.norm(coef))
        self.dual_norm_ = dual[0] if single else dual
        self.radius_ = float(self.radius)
        warn_of_unequal_columns(np.ptp(X[weights > 0], axis=0), self.norm)
        return self

    def _radii(self, paths):
        """Attack sizes (n_targets, n_radii) of one norm, in the units of X."""
        if not isinstance(self.train_radii, Integral):
            radii = np.asarray(self.train_radii, dtype=float)
            if radii.ndim != 1 or not np.all(np.isfinite(radii)) or np.any(radii < 0):
                raise ValueError("train_radii must be one row of finite numbers >= 0.")
            return np.tile(radii, (len(paths.problems), 1))
        top = np.array([collapse_radius(p.loss, p.norm, p.kind) for p in paths.problems])
        top = np.where(top > 0, top, 1.0) * paths.rows.x_scale
        return np.multiply.outer(top, np.geomspace(SMALLEST_SHARE, 1, self.train_radii))

    def _held_out_errors(self, X, Y, weights, norm, norms, radii):
        """Adversarial mean squared errors (n_targets, n_norms, n_radii)."""
        errors, total = np.zeros_like(radii), 0.0
        cv = KFold(min(self.cv, len(X))) if isinstance(self.cv, Integral) else check_cv(self.cv)
        for train, test in cv.split(X, Y):
            if not weights[train].any() or not weights[test].any():
                continue
            total += weights[test].sum()
            for i, candidate in enumerate(norms):
                paths = _Paths(X[train], Y[train], weights[train], candidate, self.fit_intercept)
                for k in range(Y.shape[1]):
                    coef, intercept = paths.coefficients(radii[k, i], k)
                    residual = Y[test, k, None] - X[test] @ coef.T - intercept
                    worst = worst_case_residual(residual, norm.dual.norm(coef), self.radius)
                    errors[k, i] += weights[test] @ worst**2
        return errors / total


class _Paths:
    """Paths of all targets for one training norm."""

    def __init__(self, X, Y, weights, norm, fit_intercept):
        self.rows = rows = ScaledRows.of(X, Y, weights, norm, fit_intercept)
        euclidean = getattr(rows.norm, "p", None) == 2
        self.problems = []
        for k in range(Y.shape[1]):
            loss = rows.loss(k, with_basis=euclidean)
            shared = rows.basis if euclidean and loss.gram is not None else None
            path = frontier_path(loss, rows.norm, shared)
            self.problems.append(
                AttackProblem(
                    loss=loss,
                    path=path,
                    norm=rows.norm,
                    kind=GaussianRisk,
                    n_samples=rows.weights.sum(),
                    intercept=fit_intercept,
                    corrected=False,
                    excess=None,
                    options={"solver": "auto", "tol": 1e-6, "max_iter": 5000},
                )
            )

    def coefficients(self, radii, k):
        """Coefficients (n_radii, n_features) and intercepts (n_radii,) of target k."""
        points, _ = self.problems[k].minimize(self.rows.radius(radii))
        coef = self.rows.coef(np.array([point.coef for point in points]), k)
        return coef, self.rows.intercept(coef, k)
