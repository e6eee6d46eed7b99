"""Bordered inverses: the same as solving afresh, whatever came and went."""

import numpy as np
import pytest

from skparietal.solvers.robustness.free_block import FreeBlock
from skparietal.solvers.robustness.quadratic_loss import QuadraticLoss, RowLoss


@pytest.mark.parametrize("rows", [True, False], ids=["rows", "gram"])
def test_any_order_of_changes_equals_a_fresh_solution(rows):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 25)), rng.normal(size=40)
    block = FreeBlock(RowLoss(X, y) if rows else QuadraticLoss.of_rows(X, y))
    outside = list(range(25))
    for _ in range(200):
        if len(block) and (rng.random() < 0.4 or not outside):
            j = int(block.members[rng.integers(len(block))])
            block.remove(j)
            outside.append(j)
        else:
            assert block.add(outside.pop(rng.integers(len(outside))))
        right = rng.normal(size=len(block))
        inner = X[:, block.members].T @ X[:, block.members]
        # Condition of 40 x 25 Gaussian rows: about 100 squared, times rounding.
        np.testing.assert_allclose(inner @ block.solve(right), right, atol=1e-11)
        np.testing.assert_allclose(
            block.pulls(block.combine(right)), X.T @ (X[:, block.members] @ right), atol=1e-11
        )


@pytest.mark.parametrize("rows", [True, False], ids=["rows", "gram"])
def test_a_combination_of_the_members_is_refused(rows):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(20, 4))
    X = np.column_stack([X, X[:, 0] - 2 * X[:, 1]])
    y = rng.normal(size=20)
    block = FreeBlock(RowLoss(X, y) if rows else QuadraticLoss.of_rows(X, y))
    assert block.add(0)
    assert block.add(4)
    assert not block.add(1)
    block.remove(0)
    assert block.add(1)
