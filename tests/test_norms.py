"""Norms: duality, projections, changes of variables and clear errors."""

import cvxpy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skparietal.norms import (
    CallableNorm,
    GroupNorm,
    LpNorm,
    MahalanobisNorm,
    Norm,
    ScaledNorm,
    check_norm,
)

D = 4
MATRIX = np.diag([1.0, 2.0, 3.0, 4.0]) + 0.3
CLOSED = {
    "l1": LpNorm(1),
    "l1.5": LpNorm(1.5),
    "l2": LpNorm(2),
    "l3": LpNorm(3),
    "linf": LpNorm(np.inf),
    "mahalanobis": MahalanobisNorm(MATRIX),
    "group": GroupNorm([0, 1, 0, 1]),
    "group-l2": GroupNorm([0, 1, 0, 1], 2),
    "scaled-linf": ScaledNorm("linf", [1.0, 2.0, 0.5, 3.0]),
    "scaled-mahalanobis": ScaledNorm(MahalanobisNorm(MATRIX), [1.0, 2.0, 0.5, 3.0]),
}


def half_and_half(w):
    return 0.5 * cvxpy.norm1(w) + 0.5 * cvxpy.norm2(w)


vectors = arrays(float, D, elements=st.floats(-1e3, 1e3, allow_subnormal=False))
every_norm = pytest.mark.parametrize("norm", CLOSED.values(), ids=CLOSED.keys())


@every_norm
@settings(deadline=None, max_examples=40)
@given(v=vectors, w=vectors)
def test_hoelder(norm, v, w):
    assert v @ w <= norm.norm(v) * norm.dual.norm(w) * (1 + 1e-10) + 1e-9


@every_norm
@settings(deadline=None, max_examples=40)
@given(w=vectors)
def test_the_worst_case_is_in_the_ball_and_attains_the_dual_norm(norm, w):
    worst = norm.worst_case(w)
    assert norm.norm(worst) <= 1 + 1e-9
    np.testing.assert_allclose(worst @ w, norm.dual.norm(w), rtol=1e-9, atol=1e-9)


@every_norm
@settings(deadline=None, max_examples=25)
@given(v=vectors)
def test_the_dual_of_the_dual_is_the_norm(norm, v):
    np.testing.assert_allclose(norm.dual.dual.norm(v), norm.norm(v), rtol=1e-9)


@every_norm
@settings(deadline=None, max_examples=25)
@given(v=vectors, w=vectors, c=st.floats(-5, 5))
def test_triangle_inequality_and_homogeneity(norm, v, w, c):
    assert norm.norm(v + w) <= (norm.norm(v) + norm.norm(w)) * (1 + 1e-10) + 1e-12
    np.testing.assert_allclose(norm.norm(c * v), abs(c) * norm.norm(v), rtol=1e-9, atol=1e-9)


@every_norm
def test_rows_are_measured_one_by_one(norm):
    rows = np.random.default_rng(0).normal(size=(2, 3, D))
    expected = [[norm.norm(v) for v in block] for block in rows]
    np.testing.assert_allclose(norm.norm(rows), expected)


@every_norm
def test_the_cvxpy_form_has_the_same_value(norm):
    v = np.random.default_rng(1).normal(size=D)
    np.testing.assert_allclose(norm.to_cvxpy(cvxpy.Constant(v)).value, norm.norm(v), rtol=1e-6)


@every_norm
def test_the_change_of_variables_keeps_the_dual_norm(norm):
    base, transform = norm.reduce()
    u = np.random.default_rng(2).normal(size=D)
    if transform is None:
        assert base is norm
        return
    w = transform * u if transform.ndim == 1 else transform @ u
    np.testing.assert_allclose(norm.dual.norm(w), base.dual.norm(u))


@pytest.mark.parametrize("name", ["l1", "l2", "linf", "group", "group-l2"])
@settings(deadline=None, max_examples=40)
@given(v=vectors, radius=st.floats(0.01, 10))
def test_the_projection_meets_its_optimality_condition(name, v, radius):
    norm = CLOSED[name]
    nearest = norm.project(v, radius)
    assert norm.norm(nearest) <= radius * (1 + 1e-9)
    # v - nearest is normal to the ball: no point of the ball is further along it.
    away = v - nearest
    scale = 1 + np.abs(v).max() ** 2
    assert away @ nearest >= radius * norm.dual.norm(away) - 1e-10 * scale


@pytest.mark.parametrize("name", ["l1", "l2", "linf", "group", "group-l2"])
@settings(deadline=None, max_examples=60)
@given(v=vectors, t=st.floats(-1e3, 1e3))
def test_the_epigraph_projection_meets_its_optimality_condition(name, v, t):
    norm = CLOSED[name]
    nearest, level = norm.project_epigraph(v, t)
    scale = 1 + np.abs(v).max() + abs(t)
    assert norm.norm(nearest) <= level + 1e-10 * scale
    # Moreau: the rest is orthogonal and in the polar cone {dual norm <= minus the last coordinate}.
    rest, drop = v - nearest, t - level
    assert norm.dual.norm(rest) <= -drop + 1e-10 * scale
    assert abs(rest @ nearest + drop * level) <= 1e-9 * scale**2


def test_the_largest_group_norm_lets_every_group_move():
    norm = GroupNorm(["a", "b", "a"])
    assert norm.norm(np.array([3.0, 5.0, 4.0])) == pytest.approx(5.0)
    assert norm.dual.norm(np.array([3.0, 5.0, 4.0])) == pytest.approx(10.0)


def test_the_euclidean_norm_survives_extreme_scales():
    for scale in (1e-300, 1e150, 1e300):
        np.testing.assert_allclose(LpNorm(2).norm(scale * np.array([3.0, 4.0])), 5 * scale)


def test_a_callable_is_the_dual_norm():
    norm = CallableNorm(half_and_half)
    w = np.array([3.0, -4.0])
    assert norm.dual.norm(w) == pytest.approx(6.0)
    worst = norm.worst_case(w)
    assert worst @ w == pytest.approx(6.0)
    # The value of the norm itself comes from a conic solver.
    assert norm.norm(worst) == pytest.approx(1.0, abs=1e-6)
    assert norm.norm(np.zeros(2)) == 0


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda w: cvxpy.sqrt(cvxpy.norm2(w)), "convex"),
        (lambda w: cvxpy.sum_squares(w), "homogeneous"),
        (lambda w: cvxpy.norm1(cvxpy.pos(w)), "even"),
        (lambda w: 3.0, "convex"),
        (lambda w: w.nonsense(), "failed in cvxpy"),
    ],
)
def test_a_callable_that_is_no_norm_is_refused(function, message):
    with pytest.raises(ValueError, match=message):
        CallableNorm(function).dual.to_cvxpy(cvxpy.Variable(3))
    # Its value is refused as well, where no convex problem is ever built.
    with pytest.raises(ValueError, match=message):
        CallableNorm(function).dual.norm(np.ones(3))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: check_norm("l3"), ValueError, "norm must be one of"),
        (lambda: check_norm(0.5), ValueError, "p must be a number >= 1"),
        (lambda: check_norm(np.nan), ValueError, "p must be"),
        (lambda: check_norm(None), TypeError, "norm must be"),
        (lambda: check_norm(True), TypeError, "norm must be"),
        (lambda: check_norm(GroupNorm([0, 1]), 3), ValueError, "made for 2 features, but X has 3"),
        (lambda: MahalanobisNorm(np.ones((2, 3))), ValueError, "square"),
        (lambda: MahalanobisNorm(np.array([[1.0, 2.0], [0.0, 1.0]])), ValueError, "symmetric"),
        (lambda: MahalanobisNorm(np.ones((2, 2))), ValueError, "positive definite"),
        (lambda: ScaledNorm("l2", [1.0, 0.0]), ValueError, "costs must be"),
        (lambda: ScaledNorm("l2", [1.0, np.inf]), ValueError, "immovable"),
        (lambda: GroupNorm([]), ValueError, "one label per feature"),
        (lambda: CallableNorm(3), TypeError, "callable"),
    ],
)
def test_bad_input_is_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_objects_pass_through_the_parser():
    norm = GroupNorm([0, 1])
    assert check_norm(norm, 2) is norm
    assert check_norm("l1") == LpNorm(1)
    assert check_norm(np.inf) == LpNorm(np.inf)
    assert isinstance(check_norm(3), Norm)
