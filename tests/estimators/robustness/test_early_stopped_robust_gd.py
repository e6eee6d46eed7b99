"""EarlyStoppedRobustGD: descent itself, guarantees, counter-examples, streams, bad input."""

import pickle

import cvxpy
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, lasso_path
from sklearn.preprocessing import StandardScaler

from skparietal import AdversarialRidge, EarlyStoppedRobustGD
from skparietal.norms import (
    CallableNorm,
    GroupNorm,
    MahalanobisNorm,
    ScaledNorm,
    check_norm,
)
from skparietal.solvers.robustness.gradient_flow import GradientFlow
from skparietal.theory import gaussian_adversarial_risk


def data(n=80, d=6, noise=1.0, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) @ np.diag(np.linspace(0.5, 2, d)) + rng.normal(size=d)
    return X, X @ rng.normal(size=d) + noise * rng.normal(size=n) + 2.0


@pytest.mark.parametrize("rate", [0.05, 0.2])
def test_the_path_is_gradient_descent(rate):
    X, y = data()
    model = EarlyStoppedRobustGD(0.2, learning_rate=rate, n_times=20, max_iter=300).fit(X, y)
    Xc, yc = X - X.mean(axis=0), y - y.mean()
    w, iterates = np.zeros(6), {0: np.zeros(6)}
    for step in range(1, 301):
        w = w + rate * Xc.T @ (yc - Xc @ w) / 80
        iterates[step] = w
    for time, coef in zip(model.times_[:-1], model.coef_path_[:-1]):
        np.testing.assert_allclose(coef, iterates[round(time / rate)], atol=1e-10)
    np.testing.assert_allclose(model.coef_path_[-1], LinearRegression().fit(X, y).coef_)
    np.testing.assert_allclose(model.n_iter_ * rate, model.stopping_time_)


def test_small_steps_are_the_flow():
    X, y = data()
    flow = EarlyStoppedRobustGD(0.3, stopping="fixed", time=1.0).fit(X, y)
    steps = EarlyStoppedRobustGD(0.3, stopping="fixed", time=1.0, learning_rate=1e-4).fit(X, y)
    # The error of Euler's method is of the order of the step.
    np.testing.assert_allclose(steps.coef_, flow.coef_, atol=1e-3)


def test_learning_rates_are_those_of_preconditioned_descent():
    X, y = data()
    rates = np.array([0.3, 0.1, 0.2, 0.05, 0.4, 0.15])
    model = EarlyStoppedRobustGD(
        0.2, preconditioner=rates, learning_rate=0.5, stopping="fixed", time=10.0
    ).fit(X, y)
    Xc, yc, w = X - X.mean(axis=0), y - y.mean(), np.zeros(6)
    for _ in range(20):
        w = w + 0.5 * rates * (Xc.T @ (yc - Xc @ w)) / 80
    np.testing.assert_allclose(model.coef_, w, atol=1e-10)
    matrix = EarlyStoppedRobustGD(
        0.2, preconditioner=np.diag(rates), learning_rate=0.5, stopping="fixed", time=10.0
    ).fit(X, y)
    np.testing.assert_allclose(matrix.coef_, w, atol=1e-10)


def test_mahalanobis_attacks_are_euclidean_on_transformed_features():
    X, y = data()
    rng = np.random.default_rng(1)
    root = np.tril(rng.normal(size=(6, 6)), -1) + np.diag(rng.uniform(0.5, 2, 6))
    model = EarlyStoppedRobustGD(0.3, norm=MahalanobisNorm(root @ root.T)).fit(X, y)
    plain = EarlyStoppedRobustGD(0.3).fit(X @ root, y)
    np.testing.assert_allclose(model.coef_, root @ plain.coef_, rtol=1e-7)
    np.testing.assert_allclose(model.dual_norm_, plain.dual_norm_)
    np.testing.assert_allclose(model.preconditioner_, root @ root.T)
    scaled = EarlyStoppedRobustGD(0.3, norm=ScaledNorm("l2", X.std(axis=0) ** -1)).fit(X, y)
    standard = EarlyStoppedRobustGD(0.3).fit(StandardScaler().fit_transform(X), y)
    np.testing.assert_allclose(scaled.coef_ * X.std(axis=0), standard.coef_, rtol=1e-7)


def test_without_an_attack_it_goes_to_least_squares():
    X, y = data()
    model = EarlyStoppedRobustGD(0.0, stopping="plugin").fit(X, y)
    np.testing.assert_allclose(model.coef_, LinearRegression().fit(X, y).coef_, rtol=1e-6)


@pytest.mark.parametrize("noise", [0.0, 1.0])
@pytest.mark.parametrize("stopping", ["plugin", "theory"])
def test_the_euclidean_guarantee(noise, stopping):
    # Training error plays the population: the plug-in risk of the optimum is AdversarialRidge's.
    for seed in range(5):
        X, y = data(100, 8, noise, seed)
        for radius in (0.05, 0.3, 1.0):
            best = AdversarialRidge(radius, scale="train").fit(X, y).adversarial_risk_
            model = EarlyStoppedRobustGD(radius, stopping=stopping).fit(X, y)
            i = np.searchsorted(model.times_, model.stopping_time_)
            assert best * (1 - 1e-9) <= model.risk_path_[i] <= 1.6863 * best


@pytest.mark.parametrize(
    "norm",
    ["linf", "l1", GroupNorm([0, 0, 1, 1, 2, 2]), GroupNorm([0, 0, 1, 1, 2, 2], p=1), 3.0],
)
def test_the_tangent_preconditioner_reaches_the_optimum(norm):
    ratios = {}
    X, y = data(100, 6)
    best = AdversarialRidge(0.4, norm=norm, scale="train").fit(X, y).adversarial_risk_
    for preconditioner in ("auto", "identity"):
        # Training error plays the population.
        model = EarlyStoppedRobustGD(
            0.4, norm=norm, preconditioner=preconditioner, stopping="plugin"
        ).fit(X, y)
        ratios[preconditioner] = model.risk_path_.min() / best
    # Descent passes near the optimum, which is on the ridge path of the rates; 1.6859 is proved.
    assert 1 - 1e-6 <= ratios["auto"] < 1.06
    assert ratios["auto"] <= ratios["identity"] + 1e-9


def test_features_that_the_robust_solution_drops_are_never_learned():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 30))
    y = X[:, 0] - X[:, 1] + rng.normal(size=100)
    model = EarlyStoppedRobustGD(0.2, norm="linf").fit(X, y)
    robust = AdversarialRidge(0.2, norm="linf").fit(X, y)
    np.testing.assert_array_equal(model.coef_ != 0, robust.coef_ != 0)
    rates = np.abs(robust.coef_) / np.abs(robust.coef_).max()
    np.testing.assert_allclose(model.preconditioner_, rates, rtol=1e-6)


@pytest.mark.parametrize("e", [0.1, 0.01])
def test_plain_descent_fails_under_mahalanobis_attacks(e):
    # S = I, so that plain descent stays on the line of w0 = (e, 1): it pays 1/4 e^-2 times more.
    w0 = np.array([e, 1.0])
    norm = MahalanobisNorm(np.diag([e**2, e**-2]))
    times = np.append(np.geomspace(1e-4, 50, 400), np.inf)

    def best_risk(rates):
        coef = GradientFlow(np.eye(2), w0, np.sqrt(rates)).coef(times)
        clean, b = np.linalg.norm(coef - w0, axis=1), norm.dual.norm(coef)
        return np.min(clean**2 + b**2 + 2 * np.sqrt(2 / np.pi) * clean * b)

    plain, transformed = best_risk(np.ones(2)), best_risk(np.array([e**2, e**-2]))
    # The optimum is about 3.596 e^2.
    assert plain / (3.596 * e**2) > 0.24 / e**2
    assert transformed / (3.596 * e**2) < 1.02


@pytest.mark.parametrize(
    "options", [{}, {"norm": "linf", "stopping": "gcv"}, {"fit_intercept": False}]
)
@pytest.mark.parametrize("targets", [1, 2])
def test_any_split_of_a_stream_is_one_fit(options, targets):
    X, y = data(120)
    y = y if targets == 1 else np.column_stack([y, X[:, 0] - y])
    weights = np.arange(120) % 4 + 0.5
    whole = EarlyStoppedRobustGD(0.3, **options).fit(X, y, sample_weight=weights)
    stream = EarlyStoppedRobustGD(0.3, **options)
    for part in np.split(np.arange(120), [7, 50, 51]):
        stream.partial_fit(X[part], y[part], sample_weight=weights[part])
    halves = [
        EarlyStoppedRobustGD(0.3, **options).fit(X[half], y[half], sample_weight=weights[half])
        for half in (slice(60), slice(60, None))
    ]
    merged = halves[0].merge(halves[1])
    for model in (stream, merged, pickle.loads(pickle.dumps(stream))):
        # Rates that follow a minimiser know it to the root of rounding only.
        np.testing.assert_allclose(model.coef_, whole.coef_, rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(model.intercept_, whole.intercept_, rtol=1e-6)
        assert model.n_samples_seen_ == pytest.approx(weights.sum())


@pytest.mark.parametrize("norm", ["l2", "linf"])
@pytest.mark.parametrize(
    "options",
    [{"stopping": "gcv"}, {"stopping": "theory"}, {"stopping": "cv"}, {"learning_rate": 0.05}],
)
def test_targets_are_stopped_one_by_one(options, norm):
    X, y = data(60)
    # One that collapses, one without a signal, one that does not need to stop.
    noise = np.random.default_rng(1).normal(size=60)
    Y = np.column_stack([y, 1e-3 * X[:, 0] + noise, np.ones(60), X @ np.ones(6)])
    together = EarlyStoppedRobustGD(0.3, norm=norm, **options).fit(X, Y)
    for k, target in enumerate(Y.T):
        alone = EarlyStoppedRobustGD(0.3, norm=norm, **options).fit(X, target)
        np.testing.assert_allclose(together.coef_[k], alone.coef_, rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(together.dual_norm_[k], alone.dual_norm_, rtol=1e-6)
        np.testing.assert_allclose(together.intercept_[k], alone.intercept_, atol=1e-6)
    length = len(together.times_)
    assert together.coef_path_.shape == (length, 4, 6)
    assert together.risk_path_.shape == together.times_.shape == (length, 4)


def test_a_failed_batch_loses_nothing():
    X, y = data()
    model = EarlyStoppedRobustGD(0.2).fit(X, y)
    before = model.coef_.copy()
    for bad in (X[:, :3], np.full_like(X, np.nan)):
        with pytest.raises(ValueError, match=r"features|NaN"):
            model.partial_fit(bad, y)
    with pytest.raises(ValueError, match="2 targets, but 1 before"):
        model.partial_fit(X, np.column_stack([y, y]))
    np.testing.assert_array_equal(model.coef_, before)
    one, two = EarlyStoppedRobustGD(0.2).fit(X, y), EarlyStoppedRobustGD(0.2).partial_fit(X, y)
    np.testing.assert_allclose(one.partial_fit(X, y).coef_, two.partial_fit(X, y).coef_)


@pytest.mark.parametrize("stopping", ["validation", "cv"])
def test_held_out_stopping_measures_the_exact_error(stopping):
    X, y = data(60)
    splits = [(np.arange(40), np.arange(40, 60)), (np.arange(20, 60), np.arange(20))]
    model = EarlyStoppedRobustGD(0.3, stopping="cv", cv=splits).fit(X, y)
    i = 120
    total = 0.0
    for train, test in splits:
        fold = EarlyStoppedRobustGD(0.3, stopping="fixed", time=model.times_[i]).fit(
            X[train], y[train]
        )
        worst = fold.worst_case_perturbation(X[test], y[test])
        total += np.sum((y[test] - fold.predict(X[test] + worst)) ** 2)
    # The mean over the 40 rows that were held out.
    np.testing.assert_allclose(model.risk_path_[i], total / 40, rtol=1e-9)
    other = EarlyStoppedRobustGD(0.3, stopping=stopping, random_state=0).fit(X, y)
    assert (
        other.risk_path_.min()
        == other.risk_path_[np.searchsorted(other.times_, other.stopping_time_)]
    )


def test_a_stronger_attack_stops_earlier():
    X, y = data()
    times = [EarlyStoppedRobustGD(r).fit(X, y).stopping_time_ for r in (0.01, 0.1, 0.5, 1.0)]
    assert np.all(np.diff(times) < 0)
    clean = EarlyStoppedRobustGD(1.0, stopping="clean", random_state=0).fit(X, y)
    assert clean.stopping_time_ > times[-1]


@pytest.mark.parametrize(("norm", "radius"), [("l2", 0.2), ("linf", 0.05)])
@pytest.mark.parametrize("d", [80, 300])
def test_gcv_is_near_the_best_time_with_many_features(norm, radius, d):
    # 100 rows: the training error is near zero at every late time and says nothing.
    excess = {"gcv": [], "plugin": []}
    for seed in range(4):
        rng = np.random.default_rng(seed)
        coef = (
            rng.normal(size=d) / np.sqrt(d) if norm == "l2" else np.where(np.arange(d) < 5, 0.5, 0)
        )
        X = rng.normal(size=(100, d))
        y = X @ coef + rng.normal(size=100)
        Xc, yc = X - X.mean(axis=0), y - y.mean()
        if norm == "l2":
            U, values, V = np.linalg.svd(Xc, full_matrices=False)
            penalties = np.geomspace(1, 1e4, 60)[:, None]
            path = (values / (values**2 + penalties) * (U.T @ yc)) @ V
        else:
            largest = np.max(np.abs(Xc.T @ yc)) / 100
            path = lasso_path(Xc, yc, alphas=largest * np.geomspace(0.02, 1, 40))[1].T

        def risk(w, coef=coef):
            clean = np.sqrt(np.sum((w - coef) ** 2, axis=-1) + 1)
            return gaussian_adversarial_risk(clean, check_norm(norm).dual.norm(w), radius)

        for stopping, ratios in excess.items():
            model = EarlyStoppedRobustGD(radius, norm=norm, stopping=stopping).fit(X, y)
            ratios.append(risk(model.coef_) / risk(path).min())
    # The robust solutions are ridge and lasso; the measure is the best of them with hindsight.
    assert np.mean(excess["gcv"]) < 1.15
    assert np.mean(excess["plugin"]) > 1.2 * np.mean(excess["gcv"])


@pytest.mark.parametrize(("norm", "radius"), [("l2", 0.2), ("linf", 0.05), ("l1", 0.5)])
def test_gcv_does_not_stop_a_clear_signal_early(norm, radius):
    # 100 rows, 80 features, a tenth of the noise: nearly all degrees of freedom are needed.
    ratios = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        coef = rng.normal(size=80) / np.sqrt(80)
        X = rng.normal(size=(100, 80))
        y = X @ coef + 0.1 * rng.normal(size=100)
        dual = check_norm(norm).dual
        risks = [
            gaussian_adversarial_risk(np.sqrt(np.sum((w - coef) ** 2) + 0.01), dual.norm(w), radius)
            for w in (
                EarlyStoppedRobustGD(radius, norm=norm).fit(X, y).coef_,
                LinearRegression().fit(X, y).coef_,
            )
        ]
        ratios.append(risks[0] / risks[1])
    # Least squares is hard to beat here; leaving out its degrees of freedom would cost half more.
    assert np.mean(ratios) < 1.25


@pytest.mark.parametrize("norm", ["l2", "linf", GroupNorm([0, 0, 1, 1, 2, 2])])
@pytest.mark.parametrize("stopping", ["plugin", "gcv", "theory", "cv"])
@pytest.mark.parametrize(
    ("of_x", "of_y"),
    [(1e-300, 1.0), (1e-300, 1e-150), (1e-150, 1e150), (1.0, 1e150), (1e150, 1e150), (1e150, 1.0)],
)
def test_units_change_nothing(of_x, of_y, stopping, norm):
    X, y = data()
    base = EarlyStoppedRobustGD(0.2, norm=norm, stopping=stopping).fit(X, y)
    model = EarlyStoppedRobustGD(0.2 * of_x, norm=norm, stopping=stopping).fit(X * of_x, y * of_y)
    # Powers of ten are rounded, and the solver behind the learning rates stops within 1e-8.
    np.testing.assert_allclose(model.coef_ * of_x / of_y, base.coef_, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(model.predict(X * of_x) / of_y, base.predict(X), atol=1e-6)
    np.testing.assert_allclose(model.dual_norm_ * of_x / of_y, base.dual_norm_, rtol=1e-6)
    np.testing.assert_allclose(model.rmse_path_ / of_y, base.rmse_path_, rtol=1e-6)


def test_coefficients_beyond_any_float_are_refused():
    X, y = data()
    with pytest.raises(ValueError, match="coefficients overflow: y is too large for X"):
        EarlyStoppedRobustGD(1e-301).fit(X * 1e-300, y * 1e150)


@pytest.mark.parametrize("norm", ["l2", "linf", "l1"])
def test_a_stream_keeps_no_rows(norm):
    X, y = data(400)
    model = EarlyStoppedRobustGD(0.2, norm=norm).partial_fit(X[:20], y[:20])
    early = len(pickle.dumps(model))
    for part in np.split(np.arange(20, 400), 19):
        model.partial_fit(X[part], y[part])
    # Numbers of features and times only; 380 rows of 6 features would be 18 kB.
    assert abs(len(pickle.dumps(model)) - early) < 2000


def test_batches_of_other_units_than_the_first():
    X, y = data()
    X[:40] *= 1e-6
    whole = EarlyStoppedRobustGD(1e-7).fit(X, y)
    for order in (slice(None), slice(None, None, -1)):
        stream, parts = EarlyStoppedRobustGD(1e-7), [slice(40), slice(40, None)][order]
        for part in parts:
            stream.partial_fit(X[part], y[part])
        np.testing.assert_allclose(stream.coef_, whole.coef_, rtol=1e-9)
        models = [EarlyStoppedRobustGD(1e-7).fit(X[part], y[part]) for part in parts]
        np.testing.assert_allclose(models[0].merge(models[1]).coef_, whole.coef_, rtol=1e-9)


@pytest.mark.parametrize("norm", ["l2", "linf"])
@pytest.mark.parametrize("stopping", ["plugin", "gcv", "cv"])
@pytest.mark.parametrize("targets", [1, 2])
def test_float32_stays_float32(norm, stopping, targets):
    X, y = data()
    y = y if targets == 1 else np.column_stack([y, X[:, 0] - y])
    options = {"radius": 0.2, "norm": norm, "stopping": stopping}
    double = EarlyStoppedRobustGD(**options).fit(X, y)
    X, y = X.astype(np.float32), y.astype(np.float32)
    models = [EarlyStoppedRobustGD(**options).fit(X, y)]
    if stopping != "cv":
        stream = EarlyStoppedRobustGD(**options).partial_fit(X[:30], y[:30])
        halves = [
            EarlyStoppedRobustGD(**options).fit(X[p], y[p]) for p in (slice(30), slice(30, 80))
        ]
        models += [stream.partial_fit(X[30:], y[30:]), halves[0].merge(halves[1])]
    for model in models:
        for array in (model.coef_, model.intercept_, model.coef_path_, model.predict(X)):
            assert array.dtype == np.float32
        # Sums are kept in double precision: the difference is the rounding of X and y, 6e-8.
        np.testing.assert_allclose(model.coef_, double.coef_, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(model.intercept_, double.intercept_, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(model.predict(X), double.predict(X), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("stopping", ["plugin", "gcv", "theory", "validation", "cv"])
def test_degenerate_data_give_finite_models(stopping):
    X, y = data(20)
    model = EarlyStoppedRobustGD(0.2, stopping=stopping)
    for A, b in ((X, np.full(20, 3.0)), (np.zeros_like(X), y), (np.hstack([X, X]), y)):
        assert np.all(np.isfinite(model.fit(A, b).coef_))
    np.testing.assert_allclose(model.fit(X, np.full(20, 3.0)).predict(X), 3.0)


@pytest.mark.parametrize("stopping", ["plugin", "gcv", "theory", "fixed"])
@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_one_row_fits_a_constant(stopping, norm):
    X, y = data()
    model = EarlyStoppedRobustGD(0.2, norm=norm, stopping=stopping, time=1.0).fit(X[:1], y[:1])
    np.testing.assert_array_equal(model.coef_, np.zeros(6))
    np.testing.assert_allclose(model.predict(X), y[0])


def test_collinear_columns_share_one_direction():
    X, y = data()
    twice = EarlyStoppedRobustGD(0.2 * np.sqrt(2)).fit(np.hstack([X, X]), y)
    once = EarlyStoppedRobustGD(0.2).fit(X, y)
    # Halves of equal size: the dual norm falls by the root of two, for which the radius makes up.
    np.testing.assert_allclose(twice.coef_, np.tile(once.coef_ / 2, 2), rtol=1e-9)
    np.testing.assert_allclose(twice.coef_[:6], twice.coef_[6:], rtol=1e-9)


def test_unequal_columns_and_collapse_are_warned_of():
    X, y = data()
    scales = np.array([1e4, 1, 1, 1, 1, 1])
    with pytest.warns(UserWarning, match=r"columns of X have scales .* use\s+.*ScaledNorm"):
        EarlyStoppedRobustGD(0.1).fit(X * scales, y)
    with pytest.warns(UserWarning, match="columns of X have scales"):
        EarlyStoppedRobustGD(0.1).partial_fit(X * scales, y)
    # A norm that prices the columns is taken at its word.
    EarlyStoppedRobustGD(0.1, norm=ScaledNorm("l2", 1 / scales)).fit(X * scales, y)
    limit = AdversarialRidge(0.1, scale="train").fit(X, y).collapse_radius_
    for stopping in ("plugin", "gcv", "theory", "cv"):
        message = f"All coefficients are zero: radius=100 is not below {limit:.3g}"
        with pytest.warns(UserWarning, match=message):
            model = EarlyStoppedRobustGD(100.0, stopping=stopping).fit(X, y)
        assert not model.coef_.any()
    # Without a signal nothing collapses, and nobody needs to be told.
    assert not EarlyStoppedRobustGD(0.1).fit(X, np.ones(80)).coef_.any()


def without_scale(w):
    return cvxpy.sum_squares(w)


def without_convexity(w):
    return cvxpy.sqrt(cvxpy.norm1(w))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"radius": -1.0}, "radius"),
        ({"radius": np.inf}, "radius|infinity"),
        ({"radius": np.nan}, "radius"),
        ({"radius": "zero"}, "radius"),
        ({"norm": "l0"}, "norm"),
        ({"norm": 0.5}, "norm"),
        ({"stopping": "never"}, "stopping"),
        ({"stopping": "fixed"}, "needs a time"),
        ({"stopping": "fixed", "time": -1.0}, "time"),
        ({"learning_rate": 100.0}, "diverges: it must be below"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"preconditioner": np.ones(3)}, "6 positive rates"),
        ({"preconditioner": np.zeros(6)}, "6 positive rates"),
        ({"preconditioner": np.full(6, np.nan)}, "6 positive rates"),
        ({"preconditioner": -np.eye(6)}, "positive definite"),
        ({"preconditioner": np.eye(6) + np.eye(6, k=1)}, "symmetric positive definite"),
        ({"norm": GroupNorm([0, 1])}, "made for 2 features"),
        ({"norm": MahalanobisNorm(np.eye(3))}, "made for 3 features, but X has 6"),
        ({"norm": ScaledNorm("linf", np.ones(5))}, "made for 5 features, but X has 6"),
        ({"norm": CallableNorm(without_scale)}, "positively homogeneous"),
        ({"norm": CallableNorm(without_convexity)}, "must be convex"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_bad_input_is_named(parameters, message, method):
    X, y = data()
    with pytest.raises(ValueError, match=message):
        getattr(EarlyStoppedRobustGD(**parameters), method)(X, y)


def test_attacks_of_bad_size_are_refused():
    X, y = data()
    model = EarlyStoppedRobustGD(0.2).fit(X, y)
    for radius in (-0.1, np.nan, np.inf):
        with pytest.raises(ValueError, match="radius must be"):
            model.adversarial_score(X, y, radius=radius)
        with pytest.raises(ValueError, match="radius must be"):
            model.worst_case_perturbation(X, y, radius=radius)


def test_splits_without_weight_are_refused():
    X, y = data()
    weights = np.r_[np.ones(40), np.zeros(40)]
    splits = [(np.arange(40), np.arange(40, 80))]
    with pytest.raises(ValueError, match="no split with weight on both sides"):
        EarlyStoppedRobustGD(stopping="cv", cv=splits).fit(X, y, sample_weight=weights)


def test_streams_and_merges_refuse_what_they_cannot_do():
    X, y = data()
    assert not hasattr(EarlyStoppedRobustGD(stopping="cv"), "partial_fit")
    with pytest.raises(AttributeError, match="partial_fit") as raised:
        EarlyStoppedRobustGD(stopping="cv").partial_fit(X, y)
    assert "keeps none: use 'gcv'" in str(raised.value.__cause__)
    model = EarlyStoppedRobustGD().fit(X, y)
    with pytest.raises(ValueError, match="other has"):
        model.merge(EarlyStoppedRobustGD().fit(X[:, :4], y))
    with pytest.raises(ValueError, match="needs rows"):
        EarlyStoppedRobustGD(stopping="cv").fit(X, y).merge(model)
    with pytest.raises(ValueError, match="at least 2 samples"):
        EarlyStoppedRobustGD(stopping="cv").fit(X[:1], y[:1])


class Watch:
    """Callback that scores the model of every time, and stops at one if told."""

    def __init__(self, stop=None):
        self.stop, self.seen = stop, []

    def setup(self, estimator, context):
        self.seen.append("setup")

    def teardown(self, estimator, context):
        self.seen.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, X, y, metadata, fitted_estimator):
        score = fitted_estimator.adversarial_score(X, y, **(metadata or {}))
        self.seen.append((context.task_name, score, fitted_estimator.coef_))
        return context.task_name == "time" and context.task_id == self.stop


@pytest.mark.parametrize("weights", [None, np.arange(80) % 3])
def test_callbacks_see_every_time_and_may_stop_there(weights):
    pytest.importorskip("sklearn.callback", reason="public since scikit-learn 1.9")
    X, y = data()
    plain = EarlyStoppedRobustGD(0.2).fit(X, y, sample_weight=weights)
    watch = Watch()
    model = EarlyStoppedRobustGD(0.2).set_callbacks(watch).fit(X, y, sample_weight=weights)
    np.testing.assert_array_equal(model.coef_, plain.coef_)
    assert watch.seen[0] == "setup"
    assert watch.seen[-1] == "teardown"
    names, scores, coefs = zip(*watch.seen[1:-1])
    assert names == ("time",) * len(model.times_) + ("fit",)
    np.testing.assert_array_equal(coefs[:-1], model.coef_path_)
    assert scores[-1] == model.adversarial_score(X, y, sample_weight=weights)
    stopped = EarlyStoppedRobustGD(0.2).set_callbacks(Watch(stop=90))
    stopped.fit(X, y, sample_weight=weights)
    assert stopped.stopping_time_ == model.times_[90] != model.stopping_time_
    np.testing.assert_array_equal(stopped.coef_, model.coef_path_[90])
    # Streams have no fit to watch, and go on as without callbacks.
    assert stopped.partial_fit(X, y).n_samples_seen_ == plain.n_samples_seen_ + 80


def test_scoring_monitor_follows_the_descent():
    callback = pytest.importorskip("sklearn.callback", reason="public since scikit-learn 1.9")
    X, y = data()
    monitor = callback.ScoringMonitor(scoring="neg_mean_squared_error")
    model = EarlyStoppedRobustGD(0.2).set_callbacks(monitor).fit(X, y)
    logged = monitor.get_logs().data
    scores = [entry["neg_mean_squared_error"] for entry in logged if entry["task_name"] == "time"]
    np.testing.assert_allclose(scores, -(model.rmse_path_**2), rtol=1e-9)
