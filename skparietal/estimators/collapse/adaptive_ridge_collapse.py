"""Ridge regression that allows for labels made by a chain of fitted models."""

import warnings
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin, _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import (
    check_is_fitted,
    validate_data,
)

from skparietal._compat import check_sample_weight
from skparietal.estimators.collapse._collapse_choice import choose_alpha, criterion_for
from skparietal.estimators.collapse._kernels import KERNEL_CONSTRAINTS, kernel_matrix
from skparietal.estimators.collapse._ridge_path import (
    design_of,
    leverage_inflation,
    path_of_moments,
    path_of_rows,
)
from skparietal.estimators.collapse._synthetic_mask import check_synthetic_mask
from skparietal.moments import Moments


def _is_linear(model):
    if model.kernel != "linear":
        raise AttributeError("partial_fit and merge need kernel='linear'.")
    return True


class AdaptiveRidgeCollapse(RegressorMixin, BaseEstimator):
    """Ridge regression whose alpha allows for labels that fitted models have made.

    When labels come from a model that was itself fitted to data (perhaps labelled by yet another
    model), they carry that model's estimation error as well as fresh noise. Cross-validation sees
    the noise only: the inherited error is the same in every fold, so the alpha that it picks is too
    small, and the more so the longer the chain. This estimator adds the missing term and picks
    alpha by the estimated error against the truth, from a single eigendecomposition.

    A generator that was itself well regularised needs no correction: its inherited variance and its
    shrinkage cancel to first order. The correction is for labels from least squares, or from models
    regularised too little.

    Parameters
    ----------
    alphas : array-like of shape (n_alphas,), default=None
        Positive candidates, on scikit-learn's scale (a penalty on the sum of squared errors). None
        means 60 values, from 1e-4 to 1e3 times the mean positive eigenvalue of X'X.
    kernel : {"linear", "rbf", "poly", "sigmoid", "laplacian", "cosine", "precomputed"} or \
            callable, default="linear"
        Kernel, as in :class:`~sklearn.kernel_ridge.KernelRidge`.
    gamma : float, default=None
        Parameter of the rbf, laplacian, poly and sigmoid kernels.
    degree : float, default=3
        Degree of the poly kernel.
    coef0 : float, default=1
        Constant of the poly and sigmoid kernels.
    kernel_params : dict, default=None
        Parameters of a callable kernel.
    n_generations : int, default=1
        Number of fitted models between the truth and the labels; 0 is ordinary GCV.
    generator_n_samples : int, default=None
        Rows that each of them was fitted on. None assumes as many as here, with a warning. If the
        value is half the true one or less, alpha becomes too large and the fit can be far worse
        than without a correction; if it is twice the true one, a good part of the gain is lost.
    generator_alpha : float, default=0.0
        Ridge of those models, on scikit-learn's scale for their rows; 0 is (minimum-norm) least
        squares.
    generator_noise_variance : float, default=None
        Variance of the noise of the labels that they were fitted to. None means that of the rows
        at hand, which is estimated.
    generator_error : float, default=None
        Mean squared error of the label-making model against the truth, noise excluded (over the
        targets: the mean). Overrides the other generator parameters and n_generations.
    criterion : {"auto", "eb", "ccgcv", "gcv", "validation"}, default="auto"
        How alpha is chosen. "eb": corrected risk, all of it smoothed by a random-effects model of
        the coefficients. "ccgcv": the observed GCV plus the correction, noisier but with less of a
        model. "gcv": no correction. "validation": error on the rows marked as real. "auto":
        "validation" with at least min_clean real rows, else "eb"; "gcv" if n_generations is 0.
    leverage_correction : bool, default=True
        Whether to raise the inherited error of least-squares generators by what uneven leverages
        (heavy tails, rare binary features) add to it. Assumes that their rows are like these.
        Needs the rows: not done by partial_fit.
    fit_intercept : bool, default=True
        Whether to fit an intercept; with a kernel, in the feature space.
    min_clean : int, default=30
        Real rows that "auto" asks for before it validates on them. If neither generator_n_samples
        nor generator_error is given, 10 are enough, where this is larger.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
        Coefficients; linear kernel only.
    dual_coef_ : ndarray of shape (n_rows,) or (n_rows, n_targets)
        Coefficients of the training rows (of all rows given to fit, when the kernel is
        precomputed); other kernels only.
    X_fit_ : ndarray of shape (n_rows, n_features)
        Rows that the kernel of new rows is taken against; kernels but precomputed ones.
    intercept_ : float or ndarray of shape (n_targets,)
        Constant of the predictions.
    alpha_ : float
        The alpha chosen.
    alpha_gcv_ : float
        What ordinary GCV would have chosen.
    alphas_ : ndarray of shape (n_alphas,)
        Candidates.
    gcv_values_ : ndarray of shape (n_alphas,)
        GCV: mean squared error on new labels of the same making, summed over targets.
    criterion_values_ : ndarray of shape (n_alphas,)
        What the chosen alpha minimises, summed over targets.
    estimated_risk_ : ndarray of shape (n_alphas,)
        Estimated mean squared error against the truth, noise excluded, summed over targets. With
        "validation": the error on the real rows minus `noise_variance_`, as if these were as noisy
        as the synthetic ones, or minus their least error where that is smaller.
    criterion_used_ : str
        "eb", "ccgcv", "gcv" or "validation".
    noise_variance_ : float or ndarray of shape (n_targets,)
        Estimated variance of the label noise of the training rows.
    generator_noise_variance_ : float or ndarray of shape (n_targets,)
        Of the generators' rows, estimated or as given; NaN where only their error is known.
    collapse_cost_ : float
        Estimated mean squared error of the label-making model, summed over targets.
    tau_ : float or ndarray of shape (n_targets,)
        The same per target and direction.
    kappa0_ : float
        Effective ridge of the generators, on the scale of the eigenvalues of X'X/n; 0 for least
        squares on more rows than features.
    effective_dof_ : float
        Degrees of freedom of the fit, without the intercept.
    moments_ : Moments or None
        What partial_fit and merge continue from; linear kernel only. None after a fit with real
        rows, which these cannot tell apart, or with more features than rows.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of features, when X has them as strings.

    See Also
    --------
    SyntheticMixRidge : When real and synthetic rows are to be mixed.
    skparietal.theory.power_law_alpha : The rule of the paper for power laws.

    Notes
    -----
    That synthetic labels ask for a larger ridge, and how much larger under power laws, is the
    result of [1]_. The data-driven criterion is ours. For least-squares generators the inherited
    error delta has covariance tau Sigma^-1, and exactly E||w_alpha - w||^2 = E||w_alpha - w_n||^2 +
    2 tau df(alpha) - tau d: GCV estimates the first term. For other generators, and for the
    smoothing of "eb", the coefficients are modelled as random with variances that are a power of
    the eigenvalues; risks are averaged over the posterior of that power and of the share of
    variance explained.

    Limits. The models must not have been fitted to these rows. Shifts between their rows and these
    are not allowed for. Nearly interpolating kernel generators are beyond the correction (a warning
    tells); use real rows. Labels without noise hide the noise of the generators (a warning tells).

    Sample weights are frequencies: weight 2 is the row twice.

    References
    ----------
    .. [1] Dohmatob, Feng, Kempe, Model Collapse Demystified: The Case of Regression, 2024.

    Examples
    --------
    >>> from skparietal import AdaptiveRidgeCollapse
    >>> from skparietal.datasets import make_collapse_regression
    >>> X, y, truth = make_collapse_regression(
    ...     200, 100, n_generations=10, generator_n_samples=200, random_state=0
    ... )
    >>> model = AdaptiveRidgeCollapse(n_generations=10, generator_n_samples=200).fit(X, y)
    >>> bool(model.alpha_ > 10 * model.alpha_gcv_)
    True
    """

    _parameter_constraints: dict = {
        "alphas": ["array-like", None],
        **KERNEL_CONSTRAINTS,
        "n_generations": [Interval(Integral, 0, None, closed="left")],
        "generator_n_samples": [Interval(Integral, 2, None, closed="left"), None],
        "generator_alpha": [Interval(Real, 0, None, closed="left")],
        "generator_noise_variance": [Interval(Real, 0, None, closed="left"), None],
        "generator_error": [Interval(Real, 0, None, closed="left"), None],
        "criterion": [StrOptions({"auto", "eb", "ccgcv", "gcv", "validation"})],
        "leverage_correction": ["boolean"],
        "fit_intercept": ["boolean"],
        "min_clean": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        alphas=None,
        *,
        kernel="linear",
        gamma=None,
        degree=3,
        coef0=1,
        kernel_params=None,
        n_generations=1,
        generator_n_samples=None,
        generator_alpha=0.0,
        generator_noise_variance=None,
        generator_error=None,
        criterion="auto",
        leverage_correction=True,
        fit_intercept=True,
        min_clean=30,
    ):
        self.alphas = alphas
        self.kernel = kernel
        self.gamma = gamma
        self.degree = degree
        self.coef0 = coef0
        self.kernel_params = kernel_params
        self.n_generations = n_generations
        self.generator_n_samples = generator_n_samples
        self.generator_alpha = generator_alpha
        self.generator_noise_variance = generator_noise_variance
        self.generator_error = generator_error
        self.criterion = criterion
        self.leverage_correction = leverage_correction
        self.fit_intercept = fit_intercept
        self.min_clean = min_clean

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, synthetic=None):
        """Fit on synthetic rows; rows marked as real help to choose alpha.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows; the kernel of all rows if kernel is "precomputed".
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Frequency weights, >= 0; rows of weight 0 are left out.
        synthetic : array-like of bool of shape (n_samples,), default=None
            True where the label was made by a model; None means everywhere. Real rows are held out:
            they choose alpha if there are enough of them (see criterion), and otherwise measure
            generator_error, if neither that nor generator_n_samples is given. Without synthetic
            rows the fit is ridge with GCV.

        Returns
        -------
        self : AdaptiveRidgeCollapse
            The fitted estimator.

        Raises
        ------
        ValueError
            If there are fewer than 3 training rows, alphas are not positive, synthetic has not one
            entry per row, criterion="validation" has no real rows, a precomputed kernel is not
            square, or generator_n_samples gives least squares (kernel "linear") an infinite error.
        TypeError
            If synthetic is not boolean.
        """
        X, Y, weight, flat = self._validated(X, y, sample_weight, reset=True, at_least=3)
        train, clean = _split(check_synthetic_mask(synthetic, len(X)), weight)
        only_real = train is not None and not train.any()
        if only_real:
            train, clean = clean, None
        X_train, Y_train, train_weight = self._rows(X, Y, weight, train, train)
        total = len(X_train) if train_weight is None else train_weight.sum()
        if len(X_train) == 0 or total < 3:
            raise ValueError(
                f"At least 3 training rows are needed, got {total:g} (the sum of sample_weight, "
                "which counts repetitions)."
            )
        path, moments = path_of_rows(self, X_train, Y_train, train_weight)
        lam = self._candidates(path.spectrum) / path.spectrum.n_samples
        real = None if clean is None else self._rows(X, Y, weight, clean, train)
        errors, n_real = self._errors_on_real_rows(real, X_train, path, lam)
        state = self._choose(
            path,
            lam,
            flat,
            used=criterion_for(self, n_real, only_real),
            clean_errors=errors,
            inflation=self._inflation(X_train, path, moments, train_weight),
            only_real=only_real,
        )
        if self.kernel == "linear":
            state["moments_"] = moments if clean is None and not only_real else None
        elif self.kernel != "precomputed":
            state["X_fit_"] = X_train
        elif train is not None:
            state["dual_coef_"] = _spread(state["dual_coef_"], train)
        for name in ("coef_", "dual_coef_", "X_fit_", "moments_"):  # of a fit with another kernel
            vars(self).pop(name, None)
        vars(self).update(state)
        return self

    @available_if(_is_linear)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, sample_weight=None):
        """Add synthetic rows to those already fitted; the same as fitting all at once.

        In any split and order, with the criteria "eb", "ccgcv", "gcv", and "auto" without real
        rows, and without the leverage correction, which needs all rows together. Until three rows
        have been seen the prediction is their mean.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows, all of them synthetic.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Frequency weights, >= 0.

        Returns
        -------
        self : AdaptiveRidgeCollapse
            The fitted estimator.

        Raises
        ------
        ValueError
            If the fit so far kept no moments, the number of targets changed, or as in fit; what was
            learned before is kept.
        """
        first = not hasattr(self, "coef_")
        if not first and self.moments_ is None:
            raise ValueError(
                "The fit kept no moments to continue from (it had real rows, or fewer rows than "
                "features); start with partial_fit on a new estimator."
            )
        X, Y, weight, flat = self._validated(X, y, sample_weight, reset=first, at_least=1)
        if weight is not None and weight.sum() == 0:
            raise ValueError("sample_weight sums to zero: there is no row to learn from.")
        moments = Moments.of(X, Y, weight)
        if first and self._inflates():
            warnings.warn(
                "leverage_correction needs all rows together and is not done by partial_fit; set "
                "it to False, or use fit.",
                UserWarning,
                stacklevel=2,
            )
        if not first:
            if moments.y_mean.shape != self.moments_.y_mean.shape:
                raise ValueError(
                    f"y has {Y.shape[1]} targets, but {self.moments_.y_mean.size} were fitted."
                )
            moments = self.moments_.merge(moments)
        self._refit(moments, flat)
        return self

    @available_if(_is_linear)
    def merge(self, other):
        """Take over what another fitted estimator has learned, as if fitted on the rows of both.

        Parameters
        ----------
        other : AdaptiveRidgeCollapse
            Fitted with equal parameters on other synthetic rows of the same columns.

        Returns
        -------
        self : AdaptiveRidgeCollapse
            Refitted on all the rows; other is unchanged.

        Raises
        ------
        ValueError
            If the parameters, features or targets differ, or a fit kept no moments.
        """
        check_is_fitted(self, "coef_")
        check_is_fitted(other, "coef_")
        if repr(self.get_params()) != repr(other.get_params()):
            raise ValueError("merge needs an estimator with equal parameters.")
        if self.moments_ is None or other.moments_ is None:
            raise ValueError(
                "merge needs fits on synthetic rows only, at least as many as features."
            )
        if self.moments_.xy.shape != other.moments_.xy.shape:
            raise ValueError("merge needs an estimator of the same features and targets.")
        self._refit(self.moments_.merge(other.moments_), self.coef_.ndim == 1)
        return self

    def predict(self, X):
        """Predict with the chosen alpha.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows; if kernel is "precomputed", their kernel against all rows given to fit.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_targets)
            Predictions.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        if self.kernel == "linear":
            return X @ self.coef_.T + self.intercept_
        K = kernel_matrix(self, X, getattr(self, "X_fit_", self.dual_coef_))
        return K @ self.dual_coef_ + self.intercept_

    def risk_curve(self):
        """Estimates along the path of alphas, for a table or a figure.

        Returns
        -------
        curve : dict of ndarray of shape (n_alphas,)
            "alphas"; "gcv", the error on labels of the same making; "corrected", what was
            minimised; "estimated_risk", the error against the truth. All but alphas are mean
            squared errors summed over targets.
        """
        check_is_fitted(self, "alpha_")
        return {
            "alphas": self.alphas_,
            "gcv": self.gcv_values_,
            "corrected": self.criterion_values_,
            "estimated_risk": self.estimated_risk_,
        }

    def __sklearn_tags__(self):
        """Tags: several targets, and pairwise input when the kernel is precomputed."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.input_tags.pairwise = self.kernel == "precomputed"
        return tags

    def _validated(self, X, y, sample_weight, *, reset, at_least):
        X, y = validate_data(
            self,
            X,
            y,
            dtype=[np.float64, np.float32],
            multi_output=True,
            y_numeric=True,
            ensure_min_samples=at_least,
            reset=reset,
        )
        Y = y.astype(X.dtype, copy=False).reshape(len(X), -1)
        if sample_weight is not None:
            sample_weight = check_sample_weight(
                sample_weight, X, dtype=X.dtype, ensure_non_negative=True
            )
        return X, Y, sample_weight, y.ndim == 1

    def _rows(self, X, Y, weight, rows, columns):
        """Chosen rows (None is all); with a precomputed kernel, their columns too."""
        if rows is None:
            return X, Y, weight
        chosen = X[rows]
        if self.kernel == "precomputed":
            kernel_matrix(self, X)
            chosen = chosen[:, columns]
        return chosen, Y[rows], None if weight is None else weight[rows]

    def _errors_on_real_rows(self, real, X_train, path, lam):
        """Errors of the path on real rows, and their number; None and 0 without any."""
        if real is None:
            return None, 0
        X, Y, weight = real
        errors = path.squared_errors(design_of(self, X, X_train), Y, lam, weight)
        return errors, len(X) if weight is None else weight.sum()

    def _refit(self, moments, flat):
        path = path_of_moments(moments, self.fit_intercept)
        if moments.weight < 3:
            state = self._coefficients(np.zeros_like(moments.xy), path.y_mean, flat)
        else:
            lam = self._candidates(path.spectrum) / moments.weight
            state = self._choose(path, lam, flat, used=criterion_for(self, 0, False))
        vars(self).update(state, moments_=moments)

    def _choose(self, path, lam, flat, *, used, clean_errors=None, inflation=1.0, only_real=False):
        """All fitted attributes but what fit keeps of its rows."""
        best, state = choose_alpha(
            self,
            path,
            lam,
            used=used,
            n_features=self.n_features_in_ if self.kernel == "linear" else np.inf,
            clean_errors=clean_errors,
            inflation=inflation,
            only_real=only_real,
        )
        if flat:
            for name in ("noise_variance_", "generator_noise_variance_", "tau_"):
                state[name] = float(state[name][0])
        return state | self._coefficients(*path.at(best), flat)

    def _coefficients(self, coef, intercept, flat):
        if flat:
            coef, intercept = coef[:, 0], intercept[0]
        if self.kernel == "linear":
            return {"coef_": coef.T, "intercept_": intercept}
        return {"dual_coef_": coef, "intercept_": intercept}

    def _inflation(self, X, path, moments, sample_weight):
        """Factor of leverage_correction, 1 where it does not apply."""
        if moments is None or not path.spectrum.eigenvalues.size or not self._inflates():
            return 1.0
        return leverage_inflation(X, path, sample_weight)

    def _inflates(self):
        """Whether the inherited error is worked out from rows, which may be of uneven leverage."""
        return (
            self.leverage_correction
            and self.n_generations > 0
            and self.generator_error is None
            and self.generator_alpha == 0
        )

    def _candidates(self, spectrum):
        if self.alphas is None:
            mean = spectrum.eigenvalues.mean() if spectrum.eigenvalues.size else 1.0
            return spectrum.n_samples * mean * np.logspace(-4, 3, 60)
        alphas = np.asarray(self.alphas, dtype=float)
        if alphas.ndim != 1 or not alphas.size or not np.all((alphas > 0) & np.isfinite(alphas)):
            raise ValueError("alphas must be a non-empty vector of finite values > 0.")
        return alphas


def _split(synthetic, sample_weight):
    """Masks of the training rows (None is all) and of the real rows (None is none)."""
    used = None if sample_weight is None or np.all(sample_weight > 0) else sample_weight > 0
    if synthetic is None or synthetic.all():
        return used, None
    clean = ~synthetic if used is None else ~synthetic & used
    train = synthetic if used is None else synthetic & used
    return train, clean if clean.any() else None


def _spread(dual_coef, train):
    """Dual coefficients with zeros for the rows that were not trained on."""
    full = np.zeros((len(train), *dual_coef.shape[1:]), dual_coef.dtype)
    full[train] = dual_coef
    return full
