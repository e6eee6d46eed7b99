"""Ridge regression on few real and many synthetic rows."""

import warnings
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin, _fit_context
from sklearn.exceptions import DataDimensionalityWarning
from sklearn.random_projection import GaussianRandomProjection
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from skparietal._compat import check_sample_weight
from skparietal.estimators.collapse._kernels import KERNEL_CONSTRAINTS, kernel_matrix
from skparietal.estimators.collapse._ridge_design import kernel_design, linear_design
from skparietal.estimators.collapse._synthetic_mask import check_synthetic_mask
from skparietal.moments import Moments
from skparietal.solvers.collapse.label_shift import label_shift
from skparietal.solvers.collapse.real_leave_one_out import MixedRows, guarded_choice, weighted_path
from skparietal.solvers.collapse.shift_evidence import average_over_shifts
from skparietal.theory.mixing import strong_collapse_floor


class SyntheticMixRidge(RegressorMixin, BaseEstimator):
    """Ridge regression that learns how much synthetic rows may weigh beside real ones.

    Synthetic rows help against noise and hurt by what their labels are shifted; a fixed share of
    them leaves an error that no number of rows removes. This estimator finds their weight, and the
    ridge, from the data: real rows tell the shift, through a random-effects model of it and through
    their leave-one-out error, which needs no model. `score` is R^2.

    Parameters
    ----------
    alphas : array-like of shape (n_alphas,), default=None
        Positive candidates on scikit-learn's scale (a penalty on the sum of squared errors, a real
        row having weight 1), the same for all weights. None means 30 values, from 10^-4.5 times the
        mean eigenvalue of the real rows' scatter to 100 times that of all rows.
    selection : {"average", "loo"}, default="average"
        "average": the mean of ridge fits over shifts, noise ratios and penalties, weighted by their
        evidence and leave-one-out error; synthetic rows may weigh less in directions that they know
        well. "loo": the one pair of weight and alpha of least leave-one-out error on the real rows,
        unless the guard keeps the fit to all rows alike. It is noisier, but a single ridge that
        assumes nothing about the shift.
    weights : array-like of shape (n_weights,), default=(0, .003, .01, .03, .1, .3, 1, 3)
        Candidate weights >= 0 of a synthetic row, a real one having 1.
    guard : float, default=1.0
        With "loo", standard errors of the paired gain in squared leave-one-out error that a pair
        must win by over the reference: all rows alike, alpha by generalised cross-validation (what
        :class:`~sklearn.linear_model.RidgeCV` gives). 0 takes the least error as it is.
    n_components : int, default=None
        Size of the model: the ridge is fitted on this many Gaussian random projections of the
        inputs (with a kernel: of these). None uses the inputs.
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
    fit_intercept : bool, default=True
        Whether to fit an intercept; with a kernel, in the feature space. Synthetic rows move it by
        their weight only.
    random_state : int, RandomState instance or None, default=None
        Draw of the projections; used with n_components only.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
        Coefficients of the inputs; linear kernel only.
    dual_coef_ : ndarray of shape (n_rows,) or (n_rows, n_targets)
        Coefficients of the rows in `X_fit_` (of all training rows, when the kernel is precomputed);
        other kernels only.
    X_fit_ : ndarray of shape (n_rows, n_features or n_components)
        Rows, projected if they are, that the kernel of new rows is taken against; kernels but
        precomputed ones.
    intercept_ : float or ndarray of shape (n_targets,)
        Constant of the predictions.
    alpha_ : float
        The alpha chosen; with "average" the geometric mean.
    synthetic_weight_ : float
        Weight of a synthetic row; with "average" the mean over candidates and, by their variance,
        over directions.
    effective_synthetic_fraction_ : float
        Share of the synthetic rows in the total weight, between 0 and 1.
    loo_path_ : ndarray of shape (n_weights, n_alphas)
        Mean squared leave-one-out error on the real rows, summed over targets.
    weights_, alphas_ : ndarrays of shape (n_weights,) and (n_alphas,)
        Candidates.
    loo_gain_ : float
        Leave-one-out error of the reference minus that of the best pair; 0 without synthetic rows.
    guarded_ : bool
        Whether the reference is kept; with "average", whether "loo" would keep it.
    noise_ratio_ : float
        With "average", estimated label noise variance of synthetic over real rows; else nan.
    shift_c2_, shift_c2_se_ : float or ndarray of shape (n_targets,)
        Estimated excess risk of the synthetic labels and its standard error, in squared units of y.
        A noisy diagnostic, unbiased and hence sometimes negative; nan without synthetic rows. With
        fewer than n_features + 6 rows in a group it includes the error of fitting synthetic rows.
    collapse_floor_ : float or ndarray of shape (n_targets,)
        Squared effective synthetic fraction times `shift_c2_` (0 if that is negative): the part of
        the error that more rows in the same proportion would not remove.
    components_ : ndarray of shape (n_components, n_features)
        Random projections; with n_components only.
    n_real_, n_synthetic_ : float
        Sums of the sample weights of both groups.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features, when X has them as strings.

    See Also
    --------
    AdaptiveRidgeCollapse : When all rows are synthetic, or all labels are alike.
    skparietal.theory.mix_risk : Risk of a mixture when everything is known.

    Notes
    -----
    That a constant share of synthetic rows, however small, leaves an error, and that larger models
    make it larger up to the interpolation threshold and smaller beyond, are the results of [1]_.
    The choice of the weight is ours.

    "average" takes coefficients, shift and noise as Gaussian. With a shift of equal variance in all
    coefficients, synthetic rows of scatter g along an eigenvector weigh 1 / (rho (1 + r g)): rho,
    the ratio of the noise variances, maximises the marginal likelihood; r and alpha are averaged
    over, and so are the scalar weights. See :func:`skparietal.solvers.collapse.shift_evidence.\
average_over_shifts`.

    Sample weights are frequencies: weight 2 is the row twice, and leave-one-out leaves out one of
    the two.

    References
    ----------
    .. [1] Dohmatob, Feng, Subramonian, Kempe, Strong Model Collapse, 2024.

    Examples
    --------
    >>> import numpy as np
    >>> from skparietal import SyntheticMixRidge
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((1100, 20))
    >>> synthetic = np.arange(1100) >= 100
    >>> y = X.sum(axis=1) + rng.standard_normal(1100)
    >>> y[synthetic] += X[synthetic, :2].sum(axis=1)  # two coefficients of the source are off
    >>> model = SyntheticMixRidge().fit(X, y, synthetic=synthetic)
    >>> bool(model.synthetic_weight_ < 0.5)
    True
    >>> bool(np.max(np.abs(model.coef_ - 1)) < 0.5)
    True
    """

    _parameter_constraints: dict = {
        "alphas": ["array-like", None],
        "selection": [StrOptions({"average", "loo"})],
        "weights": ["array-like"],
        "guard": [Interval(Real, 0, None, closed="left")],
        "n_components": [Interval(Integral, 1, None, closed="left"), None],
        **KERNEL_CONSTRAINTS,
        "fit_intercept": ["boolean"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        alphas=None,
        *,
        selection="average",
        weights=(0, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3),
        guard=1.0,
        n_components=None,
        kernel="linear",
        gamma=None,
        degree=3,
        coef0=1,
        kernel_params=None,
        fit_intercept=True,
        random_state=None,
    ):
        self.alphas = alphas
        self.selection = selection
        self.weights = weights
        self.guard = guard
        self.n_components = n_components
        self.kernel = kernel
        self.gamma = gamma
        self.degree = degree
        self.coef0 = coef0
        self.kernel_params = kernel_params
        self.fit_intercept = fit_intercept
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, synthetic=None):
        """Fit the mixture.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Real and synthetic rows; the kernel between them when the kernel is precomputed.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Their labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Frequencies >= 0 of the rows.
        synthetic : array-like of bool of shape (n_samples,), default=None
            True where a row is synthetic. None means that all are real: a ridge with alpha by
            leave-one-out.

        Returns
        -------
        self : SyntheticMixRidge
            The fitted estimator.

        Raises
        ------
        ValueError
            If there is no real row, a candidate is out of range, the mask does not fit, or
            n_components is combined with a precomputed kernel.
        TypeError
            If the mask is not boolean.

        Warns
        -----
        UserWarning
            If fewer than 5 real rows leave nothing to choose by: the fit to all rows alike is kept.
        """
        X, y = validate_data(
            self,
            X,
            y,
            dtype=[np.float64, np.float32],
            multi_output=True,
            y_numeric=True,
            ensure_min_samples=2,
        )
        self._check_kernel(X)
        dtype, single = X.dtype, y.ndim == 1
        weights = _check_candidates("weights", self.weights, positive=False)
        synthetic = check_synthetic_mask(synthetic, len(X))
        if synthetic is None:
            synthetic = np.zeros(len(X), dtype=bool)
        sample_weight = check_sample_weight(sample_weight, X, dtype=np.float64)
        keep = _rows_that_count(sample_weight, synthetic)
        X, Y = X.astype(np.float64, copy=False), y.reshape(len(y), -1).astype(np.float64)
        X = X[keep][:, keep] if self.kernel == "precomputed" else X[keep]
        Y, sample_weight, synthetic = Y[keep], sample_weight[keep], synthetic[keep]

        for name in ("coef_", "dual_coef_", "X_fit_", "components_"):  # of a fit with others
            vars(self).pop(name, None)
        if self.n_components is not None:
            X = X @ self._draw_components(X).T
        design = self._design(X, sample_weight)
        mixed, real = _mixed_rows(design.columns, Y, sample_weight, synthetic, self.fit_intercept)
        fit, least_loo = self._select(mixed, weights, self._candidate_alphas(mixed))
        self._set_coefficients(X, keep, design, fit, real, dtype, single)
        self._set_diagnostics(mixed, fit, least_loo, single)
        return self

    def predict(self, X):
        """Predict labels of real rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows; their kernel with the training rows when the kernel is precomputed.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_targets)
            Predictions.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        if self.kernel == "linear":
            return X @ self.coef_.T + self.intercept_
        if self.kernel == "precomputed":
            return X @ self.dual_coef_ + self.intercept_
        if self.n_components is not None:
            X = X @ self.components_.T.astype(X.dtype)
        return kernel_matrix(self, X, self.X_fit_) @ self.dual_coef_ + self.intercept_

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = self.kernel == "precomputed"
        tags.target_tags.multi_output = True
        return tags

    def _check_kernel(self, X):
        if self.kernel != "precomputed":
            return
        if self.n_components is not None:
            raise ValueError(
                "n_components cannot be combined with kernel='precomputed': there are no inputs to "
                "project. Project them before the kernel is computed."
            )
        kernel_matrix(self, X)  # raises if it is not square

    def _design(self, X, sample_weight):
        """Columns of the ridge; X are the (projected) inputs or the kernel."""
        if self.kernel == "linear":
            return linear_design(X, sample_weight, self.fit_intercept)
        return kernel_design(kernel_matrix(self, X), sample_weight, self.fit_intercept)

    def _draw_components(self, X):
        projection = GaussianRandomProjection(self.n_components, random_state=self.random_state)
        with warnings.catch_warnings():
            # More components than features are a model size like any other.
            warnings.simplefilter("ignore", DataDimensionalityWarning)
            self.components_ = projection.fit(X).components_
        return self.components_

    def _candidate_alphas(self, mixed):
        if self.alphas is not None:
            return np.sort(_check_candidates("alphas", self.alphas, positive=True))
        n_columns = len(mixed.scatter)
        real = np.trace(mixed.xx_real) / n_columns
        pooled = real + mixed.scatter.sum() / n_columns
        if pooled == 0:  # constant columns: any penalty gives the mean
            return np.geomspace(1e-4, 1e2, 30)
        return np.geomspace(10**-4.5 * max(real, 1e-10 * pooled), 100 * pooled, 30)

    def _select(self, mixed, weights, alphas):
        """Return the fit, and the least leave-one-out error of the scalar weights."""
        if mixed.n_synthetic == 0:
            paths = [weighted_path(mixed, 0.0, alphas)] * len(weights)
        else:
            paths = [weighted_path(mixed, weight, alphas) for weight in weights]
        self.weights_, self.alphas_ = weights, alphas
        self.loo_path_ = np.array([path.loo.sum(axis=1) for path in paths])
        least_loo = np.min([path.loo for path in paths], axis=(0, 1))
        few = mixed.n_synthetic > 0 and mixed.n_real < 5
        if few:
            warnings.warn(
                f"Only {mixed.n_real:g} real rows: the weight of the synthetic rows cannot be "
                "chosen, all rows count alike. Mark at least 5 rows as real.",
                UserWarning,
                stacklevel=3,
            )
        choice = guarded_choice(mixed, paths, weights, alphas, np.inf if few else self.guard)
        self.loo_gain_, self.guarded_, self.noise_ratio_ = choice.gain, choice.guarded, np.nan
        if few or mixed.n_synthetic == 0 or self.selection == "loo":
            return choice, least_loo
        average = average_over_shifts(mixed, paths, weights, alphas)
        self.noise_ratio_ = average.noise_ratio
        return average, least_loo

    def _set_coefficients(self, X, keep, design, fit, real, dtype, single):
        coef = design.back @ fit.coef
        intercept = real.y_mean - real.x_mean @ fit.coef + fit.offset + design.constant @ fit.coef
        if not self.fit_intercept:
            intercept = np.zeros_like(intercept)
        if self.kernel != "linear":
            if self.kernel == "precomputed":  # predict gets a column for every row of fit
                full = np.zeros((len(keep), coef.shape[1]))
                full[keep] = coef
                coef = full
            else:
                self.X_fit_ = X.astype(dtype, copy=False)
            self.dual_coef_ = coef[:, 0].astype(dtype) if single else coef.astype(dtype)
        else:
            if self.n_components is not None:
                coef = self.components_.T @ coef
            self.coef_ = coef[:, 0].astype(dtype) if single else coef.T.astype(dtype)
        self.intercept_ = dtype.type(intercept[0]) if single else intercept.astype(dtype)

    def _set_diagnostics(self, mixed, fit, least_loo, single):
        self.alpha_, self.synthetic_weight_ = fit.alpha, fit.weight
        self.n_real_, self.n_synthetic_ = mixed.n_real, mixed.n_synthetic
        synthetic = fit.weight * mixed.n_synthetic
        self.effective_synthetic_fraction_ = synthetic / (mixed.n_real + synthetic)
        nothing = np.full(len(mixed.yy_real), np.nan)
        c2, standard_error = nothing, nothing
        if mixed.n_synthetic > 0:
            c2, standard_error = label_shift(mixed, least_loo)
        floor = strong_collapse_floor(np.fmax(c2, 0.0), mixed.n_real, mixed.n_synthetic, fit.weight)
        self.shift_c2_ = c2[0] if single else c2
        self.shift_c2_se_ = standard_error[0] if single else standard_error
        self.collapse_floor_ = floor[0] if single else floor


def _check_candidates(name, values, *, positive):
    values = np.asarray(values, dtype=float)
    bound = "> 0" if positive else ">= 0"
    if (
        values.ndim != 1
        or values.size == 0
        or not np.all(np.isfinite(values))
        or values.min() < 0
        or (positive and values.min() == 0)
    ):
        raise ValueError(f"{name} must be a non-empty vector of finite numbers {bound}: {values}.")
    return values


def _rows_that_count(sample_weight, synthetic):
    """Mask of the rows of positive weight; an error if nothing can be learned from them."""
    if np.any(sample_weight < 0):
        raise ValueError("sample_weight must be >= 0: weights are frequencies.")
    keep = sample_weight > 0
    if not keep.any():
        raise ValueError("sample_weight must not be 0 for every row.")
    if synthetic[keep].all():
        raise ValueError(
            "synthetic marks every row (of positive weight) as synthetic. SyntheticMixRidge needs "
            "real rows to learn the shift from; with none, use AdaptiveRidgeCollapse."
        )
    return keep


def _mixed_rows(columns, Y, sample_weight, synthetic, fit_intercept):
    """Return both groups' statistics, and the moments of the real rows."""
    real, made = (
        Moments.of(columns[rows], Y[rows], sample_weight[rows]) if rows.any() else None
        for rows in (~synthetic, synthetic)
    )
    if not fit_intercept:
        real, made = real.about_origin(), made and made.about_origin()
    weight = sample_weight[~synthetic]
    mixed = MixedRows.of(
        real, made, columns[~synthetic], Y[~synthetic], weight, bool(fit_intercept)
    )
    return mixed, real
