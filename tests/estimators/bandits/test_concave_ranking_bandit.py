import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skparietal import ConcaveRankingBandit
from skparietal.objectives import BalancedExposure, GiniWelfare, QualityWeighted, TwoSidedWelfare
from skparietal.simulation import make_click_environment

N_ITEMS, TOP_K = 8, 3


def make_log(n=120, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.dirichlet(np.ones(4), size=n)
    y = (rng.uniform(size=(n, N_ITEMS)) < X @ rng.uniform(size=(4, N_ITEMS))).astype(float)
    y[rng.uniform(size=y.shape) < 0.5] = np.nan
    return X, y


def small_environment():
    return make_click_environment(N_ITEMS, 4, n_users=200, top_k=TOP_K, random_state=0)


def serve(bandit, n, seed=0, batch=1):
    environment = small_environment()
    rng = np.random.RandomState(seed)
    for users in rng.randint(200, size=(n // batch, batch)):
        X = environment.contexts[users]
        rankings = bandit.rank(X)
        bandit.update(X, rankings, *environment.browse(users, rankings, rng))
    return bandit


def fresh(objective="welfare", **parameters):
    return ConcaveRankingBandit(objective, n_items=N_ITEMS, top_k=TOP_K, **parameters)


def test_click_models_are_ridge_regressions_on_what_was_looked_at():
    X, y = make_log()
    bandit = ConcaveRankingBandit(reg=0.5).fit(X, y)
    for item in range(N_ITEMS):
        rows = ~np.isnan(y[:, item])
        ridge = Ridge(alpha=0.5, fit_intercept=False).fit(X[rows], y[rows, item])
        np.testing.assert_allclose(bandit.coef_[item], ridge.coef_, rtol=1e-9)
        design = 0.5 * np.eye(4) + X[rows].T @ X[rows]
        np.testing.assert_allclose(bandit.inv_design_[item] @ design, np.eye(4), atol=1e-12)


@pytest.mark.parametrize("batch", [1, 20])
def test_updates_equal_a_fit_on_the_same_looks(batch):
    environment = small_environment()
    users = np.arange(100)
    X = environment.contexts[users]
    bandit, log = fresh(), np.full((100, N_ITEMS), np.nan)
    for start in range(0, 100, batch):
        rows = slice(start, start + batch)
        rankings = bandit.rank(X[rows])
        looked, clicks = environment.browse(users[rows], rankings, random_state=start)
        bandit.update(X[rows], rankings, looked, clicks)
        feedback = np.where(looked, clicks, np.nan)
        np.put_along_axis(log[rows], rankings, feedback, axis=1)
    fitted = ConcaveRankingBandit(top_k=TOP_K).fit(X, log)
    np.testing.assert_allclose(bandit.coef_, fitted.coef_, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(bandit.inv_design_, fitted.inv_design_, rtol=1e-8, atol=1e-10)


def test_ranking_is_by_upper_bound_plus_bonus():
    bandit = serve(fresh(exploration=0.4), 60)
    x = np.array([[0.1, 0.2, 0.3, 0.4]])
    spread = np.sqrt(np.einsum("i,jik,k->j", x[0], bandit.inv_design_, x[0]))
    bounds = np.clip(bandit.coef_ @ x[0] + 0.4 * spread, 0, 1) + bandit.item_bonus_
    np.testing.assert_array_equal(bandit.rank(x)[0], np.argsort(-bounds)[:TOP_K])
    greedy = np.clip(bandit.coef_ @ x[0], 0, 1) + bandit.item_bonus_
    np.testing.assert_array_equal(bandit.predict(x)[0], np.argsort(-greedy)[:TOP_K])


def test_bonus_is_the_gradient_of_the_objective_in_the_exposures():
    objective = TwoSidedWelfare(item_alpha=0.0, eta=0.1)
    bandit = serve(fresh(objective, beta=0.7), 40)
    total = bandit.position_weights_.sum()
    assert bandit.item_exposure_.sum() == pytest.approx(total)
    relative = bandit.item_exposure_ * N_ITEMS / total
    np.testing.assert_allclose(bandit.item_bonus_, 0.7 / (relative + 0.1), rtol=1e-12)
    welfare = np.log(relative + 0.1).mean()
    assert bandit.objective_value_ == pytest.approx(bandit.mean_utility_ + 0.7 * welfare)


def test_averages_of_a_small_case():
    bandit = ConcaveRankingBandit(n_items=3, top_k=2, position_weights=[1.0, 0.5])
    X = np.ones((2, 1))
    bandit.update(X, [[0, 1], [0, 2]], [[1, 0], [1, 1]], [[1, 0], [0, 1]])
    np.testing.assert_allclose(bandit.item_exposure_, [1.0, 0.25, 0.25])
    # one click per ranking, each worth the first weight over the sum of the weights
    assert bandit.mean_utility_ == pytest.approx(1 / 1.5)
    assert bandit.n_rounds_ == 2


def test_clicks_estimate_the_utility_without_bias():
    environment = small_environment()
    users, rankings = np.full(20_000, 3), np.tile([[2, 5, 1]], (20_000, 1))
    seen = environment.browse(users, rankings, random_state=0)
    bandit = fresh().update(environment.contexts[users], rankings, *seen)
    weights = environment.position_weights
    expected = environment.relevance[3, rankings[0]] @ weights / weights.sum()
    # four standard errors of a mean of at most 3 clicks per round
    assert bandit.mean_utility_ == pytest.approx(expected, abs=4 * 0.5 / np.sqrt(20_000))


def test_without_exposure_term_it_learns_to_sort_by_relevance():
    environment = small_environment()
    bandit = fresh(beta=0.0)
    for _ in environment.play(bandit, 3000, random_state=1):
        pass
    relevance = environment.relevance
    rankings = bandit.predict(environment.contexts)
    shown = np.take_along_axis(relevance, rankings, axis=1).sum(axis=1)
    best = np.sort(relevance, axis=1)[:, -TOP_K:].sum(axis=1)
    assert shown.mean() > 0.97 * best.mean()


@pytest.mark.parametrize("objective", [TwoSidedWelfare(), GiniWelfare()], ids=repr)
def test_a_larger_beta_shares_the_exposure(objective):
    spread = [
        np.std(serve(fresh(objective, beta=beta), 600).item_exposure_) for beta in (0.0, 1.0, 5.0)
    ]
    assert spread[0] > 1.3 * spread[1] > 1.3**2 * spread[2]


@pytest.mark.parametrize("objective", ["welfare", "gini"])
def test_pickled_stream_continues_bit_identically(objective):
    bandit = serve(fresh(objective), 50)
    resumed = pickle.loads(pickle.dumps(bandit))
    serve(bandit, 50, seed=1, batch=5)
    serve(resumed, 50, seed=1, batch=5)
    for name in ("coef_", "inv_design_", "item_exposure_", "item_bonus_", "mean_utility_"):
        np.testing.assert_array_equal(getattr(resumed, name), getattr(bandit, name))


BAD_UPDATES = {
    "unknown item": ([[0, 1, 8]], [[1, 1, 1]], [[1, 0, 0]], "items from 0 to 7"),
    "negative item": ([[0, 1, -1]], [[1, 1, 1]], [[1, 0, 0]], "items from 0 to 7"),
    "fractional item": ([[0, 1, 1.5]], [[1, 1, 1]], [[1, 0, 0]], "items from 0 to 7"),
    "item twice": ([[0, 1, 1]], [[1, 1, 1]], [[1, 0, 0]], "same item twice"),
    "NaN click": ([[0, 1, 2]], [[1, 1, 1]], [[1, np.nan, 0]], "clicks must not contain NaN"),
    "short clicks": ([[0, 1, 2]], [[1, 1, 1]], [[1, 0]], "clicks must have one entry per place"),
    "short ranking": ([[0, 1]], [[1, 1]], [[1, 0]], "rankings must have one entry per place"),
    "overflow": ([[0, 1, 2]], [[1, 1, 1]], [[1, 0, 0]], "too large for double precision"),
}


@pytest.mark.parametrize("case", BAD_UPDATES)
def test_nothing_is_lost_when_an_update_raises(case):
    rankings, looked, clicks, match = BAD_UPDATES[case]
    bandit = serve(fresh(), 30)
    before = pickle.dumps(bandit)
    scale = 1e200 if case == "overflow" else 1.0
    with pytest.raises(ValueError, match=match), np.errstate(over="ignore", invalid="ignore"):
        bandit.update(scale * np.full((1, 4), 0.25), rankings, looked, clicks)
    assert pickle.dumps(bandit) == before


def test_log_then_stream():
    X, y = make_log()
    bandit = serve(ConcaveRankingBandit(top_k=TOP_K).fit(X, y), 10)
    assert bandit.n_rounds_ == 10
    assert bandit.n_items_ == N_ITEMS


def test_more_places_than_items_are_clipped():
    X, y = make_log()
    bandit = ConcaveRankingBandit(top_k=50).fit(X, y)
    assert bandit.top_k_ == N_ITEMS
    np.testing.assert_array_equal(np.sort(bandit.predict(X), axis=1)[0], np.arange(N_ITEMS))


def test_one_dimension_is_one_item():
    X, y = make_log()
    bandit = ConcaveRankingBandit().fit(X, y[:, 0])
    np.testing.assert_array_equal(bandit.predict(X), np.zeros((len(X), 1)))


def test_it_works_in_a_pipeline_and_on_data_frames():
    X, y = make_log()
    table = pd.DataFrame(X, columns=list("abcd"))
    pipeline = make_pipeline(StandardScaler(), ConcaveRankingBandit(top_k=TOP_K))
    assert pipeline.fit(table, y).predict(table).shape == (len(X), TOP_K)
    bandit = ConcaveRankingBandit().fit(table, y)
    with pytest.raises(ValueError, match="feature names should match"):
        bandit.predict(table[list("dcba")])


@pytest.mark.parametrize(
    "parameters, match",
    [
        ({"objective": "fairness"}, "objective must be one of"),
        ({"objective": TwoSidedWelfare(user_alpha=0.5)}, "user_alpha=1"),
        ({"objective": QualityWeighted()}, "exposures alone"),
        ({"objective": BalancedExposure()}, "exposures alone"),
        ({"position_weights": [0.5, 0.7, 0.1]}, "non-increasing"),
        ({"position_weights": [0.5, 0.1, -0.1]}, "non-negative"),
        ({"n_items": 4}, "y has 8 columns, but n_items=4"),
        ({"beta": -1.0}, "'beta' parameter"),
        ({"top_k": 0}, "'top_k' parameter"),
    ],
    ids=str,
)
def test_bad_parameters_are_refused(parameters, match):
    X, y = make_log()
    with pytest.raises(ValueError, match=match):
        ConcaveRankingBandit(**{"top_k": TOP_K, **parameters}).fit(X, y)


def test_bad_calls_are_refused():
    X, y = make_log()
    with pytest.raises(ValueError, match="n_items="):
        ConcaveRankingBandit().rank(X)
    with pytest.raises(ValueError, match="no item was looked at"):
        ConcaveRankingBandit().fit(X, np.full_like(y, np.nan))
    with pytest.raises(ValueError, match="X has 120 rows, but y has 3"):
        ConcaveRankingBandit().fit(X, y[:3])
    with pytest.raises(AttributeError, match="after the first update"):
        ConcaveRankingBandit().fit(X, y).objective_value_  # noqa: B018
    with pytest.raises(AttributeError, match="exists after fit"):
        ConcaveRankingBandit().coef_  # noqa: B018


def test_a_click_is_worth_the_largest_weight():
    bandit = ConcaveRankingBandit(n_items=3, top_k=2, position_weights=[3.0, 1.0])
    bandit.update(np.ones((2, 1)), [[0, 1], [0, 2]], [[1, 0], [1, 1]], [[1, 0], [0, 1]])
    # One click a ranking. Place 2 is looked at a third as often, which its weight makes up for.
    assert bandit.mean_utility_ == pytest.approx(3 / 4)


def test_click_probabilities_beyond_zero_and_one_tie():
    bandit = serve(fresh(exploration=100.0, beta=1.0), 40)
    x = np.array([[0.1, 0.2, 0.3, 0.4]])
    by_bonus = np.argsort(-bandit.item_bonus_)[:TOP_K]
    # All upper bounds are above 1: the bonus alone decides.
    np.testing.assert_array_equal(bandit.rank(x)[0], by_bonus)
    # At -x all estimates are below 0, or few above.
    estimates = bandit.coef_ @ -x[0]
    assert (estimates <= 0).all()
    np.testing.assert_array_equal(bandit.predict(-x)[0], by_bonus)


def test_a_refused_fit_leaves_the_bandit_as_it_was():
    X, y = make_log()
    bandit = ConcaveRankingBandit().fit(X, y)
    before = pickle.dumps(bandit)
    with pytest.raises(ValueError, match="rows, but y has"):
        bandit.fit(X[:, :2], y[:5])
    assert pickle.dumps(bandit) == before
    bandit.predict(X)
