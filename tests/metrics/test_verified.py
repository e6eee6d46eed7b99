"""Scores and folds of verified rows."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score

from skparietal.metrics import VerifiedKFold, split_verified, verified_score, verified_scorer


@pytest.mark.parametrize(
    "y, y_verified, truth",
    [
        ([0, 1, 1], [np.nan, 0, 1], [0, 1]),
        ([0, 1, 1], np.array([None, 0, 1.0], dtype=object), [0, 1]),
        ([0, 1, 1], pd.array([pd.NA, 0, 1], dtype="Int64"), [0, 1]),
        (["a", "b", "b"], np.array([None, "a", "b"], dtype=object), ["a", "b"]),
        (["a", "b", "b"], np.array([np.nan, "a", "b"], dtype=object), ["a", "b"]),
        ([0.5, 1.5, 1.5], [np.nan, 0.5, 1.5], [0.5, 1.5]),
    ],
)
def test_every_mark_of_an_unknown_label_is_read(y, y_verified, truth):
    known, labels = split_verified(y, y_verified)
    assert known.tolist() == [False, True, True]
    assert labels.tolist() == truth
    assert labels.dtype.kind == np.asarray(y).dtype.kind


def test_integers_and_words_are_known_everywhere():
    assert split_verified([0, 1], [1, 1])[0].all()
    assert split_verified(["a", "b"], ["b", "b"])[0].all()


@pytest.mark.parametrize(
    "y, y_verified",
    [
        ([0, 1, 1], [-1, 0, 1]),
        ([0, 1, 1], [-1.0, 0.0, 1.0]),
        (["a", "b", "b"], ["", "a", "b"]),
        (["a", "b", "b"], np.array([np.nan, "a", "b"])),  # the text "nan"
    ],
)
def test_marks_of_other_tools_are_refused(y, y_verified):
    with pytest.raises(ValueError, match="which is no label in use: write NaN or None"):
        split_verified(y, y_verified)


@pytest.mark.parametrize(
    "y, y_verified, labels",
    [
        ([-1, 1, 1], [-1, -1, 1], None),
        ([1, 1, 1], [-1, -1, 1], None),  # a fold or batch of one of two classes
        ([0, 1, 1], [-1, 0, 1], [-1, 0, 1]),
        ([0, 1, 1], [-1, np.nan, 1], None),  # the mark is evidently NaN
        (["", "b", "b"], ["", "", "b"], None),
    ],
)
def test_minus_one_and_the_empty_text_may_be_classes(y, y_verified, labels):
    known, truth = split_verified(y, y_verified, labels=labels)
    assert truth.tolist() == [label for label in y_verified if label == label]
    assert known.sum() == len(truth)


def test_only_known_rows_are_scored():
    y_verified = [0, np.nan, 1, 1]
    y_predicted = np.array([0, 1, 0, 1])
    assert verified_score(np.zeros(4, int), y_predicted, y_verified=y_verified) == pytest.approx(
        2 / 3
    )
    weighted = verified_score(
        np.zeros(4, int), y_predicted, y_verified=y_verified, sample_weight=[1, 9, 1, 2]
    )
    assert weighted == pytest.approx(3 / 4)
    balanced = verified_score(
        np.zeros(4, int), y_predicted, y_verified=y_verified, metric=balanced_accuracy_score
    )
    assert balanced == pytest.approx((1 + 1 / 2) / 2)


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 6), st.integers(0, 20), st.integers(0, 2**20))
def test_folds_partition_and_spread_every_stratum(n_splits, n_known, seed):
    rng = np.random.default_rng(seed)
    y = rng.integers(3, size=50)
    y_verified = np.where(np.arange(50) < n_known, rng.integers(3, size=50), np.nan)
    folds = list(
        VerifiedKFold(n_splits, random_state=seed).split(y[:, None], y, y_verified=y_verified)
    )
    np.testing.assert_array_equal(np.sort(np.concatenate([test for _, test in folds])), range(50))
    for train, test in folds:
        assert not set(train) & set(test)
    known = ~np.isnan(y_verified)
    for stratum in [
        known,
        *(y_verified == c for c in range(3)),
        *(~known & (y == c) for c in (0, 1)),
    ]:
        counts = [stratum[test].sum() for _, test in folds]
        # Strata are dealt out one after the other: a seam may cost one row either way.
        assert max(counts) - min(counts) <= 2


def test_folds_without_verified_rows_are_stratified_by_label():
    y = np.repeat([0, 1], [10, 30])
    for _, test in VerifiedKFold(5, random_state=0).split(y[:, None], y):
        assert (y[test] == 0).sum() == 2


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="y_verified has 2 rows and y 3"):
        split_verified([0, 1, 1], [0, 1])
    with pytest.raises(ValueError, match="infinite"):
        split_verified([0, 1], [np.inf, 0])
    with pytest.raises(ValueError, match="no row of y_verified is known"):
        verified_score([0, 1], [0, 1], y_verified=[np.nan, np.nan])
    with pytest.raises(ValueError, match="n_splits=7 must lie between"):
        next(VerifiedKFold(7).split(np.zeros((3, 1)), [0, 1, 0]))
    with pytest.raises(RuntimeError, match="metadata routing is enabled"):
        verified_scorer()
