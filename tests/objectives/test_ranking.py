"""Ranking objectives: slopes against finite differences of the whole problem, limits, errors."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from skparietal.objectives import (
    check_ranking_objective,
    gini_weights,
    smoothed_generalized_gini,
)
from skparietal.objectives.ranking import (
    BalancedExposure,
    GiniWelfare,
    ItemContext,
    QualityWeighted,
    TwoSidedWelfare,
    power_slope,
    power_welfare,
)
from skparietal.solvers.ranking.ranking_problem import ExposureState, RankingProblem

N_USERS, N_ITEMS = 5, 6
OBJECTIVES = {
    "welfare": TwoSidedWelfare(item_alpha=0.5),
    "log": TwoSidedWelfare(item_alpha=0.0),
    "negative": TwoSidedWelfare(item_alpha=-1.0),
    "quality": QualityWeighted(),
    "l2": QualityWeighted(penalty="l2"),
    "balanced": BalancedExposure(),
    "gini": GiniWelfare(),
}
USER_ALPHAS = [1, 0.5, 0, -1]


def fixed_problem(objective, user_alpha, grouped):
    rng = np.random.default_rng(0)
    return RankingProblem(
        objective=objective.set_params(user_alpha=user_alpha),
        beta=0.7,
        position_weights=np.array([1.0, 0.6, 0.3]),
        n_items=N_ITEMS,
        item_group=np.array([0, 1, 0, 2, 1, 2]) if grouped else None,
        merit=rng.random(N_ITEMS) if objective.needs_merit else None,
    )


def users(problem):
    rng = np.random.default_rng(1)
    group = np.array([0, 1, 0, 2, 1]) if problem.objective.by_user_group else np.zeros(5, dtype=int)
    return rng.random((N_USERS, N_ITEMS)), rng.random(N_USERS) + 0.1, group


def bonus_at(problem, state):
    return problem.bonus(problem.item_slope(state))


def state_of(exposures, weight, group):
    membership = np.eye(group.max() + 1)[group] * weight[:, None]
    return ExposureState(membership.T @ exposures, membership.sum(axis=0))


def objective_value(problem, exposures, X, weight, group):
    """The objective as a function of every user's exposure to every item."""
    utility = (X * exposures).sum(axis=1) / problem.total_attention
    welfare = problem.objective.user_value(utility)
    state = state_of(exposures, weight, group)
    if isinstance(problem.objective, GiniWelfare):  # what the slope belongs to is the smoothed one
        value = smoothed_item_value(problem, state)
    else:
        value = problem.item_value(state)
    return np.average(welfare, weights=weight) + value


def smoothed_item_value(problem, state):
    exposure = problem.relative_exposure(state)[0]
    weights = len(exposure) * gini_weights(len(exposure))
    value = smoothed_generalized_gini(exposure, weights, problem.objective.smoothing)[0]
    return problem.beta * value / len(exposure)


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("user_alpha", USER_ALPHAS)
@pytest.mark.parametrize("name", OBJECTIVES)
def test_index_scores_are_the_gradient_of_the_objective(name, user_alpha, grouped):
    problem = fixed_problem(OBJECTIVES[name], user_alpha, grouped)
    X, weight, group = users(problem)
    exposures = np.random.default_rng(2).random((N_USERS, N_ITEMS)) + 0.2
    slope = problem.objective.user_slope((X * exposures).sum(axis=1) / problem.total_attention)
    scores = slope[:, None] * X + bonus_at(problem, state_of(exposures, weight, group))[group]
    numeric = approx_fprime(
        exposures.ravel(),
        lambda e: objective_value(problem, e.reshape(X.shape), X, weight, group),
        1e-7,
    ).reshape(X.shape)
    scaled = numeric * problem.total_attention * weight.sum() / weight[:, None]
    # Forward differences of step 1e-7 leave an error of some 1e-7 times the curvature.
    np.testing.assert_allclose(scores, scaled, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_tangents_lie_above_the_item_part(name):
    problem = fixed_problem(OBJECTIVES[name], 1, False)
    _, weight, group = users(problem)
    rng = np.random.default_rng(3)
    here, *others = (state_of(rng.random((N_USERS, N_ITEMS)), weight, group) for _ in range(30))
    intercept, slope = problem.item_tangent(here)
    bonus = problem.bonus(slope)
    for state in others:
        above = intercept + problem.linear_item_value(bonus, state)
        assert problem.item_value(state) <= above + 1e-12
    if name != "gini":
        touch = intercept + problem.linear_item_value(bonus, here)
        assert touch == pytest.approx(problem.item_value(here), rel=1e-12)


@pytest.mark.parametrize("alpha", [1.0, 0.5, 0.3, 0.0, -1.0])
def test_power_welfare_is_concave_increasing_with_the_slope_given(alpha):
    x = np.linspace(0, 3, 500)
    slope = power_slope(x, alpha, 0.1)
    assert (slope > 0).all()
    assert (np.diff(slope) <= 1e-15).all()
    middle = power_slope((x[1:] + x[:-1]) / 2, alpha, 0.1)
    # The mean value theorem, to second order in the spacing of 0.006.
    np.testing.assert_allclose(np.diff(power_welfare(x, alpha, 0.1)), middle * x[1], rtol=1e-3)


def test_quality_is_largest_at_exposure_in_proportion_to_merit():
    context = ItemContext(np.full(4, 0.25), np.ones(1), np.array([2.0, 1.0, 0.5, 0.5]))
    objective = QualityWeighted(eta=0.04)
    assert objective.item_value(context.target[None], context) == pytest.approx(-0.2)
    assert not objective.item_slope(context.target[None], context).any()


def test_balanced_does_not_care_about_exposure_that_all_groups_share():
    context = ItemContext(np.full(3, 1 / 3), np.array([0.3, 0.7]))
    exposure = np.tile([0.1, 2.0, 0.9], (2, 1))
    assert BalancedExposure(eta=0.01).item_value(exposure, context) == pytest.approx(-0.1)
    assert not BalancedExposure().item_slope(exposure, context).any()


def test_items_of_a_group_share_a_bonus():
    problem = fixed_problem(TwoSidedWelfare(), 1, True)
    bonus = bonus_at(problem, ExposureState(np.arange(6.0)[None], np.ones(1)))[0]
    assert bonus[0] == bonus[2]
    assert bonus[0] != bonus[1]


def test_strings_are_shortcuts_for_the_defaults():
    assert isinstance(check_ranking_objective("gini"), GiniWelfare)
    own = TwoSidedWelfare()
    assert check_ranking_objective(own) is own
    with pytest.raises(ValueError, match="objective must be one of"):
        check_ranking_objective("equality")
    with pytest.raises(TypeError, match="RankingObjective"):
        check_ranking_objective(3)


@pytest.mark.parametrize(
    "objective, message",
    [
        (TwoSidedWelfare(item_alpha=1.5), "item_alpha"),
        (TwoSidedWelfare(user_alpha=2.0), "user_alpha"),
        (TwoSidedWelfare(eta=-1.0), "eta"),
        (TwoSidedWelfare(eta=0.0), "infinite slope with item_alpha < 1"),
        (
            TwoSidedWelfare(item_alpha=1.0, user_alpha=0.0, eta=0.0),
            "infinite slope with user_alpha",
        ),
        (QualityWeighted(eta=0.0), "infinite slope"),
        (QualityWeighted(penalty="l1"), "penalty"),
        (BalancedExposure(eta=0.0), "infinite slope"),
        (GiniWelfare(weights=[0.1, 0.9]), "non-increasing"),
        (GiniWelfare(weights=[1.0]), "shape"),
        (GiniWelfare(smoothing=0.0), "smoothing"),
    ],
)
def test_parameters_without_a_finite_slope_are_refused(objective, message):
    with pytest.raises(ValueError, match=message):
        objective.check(2, np.array([0.5, 0.5]))


def test_gini_refuses_item_groups_of_different_sizes():
    with pytest.raises(ValueError, match="equal size"):
        GiniWelfare().check(2, np.array([0.4, 0.6]))


def test_a_slope_of_the_gini_welfare_is_its_own_center():
    # Where the center is a slope of the unsmoothed welfare, the smoothing changes nothing.
    exposure = np.array([[0.2, 1.4, 0.9, 1.5]])
    slope = 4 * gini_weights(4)[[0, 2, 1, 3]][None]
    for smoothing in (0.01, 1.0, 100.0):
        context = ItemContext(np.full(4, 0.25), np.ones(1), center=slope)
        objective = GiniWelfare(smoothing=smoothing)
        np.testing.assert_allclose(objective.item_slope(exposure, context), slope, rtol=1e-12)
