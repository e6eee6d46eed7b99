"""KeyTable: sums that do not depend on the order, subtraction, and the guarantee of the bound."""

from collections import Counter
from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skparietal.key_table import KeyTable, add_table, merge_tables

rows = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 2), st.integers(1, 3)), min_size=1)


def table_of(rows, n_labels=3):
    keys, labels, weights = np.array(rows).T
    return KeyTable.of(keys.astype(np.uint64), labels, weights.astype(float), n_labels)


def assert_equal(first, second):
    for a, b in zip(astuple(first), astuple(second)):
        np.testing.assert_array_equal(a, b)


@given(rows)
def test_table_holds_the_sum_of_the_weights_of_each_pair(rows):
    expected = Counter()
    for key, label, weight in rows:
        expected[key, label] += weight
    table = table_of(rows)
    pairs = zip(table.keys.tolist(), table.labels.tolist(), table.weights.tolist())
    assert {(key, label): weight for key, label, weight in pairs} == expected
    assert list(zip(table.keys, table.labels)) == sorted(expected)
    keys, totals, indptr = table.by_key()
    assert table.n_keys == len(keys)
    assert totals.sum() == table.weights.sum() == table.label_weights.sum()
    assert np.diff(indptr).sum() == len(expected)


@given(rows, st.data())
@settings(deadline=None)
def test_any_split_gives_the_same_table(rows, data):
    tables, left = [], rows
    while left:
        size = data.draw(st.integers(1, len(left)))
        tables, left = add_table(tables, table_of(left[:size])), left[size:]
    assert_equal(merge_tables(tables), table_of(rows))


@given(rows, rows)
def test_subtraction_undoes_a_merge(first, second):
    merged = table_of(first).merge(table_of(second))
    assert_equal(merged.subtract(table_of(second)), table_of(first))


def test_weights_that_do_not_sum_exactly_still_vanish():
    table = table_of([(1, 0, 1)])
    tenths = [KeyTable.of(np.array([2], np.uint64), np.array([1]), np.array([0.1]), 3)] * 3
    whole = KeyTable.of(np.array([2], np.uint64), np.array([1]), np.array([0.3]), 3)
    for tenth in tenths:
        table = table.merge(tenth)
    assert table.subtract(whole).keys.tolist() == [1]


def test_more_than_was_counted_cannot_be_subtracted():
    with pytest.raises(ValueError, match="Cannot forget more than was learned"):
        table_of([(1, 0, 1)]).subtract(table_of([(1, 0, 2)]))


@given(rows, rows, st.integers(1, 5))
def test_bounded_table_keeps_the_guarantee_of_misra_and_gries(first, second, max_keys):
    exact = table_of(first + second)
    bounded = table_of(first).bounded(max_keys).merge(table_of(second)).bounded(max_keys)
    assert bounded.n_keys <= max_keys
    assert bounded.undercount <= exact.weights.sum() / (max_keys + 1)
    kept = dict(zip(*bounded.by_key()[:2]))
    for key, total in zip(*exact.by_key()[:2]):
        estimate = kept.get(key, 0.0)
        # 1e-9: the weight taken off is spread over labels by a multiplication.
        assert estimate <= total + 1e-9
        assert total <= estimate + bounded.undercount + 1e-9
    np.testing.assert_array_equal(bounded.label_weights, exact.label_weights)


def test_many_batches_with_a_bound_stay_small():
    rng = np.random.default_rng(0)
    tables = []
    for _ in range(50):
        keys = rng.integers(10_000, size=500).astype(np.uint64)
        tables = add_table(tables, KeyTable.of(keys, keys % 2, np.ones(500), 2), max_keys=300)
        assert sum(len(table.keys) for table in tables) < 2 * 300 + 2 * 500
    assert merge_tables(tables, max_keys=300).n_keys <= 300
