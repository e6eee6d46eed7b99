import pickle
from copy import deepcopy

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.linear_model import LassoCV, Ridge, RidgeCV, SGDRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from skparietal import ConcaveRewardBandit
from skparietal.estimators.bandits._reward_models import inverse_gap_weighting
from skparietal.objectives import AlphaFair, GeneralizedGini, LinearReward

BASES = {
    "linucb": {},
    "squarecb": {"base": "squarecb"},
    "sgd": {"base": "squarecb", "regressor": SGDRegressor(random_state=0)},
    "tree": {"base": "squarecb", "regressor": DecisionTreeRegressor(random_state=0)},
    "mlp": {
        "base": "squarecb",
        "regressor": MLPRegressor(hidden_layer_sizes=4, random_state=0),
    },
}


def make_log(n=60, n_actions=3, n_features=4, n_rewards=2, seed=0, shared=False):
    rng = np.random.default_rng(seed)
    shape = (n, n_actions, n_features) if shared else (n, n_features)
    X = rng.normal(size=shape)
    y = np.r_[np.arange(n_actions), rng.integers(n_actions, size=n - n_actions)]
    return X, y, rng.uniform(size=(n, n_rewards))


def run(bandit, X, R):
    """Act and learn row by row; the actions taken."""
    actions = []
    for x, r in zip(X, R):
        action = bandit.act(x[None])
        bandit.update(x[None], action, r[None])
        actions.append(action[0])
    return actions


def test_coefficients_are_those_of_ridge_regression_per_action():
    X, y, R = make_log()
    bandit = ConcaveRewardBandit(reg=0.7).fit(X, y, rewards=R)
    for action in range(3):
        ridge = Ridge(alpha=0.7, fit_intercept=False).fit(X[y == action], R[y == action])
        np.testing.assert_allclose(bandit.coef_[action], ridge.coef_.T, rtol=1e-10)
        design = 0.7 * np.eye(4) + X[y == action].T @ X[y == action]
        np.testing.assert_allclose(bandit.inv_design_[action] @ design, np.eye(4), atol=1e-12)


def test_shared_coefficients_are_those_of_one_ridge_regression():
    X, y, R = make_log(shared=True)
    bandit = ConcaveRewardBandit(model="shared", reg=0.7).fit(X, y, rewards=R)
    rows = X[np.arange(len(y)), y]
    ridge = Ridge(alpha=0.7, fit_intercept=False).fit(rows, R)
    np.testing.assert_allclose(bandit.coef_, ridge.coef_.T, rtol=1e-10)


@pytest.mark.parametrize("model", ["disjoint", "shared"])
def test_fit_equals_updates_in_any_split(model):
    # 200 rows: more than one block of the Woodbury update
    X, y, R = make_log(200, shared=model == "shared")
    whole = ConcaveRewardBandit(model=model).fit(X, y, rewards=R)
    halves, rows = (ConcaveRewardBandit(model=model, actions=range(3)) for _ in range(2))
    for part in (slice(0, 90), slice(90, None)):
        halves.partial_fit(X[part], y[part], R[part])
    for i in range(len(y)):
        rows.update(X[i : i + 1], y[i : i + 1], R[i : i + 1])
    for other in (halves, rows):
        np.testing.assert_allclose(other.coef_, whole.coef_, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(other.inv_design_, whole.inv_design_, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(other.mean_reward_, R.mean(axis=0), rtol=1e-13)
        np.testing.assert_allclose(other.direction_, whole.direction_, rtol=1e-12)
        assert other.n_rounds_ == len(y)


def test_direction_is_the_gradient_at_the_average_reward():
    X, y, R = make_log()
    bandit = ConcaveRewardBandit(AlphaFair(alpha=0.0, eta=0.1)).fit(X, y, rewards=R)
    np.testing.assert_allclose(bandit.direction_, 1 / (2 * (R.mean(axis=0) + 0.1)), rtol=1e-12)
    assert bandit.objective_value_ == pytest.approx(np.log(R.mean(axis=0) + 0.1).mean())


@pytest.mark.parametrize("model", ["disjoint", "shared"])
def test_linucb_takes_the_largest_upper_bound(model):
    X, y, R = make_log(shared=model == "shared")
    bandit = ConcaveRewardBandit(model=model, exploration=0.8).fit(X, y, rewards=R)
    features = X if model == "shared" else np.repeat(X[:, None], 3, axis=1)
    bounds = np.empty((len(X), 3))
    for i, a in np.ndindex(bounds.shape):
        coef = bandit.coef_ if model == "shared" else bandit.coef_[a]
        inverse = bandit.inv_design_ if model == "shared" else bandit.inv_design_[a]
        x, g = features[i, a], bandit.direction_
        bounds[i, a] = x @ coef @ g + 0.8 * np.linalg.norm(g) * np.sqrt(x @ inverse @ x)
    np.testing.assert_array_equal(bandit.act(X), bounds.argmax(axis=1))
    greedy = ConcaveRewardBandit(model=model, exploration=0.0).fit(X, y, rewards=R)
    np.testing.assert_array_equal(bandit.predict(X), greedy.act(X))


def test_inverse_gap_weighting_of_a_small_case():
    proba = inverse_gap_weighting(np.array([[0.5, 0.9, 0.4]]), gamma=10.0)
    np.testing.assert_allclose(proba, [[1 / 7, 1 - 1 / 7 - 1 / 8, 1 / 8]], rtol=1e-14)


@pytest.mark.parametrize("kind", ["squarecb", "sgd", "tree", "mlp"])
@pytest.mark.parametrize("model", ["disjoint", "shared"])
def test_squarecb_draws_from_its_probabilities(kind, model):
    X, y, R = make_log(shared=model == "shared")
    parameters = {**BASES[kind], "model": model, "gamma": 0.1, "random_state": 0}
    bandit = ConcaveRewardBandit(**parameters).fit(X, y, rewards=R)
    proba = bandit.predict_proba(X[:1])[0]
    actions, propensities = bandit.act(np.repeat(X[:1], 4000, axis=0), return_proba=True)
    np.testing.assert_allclose(propensities, proba[actions], rtol=1e-12)
    # 4.5 standard errors, at most .5 / sqrt(4000) each
    np.testing.assert_allclose(np.bincount(actions, minlength=3) / 4000, proba, atol=0.036)


def test_with_one_reward_every_increasing_objective_is_the_classical_bandit():
    X, _, R = make_log(n=150, n_rewards=1)
    kwargs = {"actions": range(3), "random_state": 0}
    classical = run(ConcaveRewardBandit("mean", **kwargs), X, R)
    assert run(ConcaveRewardBandit(AlphaFair(alpha=-1.0), **kwargs), X, R) == classical
    assert len(set(classical)) > 1


def test_labels_do_not_matter():
    X, _, R = make_log(n=100)
    kwargs = {"base": "squarecb", "random_state": 0}
    numbers = run(ConcaveRewardBandit(actions=[0, 1, 2], **kwargs), X, R)
    names = run(ConcaveRewardBandit(actions=["c", "a", "b"], **kwargs), X, R)
    assert [["c", "a", "b"][number] for number in numbers] == names


@pytest.mark.parametrize("kind", BASES)
@pytest.mark.parametrize("model", ["disjoint", "shared"])
def test_pickled_stream_continues_bit_identically(kind, model):
    X, _, R = make_log(40, shared=model == "shared")
    bandit = ConcaveRewardBandit(**BASES[kind], model=model, actions=range(3), random_state=0)
    run(bandit, X[:20], R[:20])
    resumed = pickle.loads(pickle.dumps(bandit))
    assert run(resumed, X[20:], R[20:]) == run(bandit, X[20:], R[20:])
    np.testing.assert_array_equal(resumed.mean_reward_, bandit.mean_reward_)
    if kind in ("linucb", "squarecb"):
        np.testing.assert_array_equal(resumed.coef_, bandit.coef_)
        np.testing.assert_array_equal(resumed.inv_design_, bandit.inv_design_)


class FlakyObjective(LinearReward):
    """Raises once its switch is on."""

    broken = False

    def gradient(self, mean_reward, n_rounds=0):
        if FlakyObjective.broken:
            raise RuntimeError("no gradient today")
        return super().gradient(mean_reward, n_rounds)


BAD_ROWS = {
    "NaN in the contexts": (np.nan, 0, 0.5, "contains NaN"),
    "NaN in the rewards": (1.0, 0, np.nan, "contains NaN"),
    "an action that was never seen": (1.0, 7, 0.5, "The action 7 was not among"),
    "an overflow": (1e200, 0, 0.5, "too large for double precision"),
}


@pytest.mark.parametrize("case", BAD_ROWS)
@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("model", ["disjoint", "shared"])
def test_nothing_is_lost_when_an_update_raises(case, n, model):
    entry, action, reward, match = BAD_ROWS[case]
    X, y, R = make_log(shared=model == "shared")
    bandit = ConcaveRewardBandit(model=model, exploration=1.0).fit(X, y, rewards=R)
    before = pickle.dumps(bandit)
    contexts, actions, rewards = X[:n].copy(), y[:n].copy(), R[:n].copy()
    contexts[-1], actions[-1], rewards[-1] = entry, action, reward
    with pytest.raises(ValueError, match=match), np.errstate(over="ignore", invalid="ignore"):
        bandit.update(contexts, actions, rewards)
    assert pickle.dumps(bandit) == before


def test_nothing_is_lost_when_the_objective_or_a_regressor_raises(monkeypatch):
    X, y, R = make_log()
    objective = ConcaveRewardBandit(FlakyObjective()).fit(X, y, rewards=R)
    tree = ConcaveRewardBandit(**BASES["tree"]).fit(X, y, rewards=R)
    before = pickle.dumps(objective), pickle.dumps(tree)
    monkeypatch.setattr(FlakyObjective, "broken", True)
    with pytest.raises(RuntimeError, match="no gradient today"):
        objective.update(X, y, R)

    def broken_fit(self, X, y):
        raise RuntimeError("no fit today")

    monkeypatch.setattr(DecisionTreeRegressor, "fit", broken_fit)
    with pytest.raises(RuntimeError, match="no fit today"):
        tree.update(X, y, R)
    assert (pickle.dumps(objective), pickle.dumps(tree)) == before


def test_act_and_predict_leave_the_state_alone():
    X, y, R = make_log()
    bandit = ConcaveRewardBandit().fit(X, y, rewards=R)
    before = pickle.dumps(bandit)
    bandit.act(X)
    bandit.predict(X)
    assert pickle.dumps(bandit) == before


def test_first_actions_are_uniform():
    bandit = ConcaveRewardBandit(actions=["a", "b"], random_state=0)
    actions, proba = bandit.act(np.ones((1000, 3)), return_proba=True)
    # four standard errors of a share of one half
    assert np.mean(actions == "a") == pytest.approx(0.5, abs=0.064)
    np.testing.assert_array_equal(proba, 0.5)
    shared = ConcaveRewardBandit(model="shared", random_state=0)
    assert set(shared.act(np.ones((100, 3, 2)))) == {0, 1, 2}


def test_regressor_without_partial_fit_is_refitted_when_its_rows_have_doubled():
    X, _, R = make_log(n=16, n_actions=1)
    bandit = ConcaveRewardBandit(base="squarecb", regressor=Ridge())
    fitted_at = []
    for i in range(16):
        bandit.update(X[i : i + 1], [0], R[i : i + 1])
        fitted_at.append(bandit._model.regressors[0].n_fitted)
    assert fitted_at == [1, 2, 2, 4, 4, 4, 4, 8, 8, 8, 8, 8, 8, 8, 8, 16]
    expected = Ridge().fit(X, R).predict(X) @ bandit.direction_
    np.testing.assert_allclose(bandit._model.mean(X, bandit.direction_)[:, 0], expected, rtol=1e-10)


def test_action_without_data_is_expected_to_give_the_average_reward():
    X, y, R = make_log(n_actions=2)
    bandit = ConcaveRewardBandit(base="squarecb", regressor=Ridge(), actions=range(3))
    bandit.fit(X, y, rewards=R)
    untried = bandit._model.mean(X, bandit.direction_)[:, 2]
    np.testing.assert_allclose(untried, R.mean(axis=0) @ bandit.direction_, rtol=1e-12)


def test_score_is_the_objective_of_the_inverse_propensity_estimate():
    X, y, R = make_log(400)
    propensities = np.random.default_rng(1).uniform(0.2, 0.8, size=400)
    bandit = ConcaveRewardBandit("ggf").fit(X, y, rewards=R)
    agrees = bandit.predict(X) == y
    estimate = (R * (agrees / propensities)[:, None]).mean(axis=0)
    score = bandit.score(X, y, rewards=R, propensities=propensities)
    assert score == pytest.approx(GeneralizedGini().value(estimate), rel=1e-12)
    with pytest.raises(ValueError, match="score needs propensities="):
        bandit.score(X, y, rewards=R)
    with pytest.raises(ValueError, match=r"propensities must lie in \(0, 1\]"):
        bandit.score(X, y, rewards=R, propensities=np.r_[0.0, propensities[1:]])


def test_without_rewards_it_imitates_the_log():
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=300)
    X = np.eye(3)[y] + 0.1 * rng.normal(size=(300, 3))
    bandit = ConcaveRewardBandit("mean").fit(X, y)
    assert bandit.score(X, y) == np.mean(bandit.predict(X) == y) == 1.0


@pytest.mark.skipif(
    sklearn.__version__.startswith("1.6."),
    reason="scikit-learn 1.6 routes nothing to the score of a pipeline in a grid search",
)
def test_grid_search_over_the_objective_routes_rewards_and_propensities():
    X, y, R = make_log(90)
    with sklearn.config_context(enable_metadata_routing=True):
        bandit = ConcaveRewardBandit(AlphaFair())
        bandit.set_fit_request(rewards=True).set_score_request(rewards=True, propensities=True)
        pipeline = make_pipeline(StandardScaler(), bandit)
        grid = {
            "concaverewardbandit__objective__alpha": [-1.0, 0.0, 0.5],
            "concaverewardbandit__exploration": [0.0, 1.0],
        }
        search = GridSearchCV(pipeline, grid, cv=3)
        search.fit(X, y, rewards=R, propensities=np.full(90, 1 / 3))
    scores = search.cv_results_["mean_test_score"]
    assert np.isfinite(scores).all()
    # the grid varies alpha fastest, and predict ignores exploration
    np.testing.assert_array_equal(scores[:3], scores[3:])
    assert search.best_estimator_[-1].mean_reward_ == pytest.approx(R.mean(axis=0))


def test_data_frames_are_compared_by_name():
    X, y, R = make_log()
    table = pd.DataFrame(X, columns=list("abcd"))
    bandit = ConcaveRewardBandit().fit(table, y, rewards=pd.DataFrame(R))
    assert list(bandit.feature_names_in_) == list("abcd")
    np.testing.assert_array_equal(bandit.act(table), deepcopy(bandit).act(table))
    with pytest.raises(ValueError, match="feature names should match"):
        bandit.act(table[list("dcba")])


@pytest.mark.parametrize("dtype", [np.float32, np.int64])
def test_other_dtypes_give_the_same_decisions(dtype):
    X, y, R = make_log()
    X = (10 * X).astype(dtype)
    bandit = ConcaveRewardBandit().fit(X, y, rewards=R)
    np.testing.assert_array_equal(bandit.act(X), bandit.act(X.astype(float)))


@pytest.mark.parametrize(
    "parameters, match",
    [
        ({"objective": AlphaFair(alpha=2.0)}, "'alpha' parameter"),
        ({"objective": GeneralizedGini(weights=[0.2, 0.8])}, "non-increasing"),
        ({"objective": GeneralizedGini(weights=[1.0, 0.5, 0.2])}, "shape"),
        ({"objective": "best"}, "'best' is not one of"),
        ({"exploration": -1.0}, "'exploration' parameter"),
        ({"reg": 0.0}, "'reg' parameter"),
        ({"actions": [0, 1]}, "The action 2 was not among"),
        ({"actions": [0, 1, 1]}, "same label twice"),
        ({"model": "shared"}, "takes X of shape"),
    ],
    ids=str,
)
def test_bad_parameters_are_refused(parameters, match):
    X, y, R = make_log()
    with pytest.raises(ValueError, match=match):
        ConcaveRewardBandit(**parameters).fit(X, y, rewards=R)


def test_bad_calls_are_refused():
    X, y, R = make_log()
    bandit = ConcaveRewardBandit().fit(X, y, rewards=R)
    with pytest.raises(ValueError, match="3 columns, but 2 at the first call"):
        bandit.update(X, y, np.ones((len(y), 3)))
    with pytest.raises(ValueError, match="X has 60 rows, but rewards has 2"):
        bandit.update(X, y, R[:2])
    with pytest.raises(ValueError, match="X has 60 rows, but 2 actions"):
        bandit.update(X, y[:2], R)
    with pytest.raises(ValueError, match="Unknown label type"):
        ConcaveRewardBandit().fit(X, R[:, 0])
    with pytest.raises(ValueError, match="construct the bandit with actions="):
        ConcaveRewardBandit().act(X)
    with pytest.raises(AttributeError, match="ridge regressions only"):
        ConcaveRewardBandit(**BASES["tree"]).fit(X, y).coef_  # noqa: B018
    assert not hasattr(bandit, "predict_proba")
    shared = ConcaveRewardBandit(model="shared").fit(*make_log(shared=True)[:2])
    with pytest.raises(ValueError, match=r"\(n_samples, 3, 4\); got \(1, 2, 4\)"):
        shared.act(np.ones((1, 2, 4)))
    with pytest.raises(ValueError, match="describes 3 actions, but actions= has 2"):
        ConcaveRewardBandit(model="shared", actions=[0, 1]).act(np.ones((1, 3, 4)))


@pytest.mark.parametrize("model", ["disjoint", "shared"])
def test_squarecb_grows_greedier_with_the_root_of_the_rounds(model):
    X, y, R = make_log(shared=model == "shared")
    bandit = ConcaveRewardBandit(base="squarecb", gamma=7.0, model=model).fit(X, y, rewards=R)
    direction = bandit.direction_
    if model == "shared":
        rewards = X[:5] @ bandit.coef_
    else:
        rewards = np.einsum("nd,adr->nar", X[:5], bandit.coef_)
    scores = rewards @ direction / np.abs(direction).sum()
    gaps = scores.max(axis=1, keepdims=True) - scores
    expected = 1 / (3 + 7.0 * np.sqrt(60) * gaps)
    best = scores.argmax(axis=1)
    others = np.arange(3) != best[:, None]
    np.testing.assert_allclose(bandit.predict_proba(X[:5])[others], expected[others], rtol=1e-9)


REFUSING = {"neighbours": KNeighborsRegressor(), "lasso": LassoCV(cv=3), "ridge": RidgeCV()}


# Coordinate descent of older releases of scikit-learn ends above its tolerance on so few rows.
@pytest.mark.filterwarnings("ignore:Objective did not converge")
@pytest.mark.parametrize("name", REFUSING)
@pytest.mark.parametrize("model", ["disjoint", "shared"])
def test_a_regressor_with_too_few_rows_is_stood_in_for_by_the_average_reward(name, model):
    X, _, R = make_log(n=40, shared=model == "shared")
    bandit = ConcaveRewardBandit(
        base="squarecb", regressor=REFUSING[name], model=model, actions=range(3), random_state=0
    )
    run(bandit, X, R)
    regressor = max(bandit._model.regressors, key=lambda each: each.n_rows)
    assert regressor.n_rows >= 5
    rows, rewards = map(np.concatenate, zip(*regressor.batches))
    template = clone(REFUSING[name])
    if name == "lasso":
        template = MultiOutputRegressor(template)
    template.fit(rows[: regressor.n_fitted], rewards[: regressor.n_fitted])
    predicted = regressor.predict(rows, None)
    np.testing.assert_allclose(predicted, template.predict(rows), rtol=1e-9)


def test_the_average_reward_is_served_until_the_regressor_has_its_rows():
    X, _, R = make_log(n=6, n_actions=1)
    bandit = ConcaveRewardBandit(base="squarecb", regressor=KNeighborsRegressor(), actions=[0, 1])
    for i in range(4):
        bandit.update(X[i : i + 1], [0], R[i : i + 1])
    average = R[:4].mean(axis=0) @ bandit.direction_
    np.testing.assert_allclose(bandit._model.mean(X, bandit.direction_), average)
    bandit.update(X[4:5], [0], R[4:5])
    assert bandit._model.regressors[0].n_fitted == 5


def test_a_regressor_that_goes_on_refusing_is_heard():
    X, _, R = make_log(n=101, n_actions=1)
    bandit = ConcaveRewardBandit(base="squarecb", regressor=Ridge(solver="lbfgs"), actions=[0, 1])
    bandit.update(X[:100], [0] * 100, R[:100])
    with pytest.raises(ValueError, match="positive=True"):
        bandit.update(X[100:], [0], R[100:])
    assert bandit.n_rounds_ == 100


def test_a_refused_fit_leaves_the_bandit_as_it_was():
    X, y, R = make_log()
    bandit = ConcaveRewardBandit().fit(pd.DataFrame(X, columns=list("abcd")), y, rewards=R)
    before = pickle.dumps(bandit)
    with pytest.raises(ValueError, match="rows, but rewards has"):
        bandit.fit(X[:, :3], y, rewards=R[:2])
    assert pickle.dumps(bandit) == before
    untouched = ConcaveRewardBandit()
    with pytest.raises(ValueError, match="rows, but rewards has"):
        untouched.partial_fit(X, y, rewards=R[:2])
    assert not hasattr(untouched, "n_features_in_")
