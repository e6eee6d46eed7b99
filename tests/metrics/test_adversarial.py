"""Adversarial errors and scorers: exactness, pipelines, refusal of non-affine models."""

import cvxpy
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_squared_error, r2_score
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.svm import SVR

from skparietal.metrics import (
    adversarial_mean_squared_error,
    adversarial_r2_score,
    affine_coefficients,
    make_adversarial_scorer,
)
from skparietal.norms import CallableNorm, GroupNorm, MahalanobisNorm, ScaledNorm, check_norm


def data(n=60, d=5, seed=0, scale=1.0):
    rng = np.random.default_rng(seed)
    X = scale * (rng.normal(size=(n, d)) + 10 * rng.normal(size=d))
    return X, X @ rng.normal(size=d) / scale + rng.normal(size=n)


def test_without_an_attack_they_are_the_usual_scores():
    X, y = data()
    prediction = Ridge().fit(X, y).predict(X)
    weights = np.random.default_rng(0).uniform(size=60)
    mse = adversarial_mean_squared_error(y, prediction, 3.0, 0.0, sample_weight=weights)
    assert mse == pytest.approx(mean_squared_error(y, prediction, sample_weight=weights))
    r2 = adversarial_r2_score(y, prediction, 3.0, 0.0, sample_weight=weights)
    assert r2 == pytest.approx(r2_score(y, prediction, sample_weight=weights))


def test_a_constant_prediction_scores_zero_under_any_attack():
    y = np.array([1.0, 2.0, 6.0])
    assert adversarial_r2_score(y, np.full(3, 3.0), 0.0, 5.0) == pytest.approx(0.0)
    assert adversarial_r2_score(np.ones(3), np.ones(3), 0.0, 5.0) == 1.0
    assert adversarial_r2_score(np.ones(3), np.ones(3), 1.0, 5.0) == 0.0


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_coefficients_of_a_pipeline_are_those_of_its_input(scale):
    X, y = data(scale=scale)
    model = make_pipeline(StandardScaler(), PCA(3), Ridge()).fit(X, y)
    coef, intercept = affine_coefficients(model, X)
    ridge, components = model[-1], model[1].components_
    expected = (ridge.coef_ @ components) / model[0].scale_
    # Rounding of predictions of size 1e2 over steps of one standard deviation.
    np.testing.assert_allclose(coef * scale, expected * scale, atol=1e-10)
    np.testing.assert_allclose(X @ coef + intercept, model.predict(X), atol=1e-9)


@pytest.mark.parametrize("norm", ["l1", "l2", "linf", GroupNorm([0, 0, 1, 1, 1])])
@pytest.mark.parametrize("metric", ["mse", "r2", "mae"])
def test_the_score_is_that_of_explicitly_attacked_rows(norm, metric):
    X, y = data()
    model = make_pipeline(StandardScaler(), Ridge()).fit(X, y)
    coef, _ = affine_coefficients(model, X)
    step = 0.3 * check_norm(norm).worst_case(coef)
    sign = np.where(y > model.predict(X), -1.0, 1.0)
    attacked = model.predict(X + sign[:, None] * step)
    expected = {
        "mse": -np.mean((y - attacked) ** 2),
        "mae": -np.mean(np.abs(y - attacked)),
        "r2": r2_score(y, attacked),
    }[metric]
    scorer = make_adversarial_scorer(norm, 0.3, metric)
    assert scorer(model, X, y) == pytest.approx(expected)
    weighted = scorer(model, X, y, sample_weight=np.ones(60))
    assert weighted == pytest.approx(expected)


def test_it_scores_data_frames_and_in_cross_validation():
    X, y = data()
    frame = pd.DataFrame(X, columns=list("abcde"))
    scorer = make_adversarial_scorer("linf", 0.1)
    model = make_pipeline(StandardScaler(), Ridge())
    by_frame = cross_val_score(model, frame, y, scoring=scorer, cv=3)
    np.testing.assert_allclose(by_frame, cross_val_score(model, X, y, scoring=scorer, cv=3))
    assert "linf" in repr(make_adversarial_scorer("linf")) or "inf" in repr(scorer)
    assert clone(model) is not model


@pytest.mark.parametrize(
    "model",
    [
        RandomForestRegressor(n_estimators=5, random_state=0),
        make_pipeline(StandardScaler(), SVR(kernel="rbf")),
        make_pipeline(StandardScaler(), PolynomialFeatures(2), Ridge()),
    ],
    ids=["forest", "rbf", "polynomial"],
)
def test_models_that_are_not_affine_are_refused(model):
    X, y = data()
    with pytest.raises(ValueError, match="is not affine in X"):
        make_adversarial_scorer()(model.fit(X, y), X, y)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: make_adversarial_scorer(metric="auc"), "metric must be"),
        (lambda: make_adversarial_scorer(radius=-1.0), "radius must be a finite number"),
        (lambda: make_adversarial_scorer(radius=np.nan), "radius must be a finite number"),
        (lambda: make_adversarial_scorer(radius="zero"), "radius must be a finite number"),
        (lambda: make_adversarial_scorer("l0"), "norm must be"),
        (lambda: make_adversarial_scorer(0.5), "p must be a number >= 1"),
        (lambda: make_adversarial_scorer(MahalanobisNorm(-np.eye(2))), "positive definite"),
        (lambda: make_adversarial_scorer(ScaledNorm("l2", [1.0, -1.0])), "costs must be"),
        (lambda: adversarial_r2_score([1.0], [1.0, 2.0], 1.0, 0.1), "inconsistent"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("score", [adversarial_mean_squared_error, adversarial_r2_score])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0, 2.0], [1.0, 2.0], 1.0, -0.1), "radius must be a finite number"),
        (([1.0, 2.0], [1.0, 2.0], 1.0, np.inf), "radius must be a finite number"),
        (([1.0, 2.0], [1.0, 2.0], -1.0, 0.1), "coef_norm must be a finite number"),
        (([1.0, 2.0], [1.0, 2.0], np.nan, 0.1), "coef_norm must be a finite number"),
        (([1.0, np.nan], [1.0, 2.0], 1.0, 0.1), "Input y_true contains NaN"),
        (([1.0, 2.0], [1.0, np.inf], 1.0, 0.1), "Input y_pred contains infinity"),
        ((np.ones((2, 2)), np.ones((2, 2)), 1.0, 0.1), "1d array"),
    ],
)
def test_scores_of_bad_numbers_are_refused(score, arguments, message):
    with pytest.raises(ValueError, match=message):
        score(*arguments)


def test_scores_refuse_bad_weights():
    for weights in ([1.0, -1.0], [0.0, 0.0], [1.0, 1.0, 1.0]):
        with pytest.raises(ValueError, match=r"(?i)sample_?.?weight"):
            adversarial_mean_squared_error([1.0, 2.0], [1.0, 2.0], 1.0, 0.1, sample_weight=weights)


def test_scorers_refuse_norms_of_another_size_and_functions_that_are_no_norm():
    X, y = data()
    model = Ridge().fit(X, y)
    for norm, message in [
        (GroupNorm([0, 0, 1]), "made for 3 features, but X has 5"),
        (MahalanobisNorm(np.eye(2)), "made for 2 features, but X has 5"),
        (ScaledNorm("linf", [1.0, 2.0]), "made for 2 features, but X has 5"),
        (CallableNorm(cvxpy.sum_squares), "positively homogeneous"),
        (CallableNorm(cvxpy.log_sum_exp), "positively homogeneous"),
        (CallableNorm(lambda w: cvxpy.sqrt(cvxpy.norm1(w))), "must be convex"),
    ]:
        with pytest.raises(ValueError, match=message):
            make_adversarial_scorer(norm)(model, X, y)


def test_several_targets_are_attacked_one_by_one():
    X, y = data()
    Y = np.column_stack([y, X[:, 0] - y])
    model = make_pipeline(StandardScaler(), Ridge())
    coef, intercept = affine_coefficients(model.fit(X, Y), X)
    np.testing.assert_allclose(X @ coef.T + intercept, model.predict(X), atol=1e-9)
    for metric in ("mse", "mae", "r2"):
        scorer = make_adversarial_scorer("linf", 0.2, metric)
        alone = [scorer(model.fit(X, target), X, target) for target in Y.T]
        assert scorer(model.fit(X, Y), X, Y) == pytest.approx(np.mean(alone))
    with pytest.raises(ValueError, match="y has 1 targets, the model 2"):
        scorer(model, X, y)


@pytest.mark.parametrize("factor", [1e-150, 1e150])
def test_extreme_units_have_a_finite_score(factor):
    X, y = data()
    scorer = make_adversarial_scorer("linf", 0.3 * factor)
    expected = make_adversarial_scorer("linf", 0.3)(Ridge(1e-9).fit(X, y), X, y)
    model = FixedModel(Ridge(1e-9).fit(X, y).coef_ / factor)
    model.intercept = y.mean() - X.mean(axis=0) @ Ridge(1e-9).fit(X, y).coef_
    assert scorer(model, X * factor, y) == pytest.approx(expected)


class FixedModel:
    def __init__(self, coef):
        self.coef = coef

    def predict(self, X):
        return X @ self.coef + self.intercept
