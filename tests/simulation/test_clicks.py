import numpy as np
import pytest

from skparietal import ConcaveRankingBandit
from skparietal.exposure import check_position_weights
from skparietal.metrics import regret_slope
from skparietal.objectives import TwoSidedWelfare
from skparietal.simulation import make_click_environment, simulate


def test_relevance_is_a_probability_linear_in_the_context():
    environment = make_click_environment(random_state=0)
    assert environment.relevance.shape == (2000, 50)
    assert environment.relevance.min() >= 0
    assert environment.relevance.max() <= 1
    residuals = np.linalg.lstsq(environment.contexts, environment.relevance)[1]
    np.testing.assert_allclose(residuals, 0, atol=1e-20)


def test_looks_and_clicks_have_their_probabilities():
    environment = make_click_environment(6, 3, top_k=3, random_state=0)
    users, rankings = np.full(20_000, 7), np.tile([[4, 0, 2]], (20_000, 1))
    looked, clicks = environment.browse(users, rankings, random_state=0)
    attention = check_position_weights("dcg", 3)
    # 4.5 standard errors of a share, at most .5 / sqrt(20000)
    np.testing.assert_allclose(looked.mean(axis=0), attention, atol=0.016)
    relevance = environment.relevance[7, [4, 0, 2]]
    np.testing.assert_allclose(clicks.mean(axis=0), attention * relevance, atol=0.016)
    assert not (clicks & ~looked).any()


def test_goal_is_utility_plus_welfare_of_the_exposures():
    environment = make_click_environment(4, 3, top_k=2, random_state=0)
    objective = TwoSidedWelfare(item_alpha=0.0, eta=0.1)
    goal = environment.goal(ConcaveRankingBandit(objective, beta=0.3))
    exposure, total = np.array([1.0, 0.4, 0.2, 0.03]), environment.position_weights.sum()
    expected = 0.6 + 0.3 * np.log(exposure * 4 / total + 0.1).mean()
    mean_reward = np.append(exposure, 0.6)
    assert goal.value(mean_reward) == pytest.approx(expected, rel=1e-12)
    stacked = np.stack([[mean_reward] * 3] * 2)
    np.testing.assert_allclose(goal.value(stacked), np.full((2, 3), expected), rtol=1e-12)


def test_optimum_is_certified_and_is_sorting_without_fairness():
    environment = make_click_environment(n_users=300, random_state=0)
    goal = environment.goal(ConcaveRankingBandit(TwoSidedWelfare(eta=0.05)))
    optimum = environment.optimum(goal)
    assert optimum.value == pytest.approx(float(goal.value(optimum.mean_reward)), rel=1e-9)
    assert 0 <= optimum.gap < 2e-3
    plain = environment.goal(ConcaveRankingBandit(beta=0.0))
    weights = environment.position_weights
    best = np.sort(environment.relevance)[:, ::-1][:, :10] @ weights / weights.sum()
    assert environment.optimum(plain).value == pytest.approx(best.mean())


def test_regret_vanishes_and_that_of_relevance_alone_does_not():
    environment = make_click_environment(30, 4, top_k=5, random_state=3)
    bandit = ConcaveRankingBandit(TwoSidedWelfare(eta=0.05), n_items=30, beta=0.5)
    bandit.set_params(top_k=5)
    goal = environment.goal(bandit)
    optimum = environment.optimum(goal).value
    fair, greedy = (
        simulate(each, environment, 2000, objective=goal, optimum=optimum, seeds=2)
        for each in (bandit, ConcaveRankingBandit(beta=0.0, n_items=30, top_k=5))
    )
    assert fair.regret[:, -1].mean() < greedy.regret[:, -1].mean() / 1.5
    assert regret_slope(fair.rounds, fair.regret) < -0.25
