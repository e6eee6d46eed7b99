"""Measures of rankings: definitions, closed forms, agreement with scikit-learn."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.metrics import ndcg_score

from skparietal.metrics import (
    coverage,
    envy,
    exposure_merit_gap,
    generalized_lorenz_curve,
    gini_index,
    group_exposure_gap,
    item_exposure,
    lorenz_curve,
    min_max_ratio,
    ndcg_at_k,
    user_utility,
)


def table(n_users=12, n_items=9, top_k=4, seed=0):
    rng = np.random.default_rng(seed)
    rankings = np.argsort(rng.random((n_users, n_items)), axis=1)[:, :top_k]
    return rng.random((n_users, n_items)), rankings


def test_exposure_of_items_adds_up_to_the_attention_of_a_user():
    _, rankings = table()
    exposure = item_exposure(rankings, 9, position_weights="rr")
    assert exposure.sum() == pytest.approx(1 + 1 / 2 + 1 / 3 + 1 / 4)


def test_integer_weights_are_repetitions():
    _, rankings = table()
    weights = np.arange(12) % 3
    np.testing.assert_allclose(
        item_exposure(rankings, 9, sample_weight=weights),
        item_exposure(np.repeat(rankings, weights, axis=0), 9),
    )


def test_samples_are_averaged():
    X, rankings = table()
    other = rankings[:, ::-1]
    both = np.stack([rankings, other])
    np.testing.assert_allclose(
        item_exposure(both, 9), (item_exposure(rankings, 9) + item_exposure(other, 9)) / 2
    )
    np.testing.assert_allclose(
        user_utility(X, both), (user_utility(X, rankings) + user_utility(X, other)) / 2
    )


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_array, sparse.csr_matrix])
def test_utility_and_exposure_balance(convert):
    # Utility summed over users is relevance times exposure summed over items, for X of equal rows.
    X = np.tile(np.random.default_rng(1).random(9), (12, 1))
    rankings = table()[1]
    utility = user_utility(convert(X), rankings)
    assert utility.mean() == pytest.approx(item_exposure(rankings, 9) @ X[0])


def test_padding_gives_nothing():
    X, rankings = table()
    padded = np.where(np.arange(4) < 2, rankings, -1)
    assert user_utility(X, padded, position_weights="uniform")[0] == pytest.approx(
        X[0, rankings[0, :2]].sum()
    )
    assert coverage(padded, 9) == len(np.unique(rankings[:, :2])) / 9


def test_ndcg_is_scikit_learns():
    X, rankings = table()
    scores = np.zeros_like(X)
    np.put_along_axis(scores, rankings, np.arange(4, 0, -1)[None].astype(float), axis=1)
    expected = [ndcg_score(X[[i]], scores[[i]], k=4) for i in range(12)]
    np.testing.assert_allclose(ndcg_at_k(X, rankings), expected, rtol=1e-12)


def test_ndcg_of_the_best_ranking_and_of_nothing_relevant_is_one():
    X, _ = table()
    X[0] = 0
    np.testing.assert_allclose(ndcg_at_k(X, np.argsort(-X, axis=1)[:, :4]), 1)


def test_gini_is_the_mean_absolute_difference():
    x = np.random.default_rng(0).gamma(1.0, size=30)
    differences = np.abs(np.subtract.outer(x, x)).mean()
    assert gini_index(x) == pytest.approx(differences / (2 * x.mean()), rel=1e-12)
    assert gini_index(5 * x) == pytest.approx(gini_index(x))


def test_lorenz_curves_are_convex_and_end_at_one_and_at_the_mean():
    x = np.random.default_rng(0).gamma(1.0, size=30)
    population, share = lorenz_curve(x)
    assert (population[0], population[-1], share[0], share[-1]) == (0, 1, 0, pytest.approx(1))
    assert (np.diff(share, 2) >= -1e-15).all()
    assert generalized_lorenz_curve(x)[1][-1] == pytest.approx(x.mean())


def test_gaps_vanish_exactly_at_what_they_ask_for():
    merit = np.array([3.0, 1.0, 2.0])
    assert exposure_merit_gap(0.2 * merit, merit) == pytest.approx(0, abs=1e-15)
    assert group_exposure_gap([[1.0, 2.0], [1.0, 2.0]]) == 0
    # One item each: both deviate by 1/2 of the mean from it, in two groups.
    assert group_exposure_gap([[0.0, 1.0], [1.0, 0.0]]) == pytest.approx(np.sqrt(0.5) / 0.5)
    assert min_max_ratio([2.0, 4.0]) == 0.5


def test_nobody_envies_when_each_has_their_best_and_all_envy_the_favourite():
    X = np.eye(3)
    np.testing.assert_allclose(envy(X, sparse.csr_array(np.eye(3))), 0)
    alike = np.tile([1.0, 0.0, 0.0], (3, 1))
    np.testing.assert_allclose(envy(alike, sparse.csr_array(np.eye(3))), [0, 1, 1])


def test_envy_of_many_users_is_of_a_sample(monkeypatch):
    monkeypatch.setattr("skparietal.metrics.exposure.MAX_ENVY_USERS", 2)
    assert envy(np.eye(3), sparse.csr_array(np.eye(3)), random_state=0).shape == (2,)


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="rankings must be integers"):
        item_exposure([[0.5, 1.0]], 3)
    with pytest.raises(ValueError, match="non-negative"):
        gini_index([-1.0, 1.0])
    with pytest.raises(ValueError, match="zeros"):
        gini_index([0.0, 0.0])


@pytest.mark.parametrize("bad", [-2, 9, 99])
def test_items_outside_the_catalogue_are_named(bad):
    X, rankings = table()
    rankings[3, 1] = bad
    for measure in (
        lambda: item_exposure(rankings, 9),
        lambda: coverage(rankings, 9),
        lambda: user_utility(X, rankings),
        lambda: ndcg_at_k(X, rankings),
    ):
        with pytest.raises(ValueError, match=f"items from 0 to 8, and -1 at empty places; .*{bad}"):
            measure()


@pytest.mark.parametrize("share", [0.9, 0.2])
def test_ndcg_of_a_sparse_table_is_that_of_the_dense_one(share):
    X, rankings = table()
    X[np.random.default_rng(2).random(X.shape) > share] = 0  # of .2, rows store fewer than top_k
    expected = ndcg_at_k(X, rankings)
    np.testing.assert_allclose(ndcg_at_k(sparse.csr_array(X), rankings), expected, rtol=1e-12)


def test_ndcg_of_a_wide_sparse_table_needs_no_dense_one():
    # A dense table of this shape would hold 80 GB.
    rankings = np.array([[5, 7], [10**7 - 1, 3]] * 500)
    X = sparse.csr_array((np.ones(1000), (np.arange(1000), rankings[:, 1])), shape=(1000, 10**7))
    np.testing.assert_allclose(ndcg_at_k(X, rankings), 1 / np.log2(3))


def test_rankings_longer_than_the_catalogue_are_padded():
    X = np.array([[1.0, 2.0]])
    assert ndcg_at_k(X, np.array([[1, 0, -1]]))[0] == pytest.approx(1)


def test_all_users_are_compared_up_to_two_thousand():
    def envies(n):
        return envy(np.ones((n, 1)), sparse.csr_array(np.ones((n, 1))), random_state=0)

    assert len(envies(2000)) == 2000
    assert len(envies(2001)) == 2000
