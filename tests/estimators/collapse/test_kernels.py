"""Shared kernel code: agreement with scikit-learn's own centring, ranks, errors."""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.preprocessing import KernelCenterer

from skparietal.estimators.collapse._kernels import centre_kernel, kernel_matrix, psd_eigh

X = np.random.default_rng(0).normal(size=(12, 3))


def settings(kernel, **parameters):
    defaults = {"gamma": None, "degree": 3, "coef0": 1, "kernel_params": None}
    return SimpleNamespace(kernel=kernel, **{**defaults, **parameters})


def test_only_the_parameters_that_a_kernel_knows_are_passed():
    assert_allclose(kernel_matrix(settings("linear", gamma=2.0), X), X @ X.T)
    assert_allclose(kernel_matrix(settings("rbf", gamma=0.5), X, X[:4]), rbf_kernel(X, X[:4], 0.5))


def test_a_callable_gets_pairs_of_rows_and_its_own_parameters():
    def kernel(a, b, scale):
        return scale * a @ b

    K = kernel_matrix(settings(kernel, kernel_params={"scale": 3.0}), X)
    assert_allclose(K, 3 * X @ X.T)


def test_a_precomputed_kernel_is_passed_through_and_must_be_square():
    K = X @ X.T
    assert kernel_matrix(settings("precomputed"), K) is K
    assert kernel_matrix(settings("precomputed"), K[:, :5], X[:5]).shape == (12, 5)
    with pytest.raises(ValueError, match=r"square kernel matrix .* got shape \(12, 5\)"):
        kernel_matrix(settings("precomputed"), K[:, :5])


def test_centring_without_weights_is_scikit_learns():
    K = rbf_kernel(X)
    original = K.copy()
    assert_allclose(centre_kernel(K), KernelCenterer().fit_transform(K.copy()), atol=1e-15)
    assert_allclose(K, original, rtol=0)


def test_weighted_centring_subtracts_the_weighted_mean_of_the_features():
    weights = np.arange(12.0)
    centred = X - np.average(X, axis=0, weights=weights)
    K = centre_kernel(X @ X.T, weights)
    assert_allclose(K, centred @ centred.T, atol=1e-12)
    assert_allclose(K @ weights, 0, atol=1e-11)


def test_the_spectrum_leaves_out_null_directions_without_a_warning():
    values, vectors = psd_eigh(centre_kernel(X @ X.T))
    assert values.size == 3
    centred = X - X.mean(axis=0)
    assert_allclose((vectors * values) @ vectors.T, centred @ centred.T, atol=1e-12)
    assert psd_eigh(np.zeros((4, 4)))[0].size == 0


def test_an_indefinite_kernel_is_clipped_with_a_warning():
    with pytest.warns(UserWarning, match="not positive semi-definite"):
        values, vectors = psd_eigh(np.diag([2.0, -1.0, 1.0]))
    assert_allclose(values, [1, 2])
    assert vectors.shape == (3, 2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rounding_of_a_gram_matrix_is_not_called_indefinite(dtype):
    # The offset makes the entries 10^4 times what is left of them after centring.
    wide = (100 + np.random.default_rng(1).normal(size=(200, 3))).astype(dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        K = kernel_matrix(settings("linear"), wide)
        values, vectors = psd_eigh(centre_kernel(K), magnitude=K.max())
    assert vectors.dtype == values.dtype == dtype
