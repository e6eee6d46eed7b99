"""Weights that a selection keeps, by hand."""

import numpy as np
import pytest

from skparietal.graphs import select_entries


def test_selections_by_hand():
    final, initial = np.array([[1.0, -4.0], [2.0, 0.5]]), np.array([[2.0, 1.0], [-2.0, 0.0]])
    rng = np.random.RandomState(0)
    pick = {
        # Increases of magnitude: -1, 3, 0, .5; strictly below the quantile .5 are -1 and 0.
        "magnitude_increase": [0, 2],
        "magnitude_decrease": [1, 3],
        "small_final": [0, 3],
        "large_final": [1, 2],
        "all": [0, 1, 2, 3],
    }
    for selection, expected in pick.items():
        kept = select_entries(final, initial, selection=selection, quantile=0.5, rng=rng)
        np.testing.assert_array_equal(kept, expected)
    kept = select_entries(np.ones((20, 50)), None, selection="random", quantile=0.1, rng=rng)
    assert len(kept) == 100


def test_ties_that_leave_no_edge_are_an_error():
    with pytest.raises(ValueError, match="keeps no edge of a layer with 9 weights"):
        select_entries(np.ones(9), None, selection="small_final", quantile=0.5, rng=None)
    kept = select_entries(np.ones(9), None, selection="small_final", quantile=1.0, rng=None)
    assert len(kept) == 9
