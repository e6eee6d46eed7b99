"""Reconstructed ratings: exact at full rank, the best approximation below, clipped."""

import numpy as np
from sklearn.utils import Bunch

from skparietal.datasets import reconstruct_ratings


def ratings(n_users=12, n_items=9, rank=3):
    rng = np.random.default_rng(0)
    table = rng.random((n_users, rank)) @ rng.random((rank, n_items))
    user, item = np.nonzero(table > 0)
    return Bunch(user=user, item=item, rating=table[user, item]), table


def test_a_low_rank_table_is_recovered_in_units_of_its_largest_entry():
    bunch, table = ratings()
    relevance, items = reconstruct_ratings(bunch, n_components=3)
    np.testing.assert_allclose(relevance, table / table.max(), atol=1e-10)
    np.testing.assert_array_equal(items, np.arange(9))


def test_items_rated_most_are_kept():
    bunch, _ = ratings()
    kept = (bunch.item != 4) | (bunch.user < 2)
    bunch = Bunch(user=bunch.user[kept], item=bunch.item[kept], rating=bunch.rating[kept])
    relevance, items = reconstruct_ratings(bunch, n_components=3, n_items=8)
    assert 4 not in items
    assert relevance.shape == (12, 8)
    assert relevance.min() >= 0
    assert relevance.max() <= 1
