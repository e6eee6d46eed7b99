"""Sliced Wasserstein distances by their definition; the identities of the kernel."""

import numpy as np
import pytest
from scipy.stats import wasserstein_distance
from sklearn.svm import SVC

from skparietal.persistence import SlicedWassersteinKernel, sliced_wasserstein_distances


def test_sliced_distance_is_the_mean_over_directions_of_wasserstein_distances():
    rng = np.random.default_rng(0)
    one, two = (np.sort(-rng.uniform(size=(size, 2)), axis=1) for size in (5, 8))
    angles = np.linspace(-np.pi / 2, np.pi / 2, 7, endpoint=False)
    expected = []
    for angle in angles:
        direction = np.array([np.cos(angle), np.sin(angle)])
        shadow = [np.outer(d.mean(axis=1), [1, 1]) for d in (one, two)]
        a = np.concatenate([one @ direction, shadow[1] @ direction])
        b = np.concatenate([two @ direction, shadow[0] @ direction])
        expected.append(len(a) * wasserstein_distance(a, b))
    distance = sliced_wasserstein_distances([one], [two], n_directions=7)
    np.testing.assert_allclose(distance, np.mean(expected), rtol=1e-12)


def test_distances_are_symmetric_vanish_on_the_diagonal_and_ignore_padding():
    rng = np.random.default_rng(1)
    diagrams = [np.sort(-rng.uniform(size=(size, 2)), axis=1) for size in (3, 6, 0, 4)]
    distances = sliced_wasserstein_distances(diagrams, diagrams)
    np.testing.assert_allclose(distances, distances.T, atol=1e-12)
    np.testing.assert_allclose(np.diag(distances), 0, atol=1e-12)
    alone = sliced_wasserstein_distances(diagrams[:1], diagrams[3:])
    np.testing.assert_allclose(distances[0, 3], alone[0, 0], rtol=1e-12)


def test_the_kernel_serves_a_precomputed_svm():
    rng = np.random.default_rng(0)
    spread = np.repeat([0.1, 1.0], 20)
    diagrams = [np.column_stack([-s - rng.uniform(size=6), -rng.uniform(size=6)]) for s in spread]
    kernel = SlicedWassersteinKernel().fit(diagrams)
    K = kernel.transform(diagrams)
    np.testing.assert_allclose(np.diag(K), 1)
    assert SVC(kernel="precomputed").fit(K, spread > 0.5).score(K, spread > 0.5) > 0.9


def test_bad_diagrams_and_bandwidths_are_named():
    with pytest.raises(ValueError, match=r"X\[1\] must be a finite array of shape"):
        SlicedWassersteinKernel().fit([np.zeros((2, 2)), np.zeros((2, 3))])
    with pytest.raises(ValueError, match='bandwidth must be "median" or positive'):
        SlicedWassersteinKernel(bandwidth=-1).fit([np.zeros((2, 2))])
