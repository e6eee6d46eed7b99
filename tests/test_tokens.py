"""token_keys: what is one token, what are two, and that the keys are the same everywhere."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skparietal.tokens import column_keys, hashed_embeddings, mix_bits, token_keys

MIXED = [["a", 1, 0.5], ["b", 1, 0.5], ["a", 2, 0.5], ["a", 1, None], ["a", 1, 0.5]]


def test_equal_rows_and_only_equal_rows_share_a_key():
    keys = token_keys(MIXED)
    assert keys.dtype == np.uint64
    assert keys[0] == keys[4]
    assert np.unique(keys).size == 4


@pytest.mark.parametrize(
    "dtype", [np.int8, np.uint16, np.int32, np.int64, np.uint64, np.float32, np.float64, object]
)
def test_a_whole_number_is_one_token_in_every_type(dtype):
    numbers = np.array([[0], [1], [3], [100]])
    np.testing.assert_array_equal(token_keys(numbers.astype(dtype)), token_keys(numbers))


def test_booleans_are_zero_and_one_and_zero_has_one_sign():
    np.testing.assert_array_equal(token_keys(np.array([[False], [True]])), token_keys([[0], [1]]))
    np.testing.assert_array_equal(token_keys(np.array([[-0.0]])), token_keys(np.array([[0.0]])))


def test_the_text_of_a_number_is_not_the_number():
    assert token_keys([["3"]]) != token_keys([[3]])


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT, np.float32("nan")])
def test_missing_values_are_one_ordinary_token(missing):
    column = np.array([[missing], ["a"]], dtype=object)
    assert token_keys(column)[0] == token_keys(np.array([[np.nan]]))[0]


def test_integers_beyond_the_precision_of_floats_stay_apart():
    ids = np.array([[2**53], [2**53 + 1], [2**60], [2**60 + 1], [-(2**60) - 1], [2**62 + 5]])
    assert np.unique(token_keys(ids)).size == len(ids)
    np.testing.assert_array_equal(token_keys(ids.astype(object)), token_keys(ids))
    assert token_keys(np.array([[2.0**60]])) == token_keys(np.array([[2**60]]))
    huge = np.array([[2**64 - 1], [2**64 - 2]], dtype=np.uint64)
    assert np.unique(token_keys(huge)).size == 2


def test_columns_and_their_order_matter():
    X = np.array([[1, 2], [2, 1], [1, 1]])
    assert np.unique(token_keys(X)).size == 3
    cells = column_keys(X)
    assert cells.shape == X.shape
    assert cells[2, 0] != cells[2, 1]
    assert cells[0, 0] == cells[2, 0]


def test_a_frame_an_object_array_and_a_string_array_agree():
    words = np.array([["rome", "paris"], ["paris", "rome"]])
    frame = pd.DataFrame(words, columns=["from", "to"])
    np.testing.assert_array_equal(token_keys(frame), token_keys(words))
    np.testing.assert_array_equal(token_keys(words.astype(object)), token_keys(words))


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(-3, 3), st.sampled_from("abc")), min_size=1, max_size=30))
def test_a_key_depends_on_its_row_alone(rows):
    keys = token_keys(rows)
    np.testing.assert_array_equal(keys, np.concatenate([token_keys([row]) for row in rows]))
    assert len(set(rows)) == np.unique(keys).size


def test_keys_are_the_same_in_another_process():
    # Python salts its own hash of text anew in every process.
    code = f"from skparietal.tokens import token_keys; print(*token_keys({MIXED!r}))"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    assert output.split() == [str(key).encode() for key in token_keys(MIXED)]


def test_keys_of_a_grid_look_uniform():
    # 2^16 rows of small integers: none of the 64 bits may lean; 5 standard errors of .5/256.
    grid = np.stack(np.meshgrid(np.arange(256), np.arange(256)), axis=-1).reshape(-1, 2)
    keys = token_keys(grid)
    assert np.unique(keys).size == len(grid)
    shares = [np.mean(keys >> np.uint64(bit) & np.uint64(1)) for bit in range(64)]
    np.testing.assert_allclose(shares, 0.5, atol=5 * 0.5 / 256)


def test_mixing_is_a_bijection_on_a_sample_and_spares_its_input():
    bits = np.arange(1000, dtype=np.uint64)
    assert np.unique(mix_bits(bits)).size == 1000
    np.testing.assert_array_equal(bits, np.arange(1000))


@pytest.mark.parametrize("X", [[1, 2, 3], np.empty((3, 0)), np.zeros((2, 2, 2))])
def test_what_is_no_table_is_refused(X):
    with pytest.raises(ValueError, match=r"X must be a table"):
        token_keys(X)


KEYS = token_keys(np.arange(2000)[:, None])


@pytest.mark.parametrize("d", [1, 2, 63, 64, 65, 200])
def test_hashed_embeddings_are_unit_vectors_with_nearly_equal_magnitudes(d):
    embeddings = hashed_embeddings(KEYS, d, seed=3, dtype=np.float64)
    assert embeddings.shape == (2000, d)
    np.testing.assert_allclose(np.square(embeddings).sum(axis=1), 1.0, rtol=1e-12)
    np.testing.assert_allclose(np.abs(embeddings) * np.sqrt(d), 1.0, atol=0.05)


def test_hashed_embeddings_of_different_keys_are_nearly_orthogonal():
    gram = np.triu(
        np.square(hashed_embeddings(KEYS, 128, seed=0) @ hashed_embeddings(KEYS, 128, seed=0).T), 1
    )
    # The mean of 2e6 squares has a standard error of .1 %; the magnitudes add .1 %.
    assert gram.sum() / (2000 * 1999 / 2) == pytest.approx(1 / 128, rel=0.01)
    balance = hashed_embeddings(KEYS, 128, seed=0).mean(axis=0) * np.sqrt(128)
    assert np.abs(balance).max() < 5 / np.sqrt(2000)


def test_hashed_embeddings_depend_on_the_seed_and_the_key_alone():
    first = hashed_embeddings(KEYS, 100, seed=0)
    assert np.mean(
        np.sign(first) == np.sign(hashed_embeddings(KEYS, 100, seed=1))
    ) == pytest.approx(0.5, abs=0.01)
    np.testing.assert_array_equal(first[7:9], hashed_embeddings(KEYS[7:9], 100, seed=0))
    more = hashed_embeddings(KEYS, 150, seed=0)[:, :100]
    np.testing.assert_array_equal(np.sign(first), np.sign(more))


def test_hashed_embeddings_are_off_the_lattice():
    # With equal magnitudes 64 inner products of dimension 16 take at most 17 values.
    products = hashed_embeddings(KEYS[:65], 16, seed=0) @ hashed_embeddings(KEYS[:1], 16, seed=0).T
    assert np.unique(products.round(6)).size > 40


def test_a_cell_that_is_no_value_is_refused():
    with pytest.raises(TypeError, match=r"must be a string or a number: unhashable type: 'dict'"):
        token_keys(np.array([[{"a": 1}]], dtype=object))
