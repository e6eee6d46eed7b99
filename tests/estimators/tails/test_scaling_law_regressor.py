"""ScalingLawRegressor: recovery, choice of the law, intervals, and what users ask of a law."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize_scalar
from scipy.stats import norm, t
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, learning_curve

from skparietal import ScalingLawRegressor
from skparietal.theory import tails

SIZES = np.geomspace(1e2, 1e6, 14)
X = SIZES[:, None]
PLATEAU = 2 * SIZES**-0.5 + 0.02


def noise(scale, seed=0, n=14):
    return np.exp(scale * np.random.default_rng(seed).normal(size=n))


CURVES = {
    "power": (SIZES, tails.clean_error(SIZES, 1.5)),
    "power_plateau": (SIZES, PLATEAU),
    "tail_cut": (SIZES, tails.cut_error(SIZES, 1.5, 200)),
    "finite_generator": (SIZES, tails.generator_error(SIZES, 1.5, 1e4)),
    "mixed": (10 * SIZES, tails.mixed_error(10 * SIZES, 1.5, 200, 0.01)),
}


@pytest.mark.parametrize("name", CURVES)
def test_auto_finds_the_law_of_exact_errors(name):
    sizes, errors = CURVES[name]
    model = ScalingLawRegressor().fit(sizes[:, None], errors)
    assert model.law_ == name
    assert model.has_plateau_ == (name != "power")
    assert_allclose(model.exponent_, 0.5 if name == "power_plateau" else 1 / 3, atol=0.003)
    assert_allclose(model.predict(sizes[:, None]), errors, rtol=2e-3)


@pytest.mark.parametrize("name", ["power", "power_plateau", "mixed"])
@pytest.mark.parametrize("seed", range(3))
def test_auto_finds_the_law_under_one_per_cent_of_noise(name, seed):
    sizes, errors = CURVES[name]
    model = ScalingLawRegressor().fit(sizes[:, None], errors * noise(0.01, seed))
    assert model.law_ == name


@pytest.mark.parametrize("name", ["tail_cut", "finite_generator"])
def test_the_two_saturating_laws_are_told_from_all_others(name):
    sizes, errors = CURVES[name]
    model = ScalingLawRegressor().fit(sizes[:, None], errors * noise(0.01))
    assert model.law_ in ("tail_cut", "finite_generator")
    assert model.has_plateau_
    assert_allclose(model.plateau_, errors[-1], rtol=0.03)


def test_the_number_of_rows_of_the_generator_is_read_off_the_curve():
    model = ScalingLawRegressor("finite_generator").fit(X, CURVES["finite_generator"][1])
    assert_allclose(model.saturation_size_, 1e4, rtol=0.02)
    assert_allclose(model.plateau_, tails.clean_error(1e4, 1.5), rtol=2e-3)


def test_one_wrong_run_does_not_turn_the_law():
    errors = PLATEAU.copy()
    errors[4] *= 1.4
    model = ScalingLawRegressor("power_plateau").fit(X, errors)
    assert_allclose(model.exponent_, 0.5, atol=1e-3)
    assert_allclose(model.plateau_, 0.02, rtol=1e-2)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e9])
def test_units_of_size_and_error_do_not_matter(scale):
    base = ScalingLawRegressor().fit(X, PLATEAU * noise(0.02))
    moved = ScalingLawRegressor().fit(X * scale, PLATEAU * noise(0.02) * 50)
    assert moved.law_ == base.law_
    assert_allclose(moved.exponent_, base.exponent_, rtol=1e-4)
    assert_allclose(moved.predict(X * scale), 50 * base.predict(X), rtol=1e-4)


def test_only_ratios_of_weights_matter_and_weight_zero_is_absence():
    y = PLATEAU * noise(0.02)
    weights = np.arange(14.0) % 3
    model = ScalingLawRegressor("tail_cut").fit(X, y, sample_weight=weights)
    scaled = ScalingLawRegressor("tail_cut").fit(X, y, sample_weight=1e-3 * weights)
    kept = weights > 0
    dropped = ScalingLawRegressor("tail_cut").fit(X[kept], y[kept], sample_weight=weights[kept])
    assert_array_equal(model.predict(X), dropped.predict(X))
    assert_allclose(scaled.predict(X), model.predict(X), rtol=1e-6)


def test_size_for_error_inverts_the_law():
    model = ScalingLawRegressor("tail_cut").fit(X, CURVES["tail_cut"][1])
    for target in (0.9, 0.2, 1.05 * model.plateau_):
        size = model.size_for_error(target)
        assert_allclose(model.predict([[size]]), target, rtol=1e-9)


@pytest.mark.parametrize("law", ["power_plateau", "tail_cut", "finite_generator"])
def test_a_target_below_the_plateau_is_never_reached(law):
    model = ScalingLawRegressor(law).fit(X, CURVES[law][1])
    with pytest.warns(UserWarning, match="does not come down to"):
        assert model.size_for_error(0.9 * model.plateau_) == np.inf


def test_a_growing_error_has_a_negative_exponent():
    model = ScalingLawRegressor("power").fit(X, 1e-3 * SIZES**0.3)
    assert_allclose(model.exponent_, -0.3, atol=1e-6)


def test_local_exponent_is_the_slope_of_the_prediction():
    model = ScalingLawRegressor("finite_generator").fit(X, CURVES["finite_generator"][1])
    assert_allclose(model.local_exponent([[1.0]]), model.exponent_, rtol=1e-3)
    assert abs(model.local_exponent([[1e6]])[0]) < 1e-6
    size = 5_000.0
    low, high = model.predict([[size * 0.99], [size * 1.01]])
    expected = np.log(low / high) / np.log(1.01 / 0.99)
    assert_allclose(model.local_exponent([[size]]), expected, rtol=1e-4)


def test_saturation_size_of_a_plateau_is_where_it_makes_half_of_the_error():
    model = ScalingLawRegressor("power_plateau").fit(X, PLATEAU)
    assert_allclose(model.predict([[model.saturation_size_]]), 2 * model.plateau_, rtol=1e-6)
    assert ScalingLawRegressor("power").fit(X, PLATEAU).saturation_size_ == np.inf


def two_column_law():
    N, D = np.meshgrid(np.geomspace(1e7, 1e10, 6), np.geomspace(1e8, 1e11, 6))
    table = np.column_stack([N.ravel(), D.ravel()])
    return table, 406.4 * table[:, 0] ** -0.34 + 410.7 * table[:, 1] ** -0.28 + 1.69


def test_the_law_of_model_and_data_size_is_recovered():
    table, loss = two_column_law()
    model = ScalingLawRegressor().fit(table, loss * noise(0.003, n=36))
    # Three standard errors of the fit to these 36 points are about .03 and .05.
    assert_allclose(model.exponent_, [0.34, 0.28], atol=0.03)
    assert_allclose(model.params_["e"], 1.69, atol=0.05)


def test_optimal_allocation_is_the_best_split_of_the_budget():
    table, loss = two_column_law()
    model = ScalingLawRegressor().fit(table, loss)
    budget = 1e21
    sizes = model.optimal_allocation([budget, 10 * budget])
    assert sizes.shape == (2, 2)
    assert_allclose(6 * sizes.prod(axis=1), [budget, 10 * budget])

    def loss_at(log_n):
        return model.predict([[np.exp(log_n), budget / 6 / np.exp(log_n)]])[0]

    best = minimize_scalar(loss_at, bounds=(15, 28), method="bounded", options={"xatol": 1e-9})
    assert_allclose(model.predict(sizes[:1]), best.fun, rtol=1e-9)


def test_a_column_that_raises_the_error_has_a_negative_exponent():
    generations, sizes = np.meshgrid([1.0, 2, 4, 8, 16], [1e3, 1e4, 1e5])
    table = np.column_stack([sizes.ravel(), generations.ravel()])
    errors = 2 * table[:, 0] ** -0.4 + 0.01 * table[:, 1] ** 0.5
    model = ScalingLawRegressor().fit(table, errors)
    assert model.exponent_[0] > 0 > model.exponent_[1]
    assert_allclose(model.predict(table), errors, rtol=0.02)
    assert model.local_exponent(table).shape == (15, 2)


def test_a_law_of_the_users_own():
    def law(X, theta):
        return theta[0] / np.log(X[:, 0]) ** theta[1]

    errors = 0.8 / np.log(SIZES) ** 1.3
    model = ScalingLawRegressor(law, bounds=[(0.01, 10), (0.1, 5)]).fit(X, errors)
    assert_allclose(list(model.params_.values()), [0.8, 1.3], rtol=1e-3)
    assert np.isnan(model.plateau_)
    assert np.isnan(model.exponent_)
    assert model.has_plateau_ is None


@pytest.mark.parametrize("law, n", [("power", 6), ("power_plateau", 12)])
def test_intervals_of_ninety_per_cent_cover(law, n):
    sizes, runs = np.geomspace(1e2, 1e5, n), 100
    truth = sizes**-0.4 * 2 + (0.02 if law == "power_plateau" else 0)
    beyond = 2 * 1e6**-0.4 + (0.02 if law == "power_plateau" else 0)
    hits = np.empty((runs, 2))
    for seed in range(runs):
        model = ScalingLawRegressor(law, n_bootstrap=100, n_starts=4, random_state=seed)
        model.fit(sizes[:, None], truth * noise(0.03, seed, n))
        low, high = model.predict_interval([[1e6]])
        c_low, c_high = model.params_interval()["c"]
        hits[seed] = low[0] <= beyond <= high[0], c_low <= 0.4 <= c_high
    # Nominal .90; the standard error of a share over 100 runs is .03, and .05 is the claim.
    assert_allclose(hits.mean(axis=0), 0.9, atol=0.05 + 2 * 0.03)


def test_intervals_hold_the_estimate_and_widen_with_confidence_and_distance():
    model = ScalingLawRegressor("power_plateau", n_bootstrap=200).fit(X, PLATEAU * noise(0.03))
    low, high = model.predict_interval(X)
    assert np.all((low < model.predict(X)) & (model.predict(X) < high))
    wide_low, wide_high = model.predict_interval(X, alpha=0.01)
    assert np.all((wide_low < low) & (high < wide_high))
    intervals = model.params_interval()
    assert set(intervals) == {"a", "c", "e", "plateau"}
    assert intervals["e"] == intervals["plateau"]
    assert all(low < high for low, high in intervals.values())


def test_intervals_of_several_columns_have_one_end_per_column():
    table, loss = two_column_law()
    model = ScalingLawRegressor(n_bootstrap=30).fit(table, loss * noise(0.003, n=36))
    low, high = model.params_interval()["c"]
    assert low.shape == high.shape == (2,)


def test_from_learning_curve_of_a_real_estimator():
    features = np.random.default_rng(0).normal(size=(3000, 20))
    target = features[:, 0] + 0.5 * np.random.default_rng(1).normal(size=3000) > 0
    sizes, _, scores = learning_curve(
        LogisticRegression(), features, target, train_sizes=np.geomspace(0.02, 1, 8), cv=5
    )
    model = ScalingLawRegressor.from_learning_curve(sizes, scores, law="power_plateau")
    # The errors are those of a noisy line: 15 % are beyond reach (arctan(.5) / pi = .148).
    assert_allclose(model.plateau_, np.arctan(0.5) / np.pi, atol=0.02)
    losses = ScalingLawRegressor.from_learning_curve(
        sizes, 1 - scores, greater_is_better=False, law="power_plateau"
    )
    assert losses.params_ == model.params_


def test_weights_of_the_learning_curve_follow_the_spread_of_the_folds():
    scores = 1 - PLATEAU[:, None] * np.linspace(0.99, 1.01, 5)
    scores[3] = 1 - PLATEAU[3] * np.linspace(0.2, 3.0, 5)
    model = ScalingLawRegressor.from_learning_curve(SIZES, scores, law="power_plateau", delta=10.0)
    assert_allclose(model.plateau_, 0.02, rtol=0.01)


def test_float32_is_kept():
    model = ScalingLawRegressor().fit(X.astype(np.float32), PLATEAU.astype(np.float32))
    assert model.predict(X.astype(np.float32)).dtype == np.float32
    assert model.predict(X).dtype == np.float64


def test_size_zero_is_half_the_least_positive_size():
    sizes = np.r_[0.0, SIZES]
    model = ScalingLawRegressor("power").fit(sizes[:, None], np.r_[1.0, PLATEAU])
    assert model.predict([[0.0]]) == model.predict([[SIZES[0] / 2]])


def test_parameters_can_be_searched():
    table, loss = two_column_law()
    search = GridSearchCV(ScalingLawRegressor(), {"delta": [1e-3, 1e-1]}, cv=3)
    assert search.fit(table, loss).best_score_ > 0.99


@pytest.mark.parametrize(
    "options, X, y, message",
    [
        ({}, -X, PLATEAU, "Negative values"),
        ({}, X, PLATEAU - 0.03, "y must hold errors > 0"),
        ({}, 0 * X, PLATEAU, "at least one size > 0"),
        ({"law": "mixed"}, X[:3], PLATEAU[:3], "4 constants, more than"),
        ({"law": "tail_cut"}, np.hstack([X, X]), PLATEAU, "law of one column and X has 2"),
        ({"law": lambda X, t: X[:, 0]}, X, PLATEAU, "needs finite bounds"),
        ({"n_bootstrap": 5}, X[:2], PLATEAU[:2], "more rows than the law has constants"),
        ({}, X[:1], PLATEAU[:1], "1 sample"),
        ({}, np.where(X[0] == X, np.nan, X), PLATEAU, "NaN"),
    ],
)
def test_bad_data_are_named(options, X, y, message):
    with pytest.raises(ValueError, match=message):
        ScalingLawRegressor(**options).fit(X, y)


def test_bad_questions_are_named():
    model = ScalingLawRegressor("power").fit(X, PLATEAU)
    with pytest.raises(ValueError, match="fit with n_bootstrap"):
        model.predict_interval(X)
    with pytest.raises(ValueError, match="target must be a positive error"):
        model.size_for_error(0)
    with pytest.raises(ValueError, match="two columns with positive exponents"):
        model.optimal_allocation(1e20)
    with pytest.raises(ValueError, match="Negative values"):
        model.predict([[-1.0]])
    table, loss = two_column_law()
    with pytest.raises(ValueError, match="one column only"):
        ScalingLawRegressor().fit(table, loss).size_for_error(2)
    with pytest.raises(ValueError, match="test_scores must have shape"):
        ScalingLawRegressor.from_learning_curve([1, 2], [0.5, 0.6])
    with pytest.raises(ValueError, match="at least one non-zero"):
        ScalingLawRegressor().fit(X, PLATEAU, sample_weight=np.zeros(14))


def test_a_refit_without_bootstrap_has_no_intervals_of_an_earlier_fit():
    model = ScalingLawRegressor("power", n_bootstrap=20).fit(X, PLATEAU * noise(0.02))
    model.predict_interval(X)
    model.set_params(n_bootstrap=0).fit(X, 10 * PLATEAU)
    assert not hasattr(model, "bootstrap_params_")
    with pytest.raises(ValueError, match="fit with n_bootstrap"):
        model.predict_interval(X)
    with pytest.raises(ValueError, match="fit with n_bootstrap"):
        model.params_interval()


def test_a_refused_refit_leaves_the_law_as_it_was():
    model = ScalingLawRegressor("power").fit(X, PLATEAU)
    before = model.predict(X)
    with pytest.raises(ValueError, match="more rows than the law has constants"):
        model.set_params(n_bootstrap=5).fit(100 * X[:2], PLATEAU[:2])
    assert_array_equal(model.predict(X), before)


@pytest.mark.parametrize("n", [2, 3, 4])
def test_so_few_sizes_that_no_law_can_be_told_from_another_show_no_plateau(n):
    model = ScalingLawRegressor().fit(X[:n], 3 * SIZES[:n] ** -0.4)
    assert model.law_ == "power"
    assert model.has_plateau_ is False


def test_a_pure_power_law_of_many_sizes_seldom_gets_a_plateau():
    sizes, runs = np.geomspace(1e2, 1e5, 25), 40
    wrong = 0
    for seed in range(runs):
        errors = 2 * sizes**-0.4 * noise(0.05, seed, 25)
        wrong += ScalingLawRegressor(n_starts=6).fit(sizes[:, None], errors).has_plateau_
    # The claim is 5 %; a share over 40 runs has a standard error of .035.
    assert wrong / runs <= 0.05 + 2 * 0.035


def test_negated_losses_are_not_read_as_scores():
    losses = (PLATEAU + 0.5)[:, None] * np.linspace(0.99, 1.01, 5)
    with pytest.raises(ValueError, match="Pass -test_scores, greater_is_better=False"):
        ScalingLawRegressor.from_learning_curve(SIZES, -losses)
    with pytest.raises(ValueError, match="Pass -test_scores, greater_is_better=False"):
        ScalingLawRegressor.from_learning_curve(SIZES, -losses, greater_is_better=False)
    model = ScalingLawRegressor.from_learning_curve(
        SIZES, losses, greater_is_better=False, law="power_plateau"
    )
    assert_allclose(model.plateau_, 0.52, rtol=1e-3)


def test_a_law_that_is_always_below_a_target_needs_no_rows():
    def law(X, theta):
        return theta[0] * np.exp(-theta[1] * np.minimum(X[:, 0], 1e7) / 1e6)

    model = ScalingLawRegressor(law, bounds=[(0.1, 1.0), (0.01, 1.0)]).fit(
        X, 0.5 * np.exp(-0.3 * SIZES / 1e6)
    )
    assert model.size_for_error(5) == 0


def test_a_growing_law_is_named_as_such():
    model = ScalingLawRegressor("power").fit(X, SIZES**0.3)
    for target in (5, 1e-3):  # within the data, and below all of them
        with pytest.warns(UserWarning, match="grows with the size: fewer rows may do"):
            assert model.size_for_error(target) == np.inf


@pytest.mark.parametrize("bounds", [[0, 1], [[0, 1, 2]], [[0, np.inf]]])
def test_bounds_of_the_wrong_shape_are_named(bounds):
    with pytest.raises(ValueError, match=r"one \(low, high\) per constant; got bounds="):
        ScalingLawRegressor(lambda X, t: t[0] * X[:, 0], bounds=bounds).fit(X, PLATEAU)


def test_reversed_bounds_are_named():
    with pytest.raises(ValueError, match="low < high"):
        ScalingLawRegressor(lambda X, t: t[0] * X[:, 0], bounds=[[10, 0.1]]).fit(X, PLATEAU)


@pytest.mark.parametrize("alpha", [0, 1, 2])
def test_a_level_outside_zero_and_one_is_named(alpha):
    model = ScalingLawRegressor("power", n_bootstrap=5).fit(X, PLATEAU * noise(0.01))
    with pytest.raises(ValueError, match=r"alpha must lie in \(0, 1\)"):
        model.predict_interval(X, alpha=alpha)
    with pytest.raises(ValueError, match=r"alpha must lie in \(0, 1\)"):
        model.params_interval(alpha=alpha)


def test_a_plateau_needs_a_criterion_that_is_six_lower():
    gains, found = [], []
    for plateau in np.linspace(0, 0.03, 12):
        model = ScalingLawRegressor(n_starts=6).fit(X, (2 * SIZES**-0.4 + plateau) * noise(0.1))
        criteria = dict(model.criteria_)
        gains.append(criteria.pop("power") - min(criteria.values()))
        found.append(model.has_plateau_)
    gains = np.array(gains)
    assert_array_equal(found, gains >= 6)
    assert np.any(gains < 0)
    assert np.any((gains > 0) & (gains < 6))
    assert np.any(gains > 6)


def test_intervals_are_percentiles_stretched_to_students_law():
    n = 5
    model = ScalingLawRegressor("power", n_bootstrap=200)
    model.fit(X[:n], PLATEAU[:n] * noise(0.1, n=n))
    ends = np.quantile(model.bootstrap_params_["c"], [0.05, 0.95])
    stretch = t.ppf(0.95, n - 2) / norm.ppf(0.95)
    expected = model.exponent_ + stretch * (ends - model.exponent_)
    assert_allclose(model.params_interval(alpha=0.1)["c"], expected)


def test_the_bootstrap_undoes_the_shrinkage_of_residuals_by_their_leverage():
    # Least squares of a line in logs: the resampled slopes have a variance in closed form.
    n, reps = 5, 4000
    log_x = np.log(SIZES[:n])
    y = 2 * SIZES[:n] ** -0.4 * noise(0.1, 3, n)
    model = ScalingLawRegressor("power", delta=100.0, n_bootstrap=reps).fit(X[:n], y)
    design = np.column_stack([np.ones(n), log_x - log_x.mean()])
    hat = design @ np.linalg.pinv(design)
    unshrunk = (np.log(y) - hat @ np.log(y)) / (1 - np.diag(hat))
    expected = np.sqrt(np.mean(unshrunk**2) / np.sum(design[:, 1] ** 2))
    # A standard deviation of 4000 draws is right to 1 / sqrt(8000) = 1.1 %, or less: light tails.
    assert_allclose(model.bootstrap_params_["c"].std(), expected, rtol=0.035)
    assert expected > 1.5 * np.sqrt(np.mean(((1 - np.diag(hat)) * unshrunk) ** 2)) / np.sqrt(
        np.sum(design[:, 1] ** 2)
    )
