import cvxpy as cp
import numpy as np
import pytest

from skparietal.objectives import AlphaFair, GeneralizedGini, LinearReward, TargetReward
from skparietal.solvers.bandits.concave_reward import maximize_concave_reward

OBJECTIVES = [
    AlphaFair(),
    AlphaFair(alpha=0.5),
    AlphaFair(alpha=-1.0),
    GeneralizedGini(),
    GeneralizedGini(weights=[1.0, 0.0, 0.0]),
    TargetReward([0.9, 0.5, 0.1]),
    LinearReward([1.0, 2.0, 0.5]),
]


def rewards_of(n_contexts, seed=0):
    return np.random.default_rng(seed).uniform(size=(n_contexts, 4, 3)) ** 3


@pytest.mark.parametrize("objective", OBJECTIVES, ids=repr)
def test_optimum_is_that_of_the_program_over_all_policies(objective):
    rewards = rewards_of(25)
    policy = cp.Variable((25, 4), nonneg=True)
    average = sum(policy[:, a] @ rewards[:, a] for a in range(4)) / 25
    program = cp.Problem(cp.Maximize(objective.to_cvxpy(average)), [cp.sum(policy, axis=1) == 1])
    program.solve(solver=cp.CLARABEL)
    optimum = maximize_concave_reward(objective, rewards)
    # 1e-6: both stop at gaps of about 1e-8, times the scale of the objectives
    assert optimum.value == pytest.approx(program.value, abs=1e-6)
    assert optimum.gap <= 1e-7


def test_certificate_bounds_the_value_of_every_policy():
    rewards, objective = rewards_of(500), AlphaFair()
    optimum = maximize_concave_reward(objective, rewards, tol=1e-3)
    rng = np.random.default_rng(1)
    for direction in rng.dirichlet(np.ones(3), size=50):
        chosen = (rewards @ direction).argmax(axis=1)
        value = objective.value(rewards[np.arange(500), chosen].mean(axis=0))
        assert value <= optimum.value + optimum.gap


def test_one_action_leaves_no_choice():
    rewards = rewards_of(10)[:, :1]
    optimum = maximize_concave_reward(GeneralizedGini(), rewards)
    np.testing.assert_allclose(optimum.mean_reward, rewards.mean(axis=(0, 1)), rtol=1e-9)


def test_objective_without_a_convex_program_is_refused():
    class Custom(LinearReward):
        def to_cvxpy(self, mean_reward):
            return super(LinearReward, self).to_cvxpy(mean_reward)

    with pytest.raises(NotImplementedError, match="Custom has no to_cvxpy"):
        maximize_concave_reward(Custom(), rewards_of(5))
