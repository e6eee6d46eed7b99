"""Generated chains: exact recovery without noise, moments of the laws of the rows, errors."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skparietal.datasets import make_collapse_regression


def test_without_noise_least_squares_hands_the_truth_on():
    X, y, truth = make_collapse_regression(
        30, 5, noise_variance=0, n_generations=4, generator_n_samples=10, random_state=0
    )
    assert_allclose(truth.label_coef, truth.coef, rtol=1e-10)
    assert_allclose(y, X @ truth.coef, rtol=1e-10)


def test_zero_generations_give_clean_labels_of_unit_signal():
    X, _, truth = make_collapse_regression(20, spectrum=[4.0, 1.0], n_generations=0, random_state=1)
    assert truth.label_coef is truth.coef
    assert truth.spectrum @ truth.coef**2 == pytest.approx(1)
    assert X.shape == (20, 2)


@pytest.mark.parametrize("rows", [8, 60])
def test_a_ridge_generator_shrinks_to_zero_with_its_penalty(rows):
    _, _, truth = make_collapse_regression(
        10, 20, generator_n_samples=rows, generator_alpha=1e9, random_state=0
    )
    assert np.abs(truth.label_coef).max() < 1e-6


@pytest.mark.parametrize("features", ["gaussian", "t", "binary"])
def test_rows_have_the_covariance_asked_for(features):
    X, _, _ = make_collapse_regression(
        40_000, spectrum=[4.0, 1.0], n_generations=0, features=features, random_state=0
    )
    # t(4) has no fourth moment: its sample covariance is still off by some per cent.
    assert_allclose(X.T @ X / len(X), np.diag([4.0, 1.0]), atol=0.4 if features == "t" else 0.1)


def test_the_seed_decides_and_the_truth_is_optional():
    X, y = make_collapse_regression(10, 3, return_truth=False, random_state=3)
    again = make_collapse_regression(10, 3, random_state=3)
    assert_allclose(X, again[0], rtol=0)
    assert_allclose(y, again[1], rtol=0)


def test_bad_input_names_the_argument():
    with pytest.raises(ValueError, match="features must be one of"):
        make_collapse_regression(features="cauchy")
    for name in ("n_generations", "generator_alpha", "noise_variance", "generator_noise_variance"):
        with pytest.raises(ValueError, match="noise variances must be >= 0"):
            make_collapse_regression(**{name: -1})
    with pytest.raises(ValueError, match=r"coef must have shape \(2,\)"):
        make_collapse_regression(spectrum=[1.0, 1.0], coef=[1.0])
