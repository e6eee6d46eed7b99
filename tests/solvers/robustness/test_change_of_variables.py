"""Changes of variables: predictions stay, and the way there and back is the identity."""

import numpy as np
import pytest

from skparietal.solvers.robustness.change_of_variables import (
    composed,
    original_coef,
    transformed_coef,
    transformed_correlation,
    transformed_gram,
)

RNG = np.random.default_rng(0)
TRANSFORMS = {"none": None, "vector": RNG.uniform(1, 2, 4), "matrix": RNG.normal(size=(4, 4))}


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
def test_moments_are_those_of_the_transformed_features(transform):
    X, y, coef = RNG.normal(size=(9, 4)), RNG.normal(size=9), RNG.normal(size=(3, 4))
    matrix = {0: np.eye(4), 1: None, 2: transform}[np.ndim(transform)]
    matrix = np.diag(transform) if matrix is None else matrix
    Z = X @ matrix
    np.testing.assert_allclose(transformed_gram(transform, X.T @ X), Z.T @ Z)
    np.testing.assert_allclose(transformed_correlation(transform, X.T @ y), Z.T @ y)
    np.testing.assert_allclose(X @ original_coef(transform, coef).T, Z @ coef.T)
    np.testing.assert_allclose(
        transformed_coef(transform, original_coef(transform, coef[0])), coef[0]
    )


@pytest.mark.parametrize("outer", TRANSFORMS.values(), ids=TRANSFORMS)
@pytest.mark.parametrize("inner", [RNG.uniform(1, 2, 4), RNG.normal(size=(4, 6))], ids=np.shape)
def test_two_changes_are_one(outer, inner):
    u = RNG.normal(size=inner.shape[-1])
    expected = original_coef(outer, original_coef(inner, u))
    np.testing.assert_allclose(original_coef(composed(outer, inner), u), expected)
