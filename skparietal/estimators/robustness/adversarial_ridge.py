"""Linear regression that withstands attacks on its inputs."""

import warnings
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Bunch, check_random_state
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from skparietal._compat import check_sample_weight
from skparietal.adversarial_risk import GaussianRisk, SurrogateRisk
from skparietal.estimators.robustness._attack_problem import AttackProblem
from skparietal.estimators.robustness._clean_error import (
    check_combination,
    clean_error,
    is_empirical,
)
from skparietal.estimators.robustness._linear import (
    NORM_CONSTRAINTS,
    RADIUS_CONSTRAINTS,
    AttackedLinearModel,
    warn_of_unequal_columns,
)
from skparietal.estimators.robustness._scaled_rows import ScaledRows
from skparietal.norms import check_norm
from skparietal.solvers.robustness.adversarial_least_squares import (
    FEW,
    collapse_radius,
    frontier_path,
)
from skparietal.solvers.robustness.radius_rules import (
    interpolation_radius,
    label_radius,
    noise_radius,
    training_interpolation_radius,
)

RISKS = {"gaussian": GaussianRisk, "surrogate": SurrogateRisk, "empirical": GaussianRisk}


class AdversarialRidge(AttackedLinearModel, BaseEstimator):
    """Linear regression trained for the worst attack of a given norm and size.

    At test time an attacker adds to every row a step of norm at most `radius`. The model minimises
    the adversarial mean squared error, exactly and along one path of solutions: the ridge path for
    Euclidean attacks, the lasso path for attacks of bounded largest change.

    Parameters
    ----------
    radius : float or {"randn_zero", "zero", "interp"}, default=0.1
        Size of the attack in the units of X. "randn_zero": where a model of pure noise labels would
        collapse to zero, which needs no noise level; "zero": where this model does; "interp": the
        largest that lets a model with more features than rows interpolate.
    norm : {"l1", "l2", "linf"}, float or Norm, default="l2"
        Norm of the attack; a float is the p of an lp norm, further norms are in
        :mod:`skparietal.norms`.
    objective : {"gaussian", "surrogate", "empirical"}, default="gaussian"
        "gaussian": adversarial mean squared error for Gaussian residuals; "surrogate": clean root
        mean squared error plus radius times dual norm; "empirical": mean of the squared worst-case
        residuals of the training rows (adversarial training).
    scale : {"gcv", "train", "unbiased", "noise_free"} or float, default="gcv"
        Clean error that enters the objective. "gcv": training error corrected for the degrees of
        freedom as in generalised cross-validation (l1, l2 and linf attacks; "train" for others);
        "train": training error; "unbiased": noise variance from the residuals of least squares;
        "noise_free": distance to the initial model only; a float is the noise variance. Not used
        when objective="empirical".
    max_clean_loss : float, default=None
        Largest excess of the root mean squared error over its least value, in quadrature and in the
        units of y: the most robust model that is this accurate, when it binds.
    initial_estimator : estimator, default=None
        Linear model that takes the place of least squares as the center of the clean error. Needs
        `scale` to be "noise_free" or a float.
    covariance : {"empirical", "ledoit_wolf"}, array-like or estimator, default="empirical"
        Covariance of the features in the clean error; other than "empirical" needs `scale` to be
        "noise_free" or a float.
    fit_intercept : bool, default=True
        Whether an intercept is fitted; no attack changes it.
    solver : {"auto", "path", "active_set", "admm", "cvxpy"}, default="auto"
        "auto" takes the fastest one for the norm, and another where its certificate fails.
    tol : float, default=1e-8
        Relative duality gap at which iterative solvers stop.
    max_iter : int, default=5000
        Iterations of ADMM at the most.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
        Coefficients.
    intercept_ : float or ndarray of shape (n_targets,)
        Intercept.
    radius_ : float or ndarray of shape (n_targets,)
        Size of the attack that was used.
    dual_norm_ : float or ndarray of shape (n_targets,)
        Dual norm of the coefficients: the change of a prediction per unit of attack.
    clean_rmse_ : float or ndarray of shape (n_targets,)
        Root mean squared training error without an attack.
    scale_ : float or ndarray of shape (n_targets,)
        Clean error that entered the objective, as a root mean square.
    adversarial_risk_ : float or ndarray of shape (n_targets,)
        Gaussian adversarial mean squared error at `scale_` and `dual_norm_`.
    alpha_ : float or ndarray of shape (n_targets,)
        Price of the dual norm, minus the derivative of half the mean squared error in it. For linf
        attacks it is scikit-learn's Lasso alpha, for l2 attacks n `alpha_` / `dual_norm_` is
        Ridge's.
    collapse_radius_ : float or ndarray of shape (n_targets,)
        Size of the attack from which on all coefficients are zero (at training error).
    dual_gap_ : float or ndarray of shape (n_targets,)
        Relative duality gap: how far above the optimum the objective can be.
    n_iter_ : int or ndarray of shape (n_targets,)
        Iterations of the solver: evaluations, faces, or steps of ADMM.
    solver_ : str or list of str
        Solver that found the solution.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if X had any.

    See Also
    --------
    AdversarialRidgeCV : The same, with the training radius chosen on held-out rows.
    EarlyStoppedRobustGD : Gradient descent that stops at the right time.

    Notes
    -----
    An attack of size r changes the residual of a linear model by at most r b, b the dual norm of
    its coefficients. With a Gaussian residual of root mean square s the adversarial mean squared
    error is s^2 + r^2 b^2 + 2 sqrt(2/pi) r s b. Both objectives of (s, b) increase in both, so that
    their minimisers lie on the frontier between s and b, which for l2, linf and l1 attacks is the
    path of ridge, of the lasso and of least squares in a growing box. The objectives are
    equivariant: rescaling y asks for no other radius. The noise-free two-stage estimator is the
    published one; the noise-aware scales are an extension: with label noise, "noise_free" stays at
    least squares up to a positive radius and is far from optimal.

    References
    ----------
    Scetbon, Dohmatob, Robust Linear Regression: Gradient-descent, Early-stopping, and Beyond, 2023.
    Dohmatob, Scetbon, Precise Accuracy / Robustness Tradeoffs in Regression: Case of General Norms,
    2024.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import LinearRegression
    >>> from sklearn.preprocessing import scale
    >>> from skparietal import AdversarialRidge
    >>> X, y = load_diabetes(return_X_y=True)
    >>> X = scale(X)
    >>> model = AdversarialRidge(radius=0.2, norm="linf").fit(X, y)
    >>> model.adversarial_score(X, y)
    0.274...
    >>> ols = LinearRegression().fit(X, y)
    >>> bool(3 * model.dual_norm_ < abs(ols.coef_).sum())
    True
    """

    _parameter_constraints: dict = {
        "radius": [*RADIUS_CONSTRAINTS, StrOptions({"randn_zero", "zero", "interp"})],
        "norm": NORM_CONSTRAINTS,
        "objective": [StrOptions(set(RISKS))],
        "scale": [
            StrOptions({"gcv", "train", "unbiased", "noise_free"}),
            Interval(Real, 0, None, closed="left"),
        ],
        "max_clean_loss": [Interval(Real, 0, None, closed="left"), None],
        "initial_estimator": [HasMethods(["fit", "predict"]), None],
        "covariance": [StrOptions({"empirical", "ledoit_wolf"}), "array-like", HasMethods("fit")],
        "fit_intercept": ["boolean"],
        "solver": [StrOptions({"auto", "path", "active_set", "admm", "cvxpy"})],
        "tol": [Interval(Real, 0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        radius=0.1,
        *,
        norm="l2",
        objective="gaussian",
        scale="gcv",
        max_clean_loss=None,
        initial_estimator=None,
        covariance="empirical",
        fit_intercept=True,
        solver="auto",
        tol=1e-8,
        max_iter=5000,
    ):
        self.radius = radius
        self.norm = norm
        self.objective = objective
        self.scale = scale
        self.max_clean_loss = max_clean_loss
        self.initial_estimator = initial_estimator
        self.covariance = covariance
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None):
        """Fit the model.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets; each is attacked on its own.
        sample_weight : array-like of shape (n_samples,), default=None
            Frequency weights: weight 2 is the row twice.

        Returns
        -------
        self : AdversarialRidge
            Fitted model.
        """
        X, y = validate_data(
            self, X, y, dtype=[np.float64, np.float32], multi_output=True, y_numeric=True
        )
        if sample_weight is not None:
            sample_weight = check_sample_weight(sample_weight, X, ensure_non_negative=True)
        check_combination(self, weighted=sample_weight is not None)
        norm = check_norm(self.norm, X.shape[1])
        rows = ScaledRows.of(X, y, sample_weight, norm, self.fit_intercept)
        problems = [self._problem(rows, k, X, y) for k in range(rows.Y.shape[1])]
        warn_of_unequal_columns(rows.spread(), self.norm)
        radii = [self._radius(rows, k, problem) for k, problem in enumerate(problems)]
        models = [
            self._minimize(rows, k, problem, radius)
            for k, (problem, radius) in enumerate(zip(problems, radii))
        ]
        self._problems, self._units = problems, rows.without_rows()
        self._store(rows, norm, models, np.array(radii), X.dtype, single=y.ndim == 1)
        self._warn()
        return self

    def path(self, radii):
        """Models of several attack sizes, from the path of the fit.

        Parameters
        ----------
        radii : array-like of shape (n_radii,)
            Attack sizes >= 0 in the units of X.

        Returns
        -------
        path : Bunch
            radii (n_radii,); coef (n_radii, n_features); intercept, adversarial_risk and dual_gap
            (n_radii,). With several targets the second axis is the target.
        """
        check_is_fitted(self)
        if self.objective == "empirical":
            raise ValueError("objective='empirical' has no path: fit one model per radius.")
        radii = np.atleast_1d(np.asarray(radii, dtype=float))
        if radii.ndim != 1 or not np.all(np.isfinite(radii)) or np.any(radii < 0):
            raise ValueError("radii must be one row of finite numbers >= 0.")
        columns = []
        for k, problem in enumerate(self._problems):
            points, clean = problem.minimize(self._units.radius(radii))
            coef = self._units.coef(np.array([point.coef for point in points]), k)
            dual = check_norm(self.norm).dual.norm(coef)
            risk = GaussianRisk(radii).value(clean * self._units.y_scale[k], dual)
            gap = np.array([point.gap for point in points])
            columns.append((coef, self._units.intercept(coef, k), risk, gap))
        fields = [np.stack(field, axis=1) for field in zip(*columns)]
        if self.coef_.ndim == 1:
            fields = [field[:, 0] for field in fields]
        names = ("coef", "intercept", "adversarial_risk", "dual_gap")
        return Bunch(radii=radii, **dict(zip(names, fields)))

    def _problem(self, rows, k, X, y):
        kind = getattr(rows.norm, "p", None)
        wanted = self.scale == "gcv" or self.max_clean_loss is not None or self.radius == "interp"
        euclidean = kind == 2 and (wanted or rows.X.shape[1] > FEW)
        loss = clean_error(
            rows,
            k,
            X,
            y,
            scale=self.scale,
            initial_estimator=self.initial_estimator,
            covariance=self.covariance,
            fit_intercept=self.fit_intercept,
            with_basis=euclidean,
            few_columns=kind == np.inf and self.scale == "train" and not wanted,
        )
        path, empirical = None, self.objective == "empirical"
        if euclidean or (wanted and not empirical) or self.radius == "interp":
            of_rows = euclidean and is_empirical(self.covariance) and loss.gram is not None
            path = frontier_path(loss, rows.norm, rows.basis if of_rows else None)
        excess = self.max_clean_loss
        return AttackProblem(
            loss=loss,
            path=path,
            norm=rows.norm,
            kind=RISKS[self.objective],
            n_samples=rows.weights.sum(),
            intercept=self.fit_intercept,
            corrected=self.scale == "gcv" and path is not None and not empirical,
            excess=None if excess is None else (excess / rows.y_scale[k]) ** 2,
            options={"solver": self.solver, "tol": self.tol, "max_iter": self.max_iter},
        )

    def _radius(self, rows, k, problem):
        """Attack size in the scaled units."""
        if not isinstance(self.radius, str):
            return float(rows.radius(self.radius))
        if self.radius == "randn_zero":
            return noise_radius(rows.plain()[0], rows.weights, rows.norm, check_random_state(0))
        empirical = self.objective == "empirical"
        if self.radius == "zero" and empirical:
            return label_radius(rows.plain()[0], rows.plain_target(k), rows.weights, rows.norm)
        if self.radius == "zero":
            return collapse_radius(problem.loss, rows.norm, problem.kind)
        if problem.path is None or problem.path.least > 0:
            raise ValueError(
                "radius='interp' needs an l1, l2 or linf attack and rows that the model can "
                "interpolate (more features than rows); give a number instead."
            )
        if empirical:
            return training_interpolation_radius(*rows.plain(), problem.path, rows.norm)
        return interpolation_radius(problem.path, rows.norm, problem.kind)

    def _minimize(self, rows, k, problem, radius):
        """Point, clean error and intercept of one target in the scaled units."""
        if self.objective == "empirical" and radius > 0:
            X, shares = rows.plain()
            target = rows.plain_target(k)
            point, offset = problem.train(X, target, shares, radius, self.fit_intercept)
            return point, point.clean, offset
        points, clean = problem.minimize(np.array([radius]))
        return points[0], float(clean[0]), 0.0

    def _store(self, rows, norm, models, radii, dtype, single):
        points, clean, offsets = zip(*models)
        coef = np.array([rows.coef(point.coef, k) for k, point in enumerate(points)])
        intercept = np.array([rows.intercept(w, k) for k, w in enumerate(coef)])
        scale = np.array(clean) * rows.y_scale
        dual = np.atleast_1d(norm.dual.norm(coef))
        rule = isinstance(self.radius, str)
        radius = radii * rows.x_scale if rule else np.full(len(points), float(self.radius))
        statistics = {
            "intercept_": (intercept + np.array(offsets) * rows.y_scale).astype(dtype),
            "radius_": radius,
            "dual_norm_": dual,
            "clean_rmse_": self._training_error(rows, points),
            "scale_": scale,
            "adversarial_risk_": GaussianRisk(radius).value(scale, dual),
            "alpha_": np.array([point.multiplier for point in points])
            * rows.y_scale
            * rows.x_scale,
            "collapse_radius_": self._collapse_radii(rows),
            "dual_gap_": np.array([point.gap for point in points]),
            "n_iter_": np.array([point.n_iter for point in points]),
        }
        for name, values in statistics.items():
            setattr(self, name, values[0] if single else values)
        self.coef_ = coef[0].astype(dtype) if single else coef.astype(dtype)
        self.solver_ = points[0].solver if single else [point.solver for point in points]

    def _training_error(self, rows, points):
        if self.scale in ("gcv", "train"):
            return np.array([point.clean for point in points]) * rows.y_scale
        return rows.training_error([point.coef for point in points])

    def _collapse_radii(self, rows):
        if self.objective == "empirical":
            X, _ = rows.plain()
            targets = [rows.plain_target(k) for k in range(rows.Y.shape[1])]
            radii = [label_radius(X, y, rows.weights, rows.norm) for y in targets]
        else:
            radii = [collapse_radius(f.loss, f.norm, f.kind) for f in self._problems]
        return np.array(radii) * rows.x_scale

    def _warn(self):
        gap = np.max(self.dual_gap_)
        if gap > max(1e-4, self.tol):
            warnings.warn(
                f"The solver stopped at a relative duality gap of {gap:.1e}; raise max_iter, or "
                "use solver='cvxpy'.",
                ConvergenceWarning,
                stacklevel=4,
            )
        collapsed = (np.atleast_1d(self.collapse_radius_) > 0) & (
            np.atleast_1d(self.radius_) >= np.atleast_1d(self.collapse_radius_)
        )
        if np.any(collapsed) and not isinstance(self.radius, str):
            warnings.warn(
                f"All coefficients are zero: radius={self.radius:g} is not below collapse_radius_="
                f"{np.min(self.collapse_radius_):.3g}. The radius is in the units of X.",
                UserWarning,
                stacklevel=4,
            )
