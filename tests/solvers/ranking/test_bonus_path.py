"""The record of bonuses: weights are conserved, memory is bounded, order is kept."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skparietal.solvers.ranking.bonus_path import BonusPath


def recorded(n, capacity):
    path = BonusPath(capacity)
    for t in range(n):
        path.append(np.full((1, 3), float(t)), t + 1.0)
    return path


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 200), st.integers(2, 9))
def test_thinning_conserves_weight_and_order_in_bounded_memory(n, capacity):
    path = recorded(n, capacity)
    assert len(path.bonuses) == len(path.weights) <= capacity
    assert path.total_weight == pytest.approx(n * (n + 1) / 2)
    times = [int(bonus[0, 0]) for bonus in path.bonuses]
    # One bonus of each stretch of the same number of bonuses.
    np.testing.assert_array_equal(np.array(times) // path.stretch, np.arange(len(times)))


def test_what_is_held_of_a_stretch_is_drawn_in_proportion_to_weight():
    path = BonusPath(2)
    kept = []
    for seed in range(2000):
        path = BonusPath(2)
        path.random.seed(seed)
        for t, weight in enumerate((1.0, 3.0, 1.0)):
            path.append(np.full((1, 1), float(t)), weight)
        kept.append(path.bonuses[0][0, 0])
    # Bonus 1 has three quarters of the first stretch: standard error 0.01 over 2,000 draws.
    assert np.mean(np.equal(kept, 1)) == pytest.approx(0.75, abs=0.04)


def test_a_short_record_is_returned_as_it_is():
    bonuses, weights = recorded(4, 10).condensed(8)
    np.testing.assert_allclose(bonuses[:, 0, 0], np.arange(4))
    np.testing.assert_allclose(weights, np.arange(1, 5) / 10)


def test_a_long_record_is_condensed_to_means_of_neighbours():
    path = recorded(5, 10)
    bonuses, weights = path.condensed(3)
    np.testing.assert_allclose(bonuses[:, 0, 0], [2 / 3, (2 * 3 + 3 * 4) / 7, 4], rtol=1e-6)
    np.testing.assert_allclose(weights, np.array([3, 7, 5]) / 15)
    assert (weights @ bonuses[:, 0, 0]) == pytest.approx(path.mean()[0, 0])


def test_a_copy_of_another_weight_leaves_the_record_alone():
    path = recorded(5, 10)
    copy = path.scaled_to(1.0)
    copy.append(np.zeros((1, 3)), 1.0)
    assert (copy.total_weight, len(path.weights)) == (pytest.approx(2.0), 5)
    np.testing.assert_allclose(path.scaled_to(3.0).mean(), path.mean())


def test_new_user_groups_get_the_mean_bonus():
    path = BonusPath(4)
    path.append(np.array([[1.0, 0.0], [3.0, 2.0]]), 1.0)
    np.testing.assert_allclose(path.add_user_groups(1).mean(), [[1, 0], [3, 2], [2, 1]])
