"""Rates of filtered synthetic labels: identities, limits and simulation."""

import numpy as np
import pytest

from skparietal.theory import (
    best_of_k,
    breakdown_point,
    effective_size,
    filtered_ridge_accuracy,
    kept_purity,
    label_margin,
)


def test_breakdown_is_where_the_kept_labels_lose_their_margin():
    for n_classes in (2, 3, 10):
        point = breakdown_point(0.7, 0.4, n_classes)
        assert label_margin(kept_purity(point, 0.7, 0.4), n_classes) == pytest.approx(0)
    assert breakdown_point(1, 0) == 1
    assert breakdown_point(0.6, 0.6, 4) == pytest.approx(0.75)


@pytest.mark.parametrize("fallback", ["drop", "first"])
def test_best_of_one_is_pruning_and_its_rates_match_simulation(fallback):
    share, purity = best_of_k(0.4, 0.8, 0.2, 1)
    assert share == pytest.approx(0.6 * 0.8 + 0.4 * 0.2)
    assert purity == pytest.approx(kept_purity(0.4, 0.8, 0.2))
    rng, n, k = np.random.default_rng(0), 200_000, 3
    right = rng.random((n, k)) >= 0.4
    accepted = rng.random((n, k)) < np.where(right, 0.8, 0.2)
    chosen = accepted.argmax(axis=1)  # the first accepted; candidate 0 when none is
    answered = accepted.any(axis=1) | (fallback == "first")
    share, purity = best_of_k(0.4, 0.8, 0.2, k, fallback=fallback)
    # Standard errors are near .001.
    assert answered.mean() == pytest.approx(share, abs=0.004)
    assert right[np.arange(n), chosen][answered].mean() == pytest.approx(purity, abs=0.005)


def test_an_oracle_fails_only_when_every_candidate_does():
    share, purity = best_of_k(0.63, 1.0, 0.0, 5)
    assert share == pytest.approx(1 - 0.63**5)
    assert purity == 1
    assert best_of_k(0.63, 1.0, 0.0, 5, fallback="first")[1] == pytest.approx(1 - 0.63**5)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="phi must lie in"):
        breakdown_point(1.2, 0.1)
    with pytest.raises(ValueError, match="psi must lie in"):
        kept_purity(0.2, 0.8, -0.1)
    with pytest.raises(ValueError, match="both 0"):
        breakdown_point(0.0, 0.0)
    with pytest.raises(ValueError, match="fallback must be"):
        best_of_k(0.1, 0.9, 0.1, 2, fallback="best")


def test_effective_size_is_the_leading_order_of_the_accuracy():
    # With n_eff clean rows in place of n noisy ones the accuracy is the same up to O(d / n).
    n, d, mu_norm = 40_000, 100, 1.2
    for purity in (0.6, 0.75, 0.95):
        size = effective_size(n, purity, mu_norm=mu_norm)
        noisy = filtered_ridge_accuracy(mu_norm, 1 - purity, 1, 1, n_samples=n, n_features=d)
        clean = filtered_ridge_accuracy(mu_norm, 0, 1, 1, n_samples=size, n_features=d)
        assert noisy == pytest.approx(clean, abs=2 * d / size * (1 - clean))


def test_effective_size_limits():
    assert effective_size(100, 1.0, mu_norm=3) == 100
    assert effective_size(100, 0.9, mu_norm=0, n_classes=2) == pytest.approx(64)
    np.testing.assert_array_equal(effective_size(100, [0.1, 0.25], mu_norm=1, n_classes=4), 0)
