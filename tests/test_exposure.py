"""Position weights, top-k against full sorting, rankings of dense and sparse rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from skparietal import exposure
from skparietal.exposure import add_exposure, check_position_weights, rank_rows, topk_rows


def by_sorting(scores, k):
    return np.argsort(-scores, axis=1, kind="stable")[:, :k]


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 9))
def test_topk_is_the_head_of_a_full_sort(n_columns, k, seed):
    k = min(k, n_columns)
    scores = np.random.default_rng(seed).normal(size=(7, n_columns))
    np.testing.assert_array_equal(topk_rows(scores, k), by_sorting(scores, k))


@pytest.mark.parametrize("k", [1, 10, 400])
def test_sampled_threshold_is_exact_on_long_rows(k):
    n_columns = 6 * exposure.PARTITION_UP_TO
    scores = np.random.default_rng(0).normal(size=(20, n_columns))
    np.testing.assert_array_equal(topk_rows(scores, k), by_sorting(scores, k))


def test_sampled_threshold_is_exact_when_the_sample_misleads():
    n_columns = 6 * exposure.PARTITION_UP_TO
    scores = np.arange(n_columns, dtype=float)[None].copy()
    # Every probed position beats every other one, so that too few entries pass the threshold.
    probe = exposure._probe(n_columns)
    scores[0, probe] += n_columns
    k = len(probe) + 5
    np.testing.assert_array_equal(topk_rows(scores, k), by_sorting(scores, k))


def test_topk_of_tied_rows_has_distinct_columns():
    top = topk_rows(np.zeros((2, 3 * exposure.PARTITION_UP_TO)), 10)
    assert [len(set(row)) for row in top] == [10, 10]


def table(n_users=40, n_items=30, density=0.3, seed=0):
    rng = np.random.default_rng(seed)
    stored = rng.random((n_users, n_items)) < density
    return sparse.csr_array(np.where(stored, rng.random((n_users, n_items)), 0.0))


@pytest.mark.parametrize("scaled", [False, True])
def test_implicit_candidates_rank_as_the_dense_table(scaled):
    X = table()
    rng = np.random.default_rng(1)
    bonus, scale = rng.normal(size=30), rng.random(40) if scaled else None
    items, relevance = rank_rows(X, 6, bonus=bonus, scale=scale, candidates="implicit")
    dense_items, dense_relevance = rank_rows(X.toarray(), 6, bonus=bonus, scale=scale)
    np.testing.assert_array_equal(items, dense_items)
    np.testing.assert_array_equal(relevance, dense_relevance)


@pytest.mark.parametrize("per_user", [False, True])
def test_stored_candidates_rank_as_a_table_with_minus_infinity_elsewhere(per_user):
    X = table(density=0.15)
    bonus = np.random.default_rng(1).normal(size=(40, 30) if per_user else 30)
    items, relevance = rank_rows(X, 6, bonus=bonus, candidates="stored")
    masked = np.where(X.toarray() > 0, X.toarray() + bonus, -np.inf)
    expected = by_sorting(masked, 6)
    expected[np.take_along_axis(masked, expected, axis=1) == -np.inf] = -1
    np.testing.assert_array_equal(items, expected)
    assert (items == -1).any()
    assert (relevance[items == -1] == 0).all()


def test_rows_without_candidates_are_all_padding():
    items, relevance = rank_rows(sparse.csr_array((3, 5)), 2, candidates="stored")
    assert (items == -1).all()
    assert not relevance.any()


def test_rankings_do_not_depend_on_the_other_rows(monkeypatch):
    X = np.random.default_rng(0).random((50, 20))
    whole = rank_rows(X, 5)[0]
    monkeypatch.setattr(exposure, "BLOCK_SIZE", 1)
    np.testing.assert_array_equal(rank_rows(X, 5)[0], whole)


def test_single_precision_scores_stay_single():
    X = np.random.default_rng(0).random((4, 9), dtype=np.float32)
    assert rank_rows(X, 3, bonus=np.ones(9), scale=np.ones(4))[1].dtype == np.float32


def test_exposure_adds_up_to_the_attention_handed_out():
    weights = check_position_weights("dcg", 3)
    mass = np.zeros((2, 5))
    rankings = np.array([[0, 1, 2], [0, 3, -1]])
    add_exposure(
        mass, rankings, weights, sample_weight=np.array([1.0, 2.0]), user_group=np.array([0, 1])
    )
    np.testing.assert_allclose(mass[0], [weights[0], weights[1], weights[2], 0, 0])
    np.testing.assert_allclose(mass[1], [2 * weights[0], 0, 0, 2 * weights[1], 0])


def test_named_position_weights_are_their_formulas():
    np.testing.assert_allclose(check_position_weights("dcg", 3), [1, 1 / np.log2(3), 0.5])
    np.testing.assert_allclose(check_position_weights("rr", 3), [1, 1 / 2, 1 / 3])
    np.testing.assert_allclose(check_position_weights("uniform", 2), [1, 1])
    np.testing.assert_allclose(check_position_weights(lambda k: 0.5 ** np.arange(k), 2), [1, 0.5])
    np.testing.assert_allclose(check_position_weights([3, 2, 1], 2), [3, 2])


@pytest.mark.parametrize(
    "weights, message",
    [
        ([0.5, 1.0], "non-increasing"),
        ([1.0, -0.5], "non-negative"),
        ([1.0, np.nan], "finite"),
        ([0.0, 0.0], "all be zero"),
        ([1.0], "at least top_k=2"),
        ("cascade", "one of"),
    ],
)
def test_bad_position_weights_are_refused(weights, message):
    with pytest.raises(ValueError, match=message):
        check_position_weights(weights, 2)
