"""Scaling laws of learning curves: have they bent, and how much would more data help."""

import warnings
from numbers import Integral, Real

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm
from scipy.stats import t as student_t
from sklearn.base import BaseEstimator, RegressorMixin, _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import (
    check_is_fitted,
    check_non_negative,
    validate_data,
)

from skparietal._compat import check_sample_weight
from skparietal.estimators.tails._error_table import (
    centred_logs,
    check_bounds,
    column_scales,
    merge_equal_rows,
)
from skparietal.scaling_laws import ONE_COLUMN_LAWS, AdditiveLaw, CallableLaw
from skparietal.solvers.tails.law_fit import descend, fit_law

_SATURATING = ("power_plateau", "tail_cut", "finite_generator", "mixed")
LARGEST_LOG_SIZE = 600.0  # beyond, no size is a float
# Four laws with more constants compete: with 4, the difference that is often called clear, one pure
# power law in fifteen got a plateau.
_DOUBT = 6.0


class ScalingLawRegressor(RegressorMixin, BaseEstimator):
    """Error as a law of the training size, fitted robustly to a few noisy measurements.

    A learning curve either follows a power law or bends: onto a plateau that no more data of the
    same kind lowers (rows of a generator that lost the tail of the real distribution do that), or
    onto a plateau that real rows among them end. The laws, of a size x:

    ===================  =========================================================================
    "power"              a x^-c
    "power_plateau"      e + a x^-c; with several columns e + sum_j a_j x_j^-c_j
    "tail_cut"           a (x^-c Q(c, x/T) + T^-c / Gamma(1 + c)): rare inputs are cut
    "finite_generator"   a (T (1 - exp(-x/T)))^-c: rows resampled from a generator
    "mixed"              a (x^-c Q(c, x/T) + (r x)^-c P(c, r x/T)): a share r of the rows is real
    ===================  =========================================================================

    Q and P are the regularised incomplete gamma functions, T is ``saturation_size``. They minimise
    Huber's loss of log errors, so that one run gone wrong does not turn the law.

    Parameters
    ----------
    law : str or callable, default="auto"
        A name of the table; "auto" takes the law with the least criterion, of one column, and
        "power_plateau" of several. A callable f(X, theta) returns errors for X of shape
        (n_samples, n_features) in its own units; it needs bounds.
    delta : float, default=1e-3
        Threshold of Huber's loss in natural log units: a residual below counts by its square, one
        above by its size. 1e-3 is nearly least absolute deviations, 1 nearly least squares.
    criterion : {"aicc", "bic"}, default="aicc"
        Information criterion of the choice, of the Laplace likelihood of log residuals.
    n_starts : int, default=16
        Starting points of every fit.
    bounds : array-like of shape (n_parameters, 2), default=None
        Finite bounds of theta for a callable law.
    n_bootstrap : int, default=0
        Bootstrap samples behind `predict_interval` and `params_interval`; 200 serve.
    random_state : int, RandomState instance or None, default=0
        Seed of the starts of several columns and of the bootstrap.

    Attributes
    ----------
    law_ : str or callable
        The law in use.
    params_ : dict
        Its constants in the units of X: "a", "c" and, by law, "e", "saturation_size",
        "real_fraction". Of several columns a and c are arrays. "real_fraction" is relative to the
        mass that the cut leaves.
    exponent_ : float or ndarray of shape (n_features,)
        c; NaN for a callable.
    amplitude_ : float or ndarray of shape (n_features,)
        a; NaN for a callable.
    plateau_ : float
        Error at infinite size according to the law; NaN for a callable. Beyond the largest size
        measured no data can exclude a plateau: quote its interval.
    saturation_size_ : float
        T, or the size at which the plateau is half the error; infinite for "power", NaN for
        several columns or a callable.
    has_plateau_ : bool or None
        Whether the criterion of a law that bends is at least 6 below that of "power". Not a test of
        a known level: of simulated pure power laws of 8 to 100 sizes up to one in 25 passed. False
        with too few sizes to compare; None for several columns or a callable.
    criteria_ : dict of str to float
        Criterion of every law fitted.
    optimality_ : float
        Relative decrease of the loss that one more step promises.
    bootstrap_params_ : dict of str to ndarray
        Constants of each bootstrap sample, if n_bootstrap > 0.
    n_features_in_ : int
        Number of size columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, when X has names that are all strings.

    See Also
    --------
    sklearn.model_selection.learning_curve : Where the measurements come from.

    Notes
    -----
    Size zero is read as half the least positive size of its column. Equal rows are one row with the
    sum of their weights, and only ratios of weights matter. With fewer rows than constants the
    law of several columns is not determined: one of those that fit is returned.
    "tail_cut" and "finite_generator" are hardly told apart by their shape at one per cent of noise;
    read both as "saturating". The intervals resample residuals with random signs, scaled up by
    their leverage, and are widened by Student's t: over simulations, 90 % intervals covered 85 % to
    95 % from six sizes on. They hold for the chosen law and say nothing of the choice.

    References
    ----------
    Dohmatob, Feng, Yang, Charton, Kempe, A Tale of Tails: Model Collapse as a Change of Scaling
    Laws, 2024 (the laws' orders; the constants are derived in `skparietal.theory.tails`).

    Hoffmann et al., Training Compute-Optimal Large Language Models, 2022 (Huber's loss of logs, the
    law of two columns and its optimal allocation).

    Examples
    --------
    >>> import numpy as np
    >>> from skparietal import ScalingLawRegressor
    >>> sizes = np.array([100, 200, 400, 800, 1600, 3200, 6400, 12800.0])
    >>> error = 2 * sizes**-0.5 + 0.03
    >>> law = ScalingLawRegressor(law="power_plateau").fit(sizes[:, None], error)
    >>> round(law.exponent_, 3), round(law.plateau_, 3)
    (0.5, 0.03)
    >>> round(law.size_for_error(0.04))
    40000
    """

    _parameter_constraints = {
        "law": [StrOptions({"auto", *ONE_COLUMN_LAWS}), callable],
        "delta": [Interval(Real, 0, None, closed="neither")],
        "criterion": [StrOptions({"aicc", "bic"})],
        "n_starts": [Interval(Integral, 1, None, closed="left")],
        "bounds": ["array-like", None],
        "n_bootstrap": [Interval(Integral, 0, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        law="auto",
        *,
        delta=1e-3,
        criterion="aicc",
        n_starts=16,
        bounds=None,
        n_bootstrap=0,
        random_state=0,
    ):
        self.law = law
        self.delta = delta
        self.criterion = criterion
        self.n_starts = n_starts
        self.bounds = bounds
        self.n_bootstrap = n_bootstrap
        self.random_state = random_state

    @classmethod
    def from_learning_curve(cls, train_sizes, test_scores, *, greater_is_better=True, **params):
        """Fit to the output of scikit-learn's ``learning_curve``.

        Sizes whose score varies much between the folds weigh less.

        Parameters
        ----------
        train_sizes : array-like of shape (n_sizes,)
            Numbers of training rows.
        test_scores : array-like of shape (n_sizes, n_folds)
            Scores.
        greater_is_better : bool, default=True
            True: the error is 1 - score (accuracy, R2). False: the scores are errors or losses;
            give those of scikit-learn's "neg_log_loss", "neg_mean_squared_error" and the like,
            which change the sign of a loss, as ``-test_scores``.
        **params
            Passed to the constructor.

        Returns
        -------
        estimator : ScalingLawRegressor
            Fitted.

        Raises
        ------
        ValueError
            If the shapes do not fit, or no score is positive: these are losses whose sign was
            changed, or scores of models that are worse than a constant.
        """
        scores = np.asarray(test_scores, dtype=float)
        if scores.ndim != 2 or len(scores) != len(train_sizes):
            raise ValueError(
                "test_scores must have shape (n_sizes, n_folds) with one row per train size, "
                f"got {scores.shape} for {len(train_sizes)} sizes."
            )
        if np.all(scores <= 0):
            raise ValueError(
                "test_scores holds no positive value. Pass -test_scores, greater_is_better=False "
                "if a scorer such as 'neg_log_loss' changed the sign of a loss; 1 - test_scores, "
                "greater_is_better=False if these are R2 of models worse than a constant."
            )
        errors = 1 - scores if greater_is_better else scores
        mean = errors.mean(axis=1)
        # Relative variance, drawn halfway to the typical one: five folds say little of their own.
        variance = errors.var(axis=1) / np.maximum(mean, 1e-300) ** 2
        weights = 1 / (variance + np.median(variance)) if np.median(variance) > 0 else None
        X = np.asarray(train_sizes, dtype=float).reshape(-1, 1)
        return cls(**params).fit(X, mean, sample_weight=weights)

    def __sklearn_tags__(self):
        """Tags: sizes and errors are positive."""
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        tags.target_tags.positive_only = True
        return tags

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Fit the law, or choose one.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Sizes >= 0: training rows, and if wanted parameters of the model, generations, ...
        y : array-like of shape (n_samples,)
            Errors or losses > 0.
        sample_weight : array-like of shape (n_samples,), default=None
            Numbers of repetitions, or precisions.

        Returns
        -------
        self : object
            Fitted.

        Raises
        ------
        ValueError
            If a size is negative, a column holds no positive size, an error is not positive, a law
            of one column has more constants than there are rows or is asked of several columns, or
            a callable comes without bounds.
        """
        X, y = validate_data(
            self, X, y, dtype=[np.float64, np.float32], y_numeric=True, ensure_min_samples=2
        )
        check_non_negative(X, "ScalingLawRegressor (sizes)")
        if y.min() <= 0:
            raise ValueError(
                "y must hold errors > 0, for the law is fitted to their logs: drop or pool the "
                f"sizes at which no error was made (least value {y.min():g})."
            )
        weights = check_sample_weight(sample_weight, X, ensure_non_negative=True)
        X, y, weights = merge_equal_rows(np.float64(X), np.float64(y), np.float64(weights))
        zero, log_x0 = column_scales(X)
        z, log_y = centred_logs(X, zero, log_x0), np.log(y)
        rng = check_random_state(self.random_state)
        laws = self._laws(len(y), log_x0)
        fits = {
            name: fit_law(law, z, log_y, weights, delta=self.delta, n_starts=self.n_starts, rng=rng)
            for name, law in laws.items()
        }
        criteria = {name: self._criterion(fit, weights, log_y.size) for name, fit in fits.items()}
        auto = self.law == "auto" and len(laws) > 1
        chosen = min(criteria, key=criteria.get) if auto else list(laws)[-1]
        law, fit = laws[chosen], fits[chosen]
        replicates = self._bootstrap(law, z, log_y, weights, fit, rng) if self.n_bootstrap else None
        self._zero, self._log_x0, self.criteria_ = zero, log_x0, criteria
        self._set_law(chosen, law, fit)
        self._set_replicates(replicates, int(log_y.size - fit.free.sum()))
        return self

    def predict(self, X):
        """Error at given sizes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Sizes >= 0.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Errors according to the law, in the floating type of X.
        """
        X = self._check_sizes(X)
        return np.exp(self._log_error(X, self._theta[None])[0]).astype(X.dtype, copy=False)

    def predict_interval(self, X, alpha=0.1):
        """Interval of the law at given sizes (not of a further, noisy measurement).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Sizes >= 0.
        alpha : float, default=0.1
            One minus the confidence level.

        Returns
        -------
        low, high : ndarrays of shape (n_samples,)
            Ends of the interval.

        Raises
        ------
        ValueError
            If the estimator was fitted without bootstrap samples, or alpha is not in (0, 1).
        """
        self._check_interval(alpha)
        X = self._check_sizes(X)
        log_error = self._log_error(X, self._theta[None])[0]
        replicates = self._log_error(X, self._bootstrap_theta)
        return tuple(np.exp(self._interval(log_error, replicates, alpha)))

    def params_interval(self, alpha=0.1):
        """Intervals of the constants of the law.

        Parameters
        ----------
        alpha : float, default=0.1
            One minus the confidence level.

        Returns
        -------
        intervals : dict of str to tuple
            (low, high) for every name in ``params_``; and for "plateau".

        Raises
        ------
        ValueError
            If the estimator was fitted without bootstrap samples, or alpha is not in (0, 1).
        """
        self._check_interval(alpha)
        estimates = {**self.params_, "plateau": self.plateau_}
        intervals = {}
        for name, replicates in self.bootstrap_params_.items():
            # Exponents may change sign; all else is positive and more nearly normal in logs.
            logs = name != "c" and np.all(replicates > 0) and np.all(np.isfinite(replicates))
            transform, inverse = (np.log, np.exp) if logs else (np.asarray, np.asarray)
            ends = self._interval(transform(estimates[name]), transform(replicates), alpha)
            intervals[name] = tuple(inverse(ends))
        return intervals

    def size_for_error(self, target):
        """Size at which the law reaches an error.

        Parameters
        ----------
        target : float
            Error > 0.

        Returns
        -------
        size : float
            In the units of X. Infinite, with a warning, if the law never comes down to it or grows
            with the size; 0 if it is below at all sizes.

        Raises
        ------
        ValueError
            If the law has several columns, or the target is not positive.
        """
        check_is_fitted(self)
        self._check_one_column("size_for_error")
        if not target > 0:
            raise ValueError(f"target must be a positive error, got {target}.")

        def excess(log_size):  # numpydoc ignore=GL08
            return self._log_error(np.exp([[log_size]]), self._theta[None])[0, 0] - np.log(target)

        low, high = float(self._log_x0[0]), float(self._log_x0[0])
        while excess(high) > 0 and high < LARGEST_LOG_SIZE:
            high += 5
        while excess(low) < 0 and low > -LARGEST_LOG_SIZE:
            low -= 5
        if excess(low) >= 0 >= excess(high):
            return float(np.exp(brentq(excess, low, high, xtol=1e-12)))
        grows = excess(LARGEST_LOG_SIZE) > excess(-LARGEST_LOG_SIZE)
        if not grows and excess(high) <= 0:
            return 0.0
        reason = (
            "grows with the size: fewer rows may do"
            if grows
            else f"does not come down to {target:g} (plateau {self.plateau_:.4g}): more rows of "
            "the same kind will not do"
        )
        warnings.warn(f"The law {self._name!r} {reason}.", UserWarning, stacklevel=2)
        return np.inf

    def local_exponent(self, X):
        """Slope of the law: minus d log error / d log size.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Sizes >= 0.

        Returns
        -------
        exponent : ndarray of shape (n_samples,) or (n_samples, n_features)
            The exponent where the law is a power law, near zero on a plateau; one column per size
            when there are several.
        """
        X = np.float64(self._check_sizes(X))
        step = 1e-4
        slopes = []
        for j in range(self.n_features_in_):
            factor = np.exp(np.where(np.arange(self.n_features_in_) == j, step, 0.0))
            ends = [self._log_error(X * f, self._theta[None])[0] for f in (1 / factor, factor)]
            slopes.append((ends[0] - ends[1]) / (2 * step))
        return slopes[0] if len(slopes) == 1 else np.stack(slopes, axis=1)

    def optimal_allocation(self, compute, *, cost=6.0):
        """Sizes that minimise the error of a two-column law at a given product of the two.

        With the model's parameters and the training tokens as columns and cost 6 this is the
        compute-optimal model.

        Parameters
        ----------
        compute : float or array-like
            Budget: cost times first size times second size.
        cost : float, default=6.0
            Price of one unit of the product.

        Returns
        -------
        sizes : ndarray of shape compute.shape + (2,)
            First and second size, by the closed form.

        Raises
        ------
        ValueError
            If the law does not have two columns with positive exponents.
        """
        check_is_fitted(self)
        if self.n_features_in_ != 2 or callable(self.law_) or np.any(self.exponent_ <= 0):
            raise ValueError(
                "optimal_allocation needs a law of two columns with positive exponents, got "
                f"{self.n_features_in_} column(s) and exponents {self.exponent_}."
            )
        (a, b), (c, d) = self.amplitude_, self.exponent_
        product = np.asarray(compute, dtype=float) / cost
        first = (c * a / (d * b)) ** (1 / (c + d)) * product ** (d / (c + d))
        return np.stack([first, product / first], axis=-1)

    def _laws(self, n_samples, log_x0):
        """Laws to fit, by name."""
        if callable(self.law):
            return {"callable": CallableLaw(self.law, check_bounds(self.bounds), log_x0)}
        if self.n_features_in_ > 1:
            if self.law not in ("auto", "power_plateau"):
                raise ValueError(
                    f"law={self.law!r} is a law of one column and X has {self.n_features_in_}: "
                    "use 'power_plateau' (the sum of a power of each column and a constant)."
                )
            return {"power_plateau": AdditiveLaw(self.n_features_in_)}
        if self.law == "auto":
            # At least one degree of freedom more than the constants and the scale.
            return {
                name: law
                for name, law in ONE_COLUMN_LAWS.items()
                if name == "power" or len(law.names) + 2 < n_samples
            }
        if len(ONE_COLUMN_LAWS[self.law].names) > n_samples:
            raise ValueError(
                f"law={self.law!r} has {len(ONE_COLUMN_LAWS[self.law].names)} constants, more than "
                f"the n_samples={n_samples} distinct rows: measure more sizes or use 'power'."
            )
        return {name: ONE_COLUMN_LAWS[name] for name in dict.fromkeys(["power", self.law])}

    def _criterion(self, fit, weights, n_samples):
        n_parameters = fit.theta.size + 1  # and the scale of the residuals
        # Residuals below 5e-4 in logs are finer than any law holds: none may win by them.
        scale = max(weights @ np.abs(fit.residuals) / n_samples, 5e-4)
        deviance = 2 * n_samples * (np.log(2 * scale) + 1)
        if self.criterion == "bic":
            return float(deviance + n_parameters * np.log(n_samples))
        room = n_samples - n_parameters - 1
        if room <= 0:
            return np.inf
        return float(deviance + 2 * n_parameters * n_samples / room)

    def _set_law(self, name, law, fit):
        """Set the attributes of the law in use."""
        self._name, self._law, self._theta = name, law, fit.theta
        self.law_ = self.law if callable(self.law) else self._name
        self.params_ = self._law.natural(fit.theta, self._log_x0)
        self.exponent_ = self.params_.get("c", np.nan)
        self.amplitude_ = self.params_.get("a", np.nan)
        self.plateau_ = float(self._law.plateau(self.params_))
        self.saturation_size_ = self._saturation_size()
        self.has_plateau_ = None
        if self.n_features_in_ == 1 and not callable(self.law):
            bends = [self.criteria_[name] for name in _SATURATING if name in self.criteria_]
            best = min(bends, default=np.inf)  # infinite with too few sizes for the constants
            gain = self.criteria_["power"] - best if np.isfinite(best) else -np.inf
            self.has_plateau_ = bool(gain >= _DOUBT)
        self.optimality_ = float(fit.optimality)
        if self.optimality_ > 1e-3:
            warnings.warn(
                f"The fit of the law {self._name!r} did not converge (one more step promises "
                f"{self.optimality_:.1e} of the loss): raise delta or n_starts.",
                ConvergenceWarning,
                stacklevel=3,
            )

    def _saturation_size(self):
        if callable(self.law) or self.n_features_in_ > 1:
            return np.nan
        if self._name == "power_plateau":
            with np.errstate(over="ignore"):
                return float((self.amplitude_ / self.plateau_) ** (1 / self.exponent_))
        return self.params_.get("saturation_size", np.inf)

    def _bootstrap(self, law, z, log_y, weights, fit, rng):
        """Constants of refits to resampled residuals."""
        if log_y.size <= fit.free.sum():
            raise ValueError(
                f"n_bootstrap > 0 needs more rows than the law has constants: n_samples="
                f"{log_y.size} distinct rows, {fit.theta.size} constants."
            )
        root = np.sqrt(weights)
        design = (root[:, None] * fit.jacobian)[:, fit.free]
        leverage = np.einsum("ij,ji->i", design, np.linalg.pinv(design))
        standardised = root * fit.residuals / (1 - np.minimum(leverage, 0.95))
        shape = self.n_bootstrap, log_y.size
        draws = rng.choice(standardised, size=shape) * rng.choice([-1, 1], size=shape)
        samples = log_y + fit.residuals + draws / root
        starts = np.repeat(fit.theta[None], self.n_bootstrap, axis=0)
        return descend(law, z, samples, weights, starts, delta=self.delta, max_iter=40)[0]

    def _set_replicates(self, replicates, n_spare):
        """Keep the bootstrap samples; without any, forget those of an earlier fit."""
        self._bootstrap_theta, self._n_spare = replicates, n_spare
        vars(self).pop("bootstrap_params_", None)
        if replicates is None:
            return
        params = [self._law.natural(theta, self._log_x0) for theta in replicates]
        self.bootstrap_params_ = {
            name: np.array([values[name] for values in params]) for name in self.params_
        }
        self.bootstrap_params_["plateau"] = np.array([self._law.plateau(p) for p in params])

    def _interval(self, estimate, replicates, alpha):
        """Percentile interval, stretched about the estimate from the normal to Student's law."""
        stretch = student_t.ppf(1 - alpha / 2, self._n_spare) / norm.ppf(1 - alpha / 2)
        ends = np.quantile(replicates, [alpha / 2, 1 - alpha / 2], axis=0)
        return estimate + stretch * (ends - estimate)

    def _check_interval(self, alpha):
        check_is_fitted(self)
        if not 0 < alpha < 1:
            raise ValueError(f"alpha must lie in (0, 1), one minus the level; got {alpha}.")
        if self._bootstrap_theta is None:
            raise ValueError("Intervals need bootstrap samples: fit with n_bootstrap=200, say.")

    def _check_one_column(self, method):
        if self.n_features_in_ > 1:
            raise ValueError(f"{method} is defined for a law of one column only.")

    def _check_sizes(self, X):
        check_is_fitted(self)
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        check_non_negative(X, "ScalingLawRegressor (sizes)")
        return X

    def _log_error(self, X, theta):
        z = centred_logs(np.asarray(X, dtype=float), self._zero, self._log_x0)
        return self._law.log_value(theta, z)[0]
