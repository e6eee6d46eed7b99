"""SizeExtrapolationSplit: small sizes train, large ones test."""

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import cross_val_score

from skparietal import ScalingLawRegressor
from skparietal.model_selection import SizeExtrapolationSplit

SIZES = np.array([400, 100, 1600, 200, 800, 100, 3200, 6400, 400, 12800, 25600, 51200.0])


@pytest.mark.parametrize("n_splits", [1, 3, 5])
def test_every_test_size_exceeds_every_training_size(n_splits):
    splitter = SizeExtrapolationSplit(n_splits)
    splits = list(splitter.split(SIZES[:, None]))
    assert len(splits) == splitter.get_n_splits() == n_splits
    for train, test in splits:
        assert SIZES[train].max() < SIZES[test].min()
        assert len(train) + len(test) == len(SIZES)
    assert np.unique([len(train) for train, _ in splits]).size == n_splits


def test_the_fraction_counts_distinct_sizes():
    train, _ = next(SizeExtrapolationSplit(train_fraction=0.3).split(SIZES[:, None]))
    assert set(SIZES[train]) == {100, 200, 400}


def test_the_column_may_be_chosen_by_position_or_name():
    X = np.column_stack([np.ones(12), SIZES])
    frame = pd.DataFrame(X, columns=["depth", "rows"])
    by_position = next(SizeExtrapolationSplit(column=1).split(X))
    by_name = next(SizeExtrapolationSplit(column="rows").split(frame))
    np.testing.assert_array_equal(by_position[0], by_name[0])


def test_extrapolation_tells_a_plateau_from_a_power_law():
    errors = SIZES**-0.5 + 0.01
    X = SIZES[:, None]
    scores = {
        law: cross_val_score(
            ScalingLawRegressor(law), X, errors, cv=SizeExtrapolationSplit(2)
        ).mean()
        for law in ("power", "power_plateau")
    }
    assert scores["power_plateau"] > 0.999 > scores["power"]


@pytest.mark.parametrize(
    "options, message",
    [
        ({"n_splits": 0}, "n_splits must be >= 1"),
        ({"train_fraction": 1.0}, "within"),
        ({"n_splits": 8}, "too few for n_splits=8"),
        ({"train_fraction": 0.01}, "too few"),
    ],
)
def test_impossible_splits_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        next(SizeExtrapolationSplit(**options).split(SIZES[:, None]))
