"""Baselines of detectors, on distributions whose answer is known."""

import numpy as np
import pytest
from scipy.stats import chi2

from skparietal.metrics import local_intrinsic_dimensionality, mahalanobis_confidence


def test_mahalanobis_confidence_of_one_gaussian_has_a_chi_square_law():
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(4, 4))
    clean, fresh = (rng.normal(size=(20_000, 4)) @ mixing for _ in range(2))
    confidence = mahalanobis_confidence(fresh, clean, np.zeros(20_000))
    levels = np.array([0.1, 0.5, 0.9])
    # Quantiles of 20,000 draws: standard error at most about 2 % of the quantile.
    np.testing.assert_allclose(np.quantile(-confidence, levels), chi2(4).ppf(levels), rtol=0.08)


def test_mahalanobis_confidence_is_zero_at_the_mean_of_a_class():
    rng = np.random.default_rng(1)
    classes = np.repeat(["a", "b"], 50)
    clean = rng.normal(size=(100, 3)) + 5 * (classes == "b")[:, None]
    means = [clean[classes == c].mean(axis=0) for c in "ab"]
    np.testing.assert_allclose(mahalanobis_confidence(means, clean, classes), 0, atol=1e-12)


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_local_dimensionality_of_a_uniform_ball(dimension):
    rng = np.random.default_rng(dimension)
    directions = rng.normal(size=(4000, dimension))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    ball = directions * rng.uniform(size=(4000, 1)) ** (1 / dimension)
    found = local_intrinsic_dimensionality(np.zeros((1, dimension)), ball, n_neighbors=2000)
    # The estimate from k neighbours has relative standard error k^-1/2 = .022.
    assert found[0] == pytest.approx(dimension, rel=0.1)


def test_embedding_in_more_dimensions_does_not_add_any():
    rng = np.random.default_rng(2)
    plane = rng.uniform(size=(500, 2))
    rotation, _ = np.linalg.qr(rng.normal(size=(10, 10)))
    embedded = np.column_stack([plane, np.zeros((500, 8))]) @ rotation
    np.testing.assert_allclose(
        local_intrinsic_dimensionality(embedded[:20], embedded[20:]),
        local_intrinsic_dimensionality(plane[:20], plane[20:]),
    )
