"""AdaptiveRidgeCollapse: limits, equal routes, weights, batches, real rows, warnings, errors."""

import tracemalloc
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import brentq
from sklearn.base import clone
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KernelCenterer, StandardScaler

from skparietal import AdaptiveRidgeCollapse
from skparietal.datasets import make_collapse_regression

X, Y_CHAIN, TRUTH = make_collapse_regression(
    120, 30, n_generations=5, generator_n_samples=60, random_state=0
)
WIDE, Y_WIDE, _ = make_collapse_regression(40, 60, generator_n_samples=90, random_state=0)
KNOWN = {"n_generations": 5, "generator_n_samples": 60}


def fitted_risk(model, truth=TRUTH):
    return truth.spectrum @ (model.coef_ - truth.coef) ** 2


# ----- limits and independent routes


@pytest.mark.parametrize("data", [(X, Y_CHAIN), (WIDE, Y_WIDE)], ids=["tall", "wide"])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_the_fit_is_ridge_with_the_chosen_alpha(data, fit_intercept):
    model = AdaptiveRidgeCollapse(generator_error=0.5, fit_intercept=fit_intercept).fit(*data)
    ridge = Ridge(model.alpha_, fit_intercept=fit_intercept).fit(*data)
    assert_allclose(model.coef_, ridge.coef_, rtol=1e-8, atol=1e-12)
    assert_allclose(model.predict(data[0]), ridge.predict(data[0]), rtol=1e-8)


@pytest.mark.parametrize("kernel", ["rbf", "poly", "laplacian", "cosine"])
def test_the_fit_is_kernel_ridge_with_the_chosen_alpha(kernel):
    model = AdaptiveRidgeCollapse(kernel=kernel, generator_error=0.1, fit_intercept=False)
    model.fit(X, Y_CHAIN)
    ridge = KernelRidge(alpha=model.alpha_, kernel=kernel).fit(X, Y_CHAIN)
    assert_allclose(model.predict(WIDE[:5, :30]), ridge.predict(WIDE[:5, :30]), rtol=1e-6)
    assert model.X_fit_ is not None


def test_zero_generations_are_ridge_with_gcv():
    alphas = np.logspace(-2, 4, 13)
    model = AdaptiveRidgeCollapse(alphas, n_generations=0).fit(X, Y_CHAIN)
    gcv = []
    for alpha in alphas:
        centred = X - X.mean(axis=0)
        hat = (
            centred @ np.linalg.solve(centred.T @ centred + alpha * np.eye(30), centred.T) + 1 / 120
        )
        gcv.append(np.mean((Y_CHAIN - hat @ Y_CHAIN) ** 2) / (1 - np.trace(hat) / 120) ** 2)
    assert_allclose(model.gcv_values_, gcv, rtol=1e-10)
    assert model.criterion_used_ == "gcv"
    assert model.alpha_ == model.alpha_gcv_ == pytest.approx(alphas[np.argmin(gcv)])


def test_the_corrected_criterion_adds_twice_tau_times_the_degrees_of_freedom():
    model = AdaptiveRidgeCollapse(
        criterion="ccgcv", generator_noise_variance=0.3, leverage_correction=False, **KNOWN
    ).fit(X, Y_CHAIN)
    tau = 5 * 0.3 / (60 - 30 - 2)
    singular = np.linalg.svd(X - X.mean(axis=0), compute_uv=False)
    df = np.sum(singular**2 / (singular**2 + model.alphas_[:, None]), axis=1)
    assert_allclose(model.criterion_values_ - model.gcv_values_, 2 * tau * df, rtol=1e-9)
    assert model.tau_ == pytest.approx(tau)
    assert model.collapse_cost_ == pytest.approx(30 * tau)
    assert model.kappa0_ == 0
    assert_allclose(model.risk_curve()["estimated_risk"], model.estimated_risk_, rtol=0)


def test_a_known_generator_error_replaces_the_chain():
    chain = AdaptiveRidgeCollapse(
        generator_noise_variance=0.3, leverage_correction=False, criterion="ccgcv", **KNOWN
    ).fit(X, Y_CHAIN)
    model = AdaptiveRidgeCollapse(generator_error=chain.collapse_cost_, criterion="ccgcv")
    model.fit(X, Y_CHAIN)
    assert_allclose(model.criterion_values_, chain.criterion_values_, rtol=1e-9)
    assert np.isnan(model.generator_noise_variance_)


@pytest.mark.parametrize("criterion", ["eb", "ccgcv"])
def test_the_correction_lowers_the_true_risk(criterion):
    risks = {"gcv": 0.0, criterion: 0.0}
    for seed in range(5):
        rows, y, truth = make_collapse_regression(
            200, 100, n_generations=10, generator_n_samples=200, random_state=seed
        )
        for name in risks:
            model = AdaptiveRidgeCollapse(
                criterion=name, n_generations=10, generator_n_samples=200
            ).fit(rows, y)
            risks[name] += fitted_risk(model, truth)
    # GCV has three times the least risk here, the correction a tenth more than the least.
    assert risks[criterion] < 0.6 * risks["gcv"]


def test_equal_kernels_give_equal_fits():
    new = WIDE[:7, :30]
    linear = AdaptiveRidgeCollapse(**KNOWN, leverage_correction=False).fit(X, Y_CHAIN)
    for same, train, test in [
        ({"kernel": "poly", "degree": 1, "gamma": 1, "coef0": 0}, X, new),
        ({"kernel": "precomputed"}, X @ X.T, new @ X.T),
        ({"kernel": np.dot}, X, new),
    ]:
        model = AdaptiveRidgeCollapse(**KNOWN, **same).fit(train, Y_CHAIN)
        assert model.alpha_ == pytest.approx(linear.alpha_)
        assert_allclose(model.criterion_values_, linear.criterion_values_, rtol=1e-6)
        assert_allclose(model.predict(test), linear.predict(new), rtol=1e-6)


def test_several_targets_share_the_alpha_of_the_summed_criterion():
    Y = np.column_stack([Y_CHAIN, -2 * Y_CHAIN, X[:, 0]])
    both = AdaptiveRidgeCollapse(**KNOWN, generator_noise_variance=0.25).fit(X, Y)
    single = [AdaptiveRidgeCollapse(**KNOWN, generator_noise_variance=0.25).fit(X, y) for y in Y.T]
    assert_allclose(both.criterion_values_, sum(m.criterion_values_ for m in single), rtol=1e-8)
    assert_allclose(both.noise_variance_[:2], [m.noise_variance_ for m in single[:2]], rtol=1e-8)
    assert both.coef_.shape == (3, 30)
    assert both.predict(X).shape == (120, 3)
    one_column = AdaptiveRidgeCollapse(**KNOWN).fit(X, Y_CHAIN[:, None])
    assert one_column.coef_.shape == (1, 30)


# ----- weights and batches


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
@pytest.mark.parametrize("data", [(X, Y_CHAIN), (WIDE, Y_WIDE)], ids=["tall", "wide"])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_integer_weights_are_repetitions(kernel, data, fit_intercept):
    table, y = data
    weights = np.random.default_rng(0).integers(0, 3, len(y))
    repeated = np.repeat(np.arange(len(y)), weights)
    model = AdaptiveRidgeCollapse(kernel=kernel, generator_error=0.3, fit_intercept=fit_intercept)
    weighted = clone(model).fit(table, y, sample_weight=weights)
    plain = clone(model).fit(table[repeated], y[repeated])
    assert_allclose(weighted.criterion_values_, plain.criterion_values_, rtol=1e-7)
    assert_allclose(weighted.predict(table), plain.predict(table), rtol=1e-6)


@pytest.mark.parametrize("criterion", ["auto", "eb", "ccgcv", "gcv"])
@pytest.mark.parametrize("cuts", [[60], [1, 2, 3, 20], [119]])
def test_batches_in_any_split_equal_one_fit(criterion, cuts):
    model = AdaptiveRidgeCollapse(**KNOWN, criterion=criterion, leverage_correction=False)
    # Weights above 1 on very few rows are repetitions without noise, which a warning tells.
    weights = np.ones(120) if len(cuts) > 1 else 1.0 + np.arange(120) % 3
    whole = clone(model).fit(X, Y_CHAIN, sample_weight=weights)
    for a, b in zip([0, *cuts], [*cuts, 120]):
        model.partial_fit(X[a:b], Y_CHAIN[a:b], sample_weight=weights[a:b])
    assert_allclose(model.criterion_values_, whole.criterion_values_, rtol=1e-9)
    assert_allclose(model.coef_, whole.coef_, rtol=1e-9)
    assert model.intercept_ == pytest.approx(whole.intercept_)


def test_a_fit_can_be_continued_and_merged():
    model = AdaptiveRidgeCollapse(**KNOWN, leverage_correction=False)
    whole = clone(model).fit(X, Y_CHAIN)
    continued = clone(model).fit(X[:50], Y_CHAIN[:50]).partial_fit(X[50:], Y_CHAIN[50:])
    other = clone(model).fit(X[50:], Y_CHAIN[50:])
    merged = clone(model).fit(X[:50], Y_CHAIN[:50]).merge(other)
    for result in (continued, merged):
        assert_allclose(result.coef_, whole.coef_, rtol=1e-9)
        assert result.alpha_ == pytest.approx(whole.alpha_)


def test_before_three_rows_the_prediction_is_the_mean():
    model = AdaptiveRidgeCollapse(n_generations=0).partial_fit(X[:2], Y_CHAIN[:2])
    assert_allclose(model.predict(X[:4]), Y_CHAIN[:2].mean())


def test_nothing_learned_is_lost_when_partial_fit_raises():
    model = AdaptiveRidgeCollapse(generator_error=0.5).partial_fit(X, Y_CHAIN)
    before = model.coef_.copy()
    for bad, y in [(X[:, :3], Y_CHAIN), (X, np.full(120, np.nan)), (X, np.ones((120, 2)))]:
        with pytest.raises(ValueError, match=r"features|NaN|targets"):
            model.partial_fit(bad, y)
    model.set_params(criterion="validation")
    with pytest.raises(ValueError, match="needs real rows"):
        model.partial_fit(X, Y_CHAIN)
    assert_allclose(model.coef_, before, rtol=0)
    assert model.moments_.weight == 120
    with pytest.raises(ValueError, match=r"sums to zero|non-zero number"):
        AdaptiveRidgeCollapse(generator_error=0.5).partial_fit(X, Y_CHAIN, np.zeros(120))


# ----- real rows


def mixed(n_real, seed=0):
    """Synthetic rows of the chain, then real ones of clean labels."""
    rng = np.random.default_rng(seed)
    clean = rng.normal(size=(n_real, 30))
    y = clean @ TRUTH.coef + 0.5 * rng.normal(size=n_real)
    mask = np.arange(120 + n_real) < 120
    return np.vstack([X, clean]), np.append(Y_CHAIN, y), mask


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_enough_real_rows_choose_alpha_by_their_error(kernel):
    rows, y, mask = mixed(40)
    model = AdaptiveRidgeCollapse(kernel=kernel).fit(rows, y, synthetic=mask)
    assert model.criterion_used_ == "validation"
    errors = [
        np.mean(
            (
                y[120:]
                - AdaptiveRidgeCollapse([alpha], kernel=kernel, n_generations=0)
                .fit(X, Y_CHAIN)
                .predict(rows[120:])
            )
            ** 2
        )
        for alpha in model.alphas_[::10]
    ]
    assert_allclose(model.criterion_values_[::10], errors, rtol=1e-7)
    assert model.alpha_ == model.alphas_[model.criterion_values_.argmin()]


def test_a_few_real_rows_measure_the_error_of_the_labels():
    truth = TRUTH.spectrum @ (TRUTH.label_coef - TRUTH.coef) ** 2
    costs = []
    for seed in range(20):
        rows, y, mask = mixed(25, seed)
        model = AdaptiveRidgeCollapse(criterion="eb").fit(rows, y, synthetic=mask)
        costs.append(model.collapse_cost_)
    # 25 rows whose squared errors have a relative spread of sqrt(2), averaged over 20 draws, and
    # the noise of the one training sample.
    assert np.mean(costs) == pytest.approx(truth, rel=0.4)


def test_a_grid_without_least_squares_measures_the_same_error():
    # One alpha that leaves 80 % of the degrees of freedom: the identity holds at any alpha, and
    # shows 2 * .8 - 1 = .6 of the error.
    ratios = []
    for seed in range(10):
        rows, y, truth = make_collapse_regression(
            200, 30, n_generations=5, generator_n_samples=60, random_state=seed
        )
        rng = np.random.default_rng(seed)
        real = rng.normal(size=(2000, 30))
        y_real = real @ truth.coef + 0.5 * rng.normal(size=2000)
        values = np.linalg.eigvalsh(200 * np.cov(rows.T, bias=True))
        alpha = brentq(lambda a, v=values: np.sum(v / (v + a)) - 0.8 * 30, 1e-9, 1e6)
        model = AdaptiveRidgeCollapse([alpha], criterion="eb").fit(
            np.vstack([rows, real]), np.append(y, y_real), synthetic=np.arange(2200) < 200
        )
        error = truth.spectrum @ (truth.label_coef - truth.coef) ** 2
        ratios.append(model.collapse_cost_ / error)
    # Three standard errors over the ten draws, .04 each.
    assert np.mean(ratios) == pytest.approx(1, abs=0.12)


@pytest.mark.parametrize(
    "parameters, n_real, used",
    [
        ({}, 9, "eb"),
        ({}, 10, "validation"),
        ({"min_clean": 3}, 3, "validation"),
        (KNOWN, 29, "eb"),
        (KNOWN, 30, "validation"),
        ({"generator_error": 1.0}, 29, "eb"),
        ({"criterion": "validation", **KNOWN}, 1, "validation"),
    ],
)
def test_real_rows_choose_when_there_are_enough(parameters, n_real, used):
    rows, y, mask = mixed(n_real)
    model = AdaptiveRidgeCollapse(**parameters).fit(rows, y, synthetic=mask)
    assert model.criterion_used_ == used


def test_a_given_chain_is_not_overruled_by_a_few_real_rows():
    rows, y, mask = mixed(5)
    model = AdaptiveRidgeCollapse(**KNOWN).fit(rows, y, synthetic=mask)
    assert_allclose(model.coef_, AdaptiveRidgeCollapse(**KNOWN).fit(X, Y_CHAIN).coef_)


def test_only_real_rows_are_ridge_with_gcv():
    model = AdaptiveRidgeCollapse(**KNOWN).fit(X, Y_CHAIN, synthetic=np.zeros(120, bool))
    plain = AdaptiveRidgeCollapse(n_generations=0).fit(X, Y_CHAIN)
    assert_allclose(model.coef_, plain.coef_, rtol=0)
    assert model.criterion_used_ == "gcv"
    assert model.collapse_cost_ == 0


def test_a_precomputed_kernel_takes_a_mask_and_weights():
    rows, y, mask = mixed(40)
    weights = np.arange(160) % 3.0
    new = np.random.default_rng(1).normal(size=(6, 30))
    fit = {"sample_weight": weights, "synthetic": mask}
    linear = AdaptiveRidgeCollapse().fit(rows, y, **fit)
    dual = AdaptiveRidgeCollapse(kernel="precomputed").fit(rows @ rows.T, y, **fit)
    assert dual.dual_coef_.shape == (160,)
    assert_allclose(dual.predict(new @ rows.T), linear.predict(new), rtol=1e-7)


# ----- the company it keeps


def test_the_mask_is_routed_through_pipelines_and_searches():
    rows, y, mask = mixed(40)
    with sklearn.config_context(enable_metadata_routing=True):
        model = AdaptiveRidgeCollapse(min_clean=10).set_fit_request(
            synthetic=True, sample_weight=False
        )
        pipe = make_pipeline(StandardScaler(), model).fit(rows, y, synthetic=mask)
        assert pipe[-1].criterion_used_ == "validation"
        grid = {"adaptiveridgecollapse__fit_intercept": [True, False]}
        search = GridSearchCV(pipe, grid, cv=KFold(2, shuffle=True, random_state=0)).fit(
            rows, y, synthetic=mask
        )
    assert search.best_estimator_[-1].criterion_used_ == "validation"


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_data_frames_keep_their_names(frame):
    names = [f"x{j}" for j in range(30)]
    table = frame(dict(zip(names, X.T)))
    model = AdaptiveRidgeCollapse(**KNOWN).fit(table, Y_CHAIN)
    assert list(model.feature_names_in_) == names
    assert_allclose(model.predict(table), AdaptiveRidgeCollapse(**KNOWN).fit(X, Y_CHAIN).predict(X))


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_float32_is_kept(kernel):
    model = AdaptiveRidgeCollapse(generator_error=0.5, kernel=kernel)
    single = clone(model).fit(X.astype(np.float32), Y_CHAIN)
    double = model.fit(X, Y_CHAIN)
    assert single.predict(X.astype(np.float32)).dtype == np.float32
    # Single precision, through sums of 120 terms and an eigendecomposition.
    assert_allclose(single.predict(X.astype(np.float32)), double.predict(X), atol=1e-3)


def test_uneven_leverages_raise_the_inherited_error():
    ratios = {}
    for features in ("gaussian", "t"):
        ratios[features] = []
        for seed in range(5):
            rows, y, _ = make_collapse_regression(200, 40, features=features, random_state=seed)
            with_it, without = (
                AdaptiveRidgeCollapse(generator_n_samples=200, leverage_correction=on).fit(rows, y)
                for on in (True, False)
            )
            ratios[features].append(with_it.tau_ / without.tau_)
    # 1 for Gaussian rows, but for fluctuations, which the floor of 1 makes one-sided.
    assert np.mean(ratios["gaussian"]) == pytest.approx(1, abs=0.03)
    assert min(ratios["t"]) > 1.2


def test_rows_of_leverage_one_raise_the_inherited_error_fivefold():
    # Each of 20 indicator columns is 1 in one row: without the cap the mean of h / (1 - h) is 1e11.
    rows = np.vstack([np.eye(20), np.zeros((100, 20))])
    y = np.random.default_rng(0).normal(size=120)
    fits = [
        AdaptiveRidgeCollapse(
            generator_n_samples=120, leverage_correction=on, criterion="ccgcv", fit_intercept=False
        ).fit(rows, y)
        for on in (True, False)
    ]
    assert fits[0].tau_ / fits[1].tau_ == pytest.approx(5)


def test_a_fit_needs_no_memory_beyond_the_centred_rows():
    table, y, _ = make_collapse_regression(20_000, 50, n_generations=0, random_state=0)
    tracemalloc.start()
    AdaptiveRidgeCollapse(generator_n_samples=100).fit(table, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # The centred copy, y and its copies, batches of 1024 rows and the d x d matrices.
    assert peak < 1.4 * table.nbytes


# ----- awkward and bad input


def test_constant_targets_and_columns_are_legal():
    constant = np.column_stack([X, np.ones(120)])
    model = AdaptiveRidgeCollapse(**KNOWN).fit(constant, Y_CHAIN)
    assert model.coef_[-1] == pytest.approx(0, abs=1e-10)
    for kernel in ("linear", "rbf"):
        flat = AdaptiveRidgeCollapse(generator_error=0.5, kernel=kernel).fit(X, np.full(120, 3.0))
        assert_allclose(flat.predict(X), 3.0)
    empty = AdaptiveRidgeCollapse(**KNOWN).fit(np.ones((120, 2)), Y_CHAIN)
    assert_allclose(empty.predict(np.ones((1, 2))), Y_CHAIN.mean())
    assert empty.collapse_cost_ == 0


@settings(deadline=None, max_examples=60)
@given(
    shape=st.tuples(st.integers(4, 40), st.integers(1, 40)),
    scales=st.tuples(st.integers(-6, 6), st.integers(-6, 6)),
    kernel=st.sampled_from(["linear", "rbf"]),
    criterion=st.sampled_from(["eb", "ccgcv"]),
    n_generations=st.sampled_from([1, 5, 1000]),
    rows=st.integers(43, 200) | st.integers(2, 3),
    generator_alpha=st.sampled_from([1e-8, 1.0, 1e5]),
    noise=st.sampled_from([None, 0.0, 1e6]),
)
@pytest.mark.filterwarnings("ignore:The generators nearly:UserWarning")
def test_estimates_are_finite_whatever_the_generators(
    shape, scales, kernel, criterion, n_generations, rows, generator_alpha, noise
):
    rng = np.random.default_rng(shape[0])
    table = rng.normal(size=shape) * 10.0 ** scales[0]
    y = rng.normal(size=shape[0]) * 10.0 ** scales[1]
    model = AdaptiveRidgeCollapse(
        kernel=kernel,
        criterion=criterion,
        n_generations=n_generations,
        generator_n_samples=rows,
        generator_alpha=generator_alpha,
        generator_noise_variance=noise,
    ).fit(table, y)
    assert np.all(np.isfinite(model.estimated_risk_))
    assert np.isfinite(model.collapse_cost_)
    assert np.all(np.isfinite(model.predict(table)))


@pytest.mark.parametrize("criterion", ["eb", "ccgcv", "gcv"])
def test_units_do_not_matter(criterion):
    model = AdaptiveRidgeCollapse(n_generations=3, generator_n_samples=60, criterion=criterion)
    plain, scaled = (clone(model).fit(c * X, k * Y_CHAIN) for c, k in [(1.0, 1.0), (1e-3, 1e4)])
    assert scaled.alpha_ == pytest.approx(1e-6 * plain.alpha_)
    assert_allclose(scaled.criterion_values_, 1e8 * plain.criterion_values_, rtol=1e-8)


def test_unknown_generators_are_guessed_with_a_warning():
    with pytest.warns(
        UserWarning, match="generator_n_samples is unknown and was assumed to be 120"
    ):
        guessed = AdaptiveRidgeCollapse().fit(X, Y_CHAIN)
    told = AdaptiveRidgeCollapse(generator_n_samples=120).fit(X, Y_CHAIN)
    assert guessed.alpha_ == told.alpha_


def test_labels_without_noise_hide_the_generators_noise():
    labels = X @ TRUTH.label_coef
    with pytest.warns(UserWarning, match="without noise"):
        model = AdaptiveRidgeCollapse(**KNOWN).fit(X, labels)
    assert model.collapse_cost_ == 0
    # Told the noise, it shrinks; no warning, which would be an error here.
    told = AdaptiveRidgeCollapse(**KNOWN, generator_noise_variance=0.25).fit(X, labels)
    assert told.alpha_ > 1000 * model.alpha_
    assert fitted_risk(told) < fitted_risk(model)


def test_the_edge_of_a_given_grid_is_told():
    with pytest.warns(UserWarning, match="edge of alphas"):
        AdaptiveRidgeCollapse([1e-6, 1e-5], **KNOWN).fit(X, Y_CHAIN)


def test_an_indefinite_kernel_is_clipped_with_a_warning():
    model = AdaptiveRidgeCollapse(kernel="sigmoid", gamma=1.0, generator_error=0.5)
    with pytest.warns(UserWarning, match="not positive semi-definite"):
        model.fit(X, Y_CHAIN)
    assert np.all(np.isfinite(model.predict(X)))


def test_nearly_interpolating_generators_are_told():
    model = AdaptiveRidgeCollapse(kernel="rbf", generator_n_samples=120, generator_alpha=1e-6)
    with pytest.warns(UserWarning, match="nearly interpolate"):
        model.fit(X, Y_CHAIN)


@pytest.mark.parametrize("share", [0.4, 0.6])
def test_generators_of_more_than_half_as_many_degrees_of_freedom_as_rows_are_told(share):
    kernel = KernelCenterer().fit_transform(rbf_kernel(X, gamma=1 / 30))
    values = np.linalg.eigvalsh(kernel)
    alpha = brentq(lambda a: np.sum(values / (values + a)) - share * 120, 1e-9, 1e3)
    model = AdaptiveRidgeCollapse(kernel="rbf", generator_n_samples=120, generator_alpha=alpha)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, Y_CHAIN)
    assert any("nearly interpolate" in str(w.message) for w in caught) == (share > 0.5)


@pytest.mark.parametrize("rows", range(14, 30))
def test_the_numerical_rank_of_a_kernel_forbids_no_number_of_rows(rows):
    x = np.random.default_rng(0).normal(size=(200, 1))
    y = np.sin(x[:, 0]) + 0.1 * np.random.default_rng(1).normal(size=200)
    model = AdaptiveRidgeCollapse(kernel="rbf", gamma=1.0, generator_n_samples=rows)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # such generators nearly interpolate
        assert np.isfinite(model.fit(x, y).alpha_)


def test_a_refit_with_another_kernel_leaves_nothing_of_the_first():
    parameters = {"generator_error": 0.1}
    for first, second in (("linear", "rbf"), ("rbf", "linear")):
        used = AdaptiveRidgeCollapse(kernel=first, **parameters).fit(X, Y_CHAIN)
        fresh = AdaptiveRidgeCollapse(kernel=second, **parameters).fit(X, Y_CHAIN)
        assert vars(used.set_params(kernel=second).fit(X, Y_CHAIN)).keys() == vars(fresh).keys()


def test_the_risk_estimated_on_quiet_real_rows_is_not_negative():
    rng = np.random.default_rng(0)
    rows, mask = rng.normal(size=(300, 10)), np.arange(300) < 200
    y = rows.sum(axis=1) + np.where(mask, 2.0, 0.01) * rng.normal(size=300)
    model = AdaptiveRidgeCollapse(generator_n_samples=200).fit(rows, y, synthetic=mask)
    assert model.criterion_used_ == "validation"
    assert np.all(model.estimated_risk_ >= 0)


def test_partial_fit_says_once_that_leverages_are_left_out():
    model = AdaptiveRidgeCollapse(**KNOWN)
    with pytest.warns(UserWarning, match="leverage_correction needs all rows"):
        model.partial_fit(X[:60], Y_CHAIN[:60])
    model.partial_fit(X[60:], Y_CHAIN[60:])  # warnings are errors here


@pytest.mark.parametrize(
    "parameters, fit, match",
    [
        ({"alphas": [1.0, 0.0]}, {}, "alphas must be"),
        ({"alphas": [[1.0]]}, {}, "alphas must be"),
        ({"alphas": []}, {}, "alphas must be"),
        ({"alphas": [np.inf]}, {}, "alphas must be"),
        ({}, {"synthetic": np.ones(5, bool)}, r"one entry per row of X, shape \(120,\)"),
        ({"criterion": "validation"}, {}, "needs real rows"),
        ({"criterion": "magic"}, {}, "criterion"),
        ({}, {"sample_weight": np.zeros(120)}, "At least 3 training rows|non-zero number"),
        ({}, {"sample_weight": -np.ones(120)}, "(?i)negative"),
        ({"kernel": "precomputed"}, {}, "square kernel matrix"),
        ({"generator_n_samples": 30}, {}, "generator_n_samples=30 with 30 features"),
        ({"generator_n_samples": 31}, {}, "infinite error; use generator_n_samples >= 33"),
    ],
)
def test_bad_input_names_the_argument(parameters, fit, match):
    model = AdaptiveRidgeCollapse(**{**KNOWN, **parameters})
    with pytest.raises(ValueError, match=match):
        model.fit(X, Y_CHAIN, **fit)


def test_the_mask_holds_booleans_of_any_container():
    mask = np.arange(120) < 100
    model = AdaptiveRidgeCollapse(**KNOWN)
    coef = model.fit(X, Y_CHAIN, synthetic=mask).coef_
    for container in (list, lambda m: m.astype(object)):
        assert_array_equal(model.fit(X, Y_CHAIN, synthetic=container(mask)).coef_, coef)
    with pytest.raises(TypeError, match=r"synthetic must be a boolean mask.*synthetic == 1"):
        model.fit(X, Y_CHAIN, synthetic=mask.astype(int))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(value):
    bad = X.copy()
    bad[3, 4] = value
    for arguments in ((bad, Y_CHAIN), (X, bad[:, 4])):
        with pytest.raises(ValueError, match=r"NaN|infinity"):
            AdaptiveRidgeCollapse(**KNOWN).fit(*arguments)


def test_what_cannot_be_continued_or_merged_says_why():
    wide = AdaptiveRidgeCollapse(generator_error=0.1).fit(WIDE, Y_WIDE)
    with pytest.raises(ValueError, match="kept no moments"):
        wide.partial_fit(WIDE, Y_WIDE)
    tall = AdaptiveRidgeCollapse(generator_error=0.1).fit(X, Y_CHAIN)
    with pytest.raises(ValueError, match="at least as many as features"):
        tall.merge(wide)
    seen = np.arange(120) < 60
    for mask, parameters in ((seen, {"min_clean": 60}), (np.zeros(120, bool), {})):
        real = AdaptiveRidgeCollapse(**KNOWN, **parameters).fit(X, Y_CHAIN, synthetic=mask)
        with pytest.raises(ValueError, match="it had real rows"):
            real.partial_fit(X, Y_CHAIN)
    with pytest.raises(ValueError, match="equal parameters"):
        tall.merge(AdaptiveRidgeCollapse(generator_error=0.2).fit(X, Y_CHAIN))
    with pytest.raises(ValueError, match="same features"):
        tall.merge(AdaptiveRidgeCollapse(generator_error=0.1).fit(X[:, :3], Y_CHAIN))
    assert not hasattr(AdaptiveRidgeCollapse(kernel="rbf"), "partial_fit")
