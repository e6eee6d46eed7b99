"""make_zipf_associations: frequencies, labels, and the ways in which a generator is worse."""

import numpy as np
import pytest
from scipy.special import zeta

from skparietal.datasets import make_zipf_associations


def shares(X, last):
    return np.bincount(np.minimum(X.ravel(), last + 1), minlength=last + 2)[1 : last + 1] / len(X)


@pytest.mark.parametrize("options", [{}, {"n_items": 50}, {"cut": 20}, {"gamma": 2.0}])
def test_items_have_the_stated_frequencies(options):
    n = 40_000
    X, _ = make_zipf_associations(n, beta=1.5, random_state=0, **options)
    exponent = 1.5 * options.get("gamma", 1.0)
    last = options.get("n_items", options.get("cut"))
    weights = np.arange(1, 11) ** -exponent
    total = zeta(exponent) if last is None else np.sum(np.arange(1, last + 1) ** -exponent)
    p = weights / total
    assert np.all(np.abs(shares(X, 10) - p) < 4 * np.sqrt(p / n))
    assert last is None or X.max() <= last


def test_real_rows_come_at_the_stated_rate_beyond_the_cut():
    n = 40_000
    X, _ = make_zipf_associations(n, cut=10, real_fraction=0.3, random_state=0)
    beyond = 0.3 * zeta(1.5, 11) / zeta(1.5)
    assert abs(np.mean(X > 10) - beyond) < 4 * np.sqrt(beyond / n)


def test_labels_belong_to_the_item_and_are_spread():
    X, y = make_zipf_associations(5_000, n_classes=7, random_state=0)
    other_X, other_y = make_zipf_associations(5_000, n_classes=7, cut=100, random_state=1)
    labels = dict(zip(X.ravel(), y))
    assert all(labels.get(item, label) == label for item, label in zip(other_X.ravel(), other_y))
    assert all(labels[item] == label for item, label in zip(X.ravel(), y))
    assert set(y) == set(range(7))


def test_noisy_labels_are_wrong_at_the_stated_rate():
    clean = make_zipf_associations(20_000, random_state=0)[1]
    noisy = make_zipf_associations(20_000, label_noise=0.2, random_state=0)[1]
    assert abs(np.mean(clean != noisy) - 0.2) < 4 * np.sqrt(0.2 * 0.8 / 20_000)


def test_the_seed_decides():
    one, two = (make_zipf_associations(100, random_state=3) for _ in range(2))
    np.testing.assert_array_equal(one[0], two[0])
    assert one[0].dtype == np.int64
    assert one[0].shape == (100, 1)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"beta": 1.0}, "do not sum"),
        ({"beta": 1.5, "gamma": 0.5}, "do not sum"),
        ({"cut": 0}, "must be >= 1"),
        ({"label_noise": 1.5}, "label_noise must lie in"),
        ({"real_fraction": -0.1}, "real_fraction must lie in"),
        ({"n_classes": 1, "label_noise": 0.1}, "n_classes must be"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        make_zipf_associations(10, **options)


def test_a_finite_alphabet_takes_any_exponent():
    X, _ = make_zipf_associations(1000, beta=0.5, n_items=5, random_state=0)
    assert set(X.ravel()) == {1, 2, 3, 4, 5}
