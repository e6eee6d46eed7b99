"""Chains of models: theory of the regression chain, bookkeeping of the modes, errors."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from scipy.stats import entropy
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from skparietal.simulation import collapse_chain
from skparietal.simulation.chain import truncate_probabilities


def test_excess_risk_of_least_squares_grows_linearly_with_generations():
    # Each fit adds sigma^2 d/(T - d - 1) of excess risk, exactly, on Gaussian rows; the inflated
    # residuals keep the noise variance unbiased from one generation to the next.
    d, n, n_generations, n_chains = 8, 40, 4, 600
    rng = np.random.RandomState(0)
    coef, excess = np.ones(d), np.zeros((n_chains, n_generations + 1))
    for chain in range(n_chains):
        X = rng.normal(size=(n, d))
        y = X @ coef + rng.normal(size=n)
        models = collapse_chain(
            LinearRegression(fit_intercept=False),
            X,
            y,
            n_generations=n_generations,
            inputs=lambda rng, n: rng.normal(size=(n, d)),
            random_state=rng,
            return_estimators=True,
        ).estimators
        excess[chain] = [np.sum((model.coef_ - coef) ** 2) for model in models]
    expected = d / (n - d - 1) * np.arange(1, n_generations + 2)
    standard_error = excess.std(axis=0) / np.sqrt(n_chains)
    assert np.all(np.abs(excess.mean(axis=0) - expected) < 4 * standard_error)


def test_predicted_labels_on_the_same_rows_leave_least_squares_where_it_is():
    X, y = load_diabetes(return_X_y=True)
    chain = collapse_chain(
        LinearRegression(), X, y, inputs="reuse", labels="predict", return_estimators=True
    )
    np.testing.assert_allclose(chain.estimators[-1].coef_, chain.estimators[0].coef_, rtol=1e-9)
    np.testing.assert_allclose(chain.scores, chain.scores[0], rtol=1e-12)


def test_a_shrinking_model_forgets_by_the_same_factor_each_generation():
    X = np.sqrt(50) * np.linalg.qr(np.random.default_rng(0).normal(size=(50, 3)))[0]
    chain = collapse_chain(
        Ridge(alpha=50, fit_intercept=False),  # X'X = 50 I: every fit halves the coefficients
        X,
        X @ [1.0, 2.0, 3.0],
        n_generations=3,
        inputs="reuse",
        labels="predict",
        return_estimators=True,
    )
    for generation, model in enumerate(chain.estimators):
        np.testing.assert_allclose(model.coef_, np.array([1, 2, 3]) / 2 ** (generation + 1))


def test_modes_have_the_sizes_that_they_promise():
    X, y = load_diabetes(return_X_y=True)
    sizes = {
        mode: collapse_chain(
            LinearRegression(), X, y, n_generations=2, n_samples=100, **mode_args
        ).sizes
        for mode, mode_args in {
            "replace": {},
            "accumulate": {"mode": "accumulate"},
            "mix": {"mode": "mix", "real_fraction": 0.3},
        }.items()
    }
    np.testing.assert_array_equal(sizes["replace"], [442, 100, 100])
    np.testing.assert_array_equal(sizes["accumulate"], [442, 542, 642])
    np.testing.assert_array_equal(sizes["mix"], [442, 100, 100])


def test_mix_holds_exactly_the_promised_number_of_real_rows():
    X, y = np.zeros((60, 1)), np.repeat([0, 1], 30)
    seen = []

    class Recorder(GaussianNB):
        def fit(self, X, y):
            seen.append(np.asarray(X)[:, 0])
            return super().fit(X + np.arange(len(X))[:, None], y)

    collapse_chain(
        Recorder(),
        X,
        y,
        n_generations=1,
        mode="mix",
        real_fraction=0.25,
        inputs=lambda rng, n: np.ones((n, 1)),
        random_state=0,
    )
    assert (seen[1] == 0).sum() == 15
    assert (seen[1] == 1).sum() == 45


def test_sampled_labels_follow_the_predicted_probabilities():
    X, y = np.zeros((1000, 1)), np.repeat([0, 1, 2], [500, 300, 200])
    chain = collapse_chain(
        DecisionTreeClassifier(), X, y, n_generations=1, n_samples=40_000, random_state=0
    )
    # The tree knows only the shares, so the entropy of 40,000 draws is theirs up to 1/sqrt(40,000).
    assert chain.label_entropy[1] == pytest.approx(entropy([0.5, 0.3, 0.2]), abs=0.02)


def test_low_temperature_and_nucleus_kill_the_rare_label():
    X, y = np.zeros((100, 1)), np.repeat([0, 1, 2], [50, 30, 20])
    for setting in ({"temperature": 1e-3}, {"top_p": 0.5}):
        chain = collapse_chain(DecisionTreeClassifier(), X, y, random_state=0, **setting)
        np.testing.assert_array_equal(chain.n_labels_alive, [3, 1, 1, 1, 1, 1])
    chain = collapse_chain(DecisionTreeClassifier(), X, y, random_state=0, top_p=0.8)
    assert chain.n_labels_alive[1] == 2


def test_truncated_probabilities_by_hand():
    p = np.array([[0.1, 0.6, 0.3]])
    np.testing.assert_allclose(truncate_probabilities(p, top_p=0.7), [[0, 2 / 3, 1 / 3]])
    np.testing.assert_allclose(truncate_probabilities(p, temperature=0.5), p**2 / (p**2).sum())
    # A temperature near zero does not divide zero by zero.
    np.testing.assert_allclose(truncate_probabilities(p, temperature=1e-6), [[0, 1, 0]])


def test_a_perfect_verifier_keeps_only_right_labels():
    X, y = load_iris(return_X_y=True)
    truth = {tuple(row): label for row, label in zip(X, y)}
    chain = collapse_chain(
        GaussianNB(),
        X,
        y,
        n_generations=3,
        select=lambda X, y: np.array([truth[tuple(r)] for r in X]) == y,
        random_state=0,
    )
    assert np.all(chain.sizes[1:] < 150)
    assert chain.scores.min() > 0.9


@pytest.mark.parametrize(
    "estimator",
    [
        LinearSVC(),
        make_pipeline(StandardScaler(), LogisticRegression()),
        GridSearchCV(GaussianNB(), {"var_smoothing": [1e-9, 1e-3]}),
    ],
    ids=["decision_function", "pipeline", "search"],
)
def test_any_classifier_runs(estimator):
    X, y = load_iris(return_X_y=True)
    chain = collapse_chain(estimator, X, y, n_generations=2, random_state=0)
    assert chain.scores.shape == (3,)
    assert chain.scores[0] > 0.9


def test_binary_decision_function_is_a_probability_of_the_second_class():
    X, y = load_iris(return_X_y=True)
    X, y = X[y < 2], y[y < 2]
    chain = collapse_chain(LinearSVC(C=100), X, y, n_generations=1, random_state=0)
    assert chain.scores[1] > 0.9  # separable: a swap of the classes would score near 0


def test_dataframes_and_sparse_matrices_stay_what_they_are():
    frame = pd.DataFrame({"a": ["x", "y", "z"] * 20, "b": np.arange(60.0)})
    target = np.arange(60.0) + (frame["a"] == "x")
    encode = make_column_transformer((OneHotEncoder(), ["a"]), remainder="passthrough")
    chain = collapse_chain(
        make_pipeline(encode, Ridge()), frame, target, n_generations=2, mode="accumulate"
    )
    assert chain.scores[-1] > 0.9
    chain = collapse_chain(
        Ridge(),
        sparse.random(50, 4, 0.5, "csr", random_state=0),
        np.arange(50.0),
        mode="accumulate",
    )
    assert chain.sizes[-1] == 300


@pytest.mark.parametrize("container", [sparse.coo_matrix, sparse.csc_array])
def test_any_sparse_format_has_rows(container):
    X = sparse.random(50, 4, 0.5, "csr", random_state=0)
    settings = {"n_generations": 2, "random_state": 0}
    chain = collapse_chain(Ridge(), container(X), np.arange(50.0), **settings)
    expected = collapse_chain(Ridge(), X, np.arange(50.0), **settings)
    np.testing.assert_allclose(chain.scores, expected.scores)
    settings["inputs"] = lambda rng, n: container(X[:n])
    chain = collapse_chain(Ridge(), X, np.arange(50.0), mode="accumulate", **settings)
    assert chain.sizes[2] == 150


def test_polars_frames_keep_their_names():
    frame = pl.DataFrame({"a": np.arange(60.0), "b": np.ones(60)})
    chain = collapse_chain(
        LinearRegression(), frame, np.arange(60.0), mode="accumulate", return_estimators=True
    )
    assert chain.sizes[-1] == 360
    assert list(chain.estimators[-1].feature_names_in_) == ["a", "b"]


@pytest.mark.parametrize("scoring", ["neg_log_loss", "accuracy", "roc_auc_ovr"])
def test_a_lost_class_scores_with_probability_zero(scoring):
    X, y = np.zeros((60, 1)), np.repeat([0, 1, 2], [30, 18, 12])
    chain = collapse_chain(
        DecisionTreeClassifier(),
        X,
        y,
        n_generations=3,
        top_p=0.75,
        scoring=scoring,
        random_state=0,
        return_estimators=True,
    )
    assert chain.n_labels_alive[1] == 2
    if scoring == "accuracy":
        assert chain.scores[1] == chain.estimators[1].score(X, y)
    if scoring == "neg_log_loss":
        p = chain.estimators[1].predict_proba(X[:1])[0]
        floor = np.log(np.finfo(float).eps)  # log_loss takes no logarithm of 0
        expected = 0.5 * np.log(p[0]) + 0.3 * np.log(p[1]) + 0.2 * floor
        assert chain.scores[1] == pytest.approx(expected)
    if scoring == "roc_auc_ovr":
        np.testing.assert_allclose(chain.scores, 0.5)  # one row, no ranking


def test_same_seed_same_chain_and_scoring_is_respected():
    X, y = load_diabetes(return_X_y=True)
    settings = {"n_generations": 2, "scoring": "neg_mean_squared_error", "random_state": 3}
    one, two = (collapse_chain(LinearRegression(), X, y, **settings).scores for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert np.all(one < 0)


def test_several_targets_share_the_rows_of_their_residuals():
    X, y = load_diabetes(return_X_y=True)
    # The second target is a multiple of the first, and stays so when residuals are drawn by row.
    chain = collapse_chain(
        LinearRegression(), X, np.column_stack([y, 2 * y]), return_estimators=True, random_state=0
    )
    coef = chain.estimators[-1].coef_
    np.testing.assert_allclose(coef[1], 2 * coef[0], rtol=1e-8)


@pytest.mark.parametrize(
    "settings, match",
    [
        ({"labels": "guess"}, "labels must be one of"),
        ({"mode": "blend"}, "mode must be one of"),
        ({"inputs": "new"}, "inputs must be one of"),
        ({"n_generations": -1}, "n_generations must be at least 0"),
        ({"n_samples": 0}, "n_samples must be at least 1"),
        ({"inputs": "reuse", "n_samples": 7}, "leave n_samples=None"),
        ({"temperature": 0}, "temperature must be positive"),
        ({"top_p": 0}, "top_p must be in"),
        ({"real_fraction": 2, "mode": "mix"}, "real_fraction must be in"),
        ({"real_fraction": 0.5}, 'needs mode="mix"'),
        ({"select": lambda X, y: np.zeros(len(y), bool)}, "kept no synthetic row of generation 1"),
        ({"select": lambda X, y: np.zeros(len(y))}, "must return a boolean mask"),
    ],
)
def test_bad_settings_name_the_argument(settings, match):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match=match):
        collapse_chain(GaussianNB(), X, y, **settings)


def test_an_estimator_that_labels_nothing_is_refused():
    with pytest.raises(TypeError, match="must be a classifier or a regressor"):
        collapse_chain(KMeans(), np.eye(3), np.arange(3))
