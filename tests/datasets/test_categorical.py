"""Draws from rows of probabilities."""

import numpy as np
import pytest

from skparietal.datasets.categorical import draw_columns


class Fixed:
    """Source of the same draw everywhere."""

    def __init__(self, value):
        self.value = value

    def uniform(self, size):
        return np.full(size, self.value)


def test_shares_are_the_probabilities():
    p = np.array([[0.5, 0.3, 0.2], [0.1, 0.0, 0.9]])
    columns = draw_columns(p, np.random.RandomState(0), 40_000)
    assert columns.shape == (2, 40_000)
    for row in range(2):
        shares = np.bincount(columns[row], minlength=3) / 40_000
        np.testing.assert_allclose(shares, p[row], atol=0.01)  # four standard errors


@pytest.mark.parametrize("value", [0.0, 0.3, 0.6, np.nextafter(1.0, 0.0)])
def test_a_column_of_probability_zero_is_never_drawn(value):
    # Sums in floating point miss 1 by some 1e-16: the last draws must not fall into what is left.
    p = np.array([[0.0, *[0.1] * 10, 0.0, 0.0], [0.0, *[0.3, 0.2, 0.5], *[0.0] * 9]])
    columns = draw_columns(p, Fixed(value))[:, 0]
    assert (p[np.arange(2), columns] > 0).all()
