import cvxpy as cp
import numpy as np
import pytest
from scipy.optimize import approx_fprime
from sklearn.base import clone

from skparietal.objectives import (
    AlphaFair,
    GeneralizedGini,
    LinearReward,
    TargetReward,
    check_reward_objective,
    gini_weights,
)

OBJECTIVES = [
    AlphaFair(),
    AlphaFair(alpha=0.5, eta=0.01),
    AlphaFair(alpha=-2.0, eta=0.2),
    AlphaFair(alpha=1.0, eta=0.0),
    GeneralizedGini(),
    GeneralizedGini(weights=[1.0, 0.5, 0.25, 0.125]),
    GeneralizedGini(weights=[1.0, 0.0, 0.0, 0.0]),
    LinearReward(),
    LinearReward([1.0, -2.0, 0.0, 0.5]),
    TargetReward([0.2, 0.9, 0.1, 0.0]),
]
# Entries at least .1 apart: no smoothing below mixes their order.
POINT = np.array([0.6, 0.15, 0.4, 0.9])


@pytest.mark.parametrize("objective", OBJECTIVES, ids=repr)
def test_gradient_is_the_finite_difference_of_the_value_away_from_kinks(objective):
    objective.validate(4)
    expected = approx_fprime(POINT, objective.value, 1e-7)
    # forward differences: error of about step times curvature (at most 40 here)
    np.testing.assert_allclose(objective.gradient(POINT, n_rounds=10**8), expected, atol=1e-5)


@pytest.mark.parametrize("objective", OBJECTIVES, ids=repr)
def test_gradient_is_a_supergradient(objective):
    rng = np.random.default_rng(0)
    points = rng.uniform(0.05, 1, size=(200, 4))
    for point in points[:20]:
        slope = objective.gradient(point, n_rounds=10**14)
        tangents = objective.value(point) + (points - point) @ slope
        # 1e-6: the smoothing left after 10^14 rounds, 1e-7, times |weights|^2 <= 2, is less
        assert np.all(objective.value(points) <= tangents + 1e-6)


@pytest.mark.parametrize("objective", OBJECTIVES, ids=repr)
def test_cvxpy_expression_has_the_same_value(objective):
    z = cp.Variable(4)
    expression = objective.to_cvxpy(z)
    assert expression.is_concave()
    z.value = POINT
    assert float(expression.value) == pytest.approx(float(objective.value(POINT)), abs=1e-9)


@pytest.mark.parametrize("objective", OBJECTIVES, ids=repr)
def test_value_works_on_every_row(objective):
    rows = np.stack([POINT, POINT[::-1]])
    expected = [objective.value(row) for row in rows]
    np.testing.assert_allclose(objective.value(rows), expected, rtol=1e-14)


def test_alpha_fair_tends_to_the_logarithm():
    # d/da of mean (x^a - 1)/a at 0 is the mean of log^2 / 2, below 2 here
    power = (AlphaFair(alpha=1e-6).value(POINT) - 1) / 1e-6
    assert power == pytest.approx(AlphaFair(alpha=0.0).value(POINT), abs=2e-6)


def test_negative_means_count_as_zero():
    np.testing.assert_array_equal(
        AlphaFair().gradient(np.array([-3.0, 0.5])), AlphaFair().gradient(np.array([0.0, 0.5]))
    )


def test_generalised_gini_with_default_weights_is_the_mean_times_one_minus_gini():
    differences = np.abs(POINT[:, None] - POINT).mean()
    gini = differences / (2 * POINT.mean())
    value = GeneralizedGini().value(POINT)
    assert value == pytest.approx(POINT.mean() * (1 - gini), rel=1e-13)


def test_smoothing_shares_the_weight_of_tied_rewards():
    slope = GeneralizedGini(weights=[1.0, 0.0]).gradient(np.array([0.5, 0.5]))
    np.testing.assert_allclose(slope, [0.5, 0.5], rtol=1e-12)


def test_target_pull_vanishes_at_the_target():
    target = TargetReward([0.5, 0.5])
    np.testing.assert_array_equal(target.gradient(np.array([0.5, 0.5])), [0, 0])
    pull = target.gradient(np.array([0.0, 0.1]), n_rounds=10)
    assert np.linalg.norm(pull) == pytest.approx(1)


@pytest.mark.parametrize(
    "objective, match",
    [
        (AlphaFair(alpha=1.5), "'alpha' parameter"),
        (AlphaFair(eta=-1.0), "'eta' parameter"),
        (AlphaFair(alpha=0.0, eta=0.0), "infinite slope"),
        (GeneralizedGini(weights=[0.1, 0.2, 0.3, 0.4]), "non-increasing"),
        (GeneralizedGini(weights=[1.0, 0.5]), "shape"),
        (GeneralizedGini(smoothing=0.0), "'smoothing' parameter"),
        (LinearReward([1.0, 2.0]), "weights needs one finite number per reward"),
        (TargetReward([np.nan] * 4), "target needs one finite number per reward"),
    ],
    ids=repr,
)
def test_bad_parameters_are_refused(objective, match):
    with pytest.raises(ValueError, match=match):
        objective.validate(4)


def test_shortcuts_and_objects():
    assert isinstance(check_reward_objective("alpha_fair"), AlphaFair)
    assert isinstance(check_reward_objective("ggf"), GeneralizedGini)
    assert isinstance(check_reward_objective("mean"), LinearReward)
    with pytest.raises(ValueError, match="'nash' is not one of"):
        check_reward_objective("nash")
    with pytest.raises(TypeError, match="value and gradient"):
        check_reward_objective(AlphaFair)


def test_objectives_are_cloned_with_their_parameters():
    assert repr(clone(GeneralizedGini(weights=[1.0, 0.5]))) == repr(
        GeneralizedGini(weights=[1.0, 0.5])
    )
    np.testing.assert_array_equal(gini_weights(2), [0.75, 0.25])
