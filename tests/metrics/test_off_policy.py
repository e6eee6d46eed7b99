import numpy as np
import pytest

from skparietal.metrics import off_policy_mean_reward


def test_estimate_is_unbiased():
    # Expectation over all logs of length 1: two actions, drawn with probabilities .3 and .7.
    propensity, reward, policy = np.array([0.3, 0.7]), np.array([[1.0, 4.0], [3.0, -2.0]]), 1
    expected = sum(
        propensity[a] * off_policy_mean_reward([policy], [a], reward[[a]], propensity[[a]])
        for a in range(2)
    )
    np.testing.assert_allclose(expected, reward[policy], rtol=1e-14)


def test_the_logging_policy_itself_earns_what_it_earned():
    rewards = np.arange(6.0).reshape(3, 2)
    estimate = off_policy_mean_reward(["a", "b", "a"], ["a", "b", "a"], rewards, np.ones(3))
    np.testing.assert_array_equal(estimate, rewards.mean(axis=0))


@pytest.mark.parametrize("propensity", [0.0, -0.1, 1.1])
def test_impossible_propensities_are_refused(propensity):
    with pytest.raises(ValueError, match=r"\(0, 1\]"):
        off_policy_mean_reward([0, 0], [0, 1], [1.0, 1.0], [0.5, propensity])


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        off_policy_mean_reward([0, 0], [0, 1], [1.0], [0.5, 0.5])


def test_a_weight_is_a_repetition():
    once = off_policy_mean_reward([0, 0], [0, 1], [1.0, 2.0], [0.5, 0.5], sample_weight=[3.0, 1.0])
    repeated = off_policy_mean_reward([0] * 4, [0, 0, 0, 1], [1.0, 1.0, 1.0, 2.0], [0.5] * 4)
    np.testing.assert_allclose(once, repeated, rtol=1e-14)
