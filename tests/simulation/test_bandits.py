import joblib
import numpy as np
import pytest

from skparietal import ConcaveRewardBandit
from skparietal.metrics import regret_slope
from skparietal.objectives import AlphaFair, GeneralizedGini
from skparietal.simulation import (
    ScalarizedBandit,
    make_concave_bandit,
    simulate,
)


@pytest.mark.parametrize("model", ["shared", "disjoint"])
def test_expected_rewards_are_the_bilinear_form(model):
    environment = make_concave_bandit(5, 3, 4, model=model, random_state=0)
    X = environment.draw_contexts(7, random_state=1)
    assert X.shape == ((7, 5, 4) if model == "shared" else (7, 4))
    np.testing.assert_allclose(X.sum(axis=-1), 1, rtol=1e-12)
    rewards = environment.mean_rewards(X)
    for i, a in np.ndindex(7, 5):
        x, coef = (X[i, a], environment.coef) if model == "shared" else (X[i], environment.coef[a])
        np.testing.assert_allclose(rewards[i, a], x @ coef, rtol=1e-12)
    assert rewards.min() >= 0
    assert rewards.max() <= 1


def test_the_largest_mean_reward_neglects_some_rewards():
    environment = make_concave_bandit(random_state=0)
    richest = environment.optimum("mean", n_contexts=5000).mean_reward
    fairest = environment.optimum(
        GeneralizedGini([1.0, 0.0, 0.0, 0.0]), n_contexts=5000
    ).mean_reward
    assert richest.mean() > fairest.mean()
    assert richest.min() < fairest.min() / 3


class FixedPolicy:
    def __init__(self, action):
        self.action, self.seen = action, []

    def act(self, X):
        self.seen.append(X)
        return np.array([self.action])

    def update(self, X, actions, rewards):
        pass


@pytest.mark.parametrize("model", ["shared", "disjoint"])
def test_contexts_and_noise_do_not_depend_on_the_bandit(model):
    environment = make_concave_bandit(3, 2, 4, model=model, random_state=0)
    policies = FixedPolicy(0), FixedPolicy(1)
    earned = [np.array(list(environment.play(each, 600, random_state=5))) for each in policies]
    X = np.concatenate(policies[0].seen)
    np.testing.assert_array_equal(X, np.concatenate(policies[1].seen))
    expected = environment.mean_rewards(X)
    noise = earned[0] - expected[:, 0]
    np.testing.assert_allclose(noise, earned[1] - expected[:, 1], rtol=0, atol=1e-12)
    # four standard errors of the standard deviation of 1200 normal draws
    assert noise.std() == pytest.approx(0.1, abs=0.1 * 4 / np.sqrt(2 * 1200))


def test_simulation_is_reproducible_and_its_fields_agree():
    environment = make_concave_bandit(random_state=0)
    bandit = ConcaveRewardBandit(model="shared", base="squarecb")
    run = simulate(bandit, environment, 50, seeds=[3, 4], record=[1, 10, 50])
    with joblib.parallel_config("threading"):
        again = simulate(bandit, environment, 50, seeds=[4], record=[50], optimum=0.0, n_jobs=2)
    np.testing.assert_array_equal(again.mean_reward[0, 0], run.mean_reward[1, -1])
    np.testing.assert_allclose(run.objective, AlphaFair().value(run.mean_reward), rtol=1e-13)
    np.testing.assert_allclose(run.regret, run.optimum - run.objective, rtol=1e-13)
    assert run.mean_reward.shape == (2, 3, 4)
    assert run.optimum == pytest.approx(environment.optimum("alpha_fair").value)


def test_rounds_are_recorded_in_geometric_progression():
    environment = make_concave_bandit(random_state=0)
    run = simulate(ConcaveRewardBandit(model="shared"), environment, 40, seeds=1, optimum=0.0)
    assert run.rounds[0] == 1
    assert run.rounds[-1] == 40
    assert (np.diff(run.rounds) > 0).all()


@pytest.mark.parametrize(
    "objective", [AlphaFair(), GeneralizedGini([0.5, 0.3, 0.2, 0.0])], ids=repr
)
def test_regret_vanishes_and_that_of_the_baselines_does_not(objective):
    environment = make_concave_bandit(random_state=11)
    optimum = environment.optimum(objective).value
    mean = ConcaveRewardBandit("mean", model="shared")
    bandits = {
        "linucb": ConcaveRewardBandit(objective, model="shared"),
        "squarecb": ConcaveRewardBandit(objective, model="shared", base="squarecb"),
        "greedy": mean,
        "scalarized": ScalarizedBandit(mean, objective),
    }
    runs = {
        name: simulate(bandit, environment, 3000, objective=objective, optimum=optimum, seeds=4)
        for name, bandit in bandits.items()
    }
    final = {name: run.regret[:, -1].mean() for name, run in runs.items()}
    # Measured ratios are above 20 and about 10.
    assert final["linucb"] < min(final["greedy"], final["scalarized"]) / 5
    assert final["squarecb"] < min(final["greedy"], final["scalarized"]) / 5
    slope = {name: regret_slope(run.rounds, run.regret) for name, run in runs.items()}
    assert slope["linucb"] < -0.3
    assert slope["squarecb"] < -0.25


def test_unknown_model_is_refused():
    with pytest.raises(ValueError, match='"shared" or "disjoint"'):
        make_concave_bandit(model="hybrid")
