"""AdversarialRidgeCV: exact held-out errors, equivalence with a grid search, bad input."""

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, KFold

from skparietal import AdversarialRidge, AdversarialRidgeCV
from skparietal.metrics import make_adversarial_scorer
from skparietal.norms import GroupNorm, LpNorm


def data(n=60, d=6, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    return X, X @ (rng.normal(size=d) * (np.arange(d) < 3)) + rng.normal(size=n) + 2.0


@pytest.mark.parametrize("norm", ["l1", "l2", "linf", GroupNorm([0, 0, 1, 1, 2, 2])])
def test_it_is_a_grid_search_on_the_adversarial_scorer(norm):
    X, y = data()
    radii = [0.01, 0.1, 0.3]
    model = AdversarialRidgeCV(0.2, norm=norm, train_radii=radii, cv=KFold(4)).fit(X, y)
    search = GridSearchCV(
        AdversarialRidge(norm=norm, scale="train"),
        {"radius": radii},
        scoring=make_adversarial_scorer(norm, 0.2),
        cv=KFold(4),
    ).fit(X, y)
    assert model.train_radius_ == search.best_params_["radius"]
    # ADMM at a gap of 1e-6 for the group norm, so 1e-3 in the coefficients; folds of equal size, so
    # that means agree.
    np.testing.assert_allclose(
        model.adv_mse_path_[0], -search.cv_results_["mean_test_score"], rtol=1e-3
    )
    np.testing.assert_allclose(model.coef_, search.best_estimator_.coef_, atol=5e-3)


def test_another_training_norm_may_win():
    # One strong feature among many, and a weak Euclidean attack: sparse beats dense.
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 40))
    y = 3 * X[:, 0] + rng.normal(size=60)
    own = AdversarialRidgeCV(0.05).fit(X, y)
    both = AdversarialRidgeCV(0.05, train_norms=["l2", "linf"]).fit(X, y)
    assert both.train_norm_ == LpNorm(np.inf)
    assert both.adv_mse_path_.min() < own.adv_mse_path_.min()
    np.testing.assert_allclose(both.adv_mse_path_[0], own.adv_mse_path_[0])


def test_targets_are_tuned_one_by_one():
    X, y = data()
    Y = np.column_stack([y, np.random.default_rng(1).normal(size=60)])
    model = AdversarialRidgeCV(0.1).fit(X, Y)
    for k in range(2):
        alone = AdversarialRidgeCV(0.1).fit(X, Y[:, k])
        np.testing.assert_allclose(model.coef_[k], alone.coef_, atol=1e-10)
        np.testing.assert_allclose(model.train_radius_[k], alone.train_radius_)
    assert model.adv_mse_path_.shape == (2, 1, 50)


def test_weights_count_in_fits_and_errors():
    X, y = data(30)
    weights = np.arange(30) % 3
    folds = [(np.arange(15), np.arange(15, 30)), (np.arange(15, 30), np.arange(15))]
    repeated = np.repeat(np.arange(30), weights)
    again = [tuple(np.flatnonzero(np.isin(repeated, part)) for part in fold) for fold in folds]
    one = AdversarialRidgeCV(0.2, cv=folds).fit(X, y, sample_weight=weights)
    two = AdversarialRidgeCV(0.2, cv=again).fit(X[repeated], y[repeated])
    np.testing.assert_allclose(one.adv_mse_path_, two.adv_mse_path_, rtol=1e-9)
    np.testing.assert_allclose(one.coef_, two.coef_, rtol=1e-8)


@pytest.mark.parametrize("norm", ["l1", "l2", "linf"])
@pytest.mark.parametrize("shape", [(60, 6), (30, 50)])
def test_float32_in_is_float32_out(norm, shape):
    X, y = data(*shape)
    radii = [0.05, 0.2, 0.4]
    double = AdversarialRidgeCV(0.3, norm=norm, train_radii=radii).fit(X, y)
    X, y = X.astype(np.float32), y.astype(np.float32)
    single = AdversarialRidgeCV(0.3, norm=norm, train_radii=radii).fit(X, y)
    assert single.coef_.dtype == np.float32
    assert single.predict(X).dtype == np.float32
    assert np.asarray(single.intercept_).dtype == np.float32
    assert single.train_radius_ == double.train_radius_
    # Rounding of the data to 6e-8, through solutions of condition up to about 1e2.
    scale = np.abs(double.coef_).max()
    np.testing.assert_allclose(single.coef_, double.coef_, atol=1e-4 * scale)
    np.testing.assert_allclose(single.predict(X), double.predict(X), atol=1e-4 * np.abs(y).max())


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"radius": -1.0}, "radius"),
        ({"train_radii": [-1.0, 0.1]}, "train_radii"),
        ({"train_radii": 1}, "train_radii"),
        ({"train_norms": []}, "at least one norm"),
        ({"train_norms": ["l9"]}, "norm must be"),
    ],
)
def test_bad_input_is_named(parameters, message):
    X, y = data()
    with pytest.raises(ValueError, match=message):
        AdversarialRidgeCV(**parameters).fit(X, y)


def test_columns_of_unequal_scales_are_told():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    y = X.sum(axis=1) + rng.normal(size=60)
    with pytest.warns(UserWarning, match="columns of X have scales") as caught:
        AdversarialRidgeCV(0.01, norm="linf").fit(X * [1.0, 1.0, 1e4], y)
    assert caught[0].filename == __file__


@pytest.mark.parametrize("model", [AdversarialRidge(), AdversarialRidgeCV()])
def test_coefficients_that_no_float_holds_are_refused(model):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 3)), rng.normal(size=30)
    with pytest.raises(ValueError, match="The coefficients overflow: y is too large for X"):
        model.fit(X * 1e-300, y * 1e150)
