"""The record of bonuses: weights are conserved, memory is bounded, order is kept."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skparietal.solvers.bonus_path import BonusPath


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
    times = [bonus[0, 0] for bonus in path.bonuses]
    assert times == sorted(times)
    assert len(set(np.diff(times))) <= 1  # evenly spaced


def test_a_short_record_is_returned_as_it_is():
    bonuses, weights = recorded(4, 10).sample_systematically(8)
    np.testing.assert_allclose(bonuses[:, 0, 0], np.arange(4))
    np.testing.assert_allclose(weights, np.arange(1, 5) / 10)


def test_systematic_samples_are_equally_likely_and_unbiased_within_a_step():
    path = recorded(100, 200)
    bonuses, weights = path.sample_systematically(25)
    np.testing.assert_allclose(weights, 1 / 25)
    # Each quantile is off by at most one record, which is at most 1 in the units of time.
    assert abs(bonuses[:, 0, 0].mean() - path.mean()[0, 0]) < 1


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
