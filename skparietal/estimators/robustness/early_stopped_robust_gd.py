"""Gradient descent on least squares that stops when the attack asks for it."""

import warnings
from dataclasses import replace
from functools import partial
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, _fit_context
from sklearn.model_selection import KFold, ShuffleSplit, check_cv
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from skparietal._compat import CallbackSupportMixin, check_sample_weight, with_callbacks
from skparietal.estimators.robustness._descent import DataUnits, descent_problems
from skparietal.estimators.robustness._descent_listener import DescentListener
from skparietal.estimators.robustness._linear import (
    LARGEST_RADIUS,
    NORM_CONSTRAINTS,
    RADIUS_CONSTRAINTS,
    AttackedLinearModel,
    warn_of_unequal_columns,
)
from skparietal.norms import check_norm

HELD_OUT = ("validation", "cv", "clean")


def _keeps_no_rows(model):
    if model.stopping in HELD_OUT:
        raise AttributeError(
            f"stopping={model.stopping!r} needs rows to hold out, and partial_fit keeps none: use "
            "'gcv', 'plugin', 'theory' or 'fixed'."
        )
    return True


class EarlyStoppedRobustGD(CallbackSupportMixin, AttackedLinearModel, BaseEstimator):
    """Least squares by gradient descent from zero, stopped for robustness to attacks.

    Stopping early keeps the coefficients small, which is what an attack is paid in. The whole path
    is known in closed form from one eigendecomposition, so that every stopping time is compared.
    Works on batches (`partial_fit`) and on models of several machines (`merge`), exactly. In `fit`,
    scikit-learn's callbacks see the model of every time, and one that asks to stop sets the time.

    Parameters
    ----------
    radius : float, default=0.1
        Size of the attack in the units of X.
    norm : {"l1", "l2", "linf"}, float or Norm, default="l2"
        Norm of the attack.
    preconditioner : {"auto", "identity"} or array-like, default="auto"
        Learning rates: one per feature, or a positive definite matrix. "auto": none for Euclidean
        attacks, the matrix of a Mahalanobis attack; for linf, lp (p > 2) and group attacks the
        relative sizes of the coefficients of the robust solution, for l1 attacks a matrix made of
        them; none for others.
    stopping : {"gcv", "plugin", "validation", "cv", "clean", "fixed", "theory"}, default="gcv"
        What picks the time. "gcv": Gaussian adversarial risk at the training error, corrected for
        the degrees of freedom by generalised cross-validation; "plugin": the same without the
        correction, for tables of many more rows than features, or whose moments are exact; "cv" and
        "validation": exact adversarial error on held-out rows, for tables with a few rows of high
        leverage; "theory": one over the penalty of the best ridge at the training error, without a
        search; "clean": error without an attack on one held-out part, for comparison; "fixed":
        `time`.
    time : float, default=None
        Stopping time for stopping="fixed", in units of one over variance; inf is least squares.
    n_times : int, default=200
        Size of the grid of times.
    learning_rate : float, default=None
        None for gradient flow, that is infinitely small steps; otherwise the step, below 2 over the
        largest eigenvalue of the (preconditioned) covariance, a tenth of 1 over it for the bound of
        the flow to hold nearly.
    max_iter : int, default=10000
        Largest number of steps with a learning rate.
    validation_fraction : float, default=0.2
        Share of the rows held out by "validation" and "clean".
    cv : int, cross-validation generator or iterable, default=5
        Splits of stopping="cv". An int is that many contiguous folds, as everywhere in
        scikit-learn: give ``KFold(5, shuffle=True)`` when the rows are sorted.
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
    The risk that the time is chosen by is s^2 + r^2 b^2 + 2 sqrt(2/pi) r s b, s the clean root mean
    squared error and b the dual norm of the coefficients; "gcv" divides the training error s by
    1 - df / n, where df counts the share of each direction that is learned. It leaves out times at
    which df is more than 90 % of n, and, where rates follow a robust solution, those after the
    predictions of that solution are met.

    For Euclidean attacks the flow at time t has at most the error of ridge with penalty 1/t and at
    most 1.2985 times its norm, so that the best time is within 1.6862 of the optimal risk (in the
    population; the constant is that of Ali, Kolter and Tibshirani for the prediction risk). In
    simulations the ratio stays below 1.06. For other norms plain descent can be arbitrarily bad,
    and preconditioning repairs it: with the matrix of a Mahalanobis attack the same bound holds.
    For l1, linf, lp (p > 2) and group attacks the ellipsoid of the preconditioner is inside the
    ball of the dual norm and touches it at the robust solution, which makes the bound hold as well:
    this and "gcv" are extensions of ours.

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
        stopping="gcv",
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

    @with_callbacks
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
        units = DataUnits.of(X, y)
        moments = units.moments(X, y, sample_weight)
        held_out = None
        if self.stopping in HELD_OUT:
            held_out = self._held_out_errors(X, y, sample_weight, moments, units)
        listener = DescentListener(self, X, y, sample_weight)
        return self._solve(moments, units, X.dtype, y.ndim == 1, held_out, listener)

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
        units = DataUnits.of(X, y) if first else self._units
        n_targets = 1 if y.ndim == 1 else y.shape[1]
        if n_targets != len(units.y):
            raise ValueError(f"y has {n_targets} targets, but {len(units.y)} before.")
        moments = units.moments(X, y, sample_weight)
        if not first:
            moments = self._moments.merge(moments)
        return self._solve(moments, units, X.dtype, y.ndim == 1)

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
            raise ValueError(f"stopping={self.stopping!r} needs rows; use 'gcv' or 'plugin'.")
        moments = mine.merge(self._units.convert(theirs, other._units))
        return self._solve(moments, self._units, self.coef_.dtype, self.coef_.ndim == 1)

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

    def _solve(self, moments, units, dtype, single, held_out=None, listener=None):
        problems = self._problems(moments, units)
        chosen = [self._named_time(problem, units) for problem in problems]
        if held_out:
            paths = [
                replace(problem.path(times, False), risk=risk)
                for problem, (times, risk) in zip(problems, held_out)
            ]
        else:
            grids = self._grids(problems, chosen)
            paths = [p.path(grid, self.stopping == "gcv") for p, grid in zip(problems, grids)]
        best = [
            int(np.argmin(path.risk) if time is None else np.searchsorted(path.times, time))
            for path, time in zip(paths, chosen)
        ]
        model = partial(self._model, moments, units, paths, dtype, single)
        if listener is not None:
            best = listener.watch(model, best, len(paths[0].times))
        vars(self).update(model(best))
        self._store_paths(units, problems, paths, dtype, single)
        self.n_samples_seen_ = moments.weight
        self._moments, self._units = moments, units
        if listener is not None:
            listener.close(model, best)
        self._warn(problems)
        return self

    def _model(self, moments, units, paths, dtype, single, best):
        """Fitted attributes of one stopping time per target, in the units of the data."""
        centred, targets = self._centred(moments), np.arange(len(best))
        coef = np.array([path.coef[i] for path, i in zip(paths, best)])
        intercept = (centred.y_mean - coef @ centred.x_mean) * units.y
        with np.errstate(over="ignore", invalid="ignore"):
            scale = units.y / units.x
            coef = coef * scale[:, None]
        if not np.all(np.isfinite(coef)):
            raise ValueError("The coefficients overflow: y is too large for X. Rescale either.")
        times = np.array([path.times[i] for path, i in zip(paths, best)])
        fitted = {
            "coef_": coef.astype(dtype),
            "intercept_": intercept.astype(dtype),
            "stopping_time_": units.times(times),
            "n_iter_": self._steps(units.times(times), len(paths[0].times)),
            "dual_norm_": np.array([paths[k].dual_norm[best[k]] for k in targets]) * scale,
        }
        fitted = {name: value[0] if single else value for name, value in fitted.items()}
        return {**fitted, "radius_": float(self.radius)}

    def _store_paths(self, units, problems, paths, dtype, single):
        """Set what belongs to all times, in the units of the data."""
        along = {
            name: np.stack([getattr(path, name) for path in paths], axis=1)
            for name in ("times", "coef", "risk", "rmse", "dual_norm")
        }
        scale = units.y / units.x
        with np.errstate(over="ignore", under="ignore"):
            risk = along["risk"] * units.y * units.y
            values = [p.flow.basis.values * units.x * units.x for p in problems]
        fitted = {
            "times_": units.times(along["times"]),
            "coef_path_": (along["coef"] * scale[:, None]).astype(dtype),
            "risk_path_": risk,
            "rmse_path_": along["rmse"] * units.y,
            "dual_norm_path_": along["dual_norm"] * scale,
        }
        for name, value in fitted.items():
            setattr(self, name, value[:, 0] if single else value)
        rates = [problem.preconditioner for problem in problems]
        self.preconditioner_ = rates[0] if single else rates
        self.eigenvalues_ = values[0] if single else values

    def _warn(self, problems):
        moments = self._centred(self._moments)
        spread = np.sqrt(np.diagonal(moments.xx) / moments.weight) * self._units.x
        warn_of_unequal_columns(spread, self.norm, stacklevel=5)
        if self.stopping == "fixed":
            return
        collapsed = ~np.atleast_2d(self.coef_).any(axis=1)
        limits = [p.collapse_radius for p, zero in zip(problems, collapsed) if zero]
        limits = [limit * self._units.x for limit in limits if 0 < limit <= problems[0].radius]
        if limits:
            warnings.warn(
                f"All coefficients are zero: radius={self.radius:g} is not below {min(limits):.3g}"
                ", where an attack leaves nothing to learn. The radius is in the units of X.",
                UserWarning,
                stacklevel=5,
            )

    def _centred(self, moments):
        return moments if self.fit_intercept else moments.about_origin()

    def _steps(self, times, n_times):
        if self.learning_rate is None:
            return np.full(len(times), n_times)
        steps = np.where(np.isinf(times), self.max_iter, np.round(times / self.learning_rate))
        return np.maximum(steps, 1).astype(int)

    def _problems(self, moments, units):
        """One descent per target, in scaled units."""
        rate = None if self.learning_rate is None else self.learning_rate * units.x * units.x
        return descent_problems(
            self._centred(moments),
            check_norm(self.norm, len(moments.x_mean)),
            min(self.radius / units.x, LARGEST_RADIUS),
            preconditioner=self.preconditioner,
            learning_rate=rate,
            # The others take the training error at its word, and their guarantee holds for it.
            corrected=self.stopping not in ("plugin", "theory", "fixed"),
            intercept=self.fit_intercept,
        )

    def _grids(self, problems, chosen):
        """Times of each target, of one length: inf repeats itself at the end of shorter ones."""
        grids = [problem.flow.grid(self.n_times, self.max_iter) for problem in problems]
        if chosen[0] is not None:
            grids = [np.unique(np.append(grid, time)) for grid, time in zip(grids, chosen)]
        length = max(len(grid) for grid in grids)
        return [np.pad(grid, (0, length - len(grid)), mode="edge") for grid in grids]

    def _named_time(self, problem, units):
        """Time that needs no search, in scaled units, or None."""
        if self.stopping == "fixed":
            time = self.time * units.x * units.x
        elif self.stopping == "theory":
            time = problem.flow.ridge_time(problem.norm, problem.radius, problem.floor)
        else:
            return None
        rate = problem.flow.learning_rate
        return time if rate is None or np.isinf(time) else rate * round(time / rate)

    def _held_out_errors(self, X, y, sample_weight, moments, units):
        """Grid of times and held-out adversarial errors on it, for each target."""
        if len(X) < 2:
            raise ValueError(
                f"stopping={self.stopping!r} needs at least 2 samples, got n_samples=1."
            )
        problems = self._problems(moments, units)
        grids = self._grids(problems, [None])
        radius = 0.0 if self.stopping == "clean" else problems[0].radius
        weights = np.ones(len(X)) if sample_weight is None else sample_weight
        rows, targets = X / units.x, y.reshape(len(y), -1) / units.y
        errors, total = np.zeros((len(grids), len(grids[0]))), 0.0
        for train, test in self._splits(X, y):
            if not weights[train].any() or not weights[test].any():
                continue
            fold = units.moments(X[train], y[train], weights[train])
            total += weights[test].sum()
            for k, problem in enumerate(self._problems(fold, units)):
                errors[k] += problem.path(grids[k], False).held_out_error(
                    self._centred(fold), k, rows[test], targets[test, k], weights[test], radius
                )
        if total == 0:
            raise ValueError(f"stopping={self.stopping!r} has no split with weight on both sides.")
        return list(zip(grids, errors / total))

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
