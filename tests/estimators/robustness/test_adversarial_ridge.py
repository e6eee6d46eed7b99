"""AdversarialRidge: identities, limits, agreement with other routes, bad input."""

import pickle
import warnings

import cvxpy
import numpy as np
import pytest
from sklearn.covariance import OAS
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression, RidgeCV
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

from skparietal import AdversarialRidge
from skparietal.adversarial_risk import GaussianRisk
from skparietal.metrics import make_adversarial_scorer
from skparietal.norms import CallableNorm, GroupNorm, MahalanobisNorm, ScaledNorm, check_norm
from skparietal.solvers.robustness.adversarial_training import (
    empirical_risk,
    minimize_empirical_risk,
)

NORMS = ["l1", "l2", "linf", GroupNorm([0, 0, 1, 1, 2, 2])]
all_norms = pytest.mark.parametrize("norm", NORMS, ids=["l1", "l2", "linf", "group"])


def data(n=80, d=6, noise=1.0, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) + rng.normal(size=d)
    coef = rng.normal(size=d) * (np.arange(d) < max(d // 2, 2))
    return X, X @ coef + noise * rng.normal(size=n) + 2.0


@all_norms
@pytest.mark.parametrize("objective", ["gaussian", "surrogate", "empirical"])
def test_without_an_attack_it_is_least_squares(norm, objective):
    X, y = data()
    model = AdversarialRidge(0.0, norm=norm, objective=objective, scale="train").fit(X, y)
    ols = LinearRegression().fit(X, y)
    np.testing.assert_allclose(model.coef_, ols.coef_, rtol=1e-9)
    np.testing.assert_allclose(model.intercept_, ols.intercept_, rtol=1e-9)


@all_norms
@pytest.mark.parametrize("objective", ["gaussian", "surrogate", "empirical"])
def test_it_minimises_what_it_says(norm, objective):
    X, y = data()
    radius = 0.2
    model = AdversarialRidge(radius, norm=norm, objective=objective, scale="train").fit(X, y)
    dual = check_norm(norm).dual
    w, b0 = cvxpy.Variable(6), cvxpy.Variable()
    attack = radius * dual.to_cvxpy(w)
    residual = y - X @ w - b0
    clean = cvxpy.norm(residual, 2) / np.sqrt(80)
    c = np.sqrt(2 / np.pi)
    problem = {
        "surrogate": clean + attack,
        "gaussian": cvxpy.square(clean + c * attack) + (1 - c**2) * cvxpy.square(attack),
        "empirical": cvxpy.sum_squares(cvxpy.abs(residual) + attack) / 80,
    }[objective]
    with warnings.catch_warnings():
        # "Solution may be inaccurate": still a feasible point to compare with.
        warnings.simplefilter("ignore", UserWarning)
        cvxpy.Problem(cvxpy.Minimize(problem)).solve(solver=cvxpy.CLARABEL)
    best = problem.value
    w.value, b0.value = model.coef_, model.intercept_
    # Clarabel stops at 1e-8 relative, ADMM at 1e-8.
    assert problem.value <= best * (1 + 1e-7)
    assert model.dual_gap_ <= 1e-7


@all_norms
def test_no_random_attack_beats_the_worst_case(norm):
    X, y = data()
    model = AdversarialRidge(0.3, norm=norm).fit(X, y)
    attack_norm = check_norm(norm)
    worst = model.worst_case_perturbation(X, y)
    np.testing.assert_allclose(attack_norm.norm(worst), 0.3)
    error = (y - model.predict(X + worst)) ** 2
    np.testing.assert_allclose(
        np.sqrt(error), np.abs(y - model.predict(X)) + 0.3 * model.dual_norm_, rtol=1e-10
    )
    rng = np.random.default_rng(0)
    for _ in range(30):
        step = rng.normal(size=X.shape)
        step *= 0.3 / attack_norm.norm(step)[:, None]
        assert np.all((y - model.predict(X + step)) ** 2 <= error + 1e-9)
    score = 1 - error.mean() / y.var()
    assert model.adversarial_score(X, y) == pytest.approx(score)


@all_norms
@pytest.mark.parametrize("scale", ["gcv", "train", "noise_free", 0.5])
def test_rescaling_changes_nothing_but_the_units(norm, scale):
    X, y = data()
    base = AdversarialRidge(0.2, norm=norm, scale=scale).fit(X, y)
    for factor_x, factor_y in ((1e-3, 1e4), (1e5, 1e-6)):
        noise = scale * factor_y**2 if isinstance(scale, float) else scale
        model = AdversarialRidge(0.2 * factor_x, norm=norm, scale=noise)
        model.fit(X * factor_x, y * factor_y)
        tolerance = 1e-5 if isinstance(norm, GroupNorm) else 1e-8
        np.testing.assert_allclose(
            model.coef_ * factor_x / factor_y, base.coef_, rtol=tolerance, atol=tolerance
        )
        np.testing.assert_allclose(model.dual_gap_, base.dual_gap_, atol=1e-7)


def test_scaled_and_mahalanobis_attacks_are_attacks_on_transformed_features():
    X, y = data()
    costs = np.linspace(0.5, 3, 6)
    scaled = AdversarialRidge(0.2, norm=ScaledNorm("linf", costs)).fit(X, y)
    plain = AdversarialRidge(0.2, norm="linf").fit(X * costs, y)
    np.testing.assert_allclose(scaled.coef_, plain.coef_ * costs, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(scaled.dual_norm_, plain.dual_norm_)
    diagonal = AdversarialRidge(0.2, norm=MahalanobisNorm(np.diag(costs**2))).fit(X, y)
    euclidean = AdversarialRidge(0.2, norm=ScaledNorm("l2", costs)).fit(X, y)
    np.testing.assert_allclose(diagonal.coef_, euclidean.coef_, rtol=1e-8)


@pytest.mark.parametrize("norm", ["l1", "l2", "linf"])
@pytest.mark.parametrize("scale", ["gcv", "train"])
@pytest.mark.parametrize("objective", ["gaussian", "surrogate"])
def test_the_path_holds_the_fits_of_all_radii(norm, scale, objective):
    X, y = data()
    radii = np.array([0.0, 0.05, 0.3])
    model = AdversarialRidge(0.1, norm=norm, scale=scale, objective=objective).fit(X, y)
    path = model.path(radii)
    for i, radius in enumerate(radii):
        alone = AdversarialRidge(radius, norm=norm, scale=scale, objective=objective).fit(X, y)
        np.testing.assert_allclose(path.coef[i], alone.coef_, rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(path.intercept[i], alone.intercept_)
        np.testing.assert_allclose(path.adversarial_risk[i], alone.adversarial_risk_)


def test_the_path_of_a_group_norm_is_a_fit_per_radius():
    X, y = data()
    model = AdversarialRidge(0.1, norm=NORMS[-1]).fit(X, y)
    path = model.path([0.1, 0.3])
    np.testing.assert_allclose(path.coef[0], model.coef_, atol=1e-6)
    assert path.dual_gap.max() <= 1e-7


@pytest.mark.parametrize("norm", NORMS, ids=["l1", "l2", "linf", "group"])
def test_a_bound_on_the_clean_loss_binds_exactly(norm):
    X, y = data()
    ols = np.mean((y - LinearRegression().fit(X, y).predict(X)) ** 2)
    free = AdversarialRidge(0.6, norm=norm, scale="train").fit(X, y)
    bound = 0.5 * np.sqrt(free.clean_rmse_**2 - ols)
    model = AdversarialRidge(0.6, norm=norm, scale="train", max_clean_loss=bound).fit(X, y)
    # Bisection of the radius stops at 1e-9 of it for the group norm.
    np.testing.assert_allclose(model.clean_rmse_**2 - ols, bound**2, rtol=1e-5)
    loose = AdversarialRidge(0.6, norm=norm, scale="train", max_clean_loss=100.0).fit(X, y)
    np.testing.assert_allclose(loose.coef_, free.coef_, atol=1e-9)


@all_norms
def test_integer_weights_are_repetitions(norm):
    X, y = data(40)
    weights = np.arange(40) % 3
    repeated = np.repeat(np.arange(40), weights)
    for objective, tol in (("gaussian", 1e-8), ("empirical", 1e-10)):
        one = AdversarialRidge(0.2, norm=norm, objective=objective, tol=tol, max_iter=20_000)
        two = AdversarialRidge(0.2, norm=norm, objective=objective, tol=tol, max_iter=20_000)
        one.fit(X, y, sample_weight=weights)
        two.fit(X[repeated], y[repeated])
        # The objective is strongly convex: a gap of 1e-10 leaves 1e-5 in the coefficients.
        np.testing.assert_allclose(one.coef_, two.coef_, atol=1e-5)


@all_norms
def test_outputs_are_fitted_one_by_one(norm):
    X, y = data()
    Y = np.column_stack([y, -3 * y + X[:, 0], np.ones(len(y))])
    model = AdversarialRidge(0.2, norm=norm).fit(X, Y)
    assert model.coef_.shape == (3, 6)
    assert model.dual_gap_.shape == model.intercept_.shape == (3,)
    for k in range(3):
        alone = AdversarialRidge(0.2, norm=norm).fit(X, Y[:, k])
        np.testing.assert_allclose(model.coef_[k], alone.coef_, atol=1e-9)
    np.testing.assert_allclose(model.predict(X)[:, 2], 1.0)
    assert model.worst_case_perturbation(X, Y).shape == (80, 6, 3)
    assert model.path([0.1, 0.2]).coef.shape == (2, 3, 6)


def test_alpha_is_that_of_ridge_and_lasso():
    from sklearn.linear_model import Lasso, Ridge

    X, y = data()
    l2 = AdversarialRidge(0.2).fit(X, y)
    ridge = Ridge(alpha=80 * l2.alpha_ / l2.dual_norm_).fit(X, y)
    np.testing.assert_allclose(l2.coef_, ridge.coef_, rtol=1e-7)
    linf = AdversarialRidge(0.2, norm="linf").fit(X, y)
    lasso = Lasso(alpha=linf.alpha_, tol=1e-12).fit(X, y)
    np.testing.assert_allclose(linf.coef_, lasso.coef_, atol=1e-6)


def test_float32_stays_float32():
    X, y = data()
    model = AdversarialRidge(0.1).fit(X.astype(np.float32), y.astype(np.float32))
    assert model.coef_.dtype == model.intercept_.dtype == np.float32
    assert model.predict(X.astype(np.float32)).dtype == np.float32


def test_two_stage_with_other_first_stages():
    X, y = data()
    plain = AdversarialRidge(0.2, objective="surrogate", scale="noise_free").fit(X, y)
    same = AdversarialRidge(
        0.2, objective="surrogate", scale="noise_free", initial_estimator=LinearRegression()
    ).fit(X, y)
    np.testing.assert_allclose(same.coef_, plain.coef_, rtol=1e-9)
    empirical = np.cov(X.T, bias=True)
    given = AdversarialRidge(
        0.2, objective="surrogate", scale="noise_free", covariance=empirical
    ).fit(X, y)
    np.testing.assert_allclose(given.coef_, plain.coef_, rtol=1e-8)
    for covariance in ("ledoit_wolf", OAS()):
        shrunk = AdversarialRidge(0.2, scale=1.0, covariance=covariance).fit(X, y)
        assert shrunk.dual_gap_ <= 1e-8


def test_scales_of_the_noise():
    X, y = data()
    ols = np.mean((y - LinearRegression().fit(X, y).predict(X)) ** 2)
    tiny = 1e-9
    scales = {s: AdversarialRidge(tiny, scale=s).fit(X, y).scale_ for s in ("train", "unbiased")}
    np.testing.assert_allclose(scales["train"] ** 2, ols, rtol=1e-6)
    np.testing.assert_allclose(scales["unbiased"] ** 2, ols * 80 / (80 - 7), rtol=1e-6)
    known = AdversarialRidge(0.2, scale=float(ols)).fit(X, y)
    train = AdversarialRidge(0.2, scale="train").fit(X, y)
    np.testing.assert_allclose(known.coef_, train.coef_, rtol=1e-8)


def test_gcv_corrects_the_training_error():
    X, y = data(60, 25)
    model = AdversarialRidge(0.2).fit(X, y)
    values = np.linalg.eigvalsh(np.cov(X.T, bias=True))
    mu = model.alpha_ / model.dual_norm_
    df = 1 + np.sum(values / (values + mu))
    np.testing.assert_allclose(model.scale_, model.clean_rmse_ / (1 - df / 60), rtol=1e-6)


def test_noise_free_stays_at_least_squares_and_noise_aware_does_not():
    # The surprise of noisy labels: the population device ignores an attack below the free radius.
    X, y = data(200, 20, noise=2.0)
    ols = LinearRegression().fit(X, y).coef_
    free = AdversarialRidge(0.05, norm="linf", objective="surrogate", scale="noise_free").fit(X, y)
    np.testing.assert_allclose(free.coef_, ols, atol=1e-9)
    assert np.abs(AdversarialRidge(0.05, norm="linf").fit(X, y).coef_ - ols).max() > 0.05


@pytest.mark.parametrize("rule", ["randn_zero", "zero"])
@pytest.mark.parametrize("objective", ["gaussian", "empirical"])
def test_radius_rules(rule, objective):
    X, y = data(50, 10)
    model = AdversarialRidge(rule, norm="linf", objective=objective, scale="train").fit(X, y)
    ratio = np.abs((X - X.mean(0)).T @ (y - y.mean())).max()
    if rule == "zero":
        denominator = np.abs(y - y.mean()).sum()
        if objective == "gaussian":
            denominator = np.sqrt(2 / np.pi) * 50 * y.std()
        np.testing.assert_allclose(model.radius_, ratio / denominator)
        assert model.radius_ == pytest.approx(model.collapse_radius_)
    else:
        # The maximum of 10 correlations of noise: a few times 1 / sqrt(n), whatever y is.
        other = AdversarialRidge(rule, norm="linf", objective=objective).fit(X, 7 * y**2)
        np.testing.assert_allclose(model.radius_, other.radius_)
        assert 1 / np.sqrt(50) < model.radius_ < 5 / np.sqrt(50)


@pytest.mark.parametrize("objective", ["surrogate", "empirical"])
@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_interpolation_ends_at_the_interp_radius(norm, objective):
    X, y = data(15, 40)
    options = {"norm": norm, "objective": objective, "scale": "train", "max_iter": 3000}
    threshold = AdversarialRidge("interp", **options).fit(X, y).radius_
    below = AdversarialRidge(0.9 * threshold, **options).fit(X, y)
    above = AdversarialRidge(1.2 * threshold, **options).fit(X, y)
    assert below.clean_rmse_ < 1e-5 * y.std()
    assert above.clean_rmse_ > 1e-3 * y.std()


def test_training_risk_certificate_bounds_the_optimum():
    X, y = data(30, 5)
    weights = np.random.default_rng(0).uniform(0.5, 2, 30)
    weights /= weights.sum()
    for norm in map(check_norm, ["l1", "l2", "linf"]):
        tight = minimize_empirical_risk(X, y, weights, norm, 0.2, tol=1e-10)
        best = empirical_risk(X, y, weights, norm, 0.2, tight.coef, tight.intercept)
        rough = minimize_empirical_risk(X, y, weights, norm, 0.2, tol=0.5, max_iter=20)
        value = empirical_risk(X, y, weights, norm, 0.2, rough.coef, rough.intercept)
        assert best * (1 - 1e-9) <= value
        assert value * (1 - rough.gap) <= best * (1 + 1e-9)


def test_in_pipelines_and_grid_searches():
    X, y = load_diabetes(return_X_y=True)
    search = GridSearchCV(
        make_pipeline(StandardScaler(), AdversarialRidge(norm="linf")),
        {"adversarialridge__radius": [0.001, 0.1, 0.3]},
        scoring=make_adversarial_scorer("linf", 0.005),
        cv=3,
    ).fit(X, y)
    assert search.best_params_ != {"adversarialridge__radius": 0.001}
    copy = pickle.loads(pickle.dumps(search.best_estimator_))
    np.testing.assert_array_equal(copy.predict(X), search.predict(X))
    np.testing.assert_allclose(
        copy[-1].path([0.1]).coef, search.best_estimator_[-1].path([0.1]).coef
    )


def test_diabetes_under_attack_beats_clean_tuning():
    # The claim on training rows here; held-out figures are in the gallery.
    X, y = load_diabetes(return_X_y=True)
    X, y = scale(X), scale(y)
    clean = RidgeCV(alphas=np.geomspace(1e-2, 1e4, 30)).fit(X, y)
    model = AdversarialRidge(0.2, norm="linf").fit(X, y)
    scorer = make_adversarial_scorer("linf", 0.2)
    assert -scorer(model, X, y) < 0.8 < -scorer(clean, X, y)


@pytest.mark.parametrize("factor", [1e-300, 1e-150, 1e150])
@pytest.mark.parametrize("norm", ["l1", "l2", "linf"])
def test_extreme_units_do_not_produce_nan(factor, norm):
    X, y = data()
    for objective in ("gaussian", "empirical"):
        model = AdversarialRidge(0.1 * factor, norm=norm, objective=objective)
        model.fit(X * factor, y)
        assert np.all(np.isfinite(model.coef_ * factor))
        np.testing.assert_allclose(model.predict(X * factor), model.predict(X * factor))
        base = AdversarialRidge(0.1, norm=norm, objective=objective).fit(X, y)
        np.testing.assert_allclose(model.coef_ * factor, base.coef_, atol=1e-3)


@pytest.mark.parametrize("norm", ["l1", "l2", "linf"])
@pytest.mark.parametrize("objective", ["gaussian", "empirical"])
def test_degenerate_data_give_finite_models(norm, objective):
    X, y = data()
    cases = {
        "one row": (X[:1], y[:1]),
        "constant y": (X, np.full(80, 3.0)),
        "zero X": (np.zeros((80, 6)), y),
        "collinear": (np.column_stack([X, X[:, :3]]), y),
    }
    for name, (A, b) in cases.items():
        model = AdversarialRidge(0.1, norm=norm, objective=objective).fit(A, b)
        assert np.all(np.isfinite(model.coef_)), name
        if name != "collinear":
            assert not model.coef_.any(), name
            np.testing.assert_allclose(model.intercept_, b.mean())


@pytest.mark.parametrize("norm", ["l1", "l2", "linf"])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_adversarial_training_interpolates_up_to_its_radius(norm, fit_intercept):
    # 1 / (n max|alpha|) by the dual solution alpha of the least-norm interpolator.
    X, y = data(15, 40)
    weights = 1.0 + np.arange(15) % 3
    limit = (
        AdversarialRidge(
            "interp", norm=norm, objective="empirical", fit_intercept=fit_intercept, scale="train"
        )
        .fit(X, y, sample_weight=weights)
        .radius_
    )
    for factor, interpolates in ((0.5, True), (0.99, True), (1.5, False)):
        model = AdversarialRidge(
            factor * limit, norm=norm, objective="empirical", fit_intercept=fit_intercept
        ).fit(X, y, sample_weight=weights)
        assert (model.solver_ == "interpolation") == interpolates
        assert (model.clean_rmse_ < 1e-9) == interpolates
        assert model.dual_gap_ <= 1e-6
        exact = AdversarialRidge(
            factor * limit,
            norm=norm,
            objective="empirical",
            fit_intercept=fit_intercept,
            solver="cvxpy",
        ).fit(X, y, sample_weight=weights)
        risks = [
            empirical_risk(X, y, weights / weights.sum(), check_norm(norm), m.radius_, m.coef_, b)
            for m, b in ((model, model.intercept_), (exact, exact.intercept_))
        ]
        assert risks[0] <= risks[1] * (1 + 1e-7)


def test_a_callable_norm_is_fitted_by_cvxpy():
    def dual(w):
        return cvxpy.norm1(w)

    X, y = data()
    model = AdversarialRidge(0.2, norm=CallableNorm(dual), scale="train").fit(X, y)
    exact = AdversarialRidge(0.2, norm="linf", scale="train").fit(X, y)
    assert model.solver_ == "cvxpy"
    np.testing.assert_allclose(model.coef_, exact.coef_, atol=1e-4)
    with pytest.raises(ValueError, match="does not apply"):
        AdversarialRidge(norm=CallableNorm(dual), solver="path").fit(X, y)


def test_warnings_name_the_remedy():
    X, y = data()
    with pytest.warns(UserWarning, match="All coefficients are zero: radius=100"):
        AdversarialRidge(100.0).fit(X, y)
    with pytest.warns(UserWarning, match="ScaledNorm"):
        AdversarialRidge(0.0).fit(X * np.geomspace(1, 1e5, 6), y)
    with pytest.warns(ConvergenceWarning, match="raise max_iter"):
        AdversarialRidge(0.2, objective="empirical", solver="admm", max_iter=1).fit(X, y)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"radius": -1.0}, ValueError, "radius"),
        ({"radius": np.inf}, ValueError, "radius"),
        ({"radius": np.nan}, ValueError, "radius"),
        ({"radius": "huge"}, ValueError, "radius"),
        ({"norm": "l7"}, ValueError, "norm"),
        ({"norm": 0.5}, ValueError, "norm"),
        ({"norm": GroupNorm([0, 1])}, ValueError, "made for 2 features"),
        ({"norm": ScaledNorm("l2", [1.0] * 5)}, ValueError, "made for 5 features"),
        ({"norm": MahalanobisNorm(np.eye(3))}, ValueError, "made for 3 features"),
        ({"initial_estimator": LinearRegression()}, ValueError, "noise_free"),
        ({"covariance": "ledoit_wolf"}, ValueError, "noise_free"),
        ({"objective": "empirical", "scale": "noise_free"}, ValueError, "training rows"),
        ({"objective": "empirical", "max_clean_loss": 1.0}, ValueError, "max_clean_loss"),
        ({"covariance": np.eye(3), "scale": 1.0}, ValueError, "covariance must be"),
        ({"radius": "interp"}, ValueError, "interpolate"),
        ({"solver": "active_set", "scale": "train"}, ValueError, "does not apply"),
    ],
)
def test_bad_input_is_named(parameters, error, message):
    X, y = data()
    with pytest.raises(error, match=message):
        AdversarialRidge(**parameters).fit(X, y)


def test_more_bad_input():
    X, y = data(10, 20)
    with pytest.raises(ValueError, match="more rows than coefficients"):
        AdversarialRidge(scale="unbiased").fit(X, y)
    model = AdversarialRidge(0.1).fit(X, y)
    with pytest.raises(ValueError, match="radii"):
        model.path([-1.0])
    with pytest.raises(ValueError, match="radius must be"):
        model.adversarial_score(X, y, radius=-1.0)
    with pytest.raises(ValueError, match="at least one non-zero"):
        AdversarialRidge().fit(X, y, sample_weight=np.zeros(10))
    with pytest.raises(ValueError, match="no path"):
        AdversarialRidge(objective="empirical").fit(X, y).path([0.1])


def test_the_reported_risk_is_the_gaussian_one():
    X, y = data()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = AdversarialRidge(0.2, norm="linf", scale="train").fit(X, y)
    expected = GaussianRisk(0.2).value(model.clean_rmse_, np.abs(model.coef_).sum())
    np.testing.assert_allclose(model.adversarial_risk_, expected)
