"""Gradient descent on least squares that stops when the attack asks for it."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, _fit_context
from sklearn.model_selection import KFold, ShuffleSplit, check_cv
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import (
    _num_samples,
    check_is_fitted,
    validate_data,
)

from skparietal._compat import check_sample_weight
from skparietal.adversarial_risk import GaussianRisk, worst_case_residual
from skparietal.estimators.robustness._linear import (
    NORM_CONSTRAINTS,
    RADIUS_CONSTRAINTS,
    AttackedLinearModel,
)
from skparietal.moments import Moments
from skparietal.norms import check_norm
from skparietal.solvers.adversarial_least_squares import minimize_adversarial_risk
from skparietal.solvers.frontier import locate_radius
from skparietal.solvers.gradient_flow import GradientFlow, tangent_preconditioner
from skparietal.solvers.quadratic_loss import QuadraticLoss, eigenbasis
from skparietal.solvers.ridge_path import RidgePath

# Times with more than this share of n degrees of freedom are left out by stopping="gcv".
GCV_CAP = 0.7

HELD_OUT = ("validation", "cv", "clean")


def _keeps_no_rows(model):
    if model.stopping in HELD_OUT:
        raise AttributeError(
            f"stopping={model.stopping!r} needs rows to hold out, and partial_fit keeps none: use "
            "'plugin', 'gcv', 'theory' or 'fixed'."
        )
    return True


class EarlyStoppedRobustGD(AttackedLinearModel, BaseEstimator):
    """Least squares by gradient descent from zero, stopped for robustness to attacks.

    Stopping early keeps the coefficients small, which is what an attack is paid in. The whole path
    is known in closed form from one eigendecomposition, so that every stopping time is compared.
    Works on batches (`partial_fit`) and on models of several machines (`merge`), exactly.

    Parameters
    ----------
    radius : float, default=0.1
        Size of the attack in the units of X.
    norm : {"l1", "l2", "linf"}, float or Norm, default="l2"
        Norm of the attack.
    preconditioner : {"auto", "identity"} or array-like, default="auto"
        Learning rates: one per feature, or a positive definite matrix. "auto": none for Euclidean
        attacks, the matrix of a Mahalanobis attack, the size of the coefficients of the robust
        solution for linf, lp (p > 2) and group attacks; none for others.
    stopping : {"plugin", "gcv", "validation", "cv", "clean", "fixed", "theory"}, default="plugin"
        What picks the time. "plugin": Gaussian adversarial risk at the training error; "gcv": the
        same, corrected for the degrees of freedom; "validation" and "cv": exact adversarial error
        on held-out rows; "clean": error without an attack on one held-out part; "fixed": `time`;
        "theory": one over the penalty of the best ridge, without a search.
    time : float, default=None
        Stopping time for stopping="fixed", in units of one over variance; inf is least squares.
    n_times : int, default=200
        Size of the grid of times.
    learning_rate : float, default=None
        None for gradient flow, that is infinitely small steps; otherwise the step, below 2 over the
        largest eigenvalue of the (preconditioned) covariance.
    max_iter : int, default=10000
        Largest number of steps with a learning rate.
    validation_fraction : float, default=0.2
        Share of the rows held out by "validation" and "clean".
    cv : int, cross-validation generator or iterable, default=5
        Splits of stopping="cv".
    fit_intercept : bool, default=True
        Whether an intercept is fitted; no attack changes it.
    random_state : int, RandomState instance or None, default=None
        Of the split of "validation" and "clean".

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
        Coefficients at the stopping time.
    intercept_ : float or ndarray of shape (n_targets,)
        Intercept.
    stopping_time_ : float or ndarray of shape (n_targets,)
        Time, the number of steps times the learning rate.
    n_iter_ : int or ndarray of shape (n_targets,)
        Steps taken; with gradient flow, the number of times compared.
    times_ : ndarray of shape (n_grid,)
        Grid of times, with 0 and inf.
    coef_path_ : ndarray of shape (n_grid, n_features) or (n_grid, n_targets, n_features)
        Coefficients at every time.
    risk_path_, rmse_path_, dual_norm_path_ : ndarray of shape (n_grid,) or (n_grid, n_targets)
        What the time was chosen by (adversarial mean squared error), the training error and the
        dual norm.
    preconditioner_ : ndarray of shape (n_features,) or (n_features, n_features)
        Learning rates; with several targets, a list.
    eigenvalues_ : ndarray of shape (rank,)
        Of the preconditioned covariance; with several targets, a list.
    dual_norm_ : float or ndarray of shape (n_targets,)
        Dual norm of the coefficients.
    radius_ : float
        Size of the attack.
    n_samples_seen_ : float
        Sum of the sample weights so far.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if X had any.

    See Also
    --------
    AdversarialRidge : The optimum itself, at the same cost when all rows fit into memory.

    Notes
    -----
    For Euclidean attacks the flow at time t has at most the error of ridge with penalty 1/t and at
    most 1.2985 times its norm, so that the best time is within 1.6862 of the optimal risk (in the
    population; the constant is that of Ali, Kolter and Tibshirani for the prediction risk). In
    simulations the ratio stays below 1.06. For other norms plain descent can be arbitrarily bad,
    and preconditioning repairs it: with the matrix of a Mahalanobis attack the same bound holds.

    References
    ----------
    Scetbon, Dohmatob, Robust Linear Regression: Gradient-descent, Early-stopping, and Beyond, 2023.
    Ali, Kolter, Tibshirani, A continuous-time view of early stopping for least squares, 2019.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.preprocessing import scale
    >>> from skparietal import EarlyStoppedRobustGD
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = EarlyStoppedRobustGD(radius=0.3).fit(scale(X), y)
    >>> model.adversarial_score(scale(X), y)
    0.333...
    >>> bool(model.stopping_time_ < model.times_[-1])
    True
    """

    _parameter_constraints: dict = {
        "radius": RADIUS_CONSTRAINTS,
        "norm": NORM_CONSTRAINTS,
        "preconditioner": [StrOptions({"auto", "identity"}), "array-like"],
        "stopping": [StrOptions({"plugin", "gcv", "fixed", "theory", *HELD_OUT})],
        "time": [Interval(Real, 0, None, closed="both"), None],
        "n_times": [Interval(Integral, 2, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither"), None],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "cv": ["cv_object"],
        "fit_intercept": ["boolean"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        radius=0.1,
        *,
        norm="l2",
        preconditioner="auto",
        stopping="plugin",
        time=None,
        n_times=200,
        learning_rate=None,
        max_iter=10_000,
        validation_fraction=0.2,
        cv=5,
        fit_intercept=True,
        random_state=None,
    ):
        self.radius = radius
        self.norm = norm
        self.preconditioner = preconditioner
        self.stopping = stopping
        self.time = time
        self.n_times = n_times
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.validation_fraction = validation_fraction
        self.cv = cv
        self.fit_intercept = fit_intercept
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Fit to all rows at once.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Frequency weights: weight 2 is the row twice.

        Returns
        -------
        self : EarlyStoppedRobustGD
            Fitted model.
        """
        X, y, sample_weight = self._check(X, y, sample_weight, reset=True)
        moments = _moments(X, y, sample_weight)
        held_out = None
        if self.stopping in HELD_OUT:
            held_out = self._held_out_errors(X, y, sample_weight, moments)
        return self._solve(moments, X.dtype, y.ndim == 1, held_out)

    @available_if(_keeps_no_rows)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, sample_weight=None):
        """Add a batch; the model is that of a fit to all batches at once.

        Keeps O(n_features^2) numbers and no rows. Each call solves an eigenvalue problem, so that
        batches should not be much smaller than the number of features.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Frequency weights.

        Returns
        -------
        self : EarlyStoppedRobustGD
            Fitted model.

        Raises
        ------
        AttributeError
            If `stopping` needs held-out rows, which a stream does not keep.
        """
        first = not hasattr(self, "_moments")
        X, y, sample_weight = self._check(X, y, sample_weight, reset=first)
        moments = _moments(X, y, sample_weight)
        if not first:
            if len(moments.y_mean) != len(self._moments.y_mean):
                raise ValueError(
                    f"y has {len(moments.y_mean)} targets, but {len(self._moments.y_mean)} before."
                )
            moments = self._moments.merge(moments)
        return self._solve(moments, X.dtype, y.ndim == 1)

    def merge(self, other):
        """Add what another model has seen, as if its rows had been given to this one.

        Parameters
        ----------
        other : EarlyStoppedRobustGD
            Model fitted to rows with the same columns.

        Returns
        -------
        self : EarlyStoppedRobustGD
            Fitted model.
        """
        check_is_fitted(self)
        check_is_fitted(other)
        mine, theirs = self._moments, other._moments
        if mine.xy.shape != theirs.xy.shape:
            raise ValueError(
                f"other has (features, targets) {theirs.xy.shape}, but this model {mine.xy.shape}."
            )
        if self.stopping in HELD_OUT:
            raise ValueError(f"stopping={self.stopping!r} needs rows; use 'plugin' or 'gcv'.")
        return self._solve(mine.merge(theirs), self.coef_.dtype, self.coef_.ndim == 1)

    def _check(self, X, y, sample_weight, reset):
        if self.stopping == "fixed" and self.time is None:
            raise ValueError("stopping='fixed' needs a time.")
        X, y = validate_data(
            self,
            X,
            y,
            reset=reset,
            dtype=[np.float64, np.float32],
            multi_output=True,
            y_numeric=True,
        )
        if sample_weight is not None:
            sample_weight = check_sample_weight(sample_weight, X, ensure_non_negative=True)
        return X, y, sample_weight

    def _solve(self, moments, dtype, single, held_out=None):
        norm = check_norm(self.norm, len(moments.x_mean))
        centred = moments if self.fit_intercept else moments.about_origin()
        shared = held_out[0] if held_out else None
        paths = [self._path(centred, k, norm, shared) for k in range(len(moments.y_mean))]
        if held_out:
            for k, path in enumerate(paths):
                path["risk"] = held_out[1][k]
        best = [self._stop(path) for path in paths]
        coef = np.array([path["coef"][i] for path, i in zip(paths, best)])
        stacked = {key: np.stack([p[key] for p in paths], axis=1) for key in PATH_KEYS}
        stopping_time = np.array([path["times"][i] for path, i in zip(paths, best)])
        statistics = {
            "intercept_": (centred.y_mean - coef @ centred.x_mean).astype(dtype),
            "stopping_time_": stopping_time,
            "dual_norm_": np.atleast_1d(norm.dual.norm(coef)),
            "n_iter_": self._steps(stopping_time, paths),
        }
        for name, values in statistics.items():
            setattr(self, name, values[0] if single else values)
        self.coef_ = (coef[0] if single else coef).astype(dtype)
        for key, values in stacked.items():
            setattr(self, f"{key}_path_", values[:, 0] if single else values)
        rates, values = [p["rates"] for p in paths], [p["eigenvalues"] for p in paths]
        self.times_ = paths[0]["times"] if single else np.stack([p["times"] for p in paths], axis=1)
        self.preconditioner_ = rates[0] if single else rates
        self.eigenvalues_ = values[0] if single else values
        self.radius_ = float(self.radius)
        self.n_samples_seen_ = moments.weight
        self._moments = moments
        return self

    def _steps(self, times, paths):
        if self.learning_rate is None:
            return np.array([len(path["times"]) for path in paths])
        steps = np.where(np.isinf(times), self.max_iter, np.round(times / self.learning_rate))
        return np.maximum(steps, 1).astype(int)

    def _path(self, moments, k, norm, times=None):
        """Everything along the path of one target."""
        flow, transform, floor, rates = self._flow(moments, k, norm)
        grid = flow.grid(self.n_times, self.max_iter) if times is None else times
        chosen = self._named_time(flow, transform, norm, floor)
        if chosen is not None:
            grid = np.unique(np.append(grid, chosen))
        coef = _apply(transform, flow.coef(grid))
        clean, dual = np.sqrt(flow.excess(grid) + floor), norm.dual.norm(coef)
        share = 1.0
        if self.stopping == "gcv":
            df = flow.degrees_of_freedom(grid) + self.fit_intercept
            share = np.where(df <= GCV_CAP * moments.weight, 1 - df / moments.weight, 0.0)
            share[0] = 1.0
        with np.errstate(divide="ignore", invalid="ignore"):
            risk = GaussianRisk(self.radius).value(clean / share, dual)
        return {
            "times": grid,
            "coef": coef,
            "rmse": clean,
            "dual_norm": dual,
            "risk": np.where(np.isnan(risk), np.inf, risk),
            "rates": rates,
            "eigenvalues": flow.basis.values,
            "chosen": chosen,
        }

    def _stop(self, path):
        if path["chosen"] is not None:
            return int(np.searchsorted(path["times"], path["chosen"]))
        return int(np.argmin(path["risk"]))

    def _named_time(self, flow, transform, norm, floor):
        """Time that needs no search, or None."""
        if self.stopping == "fixed":
            return self._whole_steps(self.time)
        if self.stopping != "theory" or len(flow.basis.values) == 0:
            return None
        # In the preconditioned variables the ellipsoid is a ball: its ridge path is the frontier.
        loss = QuadraticLoss(
            flow.basis.solve(flow.basis.vectors @ flow.coordinates), floor, gram=transform
        )
        size = norm.dual.norm(_apply(transform, loss.center))
        euclidean = np.linalg.norm(loss.center)
        scale = size / euclidean if euclidean > 0 else 1.0
        position, _ = locate_radius(
            RidgePath(loss, flow.basis), GaussianRisk(np.array([self.radius * scale]))
        )
        return self._whole_steps(float(np.exp(position[0])))

    def _whole_steps(self, time):
        if self.learning_rate is None or np.isinf(time):
            return time
        return self.learning_rate * round(time / self.learning_rate)

    def _flow(self, moments, k, norm):
        """Flow of one target, its variables, the noise floor and the learning rates."""
        gram, correlation = moments.xx / moments.weight, moments.xy[:, k] / moments.weight
        transform, rates = self._transform(gram, correlation, moments, k, norm)
        inner = _conjugate(transform, gram)
        pulled = correlation if transform is None else transform.T @ correlation
        if transform is not None and transform.ndim == 1:
            pulled = transform * correlation
        basis = eigenbasis(gram=inner)
        if self.learning_rate is not None and len(basis.values):
            limit = 2 / basis.values[-1]
            if self.learning_rate >= limit:
                raise ValueError(
                    f"learning_rate={self.learning_rate:g} diverges: it must be below {limit:.3g}, "
                    "2 over the largest eigenvalue of the covariance."
                )
        flow = GradientFlow(basis, pulled, self.learning_rate)
        explained = np.sum(flow.coordinates**2 / basis.values)
        return flow, transform, _floor(moments.yy[k] / moments.weight, explained), rates

    def _transform(self, gram, correlation, moments, k, norm):
        """Root of the preconditioner (None, a vector or a matrix) and the preconditioner."""
        d = len(gram)
        if not isinstance(self.preconditioner, str):
            return _root(np.asarray(self.preconditioner, dtype=float), d)
        if self.preconditioner == "identity":
            return None, np.ones(d)
        base, transform = norm.reduce()
        inner = _conjugate(transform, gram)
        basis = eigenbasis(gram=inner)
        pulled = _apply(None if transform is None else transform.T, correlation)
        center = basis.solve(pulled)
        floor = _floor(moments.yy[k] / moments.weight, center @ pulled)
        tangent = None
        if tangent_preconditioner(base, center) is not None and center.any():
            target = self._robust_coef(center, floor, inner, base)
            tangent = np.sqrt(tangent_preconditioner(base, target if target.any() else center))
        if tangent is not None:
            transform = tangent if transform is None else transform * tangent
        if transform is None:
            return None, np.ones(d)
        return transform, transform**2 if transform.ndim == 1 else transform @ transform.T

    def _robust_coef(self, center, floor, gram, norm):
        """Minimiser of the Gaussian risk, solved in units where nothing overflows."""
        unit = np.sqrt(np.max(np.diagonal(gram)))
        size = np.max(np.abs(center)) * unit
        loss = QuadraticLoss(center * (unit / size), floor / size**2, gram=gram / unit**2)
        risk = GaussianRisk(self.radius / unit)
        return minimize_adversarial_risk(loss, norm, risk).coef * (size / unit)

    def _held_out_errors(self, X, y, sample_weight, moments):
        """Grid of times and held-out adversarial errors (n_targets, n_times) on it."""
        if _num_samples(X) < 2:
            raise ValueError(
                f"stopping={self.stopping!r} needs at least 2 samples, got n_samples=1."
            )
        norm = check_norm(self.norm, X.shape[1])
        centred = moments if self.fit_intercept else moments.about_origin()
        times = self._path(centred, 0, norm)["times"]
        radius = 0.0 if self.stopping == "clean" else self.radius
        weights = np.ones(len(X)) if sample_weight is None else sample_weight
        errors = np.zeros((len(moments.y_mean), len(times)))
        for train, test in self._splits(X, y):
            if not weights[train].any() or not weights[test].any():
                continue
            fold = _moments(X[train], y[train], weights[train])
            fold = fold if self.fit_intercept else fold.about_origin()
            for k in range(len(errors)):
                path = self._path(fold, k, norm, times)
                intercept = fold.y_mean[k] - path["coef"] @ fold.x_mean
                target = y[test] if y.ndim == 1 else y[test][:, k]
                residual = target[:, None] - X[test] @ path["coef"].T - intercept
                worst = worst_case_residual(residual, path["dual_norm"], radius)
                errors[k] += weights[test] @ worst**2
        return times, errors / weights.sum()

    def _splits(self, X, y):
        if self.stopping == "cv":
            splitter = check_cv(self.cv)
            if isinstance(self.cv, Integral):
                splitter = KFold(min(self.cv, len(X)))
        else:
            splitter = ShuffleSplit(
                1, test_size=self.validation_fraction, random_state=self.random_state
            )
        return splitter.split(X, y)


PATH_KEYS = ("coef", "risk", "rmse", "dual_norm")


def _moments(X, y, sample_weight):
    return Moments.of(X.astype(np.float64), y.astype(np.float64), sample_weight)


def _floor(variance, explained):
    """Unexplained variance; 0 where it is the rounding of the difference."""
    floor = variance - explained
    return floor if floor > 1e-12 * variance else 0.0


def _apply(transform, coef):
    """Coefficients (..., n_features) in the original variables."""
    if transform is None:
        return coef
    return coef * transform if transform.ndim == 1 else coef @ transform.T


def _conjugate(transform, gram):
    if transform is None:
        return gram
    if transform.ndim == 1:
        return transform[:, None] * gram * transform
    return transform.T @ gram @ transform


def _root(preconditioner, n_features):
    if preconditioner.shape == (n_features,) and np.all(preconditioner > 0):
        return np.sqrt(preconditioner), preconditioner
    if preconditioner.shape == (n_features, n_features):
        try:
            return np.linalg.cholesky(preconditioner), preconditioner
        except np.linalg.LinAlgError:
            pass
    raise ValueError(
        f"preconditioner must be {n_features} positive rates or a positive definite matrix of that "
        f"size, got shape {preconditioner.shape}."
    )
