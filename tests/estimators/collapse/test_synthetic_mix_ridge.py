"""SyntheticMixRidge: identities, limits, weights, kernels, targets, risk, and bad input."""

import pickle

import numpy as np
import pytest
from sklearn import config_context
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skparietal import SyntheticMixRidge
from skparietal.datasets import make_mixed_regression
from skparietal.theory import strong_collapse_floor

SELECTIONS = ["average", "loo"]


def data(n_real=40, n_synthetic=120, n_features=8, shift_error=0.3, seed=0, **options):
    return make_mixed_regression(
        n_real, n_synthetic, n_features, shift_error=shift_error, random_state=seed, **options
    )


@pytest.mark.parametrize("selection", SELECTIONS)
def test_real_rows_alone_give_leave_one_out_ridge(selection):
    X, y, _ = data(n_synthetic=0)
    alphas = np.logspace(-3, 3, 13)
    model = SyntheticMixRidge(alphas, selection=selection).fit(X, y)
    reference = RidgeCV(alphas).fit(X, y)
    assert model.alpha_ == pytest.approx(reference.alpha_)
    np.testing.assert_allclose(model.coef_, reference.coef_, rtol=1e-8)
    assert model.intercept_ == pytest.approx(reference.intercept_)
    assert model.n_synthetic_ == 0
    assert model.loo_gain_ == 0
    assert np.isnan(model.shift_c2_)
    assert model.collapse_floor_ == 0


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_loo_selection_is_one_weighted_ridge(fit_intercept):
    X, y, synthetic = data(shift_error=2.0)
    model = SyntheticMixRidge(selection="loo", fit_intercept=fit_intercept)
    model.fit(X, y + 3, synthetic=synthetic)
    ridge = Ridge(model.alpha_, fit_intercept=fit_intercept)
    ridge.fit(X, y + 3, sample_weight=np.where(synthetic, model.synthetic_weight_, 1.0))
    np.testing.assert_allclose(model.predict(X), ridge.predict(X), rtol=1e-8)
    assert not model.guarded_
    assert model.loo_gain_ > 0


def test_guard_keeps_the_fit_to_all_rows_alike():
    X, y, synthetic = data(shift_error=0.0)
    model = SyntheticMixRidge(selection="loo", guard=100.0).fit(X, y, synthetic=synthetic)
    ridge = Ridge(model.alpha_).fit(X, y)
    assert model.guarded_
    assert model.synthetic_weight_ == 1
    np.testing.assert_allclose(model.coef_, ridge.coef_, rtol=1e-8)


def test_loo_path_is_what_the_pair_is_chosen_by():
    X, y, synthetic = data(shift_error=2.0)
    model = SyntheticMixRidge(selection="loo", guard=0).fit(X, y, synthetic=synthetic)
    assert model.loo_path_.shape == (len(model.weights_), len(model.alphas_))
    i, j = np.unravel_index(np.argmin(model.loo_path_), model.loo_path_.shape)
    assert model.weights_[i] == model.synthetic_weight_
    assert model.alphas_[j] == model.alpha_


@pytest.mark.parametrize("selection", SELECTIONS)
def test_large_shift_leaves_the_real_rows_and_no_shift_uses_all(selection):
    X, y, synthetic = data(n_real=150, n_synthetic=1000, shift_error=1000.0)
    far = SyntheticMixRidge(selection=selection).fit(X, y, synthetic=synthetic)
    assert far.synthetic_weight_ < 1e-3
    real = RidgeCV(np.logspace(-3, 3, 30)).fit(X[~synthetic], y[~synthetic])
    # The smallest scalar weight is 0, the largest shift ratio leaves a trace of synthetic rows.
    np.testing.assert_allclose(far.coef_, real.coef_, atol=0.05)
    X, y, synthetic = data(n_real=150, n_synthetic=1000, shift_error=0.0)
    near = SyntheticMixRidge(selection=selection).fit(X, y, synthetic=synthetic)
    assert near.effective_synthetic_fraction_ > 0.7


@pytest.mark.parametrize("selection", SELECTIONS)
def test_risk_is_near_that_of_the_best_of_real_only_and_all_rows(selection):
    log_ratio = []
    for shift_error in (0.0, 0.05, 1.0):
        risks = []
        for seed in range(8):
            X, y, synthetic, truth = data(60, 600, 20, shift_error, seed=seed, return_truth=True)
            fits = [
                SyntheticMixRidge(selection=selection).fit(X, y, synthetic=synthetic),
                RidgeCV(np.logspace(-3, 3, 20)).fit(X[~synthetic], y[~synthetic]),
                RidgeCV(np.logspace(-3, 3, 20)).fit(X, y),
            ]
            risks.append([np.sum((fit.coef_ - truth.coef) ** 2) for fit in fits])
        ours, *others = np.mean(risks, axis=0)
        log_ratio.append(np.log(ours / min(others)))
    # Which of the two is better changes with the shift; to know it costs less than a third.
    assert np.mean(log_ratio) < np.log(1.3)


@pytest.mark.parametrize("selection", SELECTIONS)
@pytest.mark.parametrize(
    "parameters, n_features",
    [({}, 8), ({}, 300), ({"kernel": "rbf", "gamma": 0.05}, 4), ({"n_components": 6}, 8)],
    ids=["linear", "wide", "rbf", "projected"],
)
def test_integer_weights_are_repetitions(selection, parameters, n_features):
    X, y, synthetic = data(30, 50, n_features)
    frequency = np.random.default_rng(0).integers(0, 4, len(X))
    repeat = np.repeat(np.arange(len(X)), frequency)
    model = SyntheticMixRidge(selection=selection, random_state=0, **parameters)
    weighted = model.fit(X, y, sample_weight=frequency, synthetic=synthetic).predict(X)
    repeated = model.fit(X[repeat], y[repeat], synthetic=synthetic[repeat]).predict(X)
    # The noise ratio comes from an iteration that rounding may end a step earlier.
    np.testing.assert_allclose(weighted, repeated, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("selection", SELECTIONS)
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("n_features", [8, 300])
def test_linear_kernel_given_as_a_matrix_is_the_linear_model(selection, fit_intercept, n_features):
    X, y, synthetic = data(30, 60, n_features)
    X, y = X + 0.5, y + 2.0
    linear = SyntheticMixRidge(np.logspace(-1, 3, 9), selection=selection)
    linear.set_params(fit_intercept=fit_intercept).fit(X, y, synthetic=synthetic)
    kernel = SyntheticMixRidge(
        np.logspace(-1, 3, 9),
        selection=selection,
        fit_intercept=fit_intercept,
        kernel="precomputed",
    ).fit(X @ X.T, y, synthetic=synthetic)
    assert kernel.alpha_ == pytest.approx(linear.alpha_, rel=1e-4)
    np.testing.assert_allclose(kernel.predict(X @ X.T), linear.predict(X), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("selection", SELECTIONS)
def test_kernels_by_name_function_and_matrix_agree(selection):
    X, y, synthetic = data()
    K = rbf_kernel(X, gamma=0.1)
    named = SyntheticMixRidge(selection=selection, kernel="rbf", gamma=0.1)
    predictions = named.fit(X, y, synthetic=synthetic).predict(X[:9])
    given = SyntheticMixRidge(selection=selection, kernel="precomputed")
    given.fit(K, y, synthetic=synthetic)
    np.testing.assert_allclose(given.predict(K[:9]), predictions, rtol=1e-6)

    def function(a, b, gamma):
        return np.exp(-gamma * np.sum((a - b) ** 2))

    called = SyntheticMixRidge(
        selection=selection, kernel=function, kernel_params={"gamma": 0.1}
    ).fit(X, y, synthetic=synthetic)
    np.testing.assert_allclose(called.predict(X[:9]), predictions, rtol=1e-6)


def test_rows_of_weight_zero_keep_their_column_of_a_precomputed_kernel():
    X, y, synthetic = data()
    weight = np.ones(160)
    weight[[3, 100]] = 0
    K = rbf_kernel(X, gamma=0.1)
    model = SyntheticMixRidge(kernel="precomputed").fit(K, y, weight, synthetic)
    named = SyntheticMixRidge(kernel="rbf", gamma=0.1).fit(X, y, weight, synthetic)
    assert model.dual_coef_.shape == (160,)
    np.testing.assert_allclose(model.predict(K), named.predict(X), rtol=1e-6)


def test_kernel_mix_is_weighted_kernel_ridge():
    X, y, synthetic = data(shift_error=2.0)
    model = SyntheticMixRidge(selection="loo", kernel="rbf", gamma=0.1, fit_intercept=False)
    model.fit(X, y, synthetic=synthetic)
    K = rbf_kernel(X, gamma=0.1)
    used = ~synthetic if model.synthetic_weight_ == 0 else np.ones(len(X), dtype=bool)
    weight = np.where(synthetic, model.synthetic_weight_, 1.0)[used]
    dual = np.linalg.solve(K[np.ix_(used, used)] + model.alpha_ * np.diag(1 / weight), y[used])
    np.testing.assert_allclose(model.predict(X), K[:, used] @ dual, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("selection", SELECTIONS)
def test_targets_share_one_choice(selection):
    X, y, synthetic = data()
    one = SyntheticMixRidge(selection=selection).fit(X, y, synthetic=synthetic)
    two = SyntheticMixRidge(selection=selection).fit(X, np.c_[y, y], synthetic=synthetic)
    assert two.coef_.shape == (2, 8)
    np.testing.assert_allclose(two.coef_[0], two.coef_[1])
    assert two.intercept_.shape == two.shift_c2_.shape == two.collapse_floor_.shape == (2,)
    np.testing.assert_allclose(two.shift_c2_, one.shift_c2_)
    if selection == "loo":
        np.testing.assert_allclose(two.loo_path_, 2 * one.loo_path_)
    np.testing.assert_allclose(two.predict(X)[:, 0], one.predict(X), rtol=0.2, atol=0.2)


def test_projected_model_is_a_ridge_on_the_projections():
    X, y, synthetic = data()
    model = SyntheticMixRidge(selection="loo", n_components=5, random_state=3)
    model.fit(X, y, synthetic=synthetic)
    assert model.components_.shape == (5, 8)
    ridge = Ridge(model.alpha_).fit(
        X @ model.components_.T, y, sample_weight=np.where(synthetic, model.synthetic_weight_, 1)
    )
    np.testing.assert_allclose(model.coef_, ridge.coef_ @ model.components_, rtol=1e-8)
    again = SyntheticMixRidge(selection="loo", n_components=5, random_state=3)
    np.testing.assert_array_equal(again.fit(X, y, synthetic=synthetic).coef_, model.coef_)


def test_kernel_is_of_the_projections():
    X, y, synthetic = data()
    model = SyntheticMixRidge(kernel="rbf", gamma=0.1, n_components=3, random_state=0)
    model.fit(X, y, synthetic=synthetic)
    direct = SyntheticMixRidge(kernel="rbf", gamma=0.1)
    direct.fit(X @ model.components_.T, y, synthetic=synthetic)
    expected = direct.predict(X @ model.components_.T)
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-10)


def test_more_projections_than_features_or_rows_are_a_model_size_like_any_other():
    X, y, synthetic = data(30, 60)
    model = SyntheticMixRidge(n_components=500, random_state=0).fit(X, y, synthetic=synthetic)
    assert model.coef_.shape == (8,)
    assert np.isfinite(model.predict(X)).all()


def test_diagnostics_fit_together():
    X, y, synthetic = data(n_real=60, n_synthetic=300, shift_error=0.5)
    model = SyntheticMixRidge().fit(X, y, synthetic=synthetic)
    share = 300 * model.synthetic_weight_ / (60 + 300 * model.synthetic_weight_)
    assert model.effective_synthetic_fraction_ == pytest.approx(share)
    floor = strong_collapse_floor(model.shift_c2_, 60, 300, model.synthetic_weight_)
    assert model.collapse_floor_ == pytest.approx(floor)
    assert abs(model.shift_c2_ - 0.5) < 4 * model.shift_c2_se_
    assert (model.n_real_, model.n_synthetic_) == (60, 300)
    assert model.noise_ratio_ == pytest.approx(1, rel=0.6)


def test_negative_estimate_of_the_shift_is_reported_and_gives_floor_zero():
    estimates = []
    for seed in range(10):
        model = SyntheticMixRidge(selection="loo")
        X, y, synthetic = data(shift_error=0.0, seed=seed)
        model.fit(X, y, synthetic=synthetic)
        estimates.append(model.shift_c2_)
        assert model.collapse_floor_ == pytest.approx(
            max(model.shift_c2_, 0) * model.effective_synthetic_fraction_**2
        )
    assert min(estimates) < 0 < max(estimates)


def test_a_shift_of_the_synthetic_mean_does_not_move_the_intercept():
    X, y, synthetic = data(n_real=100, n_synthetic=1000, shift_error=0.0)
    y = y + 50.0 * synthetic
    model = SyntheticMixRidge().fit(X, y, synthetic=synthetic)
    # Real rows alone know the mean to 0.5 / sqrt(100).
    assert abs(model.intercept_) < 0.3


@pytest.mark.parametrize("selection", SELECTIONS)
def test_near_interpolation_is_not_taken_for_a_good_fit(selection):
    ratios = []
    for seed in range(8):
        X, y, synthetic, truth = data(30, 100, 30, 0.2, seed=seed, return_truth=True)
        model = SyntheticMixRidge(selection=selection).fit(X, y, synthetic=synthetic)
        ratios.append(np.sum((model.coef_ - truth.coef) ** 2))
    # A fit that predicts 0 has risk 1; an interpolating one far more.
    assert max(ratios) < 1.2


@pytest.mark.parametrize("selection", SELECTIONS)
@pytest.mark.parametrize("case", ["constant y", "constant column", "constant X", "noise-free"])
def test_degenerate_data_give_finite_fits(selection, case):
    X, y, synthetic = data()
    if case == "constant y":
        y = np.full_like(y, 3.0)
    elif case == "constant column":
        X[:, 0] = 1.0
    elif case == "constant X":
        X = np.ones_like(X)
    else:
        y = np.where(synthetic, X @ np.ones(8), y)
    model = SyntheticMixRidge(selection=selection).fit(X, y, synthetic=synthetic)
    assert np.isfinite(model.predict(X)).all()
    assert np.isfinite(model.shift_c2_)
    if case == "constant y":
        np.testing.assert_allclose(model.predict(X), 3.0)


def test_noise_free_labels_of_a_shifted_model_do_not_drown_the_real_rows():
    X, y, synthetic, truth = data(
        150, 1000, 10, 0.5, noise_variance_synthetic=0.0, return_truth=True
    )
    model = SyntheticMixRidge().fit(X, y, synthetic=synthetic)
    risk = np.sum((model.coef_ - truth.coef) ** 2)
    # Real rows alone have 0.25 * 10 / 140 = 0.018, the synthetic ones 0.5.
    assert risk < 0.04


def test_too_few_real_rows_keep_all_rows_alike_and_say_so():
    X, y, synthetic = data(4, 60)
    with pytest.warns(UserWarning, match="Only 4 real rows"):
        model = SyntheticMixRidge().fit(X, y, synthetic=synthetic)
    assert model.guarded_
    np.testing.assert_allclose(model.coef_, Ridge(model.alpha_).fit(X, y).coef_, rtol=1e-8)


def test_single_candidates_are_kept():
    X, y, synthetic = data()
    model = SyntheticMixRidge([2.0], weights=[0.5], selection="loo", guard=0)
    model.fit(X, y, synthetic=synthetic)
    assert (model.alpha_, model.loo_path_.shape) == (2.0, (1, 1))
    average = SyntheticMixRidge([2.0], weights=[0]).fit(X, y, synthetic=synthetic)
    assert average.alpha_ == pytest.approx(2.0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_floating_type_is_kept(dtype, kernel):
    X, y, synthetic = data()
    model = SyntheticMixRidge(kernel=kernel).fit(
        X.astype(dtype), y.astype(dtype), synthetic=synthetic
    )
    assert model.predict(X.astype(dtype)).dtype == dtype


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_data_frames_are_accepted(library):
    frames = pytest.importorskip(library)
    X, y, synthetic = data()
    frame = frames.DataFrame({f"x{i}": X[:, i] for i in range(8)})
    series = frames.Series(synthetic)
    model = SyntheticMixRidge().fit(frame, y, synthetic=series)
    expected = SyntheticMixRidge().fit(X, y, synthetic=synthetic)
    np.testing.assert_allclose(model.coef_, expected.coef_)
    assert list(model.feature_names_in_) == [f"x{i}" for i in range(8)]


def test_mask_is_routed_through_a_pipeline_and_a_search():
    X, y, synthetic = data()
    with config_context(enable_metadata_routing=True):
        ridge = SyntheticMixRidge(selection="loo").set_fit_request(synthetic=True)
        pipeline = make_pipeline(StandardScaler(), ridge).fit(X, y, synthetic=synthetic)
        assert pipeline[-1].n_synthetic_ == synthetic.sum()
        search = GridSearchCV(
            pipeline,
            {"syntheticmixridge__guard": [0, 100]},
            cv=KFold(3, shuffle=True, random_state=0),
        )
        search.fit(X, y, synthetic=synthetic)
        assert search.best_estimator_[-1].n_synthetic_ == synthetic.sum()
        copy = pickle.loads(pickle.dumps(search))
        np.testing.assert_array_equal(copy.predict(X), search.predict(X))


@pytest.mark.parametrize(
    "parameters, match",
    [
        ({"alphas": [0.0, 1.0]}, "alphas must be a non-empty vector of finite numbers > 0"),
        ({"alphas": [-1.0]}, "alphas must be"),
        ({"alphas": []}, "alphas must be"),
        ({"alphas": [np.nan]}, "alphas must be"),
        ({"weights": [-1.0]}, "weights must be a non-empty vector of finite numbers >= 0"),
        ({"weights": [[1.0]]}, "weights must be"),
        ({"guard": -1.0}, "guard"),
        ({"selection": "other"}, "selection"),
        ({"n_components": 0}, "n_components"),
        ({"n_components": 3, "kernel": "precomputed"}, "n_components cannot be combined"),
        ({"kernel": "precomputed"}, "square"),
    ],
)
def test_bad_parameters_are_named(parameters, match):
    X, y, synthetic = data()
    with pytest.raises(ValueError, match=match):
        SyntheticMixRidge(**parameters).fit(X, y, synthetic=synthetic)


def test_a_refit_with_another_kernel_leaves_nothing_of_the_first():
    X, y, synthetic = data()
    for first, second in (
        ({"kernel": "linear", "n_components": 5}, {"kernel": "rbf", "n_components": None}),
        ({"kernel": "rbf"}, {"kernel": "linear"}),
    ):
        used = SyntheticMixRidge(**first).fit(X, y, synthetic=synthetic).set_params(**second)
        fresh = SyntheticMixRidge(**second).fit(X, y, synthetic=synthetic)
        assert vars(used.fit(X, y, synthetic=synthetic)).keys() == vars(fresh).keys()


def test_one_real_row_that_is_fitted_exactly_warns_of_too_few_rows_only():
    X, y, _ = data()
    with pytest.warns(UserWarning, match="Only 1 real rows") as caught:
        SyntheticMixRidge().fit(X, np.zeros_like(y), synthetic=np.arange(len(y)) > 0)
    assert len(caught) == 1


def test_bad_masks_and_weights_are_named():
    X, y, synthetic = data()
    model = SyntheticMixRidge()
    with pytest.raises(ValueError, match=r"synthetic must have one entry per row.*\(160,\)"):
        model.fit(X, y, synthetic=synthetic[:-1])
    with pytest.raises(TypeError, match="synthetic must be a boolean mask"):
        model.fit(X, y, synthetic=synthetic.astype(int))
    with pytest.raises(ValueError, match="use AdaptiveRidgeCollapse"):
        model.fit(X, y, synthetic=np.ones(160, dtype=bool))
    with pytest.raises(ValueError, match="use AdaptiveRidgeCollapse"):
        model.fit(X, y, sample_weight=synthetic.astype(float), synthetic=synthetic)
    # The second message is scikit-learn's own, since 1.9.
    with pytest.raises(ValueError, match=r"must not be 0 for every row|at least one non-zero"):
        model.fit(X, y, sample_weight=np.zeros(160), synthetic=synthetic)
    with pytest.raises(ValueError, match="sample_weight must be >= 0"):
        model.fit(X, y, sample_weight=-np.ones(160), synthetic=synthetic)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(value):
    X, y, synthetic = data()
    X[0, 0] = value
    with pytest.raises(ValueError, match="Input X contains"):
        SyntheticMixRidge().fit(X, y, synthetic=synthetic)
